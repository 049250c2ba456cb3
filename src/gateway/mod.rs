//! The hub between viewers and hosts.

pub mod channels;
