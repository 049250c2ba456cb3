//! What keeps strangers out of the shells, asked of the real program over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Answer, Gateway, PATIENCE, TOKEN, everpane, head};

const BEARER: (&str, &str) = ("Authorization", "Bearer a-token-for-the-tests");

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// The cookie that the token is swapped for, as a browser would send it back.
fn cookie(gateway: &Gateway) -> String {
    let answer = gateway.request("GET", &format!("/?token={TOKEN}"), &[]);
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[test]
fn only_the_exact_origin_gets_a_socket() {
    let data = dir();
    for no_auth in [false, true] {
        let mut command = everpane(data.path());
        let gateway = match no_auth {
            true => Gateway::run(command.arg("--no-auth")),
            false => Gateway::run(command.env("EVERPANE_TOKEN", TOKEN)),
        };
        let (host, own, port) = (gateway.host(), gateway.origin(), gateway.address.port());
        let suffix = format!("{own}.evil.test");
        let other_port = format!("http://127.0.0.1:{}", port ^ 1);
        let other_scheme = format!("https://{host}");
        let upper = own.to_uppercase();
        let dot = format!("http://127.0.0.1.:{port}");
        let ipv6 = format!("http://[::1]:{port}");
        let prefix = format!("http://evil.test/{host}");
        let foreign = [
            "http://evil.test",
            &suffix,
            &prefix,
            &other_port,
            &other_scheme,
            "null",
            "",
            &upper,
            &dot,
            &ipv6,
        ];
        for target in ["/mux", "/", "/healthz", "/login"] {
            for origin in foreign {
                let headers = [("Host", host.as_str()), BEARER, ("Origin", origin)];
                assert_eq!(gateway.upgrade(target, &headers).status, 403, "{origin} to {target}");
            }
            let twice = [("Host", host.as_str()), BEARER, ("Origin", &own), ("Origin", &own)];
            assert_eq!(gateway.upgrade(target, &twice).status, 403);
        }
        let right = [("Host", host.as_str()), BEARER, ("Origin", own.as_str())];
        assert_eq!(gateway.upgrade("/mux", &right).status, 101);
        assert_eq!(gateway.upgrade("/mux", &right[..2]).status, 101, "a program sends no origin");
    }
}

#[test]
fn a_cookie_needs_an_origin_beside_it() {
    let data = dir();
    let gateway = Gateway::start(data.path());
    let (host, own, cookie) = (gateway.host(), gateway.origin(), cookie(&gateway));
    let headers = [("Host", host.as_str()), ("Cookie", &cookie), ("Origin", &own)];
    assert_eq!(gateway.upgrade("/mux", &headers[..2]).status, 403);
    assert_eq!(gateway.upgrade("/mux", &headers).status, 101);
    assert_eq!(gateway.request("POST", "/x", &[("Cookie", &cookie)]).status, 403);
    assert_eq!(gateway.request("POST", "/x", &headers[1..]).status, 404);
}

#[test]
fn only_our_hosts_are_answered() {
    let data = dir();
    let gateway = Gateway::start(data.path());
    let port = gateway.address.port();
    let here = |name: &str| format!("{name}:{port}");
    let wrong_port = format!("127.0.0.1:{}", port ^ 1);
    let refused = [
        "evil.test",
        &here("evil.test"),
        &here("127.0.0.1.nip.io"),
        &here("localhost.evil"),
        &wrong_port,
        "localhost",
        "",
    ];
    for target in ["/", "/mux", "/healthz", "/login", "/no/such"] {
        for host in refused {
            let answer = gateway.send(&head("GET", target, &[("Host", host), BEARER]));
            assert_eq!(answer.status, 421, "{host} {target}");
        }
        let host = gateway.host();
        assert_eq!(
            gateway.send(&head("GET", target, &[("Host", &host), ("Host", &host), BEARER])).status,
            421
        );
        assert_eq!(gateway.send(&head("GET", target, &[BEARER])).status, 421);
        let absolute = format!("http://evil.test{target}");
        assert_eq!(gateway.send(&head("GET", &absolute, &[("Host", &host), BEARER])).status, 421);
    }
    for host in [here("localhost"), here("127.0.0.1"), here("127.5.5.5"), here("[::1]")] {
        assert_eq!(gateway.send(&head("GET", "/healthz", &[("Host", &host)])).status, 200, "{host}");
    }
}

#[test]
fn without_a_credential_there_is_nothing_to_see() {
    let data = dir();
    let gateway = Gateway::start(data.path());
    let targets = [
        "/",
        "/index.html",
        "/mux",
        "/ws",
        "/ws/agent/1",
        "/assets/x.js",
        "/api/panes",
        "/healthz/",
        "/login/x",
    ];
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        for target in targets {
            let answer = gateway.request(method, target, &[]);
            assert_eq!(answer.status, 401, "{method} {target}");
            assert!(answer.body.contains("\"code\":\"unauthenticated\","), "{}", answer.body);
        }
    }
    let host = gateway.host();
    assert_eq!(gateway.upgrade("/mux", &[("Host", &host)]).status, 401);
    assert_eq!(gateway.request("HEAD", "/mux", &[]).status, 401);

    let person = gateway.request("GET", "/", &[("Accept", "text/html")]);
    assert_eq!((person.status, person.header("location")), (303, "/login"));
    for open in ["/healthz", "/login", "/login.css"] {
        assert_eq!(gateway.request("GET", open, &[]).status, 200, "{open}");
    }
    assert_eq!(gateway.request("GET", "/healthz", &[]).body, "{\"status\":\"ok\"}");
}

#[test]
fn the_token_in_the_address_is_swapped_for_a_cookie() {
    let data = dir();
    let gateway = Gateway::start(data.path());
    let answer = gateway.request("GET", &format!("/?token={TOKEN}"), &[]);
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    let set = answer.header("set-cookie");
    assert!(set.starts_with(&format!("everpane_{}=", gateway.address.port())), "{set}");
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && !set.contains(TOKEN), "{set}");

    let cookie = cookie(&gateway);
    assert_eq!(gateway.request("GET", "/", &[("Cookie", &cookie)]).status, 200);
    assert_eq!(gateway.request("GET", "/", &[("Cookie", &format!("{cookie}0"))]).status, 401);
    assert_eq!(gateway.request("GET", &format!("/x?token={TOKEN}"), &[]).status, 401);
    let host = gateway.host();
    assert_eq!(gateway.upgrade(&format!("/mux?token={TOKEN}"), &[("Host", &host)]).status, 101);
    let native = [("Host", host.as_str()), ("Sec-WebSocket-Protocol", "everpane.v1")];
    assert_eq!(gateway.upgrade(&format!("/mux?token={TOKEN}"), &native).status, 401);
    assert_eq!(gateway.upgrade("/mux", &[&native[..], &[BEARER]].concat()).status, 101);
}

#[test]
fn the_login_swaps_the_token_for_the_same_cookie() {
    let data = dir();
    let gateway = Gateway::start(data.path());
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let own = gateway.origin();
    let enter = |token: &str, origin: &str| {
        gateway.request_with_body("POST", "/login", &[form, ("Origin", origin)], &format!("token={token}"))
    };
    let page = gateway.request("GET", "/login", &[]);
    // With `no-referrer` a browser would send the form with `Origin: null`.
    assert_eq!(page.header("referrer-policy"), "same-origin");

    let right = enter(TOKEN, &own);
    assert_eq!((right.status, right.header("location")), (303, "/"));
    assert!(right.header("set-cookie").starts_with(&cookie(&gateway)));
    let wrong = enter("not-the-token", &own);
    assert_eq!(wrong.status, 401);
    assert!(wrong.body.contains("That is not the token.") && !wrong.body.contains("not-the-token"));
    assert_eq!(wrong.header("set-cookie"), "");
    assert_eq!(enter(TOKEN, "http://evil.test").status, 403);
    assert_eq!(gateway.request_with_body("POST", "/login", &[form], "nothing=here").status, 400);
    assert_eq!(enter(&"x".repeat(5000), &own).status, 400);
}

#[test]
fn wrong_tokens_are_slowed_and_never_repeated() {
    let data = dir();
    let gateway = Gateway::start(data.path());
    let guess = |number: u32| {
        let secret = format!("Bearer a-guess-{number}");
        gateway.request("GET", "/", &[("Authorization", &secret)])
    };
    let answers: Vec<Answer> = (0..30).map(guess).collect();
    assert!(answers.iter().all(|answer| !answer.body.contains("a-guess")));
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [[401; 10], [429; 10], [429; 10]].concat());
    let wait: u64 = answers[29].header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(gateway.request("GET", "/", &[BEARER]).status, 200, "the right token still passes");
}

#[test]
fn only_embedded_names_exist() {
    let data = dir();
    let gateway = Gateway::start(data.path());
    let nothing = gateway.request("GET", "/no-such", &[BEARER]).body;
    let targets = [
        "/../Cargo.toml",
        "/assets/../../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%5cCargo.toml",
        "/index.html%00",
        "//etc/passwd",
        "/etc/passwd",
        "/%c0%ae%c0%ae/Cargo.toml",
        "/C:/windows/win.ini",
        "/token",
    ];
    for target in targets {
        let answer = gateway.request("GET", target, &[BEARER]);
        assert_eq!((answer.status, &answer.body), (404, &nothing), "{target}");
    }
}

#[test]
fn every_answer_carries_the_headers_that_protect_a_page() {
    let data = dir();
    let gateway = Gateway::start(data.path());
    let host = gateway.host();
    let answers = [
        gateway.request("GET", "/", &[BEARER]),
        gateway.request("GET", "/", &[]),
        gateway.request("GET", "/no-such", &[BEARER]),
        gateway.request("GET", "/login", &[]),
        gateway.request("GET", "/healthz", &[]),
        gateway.send(&head("GET", "/", &[("Host", "evil.test")])),
        gateway.upgrade("/mux", &[("Host", &host), BEARER]),
    ];
    for answer in answers {
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"]
        {
            assert!(policy.contains(part), "{part} in {answer:?}");
        }
        let wanted = [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ];
        for (name, value) in wanted {
            assert_eq!(answer.header(name), value, "{name} in {answer:?}");
        }
        assert!(["no-store", "no-cache"].contains(&answer.header("cache-control")), "{answer:?}");
        assert!(["no-referrer", "same-origin"].contains(&answer.header("referrer-policy")), "{answer:?}");
    }
}

#[test]
fn a_head_must_be_small_and_prompt() {
    let data = dir();
    let gateway = Gateway::start(data.path());
    let host = gateway.host();
    let large = head("GET", "/healthz", &[("Host", &host), ("X-Large", &"x".repeat(9000))]);
    assert_eq!(gateway.send(&large).status, 431);

    let started = Instant::now();
    let mut slow = gateway.connect();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").unwrap();
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).expect("the gateway closes the connection");
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[test]
fn who_sends_more_than_is_read_is_told_that_the_connection_ends() {
    let data = dir();
    let gateway = Gateway::start(data.path());
    let host = gateway.host();
    let headers = [("Host", host.as_str()), ("Content-Length", "1000000"), ("Connection", "keep-alive")];
    for headers in [&headers[..], &[&headers[..], &[BEARER]].concat()] {
        let answer = gateway.send(&head("POST", "/api/v1/panes/p1/focus", headers));
        assert_eq!(answer.header("connection"), "close", "{answer:?}");
    }
}

#[test]
fn the_token_file_is_for_its_owner_and_stays() {
    let data = dir();
    let inner = data.path().join("data");
    let announced_token =
        |gateway: &Gateway| gateway.announced.trim_end().split_once("?token=").unwrap().1.to_owned();
    let first = Gateway::run(&mut everpane(&inner));
    let token = announced_token(&first);
    assert_eq!(token.len(), 64);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&inner), mode(&inner.join("token"))), (0o700, 0o600));
    assert_eq!(fs::read_to_string(inner.join("token")).unwrap().trim_end(), token);
    drop(first);
    assert_eq!(announced_token(&Gateway::run(&mut everpane(&inner))), token);
}

/// Runs what must fail at its start, and returns its one line.
fn failure(command: &mut Command) -> String {
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(output.stdout, b"");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(!stderr.contains("backtrace") && !stderr.contains("panicked"), "{stderr}");
    stderr.strip_prefix("everpane: ").expect(&stderr).trim_end().to_owned()
}

#[test]
fn what_is_wrong_at_the_start_is_one_clear_line() {
    let data = dir();
    let file = data.path().join("e.toml");
    fs::write(&file, "[input]\nheld_byte = 1\n").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let serve_in = |data_dir: &Path, listen: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_everpane"));
        command.args(["serve", "--listen", listen, "--data-dir"]).arg(data_dir);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env("RUST_BACKTRACE", "1");
        command
    };
    let plain = |listen: &str| serve_in(data.path(), listen);
    let free = "127.0.0.1:0";
    let cases = [
        (failure(&mut plain(&taken)), "another program has this port"),
        (failure(plain(free).args(["--shell", "/no/such/shell"])), "shell = /no/such/shell cannot be"),
        (failure(plain(free).args(["--cwd", "/no/such"])), "cwd = /no/such cannot be"),
        (
            failure(plain(free).arg("--config").arg(&file)),
            ":2: there is no setting `input.held_byte`; did you mean `input.held_bytes`?",
        ),
        (
            failure(plain(free).args(["--config", "/no/such.toml"])),
            "cannot read the config file /no/such.toml",
        ),
        (failure(plain("0.0.0.0:0").arg("--no-auth")), "no_auth = true with listen = 0.0.0.0:0 cannot be"),
        (failure(plain(free).env("EVERPANE_TOKEN", "short")), "EVERPANE_TOKEN: the token has 5 characters"),
        (failure(plain(free).env("EVERPANE_LOG", "x=y=z")), "EVERPANE_LOG: "),
        (failure(&mut serve_in(Path::new("/proc/everpane"), free)), "the data directory /proc/everpane"),
    ];
    for (line, wanted) in cases {
        assert!(line.contains(wanted), "{line}");
        let causes: Vec<_> = line.split(": ").collect();
        assert!(causes.windows(2).all(|pair| pair[0] != pair[1]), "said twice: {line}");
    }
}

#[test]
fn signals_end_it_in_good_order() {
    let data = dir();
    for signal in ["TERM", "INT", "HUP"] {
        let mut gateway = Gateway::start(data.path());
        // Somebody who is in the middle of a request does not hold it up.
        let mut idle = gateway.connect();
        idle.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        let started = Instant::now();
        gateway.signal(signal);
        assert_eq!(gateway.wait().code(), Some(0), "{signal}");
        assert!(started.elapsed() < Duration::from_secs(5), "{signal}: {:?}", started.elapsed());
    }
}

#[test]
fn the_log_never_holds_the_token() {
    let data = dir();
    let log = data.path().join("log");
    let mut command = everpane(data.path());
    command.env("EVERPANE_TOKEN", TOKEN).env("EVERPANE_LOG", "trace");
    // `run` would show the log; here it goes to a file, through a shell.
    let program = command.get_program().to_owned();
    let mut shell = Command::new("/bin/sh");
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
        .args(["-c", "log=$1; shift; exec \"$@\" 2>\"$log\"", "sh"])
        .arg(&log)
        .arg(program)
        .args(command.get_args());
    let mut gateway = Gateway::run(shell.stdout(Stdio::piped()));
    let cookie = cookie(&gateway);
    let host = gateway.host();
    gateway.request("GET", "/", &[BEARER]);
    gateway.request("GET", "/", &[("Cookie", &cookie)]);
    gateway.request("GET", &format!("/x?token={TOKEN}"), &[]);
    gateway.send(&head("GET", &format!("/?token={TOKEN}"), &[("Host", "evil.test")]));
    gateway.upgrade(&format!("/mux?token={TOKEN}"), &[("Host", &host)]);
    gateway.request_with_body(
        "POST",
        "/login",
        &[("Content-Type", "application/x-www-form-urlencoded")],
        &format!("token={TOKEN}"),
    );
    gateway.signal("TERM");
    gateway.wait();
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("refused a request"), "something was logged: {log}");
    assert!(!log.contains(TOKEN) && !log.contains(cookie.split_once('=').unwrap().1), "{log}");
}
