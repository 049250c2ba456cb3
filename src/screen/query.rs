//! What programs ask their terminal: recognised in the output, so that it can be taken out of what viewers get.

/// A whole escape sequence of a program's output, without its introducer and terminator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequence<'a> {
    /// `ESC`, intermediates, final byte.
    Escape {
        /// Bytes from 0x20 to 0x2f; often none.
        intermediates: &'a [u8],
        /// The final byte.
        last: u8,
    },
    /// `CSI`, parameters and intermediates, final byte.
    Control {
        /// Everything between the introducer and the final byte, such as `?2026$`.
        body: &'a [u8],
        /// The final byte.
        last: u8,
    },
    /// An operating system command, such as `10;?`.
    Osc(&'a [u8]),
    /// A device control string, such as `$qm`.
    Dcs(&'a [u8]),
}

/// A question that one terminal, and only one, is to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// A question that is never answered, such as what the clipboard holds.
    Unanswered,
}

impl Query {
    /// The question that a sequence asks, if it asks one.
    #[must_use]
    pub fn of(_sequence: Sequence<'_>) -> Option<Query> {
        None
    }
}
