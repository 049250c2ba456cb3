//! Holds the rules that ARCHITECTURE.md states, so that neither the page nor the code can drift from the other.
//!
//! Each rule is a function from text to complaints; it is run on the tree, and on a sample that breaks it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// What a rule finds fault with, one line each.
type Complaints = Vec<String>;

/// Two printed pages, and a little.
const PAGE_LINES: usize = 160;

/// Beyond this many lines of code, not counting its tests, a file holds more than one noun.
const FILE_LINES: usize = 600;

/// Where nothing is waited for, asked of the system or done: rooms and single files.
const PURE: [&str; 28] = [
    "src/cli/layout/copy.rs",
    "src/cli/layout/desk.rs",
    "src/cli/layout/desk/",
    "src/cli/layout/keys.rs",
    "src/cli/layout/outer.rs",
    "src/cli/layout/stdin.rs",
    "src/cli/layout/tiles.rs",
    "src/cli/attach/canvas.rs",
    "src/cli/attach/escape.rs",
    "src/cli/attach/picker.rs",
    "src/client/backoff.rs",
    "src/client/event.rs",
    "src/client/mirror.rs",
    "src/client/outbox.rs",
    "src/layout/",
    "src/node/",
    "src/pane/",
    "src/protocol/",
    "src/gateway/channels.rs",
    "src/gateway/clients.rs",
    "src/gateway/desk/mirror.rs",
    "src/gateway/desk/target.rs",
    "src/gateway/search.rs",
    "src/gateway/view.rs",
    "src/gateway/window.rs",
    "src/http/liveness.rs",
    "src/roster/tokens.rs",
    "src/store/schedule.rs",
];

/// What a pure file must not name.
const IMPURE: [&str; 9] = [
    "Instant::now",
    "SystemTime::now",
    "Moment::now",
    "tokio::",
    "async fn",
    ".await",
    "std::fs",
    "std::net",
    "std::thread",
];

/// Where unsafe code may be: by a descriptor's bare number, and in shared memory.
const UNSAFE: [&str; 2] = ["src/host/pty.rs", "src/host/tape.rs"];

/// Other people's crates, and where each is used.
const FOREIGN: [(&str, &[&str]); 9] = [
    ("ratatui", &["src/cli/layout/", "src/cli/attach/picker/draw.rs"]),
    ("axum", &["src/http/", "src/gateway/updates.rs", "src/config/check.rs", "src/config/wake.rs"]),
    ("hyper", &["src/http/"]),
    ("clap", &["src/cli/"]),
    ("portable_pty", &["src/host/pty.rs"]),
    ("memmap2", &["src/host/tape.rs"]),
    ("toml", &["src/config/"]),
    ("dashmap", &["src/gateway/"]),
    ("ureq", &["src/waker/", "src/cli/api.rs"]),
];

// The tree.

/// Asked when it runs: two working trees may share what was compiled.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests and says where").into()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All Rust files below a folder, by their path from the root.
fn rust_files(folder: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

fn for_each_file(rule: impl Fn(&str, &str) -> Complaints) -> Complaints {
    rust_files("src").iter().flat_map(|(path, text)| rule(path, text)).collect()
}

#[track_caller]
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

// Reading Rust, roughly.

/// Whether a file holds nothing but tests.
fn is_test_file(path: &str) -> bool {
    let compiled_for_tests = ["src/protocol/typescript.rs", "src/store/memory_disk.rs"];
    path.contains("/tests/") || path.ends_with("/tests.rs") || compiled_for_tests.contains(&path)
}

/// A file without its module of tests, which stands at its end.
fn without_tests(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod tests {").map_or(text, |end| &text[..end])
}

/// A file without its comments, tests and texts do not matter here.
fn code(text: &str) -> String {
    let lines = without_tests(text).lines();
    lines
        .map(|line| line.split("//").next().unwrap_or_default())
        .fold(String::new(), |code, line| code + line + "\n")
}

/// The room that a file belongs to; the roots of library and binary belong to none.
fn room(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("src/")?;
    let room = rest.split(['/', '.']).next()?;
    (!["lib", "main"].contains(&room)).then_some(room)
}

/// Every item of this crate that some code names in full: `crate::a::{b, c::d}` gives `a::b` and `a::c::d`.
fn crate_paths(code: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (start, prefix) in code.match_indices("crate::") {
        let before = code[..start].chars().next_back();
        // `$crate::` counts, `mycrate::` does not.
        if before.is_none_or(|char| !char.is_alphanumeric() && char != '_') {
            expand("", &code[start + prefix.len()..], &mut paths);
        }
    }
    paths
}

/// Reads one tree of a `use`, puts its paths below `prefix`, and returns how long it is.
fn expand(prefix: &str, text: &str, paths: &mut BTreeSet<String>) -> usize {
    let is_path = |char: char| char.is_alphanumeric() || matches!(char, '_' | ':' | '*');
    let end = text.find(|char| !is_path(char)).unwrap_or(text.len());
    let path = format!("{prefix}{}", &text[..end]);
    if !text[end..].starts_with('{') {
        paths.insert(path.trim_end_matches("::").to_owned());
        // Under which other name it goes does not matter.
        let renamed = text[end..]
            .strip_prefix(" as ")
            .map_or(0, |name| " as ".len() + name.find(|char| !is_path(char)).unwrap_or(name.len()));
        return end + renamed;
    }
    let mut at = end + 1;
    while at < text.len() && !text[at..].starts_with('}') {
        let separator = text[at..].starts_with(|char: char| char == ',' || char.is_whitespace());
        // Anything else that is no path is skipped as well: this is no compiler.
        at += if separator { 1 } else { expand(&path, &text[at..], paths).max(1) };
    }
    at + 1
}

// Reading ARCHITECTURE.md.

/// The texts between backticks, of one line each.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// The cells of the table whose first heading is `heading`.
fn table<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let cells = |line: &'a str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    page.lines()
        .skip_while(|line| !line.starts_with(&format!("| {heading} |")))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(cells)
        .collect()
}

/// What each room may use, as the page says.
fn arrows(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let row = |cells: Vec<&str>| {
        let uses = quoted(cells.last()?).map(str::to_owned).collect();
        Some((quoted(cells.first()?).next()?.to_owned(), uses))
    };
    table(page, "room").into_iter().filter_map(row).collect()
}

// The rules.

fn check_arrows(page: &str, files: &BTreeMap<String, String>) -> Complaints {
    let arrows = arrows(page);
    let mut complaints = Vec::new();
    let mut used = BTreeSet::new();
    for (path, text) in files {
        let Some(from) = room(path).filter(|_| !is_test_file(path)) else { continue };
        let Some(allowed) = arrows.get(from) else {
            complaints.push(format!("{path}: the room `{from}` is not in ARCHITECTURE.md"));
            continue;
        };
        for item in crate_paths(&code(text)).into_iter().filter(|item| item.split("::").next() != Some(from))
        {
            let arrow =
                allowed.iter().find(|arrow| item == **arrow || item.starts_with(&format!("{arrow}::")));
            match arrow {
                Some(arrow) => _ = used.insert((from, arrow.as_str())),
                None => complaints.push(format!("{path}: `{from}` may not use `{item}`")),
            }
        }
    }
    for (from, allowed) in &arrows {
        if !files.keys().any(|path| room(path) == Some(from.as_str())) {
            complaints.push(format!("ARCHITECTURE.md: there is no room `{from}`"));
        }
        let unused = allowed.iter().filter(|arrow| !used.contains(&(from.as_str(), arrow.as_str())));
        complaints.extend(unused.map(|arrow| format!("ARCHITECTURE.md: `{from}` does not use `{arrow}`")));
    }
    complaints
}

fn check_pure(path: &str, text: &str) -> Complaints {
    if is_test_file(path) || !PURE.iter().any(|pure| path.starts_with(pure)) {
        return Vec::new();
    }
    let code = code(text);
    let found = IMPURE.iter().filter(|impure| code.contains(*impure));
    found.map(|impure| format!("{path}: `{impure}` in a pure core; pass in what it gives")).collect()
}

fn check_foreign(path: &str, text: &str) -> Complaints {
    let code = code(text);
    let strays = FOREIGN.iter().filter(|(name, homes)| {
        let named = code.contains(&format!("{name}::")) && !is_test_file(path);
        named && !homes.iter().any(|home| path.starts_with(home))
    });
    strays.map(|(name, homes)| format!("{path}: {name} is for {}", homes.join(", "))).collect()
}

fn check_unsafe(path: &str, text: &str) -> Complaints {
    let forms = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe trait", "unsafe extern", "(unsafe_code)"];
    let found = forms.iter().filter(|form| !UNSAFE.contains(&path) && text.contains(**form));
    found.map(|form| format!("{path}: `{form}`; unsafe code is for {} alone", UNSAFE.join(", "))).collect()
}

fn check_terminals_map(path: &str, text: &str) -> Complaints {
    let writes =
        ["terminals.insert", "terminals.remove", "terminals.retain", "terminals.clear", "terminals.entry"];
    let found = writes.iter().filter(|write| path != "src/gateway/panes.rs" && text.contains(**write));
    found
        .map(|write| format!("{path}: `{write}`; what is connected changes in src/gateway/panes.rs only"))
        .collect()
}

fn check_shape(path: &str, text: &str) -> Complaints {
    let mut complaints = Vec::new();
    if !text.starts_with("//! ") {
        complaints.push(format!("{path}: no line at its top says what it is for"));
    }
    let lines = without_tests(text).lines().count();
    if lines > FILE_LINES && !is_test_file(path) {
        complaints.push(format!("{path}: {lines} lines; split it by noun"));
    }
    complaints
}

fn check_leftovers(path: &str, text: &str) -> Complaints {
    // Put together here, so that this file does not hold them.
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat()];
    let found = marks.iter().filter(|mark| text.contains(mark.as_str()));
    found.map(|mark| format!("{path}: {mark}; do it, or say in the open what is absent")).collect()
}

/// Whether the constants and files that a page names are there.
fn check_names(path: &str, page: &str, files: &BTreeMap<String, String>) -> Complaints {
    let all: String = files.values().map(String::as_str).collect();
    let missing = |name: &&str| {
        let upper = name.len() > 3 && name.chars().all(|char| char.is_ascii_uppercase() || char == '_');
        let file = ["src/", "tests/", "web/src/"].iter().any(|folder| name.starts_with(folder));
        (upper && !all.contains(&format!("const {name}:"))) || (file && !root().join(name).exists())
    };
    quoted(page).filter(missing).map(|name| format!("{path}: there is no `{name}`")).collect()
}

fn check_page(page: &str, files: &BTreeMap<String, String>) -> Complaints {
    let mut complaints = Vec::new();
    let lines = page.lines().count();
    if lines > PAGE_LINES {
        complaints.push(format!("ARCHITECTURE.md: {lines} lines; two pages are about {PAGE_LINES}"));
    }
    complaints.extend(check_names("ARCHITECTURE.md", page, files));
    let all: String = files.values().map(String::as_str).collect();
    let has = |what: String| all.contains(&what);
    for row in table(page, "always") {
        let tests: Vec<_> = quoted(row.last().unwrap_or(&"")).collect();
        if tests.is_empty() {
            complaints.push(format!("ARCHITECTURE.md: nothing holds that {}", row[0]));
        }
        let missing = tests.into_iter().filter(|test| !has(format!("fn {test}(")));
        complaints.extend(missing.map(|test| format!("ARCHITECTURE.md: there is no test `{test}`")));
    }
    complaints
}

fn check_machine_paths(path: &str, text: &str) -> Complaints {
    let folders = ["/root/", "/home/", "/Users/", "/tmp/"];
    let found = folders.iter().filter(|folder| text.contains(**folder));
    found.map(|folder| format!("{path}: `{folder}…` is somebody's own machine")).collect()
}

// The rules, on the tree.

#[test]
fn rooms_use_only_what_the_page_allows() {
    assert_none(&check_arrows(&read("ARCHITECTURE.md"), &rust_files("src")));
}

#[test]
fn pure_cores_have_no_clock_and_do_nothing() {
    assert_none(&for_each_file(check_pure));
}

#[test]
fn each_foreign_crate_has_its_rooms() {
    assert_none(&for_each_file(check_foreign));
}

#[test]
fn unsafe_code_is_in_two_files() {
    assert_none(&for_each_file(check_unsafe));
}

#[test]
fn the_terminals_map_changes_in_one_file() {
    assert_none(&for_each_file(check_terminals_map));
}

#[test]
fn every_file_is_one_noun_and_says_which() {
    assert_none(&for_each_file(check_shape));
}

#[test]
fn nothing_is_left_for_later() {
    let folders = ["src", "tests", "benches"];
    let files = folders.iter().flat_map(|folder| rust_files(folder));
    let complaints: Vec<_> = files.flat_map(|(path, text)| check_leftovers(&path, &text)).collect();
    assert_none(&complaints);
}

#[test]
fn the_page_is_short_and_names_what_is_there() {
    let mut files = rust_files("src");
    files.extend(rust_files("tests"));
    assert_none(&check_page(&read("ARCHITECTURE.md"), &files));
    assert_none(&check_names("docs/bounds.md", &read("docs/bounds.md"), &files));
}

#[test]
fn the_documents_are_of_no_one_machine() {
    let mut documents: Vec<_> =
        ["ARCHITECTURE.md", "README.md", "scripts/test", ".ci/run"].map(PathBuf::from).into();
    let docs = fs::read_dir(root().join("docs")).into_iter().flatten().map(|entry| entry.unwrap().path());
    documents.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    let check = |path: &PathBuf| {
        let name = path.to_str().unwrap();
        check_machine_paths(name, &read(name))
    };
    assert_none(&documents.iter().flat_map(check).collect::<Vec<_>>());
}

#[test]
fn the_readme_shows_every_setting_with_its_default() {
    use everpane::config::{Connection, Host, Input, Layout, Limits, Nodes, Output, Respawn, Settings, Wake};

    let readme = read("README.md");
    let example = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let shown: Settings = toml::from_str(example).unwrap();
    assert_eq!(shown.input, Input::default());
    assert_eq!(shown.output, Output::default());
    assert_eq!(shown.layout, Layout::default());
    assert_eq!(shown.respawn, Respawn::default());
    assert_eq!(shown.connection, Connection::default());
    assert_eq!(shown.limits, Limits::default());
    assert_eq!(shown.host, Host::default());
    let providers = shown.wake.clone();
    assert_eq!(shown.wake, Wake { command: providers.command, nodes: providers.nodes, ..Wake::default() });
    assert_eq!(shown.nodes, Nodes::default());
    let example: toml::Table = toml::from_str(example).unwrap();
    let all = Settings {
        listen: shown.listen.or_else(|| "127.0.0.1:1".parse().ok()),
        data_dir: Some(PathBuf::from("d")),
        shell: Some(PathBuf::from("s")),
        cwd: Some(PathBuf::from("c")),
        ..shown
    };
    let all = toml::Table::try_from(all).unwrap();
    assert_eq!(keys(&all, ""), keys(&example, ""));
}

fn keys(table: &toml::Table, prefix: &str) -> BTreeSet<String> {
    let below = |(key, value): (&String, &toml::Value)| match value {
        toml::Value::Table(inner) => keys(inner, &format!("{prefix}{key}.")),
        _ => BTreeSet::from([format!("{prefix}{key}")]),
    };
    table.iter().flat_map(below).collect()
}

// The rules, on samples that break them.

fn files<const N: usize>(samples: [(&str, &str); N]) -> BTreeMap<String, String> {
    samples.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
}

const PAGE: &str = "\
| room | what it is | uses |
| --- | --- | --- |
| `ids` | ids | |
| `pane` | a pane | `ids`, `host::Exit` |
| `host` | hosts | |
";

#[test]
fn paths_are_found_however_they_are_written() {
    let code =
        "use crate::a::{self, B, c::{D, E as F}};\n pub(crate) fn f() { crate::g::h(); mycrate::no(); }";
    let found: Vec<_> = crate_paths(code).into_iter().collect();
    assert_eq!(found, ["a::B", "a::c::D", "a::c::E", "a::self", "g::h"].map(str::to_owned));
}

#[test]
fn a_wrong_arrow_is_found() {
    let right = [("src/ids.rs", ""), ("src/host/mod.rs", "")];
    let sample = |pane| check_arrows(PAGE, &files([right[0], right[1], ("src/pane/mod.rs", pane)]));
    assert_none(&sample("use crate::host::Exit;\nuse crate::ids::PaneId;\nuse crate::pane::log;"));
    let complaints = sample("use crate::host::{Exit, Host};\nuse crate::ids::PaneId;");
    assert_eq!(complaints, ["src/pane/mod.rs: `pane` may not use `host::Host`"]);
    let complaints = sample("use crate::host::Exit; // crate::ids is only spoken of");
    assert_eq!(complaints, ["ARCHITECTURE.md: `pane` does not use `ids`"]);
    let complaints = check_arrows(PAGE, &files([("src/attic.rs", "")]));
    assert!(complaints.contains(&"src/attic.rs: the room `attic` is not in ARCHITECTURE.md".to_owned()));
    assert!(complaints.contains(&"ARCHITECTURE.md: there is no room `host`".to_owned()));
}

#[test]
fn a_clock_in_a_core_is_found_but_not_in_its_tests() {
    let asks = "fn f() { let now = Instant::now(); }";
    assert_eq!(check_pure("src/pane/log.rs", asks).len(), 1);
    assert_eq!(check_pure("src/store/schedule.rs", "use tokio::time;").len(), 1);
    assert_none(&check_pure("src/host/local.rs", asks));
    assert_none(&check_pure("src/pane/tests.rs", asks));
    assert_none(&check_pure(
        "src/pane/log.rs",
        &format!("fn g() {{}}\n\n#[cfg(test)]\nmod tests {{ {asks} }}"),
    ));
}

#[test]
fn a_crate_out_of_its_room_is_found() {
    assert_eq!(check_foreign("src/gateway/hub.rs", "use axum::Router;").len(), 1);
    assert_none(&check_foreign("src/http/mux.rs", "use axum::Router;"));
}

#[test]
fn unsafe_code_elsewhere_is_found() {
    assert_eq!(check_unsafe("src/pane/log.rs", "    unsafe { f() }").len(), 1);
    assert_eq!(check_unsafe("src/pane/log.rs", "#![allow(unsafe_code)]").len(), 1);
    assert_none(&check_unsafe("src/host/pty.rs", "unsafe { f() }"));
    assert_none(&check_unsafe("src/host/tape.rs", "unsafe { f() }"));
    assert_none(&check_unsafe("src/pane/log.rs", "// nothing unsafe here"));
}

#[test]
fn a_second_writer_of_the_terminals_map_is_found() {
    assert_eq!(check_terminals_map("src/gateway/hub.rs", "self.terminals.remove(&pane);").len(), 1);
    assert_none(&check_terminals_map("src/gateway/hub.rs", "self.terminals.contains_key(&pane)"));
}

#[test]
fn a_file_without_shape_is_found() {
    let long = format!("//! Long.\n{}", "x\n".repeat(FILE_LINES));
    assert_eq!(check_shape("src/a.rs", &long).len(), 1);
    assert_none(&check_shape("src/a/tests.rs", &long));
    assert_eq!(check_shape("src/a.rs", "use std::fmt;").len(), 1);
}

#[test]
fn a_leftover_is_found() {
    assert_eq!(check_leftovers("src/a.rs", &["// TO", "DO: later"].concat()).len(), 1);
    assert_none(&check_leftovers("src/a.rs", "// done"));
}

#[test]
fn a_page_that_names_what_is_not_there_is_found() {
    let files = files([("src/a.rs", "const BOUND: usize = 1;\nfn it_holds() {}")]);
    let page = "`BOUND` `src/lib.rs`\n\n| always | held by |\n| --- | --- |\n| x | `it_holds` |\n";
    assert_none(&check_page(page, &files));
    assert_eq!(check_page(&page.replace("BOUND", "LIMIT"), &files).len(), 1);
    assert_eq!(check_page(&page.replace("lib.rs", "gone.rs"), &files).len(), 1);
    assert_eq!(check_page(&page.replace("it_holds", "it_breaks"), &files).len(), 1);
    assert_eq!(check_page(&page.replace("`it_holds`", "hope"), &files).len(), 1);
    assert_eq!(check_page(&"\n".repeat(PAGE_LINES + 1), &files).len(), 1);
}

#[test]
fn a_path_of_one_machine_is_found() {
    assert_eq!(check_machine_paths("README.md", "in /home/me/src").len(), 1);
    assert_none(&check_machine_paths("README.md", "in ~/src or /usr/bin"));
}
