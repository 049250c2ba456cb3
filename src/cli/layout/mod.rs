//! `everpane attach --layout`: the whole layout in a terminal.

mod card;
mod compose;
mod copy;
mod copy_keys;
mod key;
mod keys;
mod mouse;
mod outer;
mod page;
mod picker;
mod popup;
mod prompt;
mod search;
mod status;
mod stdin;
mod tiles;
