//! A viewer's own terminal, lent to the gateway: keys are read and echoes are written right there, and the process that
//! the terminal belongs to is on neither way. It hears of all output as ever, as it keeps the picture, and whatever is not
//! plainly a key or its echo is left to it: then it has its terminal again.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rustix::fs::{Dev, Mode, OFlags, major, minor, open, stat};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::Pid;
use rustix::termios::{ControlModes, InputModes, LocalModes, OutputModes, tcgetattr};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;

use super::refusal::{Made, Refusal};
use super::viewer::Viewer;
use crate::host::watch;
use crate::ids::PaneId;
use crate::protocol::client::TerminalLend;
use crate::protocol::frame::{Channel, OUTPUT_HEADER, OutputKind, output_frame};
use crate::protocol::server::ServerMessage;

/// How much is read at once, in bytes. Who types so much at once pastes, and that is for the client.
const MAX_KEYS: usize = 256;

/// The most output that is written to a terminal at once, in bytes; more is for the client, whose terminal may be slow.
const MAX_DRAWN: usize = 4 << 10;

/// How many stops there may be, and how long each, in bytes.
const MAX_STOPS: usize = 16;
const MAX_STOP_BYTES: usize = 32;

/// The major numbers of PTYs. Other terminals may let a writer wait though it asks not to.
const PTYS: RangeInclusive<u32> = 136..=143;

/// For how long a process that was seen to have its terminal is taken to have it, while the terminal's settings are as
/// they were: a shell that takes it back sets its own. To ask the system costs as much as all else about a key.
const SEEN_FOR: Duration = Duration::from_millis(20);

/// How much of what the system says of a process is looked at, in bytes.
const STATUS_BYTES: usize = 256;

/// Why a terminal can't be lent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("only the terminal of a client on the gateway's machine can be lent")]
    Far,
    #[error("at most {MAX_STOPS} stops of at most {MAX_STOP_BYTES} bytes, none of them empty")]
    Stops,
    #[error("{0} is not watched, or not with acknowledgements")]
    Unwatched(PaneId),
    #[error("standard input is not the terminal of its process that was named")]
    NoTerminal,
    #[error("its process is stopped, or in the background")]
    Behind,
    #[error("the terminal can't be opened: {0}")]
    Closed(io::Error),
}

impl Unfit {
    /// Whether it may be otherwise later.
    fn may_pass(&self) -> bool {
        match self {
            Unfit::Far | Unfit::Stops | Unfit::NoTerminal => false,
            Unfit::Unwatched(_) | Unfit::Behind | Unfit::Closed(_) => true,
        }
    }
}

impl From<Errno> for Unfit {
    fn from(error: Errno) -> Unfit {
        Unfit::Closed(error.into())
    }
}

/// The process that a terminal belongs to.
#[derive(Debug)]
struct Holder {
    /// What the system says of it.
    status: File,
    /// When that was good.
    seen: Mutex<Option<Instant>>,
}

impl Holder {
    fn of(process: Pid) -> io::Result<Holder> {
        let status = File::open(format!("/proc/{}/stat", process.as_raw_nonzero()))?;
        Ok(Holder { status, seen: Mutex::new(None) })
    }

    fn status(&self) -> Option<Status> {
        let mut text = [0; STATUS_BYTES];
        // A process that is gone says nothing.
        let length = self.status.read_at(&mut text, 0).unwrap_or(0);
        Status::parse(&text[..length])
    }

    /// Whether it has `terminal` to itself: a shell that stopped it, or put it in the background, reads keys of its own.
    fn is_in_front(&self, terminal: Dev) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if seen.is_some_and(|seen| now - seen < SEEN_FOR) {
            return true;
        }
        let is_in_front = self.status().is_some_and(|status| status.is_in_front(terminal));
        *seen = is_in_front.then_some(now);
        is_in_front
    }
}

/// What the system says of a process: the fields of `/proc/PID/stat` that are wanted here; see proc(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Status {
    /// Whether it was not stopped, and has not ended.
    runs: bool,
    /// Its process group, and the one in the foreground of its terminal.
    groups: (i32, i32),
    /// Its terminal, as a major and a minor number.
    terminal: (u32, u32),
}

impl Status {
    fn parse(text: &[u8]) -> Option<Status> {
        // The name before them may hold anything.
        let end = text.iter().rposition(|byte| *byte == b')')?;
        let fields = String::from_utf8_lossy(&text[end + 1..]);
        let mut fields = fields.split_ascii_whitespace();
        let (state, _parent, group) = (fields.next()?, fields.next()?, fields.next()?.parse().ok()?);
        let (_session, terminal, foreground) = (fields.next()?, fields.next()?, fields.next()?);
        let terminal: u32 = terminal.parse().ok()?;
        Some(Status {
            runs: !matches!(state, "T" | "t" | "X" | "Z"),
            groups: (group, foreground.parse().ok()?),
            terminal: ((terminal >> 8) & 0xfff, (terminal & 0xff) | ((terminal >> 12) & 0xf_ff00)),
        })
    }

    fn has(&self, terminal: Dev) -> bool {
        self.terminal == (major(terminal), minor(terminal))
    }

    fn is_in_front(&self, terminal: Dev) -> bool {
        let (group, foreground) = self.groups;
        // Groups that are not of our process namespace are all 0.
        self.runs && self.has(terminal) && group == foreground && group > 0
    }
}

/// The settings of a terminal by which those who use it differ.
type Modes = (InputModes, OutputModes, ControlModes, LocalModes);

fn modes(terminal: &OwnedFd) -> Result<Modes, Errno> {
    let settings = tcgetattr(terminal)?;
    Ok((settings.input_modes, settings.output_modes, settings.control_modes, settings.local_modes))
}

/// A terminal that is lent, or is to be.
#[derive(Debug)]
pub struct Loan {
    terminal: AsyncFd<OwnedFd>,
    /// Its settings when it was lent.
    settings: Modes,
    device: Dev,
    holder: Holder,
    /// What the client said of it.
    lend: TerminalLend,
    channel: Channel,
}

impl Loan {
    /// Opens the terminal that is the standard input of `process`. Needs a runtime around it.
    fn open(process: Pid, lend: TerminalLend, channel: Channel) -> Result<Loan, Unfit> {
        let is_fit = |stop: &String| (1..=MAX_STOP_BYTES).contains(&stop.len());
        if lend.stops.len() > MAX_STOPS || !lend.stops.iter().all(is_fit) {
            return Err(Unfit::Stops);
        }
        let holder = Holder::of(process).map_err(Unfit::Closed)?;
        let path = format!("/proc/{}/fd/0", process.as_raw_nonzero());
        // Nothing else is opened, as that might wait, or do something.
        let device = stat(path.as_str())?.st_rdev;
        let status = holder.status().ok_or(Unfit::Behind)?;
        if device != lend.device || !PTYS.contains(&major(device)) || !status.has(device) {
            return Err(Unfit::NoTerminal);
        }
        if !status.is_in_front(device) {
            return Err(Unfit::Behind);
        }
        // Opened anew, so that what is set here is nobody else's; and none of ours.
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = open(path.as_str(), flags, Mode::empty())?;
        let settings = modes(&terminal)?;
        let terminal = watch(terminal, Interest::READABLE).map_err(Unfit::Closed)?;
        Ok(Loan { terminal, settings, device, holder, lend, channel })
    }

    /// Whether nobody but its process has the terminal.
    fn is_ours(&self) -> bool {
        modes(self.terminal.get_ref()) == Ok(self.settings) && self.holder.is_in_front(self.device)
    }

    /// What was typed, as far as there is room for it in `buffer`; none if nothing was, or it is not for us.
    fn read<'a>(&self, buffer: &'a mut [u8]) -> Result<&'a [u8], Errno> {
        if !self.is_ours() {
            return Err(Errno::IO);
        }
        match retry_on_intr(|| rustix::io::read(&self.terminal, &mut *buffer)) {
            // Whoever hung up.
            Ok(0) => Err(Errno::IO),
            Ok(count) => Ok(&buffer[..count]),
            Err(Errno::AGAIN) => Ok(&[]),
            Err(error) => Err(error),
        }
    }

    /// Writes to the terminal: how many bytes of `output` it took.
    fn write(&self, output: &[u8]) -> usize {
        if !self.is_ours() {
            return 0;
        }
        let mut done = 0;
        while done < output.len() {
            match retry_on_intr(|| rustix::io::write(&self.terminal, &output[done..])) {
                Ok(count) if count > 0 => done += count,
                Ok(_) | Err(_) => break,
            }
        }
        done
    }
}

/// Where a viewer's terminal is.
#[derive(Debug, Default)]
enum Place {
    /// With its client.
    #[default]
    Home,
    /// There as well; we were asked to take it.
    Offered(Arc<Loan>),
    /// With us.
    Lent(Arc<Loan>),
    /// With us until the client is told otherwise. These keys were read and are for the client.
    Returning(Arc<Loan>, Vec<u8>),
}

#[derive(Debug, Default)]
struct State {
    place: Place,
    /// The last byte of this loan that was passed on to the pane.
    passed: Option<u8>,
    /// Why an offer was turned down.
    turned_down: Option<Unfit>,
}

/// The loan of one viewer's terminal. What the client is told of it and what is written there is up to the viewer's
/// writer alone, so that the client knows of each byte of output whether it is there: up to [`ServerMessage::TerminalLent`]
/// none of it, from then on all, and after [`ServerMessage::TerminalReturned`] none.
#[derive(Debug, Default)]
pub(super) struct Loans {
    /// The client's process, if it is on this machine.
    process: OnceLock<Pid>,
    /// Under it nobody is asked but the viewer, what it was sent.
    state: Mutex<State>,
    /// Set off when the place changed; for who reads.
    moved: Notify,
}

impl Loans {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The terminal is to go home.
    fn end(&self, keys: &[u8]) {
        let mut state = self.lock();
        state.place = match std::mem::take(&mut state.place) {
            Place::Home => Place::Home,
            Place::Offered(loan) | Place::Lent(loan) => Place::Returning(loan, keys.to_vec()),
            returning @ Place::Returning(..) => returning,
        };
        self.moved.notify_one();
    }

    /// The loan in which keys are read, if there is one.
    fn reading(&self) -> Option<Arc<Loan>> {
        match &self.lock().place {
            Place::Lent(loan) => Some(loan.clone()),
            Place::Home | Place::Offered(_) | Place::Returning(..) => None,
        }
    }

    /// What the client is to be told now, if anything is. `has_all`: whether it was sent all output of the pane up to an
    /// offset, and none after it.
    fn word(&self, has_all: impl FnOnce(PaneId, u64) -> bool) -> Option<ServerMessage> {
        let mut state = self.lock();
        if let Some(unfit) = state.turned_down.take() {
            let refused = (!unfit.may_pass()).then(|| unfit.to_string());
            return Some(ServerMessage::TerminalReturned { keys: String::new(), passed: None, refused });
        }
        let (place, word) = match std::mem::take(&mut state.place) {
            Place::Home => return None,
            Place::Lent(loan) => {
                state.place = Place::Lent(loan);
                return None;
            }
            Place::Offered(loan) if has_all(loan.lend.pane_id, loan.lend.offset) => {
                state.passed = None;
                (Place::Lent(loan), ServerMessage::TerminalLent)
            }
            Place::Offered(_) => (Place::Home, returned(&[], None)),
            Place::Returning(_, keys) => (Place::Home, returned(&keys, state.passed.take())),
        };
        state.place = place;
        self.moved.notify_one();
        Some(word)
    }

    /// Puts an output frame on the terminal, if that is lent for its pane and the frame is no more than an echo. Returns
    /// the frame up to where it is there, and from there on.
    fn draw(&self, frame: Bytes) -> (Option<Bytes>, Option<Bytes>) {
        let loan = match &self.lock().place {
            Place::Lent(loan) | Place::Returning(loan, _) => loan.clone(),
            Place::Home | Place::Offered(_) => return (None, Some(frame)),
        };
        let Some((header, payload)) = frame.split_first_chunk::<OUTPUT_HEADER>() else {
            return (None, Some(frame));
        };
        let [kind, offset @ .., c3, c2, c1, c0] = *header;
        let (offset, channel) = (u64::from_be_bytes(offset), Channel(u32::from_be_bytes([c3, c2, c1, c0])));
        if channel != loan.channel {
            return (None, Some(frame));
        }
        let is_echo = kind == OutputKind::Output as u8 && payload.len() <= MAX_DRAWN;
        let drawn = if is_echo { loan.write(payload) } else { 0 };
        if drawn == payload.len() && is_echo {
            return (Some(frame), None);
        }
        self.end(&[]);
        if drawn == 0 {
            return (None, Some(frame));
        }
        let part = |offset, payload| Some(output_frame(OutputKind::Output, offset, channel, &[payload]));
        (part(offset, &payload[..drawn]), part(offset + drawn as u64, &payload[drawn..]))
    }
}

fn returned(keys: &[u8], passed: Option<u8>) -> ServerMessage {
    ServerMessage::TerminalReturned { keys: STANDARD.encode(keys), passed, refused: None }
}

impl Viewer {
    /// Its client is this process of our machine, and of our user.
    pub fn is_process(&self, process: Pid) {
        let _ = self.loans.process.set(process);
    }

    /// The client offers its terminal; the answer is up to the writer.
    pub(super) fn offer_terminal(&self, lend: TerminalLend) -> Result<Made, Refusal> {
        let channel = self.channel_of(lend.pane_id).ok_or(Unfit::Unwatched(lend.pane_id));
        let process = self.loans.process.get().copied().ok_or(Unfit::Far);
        let opened = channel.and_then(|channel| Loan::open(process?, lend, channel));
        let mut state = self.loans.lock();
        if !matches!(state.place, Place::Home) || state.turned_down.is_some() {
            return Err(Refusal::TerminalLent);
        }
        match opened {
            Ok(loan) => state.place = Place::Offered(Arc::new(loan)),
            Err(unfit) => {
                tracing::debug!(viewer = %self.id, "a terminal is not taken: {unfit}");
                state.turned_down = Some(unfit);
            }
        }
        drop(state);
        self.wake();
        Ok(Made::default())
    }

    /// The client wants its terminal back.
    pub(super) fn return_terminal(&self) {
        self.loans.end(&[]);
        self.wake();
    }

    /// Resolves when something was typed into the viewer's terminal while that is lent. May be dropped and asked for
    /// again.
    pub async fn typed(&self) -> Arc<Loan> {
        loop {
            let moved = self.loans.moved.notified();
            let Some(loan) = self.loans.reading() else {
                moved.await;
                continue;
            };
            tokio::select! {
                biased;
                () = moved => {}
                ready = loan.terminal.readable() => {
                    // What comes after a read tells of itself.
                    if let Ok(mut ready) = ready {
                        ready.clear_ready();
                    }
                    return loan;
                }
            }
        }
    }

    /// What the client is to be told of its terminal before it is sent more, if anything.
    #[must_use]
    pub fn word_of_terminal(&self) -> Option<ServerMessage> {
        self.loans.word(|pane, offset| self.was_sent(pane, offset))
    }

    /// Puts an output frame on the viewer's terminal, if that is lent and the frame is an echo: the frame up to where it is
    /// there, and from there on.
    #[must_use]
    pub fn draw(&self, frame: Bytes) -> (Option<Bytes>, Option<Bytes>) {
        self.loans.draw(frame)
    }
}

impl super::Attached {
    /// Passes on what was typed into a terminal that is lent; what is not plainly for the pane goes back with the
    /// terminal.
    pub fn pass_on_typed(&self, loan: &Loan) {
        let mut buffer = [0; MAX_KEYS];
        let loans = &self.viewer.loans;
        match loan.read(&mut buffer) {
            Ok([]) => {}
            Ok(keys) => {
                let is_plain = keys.len() < MAX_KEYS && !loan.lend.is_stopped(keys);
                if is_plain && self.type_at_once(loan.channel, keys) {
                    loans.lock().passed = keys.last().copied();
                } else {
                    loans.end(keys);
                    self.viewer.wake();
                }
            }
            Err(_) => {
                loans.end(&[]);
                self.viewer.wake();
            }
        }
    }
}
