//! The guard as a whole: which request gets how far, rule by rule.

use super::*;
use crate::config::{Overrides, Surroundings};

const TOKEN: &str = "sixteen-letters-";
const HOST: &str = "localhost:7433";
const OWN: &str = "http://localhost:7433";
const FROM: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn guard(token: Option<&str>) -> Guard {
    let variables = [("HOME".to_owned(), "/".to_owned())].into();
    let surroundings = Surroundings { variables, ..Surroundings::default() };
    let flags = Overrides { data_dir: Some("/d".into()), ..Overrides::default() };
    let mut config = Config::load(None, flags, &surroundings).unwrap();
    config.allowed_origins = vec!["https://term.example.org".to_owned()];
    let token = token.map(|token| Token::new(token).unwrap());
    Guard::new(&config, config.listen, "box", token.as_ref())
}

fn cookie(guard: &Guard) -> String {
    let header = guard.set_cookie(&HeaderMap::new()).unwrap();
    header.split(';').next().unwrap().to_owned()
}

fn judge(guard: &Guard, method: &str, target: &str, headers: &[(&str, &str)]) -> Result<Pass, Refusal> {
    let mut request = axum::http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    guard.judge(&head, FROM, Instant::now())
}

#[test]
fn the_host_comes_first_whatever_else_is_right() {
    for guard in [guard(Some(TOKEN)), guard(None)] {
        let bearer = ("authorization", "Bearer sixteen-letters-");
        for hosts in [&[][..], &["evil.test"], &[HOST, HOST], &[HOST, "evil.test"], &["localhost"]] {
            let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).chain([bearer]).collect();
            for path in ["/", "/mux", "/healthz", "/login", "/no/such"] {
                assert_eq!(judge(&guard, "GET", path, &headers), Err(Refusal::Host), "{hosts:?} {path}");
            }
        }
        let absolute = judge(&guard, "GET", "http://localhost:7433/", &[("host", HOST), bearer]);
        assert_eq!(absolute, Err(Refusal::Host));
    }
}

#[test]
fn the_origin_comes_second_whatever_else_is_right() {
    for guard in [guard(Some(TOKEN)), guard(None)] {
        let right = [("host", HOST), ("authorization", "Bearer sixteen-letters-")];
        for origins in [&["null"][..], &[""], &["http://evil.test"], &[OWN, OWN], &[OWN, "null"]] {
            let headers: Vec<_> =
                right.into_iter().chain(origins.iter().map(|origin| ("origin", *origin))).collect();
            for path in ["/", "/mux", "/healthz", "/login"] {
                assert_eq!(judge(&guard, "GET", path, &headers), Err(Refusal::Origin), "{origins:?} {path}");
            }
        }
        for origin in [OWN, "https://term.example.org"] {
            let headers = [right[0], right[1], ("origin", origin)];
            assert_eq!(judge(&guard, "GET", "/mux", &headers), Ok(Pass::Enter));
        }
    }
}

#[test]
fn without_a_credential_only_what_is_open() {
    let guard = guard(Some(TOKEN));
    let cases = [
        ("GET", "/healthz", Ok(Pass::Enter)),
        ("GET", "/login", Ok(Pass::Enter)),
        ("POST", "/login", Ok(Pass::Enter)),
        ("GET", "/login.css", Ok(Pass::Enter)),
        ("GET", "/", Err(Refusal::Credential)),
        ("GET", "/mux", Err(Refusal::Credential)),
        ("GET", "/healthz/", Err(Refusal::Credential)),
        ("GET", "//login", Err(Refusal::Credential)),
        ("GET", "/login/../mux", Err(Refusal::Credential)),
        ("GET", "/%6cogin", Err(Refusal::Credential)),
        ("GET", "/assets/x.js", Err(Refusal::Credential)),
        ("DELETE", "/anything", Err(Refusal::Credential)),
    ];
    for (method, path, wanted) in cases {
        assert_eq!(judge(&guard, method, path, &[("host", HOST)]), wanted, "{method} {path}");
    }
}

#[test]
fn each_credential_counts_where_it_should() {
    let guard = guard(Some(TOKEN));
    let right = cookie(&guard);
    let (enter, swap) = (Ok(Pass::Enter), Ok(Pass::SwapForCookie));
    let (no, foreign) = (Err(Refusal::Credential), Err(Refusal::Origin));
    let upgrade = ("upgrade", "websocket");
    type Case<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, Result<Pass, Refusal>);
    let cases: Vec<Case<'_>> = vec![
        ("GET", "/x", vec![("authorization", "Bearer sixteen-letters-")], enter),
        ("POST", "/x", vec![("authorization", "bearer sixteen-letters-")], enter),
        ("GET", "/x", vec![("authorization", "Basic sixteen-letters-")], no),
        ("GET", "/x", vec![("authorization", "sixteen-letters-")], no),
        ("GET", "/?token=sixteen-letters-", vec![], swap),
        ("GET", "/?a=b&token=sixteen%2Dletters-", vec![], swap),
        ("POST", "/?token=sixteen-letters-", vec![], no),
        ("GET", "/mux?token=sixteen-letters-", vec![upgrade], enter),
        ("GET", "/mux?token=sixteen-letters-", vec![upgrade, ("sec-websocket-protocol", "everpane.v1")], no),
        ("GET", "/mux?token=wrong", vec![upgrade], no),
        ("GET", "/mux?token=sixteen-letters-&token=x", vec![upgrade], no),
        ("GET", "/x?token=sixteen-letters-", vec![], no),
        ("GET", "/mux/?token=sixteen-letters-", vec![], no),
        ("GET", "/x", vec![("cookie", &right)], enter),
        ("GET", "/x", vec![("cookie", "everpane_7433=sixteen-letters-")], no),
        ("GET", "/mux", vec![("cookie", &right), upgrade], foreign),
        ("GET", "/mux", vec![("cookie", &right), upgrade, ("origin", OWN)], enter),
        ("POST", "/x", vec![("cookie", &right)], foreign),
        ("POST", "/x", vec![("cookie", &right), ("origin", OWN)], enter),
    ];
    for (method, target, headers, wanted) in cases {
        let headers = [&headers[..], &[("host", HOST)]].concat();
        assert_eq!(judge(&guard, method, target, &headers), wanted, "{method} {target} {headers:?}");
    }
}

#[test]
fn a_node_token_opens_the_nodes_socket_and_nothing_else() {
    const NODE: (&str, &str) = ("authorization", "Bearer a-token-of-a-node");
    let node = Ok(Pass::EnterAsNode(TokenId(7)));
    let find = |text: &str| (text == "a-token-of-a-node").then_some(TokenId(7));
    for (token, otherwise) in [(Some(TOKEN), Err(Refusal::Credential)), (None, Ok(Pass::Enter))] {
        let guard = guard(token).with_node_tokens(find);
        let judge = |target: &str, headers: &[(&str, &str)]| {
            judge(&guard, "GET", target, &[&[("host", HOST)], headers].concat())
        };
        assert_eq!(judge("/ws", &[NODE]), node);
        assert_eq!(judge("/ws?token=a-token-of-a-node", &[]), node);
        assert_eq!(judge("/ws", &[NODE, ("origin", "http://evil.test")]), Err(Refusal::Origin));
        assert_eq!(judge("/ws", &[("authorization", "Bearer another")]), otherwise);
        assert_eq!(judge("/ws", &[]), otherwise);
        for target in ["/ws/agent/a", "/ws/", "/mux", "/x", "/ws/agent/a?token=a-token-of-a-node"] {
            assert_eq!(judge(target, &[NODE]), otherwise, "{target}");
        }
        for target in ["/ws?token=sixteen-letters-", "/ws/agent/a?token=sixteen-letters-"] {
            assert_eq!(judge(target, &[]), Ok(Pass::Enter), "{target}");
        }
    }
}

#[test]
fn a_session_token_opens_the_api_and_nothing_else() {
    let text = SessionTokens::new(&Token::new(TOKEN).unwrap()).make(SessionId(3));
    let bearer = format!("Bearer {text}");
    let with = |guard: &Guard, method: &str, target: &str, headers: &[(&str, &str)]| {
        judge(guard, method, target, &[&[("host", HOST), ("authorization", &bearer)], headers].concat())
    };
    let guard = guard(Some(TOKEN));
    for target in ["/api/v1", "/api/v1/", "/api/v1/sessions", "/api/v1?x=y"] {
        for method in ["GET", "POST", "DELETE"] {
            assert_eq!(
                with(&guard, method, target, &[]),
                Ok(Pass::EnterForSession(SessionId(3))),
                "{target}"
            );
        }
    }
    for target in
        ["/", "/mux", "/ws", "/api", "/api/", "/api/v2", "/api/v10", "/API/v1", "//api/v1", "/assets/x.js"]
    {
        assert_eq!(with(&guard, "GET", target, &[]), Err(Refusal::Scope), "{target}");
    }
    let foreign = with(&guard, "GET", "/api/v1", &[("origin", "http://evil.test")]);
    assert_eq!(foreign, Err(Refusal::Origin), "the rules before it hold as well");
    let address = judge(&guard, "GET", &format!("/api/v1?token={text}"), &[("host", HOST)]);
    assert_eq!(address, Err(Refusal::Credential), "only in the header");
    let mut cut = text.clone();
    cut.pop();
    for wrong in
        [cut, text.replace("s3", "s4"), text.to_uppercase(), format!("{text}A"), "ep1.s3.".to_owned()]
    {
        let headers = [("host", HOST), ("authorization", &format!("Bearer {wrong}"))];
        assert_eq!(judge(&guard, "GET", "/api/v1", &headers), Err(Refusal::Credential), "{wrong}");
    }
    let other = super::tests::guard(Some("another-token-of-it"));
    assert_eq!(with(&other, "GET", "/api/v1", &[]), Err(Refusal::Credential), "it ends with the gateway's");
}

#[test]
fn guessing_a_session_token_is_slowed_too() {
    let guard = guard(Some(TOKEN));
    let headers = [("host", HOST), ("authorization", "Bearer ep1.s1.AAAA")];
    let tries = (0..12).map(|_| judge(&guard, "GET", "/api/v1", &headers));
    assert!(matches!(tries.last(), Some(Err(Refusal::TooMany { .. }))));
}

#[test]
fn a_wrong_token_is_not_excused_by_a_right_cookie() {
    let guard = guard(Some(TOKEN));
    let headers = [("host", HOST), ("cookie", &cookie(&guard)), ("authorization", "Bearer wrong")];
    assert_eq!(judge(&guard, "GET", "/x", &headers), Err(Refusal::Credential));
}

#[test]
fn people_are_shown_the_login() {
    let guard = guard(Some(TOKEN));
    let html = ("accept", "text/html,*/*");
    assert_eq!(judge(&guard, "GET", "/", &[("host", HOST), html]), Err(Refusal::Login));
    assert_eq!(judge(&guard, "GET", "/?token=wrong", &[("host", HOST), html]), Err(Refusal::Login));
    assert_eq!(judge(&guard, "GET", "/x", &[("host", HOST), html]), Err(Refusal::Credential));
    assert_eq!(judge(&guard, "POST", "/", &[("host", HOST), html]), Err(Refusal::Credential));
}

#[test]
fn who_guesses_is_slowed_and_the_right_token_still_passes() {
    let guard = guard(Some(TOKEN));
    let try_token = |token: &str| judge(&guard, "GET", "/x", &[("host", HOST), ("authorization", token)]);
    for _ in 0..10 {
        assert_eq!(try_token("Bearer wrong"), Err(Refusal::Credential));
    }
    assert!(matches!(try_token("Bearer wrong"), Err(Refusal::TooMany { .. })));
    assert!(matches!(guard.log_in("wrong", FROM, Instant::now()), Err(Refusal::TooMany { .. })));
    assert_eq!(try_token("Bearer sixteen-letters-"), Ok(Pass::Enter));
    assert_eq!(judge(&guard, "GET", "/x", &[("host", HOST)]), Err(Refusal::Credential), "no guess, no wait");
}

#[test]
fn the_cookie_is_secure_behind_tls() {
    let guard = guard(Some(TOKEN));
    let with_host = |host: &'static str| {
        let headers = HeaderMap::from_iter([(header::HOST, axum::http::HeaderValue::from_static(host))]);
        guard.set_cookie(&headers).unwrap()
    };
    assert!(with_host("term.example.org").ends_with("; Secure"));
    assert!(!with_host(HOST).contains("Secure"));
}
