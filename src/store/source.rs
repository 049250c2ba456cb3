//! What the store asks the gateway for. Nothing is handed over before it is asked for, so nothing queues.

use bytes::Bytes;

use crate::ids::PaneId;

/// The gateway as the store sees it. Called on the store's thread; locks that the calls take must not be held
/// across a call into the store.
pub trait Source: Send + Sync + 'static {
    /// The state as it is now, as JSON.
    fn state(&self) -> Vec<u8>;

    /// What there is of a pane's output now; `None` if the pane is gone, and its file is then removed.
    fn output(&self, pane: PaneId) -> Option<SavedOutput>;
}

/// The last output of a pane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedOutput {
    /// Position in the pane's whole output, in bytes, of the first byte of `parts`.
    pub offset: u64,
    /// A small JSON document that only the gateway reads, such as the terminal's modes.
    pub meta: Vec<u8>,
    /// The bytes, in order; where they are cut has no meaning.
    pub parts: Vec<Bytes>,
}

impl SavedOutput {
    /// Bytes of output in all parts.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    /// The newest `limit` bytes of it.
    pub(super) fn newest(mut self, limit: usize) -> SavedOutput {
        let mut excess = self.byte_count().saturating_sub(limit);
        self.offset += excess as u64;
        self.parts.retain_mut(|part| {
            let cut = excess.min(part.len());
            excess -= cut;
            drop(part.split_to(cut));
            !part.is_empty()
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_bytes_keep_their_offset() {
        let output = SavedOutput {
            offset: 100,
            meta: b"{}".to_vec(),
            parts: vec!["abc".into(), "de".into(), "f".into()],
        };
        for limit in 0..8 {
            let newest = output.clone().newest(limit);
            let kept = limit.min(6);
            assert_eq!(newest.parts.concat(), b"abcdef"[6 - kept..]);
            assert_eq!(newest.offset, 100 + 6 - kept as u64);
            assert_eq!(newest.meta, output.meta);
        }
    }
}
