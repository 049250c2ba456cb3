//! `everpane attach --layout`: the whole layout in a terminal.

mod copy;
mod copy_keys;
mod key;
mod keys;
mod page;
mod search;
mod stdin;
mod tiles;
