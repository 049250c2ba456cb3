//! Joining a stream late on the server: one model of a screen against another.

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Sum;
use std::ops::Add;
use std::thread;

use everpane::geometry::Size;
use everpane::pane::filter::Filter;
use everpane::pane::log::OutputBuf;
use everpane::screen::{Screen, ScrollbackLimits};

use crate::streams::{Numbers, Stream};

/// As much as a pane keeps.
const SCROLLBACK: ScrollbackLimits = ScrollbackLimits { lines: 10_000, bytes: 8 << 20 };

/// More than any of the streams has: a late screen that wraps old rows anew where an early one does not would otherwise
/// drop others.
const ALL_SCROLLBACK: ScrollbackLimits = ScrollbackLimits { lines: usize::MAX, bytes: 64 << 20 };

/// After how many joins a late screen is kept, to be compared once more when the next one is kept.
const LATER: usize = 64;

/// At how many places streams were joined.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Joined {
    streams: usize,
    /// In what programs printed: before, between and after all bytes.
    places: usize,
    /// Those that differ in what viewers get; the others are within a sequence or a character, and as good as before
    /// it.
    cuts: usize,
    /// Cuts at which a late screen was compared with the early one.
    compared: usize,
}

impl Add for Joined {
    type Output = Joined;

    fn add(self, other: Joined) -> Joined {
        Joined {
            streams: self.streams + other.streams,
            places: self.places + other.places,
            cuts: self.cuts + other.cuts,
            compared: self.compared + other.compared,
        }
    }
}

impl Sum for Joined {
    fn sum<I: Iterator<Item = Joined>>(joined: I) -> Joined {
        joined.fold(Joined::default(), Joined::add)
    }
}

impl fmt::Display for Joined {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Joined { streams, places, cuts, compared } = self;
        write!(
            formatter,
            "{streams} streams with {places} places to join at, which are {cuts} cuts; {compared} compared"
        )
    }
}

/// What viewers get of a stream, in as many pieces as it can come in.
pub(crate) struct Cuts<'a> {
    stream: &'a Stream,
    pieces: Vec<Vec<u8>>,
}

impl Cuts<'_> {
    /// Lets a stream through the filter byte by byte. Whoever joins after some byte gets a snapshot of what came out
    /// up to there, in whatever pieces it went in: where nothing came out, that of the byte before.
    pub(crate) fn of(stream: &Stream) -> Cuts<'_> {
        let mut filter = Filter::new();
        let mut feed =
            |bytes: &[u8]| filter.feed(OutputBuf::copy_of(bytes), &mut |_, _| {}).payload().to_vec();
        let pieces = stream.bytes.chunks(1).map(&mut feed).filter(|piece| !piece.is_empty()).collect();
        let cuts = Cuts { stream, pieces };
        filter = Filter::new();
        let whole = filter.feed(OutputBuf::copy_of(&stream.bytes), &mut |_, _| {});
        assert!(
            cuts.pieces.concat() == whole.payload(),
            "{}: cutting it changes what comes out",
            stream.name
        );
        cuts
    }

    pub(crate) fn len(&self) -> usize {
        self.pieces.len() + 1
    }

    /// Joins the stream at every `step`th cut, and panics if the late screen is not the same as the early one. Screens
    /// that are the same go on alike: that is looked at now and then. As many times as asked for the size changes.
    pub(crate) fn join(&self, step: usize, resizes: usize) -> Joined {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let sizes = &self.sizes(resizes);
        thread::scope(|scope| {
            let joins: Vec<_> = (0..threads)
                .map(|thread| scope.spawn(move || self.join_from(thread * step, threads * step, sizes)))
                .collect();
            let compared = joins.into_iter().map(|join| join.join().unwrap()).sum();
            Joined { streams: 1, places: self.stream.bytes.len() + 1, cuts: self.len(), compared }
        })
    }

    /// By cut, the size from there on: about half to twice that at first.
    fn sizes(&self, resizes: usize) -> BTreeMap<usize, Size> {
        let Stream { size, bytes, .. } = self.stream;
        let mixed = |seed: u64, byte: &u8| seed.wrapping_mul(31).wrapping_add(u64::from(*byte));
        let mut numbers = Numbers::from_seed(bytes.iter().fold(0, mixed));
        let mut other = |now: u16| now / 2 + numbers.below(usize::from(now) * 3 / 2 + 3) as u16;
        let mut any_size = |_| Size { cols: other(size.cols).max(2), rows: other(size.rows).max(1) };
        let sizes: Vec<_> = (0..resizes).map(&mut any_size).collect();
        sizes.into_iter().map(|size| (numbers.below(self.len()), size)).collect()
    }

    /// Returns the number of cuts that were compared.
    fn join_from(&self, first: usize, step: usize, sizes: &BTreeMap<usize, Size>) -> usize {
        // Otherwise the allocator gives memory back to the system after each screen.
        drop(std::hint::black_box(Vec::<u8>::with_capacity(16 << 20)));
        let Stream { name, size, .. } = self.stream;
        let scrollback = if !sizes.is_empty() { ALL_SCROLLBACK } else { SCROLLBACK };
        let mut early = Screen::new(*size, scrollback);
        let mut kept: Option<Screen> = None;
        let mut compared = 0;
        for cut in 0..self.len() {
            if cut % step == first {
                let mut late = Screen::new(early.size(), scrollback);
                late.feed(&early.snapshot(usize::MAX));
                assert!(late == early, "{name} after {cut} pieces: at once");
                if compared % LATER == 0 {
                    assert!(kept.is_none_or(|kept| kept == early), "{name} before {cut} pieces: later");
                    kept = Some(late);
                }
                compared += 1;
            }
            for screen in kept.iter_mut().chain([&mut early]) {
                if let Some(piece) = self.pieces.get(cut) {
                    screen.feed(piece);
                }
                if let Some(size) = sizes.get(&cut) {
                    screen.resize(*size);
                }
            }
        }
        assert!(kept.is_none_or(|kept| kept == early), "{name}: at the end");
        compared
    }
}
