//! What needs no gateway: completions, the manual, the config file.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::process::{Command, Stdio};

use everpane::protocol::api::ProblemDetails;
use serde_json::Value;

use support::verbs::{Ran, lost};

fn run(words: &[&str]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    lost(home.path(), words).output().unwrap().into()
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&["completions", shell]).well();
        assert!(script.contains("capture") && script.contains("scrollback"), "{shell}");
    }
    assert_eq!(run(&["completions", "tcsh"]).code, 2);
}

#[test]
fn bash_can_read_its_completions() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("everpane");
    fs::write(&file, run(&["completions", "bash"]).well()).unwrap();
    let read = Command::new("bash").arg("-n").arg(&file).output().unwrap();
    assert!(read.status.success(), "{read:?}");
    let script = format!("source {}; complete -p everpane", file.display());
    let known = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert!(String::from_utf8_lossy(&known.stdout).contains("everpane"), "{known:?}");
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let page = run(&["man"]).well();
    assert!(page.contains(".TH everpane"), "{page}");
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("share/man1");
    assert_eq!(run(&["man", "--dir", dir.to_str().unwrap()]).well(), "");
    for page in ["everpane.1", "everpane-ls.1", "everpane-send.1", "everpane-node-token-create.1"] {
        let text = fs::read_to_string(dir.join(page)).unwrap();
        assert!(text.contains(".SH NAME"), "{page}");
        assert!(!text.contains("EXTRA"), "{page}");
        if page != "everpane-node-token-create.1" {
            assert!(text.contains("\n.SH EXAMPLES\n.ad l\n"), "{page}: {text}");
        }
    }
    assert!(!dir.join("everpane-host.1").exists(), "that is nobody's command");
}

#[test]
fn a_config_file_is_checked_line_by_line() {
    let home = tempfile::tempdir().unwrap();
    let check = |words: &[&str]| -> Ran {
        let words = [&["config", "check"], words].concat();
        lost(home.path(), &words).env("SHELL", "/bin/sh").output().unwrap().into()
    };
    let none = check(&[]);
    assert!(none.code == 0 && none.stderr.contains("the defaults hold"), "{none:?}");

    let path = Ran::from(lost(home.path(), &["config", "path"]).output().unwrap()).well();
    let path = path.trim_end();
    fs::create_dir_all(home.path().join(".config/everpane")).unwrap();
    fs::write(path, "listen = \"127.0.0.1:7433\"\n").unwrap();
    let good = check(&[]);
    assert!(good.code == 0 && good.stderr.contains("is right"), "{good:?}");
    assert_eq!(check(&["--quiet"]).stderr, "");

    fs::write(path, "lisen = 1\n[input]\nheld_secs = 0\n").unwrap();
    let bad = check(&[]);
    let lines: Vec<_> = bad.stdout.lines().collect();
    assert_eq!((bad.code, lines.len()), (2, 2), "{bad:?}");
    assert!(lines[0].starts_with(&format!("{path}:1: ")) && lines[0].contains("`listen`"), "{bad:?}");
    assert!(lines[1].starts_with(&format!("{path}:3: ")) && lines[1].contains("held_secs"), "{bad:?}");
    assert!(bad.stderr.contains("2 places"), "{bad:?}");

    fs::write(path, "[client]\nescape = \"no\"\ngateway = \"http://box\"\nprefix = \"ctrl\"\n").unwrap();
    let keys = check(&[]);
    let lines: Vec<_> = keys.stdout.lines().collect();
    assert_eq!((keys.code, lines.len()), (2, 2), "{keys:?}");
    assert!(lines[0].starts_with(&format!("{path}:2: client.escape = no cannot be: ")), "{keys:?}");
    assert!(lines[1].starts_with(&format!("{path}:4: client.prefix = ctrl cannot be: ")), "{keys:?}");

    fs::write(path, "lisen = 1\n[input]\nheld_secs = 0\n").unwrap();
    let bad = check(&["--json"]);
    let report: Value = serde_json::from_str(&bad.stdout).unwrap();
    assert_eq!((&report["apiVersion"], &report["problems"][1]["line"]), (&1.into(), &3.into()));
    assert_eq!(serde_json::from_str::<ProblemDetails>(&bad.stderr).unwrap().code, "usage");
    assert_eq!(check(&["nowhere.toml"]).code, 2);
}

#[test]
fn a_shutdown_ends_no_other_gateway_than_the_one_around() {
    let home = tempfile::tempdir().unwrap();
    let shutdown = |words: &[&str]| -> Ran {
        let mut command = lost(home.path(), &[&["shutdown"], words].concat());
        command
            .env("EVERPANE_GATEWAY", "https://box.example")
            .env("SHELL", "/bin/sh")
            .output()
            .unwrap()
            .into()
    };
    let elsewhere = shutdown(&[]);
    assert_eq!(elsewhere.code, 4, "{elsewhere:?}");
    assert!(
        elsewhere.stderr.contains("https://box.example, which EVERPANE_GATEWAY names, is not the gateway of")
    );
    assert!(elsewhere.stderr.contains("hint: ") && elsewhere.stderr.contains("--data-dir"), "{elsewhere:?}");
    let named = shutdown(&["--data-dir", home.path().to_str().unwrap()]);
    assert!(named.code == 1 && named.stderr.contains("nothing runs in the data directory"), "{named:?}");
}

#[test]
fn papers_for_nobody_are_no_failure() {
    let home = tempfile::tempdir().unwrap();
    for words in [&["completions", "zsh"][..], &["man"], &["config", "path"], &["shell-integration", "bash"]]
    {
        let mut command = lost(home.path(), words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended: Ran = child.wait_with_output().unwrap().into();
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{words:?}");
    }
}
