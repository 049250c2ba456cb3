//! The gateway's side of a host that is a process of its own. Programs are started and ended by messages; bytes take
//! no extra hop: each PTY is read, on to its tape, and written here.

use std::collections::HashMap;
use std::fmt;
use std::io::ErrorKind;
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Settings;
use super::call::{Answered, Known, LinkError, Tracks, call};
use super::socket::{Received, Socket};
use super::wire::{Ask, Tell, TerminalId};
use crate::host::reading::{Output, Reader, attend, floods};
use crate::host::terminal::{HangUp, PtyTerminal};
use crate::host::{Exit, Host, Kept, Sink, SpawnError, SpawnRequest, Spawned, Spawning, Terminal};
use crate::ids::PaneId;
use crate::pane::respawn::Generation;

/// How long a host that is told to end may take.
const STOPS_WITHIN: Duration = Duration::from_secs(3);

/// See the module. Clones are the same link.
#[derive(Clone)]
pub struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    floods: Arc<Semaphore>,
    /// To the host; another one once that has ended and a program is to be started.
    connection: tokio::sync::Mutex<Arc<Connection>>,
    /// Terminals from before that nobody has asked for yet.
    kept: Mutex<HashMap<(PaneId, Generation), Dormant>>,
    /// Set off when this gateway leaves its terminals to the host.
    left: CancellationToken,
}

/// A terminal from before.
struct Dormant {
    connection: Arc<Connection>,
    terminal: TerminalId,
    tracks: Tracks,
    exit: oneshot::Receiver<Exit>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

impl Link {
    /// Finds the host of a data directory, or starts it; and the terminals that it has from before.
    ///
    /// # Errors
    /// When there is none within three seconds, or it serves another gateway, or is of another kind.
    pub async fn connect(settings: Settings) -> Result<(Link, Vec<Kept>), LinkError> {
        let (connection, known) = Connection::over(call(&settings).await?);
        let mut told = Vec::new();
        let mut kept = HashMap::new();
        for Known { terminal, pane, generation, tracks, exit } in known {
            told.push(Kept {
                pane,
                generation,
                output: tracks.tape.kept(),
                given: tracks.tape.given(),
                checkpoint: tracks.tape.checkpoint(),
            });
            let exit = connection.expect_end(terminal, exit);
            let dormant = Dormant { connection: connection.clone(), terminal, tracks, exit };
            kept.insert((pane, generation), dormant);
        }
        let shared = Shared {
            settings,
            floods: floods(),
            connection: tokio::sync::Mutex::new(connection),
            kept: Mutex::new(kept),
            left: CancellationToken::new(),
        };
        Ok((Link { shared: Arc::new(shared) }, told))
    }

    /// Leaves all terminals to the host: from here on nothing is reported, and none is ended. Returns how many live
    /// on. The host reads them once this process has ended.
    pub async fn leave(&self) -> usize {
        self.shared.left.cancel();
        self.shared.connection.lock().await.state().ends.len()
    }

    /// Ends the host with all its programs. Whether it did within a few seconds.
    pub async fn stop(&self) -> bool {
        let connection = self.shared.connection.lock().await.clone();
        connection.ask(Ask::Shutdown);
        timeout(STOPS_WITHIN, connection.over.cancelled()).await.is_ok()
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<(PaneId, Generation), Dormant>> {
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host for Link {
    fn spawn(&self, request: SpawnRequest, sink: Arc<dyn Sink>) -> Spawning {
        let shared = self.shared.clone();
        Box::pin(async move {
            let output = Output { sink, generation: request.generation };
            let connection = shared.connection().await?;
            let Arrived { terminal, tracks, exit, note } = connection.start(request).await?;
            let dormant = Dormant { connection, terminal, tracks, exit };
            Ok(Spawned { terminal: shared.attend(dormant, 0, output), note })
        })
    }

    fn resume(&self, kept: &Kept, from: u64, sink: Arc<dyn Sink>) -> Option<Arc<dyn Terminal>> {
        let dormant = self.kept().remove(&(kept.pane, kept.generation))?;
        let output = dormant.tracks.tape.kept();
        if from < output.start || from > output.end {
            dormant.connection.ask(Ask::Forget { terminal: dormant.terminal });
            return None;
        }
        Some(self.shared.attend(dormant, from, Output { sink, generation: kept.generation }))
    }

    fn discard(&self, kept: &Kept) {
        if let Some(dormant) = self.kept().remove(&(kept.pane, kept.generation)) {
            dormant.connection.ask(Ask::Forget { terminal: dormant.terminal });
        }
    }

    fn outlives(&self) -> bool {
        !self.shared.settings.stop
    }
}

impl Shared {
    /// The connection to the host, which is started anew if it has ended.
    async fn connection(&self) -> Result<Arc<Connection>, SpawnError> {
        let refused = |reason: String| SpawnError { reason };
        let mut connection = self.connection.lock().await;
        if self.left.is_cancelled() {
            return Err(refused("the gateway is ending".to_owned()));
        }
        if connection.over.is_cancelled() {
            let answered = call(&self.settings).await.map_err(|error| refused(error.to_string()))?;
            let known;
            (*connection, known) = Connection::over(answered);
            // Their panes were told that they have ended.
            for Known { terminal, .. } in known {
                connection.ask(Ask::Forget { terminal });
            }
        }
        Ok(connection.clone())
    }

    /// Goes on with a terminal, once it is started, from a place in its output on.
    fn attend(&self, dormant: Dormant, from: u64, output: Output) -> Arc<PtyTerminal> {
        let Dormant { connection, terminal: id, tracks: Tracks { master, tape, pid }, exit } = dormant;
        let left = self.left.clone();
        let end = ByMessage { connection: connection.clone(), terminal: id, left: left.clone() };
        let terminal = PtyTerminal::new(master, pid, Some(tape.clone()), Box::new(end));
        // Without a word from the host nobody knows.
        let exit = async { exit.await.unwrap_or(Exit::Unknown) };
        let attended =
            attend(terminal.clone(), Reader::on_tape(tape, from), output, self.floods.clone(), exit);
        tokio::spawn(async move {
            if left.run_until_cancelled_owned(attended).await.is_some() {
                connection.ask(Ask::Forget { terminal: id });
            }
        });
        terminal
    }
}

/// Ends a program by way of its host.
#[derive(Debug)]
struct ByMessage {
    /// Held also because who reads a PTY holds its terminal: as long as there is a connection, the host does not.
    connection: Arc<Connection>,
    terminal: TerminalId,
    left: CancellationToken,
}

impl HangUp for ByMessage {
    fn hang_up(&self) {
        if !self.left.is_cancelled() {
            self.connection.ask(Ask::Kill { terminal: self.terminal });
        }
    }
}

/// One connection to a host. It ends with the host, or when nobody holds it any more.
#[derive(Debug)]
struct Connection {
    /// To the host; holds at most a word or two about each terminal and each start.
    asks: mpsc::UnboundedSender<Ask>,
    state: Mutex<State>,
    /// Set off when the host has hung up.
    over: CancellationToken,
    _unheld: DropGuard,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the start before.
    last: u64,
    /// Starts under way.
    starts: HashMap<u64, oneshot::Sender<Result<Arrived, SpawnError>>>,
    /// Programs that have not ended.
    ends: HashMap<TerminalId, oneshot::Sender<Exit>>,
}

/// A terminal that came up.
#[derive(Debug)]
struct Arrived {
    terminal: TerminalId,
    tracks: Tracks,
    exit: oneshot::Receiver<Exit>,
    note: Option<String>,
}

impl Connection {
    fn over(answered: Answered) -> (Arc<Connection>, Vec<Known>) {
        let Answered { socket, known, child } = answered;
        let (asks, outbox) = mpsc::unbounded_channel();
        let unheld = CancellationToken::new();
        let connection = Arc::new(Connection {
            asks,
            state: Mutex::default(),
            over: CancellationToken::new(),
            _unheld: unheld.clone().drop_guard(),
        });
        let socket = Arc::new(socket);
        let asking = send_asks(socket.clone(), outbox, Arc::downgrade(&connection));
        tokio::spawn(unheld.clone().run_until_cancelled_owned(asking));
        let (hearing, over) = (hear(socket, Arc::downgrade(&connection)), connection.over.clone());
        tokio::spawn(async move {
            if unheld.run_until_cancelled_owned(hearing).await.is_some() {
                over.cancel();
                reap(child);
            }
        });
        (connection, known)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, ask: Ask) {
        // It fails when the host has ended, and with it all that could be asked for.
        let _ = self.asks.send(ask);
    }

    async fn start(&self, request: SpawnRequest) -> Result<Arrived, SpawnError> {
        let gone = || SpawnError { reason: "the host of the shells ended".to_owned() };
        let (arrived_tx, arrived) = oneshot::channel();
        let number = {
            let mut state = self.state();
            state.last += 1;
            let number = state.last;
            state.starts.insert(number, arrived_tx);
            number
        };
        self.ask(Ask::Spawn { number, request });
        // Looked at after it was noted: a host that ends later answers all that is noted.
        if self.over.is_cancelled() {
            return Err(gone());
        }
        arrived.await.unwrap_or_else(|_| Err(gone()))
    }

    /// What will tell how a terminal's program ends, or has ended.
    fn expect_end(&self, terminal: TerminalId, exit: Option<Exit>) -> oneshot::Receiver<Exit> {
        let (exit_tx, exit_rx) = oneshot::channel();
        match exit {
            Some(exit) => _ = exit_tx.send(exit),
            None => _ = self.state().ends.insert(terminal, exit_tx),
        }
        exit_rx
    }

    fn take(&self, received: Received<Tell>) {
        match received.message {
            Tell::Spawned { number, terminal, pid, note } => {
                let outcome = match Tracks::of(received.descriptors, pid) {
                    Some(tracks) => {
                        let exit = self.expect_end(terminal, None);
                        Ok(Arrived { terminal, tracks, exit, note })
                    }
                    None => Err(SpawnError { reason: "too many open files in the gateway".to_owned() }),
                };
                let came_up = outcome.is_ok();
                let starter = self.state().starts.remove(&number);
                let wanted = starter.is_some_and(|starter| starter.send(outcome).is_ok());
                if !(came_up && wanted) {
                    self.ask(Ask::Forget { terminal });
                }
            }
            Tell::Failed { number, reason } => self.failed(number, reason),
            Tell::Exited { terminal, exit } => {
                let end = self.state().ends.remove(&terminal);
                if let Some(end) = end {
                    let _ = end.send(exit);
                }
            }
            other => tracing::warn!("the host said what is not asked for: {other:?}"),
        }
    }

    fn failed(&self, number: u64, reason: String) {
        let starter = self.state().starts.remove(&number);
        if let Some(starter) = starter {
            let _ = starter.send(Err(SpawnError { reason }));
        }
    }
}

async fn send_asks(
    socket: Arc<Socket>,
    mut asks: mpsc::UnboundedReceiver<Ask>,
    connection: Weak<Connection>,
) {
    while let Some(ask) = asks.recv().await {
        let Err(error) = socket.send(&ask, &[]).await else { continue };
        match (ask, connection.upgrade()) {
            (Ask::Spawn { number, .. }, Some(connection)) => connection.failed(number, error.to_string()),
            (ask, _) => tracing::debug!("the host was not told {ask:?}: {error}"),
        }
    }
}

/// Hears the host until it hangs up; then all its programs count as ended.
async fn hear(socket: Arc<Socket>, connection: Weak<Connection>) {
    loop {
        let received = match socket.receive::<Tell>().await {
            Ok(Some(received)) => received,
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                tracing::warn!("the host was not understood: {error}");
                continue;
            }
            Ok(None) | Err(_) => break,
        };
        let Some(connection) = connection.upgrade() else { return };
        connection.take(received);
    }
    let Some(connection) = connection.upgrade() else { return };
    connection.over.cancel();
    *connection.state() = State::default();
}

/// Takes the status of a host that ends, so that no zombie stays.
fn reap(child: Option<Child>) {
    if let Some(mut child) = child {
        // It may see to what its programs left for seconds yet; nobody waits for that.
        std::thread::spawn(move || child.wait());
    }
}
