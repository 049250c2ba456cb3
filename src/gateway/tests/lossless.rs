//! Viewers that must get every byte, over the ends of gateways.

use std::time::Instant;

use proptest::prelude::*;
use serde_json::json;

use super::super::lossless::{BACK_WITHIN, Expected};
use super::super::nodes::LOCAL_NODE;
use super::super::viewer::{Framing, Pulled};
use super::Watching;
use super::nodes::{BOX, Mortal, PRINTED, head_of};
use crate::client::watches::OutputFrame;
use crate::gateway::Gateway;
use crate::pane::log::OFFSET_JUMP;
use crate::protocol::client;
use crate::protocol::frame::OutputKind;
use crate::protocol::server::ServerMessage;

/// A viewer that has kept every byte.
#[derive(Default)]
struct Recorder {
    watching: Option<Watching>,
    bytes: Vec<u8>,
}

impl Recorder {
    /// Goes on where it was, if it is not there.
    fn come(&mut self, mortal: &Mortal) -> &mut Watching {
        let (gateway, offset): (&Gateway, _) = (&mortal.gateway, self.bytes.len());
        self.watching.get_or_insert_with(|| {
            let watching = Watching::attach(gateway);
            let wanted = json!({ "paneId": mortal.pane, "offset": offset, "lossless": true });
            let watch = json!({ "type": "pane_watch", "panes": [wanted] });
            watching.attached.request(client::parse(watch.to_string().as_bytes()).unwrap());
            watching
        })
    }

    /// Takes at most so many frames, and says so or not.
    fn take(&mut self, mortal: &Mortal, frames: usize, says_so: bool) {
        for _ in 0..frames {
            let offset = self.bytes.len() as u64;
            let attached = &self.come(mortal).attached;
            match attached.viewer.pull() {
                None => break,
                Some(Pulled::Message(ServerMessage::Watching { from, missed, .. })) => {
                    assert_eq!((from, missed.unwrap_or(0)), (offset, 0));
                }
                Some(Pulled::Output(bytes)) => {
                    let frame = OutputFrame::parse(bytes).unwrap();
                    assert_eq!((frame.kind, frame.offset), (OutputKind::Output, offset));
                    self.bytes.extend_from_slice(&frame.payload);
                }
                Some(other) => panic!("at {offset}: {other:?}"),
            }
        }
        if says_so {
            let channel = mortal.gateway.hub.slot(mortal.pane).unwrap().channel;
            let offset = self.bytes.len() as u64;
            self.come(mortal).attached.consumed(channel, offset);
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// What, and how often; unless the host has no room.
    Print(usize, usize),
    Take {
        frames: usize,
        says_so: bool,
    },
    /// The recorder's connection ends; it comes back when it takes more.
    Kill {
        saved: Option<usize>,
        meanwhile: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..PRINTED.len(), 1usize..60).prop_map(|(what, times)| Step::Print(what, times)),
        5 => (0usize..8, any::<bool>()).prop_map(|(frames, says_so)| Step::Take { frames, says_so }),
        2 => (proptest::option::of(0usize..40), 0usize..40)
            .prop_map(|(saved, meanwhile)| Step::Kill { saved, meanwhile }),
    ]
}

impl Recorder {
    async fn see(&mut self, mortal: &mut Mortal, step: &Step) {
        match *step {
            Step::Print(what, times) => mortal.print(what, times),
            Step::Take { frames, says_so } => self.take(mortal, frames, says_so),
            Step::Kill { saved, meanwhile } => {
                mortal.kill(saved, meanwhile);
                self.watching = None;
            }
        }
        mortal.live().await;
    }
}

#[tokio::test]
async fn who_cannot_say_what_it_took_in_holds_nothing_up_that_it_was_sent() {
    let mortal = Mortal::open(LOCAL_NODE).await;
    let (attached, _messages, _updates) = mortal.gateway.attach(Framing::Compact).unwrap();
    let watch = json!({ "type": "pane_watch", "panes": [{ "paneId": mortal.pane, "lossless": true }] });
    attached.request(client::parse(watch.to_string().as_bytes()).unwrap());
    let slot = mortal.gateway.hub.slot(mortal.pane).unwrap();
    while let Some(pulled) = attached.viewer.pull() {
        if let Pulled::Snapshot(wanted) = pulled {
            attached.restart(wanted).await;
        }
    }
    mortal.host.print(mortal.name(), PRINTED[0]);
    let head = head_of(&mortal.gateway, mortal.pane);
    assert!(slot.lock().owed() < Some(head));
    while attached.viewer.pull().is_some() {}
    assert_eq!(slot.lock().owed(), Some(head));
}

#[tokio::test]
async fn who_is_not_back_in_time_is_waited_for_no_longer() {
    let mortal = Mortal::open(LOCAL_NODE).await;
    let slot = mortal.gateway.hub.slot(mortal.pane).unwrap();
    mortal.host.print(mortal.name(), PRINTED[0]);
    let mut state = slot.lock();
    let now = Instant::now();
    state.expected = Some(Expected::new(0, 1, now));
    assert_eq!((state.owed(), state.lossless_viewers()), (Some(0), 1));
    assert_eq!(state.lossless_lag(), state.pane.log.head());
    state.give_up_expected(now);
    assert!(state.expected_until().is_some());
    state.give_up_expected(now + BACK_WITHIN);
    assert_eq!((state.expected_until(), state.owed(), state.lossless_lag()), (None, None, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However far behind it is when a gateway is killed. One that lives in peace gives it the same.
    #[test]
    fn who_must_get_every_byte_gets_it_whoever_ends(
        steps in proptest::collection::vec(step(), 1..40),
        node in prop_oneof![Just(LOCAL_NODE), Just(BOX)],
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut mortal, mut recorder) = (Mortal::open(node).await, Recorder::default());
            let (calm, mut wanted) = (Mortal::open(node).await, Recorder::default());
            mortal.waits = true;
            recorder.come(&mortal);
            wanted.come(&calm);
            for step in &steps {
                recorder.see(&mut mortal, step).await;
                if node == BOX && head_of(&mortal.gateway, mortal.pane) >= OFFSET_JUMP {
                    // Nothing was on disk yet, and nobody knows what it was like.
                    return;
                }
                let printed = mortal.host.printed(mortal.name());
                let known = calm.host.printed(calm.name()).len();
                calm.host.print(calm.name(), &printed[known..]);
                wanted.take(&calm, usize::MAX, true);
            }
            recorder.take(&mortal, usize::MAX, true);
            assert_eq!(recorder.bytes.escape_ascii().to_string(), wanted.bytes.escape_ascii().to_string());
        });
    }
}
