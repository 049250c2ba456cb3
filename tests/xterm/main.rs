//! A viewer that comes late sees what an early one sees, in the terminal that the page has: xterm.js, fed with the
//! output of recordings and made-up programs from its start, and with a snapshot and what comes after it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod browser;
mod late;
mod server;
mod streams;

use std::path::{Path, PathBuf};

use browser::Browser;
use late::{Figures, Tried};
use server::{Cuts, Joined};
use streams::Stream;

/// How many places a large recording is joined at.
const PLACES: usize = 40;

/// Streams with more cuts than this are not joined at all of them on the server, unless asked for.
const MOST_CUTS: usize = 25_000;

/// But at so many.
const SOME_CUTS: usize = 400;

/// How many times the size changes in the middle of a stream, where it does.
const RESIZES: usize = 4;

/// The environment variable that names a folder of more recordings.
const MORE_RECORDINGS: &str = "EVERPANE_RECORDINGS";

fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests and says where").into()
}

/// Joins each stream, and fails if anything differs that is not known to.
fn late_is_early(streams: Vec<Stream>, places: usize) {
    let mut browser = Browser::start(&root().join("web"));
    let mut figures = Figures::default();
    let mut complaints = Vec::new();
    for stream in streams {
        let tried = Tried::join(&stream, places, &mut browser);
        complaints.extend(tried.complaint(&stream));
        figures.add(&tried);
    }
    println!("{figures}");
    let few: String = complaints.iter().take(20).map(String::as_str).collect();
    assert!(complaints.is_empty(), "{} streams differ:\n{few}", complaints.len());
}

#[test]
fn recordings() {
    late_is_early(streams::recordings(&root().join("tests/data/recordings/vt100-rust")), PLACES);
}

#[test]
fn tricky_streams() {
    late_is_early(streams::tricky(), usize::MAX);
}

#[test]
fn known_differences_are_still_there() {
    let mut browser = Browser::start(&root().join("web"));
    for stream in streams::known() {
        let tried = Tried::join(&stream, usize::MAX, &mut browser);
        assert!(tried.complaint(&stream).is_some(), "{}: no longer a difference", stream.name);
    }
}

#[test]
fn probes() {
    let mut probes = streams::probes(&root().join("src/screen/testdata/query_probes.tsv"));
    // One of the known differences: many combining characters.
    probes.retain(|probe| probe.name != "combining_flood");
    late_is_early(probes, PLACES);
}

#[test]
fn random_sequences() {
    late_is_early((0..80).map(streams::random_sequences).collect(), PLACES);
}

#[test]
fn random_bytes() {
    late_is_early((0..50).map(streams::random_bytes).collect(), PLACES);
}

/// On the server all are the same screen. Streams with more than `most` cuts are joined at some of them.
fn the_servers_screens_are_the_same(streams: impl IntoIterator<Item = Stream>, most: usize, resizes: usize) {
    let join = |stream: Stream| {
        let cuts = Cuts::of(&stream);
        let step = if cuts.len() <= most { 1 } else { cuts.len().div_ceil(SOME_CUTS) };
        cuts.join(step, resizes)
    };
    let joined: Joined = streams.into_iter().map(join).sum();
    println!("{joined}, resized {resizes} times");
}

fn of_all_kinds() -> impl Iterator<Item = Stream> {
    let recordings = streams::recordings(&root().join("tests/data/recordings"));
    let random = (0..40).map(streams::random_sequences).chain((0..40).map(streams::random_bytes));
    recordings.into_iter().chain(streams::tricky()).chain(streams::known()).chain(random)
}

#[test]
fn on_the_server() {
    the_servers_screens_are_the_same(of_all_kinds(), MOST_CUTS, 0);
}

#[test]
fn on_the_server_when_resized() {
    the_servers_screens_are_the_same(of_all_kinds(), SOME_CUTS, RESIZES);
    let random = (40..400).flat_map(|seed| [streams::random_sequences(seed), streams::random_bytes(seed)]);
    the_servers_screens_are_the_same(random, usize::MAX, RESIZES);
}

/// `cargo test --release --test xterm every_place -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes unless optimised"]
fn on_the_server_at_every_place() {
    the_servers_screens_are_the_same(of_all_kinds(), usize::MAX, 0);
    the_servers_screens_are_the_same(of_all_kinds(), usize::MAX, RESIZES);
}

/// `EVERPANE_RECORDINGS=folder cargo test --release --test xterm more -- --ignored --nocapture`
#[test]
#[ignore = "needs a folder of recordings"]
fn more_recordings() {
    let folder = std::env::var_os(MORE_RECORDINGS).expect("the variable names a folder");
    let folder = Path::new(&folder);
    the_servers_screens_are_the_same(streams::recordings(folder), usize::MAX, 0);
    the_servers_screens_are_the_same(streams::recordings(folder), usize::MAX, RESIZES);
    late_is_early(streams::recordings(folder), 300);
}
