//! Joining a stream late at many places.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use everpane::pane::filter::Filter;
use everpane::pane::log::OutputBuf;
use everpane::screen::{Screen, ScrollbackLimits};

use crate::browser::{Browser, Cut, Difference, Question};
use crate::streams::Stream;

const SCROLLBACK: ScrollbackLimits = ScrollbackLimits { lines: 100_000, bytes: 64 << 20 };

/// One viewer in so many gets the scrollback as well.
const WITH_SCROLLBACK: usize = 4;

/// How much of a stream a late viewer sees after its snapshot at most, in bytes.
const REST: usize = 64 << 10;

/// How much of the output before a difference is shown, in bytes.
const SHOWN: usize = 60;

/// What came of joining a stream at many places.
pub(crate) struct Tried {
    /// Places in what the program printed, any byte.
    places: usize,
    /// Those with another screen, since a place within a sequence is one before it.
    cuts: Vec<Cut>,
    differences: Vec<Difference>,
    /// What viewers get.
    clean: Vec<u8>,
}

impl Tried {
    /// Joins a stream at about `most` places, all if it is no longer.
    pub(crate) fn join(stream: &Stream, most: usize, browser: &mut Browser) -> Tried {
        let mut filter = Filter::new();
        let mut screen = Screen::new(stream.size, SCROLLBACK);
        let (mut clean, mut snapshots, mut cuts) = (Vec::new(), Vec::new(), Vec::<Cut>::new());
        let step = (stream.bytes.len() / most).max(1);
        let mut pieces = stream.bytes.chunks(step);
        let mut places = 0;
        loop {
            if cuts.last().is_none_or(|last| last.at < clean.len()) {
                let scrollback = cuts.len() % WITH_SCROLLBACK == 0;
                let snapshot = screen.snapshot(if scrollback { usize::MAX } else { 0 });
                cuts.push(Cut { at: clean.len(), snapshot: snapshot.len(), scrollback, rest: 0 });
                snapshots.extend(snapshot);
            }
            places += 1;
            let Some(piece) = pieces.next() else { break };
            let output = filter.feed(OutputBuf::copy_of(piece), &mut |_, _| {});
            screen.feed(output.payload());
            clean.extend_from_slice(output.payload());
        }
        for cut in &mut cuts {
            cut.rest = (clean.len() - cut.at).min(REST);
        }
        let size = stream.size;
        let question = Question { cols: size.cols, rows: size.rows, output: clean.len(), cuts };
        let differences = browser.compare(&question, &clean, &snapshots);
        Tried { places, cuts: question.cuts, differences, clean }
    }

    /// What is wrong, if anything is.
    pub(crate) fn complaint(&self, stream: &Stream) -> Option<String> {
        let first = self.differences.first()?;
        let cut = &self.cuts[first.cut];
        let mut text = format!(
            "{} {}x{}: {} of {} cuts, the first after {} clean bytes{}: {:?}\n",
            stream.name,
            stream.size.cols,
            stream.size.rows,
            self.differing().len(),
            self.cuts.len(),
            cut.at,
            if cut.scrollback { ", with scrollback" } else { "" },
            String::from_utf8_lossy(&self.clean[cut.at.saturating_sub(SHOWN)..cut.at]),
        );
        for Difference { when, early, late, .. } in
            self.differences.iter().filter(|difference| difference.cut == first.cut).take(4)
        {
            text += &format!("  {when}\n    early {early}\n    late  {late}\n");
        }
        Some(text)
    }

    fn differing(&self) -> BTreeSet<usize> {
        self.differences.iter().map(|difference| difference.cut).collect()
    }
}

/// How many viewers of all saw the same.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    streams: usize,
    places: usize,
    cuts: usize,
    differing: usize,
    /// By what the differing lines are about.
    kinds: BTreeMap<String, usize>,
}

impl Figures {
    pub(crate) fn add(&mut self, tried: &Tried) {
        self.streams += 1;
        self.places += tried.places;
        self.cuts += tried.cuts.len();
        self.differing += tried.differing().len();
        for Difference { when, early, late, .. } in &tried.differences {
            let line = if early.is_empty() { late } else { early };
            let about: Vec<_> = line.split(' ').take(2).collect();
            *self.kinds.entry(format!("{when}: {}", about.join(" "))).or_default() += 1;
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { streams, places, cuts, differing, kinds } = self;
        let alike = 100.0 * (cuts - differing) as f64 / (*cuts).max(1) as f64;
        writeln!(
            formatter,
            "{streams} streams, {places} places, {cuts} of them different: {alike:.2} % alike"
        )?;
        kinds.iter().try_for_each(|(kind, count)| writeln!(formatter, "  {count:6} {kind}"))
    }
}
