//! What a gateway and its host say to each other: one JSON text to a message, some with descriptors beside.
//!
//! A caller's first word, [`Ask::Hello`] or [`Ask::Shutdown`], and the answers to it are the same in all versions.

use serde::{Deserialize, Serialize};

use super::WhenFull;
use crate::host::{Exit, SpawnRequest};
use crate::ids::PaneId;
use crate::pane::respawn::Generation;

/// Which wire this is. Programs of different builds with the same wire get on.
pub(super) const VERSION: u32 = 1;

/// This build, for people.
pub(super) const BUILD: &str = env!("CARGO_PKG_VERSION");

/// The longest message, in bytes. An environment that makes a longer one is refused.
pub(super) const MAX_LINK_BYTES: usize = 128 << 10;

/// The most descriptors beside a message: a PTY's master and its tape.
pub(super) const MAX_LINK_DESCRIPTORS: usize = 2;

/// A terminal, as host and gateway call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct TerminalId(pub(super) u64);

/// From the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    /// The first word of a gateway. Answered by [`Tell::Hello`], then each terminal, then [`Tell::Ready`].
    Hello { version: u32, build: String },
    /// The first word of who wants the host to end, with all programs; also a gateway's last.
    Shutdown,
    /// How the host is to go on when this gateway is gone.
    Settings { tape_bytes: usize, when_full: WhenFull },
    /// Start a program. Answered by [`Tell::Spawned`] or [`Tell::Failed`] with the same number.
    Spawn { number: u64, request: SpawnRequest },
    /// End a terminal's program.
    Kill { terminal: TerminalId },
    /// A terminal's program has ended, and all its output was taken; or nobody wants it: end it and forget it.
    Forget { terminal: TerminalId },
}

/// From the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tell {
    /// The first word, whatever version the caller speaks.
    Hello { version: u32, build: String, pid: u32 },
    /// Another gateway is here.
    Busy { pid: i32 },
    /// A terminal from before; with its master and its tape.
    Kept { terminal: TerminalId, pane: PaneId, generation: Generation, pid: i32, exit: Option<Exit> },
    /// All terminals were told.
    Ready,
    /// A program was started; with its master and its tape.
    Spawned { number: u64, terminal: TerminalId, pid: i32, note: Option<String> },
    /// It could not be started.
    Failed { number: u64, reason: String },
    /// A program ended.
    Exited { terminal: TerminalId, exit: Exit },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Size;

    #[test]
    fn the_first_words_stay_as_they_are() {
        let told = |message: &Tell| serde_json::to_string(message).unwrap();
        let asked = |message: &Ask| serde_json::to_string(message).unwrap();
        let build = "1.0".to_owned();
        assert_eq!(
            asked(&Ask::Hello { version: 1, build: build.clone() }),
            r#"{"hello":{"version":1,"build":"1.0"}}"#
        );
        assert_eq!(asked(&Ask::Shutdown), r#""shutdown""#);
        assert_eq!(
            told(&Tell::Hello { version: 1, build, pid: 7 }),
            r#"{"hello":{"version":1,"build":"1.0","pid":7}}"#
        );
        assert_eq!(told(&Tell::Busy { pid: 7 }), r#"{"busy":{"pid":7}}"#);
    }

    #[test]
    fn a_request_comes_out_as_it_went_in() {
        let request = SpawnRequest {
            pane: PaneId(3),
            generation: Generation(4),
            command: vec!["/bin/sh".to_owned(), "-c".to_owned(), "é\n".to_owned()],
            cwd: "/x y".into(),
            environment: vec![("A".to_owned(), "=b".to_owned())],
            size: Size::DEFAULT,
        };
        let message = Ask::Spawn { number: 9, request };
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<Ask>(&text).unwrap(), message);
    }
}
