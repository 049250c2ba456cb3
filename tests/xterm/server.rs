//! Joining a stream late on the server: one model of a screen against another.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;
use std::thread;

use everpane::geometry::Size;
use everpane::pane::filter::Filter;
use everpane::pane::log::OutputBuf;
use everpane::screen::{Screen, ScrollbackLimits};

use crate::streams::Stream;

/// As much as a pane keeps.
const SCROLLBACK: ScrollbackLimits = ScrollbackLimits { lines: 10_000, bytes: 8 << 20 };

/// How much of it takes part in a change of size, in screens. Rows above keep their length, while a late screen cuts
/// them to its own; so there are none where the size changes.
const RESIZED_SCREENS: usize = 3;

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
    /// that are the same go on alike: that is looked at now and then. In the middle of the stream the size changes,
    /// if it is to.
    pub(crate) fn join(&self, step: usize, resized: bool) -> Joined {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let joins: Vec<_> = (0..threads)
                .map(|thread| scope.spawn(move || self.join_from(thread * step, threads * step, resized)))
                .collect();
            let compared = joins.into_iter().map(|join| join.join().unwrap()).sum();
            Joined { streams: 1, places: self.stream.bytes.len() + 1, cuts: self.len(), compared }
        })
    }

    /// Returns the number of cuts that were compared.
    fn join_from(&self, first: usize, step: usize, resized: bool) -> usize {
        // Otherwise the allocator gives memory back to the system after each screen.
        drop(std::hint::black_box(Vec::<u8>::with_capacity(16 << 20)));
        let Stream { name, size, .. } = self.stream;
        let lines = if resized { RESIZED_SCREENS * usize::from(size.rows) } else { SCROLLBACK.lines };
        let scrollback = ScrollbackLimits { lines, ..SCROLLBACK };
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
            let resize = (resized && cut == self.len() / 2).then(|| other_size(early.size()));
            for screen in kept.iter_mut().chain([&mut early]) {
                if let Some(piece) = self.pieces.get(cut) {
                    screen.feed(piece);
                }
                if let Some(size) = resize {
                    screen.resize(size);
                }
            }
        }
        assert!(kept.is_none_or(|kept| kept == early), "{name}: at the end");
        compared
    }
}

fn other_size(Size { cols, rows }: Size) -> Size {
    Size { cols: cols / 2 + 3, rows: rows / 2 + 2 }
}
