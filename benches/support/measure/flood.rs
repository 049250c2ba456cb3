//! One program writes as fast as it is let, some viewers take it all in: what throughput and fan-out are made of.

use std::path::Path;
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};

use crate::support::pty::Pty;
use crate::support::server::{Contender, Server};
use crate::support::tmux::Tmux;
use crate::support::viewer::Viewer;
use crate::support::{mix, process, program};

/// What came of one flood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flood {
    /// What the program wrote, in MiB on the wire.
    pub(super) written_mib: f64,
    /// What reached viewers, summed over them, in MiB.
    pub(super) delivered_mib: f64,
    /// How much of that was output as it was written, and no snapshot.
    pub(super) streamed_mib: f64,
    /// How many snapshots reached viewers.
    pub(super) snapshots: u64,
    /// From the command to the last viewer's last byte.
    pub(super) seconds: f64,
    /// What the server spent.
    pub(super) cpu_seconds: f64,
}

impl Flood {
    /// MiB of the program's output per second.
    pub(super) fn rate(&self) -> f64 {
        self.written_mib / self.seconds
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Floods a PTY whose only reader throws the bytes away.
pub(super) fn raw(program: &Path, blocks: u64) -> Result<Flood> {
    let pty = Pty::spawn(program)?;
    pty.wait_for(program::READY)?;
    pty.write(program::LOAD.as_bytes())?;
    pty.wait_for(program::READY)?;
    let bytes = blocks * mix::block_wire_bytes();
    let (cpu, start) = (process::cpu_seconds(std::process::id())?, Instant::now());
    pty.write(program::flood(blocks).as_bytes())?;
    let (mut left, mut buffer) = (bytes, vec![0; 64 << 10]);
    while left > 0 {
        let length = pty.read(&mut buffer)? as u64;
        anyhow::ensure!(length > 0 && length <= left, "the program wrote something else");
        left -= length;
    }
    Ok(Flood {
        written_mib: mib(bytes),
        delivered_mib: mib(bytes),
        streamed_mib: mib(bytes),
        snapshots: 0,
        seconds: start.elapsed().as_secs_f64(),
        cpu_seconds: process::cpu_seconds(std::process::id())? - cpu,
    })
}

/// Floods `viewers` viewers of one pane.
pub(super) fn served(contender: Contender, program: &Path, viewers: usize, blocks: u64) -> Result<Flood> {
    let server = contender.start(program, &[viewers])?;
    let mut crowd = (0..viewers).map(|_| server.viewer(0)).collect::<Result<Vec<_>>>()?;
    wait_for_all(&mut crowd)?;
    crowd[0].type_text(program::LOAD)?;
    wait_for_all(&mut crowd)?;
    let bytes = blocks * mix::block_wire_bytes();
    let before = Received::by(&crowd);
    let (cpu, start) = (cpu_seconds(&*server)?, Instant::now());
    crowd[0].type_text(&program::flood(blocks))?;
    read_all(&mut crowd, bytes)?;
    let received = Received::by(&crowd);
    let delivered = received.bytes - before.bytes;
    let streamed = delivered - (received.snapshot_bytes - before.snapshot_bytes);
    Ok(Flood {
        written_mib: mib(bytes),
        delivered_mib: mib(delivered),
        streamed_mib: mib(streamed),
        snapshots: received.snapshots - before.snapshots,
        seconds: start.elapsed().as_secs_f64(),
        cpu_seconds: cpu_seconds(&*server)? - cpu,
    })
}

/// What all processes of a server have used so far.
fn cpu_seconds(server: &dyn Server) -> Result<f64> {
    server.pids()?.into_iter().map(process::cpu_seconds).sum()
}

/// Floods tmux's one client.
pub(super) fn in_tmux(program: &Path, blocks: u64) -> Result<Flood> {
    let tmux = Tmux::start(program)?;
    tmux.client.write(program::LOAD.as_bytes())?;
    tmux.client.read_to(program::READY)?;
    let written_mib = mib(blocks * mix::block_wire_bytes());
    let (cpu, start) = (tmux.cpu_seconds()?, Instant::now());
    tmux.client.write(program::flood(blocks).as_bytes())?;
    tmux.client.write(program::SAY_DONE.as_bytes())?;
    tmux.client.read_to(program::DONE)?;
    Ok(Flood {
        written_mib,
        // It shows screens, not output.
        delivered_mib: f64::NAN,
        streamed_mib: f64::NAN,
        snapshots: 0,
        seconds: start.elapsed().as_secs_f64(),
        cpu_seconds: tmux.cpu_seconds()? - cpu,
    })
}

/// What a crowd has received, summed.
struct Received {
    bytes: u64,
    snapshot_bytes: u64,
    snapshots: u64,
}

impl Received {
    fn by(crowd: &[Viewer]) -> Received {
        let sum = |what: fn(&Viewer) -> u64| crowd.iter().map(what).sum();
        Received {
            bytes: sum(|viewer| viewer.delivered),
            snapshot_bytes: sum(|viewer| viewer.snapshot_bytes),
            snapshots: sum(|viewer| viewer.snapshots),
        }
    }
}

fn wait_for_all(crowd: &mut [Viewer]) -> Result<()> {
    crowd.iter_mut().try_for_each(|viewer| viewer.wait_for(program::READY).map(drop))
}

/// Reads, in a thread per viewer, until each is `bytes` further.
fn read_all(crowd: &mut [Viewer], bytes: u64) -> Result<()> {
    let read = |viewer: &mut Viewer| {
        let target = viewer.position + bytes;
        while viewer.position < target {
            viewer.read()?;
        }
        anyhow::Ok(())
    };
    thread::scope(|scope| {
        let readers: Vec<_> = crowd.iter_mut().map(|viewer| scope.spawn(move || read(viewer))).collect();
        readers.into_iter().try_for_each(|reader| reader.join().map_err(|_| anyhow!("a viewer panicked"))?)
    })
}
