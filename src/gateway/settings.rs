//! What a gateway is started with.

use std::path::PathBuf;
use std::time::Duration;

use crate::pane::PaneLimits;
use crate::pane::input::InputLimits;
use crate::pane::respawn::RespawnLimits;
use crate::screen::ScrollbackLimits;

/// Settings of a gateway. [`Settings::default`] is what the documentation calls the defaults.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where state is kept; `None` keeps none.
    pub data_dir: Option<PathBuf>,
    /// The program that panes run, and its arguments.
    pub command: Vec<String>,
    /// Where a session's first pane starts.
    pub cwd: PathBuf,
    /// The whole environment of the programs in panes.
    pub environment: Vec<(String, String)>,
    /// What each pane may hold.
    pub pane: PaneLimits,
    /// How much scrollback each pane's screen keeps.
    pub scrollback: ScrollbackLimits,
    /// How much of each pane's screen and scrollback is kept on disk, in bytes.
    pub saved_bytes: usize,
    /// Changes of the layout within this make one update.
    pub coalesce: Duration,
    /// How long after its last connection a client's input numbers are remembered.
    pub resume_within: Duration,
    /// The most viewers at a time.
    pub max_viewers: usize,
    /// The most panes.
    pub max_panes: usize,
    /// The most starts of programs under way at a time; others queue.
    pub max_spawns: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            data_dir: None,
            command: vec!["/bin/sh".to_owned()],
            cwd: PathBuf::from("/"),
            environment: Vec::new(),
            pane: PaneLimits {
                input: InputLimits { bytes: 256 << 10, age: Duration::from_secs(30) },
                ring_bytes: 1 << 20,
                ready_ceiling: Duration::from_secs(1),
                respawn: RespawnLimits { first_backoff: Duration::from_millis(250), attempts: 5 },
                away_age: Duration::from_secs(60),
            },
            scrollback: ScrollbackLimits { lines: 10_000, bytes: 8 << 20 },
            saved_bytes: 256 << 10,
            coalesce: Duration::from_millis(3),
            resume_within: Duration::from_secs(600),
            max_viewers: 512,
            max_panes: 100_000,
            max_spawns: 8,
        }
    }
}
