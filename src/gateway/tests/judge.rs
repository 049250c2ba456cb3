//! Judges what became of numbered input, from what clients were told and what terminals were given.

use std::collections::BTreeMap;

use crate::ids::PaneId;

/// What a client knows of one frame in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Sent, and never answered.
    Open,
    /// Acknowledged.
    Taken,
    /// Answered with an error.
    Refused,
    /// The gateway said that it can't know.
    Unknown,
}

/// One frame, however often it was sent.
#[derive(Debug, Clone)]
pub(super) struct Op {
    pub(super) client: usize,
    pub(super) pane: PaneId,
    /// The byte that all of its payload is, and no other frame's.
    pub(super) mark: u8,
    pub(super) length: usize,
    /// The paste that it is a piece of.
    pub(super) paste: Option<usize>,
    pub(super) outcome: Outcome,
}

/// A whole run.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// Each client's in the order in which it typed.
    pub(super) ops: Vec<Op>,
    /// What all terminals of a pane were given, one after the other.
    pub(super) written: BTreeMap<PaneId, Vec<u8>>,
    /// How many bytes each client was told to be given back, by pane.
    pub(super) given_back: BTreeMap<(usize, PaneId), usize>,
    /// Whether the gateway forgot clients, so that not all that was given back had somebody to be told.
    pub(super) forgetful: bool,
}

impl History {
    /// What is wrong with it, if anything.
    pub(super) fn judge(&self) -> Result<(), String> {
        for op in &self.ops {
            self.judge_op(op)?;
        }
        let strays = |pane: &PaneId, mark: u8| !self.ops.iter().any(|op| op.mark == mark && op.pane == *pane);
        for (pane, written) in &self.written {
            if let Some(mark) = written.iter().find(|mark| strays(pane, **mark)) {
                return Err(format!("{mark} was written to {pane}, where nobody typed it"));
            }
            self.judge_order(*pane, written)?;
        }
        self.judge_missing()
    }

    fn written_of(&self, op: &Op) -> usize {
        self.written
            .get(&op.pane)
            .map_or(0, |written| written.iter().filter(|mark| **mark == op.mark).count())
    }

    fn judge_op(&self, op: &Op) -> Result<(), String> {
        let written = self.written_of(op);
        match op.outcome {
            Outcome::Open => Err(format!("never answered: {op:?}")),
            Outcome::Refused if written > 0 => Err(format!("refused, and {written} bytes written: {op:?}")),
            _ if written > op.length => Err(format!("{written} bytes written: {op:?}")),
            _ => Ok(()),
        }
    }

    /// Every frame in one piece, each client's in order, and nothing inside a paste that is not of it.
    fn judge_order(&self, pane: PaneId, written: &[u8]) -> Result<(), String> {
        let index_of = |mark: u8| self.ops.iter().position(|op| op.mark == mark);
        let pieces: Vec<usize> =
            written.chunk_by(|a, b| a == b).filter_map(|piece| index_of(piece[0])).collect();
        let mut last = BTreeMap::new();
        for index in &pieces {
            let client = self.ops[*index].client;
            if last.insert(client, *index).is_some_and(|before| before >= *index) {
                return Err(format!("torn, or out of order, in {pane}: {:?}", self.ops[*index]));
            }
        }
        let paste_of = |index: &usize| self.ops[*index].paste;
        for paste in pieces.iter().filter_map(paste_of) {
            let is_of_it = |index: &usize| paste_of(index) == Some(paste);
            let first = pieces.iter().position(is_of_it).unwrap_or_default();
            let end = pieces.iter().rposition(is_of_it).unwrap_or_default();
            if let Some(other) = pieces[first..=end].iter().find(|index| !is_of_it(index)) {
                return Err(format!("in the middle of paste {paste}: {:?}", self.ops[*other]));
            }
        }
        Ok(())
    }

    /// What was acknowledged and not written was told to be given back.
    fn judge_missing(&self) -> Result<(), String> {
        let mut missing: BTreeMap<(usize, PaneId), (usize, usize)> = BTreeMap::new();
        for op in &self.ops {
            let (least, most) = missing.entry((op.client, op.pane)).or_default();
            let unwritten = op.length - self.written_of(op);
            match op.outcome {
                Outcome::Taken => (*least, *most) = (*least + unwritten, *most + unwritten),
                Outcome::Unknown => *most += unwritten,
                Outcome::Open | Outcome::Refused => {}
            }
        }
        for (at, (least, most)) in missing {
            let told = self.given_back.get(&at).copied().unwrap_or_default();
            if told > most || (told < least && !self.forgetful) {
                return Err(format!(
                    "{least} to {most} bytes of {at:?} are missing, and {told} were given back"
                ));
            }
        }
        Ok(())
    }
}

// The judge itself.

const PANE: PaneId = PaneId(1);

fn op(client: usize, mark: u8, paste: Option<usize>) -> Op {
    Op { client, pane: PANE, mark, length: 2, paste, outcome: Outcome::Taken }
}

/// Client 0 types `a` and pastes `bc`, client 1 types `x`.
fn good() -> History {
    History {
        ops: vec![op(0, b'a', None), op(1, b'x', None), op(0, b'b', Some(0)), op(0, b'c', Some(0))],
        written: [(PANE, b"xxaabbcc".to_vec())].into(),
        ..History::default()
    }
}

fn verdict(change: impl FnOnce(&mut History)) -> String {
    let mut history = good();
    change(&mut history);
    history.judge().err().unwrap_or_default()
}

#[track_caller]
fn assert_found(wanted: &str, change: impl FnOnce(&mut History)) {
    let found = verdict(change);
    assert!(found.contains(wanted), "{found:?}");
}

fn write(history: &mut History, bytes: &[u8]) {
    history.written.insert(PANE, bytes.to_vec());
}

#[test]
fn a_good_history_passes() {
    assert_eq!(verdict(|_| ()), "");
    assert_eq!(verdict(|history| write(history, b"aabbccxx")), "");
    let half = |history: &mut History| {
        write(history, b"xxaabbc");
        history.given_back.insert((0, PANE), 1);
    };
    assert_eq!(verdict(half), "", "cut short, and said so");
}

#[test]
fn every_kind_of_wrong_is_found() {
    assert_found("4 bytes written", |history| write(history, b"xxaaaabbcc"));
    assert_found("4 bytes written", |history| write(history, b"xxaabbccaa"));
    assert_found("2 to 2 bytes of (0, p1) are missing, and 0", |history| write(history, b"xxbbcc"));
    assert_found("0 to 0 bytes", |history| _ = history.given_back.insert((1, PANE), 1));
    assert_found("out of order", |history| write(history, b"xxbbccaa"));
    assert_found("torn", |history| write(history, b"axxabbcc"));
    assert_found("in the middle of paste 0", |history| write(history, b"aabbxxcc"));
    assert_found("nobody typed it", |history| write(history, b"xxaabbcc!"));
    assert_found("refused, and 2", |history| history.ops[0].outcome = Outcome::Refused);
    assert_found("never answered", |history| history.ops[0].outcome = Outcome::Open);
}
