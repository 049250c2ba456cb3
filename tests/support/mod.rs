//! A real gateway on a free port, and HTTP by hand: the tests have to send what no client library would.

#![allow(dead_code, reason = "each test program uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub(crate) mod attached;
pub(crate) mod counter;
pub(crate) mod heard;
pub(crate) mod machine;
pub(crate) mod mirror;
pub(crate) mod processes;
pub(crate) mod proxy;
pub(crate) mod rest;
pub(crate) mod roster;
pub(crate) mod service;
pub(crate) mod stage;
pub(crate) mod terminal;
pub(crate) mod typist;
pub(crate) mod verbs;
pub(crate) mod viewer;
pub(crate) mod wall_clock;
pub(crate) mod wire;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The token that [`Gateway::start`] sets.
pub(crate) const TOKEN: &str = "a-token-for-the-tests";

/// A gateway of its own process, killed when the test ends.
pub(crate) struct Gateway {
    child: Child,
    /// The line that it printed at its start.
    pub(crate) announced: String,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The rest of its output.
    _stdout: BufReader<ChildStdout>,
}

/// `everpane` in an environment that holds nothing but what is needed.
pub(crate) fn everpane(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everpane"));
    command
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("SHELL", "/bin/sh"), ("HOME", "/")])
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data_dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Gateway {
    /// One with [`TOKEN`] and the defaults.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::run(everpane(data_dir).env("EVERPANE_TOKEN", TOKEN))
    }

    /// Starts `command` and waits until it listens.
    pub(crate) fn run(command: &mut Command) -> Self {
        Self::run_with_stderr(command, Stdio::inherit())
    }

    /// The same with another place for what it says to people.
    pub(crate) fn run_with_stderr(command: &mut Command, stderr: impl Into<Stdio>) -> Self {
        let mut child = command.stderr(stderr).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (line_tx, line_rx) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            line_tx.send((line, stdout))
        });
        let (line, stdout) = line_rx.recv_timeout(PATIENCE).expect("the gateway prints its address");
        let url = line.trim_end().strip_prefix("Everpane is at http://").expect(&line).to_owned();
        let port: u16 = url.split_once('/').unwrap().0.rsplit(':').next().unwrap().parse().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self { child, announced: line, address, _stdout: stdout }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The value of `Host` that is right for it.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The origin of its own page.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends a request with the right `Host` and `headers`.
    pub(crate) fn request(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.request_with_body(method, target, headers, "")
    }

    /// The same with a body.
    pub(crate) fn request_with_body(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let host = self.host();
        let length = body.len().to_string();
        let mut all = vec![("Host", host.as_str()), ("Content-Length", &length)];
        all.extend_from_slice(headers);
        self.send(&format!("{}{body}", head(method, target, &all)))
    }

    /// Asks for a WebSocket with exactly `headers`, which have to name the host.
    pub(crate) fn upgrade(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        let handshake = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        self.send(&head("GET", target, &[headers, &handshake].concat()))
    }

    /// Sends `text` as it is.
    pub(crate) fn send(&self, text: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(text.as_bytes()).unwrap();
        Answer::read(stream)
    }

    /// A connection on which reads give up after [`PATIENCE`].
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends `signal` (`TERM`, `INT`, `HUP`).
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    /// Ends it without a warning.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the gateway does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The head of a request, whose connection ends with the answer unless it is upgraded.
pub(crate) fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {target} HTTP/1.1\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !headers.iter().any(|(name, _)| *name == "Connection") {
        text += "Connection: close\r\n";
    }
    text + "\r\n"
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// All headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, of an upgraded connection nothing.
    pub(crate) body: String,
}

impl Answer {
    fn read(stream: TcpStream) -> Self {
        let mut stream = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines.first().expect("an answer").split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines[1..].iter().map(|line| line.split_once(": ").expect(line));
        let headers: Vec<_> = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let answer = Self { status, headers, body: String::new() };
        let length = answer.header("content-length").parse().unwrap_or(0);
        let mut body = String::new();
        // To a HEAD there is a length and no body; then the connection's end comes first.
        stream.take(length).read_to_string(&mut body).unwrap();
        Self { body, ..answer }
    }

    /// A header's value, empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}
