//! What a client tells its owner, kept until the owner asks. Pure.

use std::collections::VecDeque;
use std::time::Instant;

use super::watches::Piece;
use crate::geometry::Size;
use crate::ids::PaneId;

/// How many losses of input are kept for an owner that does not ask; the oldest goes.
const MAX_LOSSES: usize = 64;

/// The most output that is kept for an owner, in bytes. A gateway that keeps to its windows comes nowhere near it.
pub(super) const MAX_WAITING_BYTES: usize = 80 << 20;

/// How the connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Up: the layout is known, and input is on its way.
    Connected,
    /// Down. It is tried again, for as long as it takes.
    Reconnecting {
        /// Since when.
        since: Instant,
        /// The number of the try under way, or that comes next; from 1.
        attempt: u32,
        /// When that comes; none while it is under way.
        until: Option<Instant>,
        /// Why the last connection ended, for people.
        reason: String,
    },
    /// Down for good.
    Closed(Closed),
}

/// Why there will be no connection any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The gateway wants a token, or another one.
    #[error("the gateway does not know this token")]
    Unauthorized,
    /// It answers, and will not talk to us: another address, another version.
    #[error("the gateway refused the connection: {0}")]
    Refused(String),
    /// This client goes on over another connection.
    #[error("this client connected again elsewhere")]
    Superseded,
    /// Somebody had the gateway close it.
    #[error("somebody closed this connection")]
    Dismissed,
    /// The owner closed it.
    #[error("closed")]
    Left,
}

/// Input that was typed and did not arrive, or may not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The pane that it was for, where that is known.
    pub pane: Option<PaneId>,
    /// The gateway's code (docs/protocol.md, "Errors"), or `input_unknown` if nobody knows whether it arrived,
    /// `input_interrupted` if an interrupt key went past it, `unknown_pane` if its pane was closed.
    pub code: String,
    /// What happened, for people.
    pub message: String,
    /// How much it was.
    pub bytes: usize,
}

/// The owner's terminal, as it comes back from the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Returned {
    /// What was typed last and is for the owner to look at.
    pub keys: Vec<u8>,
    /// The last byte that was typed before that and passed on to the pane, if any was.
    pub passed: Option<u8>,
    /// Whether it was not given back, but is here as the connection is gone: it may show what was not told of.
    pub is_lost: bool,
}

/// What a client tells its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The connection changed.
    Status(Status),
    /// The layout changed, or something about a pane, or a notice.
    Layout,
    /// A pane was watched: what comes before the offset `head` is history.
    Watching {
        /// The pane.
        pane: PaneId,
        /// The offset of the first byte that is new.
        head: u64,
        /// How many bytes after those that had come are left out, since a snapshot takes their place; none where that
        /// is not known.
        missed: Option<u64>,
    },
    /// Output of a watched pane. To be answered with `consumed(offset + bytes.len())` once it was taken in.
    Output {
        /// The pane.
        pane: PaneId,
        /// The offset of the first byte.
        offset: u64,
        /// The bytes: whole characters and whole sequences, but for long strings.
        bytes: Vec<u8>,
    },
    /// A screen in place of what a watched pane showed. To be answered with `consumed(offset)`.
    Restart {
        /// The pane.
        pane: PaneId,
        /// The offset of the first byte after it.
        offset: u64,
        /// How large the pane is now.
        size: Size,
        /// What draws it, from a full reset on.
        bytes: Vec<u8>,
    },
    /// The gateway has the owner's terminal: all output that follows is there already.
    Lent,
    /// The owner has its terminal again: no output that follows is there. Comes once for each time it was offered.
    Returned(Returned),
    /// Input did not arrive.
    Lost(Loss),
    /// Something was refused that no answer was asked for.
    Refused {
        /// What kind, for programs.
        code: String,
        /// Why, for people.
        message: String,
    },
}

/// Events in their order; those of one pane are joined, so that an owner that is slow costs little.
#[derive(Debug, Default)]
pub(super) struct Events {
    queue: VecDeque<Event>,
    /// How much output is in it, in bytes.
    bytes: usize,
    losses: usize,
    /// Whether the layout changed.
    layout: bool,
    status: Option<Status>,
}

impl Events {
    pub(super) fn status(&mut self, status: Status) {
        self.status = Some(status);
    }

    pub(super) fn layout(&mut self) {
        self.layout = true;
    }

    pub(super) fn push(&mut self, event: Event) {
        if matches!(event, Event::Lost(_) | Event::Refused { .. }) {
            if self.losses == MAX_LOSSES {
                let oldest = |event: &Event| matches!(event, Event::Lost(_) | Event::Refused { .. });
                self.queue.iter().position(oldest).map(|at| self.queue.remove(at));
                self.losses -= 1;
            }
            self.losses += 1;
        }
        if let Event::Watching { pane, .. } = event {
            self.queue.retain(|other| !matches!(other, Event::Watching { pane: of, .. } if *of == pane));
        }
        self.queue.push_back(event);
    }

    /// Output for a pane. Whether there was room for it.
    pub(super) fn output(&mut self, pane: PaneId, piece: Piece, lossless: bool) -> bool {
        match piece {
            Piece::Output { offset, bytes } => {
                self.bytes += bytes.len();
                match self.queue.back_mut() {
                    Some(Event::Output { pane: last, bytes: before, .. }) if *last == pane => {
                        before.extend_from_slice(&bytes);
                    }
                    _ => self.queue.push_back(Event::Output { pane, offset, bytes: bytes.to_vec() }),
                }
            }
            Piece::Restart { offset, size, bytes } => {
                if !lossless {
                    self.forget(pane);
                }
                self.bytes += bytes.len();
                self.queue.push_back(Event::Restart { pane, offset, size, bytes });
            }
        }
        self.bytes <= MAX_WAITING_BYTES
    }

    /// Forgets output of a pane that was not asked for yet; but not what the owner's terminal shows already, since it was
    /// lent.
    pub(super) fn forget(&mut self, pane: PaneId) {
        let shown = self.queue.iter().rposition(|event| matches!(event, Event::Returned(_))).unwrap_or(0);
        let mut at = 0;
        self.queue.retain(|event| {
            at += 1;
            at <= shown || output_of(event).is_none_or(|(of, _)| of != pane)
        });
        self.bytes = self.queue.iter().filter_map(output_of).map(|(_, bytes)| bytes).sum();
    }

    /// The next event, if there is one.
    pub(super) fn next(&mut self) -> Option<Event> {
        if let Some(status) = self.status.take() {
            return Some(Event::Status(status));
        }
        if std::mem::take(&mut self.layout) {
            return Some(Event::Layout);
        }
        let event = self.queue.pop_front()?;
        self.bytes -= output_of(&event).map_or(0, |(_, bytes)| bytes);
        self.losses -= usize::from(matches!(event, Event::Lost(_) | Event::Refused { .. }));
        Some(event)
    }
}

/// The pane and the length of output.
fn output_of(event: &Event) -> Option<(PaneId, usize)> {
    match event {
        Event::Output { pane, bytes, .. } | Event::Restart { pane, bytes, .. } => Some((*pane, bytes.len())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const PANE: PaneId = PaneId(1);

    fn output(events: &mut Events, pane: PaneId, offset: u64, bytes: &'static [u8]) {
        assert!(events.output(pane, Piece::Output { offset, bytes: Bytes::from_static(bytes) }, false));
    }

    #[test]
    fn output_of_a_pane_is_joined_and_a_snapshot_takes_its_place() {
        let mut events = Events::default();
        output(&mut events, PANE, 0, b"ab");
        output(&mut events, PANE, 2, b"cd");
        output(&mut events, PaneId(2), 0, b"x");
        let other = Event::Output { pane: PaneId(2), offset: 0, bytes: b"x".to_vec() };
        assert_eq!(events.next(), Some(Event::Output { pane: PANE, offset: 0, bytes: b"abcd".to_vec() }));
        output(&mut events, PANE, 4, b"ef");
        let size = Size::DEFAULT;
        assert!(events.output(PANE, Piece::Restart { offset: 9, size, bytes: b"screen".to_vec() }, false));
        assert_eq!(events.next(), Some(other));
        assert_eq!(
            events.next(),
            Some(Event::Restart { pane: PANE, offset: 9, size, bytes: b"screen".to_vec() })
        );
        assert_eq!((events.next(), events.bytes), (None, 0));
    }

    #[test]
    fn what_a_lent_terminal_shows_is_told_of_whatever_follows() {
        let mut events = Events::default();
        events.push(Event::Lent);
        output(&mut events, PANE, 0, b"shown");
        events.push(Event::Returned(Returned::default()));
        output(&mut events, PANE, 5, b"not shown");
        let size = Size::DEFAULT;
        assert!(events.output(PANE, Piece::Restart { offset: 14, size, bytes: b"screen".to_vec() }, false));
        let told: Vec<Event> = std::iter::from_fn(|| events.next()).collect();
        assert_eq!(
            told,
            [
                Event::Lent,
                Event::Output { pane: PANE, offset: 0, bytes: b"shown".to_vec() },
                Event::Returned(Returned::default()),
                Event::Restart { pane: PANE, offset: 14, size, bytes: b"screen".to_vec() },
            ]
        );
        assert_eq!(events.bytes, 0);
    }

    #[test]
    fn of_what_changes_often_the_newest_is_told() {
        let mut events = Events::default();
        events.layout();
        events.layout();
        events.status(Status::Connected);
        events.status(Status::Closed(Closed::Left));
        assert_eq!(events.next(), Some(Event::Status(Status::Closed(Closed::Left))));
        assert_eq!((events.next(), events.next()), (Some(Event::Layout), None));
    }

    #[test]
    fn losses_are_bounded() {
        let mut events = Events::default();
        for number in 0..2 * MAX_LOSSES {
            let loss = Loss { pane: None, code: String::new(), message: String::new(), bytes: number };
            events.push(Event::Lost(loss));
        }
        let Some(Event::Lost(first)) = events.next() else { panic!("a loss") };
        assert_eq!((first.bytes, events.queue.len()), (MAX_LOSSES, MAX_LOSSES - 1));
    }
}
