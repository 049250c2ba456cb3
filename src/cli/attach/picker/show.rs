//! Shows the list until somebody picks a pane: moves keys, output and pictures.

use std::io;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use super::draw::{ENTER, Easel, LEAVE, Preview};
use super::keys::{Keys, Press};
use super::{Pick, Picker};
use crate::cli::attach::notice;
use crate::cli::attach::session::{End, until};
use crate::cli::attach::stdio::{Input, Output};
use crate::cli::attach::terminal::{self, Raw};
use crate::cli::signals::Signals;
use crate::client::watches::Watching;
use crate::client::{Client, Event, Status};
use crate::clock::Moment;
use crate::ids::PaneId;
use crate::screen::{Screen, ScrollbackLimits};

/// After how long an escape byte that nothing follows is the key.
const ESCAPE_TIME: Duration = Duration::from_millis(25);

/// How often what is said of a pane or the connection is brought up to date.
const TICK: Duration = Duration::from_secs(1);

/// How long our terminal may take for what gives it back.
const LEAVES_WITHIN: Duration = Duration::from_secs(1);

/// See the module.
struct Show<'a> {
    client: &'a Client,
    picker: Picker,
    keys: Keys,
    /// When a lone escape byte is the key.
    escape_at: Option<Instant>,
    easel: Easel,
    /// The pane that is watched for its preview.
    watched: Option<PaneId>,
    /// Its screen; none until it came.
    screen: Option<Screen>,
    status: Status,
}

/// Has a pane picked in our terminal, which is given back as it was. `input` is what is typed, `around` the pane that we
/// are in.
///
/// # Errors
/// When the terminal can't be taken.
pub(in crate::cli::attach) async fn pick(
    client: &Client,
    input: &mut Input,
    around: Option<PaneId>,
) -> io::Result<Result<PaneId, End>> {
    let raw = Raw::take(io::stdin())?;
    let mut output = Output::new();
    output.write(ENTER.to_vec());
    let mut show = Show {
        client,
        picker: Picker::new(&client.layout(), around),
        keys: Keys::default(),
        escape_at: None,
        easel: Easel::new(terminal::size(io::stdout())),
        watched: None,
        screen: None,
        status: client.status(),
    };
    let picked = show.go_on(&raw, input, &mut output).await;
    show.watched.into_iter().for_each(|pane| client.unwatch(pane));
    let leaving = tokio::time::timeout(LEAVES_WITHIN, async {
        output.idle().await?;
        output.write(LEAVE.to_vec());
        output.idle().await
    });
    // A terminal that is gone, or that somebody stopped, does not hear it.
    let _ = leaving.await;
    picked
}

impl Show<'_> {
    async fn go_on(
        &mut self,
        raw: &Raw,
        input: &mut Input,
        output: &mut Output,
    ) -> io::Result<Result<PaneId, End>> {
        let mut signals = Signals::listen()?;
        let mut sizes = signal(SignalKind::window_change())?;
        let mut returns = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
        let mut ticks = tokio::time::interval(TICK);
        loop {
            self.preview();
            if output.is_idle() {
                output.write(self.picture());
            }
            let is_idle = output.is_idle();
            let picked = tokio::select! {
                signal = signals.first() => Some(Err(End::Signal(signal))),
                typed = input.recv() => match typed {
                    Some(typed) => self.typed(&typed),
                    None => Some(Err(End::TerminalGone)),
                },
                () = until(self.escape_at) => {
                    self.escape_at = None;
                    self.keys.expire().and_then(|press| self.press(press))
                }
                written = output.idle(), if !is_idle => written.err().map(|_| Err(End::TerminalGone)),
                event = self.client.next(), if is_idle => self.happened(event),
                Some(()) = sizes.recv(), if is_idle => {
                    self.easel.forget(terminal::size(io::stdout()));
                    None
                }
                Some(()) = returns.recv(), if is_idle => {
                    // A shell had the terminal meanwhile.
                    raw.again()?;
                    output.write(ENTER.to_vec());
                    self.easel.forget(terminal::size(io::stdout()));
                    None
                }
                _ = ticks.tick(), if is_idle => None,
            };
            if let Some(picked) = picked {
                return Ok(picked);
            }
        }
    }

    fn typed(&mut self, typed: &[u8]) -> Option<Result<PaneId, End>> {
        let presses = self.keys.take(typed);
        self.escape_at = self.keys.is_waiting().then(|| Instant::now() + ESCAPE_TIME);
        presses.into_iter().find_map(|press| self.press(press))
    }

    fn press(&mut self, press: Press) -> Option<Result<PaneId, End>> {
        match self.picker.press(press, self.easel.rows()) {
            Pick::Looking => None,
            Pick::Picked(pane) => Some(Ok(pane)),
            Pick::Cancelled => Some(Err(End::Unpicked)),
        }
    }

    fn happened(&mut self, event: Event) -> Option<Result<PaneId, End>> {
        match event {
            Event::Restart { pane, offset, size, bytes } if Some(pane) == self.watched => {
                let mut screen = Screen::new(size, ScrollbackLimits { lines: 0, bytes: 0 });
                screen.feed(&bytes);
                self.screen = Some(screen);
                self.client.consumed(pane, offset);
            }
            Event::Output { pane, offset, bytes } if Some(pane) == self.watched => {
                self.screen.iter_mut().for_each(|screen| screen.feed(&bytes));
                self.client.consumed(pane, offset + bytes.len() as u64);
            }
            Event::Layout => self.picker.refresh(&self.client.layout()),
            Event::Status(Status::Closed(closed)) => return Some(Err(End::Closed(closed))),
            Event::Status(status) => self.status = status,
            _ => {}
        }
        None
    }

    /// Watches the pane that is chosen, and no other.
    fn preview(&mut self) {
        let chosen = self.picker.chosen();
        if chosen == self.watched {
            return;
        }
        self.watched.into_iter().for_each(|pane| self.client.unwatch(pane));
        chosen.into_iter().for_each(|pane| self.client.watch(pane, Watching::default()));
        (self.watched, self.screen) = (chosen, None);
    }

    fn picture(&mut self) -> Vec<u8> {
        let away = notice::of_connection(&self.status, 0, Instant::now());
        let layout = self.client.layout();
        let info = self.watched.and_then(|pane| layout.panes.get(&pane));
        let said = away.or_else(|| info.and_then(|info| notice::state_of(info, Moment::now().unix_ms)));
        let preview = Preview { screen: self.screen.as_ref(), notice: said.as_deref() };
        self.easel.draw(&self.picker, preview)
    }
}
