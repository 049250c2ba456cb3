//! `[wake]`: how nodes that sleep are woken, and what of that can't be.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue, Uri};
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::check::{program, require, within};

/// What stands for the node's id in a URL.
pub const NODE_PLACEHOLDER: &str = "{node}";

/// What a request may be made with.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// `[wake]`: what wakes any node that has no table of its own, and how patient we are. Without a command or a request
/// nobody is called; such a node is waited for all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wake {
    /// A program and its arguments. Not with `http`.
    pub command: Option<Vec<String>>,
    /// A request. Not with `command`.
    pub http: Option<WakeHttp>,
    /// How long one call may take, in seconds.
    pub timeout_secs: u64,
    /// How long the node is waited for after a call that went well, in seconds; then it is called again.
    pub return_secs: u64,
    /// Calls after which it is given up, until the next key.
    pub attempts: u32,
    /// How long after the last key it is given up, whatever is under way, in seconds.
    pub give_up_secs: u64,
    /// The tables `[wake.nodes.ID]`: nodes that are woken in their own way.
    pub nodes: BTreeMap<String, WakeNode>,
}

impl Default for Wake {
    fn default() -> Self {
        Self {
            command: None,
            http: None,
            timeout_secs: 30,
            return_secs: 30,
            attempts: 5,
            give_up_secs: 60,
            nodes: BTreeMap::new(),
        }
    }
}

/// `[wake.nodes.ID]`: what wakes one node. Either a command or a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WakeNode {
    /// See [`Wake::command`].
    pub command: Option<Vec<String>>,
    /// See [`Wake::http`].
    pub http: Option<WakeHttp>,
    /// See [`Wake::timeout_secs`], which holds if this is absent.
    pub timeout_secs: Option<u64>,
}

/// A request that wakes a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WakeHttp {
    /// Where to; [`NODE_PLACEHOLDER`] in its path or query stands for the node's id.
    pub url: String,
    /// One of GET, POST, PUT, PATCH and DELETE.
    #[serde(default = "post")]
    pub method: String,
    /// Headers to send.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

fn post() -> String {
    "POST".to_owned()
}

/// Checks what needs no look at the system.
pub(super) fn check(wake: &Wake) -> Result<(), ConfigError> {
    within("wake.timeout_secs", wake.timeout_secs, TIMEOUT_SECS)?;
    within("wake.return_secs", wake.return_secs, 1..=3600)?;
    within("wake.attempts", wake.attempts, 1..=100)?;
    within("wake.give_up_secs", wake.give_up_secs, 1..=3600)?;
    check_provider("wake", wake.command.as_deref(), wake.http.as_ref())?;
    for (id, node) in &wake.nodes {
        let table = table_of(id);
        if let Some(secs) = node.timeout_secs {
            within(format!("{table}.timeout_secs"), secs, TIMEOUT_SECS)?;
        }
        let given = node.command.is_some() || node.http.is_some();
        require(given, table.clone(), "without command and http", "one of them is wanted")?;
        check_provider(&table, node.command.as_deref(), node.http.as_ref())?;
    }
    Ok(())
}

const TIMEOUT_SECS: std::ops::RangeInclusive<u64> = 1..=600;

/// Makes the paths of the programs absolute, and sees that they can be started.
pub(super) fn resolve(wake: &mut Wake, search_path: Option<&str>) -> Result<(), ConfigError> {
    let nodes = wake.nodes.iter_mut().map(|(id, node)| (table_of(id), &mut node.command));
    for (table, command) in nodes.chain([("wake".to_owned(), &mut wake.command)]) {
        if let Some(first) = command.as_mut().and_then(|command| command.first_mut()) {
            let path = program(&format!("{table}.command"), first, search_path)?;
            // It was text before; what is put in front of it is a directory of the search path, which is as well.
            *first = path.to_string_lossy().into_owned();
        }
    }
    Ok(())
}

/// As it is written: the id may have dots.
fn table_of(id: &str) -> String {
    format!("wake.nodes.{id:?}")
}

fn check_provider(
    table: &str,
    command: Option<&[String]>,
    http: Option<&WakeHttp>,
) -> Result<(), ConfigError> {
    let both = command.is_some() && http.is_some();
    require(!both, table.to_owned(), "command and http", "one of them is wanted, not both")?;
    if let Some(command) = command {
        check_command(&format!("{table}.command"), command)?;
    }
    http.map_or(Ok(()), |http| check_http(&format!("{table}.http"), http))
}

fn check_command(key: &str, command: &[String]) -> Result<(), ConfigError> {
    let named = command.first().is_some_and(|program| !program.is_empty());
    let wanted = "a program and its arguments are wanted, as in [\"sh\", \"-c\", \"…\"]";
    require(named, key.to_owned(), &format!("{command:?}"), wanted)?;
    let whole = !command.iter().any(|part| part.contains('\0'));
    require(whole, key.to_owned(), &format!("{command:?}"), "text without NUL is wanted")
}

fn check_http(key: &str, http: &WakeHttp) -> Result<(), ConfigError> {
    let WakeHttp { url, method, headers } = http;
    let wanted = "an address is wanted, as in https://sandboxes.example.org/{node}/wake, with {node} after its host if at \
                  all, and with secrets in headers";
    require(is_wake_url(url), format!("{key}.url"), url, wanted)?;
    let wanted = format!("one of {} is wanted", METHODS.join(", "));
    require(METHODS.contains(&method.as_str()), format!("{key}.method"), method, &wanted)?;
    for (name, value) in headers {
        // The value stays unsaid: it is what secrets are put in.
        let sendable = name.parse::<HeaderName>().is_ok() && value.parse::<HeaderValue>().is_ok();
        let wanted = "a header's name, and a value of one line, are wanted";
        require(sendable, format!("{key}.headers"), name, wanted)?;
    }
    Ok(())
}

/// An http or https address without user and password, whose host no node's id can change.
fn is_wake_url(url: &str) -> bool {
    let Ok(uri) = url.replace(NODE_PLACEHOLDER, "node").parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let own_host =
        url.get(scheme.len() + "://".len()..).is_some_and(|rest| rest.starts_with(authority.as_str()));
    matches!(scheme, "http" | "https")
        && own_host
        && !authority.host().is_empty()
        && !authority.as_str().contains('@')
}
