//! Joining a stream late on the server: one model against another.

use everpane::geometry::Size;
use everpane::pane::filter::Filter;
use everpane::pane::log::OutputBuf;
use everpane::screen::{Screen, ScrollbackLimits};

use crate::streams::Stream;

const SCROLLBACK: ScrollbackLimits = ScrollbackLimits { lines: 1000, bytes: 1 << 20 };

/// A late screen sees so much of the output after its snapshot at once, in bytes, before it is compared again.
const REST: usize = 512;

/// Joins a stream at about `most` places, all if it is no longer; panics if a screen differs. A snapshot says all that
/// there is to say of a screen, so two are the same if their snapshots are. Returns the number of places.
pub(crate) fn join(stream: &Stream, most: usize) -> usize {
    let step = (stream.bytes.len() / most).max(1);
    let mut early = Follower::new(stream.size);
    let mut places = 0;
    for at in (0..stream.bytes.len()).step_by(step) {
        let place = || format!("{} at {at}", stream.name);
        let mut late = early.late();
        assert!(late.screen.snapshot(usize::MAX) == early.screen.snapshot(usize::MAX), "{}: at once", place());
        let size = Size { cols: stream.size.cols / 2 + 1, rows: stream.size.rows / 2 + 1 };
        let mut seen = early.clone_by_feeding(&stream.bytes[..0]);
        let rest = &stream.bytes[at..stream.bytes.len().min(at + REST)];
        seen.feed(rest);
        late.feed(rest);
        assert!(late.screen.snapshot(usize::MAX) == seen.screen.snapshot(usize::MAX), "{}: later", place());
        let _ = size;
        early.feed(&stream.bytes[at..stream.bytes.len().min(at + step)]);
        places += 1;
    }
    places
}
