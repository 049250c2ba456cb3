//! What few cells have: combining characters, a coloured underline, a hyperlink. Kept once per screen, so that a
//! cell stays small.

use std::collections::HashMap;
use std::sync::Arc;

use super::cell::{Color, ExtraId};

/// How many characters combine with one cell's; more are dropped. Without a bound one cell could grow for ever.
const MAX_COMBINING: usize = 9;

/// The longest address of a hyperlink, in bytes. Longer ones are not linked.
pub(super) const MAX_LINK_BYTES: usize = 2048;

/// A hyperlink (OSC 8).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Link {
    /// Joins pieces of one link, if the program said so.
    pub(super) id: Option<String>,
    /// Where it leads.
    pub(super) uri: String,
}

/// What a cell has besides its character, colours and style.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Extra {
    pub(super) underline: Color,
    pub(super) link: Option<Arc<Link>>,
    /// Characters drawn over the cell's own, in order.
    pub(super) combining: String,
}

impl Extra {
    fn is_nothing(&self) -> bool {
        *self == Extra::default()
    }
}

/// The extras of one screen's cells.
#[derive(Debug, Clone)]
pub(super) struct Extras {
    /// By id less one; `None` where an id is free.
    entries: Vec<Option<Arc<Extra>>>,
    ids: HashMap<Arc<Extra>, ExtraId>,
    free: Vec<ExtraId>,
    /// Unused ones are looked for when there are this many.
    sweep_at: usize,
    /// Whether they are not looked for.
    held: bool,
    nothing: Extra,
}

impl Extras {
    const FIRST_SWEEP: usize = 1024;
    const MOST: usize = u16::MAX as usize;

    pub(super) fn new() -> Extras {
        Extras {
            entries: Vec::new(),
            ids: HashMap::new(),
            free: Vec::new(),
            sweep_at: Self::FIRST_SWEEP,
            held: false,
            nothing: Extra::default(),
        }
    }

    pub(super) fn get(&self, id: ExtraId) -> &Extra {
        match id.0.checked_sub(1) {
            Some(index) => self.entries[usize::from(index)].as_deref().unwrap_or(&self.nothing),
            None => &self.nothing,
        }
    }

    /// Whether [`Extras::sweep`] is due before the next [`Extras::id`].
    pub(super) fn wants_sweep(&self) -> bool {
        !self.held && self.ids.len() >= self.sweep_at
    }

    /// Puts sweeps off while there are cells that [`Extras::sweep`] would not be told of, or no longer.
    pub(super) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// The id of `extra`; nothing's when there are too many different ones.
    pub(super) fn id(&mut self, extra: Extra) -> ExtraId {
        if extra.is_nothing() {
            return ExtraId::NONE;
        }
        if let Some(id) = self.ids.get(&extra) {
            return *id;
        }
        let extra = Arc::new(extra);
        let id = match self.free.pop() {
            Some(id) => {
                self.entries[usize::from(id.0) - 1] = Some(Arc::clone(&extra));
                id
            }
            None if self.entries.len() < Self::MOST => {
                self.entries.push(Some(Arc::clone(&extra)));
                ExtraId(self.entries.len() as u16)
            }
            None => return ExtraId::NONE,
        };
        self.ids.insert(extra, id);
        id
    }

    /// The id of what `id` stands for and one more combining character.
    pub(super) fn combined(&mut self, id: ExtraId, character: char) -> ExtraId {
        let extra = self.get(id);
        if extra.combining.chars().count() >= MAX_COMBINING {
            return id;
        }
        let mut extra = extra.clone();
        extra.combining.push(character);
        match self.id(extra) {
            ExtraId::NONE => id,
            combined => combined,
        }
    }

    /// Forgets all but what is `used`.
    pub(super) fn sweep(&mut self, used: impl Iterator<Item = ExtraId>) {
        let mut keep = vec![false; self.entries.len() + 1];
        for id in used {
            keep[usize::from(id.0)] = true;
        }
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if !keep[index + 1]
                && let Some(extra) = entry.take()
            {
                self.ids.remove(&extra);
                self.free.push(ExtraId(index as u16 + 1));
            }
        }
        self.sweep_at = (self.ids.len() * 2).clamp(Self::FIRST_SWEEP, Self::MOST);
    }
}
