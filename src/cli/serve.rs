//! `everpane serve`: the gateway, from its settings to its last breath.

use std::fs::DirBuilder;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::signals::Signals;
use super::told::told;
use super::{joining, whereabouts};
use crate::config::{
    self, Config, Connection, Overrides, Surroundings, Token, command_environment, config_file,
    shell_environment,
};
use crate::descriptors;
use crate::gateway::{Gateway, LocalNode, Settings, Told, WakeSettings};
use crate::host::local::LocalHost;
use crate::host::process::{self, Link};
use crate::http::{self, Guard, Health, Patience, SessionTokens};
use crate::node::WakeLimits;
use crate::pane::PaneLimits;
use crate::pane::input::InputLimits;
use crate::pane::respawn::RespawnLimits;
use crate::screen::ScrollbackLimits;
use crate::waker::Providers;

/// How long an orderly end may take. What asked for it may kill us after five seconds.
const GRACE: Duration = Duration::from_millis(4500);

/// How long the runtime may then wait for threads that are stuck in a system call.
const LAST_CALL: Duration = Duration::from_millis(200);

const EXAMPLES: &str = "\
Examples:
  everpane serve
      On this machine only; open the address that it prints.
  everpane serve --listen 0.0.0.0:7433
      Reachable from other machines. Put TLS in front of it, and name its address in allowed_origins.
  everpane serve --shell /usr/bin/fish --cwd ~/src
      What new panes start, and where.
  everpane serve --stop-host
      The shells end with it. Without this they live on; `everpane shutdown` ends them too.
  EVERPANE_TOKEN=$(cat token) everpane serve --config everpane.toml
      With a token of your own and settings from a file.

A config file holds the same names and more; flags win over it:
  listen = \"127.0.0.1:7433\"
  allowed_origins = [\"https://term.example.org\"]
  inherit_env = [\"EDITOR\"]
  [input]
  held_secs = 60";

/// What `serve` can be told.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Where to listen [default: 127.0.0.1:7433]; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where the token, the layout and the last output are kept [default: ~/.local/state/everpane]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The program of a new pane [default: $SHELL, else your login shell]
    #[arg(long, value_name = "PROGRAM")]
    shell: Option<PathBuf>,
    /// The directory of a new pane [default: your home]
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Ask for no token; only on a loopback address. Anyone on this machine can then use your shells
    #[arg(long)]
    no_auth: bool,
    /// How long an agent may be silent, and an offline node is remembered [default: 90]
    #[arg(long, value_name = "SECONDS")]
    node_ttl: Option<u64>,
    /// Have no shells of this machine, only of nodes that join
    #[arg(long)]
    no_local_node: bool,
    /// Read settings from a TOML file [default: ~/.config/everpane/config.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// End the shells with the gateway; without this they live on, for the next one
    #[arg(long)]
    stop_host: bool,
    /// Leave the terminal that we were started from
    #[arg(long, hide = true)]
    background: bool,
}

/// Serves until a signal ends it.
pub(super) fn run(args: Args) -> anyhow::Result<()> {
    if args.background {
        // Who leads a session already has no terminal to leave.
        let _ = rustix::process::setsid();
    }
    let surroundings = Surroundings::here();
    let overrides = Overrides {
        listen: args.listen,
        data_dir: args.data_dir,
        shell: args.shell,
        cwd: args.cwd,
        no_auth: args.no_auth,
        no_local_node: args.no_local_node,
        node_ttl: args.node_ttl,
    };
    let config = Config::load(config_file(args.config).as_deref(), overrides, &surroundings)?
        .resolve(&surroundings)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let outcome = runtime.block_on(serve(config, &surroundings, args.stop_host));
    runtime.shutdown_timeout(LAST_CALL);
    outcome
}

async fn serve(config: Config, surroundings: &Surroundings, stop_host: bool) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    make_private(&config.data_dir)?;
    let listener = bind(config.listen).await?;
    let address = listener.local_addr().context("the listener has no address")?;
    let token = token(&config)?;
    let machine = machine_name();
    let (link, local) = local_node(&config, stop_host).await?;
    let told = told(address, token.as_ref().map(SessionTokens::new), config.pane_tokens);
    // Only now, so that the host begins with the limit that its shells are to have.
    descriptors::raise();
    let gateway = Gateway::with_host(settings(&config, surroundings, told), local)?;
    let roster = joining::open_roster(&config, &machine, gateway.clone())?;
    let find = roster.clone();
    let guard =
        Guard::new(&config, address, &machine, token.as_ref()).with_node_tokens(move |text| find.token(text));
    let watched = gateway.clone();
    let health: Health = Arc::new(move || watched.health().map(|_| "not_saved"));
    let routes = http::mux::routes(gateway.clone(), patience(&config.connection))
        .merge(http::api::routes(gateway.clone(), roster.clone(), token.as_ref()))
        .merge(http::nodes::routes(joining::nodes(&config, roster.clone(), gateway.clone())));
    let router = http::router(guard, health, routes);
    let stop = CancellationToken::new();
    let server = tokio::spawn(http::serve(listener, router, stop.clone()));
    whereabouts::write(&config.data_dir, address);
    announce(&page_address(address, &machine, token.as_ref()));

    let signal = signals.first().await;
    tracing::info!(signal, "shutting down");
    signals.give_way();
    stop.cancel();
    let shells = async {
        match link {
            Some(link) if stop_host => {
                gateway.shutdown().await;
                link.stop().await;
            }
            Some(link) => {
                let left = link.leave().await;
                gateway.shutdown().await;
                say_what_lives_on(left, &config.data_dir);
            }
            None => gateway.shutdown().await,
        }
    };
    if tokio::time::timeout(GRACE, async { tokio::join!(roster.shutdown(), shells, server) }).await.is_err() {
        tracing::warn!("not everything came to its end in time");
    }
    Ok(())
}

/// What runs the shells of this machine, and the link to it, if that is a process of its own.
async fn local_node(config: &Config, stop: bool) -> anyhow::Result<(Option<Link>, Option<LocalNode>)> {
    if !config.nodes.local {
        return Ok((None, None));
    }
    if !config.host.process {
        return Ok((None, Some(LocalNode::new(Arc::new(LocalHost::default())))));
    }
    let settings = process::Settings {
        data_dir: config.data_dir.clone(),
        program: std::env::current_exe().context("cannot tell which program this is")?,
        tape_bytes: config.host.tape_bytes,
        when_full: match config.host.when_full {
            config::WhenFull::Wait => process::WhenFull::Wait,
            config::WhenFull::Drop => process::WhenFull::Drop,
        },
        stop,
    };
    let (link, kept) = Link::connect(settings).await?;
    Ok((Some(link.clone()), Some(LocalNode { host: Arc::new(link), kept })))
}

/// Shells that nobody sees should not be a surprise.
fn say_what_lives_on(shells: usize, data_dir: &Path) {
    if shells > 0 {
        let shells = if shells == 1 { "1 shell lives".to_owned() } else { format!("{shells} shells live") };
        let dir = data_dir.display();
        // Nobody listening there is no reason to fail.
        let _ = writeln!(
            io::stderr(),
            "everpane: {shells} on for the next gateway; `everpane shutdown --data-dir {dir}` ends them"
        );
    }
}

/// The part of the configuration that the gateway itself goes by.
fn settings(config: &Config, surroundings: &Surroundings, told: Told) -> Settings {
    Settings {
        data_dir: Some(config.data_dir.clone()),
        command: vec![config.shell.to_string_lossy().into_owned()],
        cwd: config.cwd.clone(),
        environment: shell_environment(config, surroundings),
        told,
        pane: PaneLimits {
            input: InputLimits {
                bytes: config.input.held_bytes,
                age: Duration::from_secs(config.input.held_secs),
            },
            ring_bytes: config.output.ring_bytes,
            away_age: Duration::from_secs(config.input.held_away_secs),
            ready_ceiling: Duration::from_millis(config.input.ready_ceiling_ms),
            respawn: RespawnLimits {
                first_backoff: Duration::from_millis(config.respawn.first_backoff_ms),
                attempts: config.respawn.attempts,
            },
        },
        scrollback: ScrollbackLimits {
            lines: config.output.scrollback_lines,
            bytes: config.output.scrollback_bytes,
        },
        saved_bytes: config.output.saved_bytes,
        coalesce: Duration::from_millis(config.layout.coalesce_ms),
        wake: WakeSettings {
            providers: Arc::new(Providers::new(&config.wake, &command_environment(config, surroundings))),
            limits: WakeLimits {
                attempts: config.wake.attempts,
                return_within: Duration::from_secs(config.wake.return_secs),
                give_up_after: Duration::from_secs(config.wake.give_up_secs),
            },
        },
        resume_within: Duration::from_secs(config.input.resume_secs),
        max_viewers: config.limits.viewers,
        max_panes: config.limits.panes,
        max_spawns: config.limits.spawns,
        max_waits: config.limits.waits,
    }
}

/// The part of it that viewers' connections go by.
fn patience(connection: &Connection) -> Patience {
    Patience {
        ping_every: Duration::from_secs(connection.ping_secs),
        pong_within: Duration::from_secs(connection.pong_within_secs),
        stalled_after: Duration::from_secs(connection.stalled_secs),
    }
}

fn token(config: &Config) -> anyhow::Result<Option<Token>> {
    match &config.token {
        _ if config.no_auth => Ok(None),
        Some(token) => Ok(Some(token.clone())),
        None => Token::kept_in(&config.data_dir).map(Some),
    }
}

/// Makes the data directory ours alone: what shells printed is nobody else's business. One that is there already
/// keeps its mode, as it may be for more than us; what we put into it is private either way.
fn make_private(dir: &Path) -> anyhow::Result<()> {
    let about = || format!("the data directory {}", dir.display());
    DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(about)
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "cannot listen on {address}: another program has this port, perhaps another everpane; end it, or \
             choose another port with --listen {}",
            SocketAddr::new(address.ip(), 0)
        ),
        ErrorKind::AddrNotAvailable => {
            anyhow!("cannot listen on {address}: this machine has no such address")
        }
        ErrorKind::PermissionDenied => anyhow!(
            "cannot listen on {address}: ports below 1024 are for the system; choose one above with --listen"
        ),
        _ => anyhow!("cannot listen on {address}: {error}"),
    })
}

fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The address to open. Where we listen on every address, the machine's name stands for them.
fn page_address(listen: SocketAddr, machine: &str, token: Option<&Token>) -> String {
    let host = match listen.ip().is_unspecified() {
        true if machine.is_empty() => format!("localhost:{}", listen.port()),
        true => format!("{machine}:{}", listen.port()),
        false => listen.to_string(),
    };
    match token {
        Some(token) => format!("http://{host}/?token={}", percent_encoded(token.secret())),
        None => format!("http://{host}/"),
    }
}

/// Fit for a query.
pub(super) fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Prints the one line on stdout. Nobody listening there is no reason not to serve.
fn announce(address: &str) {
    let mut stdout = io::stdout().lock();
    let printed = writeln!(stdout, "Everpane is at {address}").and_then(|()| stdout.flush());
    if let Err(error) = printed {
        tracing::warn!(%error, "cannot print the address");
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_address_can_be_opened() {
        let token = Token::new("a&b=c/d+sixteen-letters").unwrap();
        let cases = [
            ("127.0.0.1:7433", "box", None, "http://127.0.0.1:7433/"),
            ("[::1]:1", "box", None, "http://[::1]:1/"),
            ("0.0.0.0:1", "box", None, "http://box:1/"),
            ("[::]:1", "", None, "http://localhost:1/"),
            ("127.0.0.1:1", "", Some(&token), "http://127.0.0.1:1/?token=a%26b%3Dc%2Fd%2Bsixteen-letters"),
        ];
        for (listen, machine, token, wanted) in cases {
            assert_eq!(page_address(listen.parse().unwrap(), machine, token), wanted);
        }
    }

    #[test]
    fn the_data_directory_is_made_private() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a/b");
        let mode = || fs::metadata(&dir).unwrap().permissions().mode() & 0o777;
        make_private(&dir).unwrap();
        assert_eq!(mode(), 0o700);
        fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        make_private(&dir).unwrap();
        assert_eq!(mode(), 0o755, "not made by us, not changed by us");
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(make_private(&file).unwrap_err().to_string().starts_with("the data directory "));
    }
}
