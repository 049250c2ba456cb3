//! Everpane: terminal panes that outlive their shells.
//!
//! A *pane* is permanent, a PTY is not. See `ARCHITECTURE.md` for the map of this crate.

pub mod clock;
pub mod gateway;
pub mod geometry;
pub mod host;
pub mod ids;
pub mod layout;
pub mod pane;
pub mod programs;
pub mod protocol;
