//! Which panes' output this client gets, how far in it each of them is, and what the gateway is still to be told of
//! that. Pure.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::geometry::Size;
use crate::ids::PaneId;
use crate::protocol::WINDOW_LOW_BYTES;
use crate::protocol::client::WatchPane;
use crate::protocol::frame::{Channel, OUTPUT_HEADER, OutputKind, RESTART_SIZE};

/// Output that was taken in is told of after so many bytes: not at every key.
const TOLD_EVERY: u64 = 4096;

// Or a window that was full might never open again.
const _: () = assert!(TOLD_EVERY < WINDOW_LOW_BYTES);

/// The largest snapshot, in bytes; no screen with the scrollback that a gateway keeps comes near it.
const MAX_SNAPSHOT_BYTES: usize = 64 << 20;

/// How a pane is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watching {
    /// How many rows of scrollback come along with the first snapshot.
    pub history: u32,
    /// Every byte comes, and the program is slowed down rather than one left out.
    pub lossless: bool,
}

/// A frame from the gateway, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFrame {
    /// What it holds.
    pub kind: OutputKind,
    /// The offset of its first byte or, of a snapshot, that of the first byte after it.
    pub offset: u64,
    /// The pane.
    pub channel: Channel,
    /// The bytes.
    pub payload: Bytes,
}

impl OutputFrame {
    /// Takes a frame apart; none if it is none, or one of a kind that this version does not know.
    #[must_use]
    pub fn parse(frame: Bytes) -> Option<OutputFrame> {
        let header: &[u8; OUTPUT_HEADER] = frame.first_chunk()?;
        let kind = match header[0] {
            1 => OutputKind::Output,
            2 => OutputKind::Restart,
            3 => OutputKind::RestartPart,
            _ => return None,
        };
        let offset = header[1..9].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let channel = header[9..].iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
        let payload = frame.slice(OUTPUT_HEADER..);
        Some(OutputFrame { kind, offset, channel: Channel(channel), payload })
    }
}

/// What a pane's terminal is to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// What follows what it has.
    Output {
        /// The offset of its first byte.
        offset: u64,
        /// The bytes.
        bytes: Bytes,
    },
    /// A screen in place of whatever it shows.
    Restart {
        /// The offset of the first byte after it.
        offset: u64,
        /// How large the pane is.
        size: Size,
        /// What draws the screen; begins with a full reset.
        bytes: Vec<u8>,
    },
}

/// One pane's watch.
#[derive(Debug, Default)]
struct Watch {
    how: Watching,
    /// The offset of the first byte that has not come; none before the first.
    position: Option<u64>,
    /// The parts of a snapshot that have come.
    parts: Vec<u8>,
    /// Up to where the gateway knows that output was taken in; none if it knows nothing since a snapshot.
    told: Option<u64>,
    /// What it is to be told next.
    owed: Option<u64>,
}

/// All watches.
#[derive(Debug, Default)]
pub struct Watches {
    watches: BTreeMap<PaneId, Watch>,
}

impl Watches {
    /// Begins to watch a pane, or to watch it in another way; returns what the gateway is to be asked for.
    pub fn add(&mut self, pane: PaneId, how: Watching) -> WatchPane {
        self.watches.insert(pane, Watch { how, ..Watch::default() });
        WatchPane { pane_id: pane, offset: None, history: how.history, lossless: how.lossless }
    }

    /// Ends a watch. Whether there was one.
    pub fn remove(&mut self, pane: PaneId) -> bool {
        self.watches.remove(&pane).is_some()
    }

    /// Forgets panes that are no more.
    pub fn retain(&mut self, is_open: impl Fn(PaneId) -> bool) {
        self.watches.retain(|pane, _| is_open(*pane));
    }

    /// A new connection: what it is to be asked for, to go on where the last one ended.
    pub fn resume(&mut self) -> Vec<WatchPane> {
        let resume = |(pane, watch): (&PaneId, &mut Watch)| {
            watch.parts = Vec::new();
            (watch.told, watch.owed) = (None, None);
            let history = if watch.position.is_none() { watch.how.history } else { 0 };
            WatchPane { pane_id: *pane, offset: watch.position, history, lossless: watch.how.lossless }
        };
        self.watches.iter_mut().map(resume).collect()
    }

    /// The watched panes.
    pub fn panes(&self) -> impl Iterator<Item = PaneId> {
        self.watches.keys().copied()
    }

    /// Whether every byte of a pane is wanted.
    #[must_use]
    pub fn is_lossless(&self, pane: PaneId) -> bool {
        self.watches.get(&pane).is_some_and(|watch| watch.how.lossless)
    }

    /// What the pane's terminal is to be given of a frame. Nothing of one that belongs to an earlier watch.
    pub fn take(&mut self, pane: PaneId, frame: OutputFrame) -> Option<Piece> {
        let watch = self.watches.get_mut(&pane)?;
        match frame.kind {
            OutputKind::Output => {
                let next = watch.position.as_mut().filter(|position| **position == frame.offset)?;
                *next += frame.payload.len() as u64;
                Some(Piece::Output { offset: frame.offset, bytes: frame.payload })
            }
            OutputKind::RestartPart => {
                if watch.parts.len() + frame.payload.len() <= MAX_SNAPSHOT_BYTES {
                    watch.parts.extend_from_slice(&frame.payload);
                }
                None
            }
            OutputKind::Restart => {
                let (&[c1, c0, r1, r0], last) = frame.payload.split_first_chunk::<RESTART_SIZE>()?;
                let size = Size::clamped(u16::from_be_bytes([c1, c0]), u16::from_be_bytes([r1, r0]));
                let mut bytes = std::mem::take(&mut watch.parts);
                bytes.extend_from_slice(last);
                watch.position = Some(frame.offset);
                (watch.told, watch.owed) = (None, None);
                Some(Piece::Restart { offset: frame.offset, size, bytes })
            }
        }
    }

    /// The pane's terminal has taken everything in up to an offset.
    pub fn consumed(&mut self, pane: PaneId, offset: u64) {
        let Some(watch) = self.watches.get_mut(&pane) else { return };
        // What came before the output was cut back says nothing about what came since.
        let Some(position) = watch.position.filter(|position| offset <= *position) else { return };
        let is_due = watch.told.is_none_or(|told| offset >= told.saturating_add(TOLD_EVERY));
        // What the next gateway goes on from is not ahead of what who must get every byte has told.
        if is_due || (watch.how.lossless && offset == position) {
            (watch.told, watch.owed) = (Some(offset), Some(offset));
        }
    }

    /// What the gateway is to be told next: a pane, and up to where its output was taken in.
    pub fn next_owed(&mut self) -> Option<(PaneId, u64)> {
        self.watches.iter_mut().find_map(|(pane, watch)| Some((*pane, watch.owed.take()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::frame::{output_frame, restart_frames};

    const PANE: PaneId = PaneId(1);

    fn output(offset: u64, bytes: &'static [u8]) -> OutputFrame {
        OutputFrame::parse(output_frame(OutputKind::Output, offset, Channel(7), &[bytes])).unwrap()
    }

    fn watched() -> Watches {
        let mut watches = Watches::default();
        watches.add(PANE, Watching::default());
        watches
    }

    fn restart(watches: &mut Watches, offset: u64, snapshot: &[u8]) -> Option<Piece> {
        let frames = restart_frames(offset, Channel(7), 80, 24, snapshot);
        frames.into_iter().filter_map(|frame| watches.take(PANE, OutputFrame::parse(frame).unwrap())).last()
    }

    #[test]
    fn a_snapshot_of_many_parts_is_put_together() {
        let mut watches = watched();
        let snapshot: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        let wanted = Piece::Restart { offset: 9, size: Size { cols: 80, rows: 24 }, bytes: snapshot.clone() };
        assert_eq!(restart(&mut watches, 9, &snapshot), Some(wanted));
    }

    #[test]
    fn output_is_taken_where_it_follows_and_nowhere_else() {
        let mut watches = watched();
        assert_eq!(watches.take(PANE, output(0, b"of an earlier watch")), None);
        restart(&mut watches, 100, b"screen");
        let piece = Piece::Output { offset: 100, bytes: Bytes::from_static(b"ab") };
        assert_eq!(watches.take(PANE, output(100, b"ab")), Some(piece));
        assert_eq!(watches.take(PANE, output(100, b"ab")), None, "no byte comes twice");
        assert_eq!(watches.resume()[0].offset, Some(102));
        assert_eq!(watches.take(PaneId(2), output(102, b"c")), None, "nobody watches it");
    }

    #[test]
    fn what_was_taken_in_is_told_after_a_snapshot_and_now_and_then() {
        let mut watches = watched();
        restart(&mut watches, 100, b"screen");
        watches.take(PANE, output(100, &[b'x'; 10_000]));
        let mut told = |offset| {
            watches.consumed(PANE, offset);
            watches.next_owed()
        };
        assert_eq!(told(100), Some((PANE, 100)), "the snapshot");
        assert_eq!(told(101), None);
        assert_eq!(told(100 + TOLD_EVERY), Some((PANE, 100 + TOLD_EVERY)));
        assert_eq!(told(10_099), Some((PANE, 10_099)));
        assert_eq!(told(10_100), None, "the gateway goes on all the same");
        assert_eq!(told(99_999), None, "what has not come was not taken in");
    }

    #[test]
    fn who_must_get_every_byte_tells_of_the_last_one_too() {
        let mut watches = Watches::default();
        watches.add(PANE, Watching { history: 0, lossless: true });
        restart(&mut watches, 100, b"screen");
        watches.take(PANE, output(100, b"abc"));
        watches.consumed(PANE, 103);
        assert_eq!(watches.next_owed(), Some((PANE, 103)));
        watches.take(PANE, output(103, b"de"));
        watches.consumed(PANE, 104);
        assert_eq!(watches.next_owed(), None);
        watches.consumed(PANE, 105);
        assert_eq!(watches.next_owed(), Some((PANE, 105)));
    }

    #[test]
    fn history_is_asked_for_once() {
        let mut watches = Watches::default();
        let how = Watching { history: 50, lossless: true };
        assert_eq!(watches.add(PANE, how).history, 50);
        assert_eq!(watches.resume()[0].history, 50, "nothing has come yet");
        restart(&mut watches, 0, b"");
        let again = &watches.resume()[0];
        assert_eq!((again.history, again.lossless, again.offset), (0, true, Some(0)));
    }

    #[test]
    fn frames_that_make_no_sense_are_none() {
        for frame in [&b""[..], b"\x01\0\0", &[9; 20]] {
            assert_eq!(OutputFrame::parse(Bytes::copy_from_slice(frame)), None);
        }
    }
}
