//! `everpane attach`: a pane in our own terminal.

mod canvas;
mod escape;
mod lending;
mod notice;
mod picker;
mod recorder;
mod session;
pub(super) mod stdio;
pub(super) mod terminal;

use std::io::{self, IsTerminal};
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::Context;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

use self::escape::{DetachKeys, EscapeCharacter, Escapes};
use self::session::{End, Rights, Session};
use super::api::Api;
use super::background::{self, Found};
use super::failure::{Failure, Kind};
use super::layout;
use super::reach::{Destination, Reach};
use super::target::pane_path;
use crate::client::dialling::DialError;
use crate::client::mirror::Mirror;
use crate::client::watches::Watching;
use crate::client::{Client, Closed, Options, Viewport};
use crate::config::ClientConfig;
use crate::ids::PaneId;
use crate::protocol::api::{Made, NewSession, PaneRecord, SessionList};
use crate::protocol::client::ViewMode;

const EXAMPLES: &str = "\
Examples:
  everpane attach
      The only pane; of several, one that is picked from a list.
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
    /// Which pane: an id, a name or session:tab.pane [default: the only one, or one picked from a list]
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
    /// The keys that detach, or `none` [default: the config file's, else ctrl-\ ctrl-\]
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<DetachKeys>,
    /// The character that detaches with a `.` after it, at the start of a line; or `none` [default: the config file's, else ~]
    #[arg(long, value_name = "CHARACTER")]
    escape: Option<EscapeCharacter>,
    #[command(flatten)]
    layout: layout::LayoutArgs,
    #[command(flatten)]
    reach: Reach,
}

/// The keys that are not for the pane.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OwnKeys {
    detach: DetachKeys,
    escape: EscapeCharacter,
}

/// Shows the pane until somebody detaches.
pub(super) fn run(args: &Args, quiet: bool) -> Result<ExitCode, Failure> {
    if args.layout.layout {
        let wishes = layout::Wishes {
            session: args.target.clone(),
            read_only: args.read_only,
            no_resize: args.no_resize,
        };
        let Found { gateway, .. } = background::found_or_started(&args.reach)?;
        check_nesting(args, None, gateway.pane_around().as_deref())?;
        let config = args.reach.client_config()?;
        return layout::run(&args.layout, &wishes, &config, &gateway, quiet);
    }
    let is_terminal = io::stdout().is_terminal();
    check_streams(args, is_terminal)?;
    let keys = own_keys(args, &args.reach.client_config()?)?;
    let Found { gateway, is_new } = background::found_or_started(&args.reach)?;
    let api = Api::new(gateway.clone());
    let target = match &args.target {
        Some(target) => Some(api.get::<PaneRecord>(&pane_path(target))?.id),
        None if is_new => first_pane(&api)?,
        None => None,
    };
    let around = gateway.pane_around();
    check_nesting(args, target, around.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start a runtime")?;
    let attaching = Attaching { args: args.clone(), keys, gateway, around, quiet };
    // A task of its own: before what it blocks on itself, a runtime asks the system for news each time.
    let ended = runtime.block_on(async { tokio::spawn(attaching.attach(target, is_terminal)).await });
    // Threads may be waiting for what nobody will type.
    runtime.shutdown_background();
    outcome(ended.unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))?, quiet)
}

/// The settings in the table `[client]` that cannot be, and why.
pub(super) fn wrong_keys(config: &ClientConfig) -> Vec<(&'static str, String)> {
    let ClientConfig { detach_keys, escape, prefix, .. } = config;
    let checked = [
        ("detach_keys", configured::<DetachKeys>("detach_keys", detach_keys.as_deref()).err()),
        ("escape", configured::<EscapeCharacter>("escape", escape.as_deref()).err()),
        ("prefix", configured::<layout::Prefix>("prefix", prefix.as_deref()).err()),
    ];
    checked.into_iter().filter_map(|(key, failure)| Some((key, failure?.message))).collect()
}

/// Flags win over the config file, and that over the defaults.
fn own_keys(args: &Args, config: &ClientConfig) -> Result<OwnKeys, Failure> {
    let detach = configured("detach_keys", config.detach_keys.as_deref())?;
    let escape = configured("escape", config.escape.as_deref())?;
    Ok(OwnKeys {
        detach: args.detach_keys.clone().or(detach).unwrap_or_default(),
        escape: args.escape.or(escape).unwrap_or_default(),
    })
}

/// A setting of the table `[client]`.
pub(super) fn configured<T: FromStr<Err = String>>(
    key: &str,
    text: Option<&str>,
) -> Result<Option<T>, Failure> {
    let wrong =
        |text: &str, why| Failure::new(Kind::Usage, format!("client.{key} = {text} cannot be: {why}"));
    text.map(|text| text.parse().map_err(|why: String| wrong(text, why))).transpose()
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

/// Everything that is known before the gateway is connected to.
struct Attaching {
    args: Args,
    keys: OwnKeys,
    gateway: Destination,
    /// The pane of that gateway that we are in.
    around: Option<String>,
    quiet: bool,
}

impl Attaching {
    async fn attach(self, target: Option<PaneId>, is_terminal: bool) -> Result<End, Failure> {
        let Attaching { args, keys, quiet, .. } = self;
        let sizing = is_terminal && !args.no_resize && !args.read_only;
        let viewport = Viewport { size: terminal::size(io::stdout()), view: ViewMode::Own, sizing };
        let client = open(&self.gateway, viewport).await?;
        // One for the picker and the pane, since a thread that reads can't be told to stop.
        let mut input = is_terminal.then(stdio::Input::new);
        let picked = match (target, &mut input) {
            (Some(pane), _) => Ok(pane),
            (None, Some(input)) if client.layout().channels.len() > 1 => {
                let around = self.around.as_deref().and_then(|pane| pane.parse().ok());
                picker::show::pick(&client, input, around).await?
            }
            (None, _) => Ok(only_pane(&client.layout())?),
        };
        let pane = match picked {
            Ok(pane) => pane,
            Err(ended) => {
                client.close().await;
                return Ok(ended);
            }
        };
        check_nesting(&args, Some(pane), self.around.as_deref())?;
        client.watch(pane, Watching { history: 0, lossless: args.lossless });
        let Some(input) = input else {
            let ended = recorder::record(&client, pane).await?;
            client.close().await;
            return Ok(ended);
        };
        if !quiet {
            eprintln!("everpane: {}", welcome(&keys, pane));
        }
        let escapes = Escapes::new(keys.detach, keys.escape);
        let rights = Rights { read_only: args.read_only, resizes: sizing };
        Ok(Session::new(client, pane, rights, escapes).run(input).await?)
    }
}

/// A lasting connection to a gateway.
///
/// # Errors
/// When the gateway can't be reached, or does not want us.
pub(super) async fn open(gateway: &Destination, viewport: Viewport) -> Result<Client, Failure> {
    let address = gateway.websocket("/mux").parse().context("the gateway's address")?;
    let header = |secret: &str| {
        let mut header = HeaderValue::from_str(&format!("Bearer {secret}"))?;
        header.set_sensitive(true);
        anyhow::Ok(header)
    };
    let token =
        gateway.token.as_ref().map(|token| header(token.secret())).transpose().context("the token")?;
    let name = gateway.name();
    Client::open(Options { address, token, viewport }).await.map_err(|error| match error {
        DialError::Unauthorized => {
            Failure::new(Kind::Refused, format!("the gateway at {name} does not know this token"))
                .hint("set EVERPANE_TOKEN, or give --token")
        }
        DialError::Refused(StatusCode::FORBIDDEN) => {
            Failure::new(Kind::Refused, format!("the gateway at {name} does not let us attach"))
                .hint("a pane's own token is for commands only; set EVERPANE_TOKEN, or give --token")
        }
        DialError::Refused(_) => Failure::new(Kind::Refused, format!("the gateway at {name}: {error}")),
        DialError::Silent | DialError::Unreachable(_) => {
            Failure::new(Kind::Unreachable, format!("cannot reach the gateway at {name}: {error}"))
                .hint("`everpane doctor` looks further; `everpane serve` starts one on this machine")
        }
    })
}

/// The pane of a session that is made here, if there is none yet.
fn first_pane(api: &Api) -> Result<Option<PaneId>, Failure> {
    let SessionList { sessions, .. } = api.get("/sessions")?;
    match sessions.is_empty() {
        true => Ok(api.post::<Made>("/sessions", &NewSession::default())?.pane),
        false => Ok(None),
    }
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

/// A pane that shows itself would never come to rest, and one within another has two of everything. `around` is the one
/// that we are in, and `pane` the other if it is known already.
fn check_nesting(args: &Args, pane: Option<PaneId>, around: Option<&str>) -> Result<(), Failure> {
    let Some(ours) = around else { return Ok(()) };
    if pane.is_some_and(|pane| pane.to_string() == ours) {
        return Err(Failure::new(Kind::Refused, format!("{ours} is the pane that we are in"))
            .hint("attach from outside, or to another pane"));
    }
    if args.nested {
        return Ok(());
    }
    let other = pane.map_or_else(|| "PANE".to_owned(), |pane| pane.to_string());
    let hint = format!("`everpane focus {other}` shows the other pane; `--nested` attaches all the same");
    Err(Failure::new(Kind::Refused, format!("we are in a pane ({ours}) of that gateway already")).hint(hint))
}

fn welcome(keys: &OwnKeys, pane: PaneId) -> String {
    let OwnKeys { detach, escape } = keys;
    let keys = (*detach != DetachKeys::none()).then(|| format!("{detach} detaches"));
    let character = escape.0.map(char::from).map(|character| format!("{character}. after Enter"));
    let ways: Vec<_> = [keys, character].into_iter().flatten().collect();
    match ways.is_empty() {
        true => format!("attached to {pane}"),
        false => format!("attached to {pane}; {}", ways.join(", or ")),
    }
}

fn outcome(ended: End, quiet: bool) -> Result<ExitCode, Failure> {
    let words = match ended {
        End::Detached => "detached",
        End::Unpicked => "no pane was picked",
        End::PaneClosed => "the pane was closed",
        End::TerminalGone => return Ok(ExitCode::SUCCESS),
        End::Signal(name) => return Ok(ExitCode::from(signal_code(name))),
        End::Closed(closed @ (Closed::Unauthorized | Closed::Refused(_) | Closed::Dismissed)) => {
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
pub(super) fn signal_code(name: &str) -> u8 {
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
        let welcome =
            |words: &[&str]| welcome(&own_keys(&args(words), &ClientConfig::default()).unwrap(), PaneId(1));
        assert_eq!(welcome(&[]), r"attached to p1; ctrl-\ ctrl-\ detaches, or ~. after Enter");
        assert_eq!(
            welcome(&["--escape", "none", "--detach-keys", "^Q d"]),
            "attached to p1; ctrl-q d detaches"
        );
        assert_eq!(welcome(&["--escape", "none", "--detach-keys", "none"]), "attached to p1");
    }

    #[test]
    fn flags_win_over_the_config_file_and_that_over_the_defaults() {
        let config = |detach_keys: &str, escape: &str| ClientConfig {
            detach_keys: Some(detach_keys.to_owned()),
            escape: Some(escape.to_owned()),
            ..ClientConfig::default()
        };
        let said = |words: &[&str], config| welcome(&own_keys(&args(words), &config).unwrap(), PaneId(1));
        let file = config("ctrl-a d", "%");
        assert_eq!(said(&[], file.clone()), "attached to p1; ctrl-a d detaches, or %. after Enter");
        assert_eq!(said(&["--escape", "none"], file), "attached to p1; ctrl-a d detaches");
        for (config, wanted) in
            [(config("ctrl", "~"), &["detach_keys"][..]), (config("ctrl", "no"), &["detach_keys", "escape"])]
        {
            let wrong = wrong_keys(&config);
            assert_eq!(wrong.iter().map(|(key, _)| *key).collect::<Vec<_>>(), wanted);
            assert!(wrong.iter().all(|(key, why)| why.contains(&format!("client.{key} = "))), "{wrong:?}");
            assert_eq!(own_keys(&args(&[]), &config).unwrap_err().kind, Kind::Usage);
        }
    }

    #[test]
    fn no_pane_is_attached_to_from_within_itself() {
        let check = |words: &[&str], pane, around| check_nesting(&args(words), pane, around);
        assert!(check(&[], Some(PaneId(1)), None).is_ok());
        assert!(check(&["--nested"], Some(PaneId(1)), Some("p1")).is_err());
        assert!(check(&["--nested"], Some(PaneId(2)), Some("p1")).is_ok());
        assert!(check(&[], Some(PaneId(2)), Some("p1")).is_err());
        assert!(check(&[], None, Some("p1")).is_err());
    }
}
