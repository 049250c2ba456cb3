//! Why a call failed, as people get to read it.

use std::time::Duration;

/// How much of what a command said is kept, in bytes: the last of it.
pub(super) const TAIL_BYTES: usize = 1024;

/// The end of a text that may be long.
#[derive(Debug, Default)]
pub(super) struct Tail(Vec<u8>);

impl Tail {
    /// Puts `bytes` behind what there is.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let surplus = self.0.len().saturating_sub(TAIL_BYTES);
        self.0.drain(..surplus);
    }

    /// `what` happened, and the last words.
    pub(super) fn after(&self, what: &str) -> String {
        let words = one_line(&String::from_utf8_lossy(&self.0));
        if words.is_empty() { what.to_owned() } else { format!("{what}: {words}") }
    }
}

/// What is said of a call that was cut short.
pub(super) fn too_long(timeout: Duration) -> String {
    format!("it took longer than {timeout:?}")
}

/// On one line, and without what a terminal would take for more than text.
pub(super) fn one_line(text: &str) -> String {
    let plain = text.replace(char::is_control, " ");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_kept_on_one_line() {
        let mut tail = Tail::default();
        assert_eq!(tail.after("exit status: 1"), "exit status: 1");
        tail.push(b"no quota\r\n\x1b[31mtry later\x07\n");
        assert_eq!(tail.after("exit status: 1"), "exit status: 1: no quota [31mtry later");
        tail.push(&[b'x'; 3 * TAIL_BYTES]);
        tail.push(b"y");
        assert_eq!(tail.after("end"), format!("end: {}y", "x".repeat(TAIL_BYTES - 1)));
    }

    #[test]
    fn a_text_cut_within_a_letter_is_still_text() {
        let mut tail = Tail::default();
        tail.push("ä".repeat(TAIL_BYTES).as_bytes());
        tail.push(b".");
        assert!(tail.after("end").ends_with("ää."));
    }
}
