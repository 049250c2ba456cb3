//! The process's surroundings, read once, and the environment that shells get: built from an allow-list, so
//! that no secret of the gateway or of whoever started it reaches a program by accident.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Config;

/// Where programs are looked for when nobody says.
pub(super) const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// What shells inherit by name. Proxies are listed as both cases are in use.
const INHERITED: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_DATA_DIRS",
    "XDG_SESSION_ID",
    "XDG_SESSION_TYPE",
    "XDG_CURRENT_DESKTOP",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "SSH_AUTH_SOCK",
    "DBUS_SESSION_BUS_ADDRESS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
];

/// The variables and the password file as they were when we started.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// The environment; variables that are not UTF-8 are left out.
    pub variables: BTreeMap<String, String>,
    /// The text of `/etc/passwd`, empty if there is none.
    pub passwd: String,
    /// The user we run as.
    pub uid: u32,
}

impl Surroundings {
    /// Those of this process.
    pub fn here() -> Self {
        let text = |value: std::ffi::OsString| value.into_string().ok();
        Self {
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
                .collect(),
            passwd: std::fs::read("/etc/passwd")
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .unwrap_or_default(),
            uid: rustix::process::getuid().as_raw(),
        }
    }

    /// A variable's value.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The home directory: `HOME`, else the password file's.
    pub fn home(&self) -> Option<PathBuf> {
        let named = self.variable("HOME").filter(|home| Path::new(home).is_absolute());
        named.or_else(|| self.account(ACCOUNT_HOME)).map(PathBuf::from)
    }

    /// `SHELL`, else the user's login shell, else `/bin/sh`. An account closed to logins names no shell.
    pub fn login_shell(&self) -> PathBuf {
        let closed = |shell: &&str| shell.ends_with("/nologin") || shell.ends_with("/false");
        self.variable("SHELL")
            .filter(|shell| !shell.is_empty())
            .or_else(|| self.account(ACCOUNT_SHELL).filter(|shell| !closed(shell)))
            .map_or_else(|| PathBuf::from("/bin/sh"), PathBuf::from)
    }

    /// A field of our line in the password file, `name:password:uid:gid:comment:home:shell`.
    fn account(&self, field: usize) -> Option<&str> {
        self.passwd
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields.get(2).and_then(|uid| uid.parse().ok()) == Some(self.uid))
            .and_then(|fields| fields.get(field).copied())
            .filter(|value| !value.is_empty())
    }
}

const ACCOUNT_NAME: usize = 0;
const ACCOUNT_HOME: usize = 5;
const ACCOUNT_SHELL: usize = 6;

/// The whole environment of a new shell, sorted by name.
pub fn shell_environment(config: &Config, surroundings: &Surroundings) -> Vec<(String, String)> {
    let mut environment = inherited(config, surroundings);
    environment.extend(terminal(config));
    environment.extend(config.env.clone());
    environment.retain(|name, _| !is_ours(name));
    environment.into_iter().collect()
}

/// The environment of a command that the gateway runs for itself, sorted by name: what a shell gets, but for what makes
/// it a shell in a terminal.
pub fn command_environment(config: &Config, surroundings: &Surroundings) -> Vec<(String, String)> {
    inherited(config, surroundings).into_iter().filter(|(name, _)| !is_ours(name)).collect()
}

/// What the list allows of our own environment, and what no program can do without.
fn inherited(config: &Config, surroundings: &Surroundings) -> BTreeMap<String, String> {
    let mut environment = defaults(surroundings);
    let wanted = |name: &str| {
        INHERITED.contains(&name)
            || name.starts_with("LC_")
            || config.inherit_env.iter().any(|inherited| inherited == name)
    };
    let inherited = surroundings.variables.iter().filter(|(name, value)| wanted(name) && !value.is_empty());
    environment.extend(inherited.map(|(name, value)| (name.clone(), value.clone())));
    if !environment.keys().any(|name| name == "LANG" || name == "LC_ALL" || name == "LC_CTYPE") {
        // A service starts with no locale, and then programs print `?` for every letter beyond ASCII.
        environment.insert("LANG".to_owned(), "C.UTF-8".to_owned());
    }
    environment
}

/// Whether the variable is one of the gateway's own settings, which no shell gets.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with("EVERPANE_")
}

/// What a shell cannot do without, for when we were started with next to no environment.
fn defaults(surroundings: &Surroundings) -> BTreeMap<String, String> {
    let user = surroundings.account(ACCOUNT_NAME);
    let home = surroundings.account(ACCOUNT_HOME);
    [("PATH", Some(DEFAULT_PATH)), ("HOME", home), ("USER", user), ("LOGNAME", user)]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect()
}

/// What says which terminal this is, whatever terminal we were started from.
fn terminal(config: &Config) -> [(String, String); 5] {
    [
        ("SHELL", config.shell.to_string_lossy().into_owned()),
        ("TERM", "xterm-256color".to_owned()),
        ("COLORTERM", "truecolor".to_owned()),
        ("TERM_PROGRAM", "everpane".to_owned()),
        ("TERM_PROGRAM_VERSION", env!("CARGO_PKG_VERSION").to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}
