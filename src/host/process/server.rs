//! The host's own process: one thread that takes callers, one gateway among them, and events of its programs.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::setsid;
use rustix::stdio::dup2_stdout;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::task::TaskTracker;

use super::WhenFull;
use super::keeper::{Held, Keeper, MAX_TERMINALS};
use super::program::{Reads, Running, Tracks, begin, see_to};
use super::socket::{Listener, Socket};
use super::wire::{Ask, BUILD, Tell, TerminalId, VERSION};
use crate::host::{Exit, SpawnError, SpawnRequest};
use crate::ids::PaneId;
use crate::pane::respawn::Generation;

/// Who holds this is the host of its data directory.
const LOCK: &str = "host.lock";

/// The most callers that have not said yet what they want; others wait in the system.
const MAX_CALLERS: usize = 8;

/// How long a caller may take to say what it wants.
const SAY_WITHIN: Duration = Duration::from_secs(3);

/// Events that wait for the host's one thread; whoever has more waits.
const MAX_EVENTS: usize = 64;

/// How soon a caller is taken again after that failed, for want of descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// How long a host that is told to end waits for its programs, which are killed long before.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// How long it then waits for what dead programs left; see [`crate::host::ending`].
const LEFTOVERS_WITHIN: Duration = Duration::from_secs(6);

/// Why a host did not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is one already.
    #[error("the data directory {} has a host already", _0.display())]
    Running(PathBuf),
    /// The system refused something.
    #[error("the host of {}: {source}", dir.display())]
    Io {
        /// The data directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Runs the host of a data directory until it is told to end, or nobody has needed it for a while. Its standard output
/// is closed as soon as it can be called; what is wrong before is written there.
///
/// # Errors
/// When the directory has a host already, or can't be used.
pub fn run(data_dir: &Path) -> Result<(), RunError> {
    // A process that leads a group stays in its session, and that is as well.
    let _ = setsid();
    let outcome = serve(data_dir);
    if let Err(RunError::Io { source, .. }) = &outcome {
        // Whoever has started us may be gone.
        let _ = writeln!(io::stdout(), "{source}");
    }
    outcome
}

fn serve(data_dir: &Path) -> Result<(), RunError> {
    let failed = |source: io::Error| RunError::Io { dir: data_dir.to_owned(), source };
    let mut open = OpenOptions::new();
    let lock = open.write(true).create(true).truncate(false).mode(0o600).open(data_dir.join(LOCK));
    let lock = lock.map_err(failed)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Err(RunError::Running(data_dir.to_owned())),
        Err(error) => return Err(failed(error.into())),
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_keep_alive(Duration::from_secs(1))
        .build()
        .map_err(failed)?;
    let served = runtime.block_on(async {
        let server = Server::new(data_dir)?;
        dup2_stdout(File::options().write(true).open("/dev/null")?)?;
        server.serve(lock).await;
        Ok(())
    });
    served.map_err(failed)
}

/// What happens to a host, but for new callers.
enum Event {
    /// Somebody called, and said this first.
    Called(Socket, Ask),
    /// The gateway asks for something.
    Asked(Ask),
    /// The gateway is gone.
    Gone,
    /// A start came to its end.
    Started(Start, Box<Result<Running, SpawnError>>),
    /// A program ended.
    Ended(TerminalId, Exit),
}

/// A start that was asked for.
struct Start {
    number: u64,
    pane: PaneId,
    generation: Generation,
}

/// A message with what goes beside it.
type Letter = (Tell, Option<Arc<Tracks>>);

/// The gateway that is here.
struct Gateway {
    socket: Arc<Socket>,
    /// To it. Holds at most an answer to each start and the end of each terminal.
    letters: mpsc::UnboundedSender<Letter>,
    /// The task that hears what it asks.
    hearing: AbortHandle,
}

/// The end of a host.
struct Ending {
    /// Those who wait for it.
    callers: Vec<Socket>,
    /// When it is over in any case.
    until: Instant,
}

/// See the module.
struct Server {
    listener: Listener,
    callers: Arc<Semaphore>,
    keeper: Keeper,
    /// Starts under way.
    starting: usize,
    tape_bytes: usize,
    when_full: WhenFull,
    gateway: Option<Gateway>,
    reads: watch::Sender<Reads>,
    /// The end, once it has begun.
    ending: Option<Ending>,
    events_tx: mpsc::Sender<Event>,
    events: mpsc::Receiver<Event>,
    /// Programs, and what they left.
    running: TaskTracker,
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Server {
    fn new(data_dir: &Path) -> io::Result<Server> {
        let (events_tx, events) = mpsc::channel(MAX_EVENTS);
        Ok(Server {
            listener: Listener::bind(data_dir)?,
            callers: Arc::new(Semaphore::new(MAX_CALLERS)),
            keeper: Keeper::new(Instant::now()),
            starting: 0,
            tape_bytes: super::MIN_TAPE_BYTES,
            when_full: WhenFull::Wait,
            gateway: None,
            reads: watch::Sender::new(Reads::Host(WhenFull::Wait)),
            ending: None,
            events_tx,
            events,
            running: TaskTracker::new(),
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn serve(mut self, lock: File) {
        while !self.is_over() {
            let alone = self.gateway.is_none() && self.starting == 0;
            let until = self.ending.as_ref().map(|ending| ending.until);
            tokio::select! {
                Some(event) = self.events.recv() => self.take(event).await,
                caller = self.listener.accept(), if self.callers.available_permits() > 0 => match caller {
                    Ok(caller) => self.listen_to(caller),
                    Err(error) => {
                        tracing::warn!("cannot take a caller: {error}");
                        sleep(ACCEPT_RETRY).await;
                    }
                },
                () = sleep_until(self.keeper.look_at()), if alone => {
                    if self.keeper.is_idle(Instant::now()) {
                        tracing::info!("nothing left to be kept");
                        break;
                    }
                    if !self.listener.can_be_found() && self.ending.is_none() {
                        tracing::warn!("the data directory is gone, and nobody could find its shells again");
                        self.end(None);
                    }
                }
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    tracing::warn!("not all programs came to their end in time");
                    break;
                }
                _ = self.terminate.recv() => self.end(None),
                _ = self.interrupt.recv() => self.end(None),
                // From a terminal that we were started from; it is of no concern.
                _ = self.hangup.recv() => {}
            }
        }
        let Server { listener, gateway, ending, running, .. } = self;
        // The next host may come at once.
        listener.close();
        if let Some(gateway) = &gateway {
            gateway.hearing.abort();
        }
        drop((lock, gateway, ending));
        running.close();
        if timeout(LEFTOVERS_WITHIN, running.wait()).await.is_err() {
            tracing::warn!("not all that programs left came to its end in time");
        }
    }

    fn is_over(&self) -> bool {
        self.ending.is_some() && self.starting == 0 && !self.keeper.has_running()
    }

    /// Hears what a caller wants.
    fn listen_to(&self, caller: Socket) {
        let Ok(place) = self.callers.clone().try_acquire_owned() else { return };
        let events = self.events_tx.clone();
        tokio::spawn(async move {
            match timeout(SAY_WITHIN, caller.receive()).await {
                Ok(Ok(Some(said))) => _ = events.send(Event::Called(caller, said.message)).await,
                Ok(Err(error)) => tracing::warn!("a caller was not understood: {error}"),
                Ok(Ok(None)) | Err(_) => {}
            }
            drop(place);
        });
    }

    async fn take(&mut self, event: Event) {
        match event {
            Event::Called(caller, Ask::Shutdown) => self.end(Some(caller)),
            Event::Called(caller, Ask::Hello { version, build }) => {
                if let Err(error) = self.greet(caller, version, build).await {
                    tracing::warn!("a caller left: {error}");
                }
            }
            Event::Called(_, ask) => tracing::warn!("a caller did not say who it is: {ask:?}"),
            Event::Asked(ask) => self.answer(ask),
            Event::Gone => self.go_on_alone(),
            Event::Started(start, outcome) => self.started(start, *outcome),
            Event::Ended(terminal, exit) => {
                if self.keeper.ended(terminal, exit.clone(), Instant::now()) {
                    self.tell(Tell::Exited { terminal, exit }, None);
                }
            }
        }
    }

    /// A gateway called.
    async fn greet(&mut self, caller: Socket, version: u32, build: String) -> io::Result<()> {
        if self.gateway.as_ref().is_some_and(|gateway| gateway.socket.is_hung_up()) {
            // First what the last one said, then that it is gone, which is under way.
            let events = self.events_tx.clone();
            let again = Event::Called(caller, Ask::Hello { version, build });
            tokio::spawn(async move { events.send(again).await });
            return Ok(());
        }
        let hello = Tell::Hello { version: VERSION, build: BUILD.to_owned(), pid: std::process::id() };
        caller.send(&hello, &[]).await?;
        if version != VERSION {
            tracing::warn!("a gateway (everpane {build}) speaks version {version}, not {VERSION}");
            return Ok(());
        }
        if let Some(gateway) = &self.gateway {
            return caller.send(&Tell::Busy { pid: gateway.socket.peer }, &[]).await;
        }
        tracing::info!("the gateway is process {} (everpane {build})", caller.peer);
        // From here on nothing is read here.
        self.reads.send_replace(Reads::Gateway);
        let caller = Arc::new(caller);
        let (letters, outbox) = mpsc::unbounded_channel();
        tokio::spawn(send_letters(caller.clone(), outbox));
        let hearing = tokio::spawn(hear(caller.clone(), self.events_tx.clone())).abort_handle();
        self.gateway = Some(Gateway { socket: caller, letters, hearing });
        for (tell, tracks) in self.keeper.kept() {
            self.tell(tell, Some(tracks));
        }
        self.tell(Tell::Ready, None);
        Ok(())
    }

    fn tell(&self, tell: Tell, tracks: Option<Arc<Tracks>>) {
        if let Some(gateway) = &self.gateway {
            // It fails when the gateway is gone; the next one is told anew.
            let _ = gateway.letters.send((tell, tracks));
        }
    }

    fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Settings { tape_bytes, when_full } => {
                self.tape_bytes = tape_bytes.max(super::MIN_TAPE_BYTES);
                self.when_full = when_full;
            }
            Ask::Spawn { number, request } => self.start(number, request),
            Ask::Kill { terminal } => self.keeper.kill(terminal),
            Ask::Forget { terminal } => self.keeper.forget(terminal, Instant::now()),
            Ask::Shutdown => self.end(None),
            Ask::Hello { .. } => tracing::warn!("the gateway said hello twice"),
        }
    }

    fn start(&mut self, number: u64, request: SpawnRequest) {
        if self.keeper.len() + self.starting >= MAX_TERMINALS {
            let reason = format!("the host has {MAX_TERMINALS} terminals already");
            return self.tell(Tell::Failed { number, reason }, None);
        }
        self.starting += 1;
        let start = Start { number, pane: request.pane, generation: request.generation };
        let (events, tape_bytes) = (self.events_tx.clone(), self.tape_bytes);
        tokio::spawn(async move {
            let outcome = Box::new(begin(request, tape_bytes).await);
            // It fails when the host has ended, and with it this task.
            let _ = events.send(Event::Started(start, outcome)).await;
        });
    }

    fn started(&mut self, start: Start, outcome: Result<Running, SpawnError>) {
        self.starting -= 1;
        let Start { number, pane, generation } = start;
        let Running { tracks, program, note } = match outcome {
            Ok(running) => running,
            Err(error) => return self.tell(Tell::Failed { number, reason: error.reason }, None),
        };
        let pid = program.pid().as_raw_nonzero().get();
        let held = Held::new(pane, generation, pid, tracks.clone());
        let killed = held.killed.clone();
        if self.ending.is_some() {
            killed.notify_one();
        }
        let terminal = self.keeper.add(held);
        // The gateway that asked may be gone; the next one is told of it with the others.
        self.tell(Tell::Spawned { number, terminal, pid, note }, Some(tracks.clone()));
        let (events, reads) = (self.events_tx.clone(), self.reads.subscribe());
        let ended = async move |exit| _ = events.send(Event::Ended(terminal, exit)).await;
        self.running.spawn(see_to(program, tracks, killed, reads, ended));
    }

    /// The gateway is gone: from here on its part is done here.
    fn go_on_alone(&mut self) {
        tracing::info!("the gateway is gone; {} terminals live on", self.keeper.len());
        self.gateway = None;
        for (_, held) in self.keeper.iter() {
            held.tracks.tape.recover();
        }
        self.keeper.orphaned(Instant::now());
        self.reads.send_replace(Reads::Host(self.when_full));
    }

    /// Ends all programs, and with them the host.
    fn end(&mut self, caller: Option<Socket>) {
        let begin = || Ending { callers: Vec::new(), until: Instant::now() + ENDS_WITHIN };
        let ending = self.ending.get_or_insert_with(begin);
        if ending.callers.len() < MAX_CALLERS {
            ending.callers.extend(caller);
        }
        self.keeper.kill_all();
    }
}

async fn send_letters(gateway: Arc<Socket>, mut letters: mpsc::UnboundedReceiver<Letter>) {
    while let Some((tell, tracks)) = letters.recv().await {
        let descriptors = tracks.as_ref().map(|tracks| [tracks.master.as_fd(), tracks.tape_fd.as_fd()]);
        if let Err(error) = gateway.send(&tell, descriptors.as_ref().map_or(&[], |both| both)).await {
            // That it is gone is heard, if it is.
            tracing::warn!("the gateway was not told: {error}");
        }
    }
}

async fn hear(gateway: Arc<Socket>, events: mpsc::Sender<Event>) {
    loop {
        let event = match gateway.receive().await {
            Ok(Some(received)) => Event::Asked(received.message),
            // It still reads its terminals, so it is not given up.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                tracing::warn!("the gateway was not understood: {error}");
                continue;
            }
            Ok(None) | Err(_) => break,
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
    let _ = events.send(Event::Gone).await;
}
