//! What a program in a pane gets from the gateway and what it must not get; and that the gateway's end is its end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use everpane::protocol::server::PaneStatus;
use serde_json::json;

use support::TOKEN;
use support::processes::Process;
use support::stage::{Stage, eventually};

#[test]
fn a_program_has_its_terminal_and_no_other_descriptor() {
    let stage = Stage::with_script("echo ready; exec sleep 1000");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let other = viewer.split(pane);
    viewer.until_shows(other, "ready");
    // Until then a shell has its script open.
    let shells = eventually("two programs in the place of their shells", || {
        let shells = stage.shells();
        let sleep = |shell: &Process| shell.arguments().first().is_some_and(|name| name == "sleep");
        (shells.len() == 2 && shells.iter().all(sleep)).then_some(shells)
    });
    for shell in &shells {
        let mut open: Vec<_> = fs::read_dir(format!("/proc/{}/fd", shell.pid))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_link(entry.path()).unwrap()))
            .collect();
        open.sort();
        assert_eq!(open.iter().map(|(number, _)| number.as_str()).collect::<Vec<_>>(), ["0", "1", "2"]);
        assert!(open.iter().all(|(_, file)| file.starts_with("/dev/pts/") && *file == open[0].1), "{open:?}");
        assert_eq!(shell.session, shell.pid, "leads a session of its own");
        let status = fs::read_to_string(format!("/proc/{}/status", shell.pid)).unwrap();
        // The C library keeps the signals from 32 on to itself.
        let signals = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            u64::from_str_radix(line.trim(), 16).unwrap() & 0x7fff_ffff
        };
        assert_eq!((signals("SigBlk:"), signals("SigIgn:")), (0, 0));
    }
    assert!(shells.iter().all(|shell| shell.terminal != 0) && shells[0].terminal != shells[1].terminal);
}

#[test]
fn no_secret_reaches_a_program() {
    let secrets = [
        ("EVERPANE_LOG", "secret-0"),
        ("EVERPANE_ANYTHING", "secret-1"),
        ("AWS_SECRET_ACCESS_KEY", "secret-2"),
        ("GITHUB_TOKEN", "secret-3"),
        ("DATABASE_URL", "secret-4"),
    ];
    let stage = Stage::with_environment("echo ready; sleep 1000", &secrets);
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let programs = eventually("the shell and its child", || {
        let programs = stage.programs();
        (programs.len() == 2).then_some(programs)
    });
    for program in programs {
        let environment = program.environment();
        let leaked = |variable: &&String| variable.contains("secret") || variable.contains(TOKEN);
        assert_eq!(environment.iter().find(leaked), None);
        // Where it is, is no secret.
        let mut told: Vec<_> = environment.iter().filter(|name| name.starts_with("EVERPANE_")).collect();
        told.sort();
        let gateway = format!("EVERPANE_GATEWAY=http://{}", stage.gateway.address);
        let [at, pane, token, session] = told[..] else { panic!("{told:?}") };
        assert_eq!([at, pane, session], [&gateway, "EVERPANE_PANE=p1", "EVERPANE_SESSION=s1"]);
        assert!(token.starts_with("EVERPANE_PANE_TOKEN=ep1.s1."), "for its session alone");
        assert!(environment.contains(&"TERM=xterm-256color".to_owned()), "{environment:?}");
    }
    let arguments = fs::read(format!("/proc/{}/cmdline", stage.gateway.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&arguments).contains(TOKEN));
}

#[test]
fn the_end_of_the_gateway_is_the_end_of_all_its_programs() {
    let script = "trap '' HUP TERM INT; echo ready; while :; do sleep 1000; done";
    let host_in_a_process = Stage::with_arguments(script, &["--stop-host"]);
    let host_in_the_gateway = Stage::with_settings(script, "[host]\nprocess = false\n");
    for stage in [host_in_a_process, host_in_the_gateway] {
        end_the_gateway_and_all_its_programs(stage);
    }
}

fn end_the_gateway_and_all_its_programs(mut stage: Stage) {
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let other = viewer.split(pane);
    viewer.until_shows(other, "ready");
    // One that never reads must not hold up the end.
    let _stalled = stage.viewer();
    let began = Instant::now();
    stage.gateway.signal("TERM");
    assert_eq!(viewer.until_closed().0, 1001);
    assert!(stage.gateway.wait().success());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    eventually("no process left", || stage.programs().is_empty().then_some(()));
}

#[test]
fn closing_a_pane_ends_a_program_that_heeds_no_hang_up() {
    let stage = Stage::with_script("trap '' HUP TERM INT; echo ready; while :; do sleep 1000; done");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    let other = viewer.split(pane);
    viewer.until_shows(other, "ready");
    viewer.ask(json!({ "type": "pane_close", "paneId": other }));
    eventually("one shell", || (stage.shells().len() == 1).then_some(()));
    eventually("its child only", || (stage.programs().len() == 2).then_some(()));
    assert!(Process::of(stage.shells()[0].pid).is_some());
}

#[test]
fn without_descriptors_a_pane_says_so_and_the_rest_goes_on() {
    let stage = Stage::with_script("echo ready; exec cat");
    let (mut viewer, pane) = stage.open();
    viewer.until_shows(pane, "ready");
    // Room for a viewer or two, but for no more than a few terminals.
    let limit = stage.process().descriptors() + 8;
    stage.process().limit_descriptors(limit);
    let mut panes = vec![pane];
    while !viewer.mirror.panes.values().any(|info| matches!(info.status, PaneStatus::Failed { .. })) {
        assert!(panes.len() < limit, "every pane has a terminal");
        let new = viewer.split(panes[0]);
        panes.push(new);
        viewer.until("a start, or its failure", |mirror| {
            mirror.connected(new) || matches!(mirror.pane(new).status, PaneStatus::Failed { .. })
        });
    }
    let failed = *panes.last().unwrap();
    viewer.until_shows(failed, "could not start");
    viewer.type_in(pane, "still here\n");
    viewer.until_shows(pane, "still here");
    // What there was no descriptor for comes up once there is one.
    for spare in &panes[1..panes.len() - 1] {
        viewer.ask(json!({ "type": "pane_close", "paneId": spare }));
    }
    viewer.type_in(failed, "key");
    viewer.until_live(failed);
    viewer.until_shows(failed, "ready");
    stage.viewer().watch(failed);
}
