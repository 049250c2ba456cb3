//! One pane: everything that stays when its PTY dies.
