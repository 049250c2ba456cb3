//! Commands of `everpane` for a gateway, as a script gives them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde::de::DeserializeOwned;

use super::stage::Stage;
use super::{Gateway, TOKEN};

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit code.
    pub(crate) code: i32,
    /// What it printed as data.
    pub(crate) stdout: String,
    /// What it printed as words.
    pub(crate) stderr: String,
}

impl Ran {
    /// Its output, of one that was to succeed.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// Its output, read as JSON.
    #[track_caller]
    pub(crate) fn json<T: DeserializeOwned>(self) -> T {
        let text = self.well();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code().expect("it ended by itself"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A command with these words, in an environment that leads to no gateway.
pub(crate) fn lost(home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everpane"));
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").args(words).stdin(Stdio::null());
    command
}

/// A command with these words for `gateway`.
pub(crate) fn command_for(gateway: &Gateway, home: &Path, words: &[&str]) -> Command {
    let mut command = lost(home, words);
    command.env("EVERPANE_GATEWAY", gateway.origin()).env("EVERPANE_TOKEN", TOKEN);
    command
}

impl Stage {
    /// A command with these words for the gateway.
    pub(crate) fn everpane(&self, words: &[&str]) -> Command {
        command_for(&self.gateway, &self.path("home"), words)
    }

    /// Runs that.
    pub(crate) fn verb(&self, words: &[&str]) -> Ran {
        self.everpane(words).output().unwrap().into()
    }

    /// Runs it with that on its stdin.
    pub(crate) fn verb_with_stdin(&self, words: &[&str], stdin: &[u8]) -> Ran {
        let mut command = self.everpane(words);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        child.wait_with_output().unwrap().into()
    }
}
