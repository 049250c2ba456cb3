//! Keeps a conversation with a gateway going, through any number of sockets: dials, moves what is said, pings, dials
//! again. What is said is the conversation's affair.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, Uri};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::backoff::Backoff;
use super::conversation::{Conversation, Saying, Viewport};
use super::dialling::{DialError, Socket, dial_mux};
use super::event::{Closed, Event, Status};
use super::line::Line;
use super::mirror::Mirror;
use super::outbox::{Full, HELD_BYTES};
use super::requests::{Made, RequestError};
use super::trouble;
use super::watches::Watching;
use crate::geometry::Size;
use crate::ids::PaneId;
use crate::protocol::CloseCode;
use crate::protocol::client::{ClientMessage, TerminalLend};

/// How long a gateway may take to answer when it is dialled.
const DIAL_WITHIN: Duration = Duration::from_secs(10);

/// How long it may take to say how things stand, on the first connection.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// After how long without a word from the gateway it is asked for one; after as much again it is gone. It pings every
/// 15 s by itself.
const SILENT_AFTER: Duration = Duration::from_secs(18);

/// The waits between tries to connect.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// How long a goodbye may take.
const FAREWELL_WITHIN: Duration = Duration::from_millis(500);

/// Where to, as whom, and with how much room.
#[derive(Debug, Clone)]
pub struct Options {
    /// The gateway's `/mux`: `ws` or `wss`.
    pub address: Uri,
    /// The `Authorization` header, if the gateway wants one.
    pub token: Option<HeaderValue>,
    /// How much room the owner has.
    pub viewport: Viewport,
}

/// A lasting connection to a gateway. Clones share it; when the last is dropped, it ends.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
    _guard: Arc<DropGuard>,
}

#[derive(Debug)]
struct Shared {
    /// One lock, never held across an await.
    conversation: Mutex<Conversation>,
    /// There is something to send.
    outgoing: Notify,
    /// There is something to hear.
    incoming: Notify,
    /// Input was dealt with, or the connection changed.
    progress: Notify,
    /// The connection is of no use.
    hang_up: Notify,
    leave: CancellationToken,
}

/// How a connection ended.
enum Ended {
    /// It broke; another may come about.
    Lost(String),
    /// There is no use in another.
    ForGood(Closed),
}

impl Client {
    /// Connects, and waits until the layout is known. From then on a connection that breaks is replaced.
    ///
    /// # Errors
    /// When the first connection does not come about.
    pub async fn open(options: Options) -> Result<Client, DialError> {
        let name = name()?;
        let socket = dial_mux(&options.address, options.token.as_ref(), DIAL_WITHIN).await?;
        let shared = Arc::new(Shared {
            conversation: Mutex::new(Conversation::new(name, options.viewport, Instant::now())),
            outgoing: Notify::new(),
            incoming: Notify::new(),
            progress: Notify::new(),
            hang_up: Notify::new(),
            leave: CancellationToken::new(),
        });
        let guard = Arc::new(shared.leave.clone().drop_guard());
        let client = Client { shared: shared.clone(), _guard: guard };
        tokio::spawn(keep_connected(shared, options, socket));
        let settled = |conversation: &mut Conversation| match &conversation.status {
            Status::Connected => Some(Ok(())),
            Status::Closed(Closed::Unauthorized) => Some(Err(DialError::Unauthorized)),
            Status::Closed(closed) => Some(Err(DialError::Unreachable(closed.to_string()))),
            Status::Reconnecting { .. } => None,
        };
        timeout(READY_WITHIN, client.until(settled)).await.map_err(|_| DialError::Silent)??;
        Ok(client)
    }

    /// The next event. May be dropped and asked for again.
    pub async fn next(&self) -> Event {
        loop {
            if let Some(event) = self.lock().events.next() {
                return event;
            }
            self.shared.incoming.notified().await;
        }
    }

    /// The layout as it is known now; the one before a break is shown until the gateway tells it anew.
    #[must_use]
    pub fn layout(&self) -> Arc<Mirror> {
        self.lock().layout()
    }

    /// How the connection is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.lock().status.clone()
    }

    /// How many bytes of input are held: typed, and not known to have arrived.
    #[must_use]
    pub fn held(&self) -> usize {
        self.lock().held()
    }

    /// Watches a pane from now on, whatever becomes of the connection: a screen comes, then its output. A pane that is
    /// watched already is watched anew.
    pub fn watch(&self, pane: PaneId, how: Watching) {
        self.tell(|conversation| conversation.watch(pane, how));
    }

    /// Ends a watch.
    pub fn unwatch(&self, pane: PaneId) {
        self.tell(|conversation| conversation.unwatch(pane));
    }

    /// The owner's terminal has taken in a pane's output up to an offset. Who does not say so is sent no more.
    pub fn consumed(&self, pane: PaneId, offset: u64) {
        self.tell(|conversation| conversation.consumed(pane, offset));
    }

    /// Types into a pane, also while there is no connection: it arrives once and in order, or a [`Event::Lost`] tells.
    ///
    /// # Errors
    /// When too much is held already; nothing was taken then.
    pub fn input(&self, pane: PaneId, bytes: &[u8]) -> Result<(), Full> {
        self.tell(|conversation| conversation.input(pane, bytes, false))
    }

    /// A part of a paste; `more`: it goes on with what is typed into the pane next. What others type waits for its end.
    ///
    /// # Errors
    /// When too much is held already; nothing was taken then.
    pub fn paste(&self, pane: PaneId, bytes: &[u8], more: bool) -> Result<(), Full> {
        self.tell(|conversation| conversation.input(pane, bytes, more))
    }

    /// What the owner's terminal sent by itself: focus, mouse. Wakes nobody, and is dropped without a connection.
    pub fn report(&self, pane: PaneId, bytes: &[u8]) {
        self.tell(|conversation| conversation.report(pane, bytes));
    }

    /// The whole viewport is this large.
    pub fn resize(&self, size: Size) {
        self.tell(|conversation| conversation.resize(size));
    }

    /// A pane is shown this large.
    pub fn resize_pane(&self, pane: PaneId, size: Size) {
        self.tell(|conversation| conversation.resize_pane(pane, size));
    }

    /// Says something of which only a refusal is of interest, as [`Event::Refused`]. Without a connection it is not said.
    pub fn send(&self, message: ClientMessage) {
        self.tell(|conversation| conversation.send(message));
    }

    /// Offers the gateway the terminal that is this process's standard input and output, so that keys and their echoes go through no other process: whether that can be. Nothing is to be read or written
    /// there until [`Event::Returned`], but for output that comes before [`Event::Lent`]. What is typed with a
    /// stop in it comes back.
    pub fn lend(&self, lend: TerminalLend) -> bool {
        self.tell(|conversation| conversation.lend(lend))
    }

    /// Asks for the terminal back: see [`Event::Returned`].
    pub fn take_back(&self) {
        self.tell(Conversation::take_back);
    }

    /// Gives up the connection, and connects anew.
    pub fn hang_up(&self) {
        self.shared.hang_up.notify_waiters();
    }

    /// Asks for something, and waits for the answer.
    ///
    /// # Errors
    /// When it was refused, or nobody can tell.
    pub async fn request(&self, message: ClientMessage) -> Result<Made, RequestError> {
        let (answer, answer_rx) = oneshot::channel();
        self.tell(|conversation| conversation.request(&message, answer));
        answer_rx.await.unwrap_or(Err(RequestError::Disconnected))
    }

    /// Waits until all input was dealt with, or nothing will be any more.
    pub async fn all_sent(&self) {
        let is_over = |conversation: &Conversation| matches!(conversation.status, Status::Closed(_));
        self.until(|conversation| (conversation.is_all_sent() || is_over(conversation)).then_some(())).await;
    }

    /// Waits until there is much room for input.
    pub async fn has_room(&self) {
        self.until(|conversation| (conversation.held() <= HELD_BYTES / 2).then_some(())).await;
    }

    /// Says goodbye, and ends.
    pub async fn close(&self) {
        self.shared.leave.cancel();
        let closed =
            |conversation: &mut Conversation| matches!(conversation.status, Status::Closed(_)).then_some(());
        // Whoever is gone does not hear it.
        let _ = timeout(2 * FAREWELL_WITHIN, self.until(closed)).await;
    }

    fn lock(&self) -> MutexGuard<'_, Conversation> {
        self.shared.lock()
    }

    fn tell<T>(&self, tell: impl FnOnce(&mut Conversation) -> T) -> T {
        let told = tell(&mut self.lock());
        self.shared.outgoing.notify_one();
        self.shared.incoming.notify_one();
        told
    }

    async fn until<T>(&self, mut wanted: impl FnMut(&mut Conversation) -> Option<T>) -> T {
        loop {
            let changed = self.shared.progress.notified();
            tokio::pin!(changed);
            // What happens between the look and the wait must not be missed.
            changed.as_mut().enable();
            let found = wanted(&mut self.lock());
            if let Some(found) = found {
                return found;
            }
            changed.await;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Conversation> {
        self.conversation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something came in, or the connection changed.
    fn changed<T>(&self, change: impl FnOnce(&mut Conversation) -> T) -> T {
        let outcome = change(&mut self.lock());
        self.outgoing.notify_one();
        self.incoming.notify_one();
        self.progress.notify_waiters();
        outcome
    }

    fn set_status(&self, status: Status) {
        self.changed(|conversation| conversation.set_status(status));
    }
}

/// Connects again and again, until there is no use in it.
async fn keep_connected(shared: Arc<Shared>, options: Options, socket: Socket) {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    let mut socket = Some(socket);
    let (mut since, mut attempt) = (Instant::now(), 0);
    loop {
        let begun = Instant::now();
        let (ended, lasted) = match connect(&shared, &options, socket.take()).await {
            Ok(socket) => (carry(&shared, socket).await, Some(begun.elapsed())),
            Err(ended) => (ended, None),
        };
        let was_up = shared.changed(|conversation| {
            let was_up = conversation.is_ready();
            conversation.closed();
            was_up
        });
        let reason = match ended {
            Ended::ForGood(closed) => return shared.set_status(Status::Closed(closed)),
            Ended::Lost(reason) => reason,
        };
        if was_up {
            (since, attempt) = (Instant::now(), 0);
        }
        attempt += 1;
        let wait = backoff.after(lasted, chance());
        let until = Some(Instant::now() + wait);
        shared.set_status(Status::Reconnecting { since, attempt, until, reason: reason.clone() });
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shared.leave.cancelled() => return shared.set_status(Status::Closed(Closed::Left)),
        }
        shared.set_status(Status::Reconnecting { since, attempt, until: None, reason });
    }
}

/// A socket: the one there is, or a new one.
async fn connect(shared: &Shared, options: &Options, socket: Option<Socket>) -> Result<Socket, Ended> {
    if let Some(socket) = socket {
        return Ok(socket);
    }
    tokio::select! {
        socket = dial_mux(&options.address, options.token.as_ref(), DIAL_WITHIN) => socket.map_err(undialled),
        () = shared.leave.cancelled() => Err(Ended::ForGood(Closed::Left)),
    }
}

fn undialled(error: DialError) -> Ended {
    match error {
        DialError::Unauthorized => Ended::ForGood(Closed::Unauthorized),
        DialError::Refused(status) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            Ended::ForGood(Closed::Refused(error.to_string()))
        }
        error => Ended::Lost(error.to_string()),
    }
}

/// Reads and writes side by side, so that neither holds the other up.
async fn carry(shared: &Shared, socket: Socket) -> Ended {
    let is_near = matches!(socket.get_ref(), MaybeTlsStream::Plain(Line::Near(_)));
    shared.changed(|conversation| conversation.opened(is_near));
    let (mut sink, stream) = socket.split();
    let ended = tokio::select! {
        ended = read(shared, stream) => ended,
        ended = write(shared, &mut sink) => ended,
        () = shared.hang_up.notified() => Ended::Lost("it does not answer".to_owned()),
        () = shared.leave.cancelled() => Ended::ForGood(Closed::Left),
    };
    if matches!(ended, Ended::ForGood(Closed::Left)) {
        let goodbye = CloseFrame { code: 1000.into(), reason: "".into() };
        // Whoever is gone does not hear it.
        let _ = timeout(FAREWELL_WITHIN, sink.send(Message::Close(Some(goodbye)))).await;
    }
    ended
}

async fn read(shared: &Shared, mut stream: SplitStream<Socket>) -> Ended {
    let mut is_asked = false;
    loop {
        let message = match timeout(SILENT_AFTER, stream.next()).await {
            Err(_) if is_asked => return Ended::Lost("it fell silent".to_owned()),
            Err(_) => {
                is_asked = true;
                shared.changed(Conversation::ping);
                continue;
            }
            Ok(None) => return Ended::Lost("it closed the connection".to_owned()),
            Ok(Some(Err(error))) => return Ended::Lost(trouble::of_breaking(&error)),
            Ok(Some(Ok(message))) => message,
        };
        is_asked = false;
        match message {
            Message::Text(text) => {
                // A newer gateway may say what we do not know.
                if let Ok(message) = serde_json::from_str(&text) {
                    shared.changed(|conversation| conversation.hear(message, Instant::now()));
                }
            }
            Message::Binary(frame) => {
                if !shared.changed(|conversation| conversation.hear_frame(frame)) {
                    return Ended::Lost("it sent more than was asked for".to_owned());
                }
            }
            Message::Close(close) => return closed(close),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}

async fn write(shared: &Shared, sink: &mut SplitSink<Socket, Message>) -> Ended {
    loop {
        let mut sent = Ok(());
        // The lock is let go of before anything is waited for.
        while let Some(saying) = next_saying(shared) {
            sent = sink
                .feed(match saying {
                    Saying::Text(text) => Message::text(text),
                    Saying::Frame(frame) => Message::Binary(frame),
                })
                .await;
            if sent.is_err() {
                break;
            }
        }
        if sent.is_ok() {
            sent = sink.flush().await;
        }
        if let Err(error) = sent {
            return Ended::Lost(trouble::of_breaking(&error));
        }
        let wakes_at = shared.lock().wakes_at(Instant::now());
        tokio::select! {
            () = shared.outgoing.notified() => {}
            () = until(wakes_at) => {}
        }
    }
}

fn next_saying(shared: &Shared) -> Option<Saying> {
    shared.lock().next_saying(Instant::now())
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

fn closed(close: Option<CloseFrame>) -> Ended {
    let Some(CloseFrame { code, reason }) = close else {
        return Ended::Lost("it closed the connection".to_owned());
    };
    let code = u16::from(code);
    let said = format!("it closed the connection with {code}: {}", reason.escape_debug());
    match code {
        _ if code == CloseCode::Superseded as u16 => Ended::ForGood(Closed::Superseded),
        _ if code == CloseCode::Dismissed as u16 => Ended::ForGood(Closed::Dismissed),
        // We are not understood, and would not be the next time.
        _ if code == CloseCode::PolicyViolation as u16 || code == TOO_LARGE => {
            Ended::ForGood(Closed::Refused(said))
        }
        _ if code == CloseCode::GoingAway as u16 => Ended::Lost("it shuts down".to_owned()),
        _ => Ended::Lost(said),
    }
}

/// The code for a message that was far too large.
const TOO_LARGE: u16 = 1009;

/// A name that nobody can guess.
fn name() -> Result<String, DialError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| DialError::Unreachable(format!("no randomness: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A number in 0..1, for spreading retries.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness retries are merely not spread.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
