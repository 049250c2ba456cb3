//! Keeps a canonical-mode line discipline from being given more than it can hold.
//!
//! Linux keeps 4,095 bytes of an unfinished line and silently drops what comes after (n_tty, `termios(3)`).
//! Complete lines are safe: with a full buffer the kernel stops taking input instead.

use crate::host::Terminal;

/// How many bytes of one line a canonical-mode line discipline holds.
const MAX_LINE: usize = 4095;

/// Counts the bytes of the line that the terminal's line discipline is collecting.
#[derive(Debug, Default)]
pub struct LineGate {
    in_line: usize,
}

impl LineGate {
    /// How many of the first bytes of `input` may be written now. `canonical` is asked only when it matters.
    pub fn allows(&self, input: &[u8], canonical: impl FnOnce() -> bool) -> usize {
        if self.in_line + input.len() <= MAX_LINE || !canonical() {
            return input.len();
        }
        let mut in_line = self.in_line;
        let mut allowed = 0;
        for line in input.split_inclusive(ends_line) {
            let ended = line.last().is_some_and(ends_line);
            // The byte that ends a line always fits: the kernel keeps a place for it.
            let length = line.len() - usize::from(ended);
            if in_line + length > MAX_LINE {
                return allowed + MAX_LINE.saturating_sub(in_line);
            }
            in_line += length;
            allowed += line.len();
            if ended {
                in_line = 0;
            }
        }
        allowed
    }

    /// Writes as much as the line discipline has room for and the PTY takes, and returns how much that was.
    pub fn write(&mut self, terminal: &dyn Terminal, bytes: &[u8]) -> usize {
        let mut raw = false;
        let allowed = self.allows(bytes, || {
            raw = terminal.reads_raw();
            !raw
        });
        let taken = terminal.write(&bytes[..allowed]);
        self.wrote(&bytes[..taken]);
        if raw {
            self.clear();
        }
        taken
    }

    /// Notes what was written.
    pub fn wrote(&mut self, input: &[u8]) {
        self.in_line = match input.iter().rposition(ends_line) {
            Some(end) => input.len() - end - 1,
            None => self.in_line.saturating_add(input.len()),
        };
    }

    /// Notes that nothing of the current line is kept: it was thrown away, or the terminal collects none now.
    pub fn clear(&mut self) {
        self.in_line = 0;
    }
}

/// Whether a byte ends the line, or throws it away: newline, return, end of file, kill, interrupt, quit, suspend.
fn ends_line(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0x04 | 0x15 | 0x03 | 0x1c | 0x1a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_line_waits_and_short_ones_pass() {
        let gate = LineGate::default();
        assert_eq!(gate.allows(&[b'x'; 5000], || true), 4095);
        assert_eq!(gate.allows(&[b'x'; 5000], || false), 5000);
        assert_eq!(gate.allows(&b"short line\n".repeat(1000), || true), 11_000);
        let full = [&[b'x'; 4095][..], b"\n"].concat();
        assert_eq!(gate.allows(&full, || true), 4096, "the newline has a place of its own");
    }

    #[test]
    fn an_interrupt_frees_the_line() {
        let mut gate = LineGate::default();
        gate.wrote(&[b'x'; 4095]);
        assert_eq!(gate.allows(b"y", || true), 0);
        gate.wrote(b"\x03");
        assert_eq!(gate.allows(b"y", || true), 1);
    }

    #[test]
    fn a_key_that_is_not_known_to_interrupt_does_no_harm_on_a_full_line() {
        let mut gate = LineGate::default();
        gate.wrote(&[b'x'; 4095]);
        gate.wrote(b"\x14");
        assert_eq!(gate.allows(b"y", || true), 0);
        assert_eq!(gate.allows(b"yy\n", || true), 0);
        gate.clear();
        assert_eq!(gate.allows(b"y", || true), 1);
    }

    proptest! {
        #[test]
        fn no_line_outgrows_the_line_discipline(
            messages in proptest::collection::vec((any::<bool>(), 0usize..6000), 1..20),
        ) {
            let mut gate = LineGate::default();
            let mut line = 0;
            for (ended, length) in messages {
                let mut input = vec![b'x'; length];
                if ended {
                    input.push(b'\n');
                }
                let allowed = gate.allows(&input, || true);
                gate.wrote(&input[..allowed]);
                for byte in &input[..allowed] {
                    prop_assert!(line < MAX_LINE || ends_line(byte));
                    line = if ends_line(byte) { 0 } else { line + 1 };
                }
            }
        }
    }
}
