//! A pane in our terminal, from the first picture to the end: moves what is typed to the gateway and what is printed to
//! the terminal.

use std::io;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, timeout};

use super::canvas::Canvas;
use super::escape::{Escapes, Typed};
use super::lending::{Lending, Look};
use super::notice;
use super::stdio::{self, Input, Output};
use super::terminal::{self, Raw};
use crate::cli::signals::Signals;
use crate::client::outbox::{Full, HELD_BYTES};
use crate::client::{Client, Closed, Event, Loss, Returned, Status};
use crate::clock::Moment;
use crate::ids::PaneId;
use crate::protocol::client::TerminalLend;

/// How long something that happened is shown.
const SHOWN_FOR: Duration = Duration::from_secs(3);

/// How long what is typed waits in the system for room. After that it is read, and refused: whoever types may want to
/// leave.
const WAITS_FOR_ROOM: Duration = Duration::from_secs(2);

/// How long our terminal may take for what undoes everything.
const LEAVES_WITHIN: Duration = Duration::from_secs(1);

/// How often what is said is brought up to date.
const TICK: Duration = Duration::from_secs(1);

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Whoever typed wanted to leave, or nobody types any more.
    Detached,
    /// Whoever was to pick a pane picked none.
    Unpicked,
    /// Somebody closed the pane.
    PaneClosed,
    /// There is no way back to the gateway.
    Closed(Closed),
    /// A signal asked us to end.
    Signal(&'static str),
    /// Our terminal is gone.
    TerminalGone,
}

/// What it may do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rights {
    /// Nothing that is typed is sent.
    pub(super) read_only: bool,
    /// It has a say in the pane's size.
    pub(super) resizes: bool,
}

/// What happened to our terminal and is not seen to yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It has another size.
    Size,
    /// A shell had it meanwhile, and it may show anything.
    Content,
}

/// See the module.
pub(super) struct Session {
    client: Client,
    pane: PaneId,
    rights: Rights,
    canvas: Canvas,
    escapes: Escapes,
    output: Output,
    lending: Lending,
    change: Option<Change>,
    /// Up to where the pane's output is in our terminal, once what is being written is written.
    shown: Option<u64>,
    /// Up to where the pane's output is taken in once what is being written is written.
    offset: Option<u64>,
    /// What happened, and until when it is shown.
    flash: Option<(String, Instant)>,
    /// Since when there is no room for what is typed.
    full_since: Option<Instant>,
    /// Whether a connection notice may be needed.
    status: Status,
}

impl Session {
    /// One that shows `pane`, which `client` watches.
    pub(super) fn new(client: Client, pane: PaneId, rights: Rights, escapes: Escapes) -> Session {
        let canvas = Canvas::new(terminal::size(io::stdout()));
        Session {
            client,
            pane,
            rights,
            canvas,
            escapes,
            output: Output::new(),
            lending: Lending::new(),
            change: None,
            shown: None,
            offset: None,
            flash: None,
            full_since: None,
            status: Status::Connected,
        }
    }

    /// Takes the terminal, shows the pane in it, and gives the terminal back. `input` is what is typed.
    ///
    /// # Errors
    /// When the terminal can't be taken.
    pub(super) async fn run(mut self, mut input: Input) -> io::Result<End> {
        let mut signals = Signals::listen()?;
        let mut sizes = signal(SignalKind::window_change())?;
        let mut returns = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
        let raw = Raw::take(io::stdin())?;
        let enter = self.canvas.enter();
        self.output.write(enter);
        self.tell_size();
        let ended = self.go_on(&raw, &mut input, &mut signals, &mut sizes, &mut returns).await;
        // A gateway that does not answer does not draw either.
        let _ = timeout(LEAVES_WITHIN, self.come_home(&input)).await;
        let leaving = timeout(LEAVES_WITHIN, async {
            self.output.idle().await?;
            let leave = self.canvas.leave();
            self.output.write(leave);
            self.output.idle().await
        });
        // A terminal that is gone, or that somebody stopped, does not hear it; its settings are restored all the same.
        let _ = leaving.await;
        drop(raw);
        if ended == End::Detached {
            // What was typed before the keys that detach is still wanted.
            let _ = timeout(LEAVES_WITHIN, self.client.all_sent()).await;
        }
        self.client.close().await;
        Ok(ended)
    }

    async fn go_on(
        &mut self,
        raw: &Raw,
        input: &mut Input,
        signals: &mut Signals,
        sizes: &mut Signal,
        returns: &mut Signal,
    ) -> End {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let client = self.client.clone();
        loop {
            let is_idle = self.output.is_idle();
            let held_back = self.held_back();
            let ended = tokio::select! {
                signal = signals.first() => Some(End::Signal(signal)),
                typed = input.recv(), if held_back.is_none() => match typed {
                    Some(bytes) => self.typed(&bytes),
                    None => Some(End::Detached),
                },
                () = client.has_room(), if held_back.is_some() => None,
                () = until(held_back) => None,
                () = until(self.escapes.until()) => {
                    let late = self.escapes.expire(Instant::now()).unwrap_or_default();
                    self.send(&late, None);
                    None
                }
                written = self.output.idle(), if !is_idle => match written {
                    Ok(()) => {
                        self.consumed();
                        None
                    }
                    Err(_) => Some(End::TerminalGone),
                },
                event = client.next(), if is_idle => self.happened(event, input),
                Some(()) = sizes.recv() => {
                    self.change = Some(Change::Size);
                    None
                }
                Some(()) = returns.recv() => {
                    self.change.get_or_insert(Change::Content);
                    raw.again().err().map(|_| End::TerminalGone)
                }
                _ = ticks.tick() => {
                    self.look_after_keys(input);
                    None
                }
            };
            if let Some(ended) = ended {
                return ended;
            }
            self.draw_what_is_due(input);
        }
    }

    /// Draws what is to be said, and all anew if our terminal needs that; has it back first if it is lent. With nothing to
    /// do there ourselves, lends it.
    fn draw_what_is_due(&mut self, input: &Input) {
        if !self.output.is_idle() {
            return;
        }
        let said = self.notice();
        let is_due = said.is_some() || self.change.is_some();
        if !self.lending.is_home() {
            let is_due = is_due || !self.canvas.passes_through();
            if is_due && self.lending.want_back() {
                self.client.take_back();
            }
            return;
        }
        if let Some(change) = self.change.take() {
            let drawn = match change {
                Change::Size => self.canvas.resize(terminal::size(io::stdout())),
                Change::Content => self.canvas.redraw(),
            };
            self.output.write(drawn);
            if change == Change::Size {
                self.tell_size();
            }
        }
        if self.output.is_idle() {
            let drawn = self.canvas.say(said);
            self.output.write(drawn);
        }
        if !is_due {
            self.lend(input);
        }
    }

    /// Lends our terminal to the gateway, if nothing is under way here.
    fn lend(&mut self, input: &Input) {
        let now = Instant::now();
        let is_at_rest = self.status == Status::Connected
            && !self.rights.read_only
            && self.output.is_idle()
            && self.canvas.passes_through()
            && self.escapes.is_at_rest()
            && input.is_taken()
            && self.client.held() == 0;
        let Some(shown) = self.shown.filter(|_| is_at_rest && self.lending.may_be_offered(now)) else {
            return;
        };
        let lend = stdio::device().map(|device| TerminalLend {
            pane_id: self.pane,
            offset: shown,
            device,
            stops: self.escapes.stops(),
        });
        let is_out = lend.is_some_and(|lend| input.leave_to_others(true) && self.client.lend(lend));
        if !is_out {
            input.leave_to_others(false);
        }
        self.lending.offered(is_out, now);
    }

    /// Waits until our terminal is here.
    async fn come_home(&mut self, input: &Input) {
        if self.lending.want_back() {
            self.client.take_back();
        }
        while !self.lending.is_home() {
            if self.output.idle().await.is_err() {
                return;
            }
            let event = self.client.next().await;
            self.happened(event, input);
        }
    }

    /// A gateway that hangs must not keep our keys, of which some may be to leave.
    fn look_after_keys(&mut self, input: &Input) {
        match self.lending.look(input.has_unread()) {
            Look::Wait => {}
            Look::WantBack => {
                if self.lending.want_back() {
                    self.client.take_back();
                }
            }
            Look::GiveUp => self.client.hang_up(),
        }
    }

    /// Our terminal is here again.
    fn returned(&mut self, returned: Returned, input: &Input) -> Option<End> {
        let Returned { keys, passed, is_lost } = returned;
        self.lending.returned(passed.is_some() || !keys.is_empty(), Instant::now());
        input.leave_to_others(false);
        if let Some(last) = passed {
            self.escapes.passed(last);
        }
        if is_lost {
            self.canvas.lose_track();
            self.change.get_or_insert(Change::Content);
        }
        self.typed(&keys)
    }

    /// Until when what is typed is not read, for want of room; none if it is.
    fn held_back(&mut self) -> Option<Instant> {
        let is_full = self.status == Status::Connected && self.client.held() > HELD_BYTES / 2;
        if !is_full {
            self.full_since = None;
            return None;
        }
        let since = *self.full_since.get_or_insert_with(Instant::now);
        Some(since + WAITS_FOR_ROOM).filter(|until| *until > Instant::now())
    }

    fn typed(&mut self, bytes: &[u8]) -> Option<End> {
        for typed in self.escapes.take(bytes, Instant::now()) {
            match typed {
                Typed::Keys(keys) => self.send(&keys, None),
                Typed::Paste { bytes, more } => self.send(&bytes, Some(more)),
                Typed::Detach => return Some(End::Detached),
            }
        }
        None
    }

    /// Sends keys, or a part of a paste.
    fn send(&mut self, bytes: &[u8], paste: Option<bool>) {
        if self.rights.read_only {
            return;
        }
        let sent = match paste {
            None => self.client.input(self.pane, bytes),
            Some(more) => self.client.paste(self.pane, bytes, more),
        };
        if let Err(Full { bytes, held }) = sent {
            let (bytes, held) = (notice::bytes(bytes), notice::bytes(held));
            self.show(format!("{bytes} were not taken: {held} wait already"));
        }
    }

    fn happened(&mut self, event: Event, input: &Input) -> Option<End> {
        match event {
            Event::Output { pane, offset, bytes } if pane == self.pane => {
                self.keep_if_offered(input);
                let drawn = self.canvas.output(&bytes);
                self.draw(drawn, offset + bytes.len() as u64);
            }
            Event::Restart { pane, offset, size, bytes } if pane == self.pane => {
                self.keep_if_offered(input);
                let drawn = self.canvas.restart(size, &bytes);
                self.draw(drawn, offset);
            }
            Event::Lent => {
                if self.lending.lent() {
                    input.leave_to_others(true);
                }
            }
            Event::Returned(returned) => return self.returned(returned, input),
            Event::Lost(Loss { message, bytes, .. }) => {
                self.show(format!("{} did not arrive: {message}", notice::bytes(bytes)));
            }
            Event::Refused { message, .. } => self.show(message),
            Event::Status(status) => {
                self.status = status;
                if let Status::Closed(closed) = &self.status {
                    return Some(End::Closed(closed.clone()));
                }
            }
            Event::Layout if !self.client.layout().has(self.pane) => return Some(End::PaneClosed),
            Event::Layout | Event::Watching { .. } | Event::Output { .. } | Event::Restart { .. } => {}
        }
        None
    }

    /// Output crossed the offer of our terminal, which is not taken then: keys must not wait for the answer.
    fn keep_if_offered(&mut self, input: &Input) {
        if self.lending.kept() {
            input.leave_to_others(false);
        }
    }

    /// Puts what the pane printed up to an offset on our terminal, where it is not there already.
    fn draw(&mut self, drawn: Vec<u8>, offset: u64) {
        (self.shown, self.offset) = (Some(offset), Some(offset));
        if !self.lending.is_lent() {
            self.output.write(drawn);
        }
        if self.output.is_idle() {
            self.consumed();
        }
    }

    /// What was written is taken in: the gateway may send more.
    fn consumed(&mut self) {
        if let Some(offset) = self.offset.take() {
            self.client.consumed(self.pane, offset);
        }
    }

    fn tell_size(&self) {
        let ours = terminal::size(io::stdout());
        self.client.resize(ours);
        if self.rights.resizes {
            self.client.resize_pane(self.pane, ours);
        }
    }

    fn show(&mut self, what: String) {
        self.flash = Some((what, Instant::now() + SHOWN_FOR));
    }

    /// What is to be said now: of several things, what happened just now goes first.
    fn notice(&mut self) -> Option<String> {
        let now = Instant::now();
        self.flash.take_if(|(_, until)| *until <= now);
        if let Some((what, _)) = &self.flash {
            return Some(what.clone());
        }
        let away = notice::of_connection(&self.status, self.client.held(), now);
        let of_pane = if self.rights.read_only { notice::state_of } else { notice::of_pane };
        away.or_else(|| of_pane(self.client.layout().panes.get(&self.pane)?, Moment::now().unix_ms))
    }
}

/// Waits until then, or for ever.
pub(super) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
