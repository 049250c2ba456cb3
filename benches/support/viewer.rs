//! A viewer of one pane, cheap enough not to be what is measured, and the same one for every server.

use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use everpane::protocol::frame::{INPUT_HEADER, OUTPUT_HEADER, RESTART_SIZE};
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use super::line::Line;
use super::search::Search;

/// A blocking connection.
pub(crate) type Socket = WebSocket<TcpStream>;

/// How long a viewer waits for the next message before it gives the whole run up.
const PATIENCE: Duration = Duration::from_secs(60);

/// After how much output a viewer says that it has taken it in, in bytes: a fraction of what it may be sent before.
const CONSUMED_EVERY: u64 = 4 << 10;

/// How much a viewer reads at once, in bytes.
const READ_BYTES: usize = 256 << 10;

/// How a server frames a pane's bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Framing {
    /// Binary messages are the bytes.
    Bare,
    /// As `docs/protocol.md` has it, on this channel.
    Native {
        /// The pane's.
        channel: u32,
    },
}

/// Reads one pane's output and types into it.
pub(crate) struct Viewer {
    socket: Socket,
    framing: Framing,
    /// The offset after the newest byte that came: beyond what was delivered if the server left some out.
    pub(crate) position: u64,
    /// How many output bytes came.
    pub(crate) delivered: u64,
    /// How many snapshots came.
    pub(crate) snapshots: u64,
    /// How many bytes of `delivered` were snapshots.
    pub(crate) snapshot_bytes: u64,
    /// What the server was told has been taken in.
    consumed: u64,
}

/// Opens a WebSocket to `url` over a line.
///
/// # Errors
/// When nobody listens there, or the handshake fails.
pub(crate) fn connect(url: &str, subprotocol: Option<&str>, line: Line) -> Result<Socket> {
    let uri: tungstenite::http::Uri = url.parse()?;
    let stream = line.connect(uri.authority().context("no address")?.as_str())?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = ClientRequestBuilder::new(uri);
    if let Some(subprotocol) = subprotocol {
        request = request.with_sub_protocol(subprotocol);
    }
    let config =
        WebSocketConfig::default().read_buffer_size(READ_BYTES).max_frame_size(None).max_message_size(None);
    let handshake = tungstenite::client::client_with_config(request, stream, Some(config));
    Ok(handshake.map_err(|error| anyhow::anyhow!("handshake with {url}: {error}"))?.0)
}

impl Viewer {
    /// A viewer on an open connection that is already told to bring the pane's output.
    pub(crate) fn new(socket: Socket, framing: Framing) -> Viewer {
        Viewer { socket, framing, position: 0, delivered: 0, snapshots: 0, snapshot_bytes: 0, consumed: 0 }
    }

    /// Types `text`.
    ///
    /// # Errors
    /// When the server has gone.
    pub(crate) fn type_text(&mut self, text: &str) -> Result<()> {
        let mut frame = Vec::with_capacity(INPUT_HEADER + text.len());
        if let Framing::Native { channel } = self.framing {
            frame.push(1);
            frame.extend_from_slice(&channel.to_be_bytes());
        }
        frame.extend_from_slice(text.as_bytes());
        Ok(self.socket.send(Message::from(frame))?)
    }

    /// The next piece of output.
    ///
    /// # Errors
    /// When the server has gone, or nothing comes.
    pub(crate) fn read(&mut self) -> Result<Bytes> {
        loop {
            let Message::Binary(frame) = self.socket.read().context("waiting for output")? else { continue };
            let Some(payload) = self.payload(frame) else { continue };
            self.delivered += payload.len() as u64;
            self.tell_consumed()?;
            return Ok(payload);
        }
    }

    fn tell_consumed(&mut self) -> Result<()> {
        let Framing::Native { channel } = self.framing else { return Ok(()) };
        if self.position.abs_diff(self.consumed) < CONSUMED_EVERY {
            return Ok(());
        }
        self.consumed = self.position;
        let frame = [&[5], &channel.to_be_bytes()[..], &self.position.to_be_bytes()].concat();
        Ok(self.socket.send(Message::from(frame))?)
    }

    /// Takes a frame's payload and moves `position`; `None` if it is another pane's.
    fn payload(&mut self, frame: Bytes) -> Option<Bytes> {
        let Framing::Native { channel } = self.framing else {
            self.position += frame.len() as u64;
            return Some(frame);
        };
        let header = frame.get(..OUTPUT_HEADER)?;
        if header[9..13] != channel.to_be_bytes() {
            return None;
        }
        let offset = u64::from_be_bytes(header[1..9].try_into().ok()?);
        match header[0] {
            1 => {
                self.position = offset + (frame.len() - OUTPUT_HEADER) as u64;
                Some(frame.slice(OUTPUT_HEADER..))
            }
            2 => {
                (self.position, self.snapshots) = (offset, self.snapshots + 1);
                self.snapshot_bytes += (frame.len() - OUTPUT_HEADER - RESTART_SIZE) as u64;
                Some(frame.slice(OUTPUT_HEADER + RESTART_SIZE..))
            }
            // A part of a snapshot, whose place in the output the last part tells.
            3 => {
                self.snapshot_bytes += (frame.len() - OUTPUT_HEADER) as u64;
                Some(frame.slice(OUTPUT_HEADER..))
            }
            _ => None,
        }
    }

    /// Reads until one more snapshot is there.
    ///
    /// # Errors
    /// When none comes.
    pub(crate) fn wait_for_snapshot(&mut self) -> Result<()> {
        let before = self.snapshots;
        while self.snapshots == before {
            self.read()?;
        }
        Ok(())
    }

    /// Reads until `text` was seen.
    ///
    /// # Errors
    /// When it does not come.
    pub(crate) fn read_to(&mut self, text: &str) -> Result<()> {
        let mut search = Search::new(text);
        while !search.found_in(&self.read()?) {}
        Ok(())
    }

    /// Reads until `text`, a number and what ends that came; answers with the number. In a snapshot, any sequence
    /// may come after it.
    ///
    /// # Errors
    /// When it does not come.
    pub(crate) fn wait_for(&mut self, text: &str) -> Result<String> {
        let mut seen = Vec::new();
        loop {
            seen.extend_from_slice(&self.read()?);
            let Some(start) = memchr::memmem::find(&seen, text.as_bytes()) else { continue };
            let rest = &seen[start + text.len()..];
            let Some(end) = rest.iter().position(|byte| !byte.is_ascii_digit()) else { continue };
            return Ok(String::from_utf8_lossy(&rest[..end]).into_owned());
        }
    }
}
