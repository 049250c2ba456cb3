//! Moves what happens between our terminal, the desk and the gateway, and draws.

use std::io;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::desk::{Desk, Effect, Leaving, Settings};
use super::outer::{LEAVE, Outer, clipboard};
use super::stdin::Splitter;
use crate::cli::attach::stdio::{self, Output};
use crate::cli::attach::terminal::{Raw, size};
use crate::cli::signals::Signals;
use crate::client::outbox::HELD_BYTES;
use crate::client::watches::Watching;
use crate::client::{Client, Event, RequestError, Status};
use crate::clock::Moment;
use crate::ids::PaneId;
use crate::protocol::client::ClientMessage;

/// The time between two pictures, at least. The first after a pause is drawn at once.
const FRAME_TIME: Duration = Duration::from_millis(16);

/// How long a picture waits for panes that are on their way, or that say themselves that they are not complete.
const COMPLETE_WITHIN: Duration = Duration::from_millis(60);

/// After how long an escape byte that nothing follows is the key.
const ESCAPE_TIME: Duration = Duration::from_millis(20);

/// How often a picture is drawn that shows times.
const CLOCK_TIME: Duration = Duration::from_secs(1);

/// How long what was typed last may take to get to the gateway when we leave, and our terminal to take what is drawn.
const SENT_WITHIN: Duration = Duration::from_secs(1);

/// An answer to what was asked.
type Answer = Result<Option<PaneId>, String>;

/// Everything that goes on while the layout is shown.
struct Show {
    client: Client,
    desk: Desk,
    splitter: Splitter,
    outer: Outer,
    /// For our terminal's clipboard, with the next picture.
    clipboard: Vec<u8>,
    /// Something changed since the last picture, at this time first.
    dirty: Option<Instant>,
    /// When the last picture was written that differed from the one before: an echo must not wait for the key's own
    /// picture, in which nothing is new.
    drawn_at: Option<Instant>,
    /// When a picture was made, whether or not it differed.
    looked_at: Option<Instant>,
    escape_at: Option<Instant>,
    asked: JoinSet<Answer>,
}

/// Shows the layout until somebody leaves, or it can't go on. `first` is said at the start.
///
/// # Errors
/// When there is no terminal.
pub(super) async fn show(
    client: Client,
    settings: Settings,
    first: Option<ClientMessage>,
) -> io::Result<Leaving> {
    let mut signals = Signals::listen()?;
    let mut resized = signal(SignalKind::window_change())?;
    let raw = Raw::take(io::stdin())?;
    let (outer, enter) = Outer::enter();
    let (mut typed, mut output) = (stdio::Input::new(), Output::new());
    output.write(enter.to_vec());
    output.idle().await?;
    let desk = Desk::new(settings, size(io::stdout()));
    let asked = JoinSet::new();
    let mut show = Show {
        client,
        desk,
        splitter: Splitter::default(),
        outer,
        clipboard: Vec::new(),
        dirty: None,
        drawn_at: None,
        looked_at: None,
        escape_at: None,
        asked,
    };
    let mut leaving = show.begin(first);
    while leaving.is_none() {
        // While a slow terminal takes a picture, no other is drawn.
        if output.is_idle() && show.is_due(Instant::now()) {
            output.write(show.draw());
        }
        let (is_idle, wakes_at) = (output.is_idle(), show.wakes_at(output.is_idle()));
        let held_up = show.client.held() > HELD_BYTES / 2 && show.client.status() == Status::Connected;
        leaving = tokio::select! {
            event = show.client.next() => show.hear_all(event),
            read = typed.recv(), if !held_up => match read {
                Some(read) => show.read(&read),
                // Our terminal is gone.
                None => Some(Leaving::Detached),
            },
            Some(answer) = show.asked.join_next() => show.answer(answer.unwrap_or(Ok(None))),
            _ = resized.recv() => show.resize(),
            signal = signals.first() => Some(Leaving::Signal(signal)),
            // Our terminal is gone.
            written = output.idle(), if !is_idle => written.is_err().then_some(Leaving::Detached),
            () = show.client.has_room(), if held_up => None,
            () = sleep(wakes_at) => show.tick(),
        };
    }
    if leaving == Some(Leaving::Detached) {
        // What can't be sent in time is lost, as with any terminal that is closed.
        let _ = timeout(SENT_WITHIN, show.client.all_sent()).await;
    }
    let last_words = async {
        // Half a picture must not be cut in two by what follows.
        output.idle().await?;
        output.write(LEAVE.to_vec());
        output.idle().await
    };
    // A terminal that is gone, or takes nothing, is not waited for.
    let _ = timeout(SENT_WITHIN, last_words).await;
    drop(raw);
    show.client.close().await;
    Ok(leaving.unwrap_or(Leaving::Detached))
}

impl Show {
    fn begin(&mut self, first: Option<ClientMessage>) -> Option<Leaving> {
        let now = Instant::now();
        self.client.resize(Desk::viewport(size(io::stdout())));
        first.into_iter().for_each(|message| self.client.send(message));
        let effects = self.desk.layout(self.client.layout(), now);
        self.carry_out(effects)
    }

    // What happens.

    /// An event and those that came with it.
    fn hear_all(&mut self, event: Event) -> Option<Leaving> {
        let mut event = Some(event);
        while let Some(next) = event {
            if let Some(leaving) = self.hear(next) {
                return Some(leaving);
            }
            event = self.client.next().now_or_never();
        }
        None
    }

    fn hear(&mut self, event: Event) -> Option<Leaving> {
        let now = Instant::now();
        self.changed(now);
        let effects = match event {
            Event::Status(status) => self.desk.status(status),
            Event::Layout => self.desk.layout(self.client.layout(), now),
            Event::Output { pane, offset, bytes } => {
                self.desk.output(pane, &bytes);
                self.client.consumed(pane, offset + bytes.len() as u64);
                Vec::new()
            }
            Event::Restart { pane, offset, size, bytes } => {
                self.desk.restart(pane, size, &bytes);
                self.client.consumed(pane, offset);
                Vec::new()
            }
            // Its terminal is lent to nobody.
            Event::Watching { .. } | Event::Lent | Event::Returned(_) => Vec::new(),
            Event::Lost(loss) => {
                self.desk.say(format!("{} bytes not delivered: {}", loss.bytes, loss.message), now);
                Vec::new()
            }
            Event::Refused { message, .. } => {
                self.desk.say(message, now);
                Vec::new()
            }
        };
        self.carry_out(effects)
    }

    fn read(&mut self, read: &[u8]) -> Option<Leaving> {
        let now = Instant::now();
        self.changed(now);
        let mut effects = Vec::new();
        for piece in self.splitter.feed(read) {
            effects.extend(self.desk.piece(piece, now));
        }
        self.escape_at = self.splitter.is_waiting().then(|| now + ESCAPE_TIME);
        self.carry_out(effects)
    }

    fn answer(&mut self, answer: Answer) -> Option<Leaving> {
        let now = Instant::now();
        self.changed(now);
        let effects = self.desk.answered(answer, now);
        self.carry_out(effects)
    }

    fn resize(&mut self) -> Option<Leaving> {
        let size = size(io::stdout());
        self.client.resize(Desk::viewport(size));
        let effects = self.desk.resize(size);
        self.changed(Instant::now());
        self.carry_out(effects)
    }

    fn tick(&mut self) -> Option<Leaving> {
        let now = Instant::now();
        let mut effects = Vec::new();
        if self.escape_at.take_if(|at| *at <= now).is_some()
            && let Some(piece) = self.splitter.flush()
        {
            effects.extend(self.desk.piece(piece, now));
        }
        if self.desk.wakes_at().is_some_and(|at| at <= now) || !effects.is_empty() {
            effects.extend(self.desk.tick(now));
            self.changed(now);
        }
        if self.clock_at().is_some_and(|at| at <= now) {
            self.changed(now);
        }
        self.carry_out(effects)
    }

    // What is to be done.

    fn carry_out(&mut self, effects: Vec<Effect>) -> Option<Leaving> {
        for effect in joined(effects) {
            match effect {
                Effect::Type { pane, bytes } => self.typed(self.client.input(pane, &bytes).err()),
                Effect::Paste { pane, bytes, more } => {
                    self.typed(self.client.paste(pane, &bytes, more).err())
                }
                Effect::Report { pane, bytes } => self.client.report(pane, &bytes),
                Effect::Say(message) => self.client.send(message),
                Effect::Ask(message) => self.ask(message),
                Effect::Watch { pane, history } => {
                    self.client.watch(pane, Watching { history, ..Watching::default() });
                }
                Effect::Unwatch(pane) => self.client.unwatch(pane),
                Effect::Clipboard(text) => self.clipboard = clipboard(&text),
                Effect::Redraw => self.outer.forget(),
                Effect::Leave(leaving) => return Some(leaving),
            }
        }
        None
    }

    fn typed(&mut self, refused: Option<crate::client::outbox::Full>) {
        if let Some(full) = refused {
            self.desk.say(full.to_string(), Instant::now());
        }
    }

    fn ask(&mut self, message: ClientMessage) {
        let client = self.client.clone();
        self.asked.spawn(async move {
            match client.request(message).await {
                Ok(made) => Ok(made.pane),
                Err(RequestError::Refused(error)) => Err(error.message),
                Err(error) => Err(error.to_string()),
            }
        });
    }

    // Pictures.

    fn changed(&mut self, now: Instant) {
        self.dirty.get_or_insert(now);
    }

    /// When the next picture may be drawn, if there is something new.
    fn due_at(&self) -> Option<Instant> {
        let dirty = self.dirty?;
        let complete = if self.desk.is_complete() { dirty } else { dirty + COMPLETE_WITHIN };
        Some(self.drawn_at.map_or(complete, |drawn| complete.max(drawn + FRAME_TIME)))
    }

    fn is_due(&self, now: Instant) -> bool {
        self.due_at().is_some_and(|due| due <= now)
    }

    /// What makes our terminal show how things are.
    fn draw(&mut self) -> Vec<u8> {
        let now = Instant::now();
        self.desk.held(self.client.held());
        let frame = self.desk.frame(now, Moment::now().unix_ms);
        (self.dirty, self.looked_at) = (None, Some(now));
        let mut bytes = std::mem::take(&mut self.clipboard);
        bytes.append(&mut self.outer.show(frame));
        if !bytes.is_empty() {
            self.drawn_at = Some(now);
        }
        bytes
    }

    fn clock_at(&self) -> Option<Instant> {
        self.looked_at.filter(|_| self.desk.shows_times()).map(|looked| looked + CLOCK_TIME)
    }

    fn wakes_at(&self, is_idle: bool) -> Option<Instant> {
        let due = self.due_at().filter(|_| is_idle);
        [due, self.escape_at, self.desk.wakes_at(), self.clock_at()].into_iter().flatten().min()
    }
}

async fn sleep(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until.into()).await,
        None => std::future::pending().await,
    }
}

/// Joins keys that follow each other in one pane; one that interrupts stays alone, so that it can overtake the others.
fn joined(effects: Vec<Effect>) -> Vec<Effect> {
    let mut joined: Vec<Effect> = Vec::with_capacity(effects.len());
    let is_alone = crate::client::outbox::is_interrupt;
    for effect in effects {
        match (joined.last_mut(), effect) {
            (Some(Effect::Type { pane: last, bytes: before }), Effect::Type { pane, bytes })
                if *last == pane && !is_alone(before) && !is_alone(&bytes) =>
            {
                before.extend_from_slice(&bytes);
            }
            (_, effect) => joined.push(effect),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_travel_together_and_interrupts_alone() {
        let typed = |pane, bytes: &[u8]| Effect::Type { pane: PaneId(pane), bytes: bytes.to_vec() };
        let effects = vec![typed(1, b"a"), typed(1, b"b"), typed(1, b"\x03"), typed(1, b"c"), typed(2, b"d")];
        let wanted = vec![typed(1, b"ab"), typed(1, b"\x03"), typed(1, b"c"), typed(2, b"d")];
        assert_eq!(joined(effects), wanted);
    }
}
