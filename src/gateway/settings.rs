//! What a gateway is started with.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Wake;
use crate::ids::{PaneId, SessionId};
use crate::node::WakeLimits;
use crate::pane::PaneLimits;
use crate::pane::input::InputLimits;
use crate::pane::respawn::RespawnLimits;
use crate::screen::ScrollbackLimits;
use crate::waker::Providers;

/// Settings of a gateway. [`Settings::default`] is what the documentation calls the defaults.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where state is kept; `None` keeps none.
    pub data_dir: Option<PathBuf>,
    /// The program that panes run, and its arguments.
    pub command: Vec<String>,
    /// Where a session's first pane starts.
    pub cwd: PathBuf,
    /// The environment of the programs in panes, as far as it is the same for all.
    pub environment: Vec<(String, String)>,
    /// What else each of them is told.
    pub told: Told,
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
    /// What wakes nodes that are away.
    pub wake: WakeSettings,
    /// The most viewers at a time.
    pub max_viewers: usize,
    /// The most panes.
    pub max_panes: usize,
    /// The most starts of programs under way at a time; others queue.
    pub max_spawns: usize,
    /// The most requests at a time that wait for something to happen in a pane.
    pub max_waits: usize,
}

/// A program that is about to be started.
#[derive(Debug, Clone, Copy)]
pub struct NewProgram<'a> {
    /// The session that its pane is in.
    pub session: SessionId,
    /// Its pane.
    pub pane: PaneId,
    /// The node that it is started on.
    pub node: &'a str,
}

/// Makes the variables of one program: where it is, and how to reach the gateway from there.
#[derive(Clone)]
pub struct Told(Arc<TellProgram>);

type TellProgram = dyn Fn(NewProgram<'_>) -> Vec<(String, String)> + Send + Sync;

impl Told {
    /// What `tell` says, which must not block.
    pub fn new(tell: impl Fn(NewProgram<'_>) -> Vec<(String, String)> + Send + Sync + 'static) -> Told {
        Told(Arc::new(tell))
    }

    pub(super) fn about(&self, program: NewProgram<'_>) -> Vec<(String, String)> {
        (self.0)(program)
    }
}

impl Default for Told {
    /// The ids of its pane and session.
    fn default() -> Told {
        Told::new(|program| program.ids())
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

impl NewProgram<'_> {
    /// `EVERPANE_PANE` and `EVERPANE_SESSION`.
    #[must_use]
    pub fn ids(&self) -> Vec<(String, String)> {
        let variable = |name: &str, value: String| (name.to_owned(), value);
        vec![
            variable("EVERPANE_PANE", self.pane.to_string()),
            variable("EVERPANE_SESSION", self.session.to_string()),
        ]
    }
}

/// What wakes nodes, and how patiently.
#[derive(Debug, Clone)]
pub struct WakeSettings {
    /// What is called.
    pub providers: Arc<Providers>,
    /// How often, and for how long.
    pub limits: WakeLimits,
}

impl Default for WakeSettings {
    fn default() -> WakeSettings {
        let nothing = Providers::new(&Wake::default(), &[]);
        WakeSettings { providers: Arc::new(nothing), limits: WakeLimits::default() }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            data_dir: None,
            command: vec!["/bin/sh".to_owned()],
            cwd: PathBuf::from("/"),
            environment: Vec::new(),
            told: Told::default(),
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
            wake: WakeSettings::default(),
            max_viewers: 512,
            max_panes: 100_000,
            max_spawns: 8,
            max_waits: 1024,
        }
    }
}
