//! The wire: frames and messages, nothing else. `docs/protocol.md` is the contract in prose.

pub mod api;
pub mod client;
pub mod frame;
pub mod node;
pub mod server;

/// The WebSocket subprotocol that selects the native framing.
pub const NATIVE_SUBPROTOCOL: &str = "everpane.v1";

/// The largest message a viewer may send, in bytes; more closes its connection with 1009.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// The most payload the gateway puts into one output frame, in bytes.
pub const MAX_OUTPUT_BYTES: usize = 64 << 10;

/// The most output of one pane, in bytes, that a native viewer is sent beyond what it says it has consumed.
pub const WINDOW_BYTES: u64 = 100_000;

/// With no more than this unconsumed, in bytes, a viewer that filled its window is sent output again.
pub const WINDOW_LOW_BYTES: u64 = 5_000;

/// How many numbered input frames a client may have sent that are not acknowledged yet: of so many, refusals that
/// were lost with a connection are told again.
pub const MAX_UNACKNOWLEDGED: u64 = 64;

/// How many refused messages a viewer may send in a row-up of [`ABUSE_WINDOW_SECS`] before it is closed.
pub const ABUSE_ERRORS: u32 = 20;

/// The window, in seconds, over which [`ABUSE_ERRORS`] are counted.
pub const ABUSE_WINDOW_SECS: u64 = 10;

/// Why the gateway closes a viewer's WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// The gateway is shutting down; come back later.
    GoingAway = 1001,
    /// Too many refused messages within the window.
    PolicyViolation = 1008,
    /// The gateway is at its limit of viewers; try again later.
    TryAgainLater = 1013,
    /// The viewer took nothing for too long, or let its answers pile up.
    Stalled = 4008,
    /// Somebody asked the gateway to close it: it is to come back only if a person wants it to.
    Dismissed = 4403,
    /// The client that the viewer spoke for came back over another connection.
    Superseded = 4409,
}

#[cfg(test)]
mod typescript;
