//! Output on its way into a pane: what its program prints, and the gateway's own lines between it.

use std::path::PathBuf;

use super::filter::Event;
use super::log::OutputBuf;
use super::marks::PromptState;
use super::modes::ActiveScreen;
use super::respawn::Generation;
use super::{Effects, Pane};
use crate::clock::Moment;
use crate::host::Terminal;

/// A place in a program's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// Which of the pane's programs.
    pub generation: Generation,
    /// How much it has printed, in bytes.
    pub printed: u64,
    /// The offset in the pane's log from which on none was ever skipped, under whichever gateway.
    #[serde(default = "unknown")]
    pub whole_from: u64,
    /// How often something else than its output, a change of size, went into the log meanwhile.
    pub insertions: u64,
    /// Whether the last of its output ended a line.
    pub at_line_start: bool,
    /// See [`super::filter::Filter::is_parted`].
    pub parted: bool,
    /// What its shell said of its prompt.
    #[serde(default)]
    pub prompt: PromptState,
}

/// What was kept without an offset knows of none.
fn unknown() -> u64 {
    u64::MAX
}

/// When the queries in a piece of output are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Now: they get an answer.
    Now,
    /// Before, of another gateway.
    Before,
}

impl Pane {
    /// Takes what the program of a generation printed.
    pub fn output(&mut self, generation: Generation, output: OutputBuf, now: Moment, effects: &mut Effects) {
        if generation != self.generation() || self.life.started.is_none() || self.away {
            return;
        }
        self.life.printed = true;
        if let Some(readiness) = &mut self.life.readiness {
            readiness.printed(now.at);
            if !self.queue.is_empty() {
                effects.look_at(now.at);
            }
        }
        self.take_in(output, now, effects);
    }

    /// Counts and prints what the program printed. Queries in what another gateway was given before are not answered.
    fn take_in(&mut self, output: OutputBuf, now: Moment, effects: &mut Effects) {
        let length = output.payload().len() as u64;
        let before = self.given.saturating_sub(self.printed);
        self.printed += length;
        if before > 0 && self.printed >= self.given {
            self.log.set_refilling(false);
        }
        match usize::try_from(before.min(length)).unwrap_or(usize::MAX) {
            0 => self.print(output, Asked::Now, now, effects),
            split if split as u64 == length => self.print(output, Asked::Before, now, effects),
            split => {
                let (old, new) = output.payload().split_at(split);
                let (old, new) = (OutputBuf::copy_of(old), OutputBuf::copy_of(new));
                self.print(old, Asked::Before, now, effects);
                self.print(new, Asked::Now, now, effects);
            }
        }
    }

    fn print(&mut self, output: OutputBuf, asked: Asked, now: Moment, effects: &mut Effects) {
        let (from, generation) = (self.log.head(), self.generation());
        let Pane { filter, cues, marks, activity, title, told_cwd, life, .. } = self;
        let output = filter.feed(output, &mut |at, event| {
            marks.take(&event, from + at as u64);
            match event {
                Event::Title(text) if *title != text => {
                    *title = text;
                    effects.info = true;
                }
                Event::WorkingDirectory(path) => {
                    *told_cwd = Some(PathBuf::from(path));
                    effects.info = true;
                }
                Event::PromptEnd => {
                    if let Some(readiness) = &mut life.readiness {
                        readiness.prompted();
                    }
                }
                Event::Query(_) if asked == Asked::Before => {}
                Event::Query(query) => cues.query(from + at as u64, generation, query),
                other => effects.info |= activity.take(other, now.unix_ms),
            }
        });
        if let Some(last) = output.payload().last() {
            self.at_line_start = *last == b'\n';
        }
        self.log.append(output, now.at);
        effects.output = true;
    }

    /// How much its newest program has printed, in bytes, as far as that is known.
    #[must_use]
    pub fn printed(&self) -> u64 {
        self.printed
    }

    /// Where the end of the log is in the output of the live program; `None` where nobody could go on from there.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        let held = self.filter.resumes_before().filter(|_| self.life.started.is_some() && !self.away)?;
        Some(Place {
            generation: self.generation(),
            printed: self.printed.checked_sub(held as u64)?,
            whole_from: self.log.first(),
            insertions: self.insertions,
            at_line_start: self.at_line_start,
            parted: self.filter.is_parted(),
            prompt: self.marks.state(),
        })
    }

    /// Whether a checkpoint is to be left whatever was printed since the last one; says so once.
    pub fn take_unplaced(&mut self) -> bool {
        self.filter.resumes_before().is_some() && std::mem::take(&mut self.unplaced)
    }

    /// None could be left.
    pub fn set_unplaced(&mut self) {
        self.unplaced = true;
    }

    /// Prints something of the gateway's own into the output.
    pub(super) fn print_own(&mut self, bytes: &[u8], now: Moment) {
        if !bytes.is_empty() {
            self.diverge();
            self.print(OutputBuf::copy_of(bytes), Asked::Now, now, &mut Effects::default());
        }
    }

    /// Prints something of the gateway's own that leaves the cursor where it is.
    pub(super) fn print_in_place(&mut self, bytes: &[u8], now: Moment) {
        let at_line_start = self.at_line_start;
        self.print_own(bytes, now);
        self.at_line_start = at_line_start;
    }

    /// Whether a line drawn now may go where the cursor is. Where it will be on leaving an alternate screen is
    /// not known.
    pub(super) fn on_fresh_line(&self) -> bool {
        self.at_line_start && self.filter.modes().screen == ActiveScreen::Main
    }

    /// Whether its program has printed anything.
    #[must_use]
    pub fn has_printed(&self) -> bool {
        self.life.printed || self.printed > 0
    }

    /// Gives the program of a generation its terminal's answer to a query, if that program still runs.
    pub fn answer(&mut self, generation: Generation, answer: &[u8], terminal: Option<&dyn Terminal>) {
        if let Some(terminal) = terminal.filter(|_| generation == self.generation()) {
            terminal.write(answer);
        }
    }
}
