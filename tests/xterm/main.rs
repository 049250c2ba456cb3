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
use streams::Stream;

/// How many places a large recording is joined at.
const PLACES: usize = 40;

/// The same for the screens of the server.
const SERVER_PLACES: usize = 400;

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
    late_is_early(streams::recordings(&root().join("tests/data/recordings")), PLACES);
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

/// On the server all are the same screen.
fn the_servers_screens_are_the_same(streams: &[Stream], places: usize, resized: bool) {
    let joined: usize = streams.iter().map(|stream| server::join(stream, places, resized)).sum();
    println!("{} streams joined at {joined} places on the server, resized: {resized}", streams.len());
}

fn meant_by_programs() -> Vec<Stream> {
    let mut streams = streams::recordings(&root().join("tests/data/recordings"));
    streams.extend(streams::tricky());
    streams.extend(streams::known());
    streams
}

#[test]
fn on_the_server() {
    let mut streams = meant_by_programs();
    streams.extend((0..40).map(streams::random_sequences));
    streams.extend((0..40).map(streams::random_bytes));
    the_servers_screens_are_the_same(&streams, SERVER_PLACES, false);
}

/// Not with random output: some of that differs after a change of size.
#[test]
fn on_the_server_when_resized() {
    the_servers_screens_are_the_same(&meant_by_programs(), PLACES, true);
}

/// `EVERPANE_RECORDINGS=folder cargo test --test xterm -- --ignored --nocapture`
#[test]
#[ignore = "needs a folder of recordings"]
fn more_recordings() {
    let folder = std::env::var_os(MORE_RECORDINGS).expect("the variable names a folder");
    let folder = Path::new(&folder);
    the_servers_screens_are_the_same(&streams::recordings(folder), 1000, true);
    the_servers_screens_are_the_same(&streams::recordings(folder), 5000, false);
    late_is_early(streams::recordings(folder), 300);
}
