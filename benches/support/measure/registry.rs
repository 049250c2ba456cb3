//! The registry of nodes alone, with as many of them as there may be.

use std::collections::HashMap;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use everpane::clock::Moment;
use everpane::node::{Epoch, Farewell, Load, NodeId, Peer, Registration, Registry, Settings};
use everpane::protocol::node::Register;

use super::Bench;
use crate::support::table::{Column, Row};

/// How many nodes there are.
const NODES: usize = 10_000;

/// How long each kind of operation goes on in each round.
const ROUND: Duration = Duration::from_millis(200);

/// Does something to the node with a number.
type Operation = fn(&mut Crowd, usize) -> Result<()>;

/// Operations per second of each kind, in turns; beside them, a look into a `HashMap` and a write.
pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let mut crowd = Crowd::new()?;
    let operations: [(&str, Operation); 4] = [
        ("frame or ping of a node", Crowd::frame),
        ("heartbeat", Crowd::heartbeat),
        ("register anew, the old connection closed", Crowd::register),
        ("close, and register again", Crowd::come_back),
    ];
    let mut rows: Vec<_> = operations
        .iter()
        .map(|(name, _)| Row::new(format!("registry of {NODES} nodes, {name} (per second)")))
        .collect();
    let mut tick = Row::new(format!("registry of {NODES} nodes, to look at all of them (ms)"));
    for _ in 0..bench.scaled(9, 3) {
        for (row, (_, operation)) in rows.iter_mut().zip(operations) {
            row.add(Column::Map, per_second(|index| crowd.write_to_map(index))?);
            row.add(Column::Everpane, per_second(|index| operation(&mut crowd, index))?);
        }
        tick.add(Column::Everpane, crowd.look_at_all());
    }
    rows.push(tick);
    Ok(rows)
}

/// How many times a second something can be done to one node after another, in no order.
fn per_second(mut operation: impl FnMut(usize) -> Result<()>) -> Result<f64> {
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < ROUND {
        for _ in 0..100 {
            // A step that has no common factor with their number visits all.
            operation(count * 7919 % NODES)?;
            count += 1;
        }
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}

/// Nodes that are all there.
struct Crowd {
    registry: Registry,
    registrations: Vec<Registration>,
    /// The connection of each.
    epochs: Vec<Epoch>,
    /// The least that a registry can be.
    map: HashMap<NodeId, Moment>,
}

impl Crowd {
    fn new() -> Result<Crowd> {
        let registrations = (0..NODES).map(registration).collect::<Result<Vec<_>>>()?;
        let map = registrations.iter().map(|node| (node.id().clone(), Moment::now())).collect();
        let mut crowd = Crowd {
            registry: Registry::new(Settings { max_nodes: NODES, ..Settings::default() }),
            registrations,
            epochs: Vec::with_capacity(NODES),
            map,
        };
        for index in 0..NODES {
            let epoch = crowd.registry.connected(PEER);
            crowd.epochs.push(epoch);
            crowd.join(index)?;
        }
        Ok(crowd)
    }

    fn write_to_map(&mut self, index: usize) -> Result<()> {
        *self.map.get_mut(self.registrations[index].id()).context("no such node")? = Moment::now();
        Ok(())
    }

    fn frame(&mut self, index: usize) -> Result<()> {
        self.registry.alive(self.epochs[index], Moment::now());
        Ok(())
    }

    fn heartbeat(&mut self, index: usize) -> Result<()> {
        let id = self.registrations[index].id().as_str();
        let load = Some(Load { panes: Some(1), idle: None });
        black_box(self.registry.heartbeat(self.epochs[index], Some(id), load, Moment::now()));
        Ok(())
    }

    fn register(&mut self, index: usize) -> Result<()> {
        let before = std::mem::replace(&mut self.epochs[index], self.registry.connected(PEER));
        self.join(index)?;
        black_box(self.registry.closed(before, Farewell::Said, Moment::now()));
        Ok(())
    }

    fn come_back(&mut self, index: usize) -> Result<()> {
        black_box(self.registry.closed(self.epochs[index], Farewell::Broken, Moment::now()));
        self.epochs[index] = self.registry.connected(PEER);
        self.join(index)
    }

    fn join(&mut self, index: usize) -> Result<()> {
        let registration = self.registrations[index].clone();
        black_box(self.registry.register(self.epochs[index], registration, Moment::now())?);
        Ok(())
    }

    /// Shows every record; how long that took, in milliseconds.
    fn look_at_all(&self) -> f64 {
        let start = Instant::now();
        black_box(self.registry.records(Moment::now()));
        start.elapsed().as_secs_f64() * 1e3
    }
}

const PEER: Peer = Peer { owner: None, address: IpAddr::V4(Ipv4Addr::LOCALHOST) };

fn registration(index: usize) -> Result<Registration> {
    let register = Register {
        id: format!("node-{index}"),
        machine: format!("machine-{}", index / 4),
        cwd: "/srv/work".to_owned(),
        port: Some(9000 + (index % 4) as u16),
        pid: Some(index as u32 + 1),
        kind: None,
        instance: Some(format!("process-{index}")),
    };
    Ok(Registration::check(register)?)
}
