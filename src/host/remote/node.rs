//! The node's end of the link: hosts PTYs for a gateway, and keeps them while it is away.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::frame::{FrameError, Number, ToNode};
use super::hosted::{Hosted, look};
use super::ring::Ring;
use super::service::{Defaults, Service, Task};
use crate::host::directories::directories;
use crate::host::{Exit, HasRoom, Host, Sink, SpawnRequest, Unwritten};
use crate::pane::log::OutputBuf;
use crate::pane::respawn::Generation;

/// How often terminals in use are looked at, as nothing tells of changes to their modes, and how soon again at input that
/// the line discipline has no room for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How often all terminals are looked at.
const LOOK_AT_ALL_EVERY: Duration = Duration::from_secs(1);

/// The PTYs of this node, whatever connection leads to the gateway. They live on while there is none, and end when a
/// gateway says that it is another than their owner.
#[derive(Debug)]
pub struct PtyService {
    shared: Arc<Shared>,
}

struct Shared {
    host: Arc<dyn Host>,
    defaults: Defaults,
    service: Mutex<Service>,
    /// Set off when a terminal is used.
    used: Notify,
    /// Counts the sinks: the end waits for all of them to go.
    running: TaskTracker,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PtyService {
    /// A service whose PTYs `host` has. Needs a runtime around it.
    #[must_use]
    pub fn new(host: Arc<dyn Host>, defaults: Defaults) -> PtyService {
        let shared = Arc::new(Shared {
            host,
            defaults,
            service: Mutex::new(Service::new()),
            used: Notify::new(),
            running: TaskTracker::new(),
        });
        tokio::spawn(look_after(Arc::downgrade(&shared)));
        PtyService { shared }
    }

    /// The two ends of a new connection, which supersedes an older one. When either end is dropped, it is over.
    #[must_use]
    pub fn connect(&self) -> (NodeInbound, NodeOutbound) {
        let epoch = self.shared.service().connect();
        let end = || End { shared: self.shared.clone(), epoch };
        (NodeInbound { end: end() }, NodeOutbound { end: end() })
    }

    /// Tells the gateway that the node will be gone for a while. Whether there was one to tell.
    pub fn announce_sleep(&self) -> bool {
        self.shared.service().announce_sleep()
    }

    /// For how long none of the PTYs has been used; `None` if there are none.
    #[must_use]
    pub fn idle(&self, now: Instant) -> Option<Duration> {
        self.shared.service().idle(now)
    }

    /// How many PTYs there are.
    #[must_use]
    pub fn terminals(&self) -> usize {
        self.shared.service().ptys.len()
    }

    /// Ends the connection and all PTYs, and resolves when their programs have ended.
    pub async fn end(&self) {
        let live = self.shared.service().end();
        live.iter().for_each(|terminal| terminal.kill());
        drop(live);
        self.shared.running.close();
        self.shared.running.wait().await;
    }
}

/// One end of a connection.
#[derive(Debug)]
struct End {
    shared: Arc<Shared>,
    epoch: u64,
}

impl Drop for End {
    fn drop(&mut self) {
        self.shared.service().hang_up(self.epoch);
    }
}

/// Takes the frames of one connection.
#[derive(Debug)]
pub struct NodeInbound {
    end: End,
}

impl NodeInbound {
    /// Takes a frame from the gateway. Of a superseded connection it changes nothing.
    ///
    /// # Errors
    /// When it makes no sense. The connection is to be closed then.
    pub fn take(&mut self, frame: Bytes) -> Result<(), FrameError> {
        let End { shared, epoch } = &self.end;
        let task = {
            let mut service = shared.service();
            if !service.is_present(*epoch) {
                return Ok(());
            }
            service.take(ToNode::parse(frame)?, Instant::now())?
        };
        shared.used.notify_one();
        match task {
            Task::Nothing => {}
            Task::Spawn { number, request } => {
                tokio::spawn(start(shared.clone(), *epoch, number, request));
            }
            Task::Directories { question, path } => {
                let (shared, epoch) = (shared.clone(), *epoch);
                tokio::task::spawn_blocking(move || {
                    let Defaults { root, cwd, .. } = &shared.defaults;
                    let listing = match path.as_str() {
                        // Programs may be started outside of what is shown.
                        "" => directories(root, cwd).or_else(|_| directories(root, Path::new(""))),
                        path => directories(root, Path::new(path)),
                    };
                    let answer = listing.map_err(|error| error.to_string());
                    shared.service().answered(epoch, question, answer);
                });
            }
        }
        Ok(())
    }
}

/// Gives the frames that one connection is to carry.
#[derive(Debug)]
pub struct NodeOutbound {
    end: End,
}

impl NodeOutbound {
    /// The next frame, once there is one; `None` when the connection was superseded or is over. Nothing is lost when
    /// this is dropped unfinished.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            let wake = {
                let mut service = self.end.shared.service();
                if !service.is_present(self.end.epoch) {
                    return None;
                }
                if let Some(frame) = service.next_frame(Instant::now()) {
                    return Some(frame);
                }
                service.wake.clone()
            };
            wake.notified().await;
        }
    }
}

async fn start(shared: Arc<Shared>, epoch: u64, number: Number, request: SpawnRequest) {
    let names = (request.pane, request.generation);
    let serial = shared.service().next_serial();
    let room = Arc::new(Notify::new());
    let sink: Arc<dyn Sink> = Arc::new(HostedSink {
        shared: Arc::downgrade(&shared),
        number,
        serial,
        room: room.clone(),
        _running: shared.running.token(),
    });
    let outcome = shared.host.spawn(shared.defaults.fill_in(request), sink).await;
    let mut terminal = None;
    let unwanted = {
        let mut service = shared.service();
        let outcome = match outcome {
            Ok(spawned) => {
                terminal = Some(spawned.terminal.clone());
                let ring = Ring::new(number, service.ring_bytes());
                let hosted = Hosted::new(names, serial, spawned.terminal, ring, room, Instant::now());
                Ok((hosted, spawned.note))
            }
            Err(error) => Err(error.reason),
        };
        service.started(epoch, number, outcome)
    };
    if let Some(terminal) = terminal {
        terminal.start();
    }
    if let Some(unwanted) = unwanted {
        unwanted.kill();
    }
    shared.used.notify_one();
}

/// Where the host of the PTYs reports to.
struct HostedSink {
    shared: Weak<Shared>,
    number: Number,
    serial: u64,
    /// Set off when there may be room again.
    room: Arc<Notify>,
    /// Held until the host lets go of this, after the program's end.
    _running: TaskTrackerToken,
}

impl HostedSink {
    fn note(&self, event: impl FnOnce(&mut Hosted)) {
        if let Some(shared) = self.shared.upgrade() {
            shared.service().note(self.number, self.serial, event);
        }
    }
}

impl Sink for HostedSink {
    fn output(&self, _: Generation, output: OutputBuf) {
        if let Some(shared) = self.shared.upgrade() {
            shared.service().printed(self.number, self.serial, output, Instant::now());
            shared.used.notify_one();
        }
    }

    fn quiet(&self) {}

    fn is_full(&self) -> bool {
        self.shared.upgrade().is_some_and(|shared| shared.service().is_full(self.number, self.serial))
    }

    fn has_room(&self) -> HasRoom<'_> {
        Box::pin(async {
            loop {
                // Made before it is looked at: what is set off in between is not missed.
                let room = self.room.notified();
                if !self.is_full() {
                    return;
                }
                room.await;
            }
        })
    }

    fn writable(&self, _: Generation) {
        self.note(Hosted::apply);
    }

    fn unwritten(&self, _: Generation, input: Unwritten) {
        self.note(|hosted| hosted.unwritten(input));
    }

    fn exited(&self, _: Generation, exit: Exit) {
        self.note(|hosted| hosted.exited(exit));
    }
}

/// Looks at terminals from time to time, until the service is gone.
async fn look_after(shared: Weak<Shared>) {
    let mut all_at = Instant::now();
    loop {
        let Some(shared) = shared.upgrade() else { return };
        let now = Instant::now();
        let all = now >= all_at;
        if all {
            all_at = now + LOOK_AT_ALL_EVERY;
        }
        let terminals = shared.service().to_look_at(all, now);
        let in_use = !terminals.is_empty();
        for (number, serial, terminal) in terminals {
            let seen = look(&*terminal);
            shared.service().looked(number, serial, seen);
        }
        if in_use {
            tokio::time::sleep(LOOK_EVERY).await;
        } else {
            let _ = tokio::time::timeout(LOOK_AT_ALL_EVERY, shared.used.notified()).await;
        }
    }
}
