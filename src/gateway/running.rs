//! Runs a command at the prompt of a pane's shell, and gives back what it printed and how it ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::desk::Refused;
use super::hub::Hub;
use super::onlookers::{Look, Onlooker};
use super::panes::{Slot, SlotState};
use super::waiting::{aside, deadline, exit_code, marks_due, millis, no_marks};
use crate::clock::Moment;
use crate::ids::ViewerId;
use crate::pane::respawn::Generation;
use crate::pane::transcript::Transcript;
use crate::pane::{InputRefused, Typed};
use crate::protocol::api::{RunOutcome, RunRequest};
use crate::protocol::frame::InputKind;
use crate::protocol::server::PaneStatus;

/// How long a run may be if it does not say.
const RUN: Duration = Duration::from_secs(3600);

/// The longest command, in bytes.
const MAX_COMMAND: usize = 64 << 10;

/// What begins and ends a paste where the shell asked for that, and the enter key.
const PASTE: (&str, &str) = ("\x1b[200~", "\x1b[201~");
const ENTER: &str = "\r";

/// A run under way: the pane remembers where its output begins. Dropped, it ends.
struct Run<'a> {
    slot: &'a Slot,
    /// Whose program runs it.
    generation: Generation,
    /// How many prompts there were.
    prompts: u64,
    /// How many commands.
    commands: u64,
    /// Where the log ended.
    typed_at: u64,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.slot.lock().pane.marks.end_run();
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy)]
struct Ended {
    from: u64,
    to: u64,
    exit: Option<i32>,
}

impl Hub {
    /// Types a command and waits for its end.
    ///
    /// # Errors
    /// When the shell does not say where commands begin and end, is busy, or the pane has no terminal.
    pub(super) async fn run_command(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        request: RunRequest,
    ) -> Result<RunOutcome, Refused> {
        let start = Instant::now();
        let deadline = deadline(start, request.timeout_ms, RUN)?;
        check(&request.command)?;
        let onlooker = Onlooker::new(self, slot, None)?;
        self.until_idle(&onlooker, deadline).await?;
        let run = self.begin(slot, &request.command)?;
        let ended = onlooker.watch(deadline, |state, _| run.look(state)).await?;
        let (parts, from, to, missed) = {
            let state = slot.lock();
            let log = &state.pane.log;
            let Ended { from, to, .. } =
                ended.unwrap_or(Ended { from: run.first_output(&state), to: log.head(), exit: None });
            let mut parts = Vec::new();
            let kept = from.max(log.tail()).min(to);
            log.slices(kept, to, usize::MAX, &mut parts);
            (parts, from, to, kept - from)
        };
        drop(run);
        let output = aside(move || Transcript::text_of(&parts)).await?;
        Ok(RunOutcome {
            ended: ended.is_some(),
            exit: ended.and_then(|ended| ended.exit),
            output,
            from,
            to,
            missed,
            elapsed_ms: millis(start.elapsed()),
        })
    }

    /// Waits while the shell is about to show its prompt.
    async fn until_idle(&self, onlooker: &Onlooker, deadline: Instant) -> Result<(), Refused> {
        let start = Instant::now();
        let idle = onlooker.watch(deadline, |state, connected| {
            let pane = &state.pane;
            let marks = &pane.marks;
            match pane.status(connected, Moment::now()) {
                PaneStatus::Live => {}
                PaneStatus::Starting => return Look::NotYet,
                _ => return Look::Seen(Err(disconnected(onlooker))),
            }
            if marks.at_prompt() {
                return Look::Seen(Ok(()));
            }
            if marks.is_running() {
                return Look::Seen(Err(busy()));
            }
            let sent = marks.are_sent();
            match marks_due(pane, start) {
                Look::Seen(()) => Look::Seen(Err(if sent { busy() } else { no_marks() })),
                Look::NotYet => Look::NotYet,
                Look::Until(at) => Look::Until(at),
            }
        });
        idle.await?.unwrap_or_else(|| Err(busy()))
    }

    fn begin<'a>(self: &Arc<Self>, slot: &'a Arc<Slot>, command: &str) -> Result<Run<'a>, Refused> {
        self.with_pane(slot, |state, terminal, effects| {
            let pane = &mut state.pane;
            if !pane.marks.at_prompt() || terminal.is_none() || pane.pending() > 0 || !pane.marks.begin_run()
            {
                return Err(busy());
            }
            let run = (pane.generation(), pane.marks.prompts(), pane.marks.started(), pane.log.head());
            let bytes = typed(command, pane.modes().bracketed_paste);
            let nobody = ViewerId::NOBODY;
            let bytes = bytes.as_bytes();
            let typed = Typed { viewer: nobody, owner: nobody, kind: InputKind::Input, more: false, bytes };
            if let Err(InputRefused { code, message, .. }) =
                pane.input(typed, Instant::now(), terminal, effects)
            {
                pane.marks.end_run();
                return Err(Refused::new(code, message));
            }
            let (generation, prompts, commands, typed_at) = run;
            Ok(Run { slot, generation, prompts, commands, typed_at })
        })
    }
}

impl Run<'_> {
    fn look(&self, state: &SlotState) -> Look<Ended> {
        let (pane, marks) = (&state.pane, &state.pane.marks);
        let from = self.first_output(state);
        let last = marks.commands().next_back().filter(|command| command.number > self.commands);
        if marks.at_prompt() && marks.prompts() > self.prompts && pane.generation() == self.generation {
            let to = last.and_then(|last| last.to).unwrap_or(marks.prompted_at());
            let exit = last.map_or(marks.exit(), |last| last.exit);
            return Look::Seen(Ended { from, to, exit });
        }
        if pane.generation() != self.generation || pane.has_ended() {
            let to = last.and_then(|last| last.to).unwrap_or(pane.log.head());
            return Look::Seen(Ended { from, to, exit: exit_code(pane.end()) });
        }
        Look::NotYet
    }

    /// Where the output of its first command begins. A line that the shell does not run, for its syntax, has none:
    /// then all counts that was printed since it was typed.
    fn first_output(&self, state: &SlotState) -> u64 {
        let first = state.pane.marks.commands().find(|command| command.number > self.commands);
        first.map_or(self.typed_at, |command| command.from)
    }
}

/// A command as it is typed. What lines and tabs could set off is pasted, if the shell tells a paste from keys.
fn typed(command: &str, brackets: bool) -> String {
    let lines = command.replace("\r\n", "\n").replace('\n', ENTER);
    let (begin, end) = PASTE;
    match brackets && lines.contains(['\r', '\t']) {
        true => format!("{begin}{lines}{end}{ENTER}"),
        false => format!("{lines}{ENTER}"),
    }
}

fn check(command: &str) -> Result<(), Refused> {
    let refused = |why: String| Err(Refused::new("invalid_field", why).field("command"));
    if command.len() > MAX_COMMAND {
        return refused(format!("a command has at most {MAX_COMMAND} bytes"));
    }
    match command.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        true => refused("a command holds no control characters besides lines' ends and tabs".to_owned()),
        false => Ok(()),
    }
}

fn busy() -> Refused {
    Refused::new(
        "shell_busy",
        "the pane's shell does not wait at its prompt, or runs something for somebody else",
    )
    .hint("wait for its prompt first")
}

fn disconnected(onlooker: &Onlooker) -> Refused {
    Refused::new("pane_disconnected", format!("{} has no live terminal", onlooker.slot.id))
        .hint("start it with POST /api/v1/panes/{pane}/respawn")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_pasted_where_the_shell_knows_pastes() {
        assert_eq!(typed("ls", true), "ls\r");
        assert_eq!(typed("a\nb\tc\r\n", true), "\x1b[200~a\rb\tc\r\x1b[201~\r");
        assert_eq!(typed("a\nb", false), "a\rb\r");
    }

    #[test]
    fn control_characters_are_not_typed() {
        assert!(check("echo \x1b[201~").is_err() && check("\x03").is_err() && check("a\n\tb").is_ok());
        assert!(check(&"x".repeat(MAX_COMMAND + 1)).is_err());
    }
}
