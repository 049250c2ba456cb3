//! The config file: which keys there are, and where in the file a mistake is.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::pane_tokens::PaneTokens;
use super::wake::Wake;

/// The file as written: what is absent is left to the flags and the defaults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// See [`super::Config::listen`].
    pub listen: Option<SocketAddr>,
    /// See [`super::Config::data_dir`]; `~/` is the home directory.
    pub data_dir: Option<PathBuf>,
    /// See [`super::Config::shell`]; `~/` is the home directory.
    pub shell: Option<PathBuf>,
    /// See [`super::Config::cwd`]; `~/` is the home directory.
    pub cwd: Option<PathBuf>,
    /// See [`super::Config::no_auth`].
    pub no_auth: bool,
    /// See [`super::Config::allowed_hosts`].
    pub allowed_hosts: Vec<String>,
    /// See [`super::Config::allowed_origins`].
    pub allowed_origins: Vec<String>,
    /// See [`super::Config::inherit_env`].
    pub inherit_env: Vec<String>,
    /// See [`super::Config::pane_tokens`].
    pub pane_tokens: PaneTokens,
    /// See [`super::Config::env`].
    pub env: BTreeMap<String, String>,
    /// The table `[input]`.
    pub input: Input,
    /// The table `[output]`.
    pub output: Output,
    /// The table `[layout]`.
    pub layout: Layout,
    /// The table `[respawn]`.
    pub respawn: Respawn,
    /// The table `[connection]`.
    pub connection: Connection,
    /// The table `[wake]`.
    pub wake: Wake,
    /// The table `[limits]`.
    pub limits: Limits,
    /// The table `[host]`.
    pub host: Host,
    /// The table `[nodes]`.
    pub nodes: Nodes,
    /// The table `[client]`.
    pub client: Client,
}

/// `[input]`: what is typed at a pane while no shell can take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Input {
    /// The most that one pane holds, in bytes; more is refused out loud.
    pub held_bytes: usize,
    /// How long it is held, in seconds.
    pub held_secs: u64,
    /// How long it is held for a node that is away, in seconds.
    pub held_away_secs: u64,
    /// The longest that a new shell is waited for before it gets what is held, in milliseconds.
    pub ready_ceiling_ms: u64,
    /// How long after its last connection a client may come back and find its numbered input known, in seconds.
    pub resume_secs: u64,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            held_bytes: 256 << 10,
            held_secs: 30,
            held_away_secs: 60,
            ready_ceiling_ms: 1000,
            resume_secs: 600,
        }
    }
}

/// `[output]`: what of a pane's output is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// Raw output kept in memory for each pane, in bytes: how far a viewer may be behind before it gets a snapshot.
    pub ring_bytes: usize,
    /// Rows of scrollback kept for each pane.
    pub scrollback_lines: usize,
    /// The most memory for that, in bytes for each pane; the oldest rows go.
    pub scrollback_bytes: usize,
    /// Of each pane's screen and scrollback, kept on disk, in bytes.
    pub saved_bytes: usize,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            ring_bytes: 1 << 20,
            scrollback_lines: 10_000,
            scrollback_bytes: 8 << 20,
            saved_bytes: 256 << 10,
        }
    }
}

/// `[layout]`: how changes reach viewers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Layout {
    /// Changes this close together go out as one, in milliseconds.
    pub coalesce_ms: u64,
}

impl Default for Layout {
    fn default() -> Self {
        Self { coalesce_ms: 3 }
    }
}

/// `[respawn]`: what happens when a shell does not start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Respawn {
    /// The wait after the first failure, in milliseconds; it doubles with each.
    pub first_backoff_ms: u64,
    /// Failures in a row after which only an explicit retry is tried.
    pub attempts: u32,
}

impl Default for Respawn {
    fn default() -> Self {
        Self { first_backoff_ms: 250, attempts: 5 }
    }
}

/// `[connection]`: how patient the gateway is with a viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connection {
    /// How often a viewer is pinged, in seconds; more often than proxies end idle connections.
    pub ping_secs: u64,
    /// How long after a ping a viewer that says nothing is taken for gone, in seconds.
    pub pong_within_secs: u64,
    /// How long a viewer may take nothing of what waits for it, in seconds; then it is closed.
    pub stalled_secs: u64,
}

impl Default for Connection {
    fn default() -> Self {
        Self { ping_secs: 15, pong_within_secs: 45, stalled_secs: 60 }
    }
}

/// `[limits]`: bounds of the whole gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Viewers attached at once.
    pub viewers: usize,
    /// Panes in all sessions together.
    pub panes: usize,
    /// Shells being started at once.
    pub spawns: usize,
    /// Requests of scripts at once that wait for something to happen in a pane.
    pub waits: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { viewers: 512, panes: 100_000, spawns: 8, waits: 1024 }
    }
}

/// `[nodes]`: other machines, and this one as one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nodes {
    /// Whether this machine is one: without it the gateway has no PTYs of its own.
    pub local: bool,
    /// How long an agent may be silent, and how long a node that is offline is remembered, in seconds.
    pub ttl_secs: u64,
    /// How long a node with PTYs, which speaks every 5 seconds, may be silent before its panes wait for it, in seconds.
    pub host_silence_secs: u64,
    /// The newest output of each of its PTYs that a node keeps for the gateway, in bytes.
    pub tape_bytes: usize,
    /// What becomes of a program there that prints more than that while there is no gateway.
    pub when_full: WhenFull,
    /// How many may be known at a time.
    pub max: usize,
    /// The only folder of this machine, with all in it, that is shown to whoever looks for a place for a pane; `~/` is
    /// the home directory.
    pub root: PathBuf,
    /// The program of an agent and its arguments; empty: none can be started.
    pub agent_command: Vec<String>,
}

impl Default for Nodes {
    fn default() -> Self {
        Self {
            local: true,
            ttl_secs: 90,
            host_silence_secs: 15,
            tape_bytes: 1 << 20,
            when_full: WhenFull::Wait,
            max: 10_000,
            root: "~".into(),
            agent_command: Vec::new(),
        }
    }
}

/// `[host]`: what runs this machine's shells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Host {
    /// Whether it is a process of its own, so that shells outlive the gateway.
    pub process: bool,
    /// The newest output of each shell that a gateway can take over from the one before, in bytes.
    pub tape_bytes: usize,
    /// What becomes of a shell that prints more than that while there is no gateway.
    pub when_full: WhenFull,
}

impl Default for Host {
    fn default() -> Self {
        Self { process: true, tape_bytes: 1 << 20, when_full: WhenFull::Wait }
    }
}

/// `[client]`: what the commands that talk to a gateway go by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// The gateway that they talk to, as a URL; left out: the one on this machine.
    pub gateway: Option<String>,
    /// The keys with which `attach` detaches, as it takes them in `--detach-keys`.
    pub detach_keys: Option<String>,
    /// The character that does so with a `.` after it, as in `--escape`.
    pub escape: Option<String>,
    /// The key before commands in `attach --layout`, as in `--prefix`.
    pub prefix: Option<String>,
}

/// See [`Host::when_full`] and [`Nodes::when_full`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenFull {
    /// It waits for the next gateway.
    Wait,
    /// It goes on, and its oldest output is lost.
    Drop,
}

/// The dotted path of every key, tables included. What lies below [`FREE_TABLES`] is the user's; [`ANY_NODE`] stands for
/// any key.
pub(super) const KEYS: &[&str] = &[
    "listen",
    "data_dir",
    "shell",
    "cwd",
    "no_auth",
    "allowed_hosts",
    "allowed_origins",
    "inherit_env",
    "pane_tokens",
    "env",
    "input",
    "input.held_bytes",
    "input.held_secs",
    "input.held_away_secs",
    "input.ready_ceiling_ms",
    "input.resume_secs",
    "output",
    "output.ring_bytes",
    "output.scrollback_lines",
    "output.scrollback_bytes",
    "output.saved_bytes",
    "layout",
    "layout.coalesce_ms",
    "respawn",
    "respawn.first_backoff_ms",
    "respawn.attempts",
    "connection",
    "connection.ping_secs",
    "connection.pong_within_secs",
    "connection.stalled_secs",
    "wake",
    "wake.command",
    "wake.http",
    "wake.http.url",
    "wake.http.method",
    "wake.http.headers",
    "wake.timeout_secs",
    "wake.return_secs",
    "wake.attempts",
    "wake.give_up_secs",
    "wake.nodes",
    "wake.nodes.ID",
    "wake.nodes.ID.command",
    "wake.nodes.ID.http",
    "wake.nodes.ID.http.url",
    "wake.nodes.ID.http.method",
    "wake.nodes.ID.http.headers",
    "wake.nodes.ID.timeout_secs",
    "limits",
    "limits.viewers",
    "limits.panes",
    "limits.spawns",
    "limits.waits",
    "host",
    "host.process",
    "host.tape_bytes",
    "host.when_full",
    "nodes",
    "nodes.local",
    "nodes.ttl_secs",
    "nodes.host_silence_secs",
    "nodes.tape_bytes",
    "nodes.when_full",
    "nodes.max",
    "nodes.root",
    "nodes.agent_command",
    "client",
    "client.gateway",
    "client.detach_keys",
    "client.escape",
    "client.prefix",
];

/// The tables whose keys are names of environment variables and of headers.
pub(super) const FREE_TABLES: &[&str] = &["env", "wake.http.headers", "wake.nodes.ID.http.headers"];

/// Any key of [`NODES_TABLE`]. Those are ids of nodes, and what lies below each is alike.
const ANY_NODE: &str = "ID";

/// The table whose keys are ids of nodes.
const NODES_TABLE: &str = "wake.nodes";

/// Reads and understands the file at `path`.
pub(super) fn read(path: &Path) -> Result<Settings, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { file: path.to_owned(), source })?;
    parse(path, &text)
}

/// Understands `text`, the content of `path`.
pub(super) fn parse(path: &Path, text: &str) -> Result<Settings, ConfigError> {
    let invalid = |error: &toml::de::Error, key: &str| ConfigError::Invalid {
        file: path.to_owned(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        message: match key {
            "" | "." => one_line(error.message()),
            key => format!("{key}: {}", one_line(error.message())),
        },
    };
    let document = DeTable::parse(text).map_err(|error| invalid(&error, ""))?;
    if let Some((key, offset)) = unknown_key(document.get_ref(), "") {
        let nearest = nearest(&key);
        return Err(ConfigError::UnknownKey {
            file: path.to_owned(),
            line: line_of(text, offset),
            key,
            nearest,
        });
    }
    let deserializer = toml::Deserializer::parse(text).map_err(|error| invalid(&error, ""))?;
    serde_path_to_error::deserialize(deserializer)
        .map_err(|error| invalid(error.inner(), &error.path().to_string()))
}

/// The first key below `prefix` that is no setting, with its offset in the text.
fn unknown_key(table: &DeTable<'_>, prefix: &str) -> Option<(String, usize)> {
    table
        .iter()
        .filter_map(|(name, value)| {
            let key = known_as(prefix, name.get_ref());
            if !KEYS.contains(&key.as_str()) {
                return Some((key, name.span().start));
            }
            match value.get_ref() {
                DeValue::Table(inner) if !FREE_TABLES.contains(&key.as_str()) => unknown_key(inner, &key),
                _ => None,
            }
        })
        .min_by_key(|(_, offset)| *offset)
}

/// The path that [`KEYS`] has for `name` in the table `prefix`.
pub(super) fn known_as(prefix: &str, name: &str) -> String {
    match prefix {
        "" => name.to_owned(),
        NODES_TABLE => format!("{prefix}.{ANY_NODE}"),
        _ => format!("{prefix}.{name}"),
    }
}

/// The known key most like `key`. The last part counts as well as the whole: the right name in the wrong table
/// is a common slip.
fn nearest(key: &str) -> &'static str {
    let leaf = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    let distance = |known: &str| {
        let whole = strsim::damerau_levenshtein(key, known);
        let last = strsim::damerau_levenshtein(&leaf(key), &leaf(known));
        (whole.min(last + 1), whole)
    };
    KEYS.iter().copied().min_by_key(|known| distance(known)).unwrap_or("listen")
}

/// The line, counted from 1, that the byte at `offset` is in.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
