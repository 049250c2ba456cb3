//! The bare relay, the least a server can do: one thread per PTY reads while more is ready and writes one
//! WebSocket frame to each viewer; one thread per viewer writes what it types to the PTY. No history, no
//! policy, and the slowest viewer holds up all others.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use super::line::Line;
use super::pty::Pty;
use super::server::Server;
use super::viewer::{Framing, Viewer};

/// The first argument that makes the benchmark binary the relay; then come the program and, for each PTY, how
/// many viewers it waits for.
pub(crate) const ROLE: &str = "--act-as-relay";

/// The most PTY output that one frame holds, in bytes.
const FRAME_BYTES: usize = 64 << 10;

/// The length of the longest header of a server's frame, in bytes.
const HEADER_ROOM: usize = 10;

/// A relay in a process of its own. Ends with its programs when dropped.
pub(crate) struct Relay {
    process: Child,
    /// Where each PTY's viewers connect.
    urls: Vec<String>,
}

impl Relay {
    /// Starts one that serves `program` in one PTY per element of `viewers`, each begun when that many have come.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(program: &Path, viewers: &[usize]) -> Result<Relay> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(ROLE)
            .arg(program)
            .args(viewers.iter().map(usize::to_string))
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().context("no standard output")?;
        let urls = BufReader::new(stdout).lines().take(viewers.len()).collect::<Result<_, _>>()?;
        Ok(Relay { process, urls })
    }
}

impl Server for Relay {
    fn pid(&self) -> u32 {
        self.process.id()
    }

    fn viewer_over(&self, line: Line, pane: usize) -> Result<Viewer> {
        let url = self.urls.get(pane).context("no such pane")?;
        Ok(Viewer::new(super::viewer::connect(url, None, line)?, Framing::Bare))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The relay's main function.
///
/// # Errors
/// When an argument is missing, or a PTY or socket can't be had.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let (program, viewers) = args.split_first().context("which program?")?;
    let mut readers = Vec::new();
    for count in viewers {
        let (count, program): (usize, String) = (count.parse()?, program.clone());
        let listener = TcpListener::bind("127.0.0.1:0")?;
        println!("ws://{}/", listener.local_addr()?);
        readers.push(thread::spawn(move || serve(&listener, count, Path::new(&program))));
    }
    std::io::stdout().flush()?;
    for reader in readers {
        reader.join().map_err(|_| anyhow::anyhow!("a reader panicked"))??;
    }
    Ok(())
}

/// Waits for `count` viewers, then relays one PTY to them until its program ends.
fn serve(listener: &TcpListener, count: usize, program: &Path) -> Result<()> {
    let mut sockets = (0..count).map(|_| accept(listener)).collect::<Result<Vec<_>>>()?;
    let pty = Arc::new(Pty::spawn(program)?);
    rustix::io::ioctl_fionbio(pty.fd(), true)?;
    for socket in &sockets {
        let (socket, pty) = (socket.try_clone()?, Arc::clone(&pty));
        thread::spawn(move || relay_input(socket, &pty));
    }
    relay_output(&pty, &mut sockets)
}

fn accept(listener: &TcpListener) -> Result<TcpStream> {
    let (stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    let socket = tungstenite::accept(stream).map_err(|error| anyhow::anyhow!("handshake: {error}"))?;
    Ok(socket.into_inner())
}

fn relay_input(socket: TcpStream, pty: &Pty) -> Result<()> {
    let mut socket = WebSocket::from_raw_socket(socket, Role::Server, None);
    loop {
        if let Message::Binary(bytes) = socket.read()? {
            pty.write(&bytes)?;
        }
    }
}

fn relay_output(pty: &Pty, sockets: &mut [TcpStream]) -> Result<()> {
    // The header goes right before the output, so that nothing is copied.
    let mut frame = vec![0; HEADER_ROOM + FRAME_BYTES];
    let mut header = Vec::with_capacity(HEADER_ROOM);
    while let Some(length) = drain(pty, &mut frame[HEADER_ROOM..])? {
        header.clear();
        let binary = FrameHeader { opcode: OpCode::Data(Data::Binary), ..FrameHeader::default() };
        binary.format(length as u64, &mut header)?;
        let start = HEADER_ROOM - header.len();
        frame[start..HEADER_ROOM].copy_from_slice(&header);
        for socket in &mut *sockets {
            socket.write_all(&frame[start..HEADER_ROOM + length])?;
        }
    }
    Ok(())
}

/// Waits for output and reads all there is, up to what `output` holds; `None` at the end.
fn drain(pty: &Pty, output: &mut [u8]) -> Result<Option<usize>> {
    rustix::event::poll(&mut [PollFd::new(pty.fd(), PollFlags::IN)], None)?;
    let mut length = 0;
    while length < output.len() {
        match rustix::io::read(pty.fd(), &mut output[length..]) {
            Ok(0) | Err(rustix::io::Errno::AGAIN) => break,
            Ok(more) => length += more,
            Err(rustix::io::Errno::IO) if length == 0 => return Ok(None),
            Err(rustix::io::Errno::IO) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(length))
}
