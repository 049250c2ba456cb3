//! The kitty keyboard protocol's flags: a stack per screen.

/// How deep a stack gets; the oldest are forgotten.
const MAX_DEPTH: usize = 16;

/// The flags that exist.
const KNOWN: u8 = 0b1_1111;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct KeyboardFlags {
    /// The flags in force below all that were pushed.
    base: u8,
    pushed: Vec<u8>,
}

impl KeyboardFlags {
    pub(super) fn base(&self) -> u8 {
        self.base
    }

    /// Oldest first.
    pub(super) fn pushed(&self) -> &[u8] {
        &self.pushed
    }

    pub(super) fn push(&mut self, flags: u16) {
        if self.pushed.len() == MAX_DEPTH {
            self.pushed.remove(0);
        }
        self.pushed.push(known(flags));
    }

    /// Emptying the stack resets all flags.
    pub(super) fn pop(&mut self, count: u16) {
        let count = usize::from(count.max(1));
        if count > self.pushed.len() {
            self.base = 0;
        }
        self.pushed.truncate(self.pushed.len().saturating_sub(count));
    }

    /// `how`: 1 replaces, 2 adds, 3 removes.
    pub(super) fn set(&mut self, flags: u16, how: u16) {
        let flags = known(flags);
        let current = self.pushed.last_mut().unwrap_or(&mut self.base);
        match how {
            0 | 1 => *current = flags,
            2 => *current |= flags,
            3 => *current &= !flags,
            _ => {}
        }
    }
}

fn known(flags: u16) -> u8 {
    flags as u8 & KNOWN
}
