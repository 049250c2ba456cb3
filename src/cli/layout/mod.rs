//! `everpane attach --layout`: the whole layout in a terminal. `run` moves what happens; the rest does no I/O.

mod card;
mod compose;
mod copy;
mod copy_keys;
mod desk;
mod key;
mod keys;
mod mouse;
mod outer;
mod page;
mod picker;
mod popup;
mod prompt;
mod run;
mod search;
mod status;
mod stdin;
mod tiles;

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::str::FromStr;

use self::copy_keys::Editor;
use self::desk::{Desk, Leaving, Settings};
use self::key::Key;
use self::keys::{DEFAULT_PREFIX, parse_prefix};
use super::attach::{configured, open, signal_code, terminal};
use super::failure::{Failure, Kind};
use super::reach::Destination;
use crate::client::Viewport;
use crate::client::mirror::Mirror;
use crate::config::ClientConfig;
use crate::ids::TabId;
use crate::protocol::client::{ClientMessage, SessionCreate, TabSwitch, ViewMode};

/// What `attach --layout` can be told.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct LayoutArgs {
    /// Show sessions, tabs and all panes, with tmux's keys, instead of one pane
    #[arg(long)]
    pub(super) layout: bool,
    /// With --layout: look elsewhere than the other viewers, without moving them
    #[arg(long, requires = "layout")]
    own_view: bool,
    #[arg(long, value_name = "KEY", requires = "layout", help = format!("With --layout: the key before commands [default: {DEFAULT_PREFIX}]"))]
    prefix: Option<Prefix>,
    /// With --layout: leave the mouse to the terminal
    #[arg(long, requires = "layout")]
    no_mouse: bool,
}

/// The key before commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix(Key);

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_prefix(text).map(Prefix)
    }
}

impl Default for Prefix {
    fn default() -> Self {
        DEFAULT_PREFIX.parse().expect("the default is a key")
    }
}

/// What it shares with attaching to one pane.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    /// The session to show: its name or id.
    pub(super) session: Option<String>,
    /// Only look.
    pub(super) read_only: bool,
    /// Have no say in sizes.
    pub(super) no_resize: bool,
}

/// Shows the layout.
///
/// # Errors
/// When the gateway is gone for good, or refuses what is wished; when there is no terminal.
pub(super) fn run(
    args: &LayoutArgs,
    wishes: &Wishes,
    config: &ClientConfig,
    gateway: &Destination,
    quiet: bool,
) -> Result<ExitCode, Failure> {
    let Prefix(prefix) = args.prefix.or(configured("prefix", config.prefix.as_deref())?).unwrap_or_default();
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        let message = "attach needs a terminal; input or output is none";
        return Err(
            Failure::new(Kind::Usage, message).hint("`everpane capture` and `everpane send` need none")
        );
    }
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(|name| std::env::var(name).ok());
    let settings = Settings {
        prefix,
        editor: editor.map_or(Editor::Emacs, |editor| Editor::named(&editor)),
        read_only: wishes.read_only,
        mouse: !args.no_mouse,
    };
    // Who only looks moves nobody else.
    let view = if args.own_view || wishes.read_only { ViewMode::Own } else { ViewMode::Shared };
    let size = Desk::viewport(terminal::size(io::stdout()));
    let viewport = Viewport { size, view, sizing: !wishes.no_resize };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let left = runtime.block_on(attach(gateway, viewport, settings, wishes.session.as_deref()));
    // Nobody waits for a read of the terminal that never ends.
    runtime.shutdown_background();
    let words = match left? {
        Leaving::Detached => "detached",
        Leaving::Empty => "no tab is left",
        Leaving::Signal(name) => return Ok(ExitCode::from(signal_code(name))),
        Leaving::Closed(reason) => return Err(Failure::new(Kind::Refused, reason)),
    };
    if !quiet {
        eprintln!("everpane: {words}");
    }
    Ok(ExitCode::SUCCESS)
}

async fn attach(
    gateway: &Destination,
    viewport: Viewport,
    settings: Settings,
    session: Option<&str>,
) -> Result<Leaving, Failure> {
    let client = open(gateway, viewport).await?;
    let layout = client.layout();
    let first = match session {
        Some(name) => Some(ClientMessage::TabSwitch(TabSwitch { tab_id: tab_of(&layout, name)? })),
        None => None,
    };
    if layout.tabs.is_empty() {
        if settings.read_only {
            return Err(Failure::new(Kind::NotFound, "there is no session yet"));
        }
        let create = SessionCreate { name: None, node: None, cwd: None };
        let made = client.request(ClientMessage::SessionCreate(create)).await;
        made.map_err(|error| Failure::new(Kind::Refused, error.to_string()))?;
    }
    Ok(run::show(client, settings, first).await?)
}

/// The tab to show of a session: the one that everybody looks at, or its first.
fn tab_of(layout: &Mirror, session: &str) -> Result<TabId, Failure> {
    let found = layout.sessions.iter().find(|known| known.name == session || known.id.to_string() == session);
    let not_found = || Failure::new(Kind::NotFound, format!("there is no session `{session}`"));
    let found = found.ok_or_else(not_found)?;
    let shown = layout.active_tab().filter(|tab| tab.session_id == found.id);
    let first = layout.tabs.iter().find(|tab| tab.session_id == found.id);
    shown.or(first).map(|tab| tab.id).ok_or_else(not_found)
}
