//! Finds a text in output that comes in pieces.

use memchr::memmem;

/// See the module.
pub(crate) struct Search<'a> {
    text: &'a str,
    /// The end of what was looked at, in which the text may have begun; then the newest piece.
    seen: Vec<u8>,
}

impl<'a> Search<'a> {
    /// Looks for `text`.
    pub(crate) fn new(text: &'a str) -> Search<'a> {
        Search { text, seen: Vec::new() }
    }

    /// Whether the text ends in this next piece.
    pub(crate) fn found_in(&mut self, piece: &[u8]) -> bool {
        self.seen.drain(..self.seen.len().saturating_sub(self.text.len()));
        self.seen.extend_from_slice(piece);
        memmem::find(&self.seen, self.text.as_bytes()).is_some()
    }
}
