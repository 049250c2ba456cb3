//! Everpane: terminal panes that outlive their shells.
//!
//! A *pane* is permanent, a PTY is not. See `ARCHITECTURE.md` for the map of this crate.

pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod descriptors;
pub mod gateway;
pub mod geometry;
pub mod host;
pub mod http;
pub mod ids;
pub mod layout;
pub mod near;
pub mod node;
pub mod pane;
pub mod programs;
pub mod protocol;
pub mod roster;
pub mod screen;
pub mod store;
pub mod waker;
