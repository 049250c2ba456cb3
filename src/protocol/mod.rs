//! The wire: frames and messages, nothing else.
