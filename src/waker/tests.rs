//! Providers against real programs and a small HTTP server.

use std::path::Path;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Far longer than anything here takes.
const PLENTY: Duration = Duration::from_secs(20);

fn shell(script: &str, timeout: Duration) -> Provider {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    let environment = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
    Provider::Command(WakeCommand::new(command, environment, timeout))
}

async fn run(script: &str) -> Result<(), String> {
    shell(script, PLENTY).call("web-1", 3, CancellationToken::new()).await
}

/// Waits until something holds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PLENTY;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether a process runs. One that ended may wait for its parent, which is none of ours.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// A script that writes the ids of itself and of what it started into a file, and then takes longer than any test.
fn lingering(file: &Path) -> String {
    format!("sleep 60 & echo $$ $! > {0}.new; mv {0}.new {0}; echo waiting >&2; wait", file.display())
}

async fn assert_ended(file: &Path) {
    let ids = std::fs::read_to_string(file).unwrap();
    let ids: Vec<_> = ids.split_whitespace().collect();
    assert_eq!(ids.len(), 2);
    until("the whole group is gone", || !ids.iter().any(|id| runs(id))).await;
}

#[tokio::test]
async fn a_command_that_ends_well_did_its_part() {
    assert_eq!(run("exit 0").await, Ok(()));
    assert_eq!(run("echo noise; echo warning >&2").await, Ok(()));
}

#[tokio::test]
async fn a_command_knows_the_node_and_the_attempt_and_nothing_of_ours() {
    let names = "env | cut -d= -f1 | grep -v -e '^_$' -e '^PWD$' -e '^SHLVL$' -e '^OLDPWD$' | sort";
    let said = run(&format!("echo $EVERPANE_NODE $EVERPANE_WAKE_ATTEMPT $({names}) >&2; exit 1")).await;
    assert_eq!(said.unwrap_err(), "exit status: 1: web-1 3 EVERPANE_NODE EVERPANE_WAKE_ATTEMPT PATH");
    assert_eq!(run("read line && exit 1; exit 0").await, Ok(()), "there is nothing to read");
}

#[tokio::test]
async fn a_command_that_fails_says_why() {
    assert_eq!(run("echo no quota >&2; exit 3").await, Err("exit status: 3: no quota".to_owned()));
    assert_eq!(run("exit 4").await, Err("exit status: 4".to_owned()));
    assert_eq!(run("kill -9 $$").await, Err("signal: 9 (SIGKILL)".to_owned()));
    let reason = run("yes talkative | head -c 300000 >&2; echo the end >&2; exit 1").await.unwrap_err();
    assert!(reason.len() < 1100 && reason.ends_with(" the end"), "{reason}");
    let nothing = WakeCommand::new(vec!["/no/such/program".to_owned()], Vec::new(), PLENTY);
    let reason = Provider::Command(nothing).call("n", 1, CancellationToken::new()).await.unwrap_err();
    assert!(reason.starts_with("can't run /no/such/program: "), "{reason}");
}

#[tokio::test]
async fn a_command_is_not_held_up_by_what_it_leaves_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("left");
    let script =
        |code: u32| format!("sleep 60 & echo $! > {}; echo left it >&2; exit {code}", file.display());
    for (code, outcome) in [(0, Ok(())), (1, Err("exit status: 1: left it".to_owned()))] {
        assert_eq!(run(&script(code)).await, outcome);
        let left = std::fs::read_to_string(&file).unwrap();
        assert!(runs(left.trim()), "it may be what keeps the node awake");
        let pid = rustix::process::Pid::from_raw(left.trim().parse().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ids");
    // Longer than the shell needs to get there, however busy the machine is, or the file is not there in the end.
    let provider = shell(&lingering(&file), Duration::from_secs(2));
    let reason = provider.call("n", 1, CancellationToken::new()).await.unwrap_err();
    assert_eq!(reason, "it took longer than 2s: waiting");
    assert_ended(&file).await;
}

#[tokio::test]
async fn a_shutdown_kills_a_command_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ids");
    let shutdown = CancellationToken::new();
    let (provider, told) = (shell(&lingering(&file), PLENTY), shutdown.clone());
    let call = tokio::spawn(async move { provider.call("n", 1, told).await });
    until("it runs", || file.exists()).await;
    shutdown.cancel();
    assert_eq!(call.await.unwrap(), Err(SHUTTING_DOWN.to_owned()));
    assert_ended(&file).await;
}

#[tokio::test]
async fn a_call_that_is_dropped_ends_its_command() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ids");
    let provider = shell(&lingering(&file), PLENTY);
    let call = tokio::spawn(async move { provider.call("n", 1, CancellationToken::new()).await });
    until("it runs", || file.exists()).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_ended(&file).await;
}

/// Reads the head of a request.
async fn head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A server that answers one request with `answer`, and hands over the request's head.
async fn server(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let head = head(&mut connection).await;
        connection.write_all(answer.as_bytes()).await.unwrap();
        head
    });
    (address, served)
}

fn http(url: String, method: &str, timeout: Duration) -> Provider {
    let headers = [("Authorization".to_owned(), "Bearer secret".to_owned())].into();
    Provider::Http(WakeRequest::new(&WakeHttp { url, method: method.to_owned(), headers }, timeout))
}

async fn request(method: &str, answer: &'static str) -> (Result<(), String>, String) {
    let (address, served) = server(answer).await;
    let provider = http(format!("{address}/wake/{{node}}?again={{node}}"), method, PLENTY);
    let outcome = provider.call("box:7/a", 1, CancellationToken::new()).await;
    (outcome, served.await.unwrap().to_ascii_lowercase())
}

#[tokio::test]
async fn a_request_names_the_node_and_takes_2xx_for_success() {
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let (outcome, head) = request(method, "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(outcome, Ok(()), "{method}");
        let line =
            format!("{} /wake/box%3a7%2fa?again=box%3a7%2fa http/1.1\r\n", method.to_ascii_lowercase());
        assert!(head.starts_with(&line), "{head}");
        assert!(head.contains("authorization: bearer secret\r\n"), "{head}");
        assert!(!head.contains("chunked"), "no server has to wait for a body: {head}");
    }
}

#[tokio::test]
async fn any_other_answer_is_the_reason() {
    let cases = [
        ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", "the answer was 503 Service Unavailable"),
        (
            "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n",
            "the answer was 302 Found",
        ),
    ];
    for (answer, reason) in cases {
        assert_eq!(request("POST", answer).await.0, Err(reason.to_owned()));
    }
    for nonsense in ["", "SSH-2.0-OpenSSH\r\n\r\n"] {
        let reason = request("POST", nonsense).await.0.unwrap_err();
        assert!(!reason.is_empty() && !reason.contains('\n') && !reason.contains("secret"), "{reason}");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_a_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let reason = http(address, "POST", PLENTY).call("n", 1, CancellationToken::new()).await.unwrap_err();
    assert!(reason.contains("refused"), "{reason}");
}

#[tokio::test]
async fn a_server_without_tls_is_a_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}/", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let hello = connection.read_u8().await.unwrap();
        connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        hello
    });
    let reason = http(address, "POST", PLENTY).call("n", 1, CancellationToken::new()).await.unwrap_err();
    assert_eq!(served.await.unwrap(), 22, "a TLS handshake is begun");
    assert!(!reason.is_empty() && !reason.contains("panic") && !reason.contains("longer"), "{reason}");
}

#[tokio::test]
async fn a_server_without_an_answer_is_not_waited_for_beyond_the_timeout_or_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let short = http(address.clone(), "POST", Duration::from_millis(200));
    let reason = short.call("n", 1, CancellationToken::new()).await;
    assert_eq!(reason, Err("it took longer than 200ms".to_owned()));

    let shutdown = CancellationToken::new();
    let told = shutdown.clone();
    let slow = http(address, "POST", Duration::from_secs(3));
    let call = tokio::spawn(async move { slow.call("n", 1, told).await });
    let (_first, _) = listener.accept().await.unwrap();
    let (_second, _) = listener.accept().await.unwrap();
    shutdown.cancel();
    assert_eq!(call.await.unwrap(), Err(SHUTTING_DOWN.to_owned()));
}

#[tokio::test]
async fn a_node_has_its_own_provider_or_everyones() {
    let command = |script: &str| Some(["/bin/sh", "-c", script].map(str::to_owned).to_vec());
    let mut settings = Wake { command: command("echo all >&2; exit 1"), ..Wake::default() };
    let own = crate::config::WakeNode { command: command("echo own >&2; exit 1"), ..Default::default() };
    settings.nodes.insert("mine".to_owned(), own);
    let said = async |providers: &Providers, node: &str, shutdown: &CancellationToken| {
        providers.call(node, 1, shutdown.clone()).await.unwrap_err()
    };
    let on = CancellationToken::new();
    let providers = Providers::new(&settings, &[]);
    assert_eq!(said(&providers, "mine", &on).await, "exit status: 1: own");
    assert_eq!(said(&providers, "other", &on).await, "exit status: 1: all");

    let providers = Providers::new(&Wake { command: None, ..settings }, &[]);
    assert!(providers.of("mine").is_some() && providers.of("other").is_none());
    assert_eq!(said(&providers, "other", &on).await, "nothing is set up to wake it");

    let turns = providers.turns.acquire_many(MAX_CALLS as u32).await.unwrap();
    let off = CancellationToken::new();
    let (waits, ()) = tokio::join!(said(&providers, "mine", &off), async { off.cancel() });
    assert_eq!(waits, SHUTTING_DOWN, "a call that waits its turn ends as well");
    drop(turns);
    assert_eq!(said(&providers, "mine", &on).await, "exit status: 1: own");
}
