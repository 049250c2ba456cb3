//! Random histories of many nodes: late words of older connections, stops of the gateway, fights, tokens, time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::protocol::node::NodeRecord;

/// What happens. Connections are picked among all there ever were, so most are closed or superseded.
#[derive(Debug, Clone)]
enum Step {
    Connect { peer: Peer, register: Option<Register> },
    Register { connection: prop::sample::Index, register: Register },
    Say { connection: prop::sample::Index, word: Word },
    Local,
    Revoke { token: u64 },
    Pass { time: Duration },
    Stop { time: Duration },
    Restart,
}

#[derive(Debug, Clone)]
enum Word {
    Alive,
    Heartbeat { named: Option<String> },
    Sleep,
    Deregister { id: String },
    Close { farewell: Farewell },
}

/// Few of everything, so that they meet.
fn node_id() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d", "e", "local"]).prop_map(str::to_owned)
}

fn register() -> impl Strategy<Value = Register> {
    let machine = prop::sample::select(vec!["m", "n"]);
    let instance = option::of(prop::sample::select(vec!["x", "y", "z"]).prop_map(str::to_owned));
    let kind = option::of(prop::sample::select(vec![NodeKind::Agent, NodeKind::PtyHost]));
    let port = option::of(1u16..4);
    (node_id(), machine, port, option::of(1u32..3), kind, instance).prop_map(
        |(id, machine, port, pid, kind, instance)| {
            let (machine, cwd) = (machine.to_owned(), "/".to_owned());
            Register { id, machine, cwd, port, pid, kind, instance }
        },
    )
}

fn word() -> impl Strategy<Value = Word> {
    prop_oneof![
        4 => Just(Word::Alive),
        2 => option::of(node_id()).prop_map(|named| Word::Heartbeat { named }),
        1 => Just(Word::Sleep),
        2 => node_id().prop_map(|id| Word::Deregister { id }),
        2 => prop::sample::select(vec![Farewell::Said, Farewell::Broken])
            .prop_map(|farewell| Word::Close { farewell }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let peer = || prop::sample::select(vec![OWNER, OWNER, OWNER, with_token(1), with_token(2)]);
    prop_oneof![
        8 => (peer(), option::of(register())).prop_map(|(peer, register)| Step::Connect { peer, register }),
        4 => (any::<prop::sample::Index>(), register())
            .prop_map(|(connection, register)| Step::Register { connection, register }),
        12 => (any::<prop::sample::Index>(), word())
            .prop_map(|(connection, word)| Step::Say { connection, word }),
        1 => Just(Step::Local),
        1 => (1u64..3).prop_map(|token| Step::Revoke { token }),
        6 => (0u64..40_000).prop_map(|ms| Step::Pass { time: Duration::from_millis(ms) }),
        1 => (0u64..200_000).prop_map(|ms| Step::Stop { time: Duration::from_millis(ms) }),
        1 => Just(Step::Restart),
    ]
}

/// The part of a record that events tell of; the rest changes without one.
type Row = (String, Option<u16>, Option<u32>, NodeStatus, Option<OfflineCause>);

fn row(record: &NodeRecord) -> Row {
    (record.machine.clone(), record.port, record.pid, record.status, record.why)
}

/// When a record was last proven, by the plain rules: as what, and with which patience.
#[derive(Debug, Clone, Copy)]
struct Proof {
    at: Instant,
    bound: Duration,
}

/// Watches a registry from outside, with nothing but what callers see.
struct Judge {
    world: World,
    settings: Settings,
    /// All connections that ever were, and whose open socket each still is.
    epochs: Vec<Epoch>,
    open: BTreeSet<Epoch>,
    /// Who said something in this step.
    speaker: Option<Epoch>,
    /// What events made of the roster.
    replayed: BTreeMap<String, Row>,
    proofs: HashMap<String, Proof>,
    /// Since when nobody may be declared dead, by the plain rules.
    resumed: Option<Instant>,
}

impl Judge {
    fn new(ttl: Duration) -> Judge {
        let settings = Settings { ttl, max_nodes: 5, ..Settings::default() };
        Judge {
            world: World::with(settings),
            settings,
            epochs: Vec::new(),
            open: BTreeSet::new(),
            speaker: None,
            replayed: BTreeMap::new(),
            proofs: HashMap::new(),
            resumed: None,
        }
    }

    fn snapshot(&self) -> (Vec<NodeRecord>, Vec<SavedNode>) {
        (self.world.registry.records(self.world.now), self.world.registry.saved(self.world.now))
    }

    /// Plays effects back, and holds each against what was true before it.
    fn replay(&mut self, effects: &[Effect]) -> Result<(), TestCaseError> {
        for effect in effects {
            match effect {
                Effect::Joined { record } => _ = self.replayed.insert(record.id.clone(), row(record)),
                Effect::Offline { id, why } => {
                    let row = self.replayed.get_mut(id.as_str());
                    let row = row.ok_or_else(|| TestCaseError::fail(format!("{id} went, unknown")))?;
                    prop_assert_eq!(row.3, NodeStatus::Active, "{} went twice", id);
                    (row.3, row.4) = (NodeStatus::Offline, Some(*why));
                }
                Effect::Removed { id } => {
                    prop_assert!(self.replayed.remove(id.as_str()).is_some(), "{} removed, unknown", id);
                }
                Effect::Close { epoch, .. } => {
                    prop_assert!(self.open.remove(epoch), "{:?} closed, and was not open", epoch);
                }
                Effect::RegisterAgain { epoch } => prop_assert!(self.open.contains(epoch)),
            }
        }
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let holders = self.holders();
        self.speaker = None;
        let effects = self.act(step)?;
        self.replay(&effects)?;
        self.note_proofs(&effects);
        self.check_losers(&holders)?;
        self.check_table()
    }

    /// Who speaks for whom.
    fn holders(&self) -> BTreeMap<Epoch, NodeId> {
        let held = |epoch: &Epoch| Some((*epoch, self.world.registry.node_of(*epoch)?.clone()));
        self.epochs.iter().filter_map(held).collect()
    }

    fn act(&mut self, step: Step) -> Result<Effects, TestCaseError> {
        let now = self.world.now;
        Ok(match step {
            Step::Connect { peer, register } => {
                let epoch = self.world.registry.connected(peer);
                self.epochs.push(epoch);
                self.open.insert(epoch);
                register.map_or(Ok(Effects::new()), |register| self.register(epoch, register))?
            }
            Step::Register { connection, register } => match self.pick(connection) {
                Some(epoch) => self.register(epoch, register)?,
                None => Effects::new(),
            },
            Step::Say { connection, word } => match self.pick(connection) {
                Some(epoch) => self.say(epoch, word)?,
                None => Effects::new(),
            },
            Step::Local => {
                let local = Registration::local(portless("local", "m")).unwrap();
                self.world.registry.register_local(local, now)
            }
            Step::Revoke { token } => self.world.registry.revoke(TokenId(token), now),
            Step::Pass { time } => {
                self.pass(time)?;
                Effects::new()
            }
            Step::Stop { time } => {
                self.world.skip(time);
                self.resumed = Some(self.world.now.at);
                let effects = self.world.registry.tick(self.world.now);
                // A stop too short to be noticed is none.
                let stopped = time > seconds(2);
                prop_assert!(!stopped || effects.is_empty(), "dead before it could speak: {:?}", effects);
                effects
            }
            Step::Restart => {
                self.restart();
                Effects::new()
            }
        })
    }

    /// Time passes, and after every look the table is what it should be.
    fn pass(&mut self, time: Duration) -> Result<(), TestCaseError> {
        let end = self.world.now.at + time;
        while let Some(effects) = self.world.next_look(end) {
            self.replay(&effects)?;
            self.note_proofs(&effects);
            self.check_table()?;
        }
        self.world.skip(end - self.world.now.at);
        Ok(())
    }

    fn pick(&self, connection: prop::sample::Index) -> Option<Epoch> {
        (!self.epochs.is_empty()).then(|| self.epochs[connection.index(self.epochs.len())])
    }

    fn register(&mut self, epoch: Epoch, register: Register) -> Result<Effects, TestCaseError> {
        let before = self.snapshot();
        let id = register.id.clone();
        self.speaker = Some(epoch);
        match self.world.register(epoch, register) {
            Ok(effects) => {
                prop_assert!(self.open.contains(&epoch));
                prop_assert_eq!(self.world.registry.epoch_of(&id), Some(epoch));
                Ok(effects)
            }
            Err(refused) => {
                prop_assert_eq!(self.open.contains(&epoch), refused != Refused::Closed);
                prop_assert_eq!(self.snapshot(), before, "refused, but something changed");
                Ok(Effects::new())
            }
        }
    }

    /// Of a connection that is not open any more, no word changes anything.
    fn say(&mut self, epoch: Epoch, word: Word) -> Result<Effects, TestCaseError> {
        let before = self.snapshot();
        self.speaker = Some(epoch);
        let was_open = self.open.contains(&epoch);
        let held = self.world.registry.node_of(epoch).map(ToString::to_string);
        let (registry, now) = (&mut self.world.registry, self.world.now);
        let is_close = matches!(word, Word::Close { .. });
        let effects = match word {
            Word::Alive => {
                registry.alive(epoch, now);
                Effects::new()
            }
            Word::Heartbeat { named } => registry.heartbeat(epoch, named.as_deref(), None, now),
            Word::Sleep => {
                registry.going_to_sleep(epoch, now);
                Effects::new()
            }
            Word::Deregister { id } => {
                let (outcome, effects) = registry.deregister(epoch, &id, now);
                let own = held.as_ref() == Some(&id);
                prop_assert_eq!(outcome == Outcome::Deregistered, own);
                effects
            }
            Word::Close { farewell } => registry.closed(epoch, farewell, now),
        };
        if !was_open {
            prop_assert_eq!(&effects, &vec![]);
            prop_assert_eq!(self.snapshot(), before, "an older connection changed something");
        }
        if is_close {
            self.open.remove(&epoch);
        } else if let Some(proof) = held.and_then(|id| self.proofs.get_mut(&id)) {
            proof.at = now.at;
        }
        Ok(effects)
    }

    /// Another gateway comes up with what this one wrote down.
    fn restart(&mut self) {
        let (now, settings) = (self.world.now, self.settings);
        let local =
            self.world.registry.record("local", now).filter(|node| node.kind == Some(NodeKind::Local));
        self.world.registry = Registry::restored(settings, self.world.registry.saved(now), now);
        if local.is_some() {
            let local = Registration::local(portless("local", "m")).unwrap();
            self.world.registry.register_local(local, now);
        }
        self.epochs.clear();
        self.open.clear();
        let records = self.world.registry.records(now);
        self.replayed = records.iter().map(|record| (record.id.clone(), row(record))).collect();
        let proof = Proof { at: now.at, bound: settings.ttl };
        self.proofs = records.into_iter().map(|record| (record.id, proof)).collect();
    }

    /// From when on each record counts, told by the events.
    fn note_proofs(&mut self, effects: &[Effect]) {
        let (at, ttl) = (self.world.now.at, self.settings.ttl);
        for effect in effects {
            match effect {
                Effect::Joined { record } => {
                    let is_host = record.kind == Some(NodeKind::PtyHost);
                    let bound = if is_host { seconds(15) } else { ttl };
                    self.proofs.insert(record.id.clone(), Proof { at, bound });
                }
                Effect::Offline { id, .. } => {
                    self.proofs.insert(id.to_string(), Proof { at, bound: ttl });
                }
                Effect::Removed { id } => _ = self.proofs.remove(id.as_str()),
                Effect::Close { .. } | Effect::RegisterAgain { .. } => {}
            }
        }
    }

    /// A connection whose record is gone is closed or told to close, or it spoke itself: a goodbye, or another id.
    fn check_losers(&self, before: &BTreeMap<Epoch, NodeId>) -> Result<(), TestCaseError> {
        for (epoch, id) in before {
            let holds = self.world.registry.epoch_of(id.as_str()) == Some(*epoch);
            let open = self.open.contains(epoch);
            prop_assert!(holds || !open || self.speaker == Some(*epoch), "{:?} was left open", epoch);
        }
        Ok(())
    }

    fn check_table(&self) -> Result<(), TestCaseError> {
        let (registry, now) = (&self.world.registry, self.world.now);
        let records = registry.records(now);
        let rows: BTreeMap<_, _> = records.iter().map(|record| (record.id.clone(), row(record))).collect();
        prop_assert_eq!(&rows, &self.replayed, "the events say otherwise");

        let mut places = BTreeSet::new();
        for record in &records {
            let place = record.port.map(|port| (record.machine.clone(), port));
            prop_assert!(place.is_none_or(|place| places.insert(place)), "two at the place of {}", record.id);
            self.check_age(record)?;
            let epoch = registry.epoch_of(&record.id);
            let remote = record.status == NodeStatus::Active && record.kind != Some(NodeKind::Local);
            prop_assert_eq!(epoch.is_some(), remote);
            if let Some(epoch) = epoch {
                prop_assert!(self.open.contains(&epoch));
                prop_assert_eq!(registry.node_of(epoch).map(NodeId::as_str), Some(record.id.as_str()));
            }
        }
        let instances: Vec<_> =
            registry.saved(now).into_iter().filter_map(|node| Some((node.machine, node.instance?))).collect();
        prop_assert_eq!(instances.iter().collect::<BTreeSet<_>>().len(), instances.len());
        // The local node is never refused, so there may be one more.
        prop_assert!(records.len() <= 6);
        Ok(())
    }

    /// No ghost: whatever is shown was proven within its bound, or the gateway was stopped just now.
    fn check_age(&self, record: &NodeRecord) -> Result<(), TestCaseError> {
        if record.kind == Some(NodeKind::Local) {
            return Ok(());
        }
        let now = self.world.now.at;
        let proof = self.proofs[&record.id];
        let grace = self.resumed.is_some_and(|resumed| now < resumed + seconds(5));
        prop_assert!(grace || now < proof.at + proof.bound, "{} should be gone", record.id);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn any_history_leaves_no_ghost_and_no_double(
        steps in vec(step(), 1..80),
        ttl in prop::sample::select(vec![2, 20, 90]),
    ) {
        let mut judge = Judge::new(seconds(ttl));
        for step in steps {
            judge.step(step)?;
        }
    }
}

/// The n-th of many, a hundred to a machine.
fn one_of_many(n: u16) -> Register {
    agent(&format!("n{n}"), &format!("m{}", n / 100), 1 + n % 100)
}

#[test]
fn ten_thousand_nodes_are_cheap() {
    let begun = Instant::now();
    let mut world = World::new();
    let epochs: Vec<_> = (0..10_000).map(|n| world.join(OWNER, one_of_many(n)).0).collect();
    let late = world.registry.connected(OWNER);
    assert_eq!(world.register(late, agent("late", "m", 1)), Err(Refused::Full { max_nodes: 10_000 }));
    for _ in 0..10 {
        world.pass(seconds(1));
        epochs.iter().for_each(|epoch| world.registry.alive(*epoch, world.now));
    }
    assert_eq!(world.pass(seconds(89)), []);
    assert_eq!(world.pass(seconds(1)).len(), 20_000, "each goes offline and is closed");
    assert_eq!(world.pass(seconds(90)).len(), 10_000);
    assert_eq!(world.registry.count(), 0);
    // A fraction of a second, if nothing in it looks at every record; minutes, if each sign of life did.
    assert!(begun.elapsed() < seconds(10), "{:?}", begun.elapsed());
}
