//! Joining a stream late on the server: one model of a screen against another.

use std::hash::{DefaultHasher, Hash, Hasher};

use everpane::geometry::Size;
use everpane::pane::filter::Filter;
use everpane::pane::log::OutputBuf;
use everpane::screen::{Screen, ScrollbackLimits};

use crate::streams::Stream;

const SCROLLBACK: ScrollbackLimits = ScrollbackLimits { lines: 1000, bytes: 1 << 20 };

/// After how many places a late screen is compared once more.
const LATER: usize = 7;

/// Joins a stream at about `most` places, all if it is no longer, and panics if a screen differs: at once, or later.
/// In the middle of the stream the size changes, if it is to. Returns the number of places.
pub(crate) fn join(stream: &Stream, most: usize, resized: bool) -> usize {
    let step = stream.bytes.len().div_ceil(most).max(1);
    let pieces: Vec<_> = stream.bytes.chunks(step).collect();
    let Size { cols, rows } = stream.size;
    let resize_at = if resized { pieces.len() / 2 } else { usize::MAX };
    let other_size = Size { cols: cols / 2 + 3, rows: rows / 2 + 2 };
    let mut filter = Filter::new();
    let clean: Vec<OutputBuf> =
        pieces.iter().map(|piece| filter.feed(OutputBuf::copy_of(piece), &mut |_, _| {})).collect();
    let step_into = |screen: &mut Screen, place: usize| {
        screen.feed(clean[place].payload());
        if place == resize_at {
            screen.resize(other_size);
        }
    };

    let mut early = Screen::new(stream.size, SCROLLBACK);
    let mut states = vec![state(&early)];
    for place in 0..clean.len() {
        step_into(&mut early, place);
        states.push(state(&early));
    }
    let mut early = Screen::new(stream.size, SCROLLBACK);
    for place in 0..clean.len() {
        let mut late = Screen::new(early.size(), SCROLLBACK);
        late.feed(&early.snapshot(usize::MAX));
        let bytes = place * step;
        assert!(state(&late) == states[place], "{} after {bytes} bytes: at once", stream.name);
        let until = clean.len().min(place + LATER);
        (place..until).for_each(|place| step_into(&mut late, place));
        assert!(state(&late) == states[until], "{} after {bytes} bytes: later", stream.name);
        step_into(&mut early, place);
    }
    clean.len()
}

/// A snapshot says all that there is to say of a screen: two are the same if their snapshots are.
fn state(screen: &Screen) -> u64 {
    let mut hasher = DefaultHasher::new();
    screen.snapshot(usize::MAX).hash(&mut hasher);
    hasher.finish()
}
