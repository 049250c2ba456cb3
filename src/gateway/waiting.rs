//! Waits for something of a pane, without looking again and again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::desk::Refused;
use super::hub::Hub;
use super::onlookers::{Look, Onlooker};
use super::panes::{Slot, SlotState};
use super::search::{Pattern, Search};
use crate::host::Exit;
use crate::pane::{End, Pane};
use crate::protocol::api::{WaitFor, WaitOutcome, WaitRequest};

/// How long a wait is if it does not say.
const WAIT: Duration = Duration::from_secs(30);

/// The longest wait.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// Without output for so long, what a program draws is complete: time to look at the screen.
const PAUSE: Duration = Duration::from_millis(50);

/// While output goes on and on, the screen is looked at this often.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// How much output is looked through at a time, in bytes.
const BATCH: usize = 128 << 10;

/// More than this, in bytes, is looked through on another thread, as others wait for this one.
const WORTH_A_THREAD: usize = 4 << 10;

/// A shell that printed something, and then for so long nothing, has shown its prompt: without marks, it sends none.
pub(super) const SHOWS_MARKS_WITHIN: Duration = Duration::from_secs(1);

/// What was seen.
#[derive(Debug, Default)]
struct Seen {
    offset: Option<u64>,
    line: Option<String>,
    exit: Option<i32>,
}

/// When a request that may take so long ends.
///
/// # Errors
/// When that is too long.
pub(super) fn deadline(
    start: Instant,
    timeout_ms: Option<u64>,
    default: Duration,
) -> Result<Instant, Refused> {
    let timeout = timeout_ms.map_or(default, Duration::from_millis);
    match timeout <= MAX_WAIT {
        true => Ok(start + timeout),
        false => {
            Err(Refused::new("invalid_field", "nothing is waited for longer than an hour").field("timeoutMs"))
        }
    }
}

/// The refusal for a shell without marks.
pub(super) fn no_marks() -> Refused {
    Refused::new("no_prompt_marks", "the pane's shell does not say when it shows its prompt")
        .hint("everpane shell-integration bash|zsh|fish prints what makes it")
}

/// An exit code, where there is one.
pub(super) fn exit_code(end: &End) -> Option<i32> {
    match end {
        End::Exited { exit: Exit::Code(code), .. } => Some(*code),
        _ => None,
    }
}

impl Hub {
    /// Waits for something of a pane. Dropped, it is waited for no more.
    ///
    /// # Errors
    /// For a wait that makes no sense, when there are too many, or when the pane is closed meanwhile.
    pub(super) async fn wait(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        request: WaitRequest,
    ) -> Result<WaitOutcome, Refused> {
        let start = Instant::now();
        let deadline = deadline(start, request.timeout_ms, WAIT)?;
        let (seen, missed) = match &request.what {
            WaitFor::Text(text) => {
                self.wait_for_text(slot, Pattern::text(text), request.since, deadline).await?
            }
            WaitFor::Regex(text) => {
                self.wait_for_text(slot, Pattern::regex(text), request.since, deadline).await?
            }
            WaitFor::Prompt => (self.wait_for_prompt(slot, request.since_prompt, deadline).await?, 0),
            WaitFor::Exit => (self.wait_for_exit(slot, deadline).await?, 0),
            WaitFor::Idle(ms) => {
                let from = if request.since.is_some() { None } else { Some(start) };
                (self.wait_for_silence(slot, Duration::from_millis(*ms), from, deadline).await?, 0)
            }
            WaitFor::Connected => (self.wait_for_terminal(slot, deadline).await?, 0),
        };
        let (offset, prompts) = {
            let state = slot.lock();
            (state.pane.log.head(), state.pane.marks.prompts())
        };
        let (met, seen) = (seen.is_some(), seen.unwrap_or_default());
        let elapsed_ms = millis(start.elapsed());
        Ok(WaitOutcome {
            met,
            offset: seen.offset.unwrap_or(offset),
            prompts,
            line: seen.line,
            exit: seen.exit,
            missed,
            elapsed_ms,
        })
    }

    async fn wait_for_prompt(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        since: Option<u64>,
        deadline: Instant,
    ) -> Result<Option<Seen>, Refused> {
        let onlooker = Onlooker::new(self, slot, None)?;
        let start = Instant::now();
        let seen = onlooker.watch(deadline, |state, connected| {
            let marks = &state.pane.marks;
            if marks.at_prompt() && since.is_none_or(|since| marks.prompts() > since) {
                return Look::Seen(Ok(Seen { exit: marks.exit(), ..Seen::default() }));
            }
            if marks.are_sent() || !connected {
                return Look::NotYet;
            }
            marks_due(&state.pane, start).map(|| Err(no_marks()))
        });
        seen.await?.transpose()
    }

    async fn wait_for_exit(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        deadline: Instant,
    ) -> Result<Option<Seen>, Refused> {
        let onlooker = Onlooker::new(self, slot, None)?;
        let mut live = None;
        let look = |state: &mut SlotState, connected: bool| {
            let pane = &state.pane;
            let generation = pane.generation();
            // One that was live before, and not any more, has ended, also if the next runs already.
            let ended = live.is_some_and(|live| live < generation) || !connected && pane.has_ended();
            if connected {
                live.get_or_insert(generation);
            }
            match ended {
                true => Look::Seen(Seen { exit: exit_code(pane.end()), ..Seen::default() }),
                false => Look::NotYet,
            }
        };
        onlooker.watch(deadline, look).await
    }

    async fn wait_for_terminal(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        deadline: Instant,
    ) -> Result<Option<Seen>, Refused> {
        let onlooker = Onlooker::new(self, slot, None)?;
        let look = |_: &mut SlotState, connected| {
            if connected { Look::Seen(Seen::default()) } else { Look::NotYet }
        };
        onlooker.watch(deadline, look).await
    }

    /// Waits until nothing was printed for so long, from a moment on if there is one.
    async fn wait_for_silence(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        quiet: Duration,
        from: Option<Instant>,
        deadline: Instant,
    ) -> Result<Option<Seen>, Refused> {
        let onlooker = Onlooker::new(self, slot, None)?;
        let start = from.unwrap_or_else(Instant::now);
        let look = |state: &mut SlotState, _| {
            let grown_at = state.pane.log.grown_at().unwrap_or(start);
            let since = from.map_or(grown_at, |from| grown_at.max(from));
            due(since + quiet).map(Seen::default)
        };
        onlooker.watch(deadline, look).await
    }

    /// Waits for text. Also tells how many bytes it could not look at, as they were no longer there.
    async fn wait_for_text(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        pattern: Result<Pattern, String>,
        since: Option<u64>,
        deadline: Instant,
    ) -> Result<(Option<Seen>, u64), Refused> {
        let pattern = pattern.map_err(|why| Refused::new("invalid_field", why).field("for"))?;
        let from = since.unwrap_or_else(|| slot.lock().pane.log.head());
        let onlooker = Onlooker::new(self, slot, Some(from))?;
        let mut watch = TextWatch {
            cursor: from,
            missed: 0,
            sees_screen: since.is_none(),
            unsettled: None,
            pauses_at: None,
        };
        let seen = watch.run(Search::new(pattern), &onlooker, deadline).await?;
        Ok((seen, watch.missed))
    }
}

/// Whether a shell that has sent no marks should have by now: something it printed, and was quiet since.
pub(super) fn marks_due(pane: &Pane, start: Instant) -> Look<()> {
    match pane.has_printed() {
        true => due(pane.log.grown_at().map_or(start, |at| at.max(start)) + SHOWS_MARKS_WITHIN),
        false => Look::NotYet,
    }
}

fn due(at: Instant) -> Look<()> {
    if Instant::now() >= at { Look::Seen(()) } else { Look::Until(at) }
}

impl Look<()> {
    fn map<T>(self, seen: impl FnOnce() -> T) -> Look<T> {
        match self {
            Look::Seen(()) => Look::Seen(seen()),
            Look::NotYet => Look::NotYet,
            Look::Until(at) => Look::Until(at),
        }
    }
}

/// What there is to look through.
enum Step {
    /// Output, up to an offset; how many bytes before it were lost.
    Output { parts: Vec<Bytes>, to: u64, lost: u64 },
    /// Nothing more comes for now.
    Pause,
}

/// A wait for text under way.
struct TextWatch {
    /// It has looked through everything before this.
    cursor: u64,
    /// How many bytes of that were no longer there.
    missed: u64,
    /// Whether what is on the screen counts.
    sees_screen: bool,
    /// When the screen was looked at last, or when output began to come that is not on the screen looked at.
    unsettled: Option<Instant>,
    /// When the output will have paused.
    pauses_at: Option<Instant>,
}

impl TextWatch {
    async fn run(
        &mut self,
        mut search: Search,
        onlooker: &Onlooker,
        deadline: Instant,
    ) -> Result<Option<Seen>, Refused> {
        if self.sees_screen
            && let Some(seen) = self.look_at_screen(&search, onlooker).await?
        {
            return Ok(Some(seen));
        }
        loop {
            let step = onlooker.watch(deadline, |state, _| self.next(onlooker, state)).await?;
            let over = step.is_none();
            let found = match step {
                Some(Step::Output { parts, to, lost }) => {
                    if lost > 0 {
                        search.start_over();
                        self.missed += lost;
                    }
                    let found;
                    (search, found) = look_through(search, parts).await?;
                    self.cursor = to;
                    let now = Instant::now();
                    self.unsettled.get_or_insert(now);
                    self.pauses_at = Some(now + PAUSE);
                    found.map(|line| Seen { offset: Some(to), line: Some(line), exit: None })
                }
                Some(Step::Pause) | None => self.settle(&search, onlooker).await?,
            };
            if found.is_some() || over {
                return Ok(found);
            }
        }
    }

    /// What is next, with the pane locked.
    fn next(&self, onlooker: &Onlooker, state: &mut SlotState) -> Look<Step> {
        let log = &state.pane.log;
        onlooker.is_through_with(self.cursor);
        let looks_at =
            self.pauses_at.zip(self.unsettled).map(|(pause, since)| pause.min(since + BETWEEN_LOOKS));
        if looks_at.is_some_and(|at| at <= Instant::now()) {
            return Look::Seen(Step::Pause);
        }
        if log.head() > self.cursor {
            let from = self.cursor.max(log.tail());
            let mut parts = Vec::new();
            let to = log.slices(from, log.head(), BATCH, &mut parts);
            return Look::Seen(Step::Output { parts, to, lost: from - self.cursor });
        }
        looks_at.map_or(Look::NotYet, Look::Until)
    }

    /// The output paused, or has gone on for long: what is drawn now may be what is waited for.
    async fn settle(&mut self, search: &Search, onlooker: &Onlooker) -> Result<Option<Seen>, Refused> {
        let paused = self.pauses_at.is_none_or(|at| at <= Instant::now());
        self.unsettled = if paused { None } else { Some(Instant::now()) };
        if paused {
            self.pauses_at = None;
            if let Some(line) = search.in_last_line() {
                return Ok(Some(Seen { offset: Some(self.cursor), line: Some(line), exit: None }));
            }
        }
        if self.sees_screen { self.look_at_screen(search, onlooker).await } else { Ok(None) }
    }

    async fn look_at_screen(&self, search: &Search, onlooker: &Onlooker) -> Result<Option<Seen>, Refused> {
        let (hub, slot) = (onlooker.hub.clone(), onlooker.slot.clone());
        let look = move || hub.look_at_screen(&slot, |screen, offset| (screen.lines(), offset));
        let (lines, offset) = aside(look).await?;
        let line = search.on_screen(&lines);
        Ok(line.map(|line| Seen { offset: Some(offset.max(self.cursor)), line: Some(line), exit: None }))
    }
}

async fn look_through(mut search: Search, parts: Vec<Bytes>) -> Result<(Search, Option<String>), Refused> {
    let large = parts.iter().map(Bytes::len).sum::<usize>() > WORTH_A_THREAD;
    let work = move || {
        let found = search.through(&parts);
        (search, found)
    };
    if large { aside(work).await } else { Ok(work()) }
}

/// Does what takes long on a thread where nobody waits for it.
///
/// # Errors
/// When it came to no good end.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Refused::new("internal", "the gateway failed at this; its log says more"))
}

/// A duration in whole milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
