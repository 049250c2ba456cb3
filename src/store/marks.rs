//! How the gateway tells the writer that something changed: flags first, so that marking what is already
//! marked costs one atomic swap. At most one request per flag is under way, which bounds the channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, SyncSender};
use std::time::Instant;

use crate::ids::PaneId;

use super::FlushError;

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Request {
    /// The state changed.
    State,
    /// A pane's output grew.
    Output {
        /// Which pane.
        pane: PaneId,
        /// Whose mark it was: lowered when the output is read.
        flag: Flag,
    },
    /// A pane is gone.
    Forget {
        /// Which pane.
        pane: PaneId,
    },
    /// Write everything now.
    Flush {
        /// When to give up.
        until: Instant,
        /// Where the outcome goes; has room for it.
        reply_tx: SyncSender<Result<(), FlushError>>,
    },
    /// Write nothing more.
    Stop,
}

/// Raised by whoever changed something, lowered by the writer before it reads what changed.
///
/// Both sides swap, never just look: a swap sees the latest value. If the raise comes before the writer's
/// lowering, the lowering acquires what was written before the raise, so the read has the change; if it comes
/// after, it finds the flag down and sends a request of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Flag(Arc<AtomicBool>);

impl Flag {
    /// Whether it was down.
    fn raise(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }

    /// Whether it was up.
    pub(super) fn lower(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

/// Says that something changed. Cheap to clone, callable from anywhere; after the store is gone it does nothing.
#[derive(Debug, Clone)]
pub struct Marks {
    /// Up while the state is marked.
    state: Flag,
    /// To the writer.
    request_tx: Sender<Request>,
}

impl Marks {
    pub(super) fn new(request_tx: Sender<Request>) -> Marks {
        Marks { state: Flag::default(), request_tx }
    }

    /// The state changed, and the source already gives the new one.
    pub fn mark_state(&self) {
        if self.state.raise() {
            self.request(Request::State);
        }
    }

    /// A handle for marking one pane's output.
    #[must_use]
    pub fn output_mark(&self, pane: PaneId) -> OutputMark {
        OutputMark { pane, flag: Flag::default(), request_tx: self.request_tx.clone() }
    }

    /// Removes a pane's saved output. The source must already be without the pane.
    pub fn forget_output(&self, pane: PaneId) {
        self.request(Request::Forget { pane });
    }

    pub(super) fn request(&self, request: Request) {
        // Without a receiver the store is gone, and there is nobody left to write anything.
        let _ = self.request_tx.send(request);
    }

    /// The state's flag, for the writer.
    pub(super) fn state_flag(&self) -> &Flag {
        &self.state
    }
}

/// Marks one pane's output as changed: made for a call at every read of a PTY.
#[derive(Debug, Clone)]
pub struct OutputMark {
    /// Which pane.
    pane: PaneId,
    /// Up while it is marked.
    flag: Flag,
    /// To the writer.
    request_tx: Sender<Request>,
}

impl OutputMark {
    /// The output grew, and the source already gives the new bytes.
    pub fn mark(&self) {
        if self.flag.raise() {
            // As in `Marks::request`: a store that is gone needs no marks.
            let _ = self.request_tx.send(Request::Output { pane: self.pane, flag: self.flag.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_mark_is_sent_once_until_it_is_lowered() {
        let (request_tx, request_rx) = mpsc::channel();
        let marks = Marks::new(request_tx);
        let output = marks.output_mark(PaneId(1));
        for _ in 0..1000 {
            marks.mark_state();
            output.mark();
            output.clone().mark();
        }
        let sent: Vec<_> = request_rx.try_iter().collect();
        assert!(
            matches!(&sent[..], [Request::State, Request::Output { pane: PaneId(1), flag }] if flag.lower()),
            "{sent:?}"
        );
        output.mark();
        assert_eq!(request_rx.try_iter().count(), 1);
        drop(request_rx);
        assert!(marks.state_flag().lower());
        marks.mark_state();
    }
}
