//! How large a layout may grow.

/// Sessions in a layout.
pub const MAX_SESSIONS: usize = 1_000;
/// Tabs in one session.
pub const MAX_TABS_PER_SESSION: usize = 1_000;
/// Panes in a layout.
pub const MAX_PANES: usize = 100_000;
/// Panes in one tab. An operation may walk through a whole tree, and even at the smallest size a tab of this many
/// panes stays within the coordinates of a terminal.
pub const MAX_PANES_PER_TAB: usize = 10_000;
/// Splits above a pane. Twelve halvings each way leave nothing to see, and readers of JSON commonly give up at 128
/// levels, of which each split takes four.
pub const MAX_DEPTH: usize = 24;
/// Characters in a name.
pub(super) const MAX_NAME_CHARS: usize = 256;
/// What counters of a loaded layout may have reached: the integers that JavaScript holds exactly, which also leaves
/// room to count on without an overflow.
pub(super) const MAX_COUNTER: u64 = 1 << 53;
