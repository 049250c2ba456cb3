//! The gateway as a contender: the release binary, spoken to as `docs/protocol.md` has it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use everpane::ids::{PaneId, SessionId};
use everpane::protocol::NATIVE_SUBPROTOCOL;
use everpane::protocol::client::{
    ClientMessage, Connect, PaneWatch, SessionCreate, TabCreate, ViewMode, WatchPane,
};
use everpane::protocol::server::{LayoutUpdate, ServerMessage, State};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

use super::line::Line;
use super::server::Server;
use super::viewer::{self, Framing, Socket, Viewer};

/// A gateway in a process of its own, with state that goes with it. Ends with its shells when dropped.
pub(crate) struct Everpane {
    process: Child,
    /// Where viewers connect.
    url: String,
    /// In the order of making.
    pub(crate) panes: Vec<PaneId>,
    /// Held open, so that the gateway can go on printing.
    _stdout: BufReader<ChildStdout>,
    _data_dir: TempDir,
}

impl Everpane {
    /// Starts one with `program` as its shell and `panes` panes, each in a tab of its own.
    ///
    /// # Errors
    /// When it does not start, or refuses.
    pub(crate) fn start_with_panes(program: &Path, panes: usize) -> Result<Everpane> {
        let mut gateway = Everpane::start(program)?;
        gateway.add_panes(panes)?;
        Ok(gateway)
    }

    fn start(program: &Path) -> Result<Everpane> {
        let data_dir = tempfile::tempdir()?;
        let mut process = Command::new(env!("CARGO_BIN_EXE_everpane"))
            .args(["serve", "--listen", "127.0.0.1:0", "--no-auth", "--shell"])
            .arg(program)
            .arg("--data-dir")
            .arg(data_dir.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdout = BufReader::new(process.stdout.take().context("no standard output")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(['/', '?', ' ', '\n']).next());
        let url = format!("ws://{}/mux", address.with_context(|| format!("no URL in {line:?}"))?);
        Ok(Everpane { process, url, panes: Vec::new(), _stdout: stdout, _data_dir: data_dir })
    }

    /// Makes `count` more panes, each in a tab of its own.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub(crate) fn add_panes(&mut self, count: usize) -> Result<()> {
        let mut control = self.control()?;
        for _ in 0..count {
            let message = match control.session() {
                None => ClientMessage::SessionCreate(SessionCreate { name: None, node: None, cwd: None }),
                Some(session_id) => {
                    ClientMessage::TabCreate(TabCreate { session_id, name: None, node: None, cwd: None })
                }
            };
            self.panes.push(control.make_pane(message)?);
        }
        Ok(())
    }

    /// Connects a viewer that watches no pane.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub(crate) fn control(&self) -> Result<Control> {
        Control::open(&self.url, Line::Loopback)
    }
}

impl Server for Everpane {
    fn pid(&self) -> u32 {
        self.process.id()
    }

    fn viewer_over(&self, line: Line, pane: usize) -> Result<Viewer> {
        let pane = *self.panes.get(pane).context("no such pane")?;
        Control::open(&self.url, line)?.watch(pane, 0)
    }
}

impl Drop for Everpane {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A connection that speaks of the layout.
pub(crate) struct Control {
    socket: Socket,
    /// The newest layout that came.
    layout: LayoutUpdate,
    /// The session that new tabs go into, once there is one.
    session: Option<SessionId>,
    /// Numbers the requests.
    requests: u64,
}

impl Control {
    fn open(url: &str, line: Line) -> Result<Control> {
        let mut socket = viewer::connect(url, Some(NATIVE_SUBPROTOCOL), line)?;
        let connect = Connect { width: 80, height: 24, view: ViewMode::Shared, sizing: true };
        socket.send(Message::text(serde_json::to_string(&ClientMessage::Connect(connect))?))?;
        loop {
            let ServerMessage::State(State { sessions, layout }) = next_message(&mut socket)? else {
                continue;
            };
            let session = sessions.first().map(|session| session.id);
            return Ok(Control { socket, layout, session, requests: 0 });
        }
    }

    fn session(&self) -> Option<SessionId> {
        self.session
    }

    /// The newest layout that came.
    pub(crate) fn layout(&self) -> &LayoutUpdate {
        &self.layout
    }

    /// Sends a message without waiting for what comes of it.
    ///
    /// # Errors
    /// When the gateway has gone.
    pub(crate) fn send(&mut self, message: &ClientMessage) -> Result<u64> {
        self.requests += 1;
        let mut json = serde_json::to_value(message)?;
        json["requestId"] = self.requests.into();
        self.socket.send(Message::text(json.to_string()))?;
        Ok(self.requests)
    }

    fn make_pane(&mut self, message: ClientMessage) -> Result<PaneId> {
        let request = self.send(&message)?;
        loop {
            match self.next()? {
                ServerMessage::Ok { request_id, session_id, pane_id, .. } if request_id == request => {
                    self.session = session_id.or(self.session);
                    return pane_id.context("no pane was made");
                }
                ServerMessage::Error(error) => bail!("refused: {}", error.message),
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<ServerMessage> {
        let message = next_message(&mut self.socket)?;
        if let ServerMessage::State(State { layout, .. }) | ServerMessage::LayoutUpdate(layout) = &message {
            self.layout = layout.clone();
        }
        Ok(message)
    }

    /// Waits for a layout that says whether `pane` has a terminal.
    ///
    /// # Errors
    /// When none comes.
    pub(crate) fn wait_connected(&mut self, pane: PaneId, connected: bool) -> Result<()> {
        while self.layout.connected.get(&pane) != Some(&connected) {
            self.next()?;
        }
        Ok(())
    }

    /// Waits for a message with `text` in it, without taking it apart.
    ///
    /// # Errors
    /// When none comes.
    pub(crate) fn wait_text(&mut self, text: &str) -> Result<()> {
        loop {
            if let Message::Text(json) = self.socket.read()?
                && memchr::memmem::find(json.as_bytes(), text.as_bytes()).is_some()
            {
                return Ok(());
            }
        }
    }

    /// Becomes a viewer of `pane` that asks for so many rows of scrollback.
    ///
    /// # Errors
    /// When there is no such pane.
    pub(crate) fn watch(mut self, pane: PaneId, history: u32) -> Result<Viewer> {
        let channel = *self.layout.channels.get(&pane).context("a pane without a channel")?;
        let panes = vec![WatchPane { pane_id: pane, offset: None, history, lossless: false }];
        self.send(&ClientMessage::PaneWatch(PaneWatch { panes }))?;
        Ok(Viewer::new(self.socket, Framing::Native { channel }))
    }
}

fn next_message(socket: &mut Socket) -> Result<ServerMessage> {
    loop {
        if let Message::Text(json) = socket.read()? {
            return serde_json::from_str(&json).with_context(|| format!("not understood: {json}"));
        }
    }
}
