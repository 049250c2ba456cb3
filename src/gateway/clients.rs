//! The clients that number their input: how far each one's was taken, over all its connections, so that a frame
//! which is sent again is taken once. Bounded in number and in time; the time is passed in.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ids::{PaneId, ViewerId};
use crate::protocol::MAX_UNACKNOWLEDGED;
use crate::protocol::server::ErrorMessage;

/// How many clients are remembered. Of more, those that are gone longest are forgotten; never one that is connected.
const MAX_CLIENTS: usize = 4096;

/// How many times input was given back that a client may not have heard of are kept; the oldest goes. While nobody
/// speaks for the client, all of one pane and cause are one.
const MAX_UNHEARD: usize = 32;

/// How long the name of a client is, in characters.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 16..=64;

/// Whether a client may call itself so.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    NAME_CHARS.contains(&text.len()) && text.bytes().all(plain)
}

// One client.

/// What becomes of a numbered frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is the next one, and counts as dealt with from now on, whatever its pane says to it.
    Take,
    /// It was dealt with before.
    Again,
    /// One before it is missing.
    Gap {
        /// The number that is wanted.
        expected: u64,
    },
    /// Its connection speaks for the client no more.
    Superseded,
}

/// Input that was taken and not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GivenBack {
    pub(super) pane: PaneId,
    pub(super) bytes: usize,
    /// `input_expired`, `input_discarded` or `input_uncertain`.
    pub(super) why: &'static str,
}

impl GivenBack {
    /// As it is told; a client, by which count.
    pub(super) fn message(&self, given_back: Option<u64>) -> ErrorMessage {
        let GivenBack { pane, bytes, why } = *self;
        let message = match why {
            "input_expired" => {
                format!("{bytes} bytes typed into {pane} waited too long for a terminal and were dropped")
            }
            "input_uncertain" => {
                format!("of {bytes} bytes typed into {pane} nobody knows whether its lost program got them")
            }
            _ => format!("{bytes} bytes typed into {pane} were discarded before they were delivered"),
        };
        let (pane_id, bytes) = (Some(pane), Some(bytes));
        ErrorMessage { code: why.to_owned(), message, pane_id, bytes, given_back, ..ErrorMessage::default() }
    }
}

/// How far a client's input was taken.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The connection that speaks for it.
    holder: Option<ViewerId>,
    /// The number of the last frame that was taken or refused.
    applied: u64,
    /// The refusals of frames that the client may not know to be dealt with: the connection that they were told on
    /// may have broken.
    refused: VecDeque<ErrorMessage>,
    /// What was given back and it may not have heard of, oldest first, each with its count.
    unheard: VecDeque<(u64, GivenBack)>,
    /// The count of the newest that was given back.
    given_back: u64,
    /// The count of the newest that it was told of.
    told: u64,
}

impl Progress {
    /// A connection speaks for the client from now on; gives the one that did before.
    pub(super) fn hold(&mut self, viewer: ViewerId) -> Option<ViewerId> {
        self.holder.replace(viewer).filter(|before| *before != viewer)
    }

    /// A connection ended.
    pub(super) fn leave(&mut self, viewer: ViewerId) {
        self.holder = self.holder.filter(|holder| *holder != viewer);
    }

    /// The connection that speaks for the client.
    pub(super) fn holder(&self) -> Option<ViewerId> {
        self.holder
    }

    /// The number of the last frame that was dealt with.
    pub(super) fn applied(&self) -> u64 {
        self.applied
    }

    /// What becomes of a frame. To be acted upon before the lock is let go, so that a frame that comes over two
    /// connections at once is taken once.
    pub(super) fn turn(&mut self, viewer: ViewerId, number: u64) -> Turn {
        let expected = self.applied + 1;
        if self.holder != Some(viewer) {
            Turn::Superseded
        } else if number == expected {
            self.applied = number;
            Turn::Take
        } else if (1..expected).contains(&number) {
            Turn::Again
        } else {
            Turn::Gap { expected }
        }
    }

    /// Keeps the refusal of the last frame that was dealt with.
    pub(super) fn refuse(&mut self, refusal: ErrorMessage) {
        self.refused.push_back(refusal);
        let settled = self.settled();
        self.refused.retain(|refusal| refusal.number > Some(settled));
    }

    /// The last frame that the client must know to be dealt with, as it may not have sent so many after it otherwise.
    fn settled(&self) -> u64 {
        self.applied.saturating_sub(MAX_UNACKNOWLEDGED)
    }

    /// Keeps what was given back until the client has heard of it.
    pub(super) fn keep(&mut self, given_back: GivenBack) {
        let told = self.told;
        let same = |(count, known): &&mut (u64, GivenBack)| {
            *count > told && (known.pane, known.why) == (given_back.pane, given_back.why)
        };
        if let Some((_, known)) = self.unheard.iter_mut().find(same) {
            known.bytes += given_back.bytes;
            return;
        }
        if self.unheard.len() >= MAX_UNHEARD {
            self.unheard.pop_front();
        }
        self.given_back += 1;
        self.unheard.push_back((self.given_back, given_back));
    }

    /// What the client was not told of yet, to be told over the connection that speaks for it.
    pub(super) fn untold(&mut self) -> Vec<ErrorMessage> {
        let told = std::mem::replace(&mut self.told, self.given_back);
        let untold = self.unheard.iter().filter(|(count, _)| *count > told);
        untold.map(|(count, gone)| gone.message(Some(*count))).collect()
    }

    /// The count of the newest giving back that a connection was told of; 0 if it does not speak for the client.
    pub(super) fn told(&self, viewer: ViewerId) -> u64 {
        if self.holder == Some(viewer) { self.told } else { 0 }
    }

    /// The client has heard of everything that was given back up to a count.
    pub(super) fn heard(&mut self, count: u64) {
        while self.unheard.pop_front_if(|(known, _)| *known <= count).is_some() {}
    }

    /// What a client that is back must hear before it is told how far its input was taken: all that was given back
    /// and each refusal of a frame, as far as it may not know them.
    pub(super) fn news(&mut self) -> Vec<ErrorMessage> {
        self.told = 0;
        let settled = self.settled();
        let unheard = self.untold();
        let refused = self.refused.iter().filter(|refusal| refusal.number > Some(settled));
        unheard.into_iter().chain(refused.cloned()).collect()
    }
}

/// A client, as its connections share it.
#[derive(Debug)]
pub(super) struct Client {
    name: Arc<str>,
    /// Whose its input is in panes' queues: its first connection stands for all of them.
    pub(super) owner: ViewerId,
    /// Tells this memory of the client from any other that there was or will be.
    pub(super) memory: u64,
    progress: Mutex<Progress>,
}

impl Client {
    /// Its name, which nobody else is to know.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Guards [`Progress`], and is held while a numbered frame is passed to its pane. ARCHITECTURE.md has the lock
    /// order.
    pub(super) fn lock(&self) -> MutexGuard<'_, Progress> {
        // A frame counts as dealt with before its pane sees it: after a panic there it is not taken again.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// All of them.

#[derive(Debug)]
struct Known {
    client: Arc<Client>,
    /// How many connections it has; more than one while the older ones are being closed.
    connections: usize,
    /// When the last one ended.
    left: Option<Instant>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Clients {
    by_name: HashMap<Arc<str>, Known>,
    names: HashMap<ViewerId, Arc<str>>,
    /// Those without a connection, the one that is gone longest first.
    gone: BTreeSet<(Instant, Arc<str>)>,
    /// How long after its last connection a client is remembered.
    keep: Duration,
}

impl Clients {
    /// Knows nobody yet.
    pub(super) fn new(keep: Duration) -> Clients {
        Clients { by_name: HashMap::new(), names: HashMap::new(), gone: BTreeSet::new(), keep }
    }

    /// A client has one more connection. Gives the client, and whether it was known. `memory` is a number that was
    /// not used before, for a client that was not.
    pub(super) fn enter(
        &mut self,
        name: &str,
        viewer: ViewerId,
        memory: u64,
        now: Instant,
    ) -> (Arc<Client>, bool) {
        self.forget(now);
        let known = self.by_name.contains_key(name);
        if !known {
            let name: Arc<str> = name.into();
            let progress = Mutex::default();
            let client = Client { name: name.clone(), owner: viewer, memory, progress };
            self.names.insert(viewer, name.clone());
            self.by_name.insert(name, Known { client: Arc::new(client), connections: 0, left: None });
        }
        let entry = self.by_name.get_mut(name).expect("known, or made known above");
        entry.connections += 1;
        let client = entry.client.clone();
        if let Some(left) = entry.left.take() {
            self.gone.remove(&(left, client.name.clone()));
        }
        self.forget(now);
        (client, known)
    }

    /// A connection that entered has ended.
    pub(super) fn left(&mut self, client: &Client, now: Instant) {
        let Some(entry) = self.by_name.get_mut(&client.name) else { return };
        entry.connections -= 1;
        if entry.connections == 0 {
            entry.left = Some(now);
            self.gone.insert((now, client.name.clone()));
        }
        self.forget(now);
    }

    /// The client that stands behind a mark in a pane's queue.
    pub(super) fn of_owner(&self, owner: ViewerId) -> Option<Arc<Client>> {
        let name = self.names.get(&owner)?;
        self.by_name.get(name).map(|known| known.client.clone())
    }

    fn forget(&mut self, now: Instant) {
        while let Some((left, name)) = self.gone.first() {
            let in_time = now.saturating_duration_since(*left) < self.keep;
            if in_time && self.by_name.len() <= MAX_CLIENTS {
                return;
            }
            if let Some(known) = self.by_name.remove(name) {
                self.names.remove(&known.client.owner);
            }
            self.gone.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEEP: Duration = Duration::from_secs(600);
    const ONE: ViewerId = ViewerId(1);
    const TWO: ViewerId = ViewerId(2);

    fn refusal(number: u64) -> ErrorMessage {
        ErrorMessage { number: Some(number), ..ErrorMessage::default() }
    }

    #[test]
    fn names_are_long_and_plain() {
        let right = ["a-name_of_16_chrs", &"Z9".repeat(32)];
        assert!(right.into_iter().all(is_name));
        let wrong = ["", "fifteen-letters", &"x".repeat(65), "sixteen letters!", "sechzehn-zeichen-ä"];
        assert!(!wrong.into_iter().any(is_name));
    }

    #[test]
    fn each_number_has_one_turn() {
        let mut progress = Progress::default();
        progress.hold(ONE);
        assert_eq!(progress.turn(ONE, 2), Turn::Gap { expected: 1 });
        assert_eq!(progress.turn(ONE, 1), Turn::Take);
        assert_eq!(progress.turn(ONE, 1), Turn::Again);
        assert_eq!(progress.turn(ONE, 0), Turn::Gap { expected: 2 }, "numbers begin with 1");
        assert_eq!(progress.turn(ONE, 3), Turn::Gap { expected: 2 });
        assert_eq!(progress.turn(ONE, 2), Turn::Take);
        assert_eq!(progress.applied(), 2);
    }

    #[test]
    fn the_newest_connection_alone_speaks() {
        let mut progress = Progress::default();
        assert_eq!(progress.hold(ONE), None);
        assert_eq!(progress.hold(TWO), Some(ONE));
        assert_eq!(progress.turn(ONE, 1), Turn::Superseded);
        progress.leave(ONE);
        assert_eq!(progress.turn(TWO, 1), Turn::Take);
        progress.leave(TWO);
        assert_eq!((progress.holder(), progress.turn(TWO, 2)), (None, Turn::Superseded));
    }

    #[test]
    fn what_a_client_may_not_have_heard_is_told_again() {
        let mut progress = Progress::default();
        progress.hold(ONE);
        for number in 1..=MAX_UNACKNOWLEDGED + 3 {
            assert_eq!(progress.turn(ONE, number), Turn::Take);
            if number % 2 == 1 {
                progress.refuse(refusal(number));
            }
        }
        let told: Vec<_> = progress.news().into_iter().filter_map(|error| error.number).collect();
        assert_eq!(told, (4..=MAX_UNACKNOWLEDGED + 3).filter(|number| number % 2 == 1).collect::<Vec<_>>());
        assert_eq!(progress.news().len(), told.len(), "and again, until it can't matter any more");
    }

    /// The pane, the bytes and the count of each.
    fn told(messages: Vec<ErrorMessage>) -> Vec<(u64, usize, u64)> {
        let told = |error: ErrorMessage| Some((error.pane_id?.0, error.bytes?, error.given_back?));
        messages.into_iter().filter_map(told).collect()
    }

    #[test]
    fn what_is_given_back_is_told_until_it_is_heard_of() {
        let mut progress = Progress::default();
        let gone = |pane, bytes| GivenBack { pane: PaneId(pane), bytes, why: "input_expired" };
        progress.keep(gone(1, 3));
        progress.keep(gone(2, 4));
        progress.keep(gone(1, 5));
        progress.hold(ONE);
        assert_eq!(told(progress.news()), [(1, 8, 1), (2, 4, 2)], "what nobody was told of yet is added up");
        progress.keep(gone(1, 6));
        assert_eq!(told(progress.untold()), [(1, 6, 3)]);
        assert_eq!(progress.told(ONE), 3);
        progress.heard(2);
        progress.hold(TWO);
        assert_eq!(progress.told(ONE), 0, "what the other one will be told it was not");
        assert_eq!(told(progress.news()), [(1, 6, 3)]);
        progress.heard(3);
        assert_eq!(progress.news(), []);
    }

    #[test]
    fn of_much_that_is_given_back_the_newest_is_kept() {
        let mut progress = Progress::default();
        progress.hold(ONE);
        for pane in 0..1000 {
            progress.keep(GivenBack { pane: PaneId(pane), bytes: 1, why: "input_discarded" });
            assert_eq!(progress.untold().len(), 1);
        }
        assert_eq!(
            told(progress.news()).first(),
            Some(&(1000 - MAX_UNHEARD as u64, 1, 1001 - MAX_UNHEARD as u64))
        );
        assert_eq!(progress.news().len(), MAX_UNHEARD);
    }

    fn name(number: usize) -> String {
        format!("client-number-{number:04}")
    }

    #[test]
    fn a_client_is_known_until_it_was_gone_too_long() {
        let (mut clients, start) = (Clients::new(KEEP), Instant::now());
        let (client, known) = clients.enter(&name(1), ONE, 7, start);
        assert!(!known && (client.owner, client.memory) == (ONE, 7));
        clients.left(&client, start);
        let (client, known) = clients.enter(&name(1), TWO, 8, start + KEEP - Duration::from_secs(1));
        assert!(known && (client.owner, client.memory) == (ONE, 7), "its input goes on being its own");
        assert!(clients.enter(&name(1), ViewerId(3), 9, start + 2 * KEEP).1, "connected all the time");
        clients.left(&client, start + 2 * KEEP);
        clients.left(&client, start + 2 * KEEP);
        assert!(clients.of_owner(ONE).is_some());
        assert!(!clients.enter(&name(1), ViewerId(4), 9, start + 3 * KEEP).1);
        assert!(clients.of_owner(ONE).is_none() && clients.of_owner(ViewerId(4)).is_some());
    }

    #[test]
    fn of_too_many_the_one_that_is_gone_longest_is_forgotten() {
        let (mut clients, start) = (Clients::new(KEEP), Instant::now());
        let enter = |clients: &mut Clients, number: usize| {
            let id = number as u64;
            clients.enter(&name(number), ViewerId(id), id, start + Duration::from_millis(id))
        };
        let all: Vec<_> = (0..MAX_CLIENTS).map(|number| enter(&mut clients, number).0).collect();
        for (order, number) in [7, 3, 5].into_iter().enumerate() {
            clients.left(&all[number], start + Duration::from_secs(10 + order as u64));
        }
        assert!(!enter(&mut clients, MAX_CLIENTS).1);
        assert!(!enter(&mut clients, 7).1, "forgotten for the newcomer; now 3 is");
        assert!(enter(&mut clients, 5).1);
        assert!(enter(&mut clients, 0).1, "connected ones stay");
        assert_eq!(clients.by_name.len(), MAX_CLIENTS);
    }

    proptest! {
        #[test]
        fn any_comings_and_goings_leave_what_is_remembered_whole(
            steps in proptest::collection::vec((0usize..6, any::<bool>(), 0u64..400), 1..80),
        ) {
            let (mut clients, mut now) = (Clients::new(KEEP), Instant::now());
            let mut inside: Vec<Arc<Client>> = Vec::new();
            for (index, (number, enters, pause)) in steps.into_iter().enumerate() {
                now += Duration::from_secs(pause);
                let connected = inside.iter().any(|client| client.name() == name(number));
                if enters {
                    let (client, known) = clients.enter(&name(number), ViewerId(index as u64), 0, now);
                    prop_assert!(known || !connected, "one that is connected is never forgotten");
                    inside.push(client);
                } else if let Some(at) = inside.iter().position(|client| client.name() == name(number)) {
                    clients.left(&inside.remove(at), now);
                }
                let gone = clients.by_name.values().filter(|known| known.connections == 0).count();
                prop_assert_eq!(gone, clients.gone.len());
                prop_assert_eq!(clients.names.len(), clients.by_name.len());
            }
        }
    }
}
