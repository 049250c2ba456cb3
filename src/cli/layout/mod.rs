//! `everpane attach --layout`: the whole layout in a terminal. `run` moves what happens; the rest does no I/O.

mod card;
mod compose;
mod copy;
mod copy_keys;
mod desk;
mod guard;
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

use tokio_tungstenite::tungstenite::http::HeaderValue;

use self::copy_keys::Editor;
use self::desk::{Desk, Leaving, Settings};
use self::keys::{DEFAULT_PREFIX, parse_prefix};
use super::failure::{Failure, Kind};
use super::reach::{Destination, Reach};
use crate::client::dialling::DialError;
use crate::client::mirror::Mirror;
use crate::client::{Client, Options, Viewport};
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
    /// With --layout: the key before commands
    #[arg(long, value_name = "KEY", default_value = DEFAULT_PREFIX, requires = "layout")]
    prefix: String,
    /// With --layout: leave the mouse to the terminal
    #[arg(long, requires = "layout")]
    no_mouse: bool,
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
pub(super) fn run(args: &LayoutArgs, wishes: &Wishes, reach: &Reach) -> Result<(), Failure> {
    let prefix = parse_prefix(&args.prefix)
        .map_err(|error| Failure::new(Kind::Usage, format!("--prefix: {error}")))?;
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
    let options = options(args, wishes, &reach.find()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let left = runtime.block_on(attach(options, settings, wishes.session.as_deref()));
    // Nobody waits for a read of the terminal that never ends.
    runtime.shutdown_background();
    match left? {
        Leaving::Detached => println!("[detached]"),
        Leaving::Empty => println!("[exited: no tab is left]"),
        Leaving::Closed(reason) => return Err(Failure::new(Kind::Unreachable, reason)),
    }
    Ok(())
}

fn options(args: &LayoutArgs, wishes: &Wishes, gateway: &Destination) -> Result<Options, Failure> {
    let address = gateway.websocket("/mux");
    let address =
        address.parse().map_err(|error| Failure::new(Kind::Usage, format!("{address}: {error}")))?;
    let header =
        gateway.token.as_ref().map(|token| HeaderValue::try_from(format!("Bearer {}", token.secret())));
    let token =
        header.transpose().map_err(|error| Failure::new(Kind::Usage, format!("the token: {error}")))?;
    // Who only looks moves nobody else.
    let view = if args.own_view || wishes.read_only { ViewMode::Own } else { ViewMode::Shared };
    let size = Desk::viewport(guard::size());
    Ok(Options { address, token, viewport: Viewport { size, view, sizing: !wishes.no_resize } })
}

async fn attach(options: Options, settings: Settings, session: Option<&str>) -> Result<Leaving, Failure> {
    let client = Client::open(options).await.map_err(unreachable)?;
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

fn unreachable(error: DialError) -> Failure {
    let kind = match error {
        DialError::Unauthorized | DialError::Refused(_) => Kind::Refused,
        DialError::Silent | DialError::Unreachable(_) => Kind::Unreachable,
    };
    Failure::new(kind, format!("the gateway: {error}"))
}
