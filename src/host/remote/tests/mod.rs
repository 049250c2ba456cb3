//! Both ends of the link, face to face.

mod frames;
mod history;
mod pair;
pub(super) mod pretended;
mod real;
mod rules;
