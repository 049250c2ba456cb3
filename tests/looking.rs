//! How scripts look at panes, over the API: captures, output, waits.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;

use everpane::ids::PaneId;
use serde_json::{Value, json};
use support::stage::{Stage, eventually};
use support::{Answer, Gateway, TOKEN};

/// A pane, as a script sees it.
#[derive(Clone, Copy)]
struct Script<'a> {
    gateway: &'a Gateway,
    pane: PaneId,
}

impl<'a> Script<'a> {
    fn of(stage: &'a Stage) -> Self {
        let (_viewer, pane) = stage.open();
        Script { gateway: &stage.gateway, pane }
    }

    /// The pane of a new session that runs a program.
    fn running(stage: &'a Stage, command: &[&str]) -> Self {
        let body = json!({ "command": command }).to_string();
        let answer = ask(&stage.gateway, "POST", "/api/v1/sessions", &body);
        assert_eq!(answer.status, 201, "{}", answer.body);
        let made: Value = serde_json::from_str(&answer.body).unwrap();
        Script { gateway: &stage.gateway, pane: made["pane"].as_str().unwrap().parse().unwrap() }
    }

    fn get(&self, what: &str) -> Answer {
        ask(self.gateway, "GET", &format!("/api/v1/panes/{}/{what}", self.pane), "")
    }

    fn post(&self, what: &str, body: &Value) -> (u16, Value) {
        let answer =
            ask(self.gateway, "POST", &format!("/api/v1/panes/{}/{what}", self.pane), &body.to_string());
        (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
    }

    /// Waits. What came of it.
    fn wait(&self, body: &Value) -> Value {
        let (status, outcome) = self.post("wait", body);
        assert_eq!(status, 200, "{outcome}");
        outcome
    }

    /// Waits for what has to come, and not by its screen.
    fn wait_for(&self, what: Value, since: Option<u64>) -> Value {
        let outcome = self.wait(&json!({ "for": what, "since": since }));
        assert_eq!(outcome["met"], true, "{outcome} after {what}; {}", self.capture(""));
        outcome
    }

    fn send(&self, text: &str) -> Value {
        let (status, taken) = self.post("input", &json!({ "parts": [{ "text": text }] }));
        assert_eq!(status, 200, "{taken}");
        taken
    }

    fn run(&self, command: &str) -> Value {
        let (status, outcome) = self.post("run", &json!({ "command": command, "timeoutMs": 20_000 }));
        assert_eq!(status, 200, "{outcome}; {}", self.capture(""));
        outcome
    }

    fn capture(&self, query: &str) -> String {
        let answer = self.get(&format!("capture?{query}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }
}

fn ask(gateway: &Gateway, method: &str, target: &str, body: &str) -> Answer {
    let authorization = format!("Bearer {TOKEN}");
    gateway.request_with_body(method, target, &[("Authorization", &authorization)], body)
}

fn text(text: &str) -> Value {
    json!({ "text": text })
}

/// A real bash that says where its prompts are.
fn bash() -> Stage {
    let stage = Stage::with_bash();
    let integration = format!("eval \"$({} shell-integration bash)\"\n", env!("CARGO_BIN_EXE_everpane"));
    // Twice, as where one file reads another.
    fs::write(stage.path("home").join(".bashrc"), format!("PS1='$ '\n{integration}{integration}")).unwrap();
    stage
}

/// Does something while others run; both must come to an end.
fn meanwhile<T: Send>(other: impl FnOnce() -> T + Send, here: impl FnOnce()) -> T {
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        here();
        other.join().unwrap()
    })
}

#[test]
fn captures_show_the_screen_in_every_format() {
    let output = r"for n in $(seq 1 30); do echo row $n; done
        printf '\033[1;31mred\033[m <&> \033]8;;https://e.org\033\\link\033]8;;\033\\ 漢字\r\n'
        printf '%0100d\r\nend' 7; exec cat";
    let stage = Stage::with_script(output);
    let script = Script::of(&stage);
    script.wait_for(text("end"), None);
    let long = format!("{}7", "0".repeat(99));
    let plain = script.capture("");
    assert!(
        plain.contains(&format!("red <&> link 漢字\n{}\n{}\nend\n", &long[..80], &long[80..])),
        "{plain}"
    );
    assert!(!plain.contains("row 1\n"), "{plain}");
    assert!(script.capture("scrollback=1000&join=true").contains("row 1\n"), "scrollback");
    assert!(script.capture("join=true").contains(&format!("漢字\n{long}\nend")), "joined");
    assert!(
        script.capture("format=ansi").contains("\x1b[1;31mred\x1b[m <&> \x1b]8;;https://e.org\x1b\\link")
    );
    let html = script.get("capture?format=html");
    assert_eq!(html.header("content-type"), "text/html; charset=utf-8");
    assert!(
        html.body.contains("red</span> &lt;&amp;&gt; <a href=\"https://e.org\">link</a> 漢字"),
        "{}",
        html.body
    );
    let svg = script.get("capture?format=svg");
    assert_eq!(svg.header("content-type"), "image/svg+xml");
    assert!(svg.body.starts_with("<svg ") && svg.body.contains(">漢</text>"), "{}", svg.body);
    assert_eq!(script.get("capture?format=png").status, 400);
    assert_eq!(script.get("capture?colour=yes").status, 400);
}

#[test]
fn output_is_what_was_printed_from_an_offset_on() {
    let stage = Stage::with_script("printf '\\033[1mready\\033[m'; read line; printf 'more'; exec cat");
    let script = Script::of(&stage);
    script.wait_for(text("ready"), None);
    let all = script.get("output");
    assert!(all.body.ends_with("\x1b[1mready\x1b[m"), "{:?}", all.body);
    let to = all.header("everpane-to").parse::<u64>().unwrap();
    assert_eq!((all.header("everpane-from"), all.body.len() as u64), ("0", to));
    script.send("\r");
    script.wait_for(text("more"), Some(to));
    let more = script.get(&format!("output?from={to}"));
    assert_eq!((more.header("everpane-from").parse(), more.body.as_str()), (Ok(to), "\r\nmore"));
    let beyond = script.get("output?from=99999999");
    assert_eq!((beyond.body.as_str(), beyond.header("everpane-from")), ("", beyond.header("everpane-to")));
}

#[test]
fn text_is_found_on_the_screen_and_in_what_comes() {
    let stage =
        Stage::with_script("stty -echo; echo at the start; while read -r line; do eval \"$line\"; done");
    let script = Script::of(&stage);
    let start = script.wait_for(text("at the start"), None);
    assert_eq!(start["line"], "at the start");
    let since = start["offset"].as_u64();
    let late = script.wait(&json!({ "for": text("at the start"), "since": since, "timeoutMs": 100 }));
    assert_eq!(late["met"], false, "it was printed before: {late}");
    assert!(late["elapsedMs"].as_u64().unwrap() >= 100, "{late}");
    // In pieces, cut in the middle of a sequence.
    let found = meanwhile(
        || script.wait_for(text("TOKEN"), None),
        || {
            for piece in ["TO", r"\033[3", "1mKE", r"\033[mN"] {
                let offset = script.send(&format!("printf '{piece}'\r"))["offset"].clone();
                if !piece.contains('3') {
                    script.wait(&json!({ "for": { "idle": 1 }, "since": offset }));
                }
            }
        },
    );
    assert_eq!(found["line"], "TOKEN");
    // Written by a cursor that goes about, from right to left.
    script.send("printf '\\033[2J\\033[5;9HD\\033[5;8HR\\033[5;7HA\\033[5;6HW'\r");
    assert_eq!(script.wait_for(text("WARD"), None)["line"], "     WARD");
    let offset = script.send("echo; echo exactly 42 things\r")["offset"].as_u64();
    assert_eq!(
        script.wait_for(json!({ "regex": r"^exactly \d+ things$" }), offset)["line"],
        "exactly 42 things"
    );
    let (status, problem) = script.post("wait", &json!({ "for": { "regex": "(" } }));
    assert_eq!((status, &problem["code"], &problem["field"]), (400, &json!("invalid_field"), &json!("for")));
    let (status, problem) = script.post("wait", &json!({ "for": "connected", "timeoutMs": 4_000_000 }));
    assert_eq!((status, &problem["field"]), (400, &json!("timeoutMs")));
}

#[test]
fn a_flood_hides_nothing() {
    let flood = "yes flood | head -c 1M";
    let stage = Stage::with_script(&format!(
        "stty -echo; echo ready; read line; until [ -e \"$HOME/stop\" ]; do {flood}; echo; echo TOKEN; {flood}; done; echo over; exec cat"
    ));
    let script = Script::of(&stage);
    let since = script.wait_for(text("ready"), None)["offset"].as_u64();
    script.send("\r");
    for what in [text("TOKEN"), json!({ "regex": "^TOKEN$" })] {
        assert_eq!(script.wait_for(what.clone(), None)["line"], "TOKEN");
        let found = script.wait_for(what, since);
        assert_eq!(found["line"], "TOKEN", "of that offset the oldest that is there");
    }
    fs::write(stage.path("home").join("stop"), "").unwrap();
    script.wait_for(text("over"), None);
    let oldest = script.get("output?from=0").header("everpane-from").parse::<u64>().unwrap();
    assert!(oldest > 0);
    let gone = script.wait(&json!({ "for": text("ready"), "since": 0, "timeoutMs": 50 }));
    assert_eq!(
        (&gone["met"], &gone["missed"]),
        (&json!(false), &json!(oldest)),
        "no longer in the log: {gone}"
    );
    let found = script.wait_for(text("over"), Some(oldest - 7));
    assert_eq!(found["missed"], 7, "told also by one that is met: {found}");
    assert_eq!(script.wait_for(text("over"), Some(oldest))["missed"], 0, "all of that is there");
}

#[test]
fn a_thousand_round_trips_lose_no_answer_and_get_none_early() {
    let stage = Stage::with_script("echo ready; while read n; do echo \"<$((n + 1))>\"; echo done; done");
    let script = Script::of(&stage);
    script.wait_for(text("ready"), None);
    for n in 0..1000 {
        let since = script.send(&format!("{n}\r"))["offset"].as_u64().unwrap();
        let outcome = script.wait_for(text("done"), Some(since));
        assert_eq!(outcome["line"], "done");
        let answer = script.get(&format!("output?from={since}")).body;
        assert_eq!(answer.replace("\r\n", " "), format!("{n} <{}> done ", n + 1), "round trip {n}");
    }
}

#[test]
fn the_end_of_a_program_and_silence_are_waited_for() {
    let stage = Stage::with_script("stty -echo; echo ready; read code; exit $code");
    let script = Script::of(&stage);
    script.wait_for(text("ready"), None);
    assert_eq!(script.wait_for(json!("connected"), None)["met"], true);
    let ended = meanwhile(|| script.wait_for(json!("exit"), None), || _ = script.send("7\r"));
    assert_eq!(ended["exit"], 7);
    assert_eq!(script.wait_for(json!("exit"), None)["exit"], 7, "it has ended already");
    let dead = script.wait(&json!({ "for": "connected", "timeoutMs": 50 }));
    assert_eq!(dead["met"], false, "{dead}");
    // A key wakes it; the wait for the next one's end does not take the last one's.
    let offset = script.send("\r")["offset"].as_u64();
    script.wait_for(json!("connected"), None);
    script.wait_for(text("ready"), offset);
    let quiet = script.wait_for(json!({ "idle": 150 }), None);
    assert!(quiet["elapsedMs"].as_u64().unwrap() >= 150, "{quiet}");
    let was_quiet = script.wait(&json!({ "for": { "idle": 150 }, "since": offset, "timeoutMs": 1 }));
    assert_eq!(was_quiet["met"], true, "counted from the newest output: {was_quiet}");
}

#[test]
fn a_wait_ends_with_its_pane_and_with_its_client() {
    let stage = Stage::with_script("echo ready; exec cat");
    let script = Script::of(&stage);
    script.wait_for(text("ready"), None);
    let (status, problem) = meanwhile(
        || script.post("wait", &json!({ "for": text("never") })),
        || {
            let target = format!("/api/v1/panes/{}", script.pane);
            assert_eq!(ask(script.gateway, "DELETE", &target, "").status, 204);
        },
    );
    assert_eq!((status, &problem["code"]), (404, &json!("unknown_pane")));
    // One more each time, as who only asks may have the last place for a moment; then all are given up.
    let stage = Stage::with_settings("echo ready; exec cat", "[limits]\nwaits = 8\n");
    let script = Script::of(&stage);
    let body = json!({ "for": text("never"), "timeoutMs": 3_600_000 }).to_string();
    let authorization = format!("Bearer {TOKEN}");
    let host = stage.gateway.host();
    let length = body.len().to_string();
    let headers = [("Host", host.as_str()), ("Authorization", &authorization), ("Content-Length", &length)];
    let head = support::head("POST", &format!("/api/v1/panes/{}/wait", script.pane), &headers);
    let mut waits = Vec::new();
    let refused = eventually("a wait too many", || {
        let mut stream = stage.gateway.connect();
        std::io::Write::write_all(&mut stream, format!("{head}{body}").as_bytes()).unwrap();
        waits.push(stream);
        let (status, problem) = script.post("wait", &json!({ "for": text("never"), "timeoutMs": 1 }));
        (status != 200).then_some((status, problem["code"].clone()))
    });
    assert_eq!(refused, (429, json!("too_many_waits")));
    drop(waits);
    eventually("free places", || {
        let (status, _) = script.post("wait", &json!({ "for": text("never"), "timeoutMs": 1 }));
        (status == 200).then_some(())
    });
}

#[test]
fn prompts_are_waited_for_by_their_number() {
    let stage = bash();
    let script = Script::of(&stage);
    script.wait_for(json!("prompt"), None);
    for (line, exit) in [("true\r", 0), ("(exit 3)\r", 3), ("\r", 3), ("false\r", 1)] {
        let prompts = script.send(line)["prompts"].clone();
        let outcome = script.wait(&json!({ "for": "prompt", "sincePrompt": prompts }));
        assert_eq!((&outcome["met"], &outcome["exit"]), (&json!(true), &json!(exit)), "{line:?}: {outcome}");
        assert_eq!(outcome["prompts"].as_u64(), prompts.as_u64().map(|prompts| prompts + 1), "{line:?}");
    }
    let prompts = script.send("read line\r")["prompts"].clone();
    let busy = script.wait(&json!({ "for": "prompt", "sincePrompt": prompts, "timeoutMs": 200 }));
    assert_eq!(busy["met"], false, "{busy}");
}

#[test]
fn a_prompt_is_known_after_a_restart_of_the_gateway() {
    let mut stage = bash();
    let pane = {
        let script = Script::of(&stage);
        assert_eq!(script.run("echo before")["output"], "before\n");
        script.pane
    };
    stage.gateway.signal("TERM");
    stage.gateway.wait();
    stage.start_again();
    let script = Script { gateway: &stage.gateway, pane };
    script.wait_for(json!("connected"), None);
    script.wait_for(json!("prompt"), None);
    assert_eq!(script.run("echo after")["output"], "after\n");
}

#[test]
fn a_shell_without_marks_is_told_from_one_that_is_busy() {
    let stage = Stage::with_script("echo '$ '; exec cat");
    let script = Script::of(&stage);
    for (what, body) in [("wait", json!({ "for": "prompt" })), ("run", json!({ "command": "true" }))] {
        let (status, problem) = script.post(what, &body);
        assert_eq!((status, &problem["code"]), (409, &json!("no_prompt_marks")), "{what}: {problem}");
        assert!(problem["hint"].as_str().unwrap().contains("everpane shell-integration"), "{problem}");
    }
}

#[test]
fn runs_give_exit_codes_and_the_very_output() {
    let stage = bash();
    let script = Script::of(&stage);
    for (command, output, exit) in [
        ("echo hello", "hello\n", 0),
        ("printf 'no end'; false", "no end", 1),
        ("printf '10%%\\r\\033[K\\033[32m100%%\\033[m\\n'", "100%\n", 0),
        ("printf '%300d\\n' 5 | tr ' ' x", &format!("{}5\n", "x".repeat(299)), 0),
        ("true", "", 0),
        ("echo one; echo two >&2", "one\ntwo\n", 0),
        ("for n in 1 2 3; do\n\techo line $n\ndone", "line 1\nline 2\nline 3\n", 0),
        ("(exit 42)", "", 42),
        ("# nothing but words", "", 42),
    ] {
        let outcome = script.run(command);
        let exit = json!(exit);
        assert_eq!((&outcome["ended"], &outcome["exit"]), (&json!(true), &exit), "{command}: {outcome}");
        if !command.starts_with('#') {
            assert_eq!(outcome["output"], output, "{command}: {outcome}");
        }
        assert_eq!(outcome["missed"], 0);
    }
    let lines: String = (0..40).map(|n| format!("echo line {n}\n")).collect();
    let outcome = script.run(&lines);
    let output: String = (0..40).map(|n| format!("line {n}\n")).collect();
    assert_eq!(outcome["output"], output, "more commands than are remembered");
    let (status, problem) = script.post("run", &json!({ "command": "echo \u{1b}[201~" }));
    assert_eq!((status, &problem["field"]), (400, &json!("command")), "{problem}");
}

#[test]
fn a_run_tells_what_it_missed_and_how_far_it_got() {
    let stage = bash();
    let script = Script::of(&stage);
    let large = script.run("yes everything | head -c 2M; echo; echo the end");
    let (output, missed) = (large["output"].as_str().unwrap(), large["missed"].as_u64().unwrap());
    assert!(missed > 1 << 20 && output.ends_with("\nthe end\n"), "missed {missed}");
    let length = large["to"].as_u64().unwrap() - large["from"].as_u64().unwrap();
    assert!(length > 2 << 20 && length > missed);
    eventually("a run that gets as far as this in time", || {
        let (status, outcome) =
            script.post("run", &json!({ "command": "echo begun; read line", "timeoutMs": 300 }));
        assert_eq!((status, &outcome["ended"]), (200, &json!(false)), "{outcome}");
        if outcome["output"] == "begun\n" {
            return Some(());
        }
        assert_eq!(outcome["output"], "", "{outcome}");
        let prompts = script.send("\r")["prompts"].clone();
        script.wait(&json!({ "for": "prompt", "sincePrompt": prompts }));
        None
    });
    let (status, problem) = script.post("run", &json!({ "command": "true" }));
    assert_eq!((status, &problem["code"]), (409, &json!("shell_busy")));
    let prompts = script.send("\r")["prompts"].clone();
    script.wait(&json!({ "for": "prompt", "sincePrompt": prompts }));
    // Two at once: one gets the prompt.
    let first = meanwhile(
        || script.run("echo waiting; read line; echo \"read $line\""),
        || {
            script.wait_for(json!({ "regex": "^waiting$" }), None);
            let (status, problem) = script.post("run", &json!({ "command": "true" }));
            assert_eq!((status, &problem["code"]), (409, &json!("shell_busy")));
            script.send("a line\r");
        },
    );
    assert!(first["output"].as_str().unwrap().ends_with("read a line\n"), "{first}");
    let ended = script.run("exit 5");
    assert_eq!((&ended["ended"], &ended["exit"]), (&json!(true), &json!(5)), "{ended}");
    let (status, problem) = script.post("run", &json!({ "command": "true" }));
    assert_eq!((status, &problem["code"]), (409, &json!("pane_disconnected")));
}

#[test]
fn other_shells_say_where_their_prompts_are() {
    for (program, name, file) in
        [("/usr/bin/zsh", "zsh", ".zshrc"), ("/usr/bin/fish", "fish", ".config/fish/config.fish")]
    {
        if !std::path::Path::new(program).exists() {
            eprintln!("{program} is not installed: not tested");
            continue;
        }
        let stage = Stage::with_script("exec cat");
        let everpane = env!("CARGO_BIN_EXE_everpane");
        let integration = match name {
            "fish" => format!("{everpane} shell-integration fish | source\n"),
            _ => format!("eval \"$({everpane} shell-integration zsh)\"\n"),
        };
        let file = stage.path("home").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, integration.repeat(2)).unwrap();
        let script = Script::running(&stage, &[program, "-i"]);
        script.wait_for(json!("prompt"), None);
        for (command, output, exit) in
            [("echo hello", "hello\n", 0), ("printf 'no end'; false", "no end", 1), ("cd /usr", "", 0)]
        {
            let outcome = script.run(command);
            assert_eq!(outcome["output"], output, "{name}: {command}: {outcome}");
            assert_eq!(outcome["exit"], exit, "{name}: {command}");
        }
        let prompts = script.send("\r")["prompts"].clone();
        assert_eq!(
            script.wait(&json!({ "for": "prompt", "sincePrompt": prompts }))["met"],
            true,
            "{name}: an empty line"
        );
        let record: Value = serde_json::from_str(
            &ask(script.gateway, "GET", &format!("/api/v1/panes/{}", script.pane), "").body,
        )
        .unwrap();
        assert_eq!(
            (&record["cwd"], &record["shell"]["command"]),
            (&json!("/usr"), &json!("cd /usr")),
            "{name}"
        );
    }
}

#[test]
fn a_shell_tells_its_directory_and_its_command() {
    let stage = bash();
    let script = Script::of(&stage);
    fs::create_dir(stage.path("a 100% odd; name")).unwrap();
    let dir = stage.path("a 100% odd; name");
    let command = format!("cd '{}'; true \\;", dir.display());
    script.run(&command);
    let record = ask(script.gateway, "GET", &format!("/api/v1/panes/{}", script.pane), "");
    let record: Value = serde_json::from_str(&record.body).unwrap();
    assert_eq!(record["cwd"], dir.to_str().unwrap());
    assert_eq!(record["shell"]["command"], command);
}
