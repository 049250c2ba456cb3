//! What `serve` sets up for nodes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use crate::config::{self, Config};
use crate::gateway::{Gateway, LOCAL_NODE};
use crate::host::{Host, Kept};
use crate::http::nodes::Nodes;
use crate::node::{self, Registration};
use crate::protocol::node::Register;
use crate::roster::{Panes, Roster, Settings, WhenFull};

/// Shows nodes' PTYs in the gateway's panes.
struct PanesOf(Gateway);

impl Panes for PanesOf {
    fn node_up(&self, node: &str, host: Arc<dyn Host>, kept: Vec<Kept>) {
        self.0.node_up(node, host, kept);
    }

    fn node_down(&self, node: &str, asleep: bool) {
        self.0.node_down(node, asleep);
    }

    fn node_expected(&self, node: &str, asleep: bool) {
        match asleep {
            // Panes from before a restart wait for it already, and don't know that yet.
            true => self.0.node_down(node, true),
            false => self.0.node_expected(node, false),
        }
    }

    fn node_removed(&self, node: &str) {
        self.0.node_removed(node);
    }

    fn live_here(&self) -> u32 {
        u32::try_from(self.0.live_on(LOCAL_NODE)).unwrap_or(u32::MAX)
    }
}

/// The roster, with this machine in it unless it is to be none. Panes on nodes are those of `gateway`.
pub(super) fn open_roster(config: &Config, machine: &str, gateway: Gateway) -> anyhow::Result<Roster> {
    let settings = Settings {
        registry: node::Settings {
            ttl: ttl(config),
            host_silence: Duration::from_secs(config.nodes.host_silence_secs),
            max_nodes: config.nodes.max,
        },
        ring_bytes: config.nodes.tape_bytes,
        when_full: match config.nodes.when_full {
            config::WhenFull::Wait => WhenFull::Wait,
            config::WhenFull::Drop => WhenFull::Drop,
        },
        data_dir: Some(config.data_dir.clone()),
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
        id: LOCAL_NODE.to_owned(),
        machine: if machine.is_empty() { "localhost" } else { machine }.to_owned(),
        cwd: config.cwd.to_string_lossy().into_owned(),
        port: None,
        pid: Some(std::process::id()),
        kind: None,
        instance: None,
    };
    Registration::local(register).context("this machine can't be a node")
}

/// What the routes of nodes go by. Agents are started in panes of `gateway`.
pub(super) fn nodes(config: &Config, roster: Roster, gateway: Gateway) -> Nodes {
    Nodes {
        roster,
        ttl: ttl(config),
        root: config.nodes.root.clone(),
        agent_command: config.nodes.agent_command.clone(),
        spawn: Box::new(move |command, cwd| gateway.spawn_in_pane(command, cwd)),
    }
}

fn ttl(config: &Config) -> Duration {
    Duration::from_secs(config.nodes.ttl_secs)
}
