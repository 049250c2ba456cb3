//! Changing a piece of output as it is read: nothing is copied until something changes.

use crate::pane::log::OutputBuf;

/// A piece of output on its way through the filter. Changes are made from front to back.
#[derive(Debug)]
pub(super) struct Edit<'a> {
    source: &'a [u8],
    /// How much of `source` is in `changed` or left out.
    settled: usize,
    /// Where the part of `source` ends that is for this piece.
    end: usize,
    /// The clean output so far, once it differs from `source`.
    changed: Option<OutputBuf>,
}

/// What came out of it.
#[derive(Debug)]
pub(super) enum Clean {
    /// So many bytes at the start of the source.
    Start(usize),
    /// Something else.
    Changed(OutputBuf),
}

impl<'a> Edit<'a> {
    pub(super) fn new(source: &'a [u8]) -> Self {
        Self { source, settled: 0, end: source.len(), changed: None }
    }

    /// Leaves out `source[from..to]`, as far as it is not settled; what stands before it is kept.
    pub(super) fn cut(&mut self, from: usize, to: usize) {
        let kept = &self.source[self.settled..from.max(self.settled)];
        self.changed.get_or_insert_with(|| OutputBuf::with_capacity(self.source.len())).push(kept);
        self.settled = to;
    }

    /// Puts `bytes` in front of `source[at]`.
    pub(super) fn insert(&mut self, at: usize, bytes: &[u8]) {
        self.cut(at, at);
        if let Some(changed) = &mut self.changed {
            changed.push(bytes);
        }
    }

    /// Leaves out everything from `source[from]` on that is not settled.
    pub(super) fn end_at(&mut self, from: usize) {
        self.end = from.max(self.settled);
    }

    /// Where in the clean output `source[at]` comes.
    pub(super) fn offset(&self, at: usize) -> usize {
        self.changed.as_ref().map_or(0, |changed| changed.payload().len()) + (at - self.settled)
    }

    pub(super) fn finish(self) -> Clean {
        match self.changed {
            Some(mut changed) => {
                changed.push(&self.source[self.settled..self.end]);
                Clean::Changed(changed)
            }
            None => Clean::Start(self.end),
        }
    }
}
