//! The client's side of the wire: a lasting connection to a gateway through any number of sockets, over which input
//! arrives once and output goes on where it ended.

pub mod backoff;
mod connection;
mod conversation;
pub mod dialling;
pub mod event;
pub mod line;
pub mod mirror;
pub mod outbox;
mod requests;
mod trouble;
pub mod watches;

pub use self::connection::{Client, Options};
pub use self::conversation::Viewport;
pub use self::event::{Closed, Event, Loss, Returned, Status};
pub use self::requests::{Made, RequestError};
