//! Which gateway a command talks to, and as whom.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio_tungstenite::tungstenite::http::Uri;

use super::address::{http_address, is_open, websocket_address};
use super::failure::{Failure, Kind};
use super::whereabouts;
use crate::config::{ClientConfig, Surroundings, Token, config_file, data_dir};

/// What every command that talks to a gateway can be told.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Gateway")]
pub(super) struct Reach {
    /// The gateway's address [env: EVERPANE_GATEWAY] [default: the config file's, else the one on this machine]
    #[arg(long, value_name = "URL")]
    pub(super) gateway: Option<String>,
    /// Its token [env: EVERPANE_TOKEN] [default: the one in its data directory]
    #[arg(long, value_name = "TOKEN")]
    pub(super) token: Option<String>,
    /// Where the gateway on this machine keeps its token and address [default: ~/.local/state/everpane]
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// The config file [default: ~/.config/everpane/config.toml]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

/// A gateway, and the token for it.
#[derive(Debug, Clone)]
pub(super) struct Destination {
    /// Its `/ws`.
    address: Uri,
    /// What it is shown; a gateway may ask for none.
    pub(super) token: Option<Token>,
    /// Whether it is the one of the data directory of this machine.
    pub(super) local: bool,
}

impl Reach {
    /// The gateway that is meant: the one that a flag names, else the one of this machine if its data directory is named,
    /// else the environment's, the config file's, this machine's. It may not be there.
    ///
    /// # Errors
    /// When none is meant, or what names it or its token cannot be.
    pub(super) fn find(&self) -> Result<Destination, Failure> {
        self.find_in(&Surroundings::here())
    }

    /// The data directory of the gateway of this machine.
    ///
    /// # Errors
    /// When the config file can't be read, or there is no home to have one in.
    pub(super) fn data_dir(&self) -> Result<PathBuf, Failure> {
        Ok(data_dir(self.data_dir.clone().or(self.client_config()?.data_dir))?)
    }

    /// What the config file says for commands.
    ///
    /// # Errors
    /// When it can't be read.
    pub(super) fn client_config(&self) -> Result<ClientConfig, Failure> {
        Ok(ClientConfig::load(config_file(self.config.clone()).as_deref(), &Surroundings::here())?)
    }

    fn find_in(&self, surroundings: &Surroundings) -> Result<Destination, Failure> {
        let config = ClientConfig::load(config_file(self.config.clone()).as_deref(), surroundings)?;
        let dir = data_dir(self.data_dir.clone().or(config.data_dir))?;
        let kept = whereabouts::read(&dir);
        let from_pane = surroundings.variable("EVERPANE_GATEWAY").filter(|gateway| !gateway.is_empty());
        let named = match (&self.gateway, &self.data_dir) {
            (Some(gateway), _) => Some(gateway.as_str()),
            (None, Some(_)) => None,
            (None, None) => from_pane.or(config.gateway.as_deref()),
        };
        let address = match named {
            Some(gateway) => parsed(gateway)?,
            None => match &kept {
                Ok(listens) => parsed(&format!("http://{listens}"))?,
                Err(error) => return Err(none_runs(error)),
            },
        };
        let local = named.is_none() || kept.is_ok_and(|listens| is_at(&address, listens));
        // A pane's token is for the gateway that the pane is of, and for no other that a flag may name.
        let of_pane = from_pane.is_some_and(|gateway| named == Some(gateway))
            || named.is_none() && self.data_dir.is_none();
        let given = self.token.as_deref().or_else(|| surroundings.variable("EVERPANE_TOKEN"));
        let pane_token = surroundings.variable("EVERPANE_PANE_TOKEN").filter(|_| of_pane);
        let token = match given.or(pane_token) {
            Some(token) => Some(Token::new(token)?),
            None if local => Token::found_in(&dir)?,
            None => None,
        };
        if token.is_some() && is_open(&address) {
            tracing::warn!(
                "{address}: the token and all that is typed can be read on the way; https would hide it"
            );
        }
        Ok(Destination { address, token, local })
    }
}

impl Destination {
    /// The URL of a path of its HTTP interface; `path` begins with a slash.
    pub(super) fn http(&self, path: &str) -> String {
        format!("{}{path}", self.name())
    }

    /// The URL of one of its WebSockets; `path` begins with a slash.
    pub(super) fn websocket(&self, path: &str) -> String {
        self.http(path).replacen("http", "ws", 1)
    }

    /// Its address, for people.
    pub(super) fn name(&self) -> String {
        http_address(&self.address)
    }

    /// The pane of this gateway that we are in, if we are.
    pub(super) fn pane_around(&self) -> Option<String> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let theirs = variable("EVERPANE_GATEWAY");
        let is_same = theirs.is_none_or(|theirs| theirs.trim_end_matches('/') == self.name());
        variable("EVERPANE_PANE").filter(|_| is_same)
    }

    /// Whether it is on this machine, so that no proxy is in between.
    pub(super) fn is_here(&self) -> bool {
        let host = self.address.host().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

fn parsed(gateway: &str) -> Result<Uri, Failure> {
    websocket_address(gateway).map_err(|error| Failure::new(Kind::Usage, format!("{error:#}")))
}

fn none_runs(error: &anyhow::Error) -> Failure {
    Failure::new(Kind::Unreachable, format!("{error:#}")).hint("`everpane serve` starts one")
}

/// Whether `gateway`, as people write it, is the one of a data directory of this machine, as far as its address tells.
pub(super) fn leads_to(gateway: &str, data_dir: &Path) -> bool {
    let listens = whereabouts::read(data_dir).ok();
    websocket_address(gateway).ok().zip(listens).is_some_and(|(address, listens)| is_at(&address, listens))
}

/// Whether `address` is where a gateway of this machine listens.
fn is_at(address: &Uri, listens: SocketAddr) -> bool {
    let host = address.host().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" && listens.ip().is_loopback() || host.parse() == Ok(listens.ip());
    here && address.port_u16() == Some(listens.port()) && address.path() == "/ws"
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const KEPT: &str = "the-token-of-the-data-dir";
    const GIVEN: &str = "a-token-that-is-given";
    const PANES: &str = "a-token-of-one-session";

    fn variables(pairs: &[(&str, &str)]) -> Surroundings {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Surroundings { variables, ..Surroundings::default() }
    }

    /// A data directory whose gateway listens on port 7000.
    fn ran() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        whereabouts::write(dir.path(), "127.0.0.1:7000".parse().unwrap());
        fs::write(dir.path().join("token"), KEPT).unwrap();
        dir
    }

    /// A config file with that data directory.
    fn config(dir: &Path, more: &str) -> Option<PathBuf> {
        let path = dir.join("config.toml");
        fs::write(&path, format!("data_dir = {:?}\n{more}", dir.to_str().unwrap())).unwrap();
        Some(path)
    }

    fn found(reach: &Reach, pairs: &[(&str, &str)]) -> (String, Option<String>) {
        let found = reach.find_in(&variables(pairs)).unwrap();
        (found.name(), found.token.map(|token| token.secret().to_owned()))
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let dir = ran();
        let local = "http://127.0.0.1:7000";
        let env = ("EVERPANE_GATEWAY", "http://env:1");
        let plain = Reach { config: config(dir.path(), ""), ..Reach::default() };
        assert_eq!(found(&plain, &[]), (local.to_owned(), Some(KEPT.to_owned())));
        assert_eq!(found(&plain, &[env]).0, "http://env:1");
        let with_dir = Reach { data_dir: Some(dir.path().into()), ..plain.clone() };
        assert_eq!(found(&with_dir, &[env]).0, local);
        let flag = Reach { gateway: Some("https://flag/behind".to_owned()), ..with_dir };
        assert_eq!(found(&flag, &[env]), ("https://flag/behind".to_owned(), None));
        let file = Reach { config: config(dir.path(), "[client]\ngateway = \"http://file:2\""), ..plain };
        assert_eq!(found(&file, &[]).0, "http://file:2");
        assert_eq!(found(&file, &[env]).0, "http://env:1");
    }

    #[test]
    fn each_token_goes_to_its_own_gateway_only() {
        let dir = ran();
        let at = |gateway: &str| Reach {
            gateway: Some(gateway.to_owned()),
            config: config(dir.path(), ""),
            ..Reach::default()
        };
        let token = |reach: &Reach, pairs: &[(&str, &str)]| found(reach, pairs).1;
        let pane = [("EVERPANE_GATEWAY", "http://127.0.0.1:7000"), ("EVERPANE_PANE_TOKEN", PANES)];
        let here = Reach { gateway: None, ..at("") };
        assert_eq!(token(&here, &pane).as_deref(), Some(PANES));
        assert_eq!(token(&here, &[pane[0], pane[1], ("EVERPANE_TOKEN", GIVEN)]).as_deref(), Some(GIVEN));
        assert_eq!(token(&at("http://other:1"), &pane), None, "neither the pane's nor this machine's");
        assert_eq!(token(&at("http://localhost:7000"), &[]).as_deref(), Some(KEPT), "the same by name");
        assert_eq!(token(&at("http://localhost:7001"), &[]), None);
        let flag = Reach { token: Some("a-token-from-a-flag".to_owned()), ..at("http://other:1") };
        assert_eq!(token(&flag, &[("EVERPANE_TOKEN", GIVEN)]).as_deref(), Some("a-token-from-a-flag"));
    }

    #[test]
    fn a_gateway_is_told_from_that_of_the_data_directory() {
        let dir = ran();
        assert!(
            leads_to("http://127.0.0.1:7000", dir.path()) && leads_to("http://localhost:7000/", dir.path())
        );
        assert!(!leads_to("http://127.0.0.1:7001", dir.path()) && !leads_to("nonsense", dir.path()));
        assert!(!leads_to("http://127.0.0.1:7000", Path::new("/nowhere")));
    }

    #[test]
    fn addresses_are_made_for_both_protocols() {
        let reach = Reach { gateway: Some("wss://box/behind/ws".to_owned()), ..Reach::default() };
        let found = reach.find_in(&variables(&[("HOME", "/")])).unwrap();
        assert_eq!(found.http("/api/v1"), "https://box/behind/api/v1");
        assert_eq!(found.websocket("/mux"), "wss://box/behind/mux");
        assert!(!found.local && !found.is_here());
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_kind() {
        let dir = tempfile::tempdir().unwrap();
        let base = Reach { data_dir: Some(dir.path().into()), ..Reach::default() };
        let kind = |reach: &Reach| reach.find_in(&variables(&[])).unwrap_err().kind;
        assert_eq!(kind(&base), Kind::Unreachable);
        assert_eq!(kind(&Reach { gateway: Some("box".to_owned()), ..base.clone() }), Kind::Usage);
        let short =
            Reach { gateway: Some("http://box".to_owned()), token: Some("short".to_owned()), ..base.clone() };
        assert_eq!(kind(&short), Kind::Usage);
        assert_eq!(kind(&Reach { config: config(dir.path(), "colour = 1"), ..base }), Kind::Usage);
    }
}
