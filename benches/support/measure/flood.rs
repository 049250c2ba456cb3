//! One program writes as fast as it is let, some viewers take it all in: what throughput and fan-out are made of.

use std::path::Path;
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};

use crate::support::pty::Pty;
use crate::support::server::Contender;
use crate::support::viewer::Viewer;
use crate::support::{mix, process, program};

/// What came of one flood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flood {
    /// What the program wrote, in MiB on the wire.
    pub(super) written_mib: f64,
    /// What reached viewers, summed over them, in MiB.
    pub(super) delivered_mib: f64,
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
    let delivered_before: u64 = crowd.iter().map(|viewer| viewer.delivered).sum();
    let (cpu, start) = (process::cpu_seconds(server.pid())?, Instant::now());
    crowd[0].type_text(&program::flood(blocks))?;
    read_all(&mut crowd, bytes)?;
    let delivered: u64 = crowd.iter().map(|viewer| viewer.delivered).sum();
    Ok(Flood {
        written_mib: mib(bytes),
        delivered_mib: mib(delivered - delivered_before),
        seconds: start.elapsed().as_secs_f64(),
        cpu_seconds: process::cpu_seconds(server.pid())? - cpu,
    })
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
