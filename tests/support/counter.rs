//! A pane whose program counts, and a viewer that notices when a number is missing, doubled or torn. Between the numbers
//! the program answers keys.

use std::time::{Duration, Instant};

use everpane::ids::PaneId;
use everpane::protocol::server::ServerMessage;
use serde_json::json;

use super::mirror::Mirror;
use super::stage::eventually;
use super::viewer::TestViewer;
use super::{Gateway, PATIENCE};

/// A program that prints a number every so often, for a `pause` as sleep takes it, and a line for each line it reads.
/// With its process id, which tells it from its successor. How far it is, is in the file `at`.
pub(crate) fn counting(pause: &str) -> String {
    format!(
        "stty -echo\n\
         (i=0; while :; do echo line $i; echo $i > at; i=$((i+1)); sleep {pause}; done) &\n\
         while read key; do echo key $key by $$; done"
    )
}

/// The same without a pause.
pub(crate) const FLOOD: &str = "stty -echo\n\
     (i=0; while :; do echo line $i; i=$((i+1)); done) &\n\
     while read key; do echo key $key by $$; done";

/// What was printed.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The number to come.
    pub(crate) next: u64,
    /// Lines that are no numbers.
    pub(crate) others: Vec<String>,
    /// A line without its end.
    rest: Vec<u8>,
    /// What comes first is of a program that has ended, up to the line that tells of the next one's start.
    is_over: bool,
}

impl Lines {
    #[track_caller]
    fn take(&mut self, bytes: &[u8]) {
        // A NUL is a change of size, which anybody may cause.
        self.rest.extend(bytes.iter().filter(|byte| **byte != 0));
        let whole = memchr::memmem::rfind(&self.rest, b"\r\n").map_or(0, |at| at + 2);
        let text: Vec<u8> = self.rest.drain(..whole).collect();
        for line in String::from_utf8(text).unwrap().split_terminator("\r\n") {
            if self.is_over {
                self.is_over = !line.contains(" · restarted at ");
                continue;
            }
            match line.strip_prefix("line ") {
                Some(number) => {
                    assert_eq!(number.parse(), Ok(self.next), "{line:?} is not the next one");
                    self.next += 1;
                }
                None => self.others.push(line.to_owned()),
            }
        }
    }

    /// Who answered a key, each time that somebody did.
    pub(crate) fn answers(&self, key: &str) -> Vec<String> {
        let answer = format!("key {key} by ");
        self.others.iter().filter_map(|line| line.strip_prefix(&answer)).map(str::to_owned).collect()
    }
}

/// See the module.
pub(crate) struct Counter {
    pub(crate) viewer: TestViewer,
    pub(crate) pane: PaneId,
    pub(crate) lines: Lines,
}

impl Counter {
    /// A pane on a node that is there, whose program has begun to count.
    pub(crate) fn open(gateway: &Gateway, node: &str) -> Self {
        let mut viewer = TestViewer::attach(gateway);
        let create = json!({ "type": "session_create", "node": node });
        // A node is in the roster a moment before panes can be put on it.
        let pane = eventually("a pane there", || match viewer.request(create.clone()) {
            ServerMessage::Ok { pane_id, .. } => pane_id,
            _ => None,
        });
        viewer.watch_all_from(pane, 0);
        let mut counter = Self { viewer, pane, lines: Lines::default() };
        counter.until("the first numbers", |_, lines| lines.next > 2);
        counter
    }

    /// Goes on over a new connection, to another gateway perhaps.
    pub(crate) fn come_back(&mut self, gateway: &Gateway) {
        let offset = self.watch_again(gateway, true);
        self.expect_no_gap(offset);
    }

    /// The same while the pane's node is away.
    pub(crate) fn come_back_early(&mut self, gateway: &Gateway) {
        let offset = self.watch_again(gateway, false);
        self.expect_no_gap(offset);
    }

    fn expect_no_gap(&self, offset: u64) {
        let output = &self.viewer.mirror.output[&self.pane];
        let missed = output.missed.unwrap_or(0);
        assert_eq!((output.from, missed), (offset, 0), "it goes on where it was: {output:?}");
    }

    /// Asks over a new connection for what it has not read yet, of a pane that is live or not. From which offset that is.
    fn watch_again(&mut self, gateway: &Gateway, live: bool) -> u64 {
        self.take_in();
        let offset = self.viewer.mirror.output[&self.pane].head();
        self.viewer = TestViewer::attach(gateway);
        let pane = self.pane;
        self.viewer
            .until("the pane", |mirror| mirror.panes.contains_key(&pane) && mirror.connected(pane) == live);
        self.viewer.watch_all_from(self.pane, offset);
        let has_begun = |mirror: &Mirror| mirror.output.contains_key(&self.pane);
        self.viewer.until("what was asked for", has_begun);
        offset
    }

    /// Counts what the viewer has read.
    #[track_caller]
    pub(crate) fn take_in(&mut self) {
        if let Some(output) = self.viewer.mirror.output.get_mut(&self.pane) {
            assert_eq!(output.restarts, 0, "a snapshot came in the place of output: {output:?}");
            self.lines.take(&output.bytes);
            output.forget();
        }
    }

    /// Reads until this holds.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&Mirror, &Lines) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        self.take_in();
        while !holds(&self.viewer.mirror, &self.lines) {
            let (mirror, lines) = (&self.viewer.mirror, &self.lines);
            assert!(Instant::now() < deadline, "waited in vain for {what}: {lines:?} {mirror:#?}");
            self.viewer.read(deadline);
            assert_eq!(self.viewer.mirror.closed, None);
            self.take_in();
        }
    }

    /// Reads until so many more numbers came.
    #[track_caller]
    pub(crate) fn until_more(&mut self, count: u64) {
        let wanted = self.lines.next + count;
        self.until("more numbers", |_, lines| lines.next >= wanted);
    }

    /// Reads until the pane is connected, or not. How long that took.
    #[track_caller]
    pub(crate) fn until_connected(&mut self, connected: bool) -> Duration {
        let (pane, start) = (self.pane, Instant::now());
        self.until("the other state", |mirror, _| mirror.connected(pane) == connected);
        start.elapsed()
    }

    /// Reads until then, whatever comes.
    #[track_caller]
    pub(crate) fn read_until(&mut self, time: Instant) {
        while self.viewer.read(time) {}
        assert_eq!(self.viewer.mirror.closed, None);
        self.take_in();
    }

    /// Types a line, and waits for the answer: the process that gave it, the only one.
    #[track_caller]
    pub(crate) fn key(&mut self, key: &str) -> String {
        self.viewer.type_in(self.pane, &format!("{key}\n"));
        self.until_answered(key)
    }

    /// Waits for the answer to what was typed.
    #[track_caller]
    pub(crate) fn until_answered(&mut self, key: &str) -> String {
        self.until(key, |_, lines| !lines.answers(key).is_empty());
        // What is doubled would be there with the numbers that follow.
        self.until_more(3);
        let answers = self.lines.answers(key);
        assert_eq!(answers.len(), 1, "{answers:?} to {key}");
        answers[0].clone()
    }

    /// Expects another program, which counts from the start. What the last one printed may still be on its way, and is
    /// not looked at any more.
    pub(crate) fn start_over(&mut self) {
        self.take_in();
        let rest = std::mem::take(&mut self.lines.rest);
        self.lines = Lines { rest, is_over: true, ..Lines::default() };
    }

    /// How the pane's connection has changed so far.
    pub(crate) fn history(&self) -> &[bool] {
        &self.viewer.mirror.connections[&self.pane]
    }
}
