//! `everpane attach`: a pane in our own terminal.

mod canvas;
mod escape;
mod notice;
mod recorder;
mod session;
mod stdio;
mod terminal;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use anyhow::Context;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use self::escape::{DetachKeys, EscapeCharacter, Escapes};
use self::session::{End, Rights, Session};
use super::api::Api;
use super::background;
use super::failure::{Failure, Kind};
use super::layout;
use super::reach::{Destination, Reach};
use super::target::pane_path;
use crate::client::dialling::DialError;
use crate::client::mirror::Mirror;
use crate::client::watches::Watching;
use crate::client::{Client, Closed, Options, Viewport};
use crate::ids::PaneId;
use crate::protocol::api::PaneRecord;
use crate::protocol::client::ViewMode;

const EXAMPLES: &str = "\
Examples:
  everpane attach
      The only session; of several, one to be chosen.
  everpane attach work
      The active pane of the session `work`.
  everpane attach --read-only work:build.1
      A certain pane, only to look.
  everpane attach --layout
      All tabs and panes, with the keys of tmux; ctrl-b ? shows them.
  everpane attach --lossless p3 > recording
      Everything that the pane prints from now on, as it is.

To leave, press ctrl-\\ twice, or type ~. after Enter. ~~ types one ~. The pane and its program stay.
Of a pane that is larger than the terminal, the part around the cursor is shown.";

/// What `attach` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Which pane: an id, a name or session:tab.pane [default: the only session's active one]
    target: Option<String>,
    /// Only look: nothing that is typed is sent, and the pane keeps its size
    #[arg(long)]
    read_only: bool,
    /// Leave the pane's size to others
    #[arg(long)]
    no_resize: bool,
    /// Get every byte, and let the program wait if we are slow
    #[arg(long)]
    lossless: bool,
    /// Attach although this is a pane of the same gateway
    #[arg(long)]
    nested: bool,
    /// The keys that detach, or `none`
    #[arg(long, value_name = "KEYS", default_value = r"ctrl-\ ctrl-\")]
    detach_keys: DetachKeys,
    /// The character that detaches with a `.` after it, at the start of a line; or `none`
    #[arg(long, value_name = "CHARACTER", default_value = "~")]
    escape: EscapeCharacter,
    #[command(flatten)]
    layout: layout::LayoutArgs,
    #[command(flatten)]
    reach: Reach,
}

/// Shows the pane until somebody detaches.
pub(super) fn run(args: &Args, quiet: bool) -> Result<ExitCode, Failure> {
    if args.layout.layout {
        let wishes = layout::Wishes {
            session: args.target.clone(),
            read_only: args.read_only,
            no_resize: args.no_resize,
        };
        return layout::run(&args.layout, &wishes, &args.reach).map(|()| ExitCode::SUCCESS);
    }
    let is_terminal = io::stdout().is_terminal();
    check_streams(args, is_terminal)?;
    let gateway = background::found_or_started(&args.reach)?;
    let target = match &args.target {
        Some(target) => Some(Api::new(gateway.clone()).get::<PaneRecord>(&pane_path(target))?.id),
        None => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start a runtime")?;
    let ended = runtime.block_on(attach(args, &gateway, target, is_terminal, quiet));
    // Threads may be waiting for what nobody will type.
    runtime.shutdown_background();
    outcome(ended?, quiet)
}

/// Whether our input and output are fit for what is asked.
fn check_streams(args: &Args, is_terminal: bool) -> Result<(), Failure> {
    let usage = |message: &str, hint: &str| Err(Failure::new(Kind::Usage, message).hint(hint));
    if !is_terminal && !args.lossless && !args.read_only {
        return usage(
            "stdout is no terminal",
            "`--lossless` or `--read-only` records what the pane prints; `everpane capture` prints its screen",
        );
    }
    if is_terminal && !io::stdin().is_terminal() {
        return usage("stdin is no terminal", "`everpane send` and `everpane paste` type into a pane");
    }
    Ok(())
}

async fn attach(
    args: &Args,
    gateway: &Destination,
    target: Option<PaneId>,
    is_terminal: bool,
    quiet: bool,
) -> Result<End, Failure> {
    let sizing = is_terminal && !args.no_resize && !args.read_only;
    let client = open(gateway, sizing).await?;
    let pane = match target {
        Some(pane) => pane,
        None => only_pane(&client.layout())?,
    };
    check_nesting(args, gateway, pane, &std::env::var("EVERPANE_PANE").unwrap_or_default())?;
    client.watch(pane, Watching { history: 0, lossless: args.lossless });
    if !is_terminal {
        let ended = recorder::record(&client, pane).await?;
        client.close().await;
        return Ok(ended);
    }
    if !quiet {
        eprintln!("everpane: {}", welcome(args, pane));
    }
    let escapes = Escapes::new(args.detach_keys.clone(), args.escape);
    let rights = Rights { read_only: args.read_only, resizes: sizing };
    Ok(Session::new(client, pane, rights, escapes).run().await?)
}

async fn open(gateway: &Destination, sizing: bool) -> Result<Client, Failure> {
    let address = gateway.websocket("/mux").parse().context("the gateway's address")?;
    let header = |secret: &str| {
        let mut header = HeaderValue::from_str(&format!("Bearer {secret}"))?;
        header.set_sensitive(true);
        anyhow::Ok(header)
    };
    let token =
        gateway.token.as_ref().map(|token| header(token.secret())).transpose().context("the token")?;
    let viewport = Viewport { size: terminal::size(io::stdout()), view: ViewMode::Own, sizing };
    let name = gateway.name();
    Client::open(Options { address, token, viewport }).await.map_err(|error| match error {
        DialError::Unauthorized => {
            Failure::new(Kind::Refused, format!("the gateway at {name} does not know this token"))
                .hint("set EVERPANE_TOKEN, or give --token")
        }
        DialError::Refused(_) => Failure::new(Kind::Refused, format!("the gateway at {name}: {error}")),
        DialError::Silent | DialError::Unreachable(_) => {
            Failure::new(Kind::Unreachable, format!("cannot reach the gateway at {name}: {error}"))
                .hint("`everpane serve` starts one")
        }
    })
}

/// The active pane of the only session.
fn only_pane(layout: &Mirror) -> Result<PaneId, Failure> {
    match &layout.sessions[..] {
        [] => Err(Failure::new(Kind::NotFound, "there is no session").hint("`everpane new` makes one")),
        [_] => layout.active_pane().ok_or_else(|| Failure::new(Kind::NotFound, "there is no pane")),
        several => {
            let names: Vec<_> = several.iter().map(|session| session.name.as_str()).collect();
            let message = format!("there are several sessions: {}", names.join(", "));
            Err(Failure::new(Kind::Usage, message).hint("name one, as in `everpane attach NAME`"))
        }
    }
}

/// A pane that shows itself would never come to rest, and one within another has two of everything.
fn check_nesting(args: &Args, gateway: &Destination, pane: PaneId, ours: &str) -> Result<(), Failure> {
    let their_gateway = std::env::var("EVERPANE_GATEWAY").ok();
    let is_same = their_gateway.is_none_or(|theirs| theirs.trim_end_matches('/') == gateway.name());
    if ours.is_empty() || !is_same {
        return Ok(());
    }
    if ours == pane.to_string() {
        return Err(Failure::new(Kind::Refused, format!("{pane} is the pane that we are in"))
            .hint("attach from outside, or to another pane"));
    }
    if args.nested {
        return Ok(());
    }
    let message = format!("this is a pane ({ours}) of that gateway already");
    let hint = format!("`everpane focus {pane}` shows the other pane; `--nested` attaches all the same");
    Err(Failure::new(Kind::Refused, message).hint(hint))
}

fn welcome(args: &Args, pane: PaneId) -> String {
    let keys = (args.detach_keys != DetachKeys::none()).then(|| format!("{} detaches", args.detach_keys));
    let character = args.escape.0.map(char::from).map(|character| format!("{character}. after Enter"));
    let ways: Vec<_> = [keys, character].into_iter().flatten().collect();
    match ways.is_empty() {
        true => format!("attached to {pane}"),
        false => format!("attached to {pane}; {}", ways.join(", or ")),
    }
}

fn outcome(ended: End, quiet: bool) -> Result<ExitCode, Failure> {
    let words = match ended {
        End::Detached => "detached",
        End::PaneClosed => "the pane was closed",
        End::TerminalGone => return Ok(ExitCode::SUCCESS),
        End::Signal(name) => return Ok(ExitCode::from(signal_code(name))),
        End::Closed(closed @ (Closed::Unauthorized | Closed::Refused(_))) => {
            return Err(Failure::new(Kind::Refused, closed.to_string()));
        }
        End::Closed(closed) => return Err(Failure::new(Kind::Other, closed.to_string())),
    };
    if !quiet {
        eprintln!("everpane: {words}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The exit code of a program that a signal ended, as shells count.
fn signal_code(name: &str) -> u8 {
    match name {
        "SIGHUP" => 129,
        "SIGINT" => 130,
        _ => 143,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        args: Args,
    }

    fn args(words: &[&str]) -> Args {
        Alone::parse_from([&["attach"], words].concat()).args
    }

    #[test]
    fn what_detaches_is_said() {
        let welcome = |words: &[&str]| welcome(&args(words), PaneId(1));
        assert_eq!(welcome(&[]), r"attached to p1; ctrl-\ ctrl-\ detaches, or ~. after Enter");
        assert_eq!(
            welcome(&["--escape", "none", "--detach-keys", "^Q d"]),
            "attached to p1; ctrl-q d detaches"
        );
        assert_eq!(welcome(&["--escape", "none", "--detach-keys", "none"]), "attached to p1");
    }
}
