//! How much of one pane's output a native viewer may be sent before it says that it has taken in what it got.

use std::time::Instant;

use crate::protocol::{WINDOW_BYTES, WINDOW_LOW_BYTES};

/// See the module. All offsets are offsets of the pane's output.
#[derive(Debug)]
pub(super) struct Window {
    /// The viewer has taken in everything before this.
    consumed: u64,
    /// Where the snapshot that was sent last stands.
    snapshot: u64,
    /// Since when nothing more may be sent, or, later, when the viewer last took something in.
    waits_since: Option<Instant>,
}

impl Window {
    /// The window of a viewer that has everything before `offset`.
    pub(super) fn new(offset: u64) -> Window {
        Window { consumed: offset, snapshot: offset, waits_since: None }
    }

    /// Whether output may be sent to a viewer that was sent everything before `cursor`. Once it may not, it may
    /// again when nearly everything has been taken in.
    pub(super) fn takes_output(&mut self, cursor: u64, now: Instant) -> bool {
        self.look(cursor.saturating_sub(self.consumed.max(self.snapshot)) < WINDOW_BYTES, now)
    }

    /// Whether a snapshot may be sent: not before the last one has been taken in.
    pub(super) fn takes_snapshot(&mut self, now: Instant) -> bool {
        self.look(self.consumed >= self.snapshot, now)
    }

    fn look(&mut self, open: bool, now: Instant) -> bool {
        let open = open && self.waits_since.is_none();
        if !open {
            self.waits_since.get_or_insert(now);
        }
        open
    }

    /// A snapshot as of `offset` is sent.
    pub(super) fn sent_snapshot(&mut self, offset: u64) {
        self.snapshot = offset;
    }

    /// The viewer has taken in everything before `offset`, of all before `cursor` that it was sent. Whether more
    /// may be sent again.
    pub(super) fn took_in(&mut self, offset: u64, cursor: u64, now: Instant) -> bool {
        let offset = offset.min(cursor);
        if offset <= self.consumed {
            return false;
        }
        self.consumed = offset;
        let Some(since) = &mut self.waits_since else { return false };
        *since = now;
        let open = self.consumed >= self.snapshot && cursor - self.consumed <= WINDOW_LOW_BYTES;
        if open {
            self.waits_since = None;
        }
        open
    }

    /// The offset before which the viewer has said to have taken everything in.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Since when the viewer, which has more to take in, has taken in nothing.
    pub(super) fn stuck_since(&self) -> Option<Instant> {
        self.waits_since
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_full_window_opens_when_it_is_nearly_empty() {
        let now = Instant::now();
        let mut window = Window::new(0);
        assert!(window.takes_output(WINDOW_BYTES - 1, now));
        assert!(!window.takes_output(WINDOW_BYTES, now));
        assert_eq!(window.stuck_since(), Some(now));
        assert!(!window.took_in(WINDOW_BYTES / 2, WINDOW_BYTES, now));
        assert!(!window.takes_output(WINDOW_BYTES, now), "half empty is not enough");
        assert!(window.took_in(WINDOW_BYTES - WINDOW_LOW_BYTES, WINDOW_BYTES, now));
        assert_eq!(window.stuck_since(), None);
        assert!(window.takes_output(WINDOW_BYTES, now));
    }

    #[test]
    fn one_snapshot_is_on_its_way_at_most() {
        let now = Instant::now();
        let mut window = Window::new(0);
        assert!(window.takes_snapshot(now));
        window.sent_snapshot(1 << 30);
        assert!(window.takes_output(1 << 30, now), "what follows the snapshot may go out with it");
        assert!(!window.takes_snapshot(now));
        assert!(window.took_in(1 << 30, 1 << 30, now));
        assert!(window.takes_snapshot(now));
    }

    #[test]
    fn what_was_never_sent_is_not_taken_in() {
        let now = Instant::now();
        let mut window = Window::new(0);
        assert!(!window.takes_output(WINDOW_BYTES, now));
        assert!(window.took_in(u64::MAX, WINDOW_BYTES, now));
        assert!(window.takes_output(WINDOW_BYTES, now));
        assert!(!window.takes_output(2 * WINDOW_BYTES, now));
    }

    proptest! {
        #[test]
        fn never_more_than_the_window_and_one_frame_is_unconsumed(
            steps in proptest::collection::vec((any::<bool>(), 1u64..65_536), 1..400),
        ) {
            let now = Instant::now();
            let (mut window, mut cursor, mut consumed) = (Window::new(0), 0u64, 0u64);
            for (send, bytes) in steps {
                if send {
                    if window.takes_output(cursor, now) {
                        cursor += bytes;
                    }
                } else {
                    consumed = cursor.min(consumed + bytes);
                    window.took_in(consumed, cursor, now);
                }
                prop_assert!(cursor - consumed < WINDOW_BYTES + 65_536);
                // A viewer that has taken in everything never waits.
                prop_assert!(cursor > consumed || window.takes_output(cursor, now));
            }
        }
    }
}
