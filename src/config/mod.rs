//! Every setting of the gateway: flags win over the file, the file over the defaults. Checked once, here; what
//! comes out is what the rest of the crate believes.

mod check;
mod environment;
mod file;
mod pane_tokens;
mod problems;
mod token;
mod wake;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

pub use environment::{Surroundings, command_environment, shell_environment};
pub use file::{Client, Connection, Host, Input, Layout, Limits, Nodes, Output, Respawn, Settings, WhenFull};
pub use pane_tokens::PaneTokens;
pub use problems::{ConfigProblem, problems};
pub(crate) use token::hex;
pub use token::{Token, TokenError};
pub use wake::{NODE_PLACEHOLDER, Wake, WakeHttp, WakeNode};

/// The port that everyone expects the gateway at.
pub const DEFAULT_PORT: u16 = 7433;

/// What the command line may override; absent means "as the file says, or the default".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--shell`.
    pub shell: Option<PathBuf>,
    /// `--cwd`.
    pub cwd: Option<PathBuf>,
    /// `--no-auth`.
    pub no_auth: bool,
    /// `--no-local-node`.
    pub no_local_node: bool,
    /// `--node-ttl`, in seconds.
    pub node_ttl: Option<u64>,
}

/// All settings, complete and within their bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where to listen; port 0 lets the system choose one.
    pub listen: SocketAddr,
    /// Where the token, the layout and the panes' last output are kept.
    pub data_dir: PathBuf,
    /// The program of a new pane. A bare name is looked up in `PATH` by [`Config::resolve`].
    pub shell: PathBuf,
    /// The directory in which a new pane starts.
    pub cwd: PathBuf,
    /// No token is asked for. Only ever true on a loopback address.
    pub no_auth: bool,
    /// Host names, each with or without a port, that requests may be addressed to beyond the loopback ones.
    pub allowed_hosts: Vec<String>,
    /// Origins (`https://term.example.org`) whose pages may use the gateway beyond its own. Their hosts are
    /// allowed as well.
    pub allowed_origins: Vec<String>,
    /// Names of environment variables that shells and wake commands get beyond the usual ones.
    pub inherit_env: Vec<String>,
    /// Which programs in panes get a token that reaches their session alone, as `EVERPANE_PANE_TOKEN`.
    pub pane_tokens: PaneTokens,
    /// Variables set for every shell; these win over inherited ones.
    pub env: BTreeMap<String, String>,
    /// The access token from `EVERPANE_TOKEN`; `None` means the one kept in the data directory.
    pub token: Option<Token>,
    /// Input that waits for a shell.
    pub input: Input,
    /// Output that is kept.
    pub output: Output,
    /// How layout changes reach viewers.
    pub layout: Layout,
    /// How a shell that fails to start is tried again.
    pub respawn: Respawn,
    /// How patient the gateway is with a viewer.
    pub connection: Connection,
    /// How nodes that sleep are woken.
    pub wake: Wake,
    /// Bounds of the whole gateway.
    pub limits: Limits,
    /// What runs this machine's shells.
    pub host: Host,
    /// Other machines, and this one as one of them.
    pub nodes: Nodes,
}

/// Why there is no configuration. Each is one line that says what to change.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the config file {}", file.display())]
    Unreadable {
        /// The file asked for.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML, or a value is of the wrong type.
    #[error("{}:{line}: {message}", file.display())]
    Invalid {
        /// The file at fault.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there, on one line.
        message: String,
    },
    /// A key that is no setting.
    #[error("{}:{line}: there is no setting `{key}`; did you mean `{nearest}`?", file.display())]
    UnknownKey {
        /// The file at fault.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The dotted path of the unknown key.
        key: String,
        /// The most similar key there is.
        nearest: &'static str,
    },
    /// A value out of its bounds, from the file or from a flag.
    #[error("{key} = {value} cannot be: {allowed}")]
    Value {
        /// The dotted path of the setting.
        key: Cow<'static, str>,
        /// The value given.
        value: String,
        /// What is allowed, in words.
        allowed: String,
    },
    /// A token that protects nothing or cannot be sent.
    #[error("EVERPANE_TOKEN")]
    Token(#[from] TokenError),
    /// A default that needs a home directory, and there is none.
    #[error("there is no home directory to take a default from; set {key}")]
    NoHome {
        /// The setting that has to be given.
        key: &'static str,
    },
}

impl Config {
    /// Reads `file`, if one is named, and puts `overrides` on top.
    pub fn load(
        file: Option<&Path>,
        overrides: Overrides,
        surroundings: &Surroundings,
    ) -> Result<Self, ConfigError> {
        let settings = match file {
            Some(path) => file::read(path)?,
            None => Settings::default(),
        };
        Self::merge(settings, overrides, surroundings)
    }

    fn merge(settings: Settings, flags: Overrides, surroundings: &Surroundings) -> Result<Self, ConfigError> {
        let home = surroundings.home();
        let from_file = |path: Option<PathBuf>| path.map(|path| expand_tilde(path, home.as_deref()));
        let nodes_root = expand_tilde(settings.nodes.root.clone(), home.as_deref());
        let config = Config {
            listen: flags
                .listen
                .or(settings.listen)
                .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT))),
            data_dir: data_dir(flags.data_dir.or(from_file(settings.data_dir)))?,
            shell: flags.shell.or(from_file(settings.shell)).unwrap_or_else(|| surroundings.login_shell()),
            cwd: match flags.cwd.or(from_file(settings.cwd)) {
                Some(dir) => dir,
                None => home.ok_or(ConfigError::NoHome { key: "cwd" })?,
            },
            no_auth: flags.no_auth || settings.no_auth,
            allowed_hosts: settings.allowed_hosts,
            allowed_origins: settings.allowed_origins,
            inherit_env: settings.inherit_env,
            pane_tokens: settings.pane_tokens,
            env: settings.env,
            token: surroundings.variable("EVERPANE_TOKEN").map(Token::new).transpose()?,
            input: settings.input,
            output: settings.output,
            layout: settings.layout,
            respawn: settings.respawn,
            connection: settings.connection,
            wake: settings.wake,
            limits: settings.limits,
            host: settings.host,
            nodes: Nodes {
                local: settings.nodes.local && !flags.no_local_node,
                ttl_secs: flags.node_ttl.unwrap_or(settings.nodes.ttl_secs),
                root: nodes_root,
                ..settings.nodes
            },
        };
        check::check(&config)?;
        Ok(config)
    }

    /// Makes the paths absolute and sees that the programs can be started and the directory entered, so that a
    /// mistake shows at start-up and not in the first pane.
    pub fn resolve(mut self, surroundings: &Surroundings) -> Result<Self, ConfigError> {
        let search_path = surroundings.variable("PATH");
        self.shell = check::program("shell", &self.shell.to_string_lossy(), search_path)?;
        wake::resolve(&mut self.wake, search_path)?;
        self.cwd = check::directory(&self.cwd)?;
        self.data_dir = std::path::absolute(&self.data_dir).map_err(|error| ConfigError::Value {
            key: "data_dir".into(),
            value: self.data_dir.display().to_string(),
            allowed: error.to_string(),
        })?;
        Ok(self)
    }
}

/// What a command that talks to a gateway takes from the config file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientConfig {
    /// See [`Client::gateway`].
    pub gateway: Option<String>,
    /// See [`Config::data_dir`].
    pub data_dir: Option<PathBuf>,
    /// See [`Client::detach_keys`].
    pub detach_keys: Option<String>,
    /// See [`Client::escape`].
    pub escape: Option<String>,
    /// See [`Client::prefix`].
    pub prefix: Option<String>,
}

impl ClientConfig {
    /// Reads `file`, if there is one.
    ///
    /// # Errors
    /// When it can't be read, or is no config file.
    pub fn load(file: Option<&Path>, surroundings: &Surroundings) -> Result<Self, ConfigError> {
        let settings = file.map(file::read).transpose()?.unwrap_or_default();
        let home = surroundings.home();
        Ok(Self {
            gateway: settings.client.gateway,
            data_dir: settings.data_dir.map(|dir| expand_tilde(dir, home.as_deref())),
            detach_keys: settings.client.detach_keys,
            escape: settings.client.escape,
            prefix: settings.client.prefix,
        })
    }
}

/// The config file: the one that is named, else the default if it is there.
pub fn config_file(named: Option<PathBuf>) -> Option<PathBuf> {
    named.or_else(|| default_config_file().filter(|file| file.exists()))
}

/// Where the config file is looked for when none is named. None without a home directory.
pub fn default_config_file() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("everpane/config.toml"))
}

/// The data directory: the one that is named, else the default.
///
/// # Errors
/// When none is named and there is no home directory.
pub fn data_dir(named: Option<PathBuf>) -> Result<PathBuf, ConfigError> {
    named.map_or_else(default_data_dir, Ok)
}

fn default_data_dir() -> Result<PathBuf, ConfigError> {
    let strategy = etcetera::choose_base_strategy().map_err(|_| ConfigError::NoHome { key: "data_dir" })?;
    let parent = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Ok(parent.join("everpane"))
}

/// `~/x` in a file means the home directory: no shell stands between the file and us to say so.
fn expand_tilde(path: PathBuf, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

#[cfg(test)]
mod tests;
