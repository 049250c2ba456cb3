//! A gateway's end and a node's, with a wire between them that a test can cut, and delay as long as it likes.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;

use super::super::frame::{Hello, LINK_VERSION, WhenFull};
use super::super::{Defaults, Inbound, NodeInbound, NodeOutbound, Outbound, PtyService, RemoteHost, Taken};
use super::pretended::{Notes, Pretending};
use crate::geometry::Size;
use crate::host::{Host, Kept, Sink, SpawnRequest, Spawned};
use crate::ids::PaneId;
use crate::pane::respawn::Generation;

pub(super) const RING_BYTES: usize = 128 << 10;

pub(super) const WINDOW_BYTES: u32 = 24 << 10;

pub(super) fn hello(gateway: &str, when_full: WhenFull) -> Hello {
    Hello {
        version: LINK_VERSION,
        gateway: gateway.to_owned(),
        ring_bytes: RING_BYTES,
        when_full,
        window_bytes: WINDOW_BYTES,
    }
}

pub(super) fn defaults() -> Defaults {
    Defaults {
        command: vec!["/bin/sh".to_owned()],
        cwd: "/".into(),
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        root: "/".into(),
    }
}

pub(super) fn request(pane: u64, generation: u64) -> SpawnRequest {
    SpawnRequest {
        pane: PaneId(pane),
        generation: Generation(generation),
        command: vec!["/bin/sh".to_owned()],
        cwd: "/".into(),
        environment: vec![],
        size: Size::DEFAULT,
    }
}

/// One connection, with what is on its way.
struct Wire {
    gateway: (Inbound, Outbound),
    node: (NodeInbound, NodeOutbound),
    to_node: VecDeque<Bytes>,
    to_gateway: VecDeque<Bytes>,
}

pub(super) struct Pair {
    pub(super) host: Arc<RemoteHost>,
    pub(super) pretending: Arc<Pretending>,
    pub(super) service: PtyService,
    wire: Option<Wire>,
}

impl Pair {
    pub(super) fn new(when_full: WhenFull) -> Pair {
        let pretending = Arc::new(Pretending::default());
        Pair {
            host: RemoteHost::new(hello("g", when_full)),
            service: PtyService::new(pretending.clone(), defaults()),
            pretending,
            wire: None,
        }
    }

    /// A pair that is connected, with what its node kept.
    pub(super) async fn connected(when_full: WhenFull) -> Pair {
        let mut pair = Pair::new(when_full);
        assert_eq!(pair.connect().await, []);
        pair
    }

    /// A new connection; what was on its way over the old one is lost.
    pub(super) fn dial(&mut self) {
        let wire = Wire {
            gateway: self.host.connect(),
            node: self.service.connect(),
            to_node: VecDeque::new(),
            to_gateway: VecDeque::new(),
        };
        self.wire = Some(wire);
    }

    pub(super) fn cut(&mut self) {
        self.wire = None;
    }

    pub(super) fn is_cut(&self) -> bool {
        self.wire.is_none()
    }

    /// A new connection, up to where the node has said what it kept.
    pub(super) async fn connect(&mut self) -> Vec<Kept> {
        self.dial();
        for _ in 0..10_000 {
            if let Some(kept) = self.step(true, true).await {
                return kept;
            }
        }
        panic!("the node never said what it kept");
    }

    /// The node's process starts anew.
    pub(super) fn restart_node(&mut self) {
        self.cut();
        self.pretending = Arc::new(Pretending::default());
        self.service = PtyService::new(self.pretending.clone(), defaults());
    }

    /// Moves at most one frame in each wanted direction. What the node kept, once it has said so.
    pub(super) async fn step(&mut self, to_node: bool, to_gateway: bool) -> Option<Vec<Kept>> {
        let mut ready = None;
        if let Some(wire) = &mut self.wire {
            wire.to_node.extend(wire.gateway.1.next().now_or_never().flatten());
            wire.to_gateway.extend(wire.node.1.next().now_or_never().flatten());
            if let Some(frame) = wire.to_node.pop_front_if(|_| to_node) {
                wire.node.0.take(frame).unwrap();
            }
            if let Some(frame) = wire.to_gateway.pop_front_if(|_| to_gateway)
                && let Taken::Ready(kept) = wire.gateway.0.take(frame).unwrap()
            {
                ready = Some(kept);
            }
        }
        // Others, like starts and those who wait for room, have their turn.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        ready
    }

    /// Moves frames until nothing moves any more.
    pub(super) async fn settle(&mut self) {
        let mut quiet = 0;
        while quiet < 3 {
            self.step(true, true).await;
            let moves = self
                .wire
                .as_ref()
                .is_some_and(|wire| !wire.to_node.is_empty() || !wire.to_gateway.is_empty());
            let news = self.wire.as_mut().is_some_and(|wire| {
                let (down, up) = (
                    wire.gateway.1.next().now_or_never().flatten(),
                    wire.node.1.next().now_or_never().flatten(),
                );
                let news = down.is_some() || up.is_some();
                wire.to_node.extend(down);
                wire.to_gateway.extend(up);
                news
            });
            quiet = if moves || news { 0 } else { quiet + 1 };
        }
    }

    /// Starts a program, which reports to `notes`.
    pub(super) async fn spawn(&mut self, pane: u64, generation: u64, notes: &Arc<Notes>) -> Spawned {
        let sink: Arc<dyn Sink> = notes.clone();
        let starting = tokio::spawn(self.host.spawn(request(pane, generation), sink));
        tokio::task::yield_now().await;
        self.settle().await;
        let spawned = starting.await.unwrap().unwrap();
        spawned.terminal.start();
        self.settle().await;
        spawned
    }
}
