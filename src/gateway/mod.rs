//! The hub: panes, the terminals map, viewers, layout broadcast and lazy respawn. It moves events between
//! pure cores, hosts and viewers; what decides is in those cores.

mod agents;
pub mod channels;
mod checkpoints;
mod clients;
mod desk;
mod edits;
mod hub;
mod loan;
mod looking;
mod lossless;
mod nodes;
mod onlookers;
mod panes;
mod records;
mod refusal;
mod requests;
mod restore;
mod running;
mod saved;
mod screens;
mod search;
mod settings;
#[cfg(test)]
mod tests;
mod timers;
mod typing;
mod updates;
mod view;
mod viewer;
mod viewing;
mod waiting;
mod waking;
mod window;

pub use desk::{Desk, Events, Part, Place, Refused};
pub use hub::{Attached, Gateway, LocalNode, StartError, TooManyViewers};
pub use looking::Output;
pub use nodes::LOCAL_NODE;
pub use settings::{NewProgram, Settings, Told, WakeSettings};
pub use updates::{Update, for_framing};
pub use viewer::{Framing, Pulled, Viewer};
