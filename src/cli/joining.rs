//! What `serve` sets up for nodes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use crate::config::Config;
use crate::gateway::Gateway;
use crate::host::{Host, Kept};
use crate::http::nodes::Nodes;
use crate::node::{self, Registration};
use crate::protocol::node::Register;
use crate::roster::{Panes, Roster, Settings};

/// The id of the gateway's own node.
const LOCAL: &str = "local";

/// Shows nodes' PTYs in the gateway's panes.
struct PanesOf(Gateway);

impl Panes for PanesOf {
    fn node_up(&self, node: &str, host: Arc<dyn Host>, kept: Vec<Kept>) {
        self.0.node_up(node, host, kept);
    }

    fn node_down(&self, node: &str, asleep: bool) {
        self.0.node_down(node, asleep);
    }
}

/// The roster, with this machine in it unless it is to be none. Panes on nodes are those of `gateway`.
pub(super) fn open_roster(config: &Config, machine: &str, gateway: Gateway) -> anyhow::Result<Roster> {
    let registry = node::Settings { ttl: ttl(config), max_nodes: config.nodes.max };
    let settings = Settings {
        registry,
        ring_bytes: config.output.ring_bytes,
        data_dir: Some(config.data_dir.clone()),
        ..Settings::default()
    };
    let local = config.nodes.local.then(|| local_node(config, machine)).transpose()?;
    let roster = Roster::open(settings, Arc::new(PanesOf(gateway)));
    if let Some(local) = local {
        roster.register_local(local);
    }
    Ok(roster)
}

fn local_node(config: &Config, machine: &str) -> anyhow::Result<Registration> {
    let register = Register {
        id: LOCAL.to_owned(),
        machine: if machine.is_empty() { "localhost" } else { machine }.to_owned(),
        cwd: config.cwd.to_string_lossy().into_owned(),
        port: None,
        pid: Some(std::process::id()),
        kind: None,
        instance: None,
    };
    Registration::local(register).context("this machine can't be a node")
}

/// What the routes of nodes go by.
pub(super) fn nodes(config: &Config, roster: Roster) -> Nodes {
    Nodes {
        roster,
        ttl: ttl(config),
        root: config.nodes.root.clone(),
        agent_command: config.nodes.agent_command.clone(),
        spawn: None,
    }
}

fn ttl(config: &Config) -> Duration {
    Duration::from_secs(config.nodes.ttl_secs)
}
