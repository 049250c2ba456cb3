//! What is known of nodes. Pure: events and the time come in; nothing here waits, dials or looks at a clock.

mod wake;

pub use wake::{Attempt, Wake, WakeLimits, WakeState};
