//! The gateway as a contender: the release binary, spoken to as `docs/protocol.md` has it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

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
use super::node::{self, Node};
use super::process;
use super::server::Server;
use super::table::Column;
use super::viewer::{self, Framing, Socket, Viewer};

/// How soon a node that has registered can have panes, at the latest.
const JOINED_WITHIN: Duration = Duration::from_secs(5);

/// How soon that is tried again.
const JOIN_RETRY: Duration = Duration::from_millis(5);

/// Where a gateway has its PTYs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hosting {
    /// In the gateway's own process.
    Inside,
    /// In a host's process beside it, as by default.
    Beside,
    /// On a node, in a process that dialled in over loopback.
    Node,
}

impl Hosting {
    /// Its column in the table.
    pub(crate) fn column(self) -> Column {
        match self {
            Hosting::Inside => Column::Inside,
            Hosting::Beside => Column::Everpane,
            Hosting::Node => Column::Node,
        }
    }

    /// What it asks for in a config file.
    fn settings(self) -> &'static str {
        match self {
            Hosting::Beside => "",
            Hosting::Inside => "host.process = false\n",
            Hosting::Node => "nodes.local = false\n",
        }
    }
}

/// A gateway in a process of its own, with state that goes with it. Ends with its shells when dropped.
pub(crate) struct Everpane {
    /// The node that new panes go to, if the gateway has none of its own.
    node: Option<Node>,
    process: Child,
    /// Where it listens.
    address: String,
    /// In the order of making.
    pub(crate) panes: Vec<PaneId>,
    /// Held open, so that the gateway can go on printing.
    _stdout: BufReader<ChildStdout>,
    data_dir: TempDir,
}

impl Everpane {
    /// Starts one with `program` as its shell and `panes` panes, each in a tab of its own.
    ///
    /// # Errors
    /// When it does not start, or refuses.
    pub(crate) fn start_with_panes(program: &Path, panes: usize) -> Result<Everpane> {
        Everpane::start_hosting(Hosting::Beside, program, panes)
    }

    /// The same with the PTYs somewhere.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn start_hosting(hosting: Hosting, program: &Path, panes: usize) -> Result<Everpane> {
        let data_dir = tempfile::tempdir()?;
        let mut gateway = Everpane::start(data_dir, program, hosting.settings())?;
        if hosting == Hosting::Node {
            gateway.join_node(program)?;
        }
        gateway.add_panes(panes)?;
        Ok(gateway)
    }

    /// Starts one without panes, which are to be on a node that `wake` wakes: a program and its arguments, which may
    /// be in the `data_dir`.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start_with_wake(data_dir: TempDir, program: &Path, wake: &[&str]) -> Result<Everpane> {
        Everpane::start(data_dir, program, &format!("nodes.local = false\nwake.command = {wake:?}\n"))
    }

    fn start(data_dir: TempDir, program: &Path, settings: &str) -> Result<Everpane> {
        let config = data_dir.path().join("config.toml");
        std::fs::write(&config, settings)?;
        let mut process = Command::new(env!("CARGO_BIN_EXE_everpane"))
            .args(["serve", "--listen", "127.0.0.1:0", "--no-auth", "--shell"])
            .arg(program)
            .arg("--config")
            .arg(config)
            .arg("--data-dir")
            .arg(data_dir.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdout = BufReader::new(process.stdout.take().context("no standard output")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(['/', '?', ' ', '\n']).next());
        let address = address.with_context(|| format!("no URL in {line:?}"))?.to_owned();
        Ok(Everpane { node: None, process, address, panes: Vec::new(), _stdout: stdout, data_dir })
    }

    /// Has a node join, with `program` as its shell; from now on panes are made there.
    ///
    /// # Errors
    /// When the node does not start.
    pub(crate) fn join_node(&mut self, program: &Path) -> Result<()> {
        self.node = Some(Node::start(&self.address, program)?);
        Ok(())
    }

    /// Kills the node.
    pub(crate) fn kill_node(&mut self) {
        self.node = None;
    }

    /// Where it listens: a host and a port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What has the PTYs, if that is another process.
    ///
    /// # Errors
    /// When the processes can't be listed.
    pub(crate) fn host_pid(&self) -> Result<Option<u32>> {
        match &self.node {
            Some(node) => Ok(Some(node.pid())),
            None => process::running(&["host", "--data-dir", &self.data_dir.path().to_string_lossy()]),
        }
    }

    /// Makes `count` more panes, each in a tab of its own.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub(crate) fn add_panes(&mut self, count: usize) -> Result<()> {
        let mut control = self.control()?;
        let deadline = Instant::now() + JOINED_WITHIN;
        for _ in 0..count {
            let node = self.node.as_ref().map(|_| node::ID.to_owned());
            let message = match control.session() {
                None => ClientMessage::SessionCreate(SessionCreate { name: None, node, cwd: None }),
                Some(session_id) => {
                    ClientMessage::TabCreate(TabCreate { session_id, name: None, node, cwd: None })
                }
            };
            let pane = loop {
                match control.make_pane(&message) {
                    Ok(pane) => break pane,
                    // A node is registered some moments before it can have panes.
                    Err(_) if self.node.is_some() && Instant::now() < deadline => thread::sleep(JOIN_RETRY),
                    Err(error) => return Err(error),
                }
            };
            self.panes.push(pane);
        }
        Ok(())
    }

    /// Connects a viewer that watches no pane.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub(crate) fn control(&self) -> Result<Control> {
        self.control_over(Line::Loopback)
    }

    fn control_over(&self, line: Line) -> Result<Control> {
        Control::open(&format!("ws://{}/mux", self.address), line)
    }
}

impl Server for Everpane {
    fn pid(&self) -> u32 {
        self.process.id()
    }

    fn pids(&self) -> Result<Vec<u32>> {
        Ok([Some(self.pid()), self.host_pid()?].into_iter().flatten().collect())
    }

    fn viewer_over(&self, line: Line, pane: usize) -> Result<Viewer> {
        let pane = *self.panes.get(pane).context("no such pane")?;
        self.control_over(line)?.watch(pane, 0)
    }
}

impl Drop for Everpane {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // The shells would live on.
        let mut shutdown = Command::new(env!("CARGO_BIN_EXE_everpane"));
        shutdown.args(["shutdown", "--data-dir"]).arg(self.data_dir.path());
        // It complains if there is no host.
        let _ = shutdown.stderr(Stdio::null()).status();
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

    fn make_pane(&mut self, message: &ClientMessage) -> Result<PaneId> {
        let request = self.send(message)?;
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
