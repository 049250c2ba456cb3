//! The roster with a real clock and a real disk: what is decided in `node` is tried out there.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Mutex as StdMutex;
use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::host::{Host, Kept, Sink, SpawnError, SpawnRequest, Spawning};
use crate::node::Refused;
use crate::protocol::node::{NodeClose, NodeKind, NodeStatus, OfflineCause, Outcome, Register};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Hosts nothing.
struct Nobody;

impl Host for Nobody {
    fn spawn(&self, _request: SpawnRequest, _sink: Arc<dyn Sink>) -> Spawning {
        Box::pin(async { Err(SpawnError { reason: "nobody hosts here".to_owned() }) })
    }
}

/// Writes down what it is told.
#[derive(Default)]
struct Told(StdMutex<Vec<String>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Panes for Told {
    fn node_up(&self, node: &str, _host: Arc<dyn Host>, kept: Vec<Kept>) {
        self.0.lock().unwrap().push(format!("{node} up with {}", kept.len()));
    }

    fn node_down(&self, node: &str, asleep: bool) {
        self.0.lock().unwrap().push(format!("{node} down{}", if asleep { ", asleep" } else { "" }));
    }

    fn node_expected(&self, node: &str, asleep: bool) {
        self.0.lock().unwrap().push(format!("{node} expected{}", if asleep { ", asleep" } else { "" }));
    }

    fn node_removed(&self, node: &str) {
        self.0.lock().unwrap().push(format!("{node} removed"));
    }

    fn live_here(&self) -> u32 {
        7
    }
}

fn settings(dir: Option<&Path>) -> Settings {
    Settings { data_dir: dir.map(Path::to_owned), ..Settings::default() }
}

fn peer(owner: Option<TokenId>) -> Peer {
    Peer { owner, address: IpAddr::V4(Ipv4Addr::LOCALHOST) }
}

fn registration(id: &str, kind: NodeKind) -> Registration {
    let (machine, cwd) = ("box".to_owned(), "/".to_owned());
    let register =
        Register { id: id.to_owned(), machine, cwd, port: None, pid: None, kind: Some(kind), instance: None };
    Registration::check(register).unwrap()
}

fn host(id: &str) -> Registration {
    registration(id, NodeKind::PtyHost)
}

#[tokio::test]
async fn what_is_told_first_and_then_leaves_nothing_out() {
    let roster = Roster::open(settings(None), Arc::new(NoPanes));
    let first = roster.connect(peer(None)).unwrap();
    first.connection.register(host("a")).unwrap();
    let mut second = roster.connect(peer(None)).unwrap();
    assert!(second.init.contains(r#""id":"a""#), "{}", second.init);
    first.connection.register(host("b")).unwrap();
    drop(first);
    let mut told = Vec::new();
    while let Ok(event) = second.events.try_recv() {
        let event: serde_json::Value = serde_json::from_str(&event).unwrap();
        told.push(event["event"].as_str().unwrap().to_owned());
    }
    assert_eq!(told, ["node_removed", "node_joined", "node_offline"]);
    assert_eq!(roster.count(), 1);
}

#[tokio::test]
async fn panes_are_told_in_order_whichever_connection_ends_when() {
    let told = Arc::new(Told::default());
    let roster = Roster::open(settings(None), told.clone());
    let connect = || roster.connect(peer(None)).unwrap().connection;
    let up = |connection: &Connection| connection.host_up(Arc::new(Nobody), Vec::new());

    let mut first = connect();
    assert!(!up(&first), "nobody is registered over it");
    first.register(host("a")).unwrap();
    assert!(up(&first));
    assert_eq!(told.take(), ["a expected", "a up with 0"]);
    let second = connect();
    second.register(host("a")).unwrap();
    assert_eq!(told.take(), ["a down"], "before the newer connection's come up");
    assert!(!up(&first), "it was superseded");
    assert!(up(&second));
    assert_eq!(first.closed().await, Ok(NodeClose::Superseded));
    drop(first);
    assert_eq!(told.take(), ["a up with 0"], "a late close changes nothing");
    second.going_to_sleep();
    drop(second);
    assert_eq!(told.take(), ["a down, asleep"]);

    let third = connect();
    third.register(host("b")).unwrap();
    assert!(up(&third));
    assert_eq!(third.deregister("b"), Outcome::Deregistered);
    drop(third);
    assert_eq!(told.take(), ["b expected", "b up with 0", "b down", "b removed"], "once");

    let fourth = connect();
    fourth.register(registration("c", NodeKind::Agent)).unwrap();
    assert_eq!(told.take(), Vec::<String>::new(), "an agent has no panes");
    fourth.register(registration("a", NodeKind::Agent)).unwrap();
    assert_eq!(told.take(), ["a removed"], "an agent took its id");
}

#[tokio::test]
async fn panes_expect_the_nodes_from_before_a_restart_and_know_who_sleeps() {
    let dir = tempfile::tempdir().unwrap();
    let roster = Roster::open(settings(Some(dir.path())), Arc::new(NoPanes));
    let connect = || roster.connect(peer(None)).unwrap().connection;
    let (awake, sleeper, agent) = (connect(), connect(), connect());
    awake.register(host("awake")).unwrap();
    sleeper.register(host("sleeper")).unwrap();
    agent.register(registration("agent", NodeKind::Agent)).unwrap();
    sleeper.going_to_sleep();
    drop(sleeper);
    roster.shutdown().await;

    let told = Arc::new(Told::default());
    let _roster = Roster::open(settings(Some(dir.path())), told.clone());
    assert_eq!(told.take(), ["awake expected", "sleeper expected, asleep"]);
}

#[tokio::test]
async fn a_node_that_talks_nonsense_is_not_let_in_again() {
    let roster = Roster::open(settings(None), Arc::new(NoPanes));
    let connect = || roster.connect(peer(None)).unwrap().connection;
    let first = connect();
    first.register(host("a")).unwrap();
    first.keep_out();
    drop(first);
    let refused = connect().register(host("a")).unwrap_err();
    assert!(matches!(&refused, Refused::KeptOut { left, .. } if !left.is_zero()), "{refused}");
    assert!(refused.retry_after().is_some());
    connect().register(host("b")).unwrap();
}

#[tokio::test]
async fn folders_are_asked_of_who_has_them() {
    let roster = Roster::open(settings(None), Arc::new(NoPanes));
    let register = Register {
        id: "local".to_owned(),
        machine: "box".to_owned(),
        cwd: "/".to_owned(),
        port: None,
        pid: None,
        kind: None,
        instance: None,
    };
    roster.register_local(Registration::local(register).unwrap());
    let connect = || roster.connect(peer(None)).unwrap().connection;
    let (linked, agent) = (connect(), connect());
    linked.register(host("linked")).unwrap();
    agent.register(registration("agent", NodeKind::Agent)).unwrap();
    assert!(matches!(roster.ptys("local"), Ok(Ptys::Here)));
    assert_eq!(roster.ptys("linked").err(), Some(NoPtys::Offline), "it has no link yet");
    assert!(linked.hosting().is_some());
    assert!(matches!(roster.ptys("linked"), Ok(Ptys::There(_))));
    assert_eq!(roster.ptys("agent").err(), Some(NoPtys::None));
    assert_eq!(roster.ptys("nobody").err(), Some(NoPtys::Unknown));
    drop(linked);
    assert_eq!(roster.ptys("linked").err(), Some(NoPtys::Offline));
}

#[tokio::test]
async fn a_revoked_token_ends_its_connections_and_frees_its_ids() {
    let dir = tempfile::tempdir().unwrap();
    let file = TokenFile::in_dir(dir.path());
    let roster = Roster::open(settings(Some(dir.path())), Arc::new(NoPanes));
    let text = file.update(|tokens| tokens.create("a", [1; 32], 0)).unwrap();
    let noticed = async {
        while roster.token(&text).is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, noticed).await.expect("the gateway notices a new token");
    let token = roster.token(&text);
    let mut theirs = roster.connect(peer(token)).unwrap().connection;
    theirs.register(host("a")).unwrap();
    let ours = roster.connect(peer(None)).unwrap().connection;
    assert!(ours.register(host("a")).is_err(), "the id is bound to the token");

    file.update(|tokens| tokens.revoke("a")).unwrap();
    assert_eq!(timeout(PATIENCE, theirs.closed()).await.unwrap(), Ok(NodeClose::Revoked));
    assert_eq!(roster.connect(peer(token)).err(), Some(TurnedAway::Revoked));
    assert_eq!(roster.count(), 0);
    ours.register(host("a")).unwrap();
}

#[tokio::test]
async fn who_was_there_is_remembered_unless_its_token_went_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let file = TokenFile::in_dir(dir.path());
    let texts = ["a", "b"]
        .map(|name| file.update(|tokens| tokens.create(name, [name.as_bytes()[0]; 32], 0)).unwrap());
    let roster = Roster::open(settings(Some(dir.path())), Arc::new(NoPanes));
    let connections = [("a", roster.token(&texts[0])), ("b", roster.token(&texts[1])), ("c", None)];
    let connections = connections.map(|(id, token)| {
        let connection = roster.connect(peer(token)).unwrap().connection;
        connection.register(host(id)).unwrap();
        connection
    });
    roster.shutdown().await;
    drop(connections);
    file.update(|tokens| tokens.revoke("b")).unwrap();

    let roster = Roster::open(settings(Some(dir.path())), Arc::new(NoPanes));
    let nodes = roster.nodes();
    let shown: Vec<_> = nodes.iter().map(|node| (node.id.as_str(), node.status, node.why)).collect();
    let restarted = |id| (id, NodeStatus::Offline, Some(OfflineCause::GatewayRestarted));
    assert_eq!(shown, [restarted("a"), restarted("c")]);
}

#[tokio::test]
async fn an_id_stays_its_tokens_when_its_record_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let file = TokenFile::in_dir(dir.path());
    let text = file.update(|tokens| tokens.create("a", [1; 32], 0)).unwrap();
    let roster = Roster::open(settings(Some(dir.path())), Arc::new(NoPanes));
    let theirs = roster.connect(peer(roster.token(&text))).unwrap().connection;
    theirs.register(host("a")).unwrap();
    assert_eq!(theirs.deregister("a"), Outcome::Deregistered);
    roster.shutdown().await;
    drop(theirs);

    let roster = Roster::open(settings(Some(dir.path())), Arc::new(NoPanes));
    let ours = roster.connect(peer(None)).unwrap().connection;
    assert_eq!(ours.register(host("a")), Err(Refused::OtherToken { field: "id" }));
    let theirs = roster.connect(peer(roster.token(&text))).unwrap().connection;
    theirs.register(host("a")).unwrap();
}

#[tokio::test]
async fn records_that_cannot_be_read_are_left_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nodes.json");
    std::fs::write(&path, "not ours").unwrap();
    let roster = Roster::open(settings(Some(dir.path())), Arc::new(NoPanes));
    let connection = roster.connect(peer(None)).unwrap().connection;
    connection.register(host("a")).unwrap();
    roster.shutdown().await;
    assert_eq!(std::fs::read_to_string(path).unwrap(), "not ours");
}

#[tokio::test]
async fn there_are_only_so_many_connections() {
    let registry = node::Settings { max_nodes: 1, ..node::Settings::default() };
    let roster = Roster::open(Settings { registry, ..Settings::default() }, Arc::new(NoPanes));
    let mut open: Vec<_> = (0..=MAX_WATCHERS).map(|_| roster.connect(peer(None)).unwrap()).collect();
    assert_eq!(roster.connect(peer(None)).err(), Some(TurnedAway::Full));
    open.pop();
    assert!(roster.connect(peer(None)).is_ok());
}

#[tokio::test]
async fn a_silent_node_is_offline_and_then_gone() {
    let registry = node::Settings { ttl: Duration::from_millis(50), ..node::Settings::default() };
    let roster = Roster::open(Settings { registry, ..Settings::default() }, Arc::new(NoPanes));
    let Admitted { mut connection, mut events, .. } = roster.connect(peer(None)).unwrap();
    connection.register(registration("a", NodeKind::Agent)).unwrap();
    assert_eq!(timeout(PATIENCE, connection.closed()).await.unwrap(), Ok(NodeClose::Silent));
    let removed = async { while !events.recv().await.unwrap().contains("node_removed") {} };
    timeout(PATIENCE, removed).await.expect("its record goes");
    assert_eq!(roster.count(), 0);
}
