//! Decides what is written when. Pure: time is passed in, as what has gone by since any fixed moment.
//!
//! A mark starts a short wait in which more marks join it; the wait is not drawn out by them, so nothing
//! starves. Among outputs the one due for longest goes first; as a pane that was written is not due again for a
//! while, that is a round robin.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::ids::PaneId;

/// How often files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// From the first change of the state after a quiet time to its write. Short: what was acknowledged and not
    /// written yet is lost in a crash.
    pub state_wait: Duration,
    /// The least time between two writes of the state.
    pub state_gap: Duration,
    /// The most time between two writes of a state that keeps changing and is so large that writing it at every
    /// `state_gap` would take more than `bytes_per_second`.
    pub state_gap_max: Duration,
    /// From the first new output of a pane to its write.
    pub output_wait: Duration,
    /// The least time between two writes of one pane's output.
    pub output_gap: Duration,
    /// What all outputs together may write per second, in the long run.
    pub bytes_per_second: u64,
    /// How much of that may be written at once after a quiet time.
    pub burst: Duration,
    /// How long to wait after a first failure; doubles with each further one.
    pub retry_first: Duration,
    /// The longest wait after a failure.
    pub retry_max: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            state_wait: Duration::from_millis(5),
            state_gap: Duration::from_millis(100),
            state_gap_max: Duration::from_secs(1),
            output_wait: Duration::from_millis(250),
            output_gap: Duration::from_secs(2),
            bytes_per_second: 8 << 20,
            burst: Duration::from_secs(1),
            retry_first: Duration::from_millis(250),
            retry_max: Duration::from_secs(8),
        }
    }
}

impl Pace {
    /// How long writing `bytes` takes at the allowed rate.
    fn time_for(&self, bytes: usize) -> Duration {
        let nanos = bytes as u128 * 1_000_000_000 / u128::from(self.bytes_per_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// One file to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Job {
    /// The state.
    State,
    /// A pane's output.
    Output(PaneId),
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Write this, then say how it went.
    Write(Job),
    /// Nothing for so long, unless something is marked.
    Wait(Duration),
    /// Nothing, until something is marked.
    Idle,
}

/// When one file may be written.
#[derive(Debug, Default)]
struct Times {
    /// When it is due, if it is marked.
    due: Option<Duration>,
    /// Its last write forbids another before this.
    not_before: Duration,
    /// Failures since the last success.
    failures: u32,
}

impl Times {
    /// Marks it, unless it is marked; gives the time if it is new.
    fn mark(&mut self, due: Duration) -> Option<Duration> {
        if self.due.is_some() {
            return None;
        }
        self.due = Some(due.max(self.not_before));
        self.due
    }

    /// Counts a failure, and gives the time of the next try. Nothing was written, so no gap is kept.
    fn failed(&mut self, pace: &Pace, now: Duration) -> Duration {
        let wait = pace.retry_first.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        self.not_before = Duration::ZERO;
        now + wait.min(pace.retry_max)
    }
}

/// The schedule of all writes.
#[derive(Debug)]
pub(super) struct Schedule {
    /// The limits.
    pace: Pace,
    /// The state's times.
    state: Times,
    /// The times of each pane that was ever marked, until it is forgotten.
    panes: HashMap<PaneId, Times>,
    /// The panes that are due at some time, by that time.
    queue: BTreeSet<(Duration, PaneId)>,
    /// No output is tried before this, after one failed: a thousand panes do not beat on a full disk. The state
    /// is, since it is small and may fit where they do not.
    outputs_pause_until: Duration,
    /// When all that outputs wrote would have been written at exactly the allowed rate.
    paid_until: Duration,
}

impl Schedule {
    pub(super) fn new(pace: Pace) -> Schedule {
        Schedule {
            pace,
            state: Times::default(),
            panes: HashMap::new(),
            queue: BTreeSet::new(),
            outputs_pause_until: Duration::ZERO,
            paid_until: Duration::ZERO,
        }
    }

    /// Something changed.
    pub(super) fn mark(&mut self, job: Job, now: Duration) {
        match job {
            Job::State => {
                self.state.mark(now + self.pace.state_wait);
            }
            Job::Output(pane) => self.queue_output(pane, now + self.pace.output_wait),
        }
    }

    fn queue_output(&mut self, pane: PaneId, due: Duration) {
        if let Some(due) = self.panes.entry(pane).or_default().mark(due) {
            self.queue.insert((due, pane));
        }
    }

    /// What to do now. A job that it gives has begun: marks from here on are for the next write.
    pub(super) fn next(&mut self, now: Duration) -> Next {
        let state = self.state.due.map(|due| (due, Job::State));
        let output = self.queue.first().map(|&(due, pane)| {
            let affordable = self.paid_until.saturating_sub(self.pace.burst);
            (due.max(self.outputs_pause_until).max(affordable), Job::Output(pane))
        });
        // The state goes first when both may: it is small, and it is what everything hangs on.
        let ready = [state, output].into_iter().flatten();
        if let Some((_, job)) = ready.clone().find(|&(at, _)| at <= now) {
            self.begin(job, now);
            return Next::Write(job);
        }
        ready.map(|(at, _)| at - now).min().map_or(Next::Idle, Next::Wait)
    }

    /// Begins everything that is marked, whatever the pace: the state first, then outputs by how long they wait.
    pub(super) fn take_all(&mut self, now: Duration) -> Vec<Job> {
        let state = self.state.due.map(|_| Job::State);
        let outputs = self.queue.iter().map(|&(_, pane)| Job::Output(pane));
        let jobs: Vec<Job> = state.into_iter().chain(outputs).collect();
        for &job in &jobs {
            self.begin(job, now);
        }
        jobs
    }

    fn begin(&mut self, job: Job, now: Duration) {
        match job {
            Job::State => {
                self.state.due = None;
                self.state.not_before = now + self.pace.state_gap;
            }
            Job::Output(pane) => {
                let times = self.panes.entry(pane).or_default();
                if let Some(due) = times.due.take() {
                    self.queue.remove(&(due, pane));
                }
                times.not_before = now + self.pace.output_gap;
            }
        }
    }

    /// A job is done: its file has `bytes`.
    pub(super) fn done(&mut self, job: Job, bytes: usize, now: Duration) {
        let cost = self.pace.time_for(bytes);
        match job {
            Job::State => {
                self.state.failures = 0;
                let gap = cost.min(self.pace.state_gap_max);
                self.state.not_before = self.state.not_before.max(now + gap);
            }
            Job::Output(pane) => {
                if let Some(times) = self.panes.get_mut(&pane) {
                    times.failures = 0;
                }
                self.paid_until = self.paid_until.max(now) + cost;
            }
        }
    }

    /// A job failed: it comes again, later and later.
    pub(super) fn failed(&mut self, job: Job, now: Duration) {
        match job {
            Job::State => {
                let again = self.state.failed(&self.pace, now);
                self.state.mark(again);
            }
            Job::Output(pane) => {
                let again = self.panes.entry(pane).or_default().failed(&self.pace, now);
                self.queue_output(pane, again);
                self.outputs_pause_until = now + self.pace.retry_first;
            }
        }
    }

    /// A pane is gone, with what was marked of it.
    pub(super) fn forget(&mut self, pane: PaneId) {
        if let Some(Times { due: Some(due), .. }) = self.panes.remove(&pane) {
            self.queue.remove(&(due, pane));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    const A: Job = Job::Output(PaneId(1));
    const B: Job = Job::Output(PaneId(2));

    /// Virtual time, in which writing takes none.
    struct Bench {
        schedule: Schedule,
        now: Duration,
        /// Bytes of each output and of the state.
        bytes: usize,
        /// When each job was begun.
        begun: Vec<(Duration, Job)>,
    }

    impl Bench {
        fn new(bytes: usize) -> Bench {
            Bench { schedule: Schedule::new(Pace::default()), now: ms(0), bytes, begun: vec![] }
        }

        fn mark(&mut self, job: Job) {
            self.schedule.mark(job, self.now);
        }

        /// Lets time go by, doing what is to be done; `works` says whether a write succeeds.
        fn pass_with(&mut self, time: Duration, mut works: impl FnMut(Job) -> bool) {
            let end = self.now + time;
            loop {
                match self.schedule.next(self.now) {
                    Next::Write(job) => {
                        self.begun.push((self.now, job));
                        if works(job) {
                            self.schedule.done(job, self.bytes, self.now);
                        } else {
                            self.schedule.failed(job, self.now);
                        }
                    }
                    Next::Wait(wait) if self.now + wait <= end => {
                        assert!(wait > Duration::ZERO, "a wait is never a spin");
                        self.now += wait;
                    }
                    Next::Wait(_) | Next::Idle => break,
                }
            }
            self.now = end;
        }

        fn pass(&mut self, time: Duration) {
            self.pass_with(time, |_| true);
        }

        fn times(&self, wanted: Job) -> Vec<u64> {
            let of_job = self.begun.iter().filter(|(_, job)| *job == wanted);
            of_job.map(|(at, _)| at.as_millis() as u64).collect()
        }
    }

    #[test]
    fn marks_join_into_one_write_that_they_do_not_put_off() {
        let mut bench = Bench::new(10);
        for _ in 0..35 {
            bench.mark(Job::State);
            bench.mark(A);
            bench.pass(ms(10));
        }
        assert_eq!(bench.times(Job::State), [5, 105, 205, 305]);
        assert_eq!(bench.times(A), [250]);
        bench.pass(ms(9650));
        assert_eq!(bench.times(Job::State), [5, 105, 205, 305, 405]);
        assert_eq!(bench.times(A), [250, 2250]);
        assert_eq!(bench.schedule.next(bench.now), Next::Idle);
    }

    #[test]
    fn a_large_state_that_keeps_changing_is_written_more_rarely() {
        for (bytes, gap) in [(4 << 20, 500), (800 << 20, 1000)] {
            let mut bench = Bench::new(bytes);
            for _ in 0..300 {
                bench.mark(Job::State);
                bench.pass(ms(10));
            }
            let times = bench.times(Job::State);
            assert_eq!(times[0], 5, "the first change does not wait for it");
            assert!(times.len() > 2 && times.windows(2).all(|pair| pair[1] - pair[0] == gap), "{times:?}");
        }
    }

    #[test]
    fn a_failing_file_is_tried_ever_more_rarely_until_it_works() {
        for job in [Job::State, A] {
            let mut bench = Bench::new(10);
            bench.mark(job);
            bench.pass_with(ms(39_000), |_| false);
            let times = bench.times(job);
            let waits: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);

            bench.begun.clear();
            bench.pass(ms(8000));
            assert_eq!(bench.times(job).len(), 1);
            assert_eq!(bench.schedule.next(bench.now), Next::Idle);
            bench.mark(job);
            bench.pass_with(ms(3000), |_| false);
            assert_eq!(bench.times(job).len(), 1 + 4, "the waits began anew");
        }
    }

    #[test]
    fn many_outputs_do_not_beat_on_a_full_disk_and_the_state_is_not_held_up() {
        let mut bench = Bench::new(10);
        for pane in 0..1000 {
            bench.mark(Job::Output(PaneId(pane)));
        }
        for _ in 0..100 {
            bench.mark(Job::State);
            bench.pass_with(ms(100), |job| job == Job::State);
        }
        assert_eq!(bench.times(Job::State).len(), 100);
        assert!(bench.begun.len() <= 100 + 41, "{}", bench.begun.len());
    }

    #[test]
    fn one_output_that_always_fails_does_not_hold_up_the_others() {
        let mut bench = Bench::new(10);
        for _ in 0..1000 {
            bench.mark(A);
            bench.mark(B);
            bench.pass_with(ms(10), |job| job == B);
        }
        assert!(bench.times(B).len() >= 5, "{:?}", bench.times(B));
    }

    #[test]
    fn everything_is_taken_at_once_for_a_flush_and_a_forgotten_pane_is_not() {
        let mut bench = Bench::new(10);
        bench.schedule.failed(Job::State, ms(0));
        bench.mark(B);
        bench.mark(A);
        bench.schedule.forget(PaneId(2));
        assert_eq!(bench.schedule.take_all(ms(0)), [Job::State, A]);
        assert_eq!(bench.schedule.take_all(ms(0)), []);
        assert_eq!(bench.schedule.next(ms(60_000)), Next::Idle);
    }

    #[derive(Debug, Clone)]
    enum Step {
        State,
        Output(u64),
        Forget(u64),
        Pass(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            1 => Just(Step::State),
            4 => (0..6_u64).prop_map(Step::Output),
            1 => (0..6_u64).prop_map(Step::Forget),
            3 => (0..700_u64).prop_map(Step::Pass),
        ];
        prop::collection::vec(step, 1..120)
    }

    proptest! {
        #[test]
        fn the_pace_holds_in_every_history(steps in steps(), bytes in 0..(6_usize << 20)) {
            let pace = Pace::default();
            let mut bench = Bench::new(bytes);
            // When each job that is still to be written was first marked.
            let mut marked = HashMap::new();
            for step in steps {
                let job = match step {
                    Step::State => Job::State,
                    Step::Output(pane) => Job::Output(PaneId(pane)),
                    Step::Forget(pane) => {
                        bench.schedule.forget(PaneId(pane));
                        marked.remove(&Job::Output(PaneId(pane)));
                        // The file is gone, so its next write is not a second one.
                        bench.begun.retain(|(_, job)| *job != Job::Output(PaneId(pane)));
                        continue;
                    }
                    Step::Pass(millis) => {
                        let before = bench.begun.len();
                        bench.pass(ms(millis));
                        for (at, job) in &bench.begun[before..] {
                            let since = marked.remove(job);
                            prop_assert!(since.is_some(), "{:?} was written unmarked", job);
                            if *job == Job::State {
                                prop_assert!(*at - since.unwrap_or_default() <= pace.state_gap_max);
                            }
                        }
                        continue;
                    }
                };
                bench.mark(job);
                marked.entry(job).or_insert(bench.now);
            }
            bench.pass(ms(60_000));
            prop_assert_eq!(bench.schedule.next(bench.now), Next::Idle);
            for job in marked.keys() {
                prop_assert!(bench.begun.iter().any(|(_, begun)| begun == job), "{:?} was not written", job);
            }

            for job in (0..6).map(|pane| Job::Output(PaneId(pane))).chain([Job::State]) {
                let gap = if job == Job::State { pace.state_gap } else { pace.output_gap };
                let times = bench.times(job);
                prop_assert!(times.windows(2).all(|pair| ms(pair[1] - pair[0]) >= gap), "{:?} {:?}", job, times);
            }
            let outputs: Vec<Duration> =
                bench.begun.iter().filter(|(_, job)| *job != Job::State).map(|(at, _)| *at).collect();
            for (first, from) in outputs.iter().enumerate() {
                for (last, to) in outputs.iter().enumerate().skip(first) {
                    // What was begun while it was still affordable may go over by one file.
                    let written = (last - first) * bytes;
                    let allowed = pace.bytes_per_second as f64 * (*to - *from + pace.burst).as_secs_f64();
                    prop_assert!(written as f64 <= allowed + 1.0, "{} of {}", written, allowed);
                }
            }
        }

        #[test]
        fn panes_take_turns_when_the_disk_is_the_limit(count in 2..12_u64) {
            let mut bench = Bench::new(4 << 20);
            for _ in 0..400 {
                for pane in 0..count {
                    bench.mark(Job::Output(PaneId(pane)));
                }
                bench.pass(ms(50));
            }
            let written: Vec<usize> =
                (0..count).map(|pane| bench.times(Job::Output(PaneId(pane))).len()).collect();
            let (least, most) = (written.iter().min(), written.iter().max());
            prop_assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1), "{:?}", written);
        }
    }
}
