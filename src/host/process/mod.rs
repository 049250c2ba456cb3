//! The local host as a process of its own, so that its programs outlive the gateway.
//!
//! [`run`] is that process: it forks programs, owns and reaps them, and reads on when no gateway does. [`Link`] is the
//! gateway's side: it finds the process or starts it, and reads and writes PTYs itself, by descriptors that it was
//! passed. What they say to each other is in `wire`.

mod call;
mod keeper;
mod link;
mod program;
mod server;
mod socket;
mod wire;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use call::{LinkError, end_host};
pub use link::Link;
pub use server::{RunError, run};

pub use super::tape::MIN_TAPE_BYTES;

/// What happens to a program that prints more, while there is no gateway, than its tape has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenFull {
    /// It waits for the next gateway.
    #[default]
    Wait,
    /// It goes on, and its oldest output is lost.
    Drop,
}

/// What a gateway wants of its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where they meet; one host to a directory.
    pub data_dir: PathBuf,
    /// The program that a host is started by, with `host` and a data directory as its arguments.
    pub program: PathBuf,
    /// The size of each tape, at least [`MIN_TAPE_BYTES`].
    pub tape_bytes: usize,
    /// What happens when one is full.
    pub when_full: WhenFull,
    /// Whether the programs end with the gateway's orderly end all the same.
    pub stop: bool,
}
