//! One pane: everything that stays when its PTY dies.

pub mod modes;
pub mod reports;
pub mod scanner;
