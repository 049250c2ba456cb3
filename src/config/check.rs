//! What a setting may be. Every refusal names the key, the value and what is allowed.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::environment::is_ours;
use super::{Config, ConfigError, wake};
use crate::programs;

/// Checks everything that needs no look at the system.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let Config { input, output, layout, respawn, connection, limits, host, nodes, .. } = config;
    within("input.held_bytes", input.held_bytes, 1 << 10..=16 << 20)?;
    within("input.held_secs", input.held_secs, 1..=3600)?;
    within("input.held_away_secs", input.held_away_secs, 1..=3600)?;
    within("input.ready_ceiling_ms", input.ready_ceiling_ms, 0..=60_000)?;
    within("input.resume_secs", input.resume_secs, 1..=86_400)?;
    within("output.ring_bytes", output.ring_bytes, 64 << 10..=256 << 20)?;
    within("output.scrollback_lines", output.scrollback_lines, 0..=1_000_000)?;
    within("output.scrollback_bytes", output.scrollback_bytes, 0..=1 << 30)?;
    within("output.saved_bytes", output.saved_bytes, 0..=64 << 20)?;
    within("layout.coalesce_ms", layout.coalesce_ms, 0..=1000)?;
    within("respawn.first_backoff_ms", respawn.first_backoff_ms, 1..=60_000)?;
    within("respawn.attempts", respawn.attempts, 1..=100)?;
    within("connection.ping_secs", connection.ping_secs, 1..=3600)?;
    within("connection.pong_within_secs", connection.pong_within_secs, 1..=3600)?;
    within("connection.stalled_secs", connection.stalled_secs, 1..=3600)?;
    within("limits.viewers", limits.viewers, 1..=100_000)?;
    within("limits.panes", limits.panes, 1..=1_000_000)?;
    within("limits.spawns", limits.spawns, 1..=1024)?;
    within("limits.waits", limits.waits, 1..=100_000)?;
    within("host.tape_bytes", host.tape_bytes, 512 << 10..=256 << 20)?;
    wake::check(&config.wake)?;
    within("nodes.ttl_secs", nodes.ttl_secs, 1..=86_400)?;
    within("nodes.host_silence_secs", nodes.host_silence_secs, 10..=86_400)?;
    within("nodes.tape_bytes", nodes.tape_bytes, 128 << 10..=64 << 20)?;
    within("nodes.max", nodes.max, 1..=100_000)?;

    for host in &config.allowed_hosts {
        require(is_host(host), "allowed_hosts", host, "a host name is wanted, with or without a port")?;
    }
    for origin in &config.allowed_origins {
        let wanted = "a scheme and a host are wanted, in lower case and no more: https://term.example.org";
        require(is_origin(origin), "allowed_origins", origin, wanted)?;
    }
    for name in &config.inherit_env {
        require(is_variable(name), "inherit_env", name, VARIABLE)?;
    }
    for (name, value) in &config.env {
        require(is_variable(name), "env", name, VARIABLE)?;
        require(!value.contains('\0'), "env", name, "a value without NUL is wanted")?;
    }
    let open = config.no_auth && !config.listen.ip().is_loopback();
    let wanted = "without a token only a loopback address may be listened on, such as 127.0.0.1";
    require(!open, "no_auth", &format!("true with listen = {}", config.listen), wanted)
}

const VARIABLE: &str = "a variable's name is wanted: letters, digits and _, and not EVERPANE_…";

/// The absolute path of `program`, which must be one that we may start. `key` is the setting that names it.
pub(super) fn program(key: &str, program: &str, search_path: Option<&str>) -> Result<PathBuf, ConfigError> {
    let refuse = |allowed: &str| ConfigError::Value {
        key: key.to_owned().into(),
        value: program.to_owned(),
        allowed: allowed.to_owned(),
    };
    let search_path = search_path.unwrap_or(super::environment::DEFAULT_PATH);
    let found = programs::find(program, Some(search_path));
    let path = found.map_err(|error| refuse(&error.to_string()))?;
    std::path::absolute(path).map_err(|error| refuse(&error.to_string()))
}

/// The absolute path of `dir`, which must be a directory.
pub(super) fn directory(dir: &Path) -> Result<PathBuf, ConfigError> {
    let refuse =
        |allowed: String| ConfigError::Value { key: "cwd".into(), value: dir.display().to_string(), allowed };
    if !dir.is_dir() {
        return Err(refuse("there is no such directory".to_owned()));
    }
    std::path::absolute(dir).map_err(|error| refuse(error.to_string()))
}

/// Refuses a number that is not in `range`.
pub(super) fn within<T: PartialOrd + Display>(
    key: impl Into<Cow<'static, str>>,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), ConfigError> {
    let allowed = format!("{} to {} is allowed", range.start(), range.end());
    require(range.contains(&value), key, &value.to_string(), &allowed)
}

/// Refuses `value` unless something `holds`.
pub(super) fn require(
    holds: bool,
    key: impl Into<Cow<'static, str>>,
    value: &str,
    allowed: &str,
) -> Result<(), ConfigError> {
    match holds {
        true => Ok(()),
        false => {
            Err(ConfigError::Value { key: key.into(), value: value.to_owned(), allowed: allowed.to_owned() })
        }
    }
}

/// A name, an IPv4 address or a bracketed IPv6 address, with or without a port.
fn is_host(text: &str) -> bool {
    let authority: Option<axum::http::uri::Authority> = text.parse().ok();
    authority.is_some_and(|authority| {
        let bare = authority.host().trim_matches(['[', ']']);
        !bare.is_empty()
            && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte))
            && !text.contains('@')
            && !text.ends_with(':')
    })
}

fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(is_host) && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !is_ours(name)
}
