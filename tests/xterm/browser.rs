//! The terminals of the page, held by a process of node: see `web/conformance/`.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// Where a viewer comes in, as the process is told.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Cut {
    /// How much clean output is before it, in bytes.
    pub(crate) at: usize,
    /// How long its snapshot is, in bytes.
    pub(crate) snapshot: usize,
    /// Whether the snapshot has scrollback.
    pub(crate) scrollback: bool,
    /// How much of the output it sees, in bytes.
    pub(crate) rest: usize,
}

/// A question: behind it come output and snapshots.
#[derive(Debug, Serialize)]
pub(crate) struct Question {
    pub(crate) cols: u16,
    pub(crate) rows: u16,
    /// In bytes.
    pub(crate) output: usize,
    pub(crate) cuts: Vec<Cut>,
}

/// How the late terminal differs from the early one in one of the lines that describe it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Difference {
    /// Which of the cuts.
    pub(crate) cut: usize,
    /// `at once`, `later` (after the rest of the output), or `emitted` (by the snapshot).
    pub(crate) when: String,
    pub(crate) early: String,
    pub(crate) late: String,
}

/// See the module.
pub(crate) struct Browser {
    process: Child,
    questions: Option<BufWriter<ChildStdin>>,
    answers: BufReader<ChildStdout>,
}

impl Browser {
    /// Starts the process; what it needs is installed if it is not there.
    pub(crate) fn start(web: &Path) -> Browser {
        install(web);
        let mut process = Command::new("node")
            .arg("conformance/main.mjs")
            .current_dir(web)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs: this test needs Node.js 20 or newer, as the page does");
        let questions = process.stdin.take().map(BufWriter::new);
        let answers = BufReader::new(process.stdout.take().unwrap());
        Browser { process, questions, answers }
    }

    /// What differs between a terminal that gets all of the output and those that get a snapshot first.
    pub(crate) fn compare(
        &mut self,
        question: &Question,
        output: &[u8],
        snapshots: &[u8],
    ) -> Vec<Difference> {
        let questions = self.questions.as_mut().unwrap();
        serde_json::to_writer(&mut *questions, question).unwrap();
        for part in [b"\n", output, snapshots] {
            questions.write_all(part).unwrap();
        }
        questions.flush().unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).expect("an answer; node says above what is wrong")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // At the end of the questions it ends.
        self.questions = None;
        let _ = self.process.wait();
    }
}

/// Installs the page's packages once, if they are not there.
fn install(web: &Path) {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        if web.join("node_modules/@xterm/headless").is_dir() && web.join("node_modules/vite").is_dir() {
            return;
        }
        let installed = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(web).status();
        let installed = installed.expect("npm runs: this test needs Node.js 20 or newer, as the page does");
        assert!(installed.success(), "`npm ci` in web/ failed: this test needs the page's packages");
    });
}
