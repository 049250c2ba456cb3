//! Looking for text in a pane's output as it comes, and on its screen. Pure.

use bytes::Bytes;
use regex::{Regex, RegexBuilder};

use crate::pane::transcript::Transcript;

/// The longest line that is looked at whole, in bytes; of a longer one, its end.
const MAX_LINE: usize = 64 << 10;

/// How much a compiled regular expression may take, in bytes.
const MAX_REGEX: usize = 1 << 20;

/// The longest text or regular expression, in bytes.
const MAX_PATTERN: usize = 4 << 10;

/// What is looked for, in a line.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Text(String),
    Regex(Regex),
}

impl Pattern {
    /// Text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn text(text: &str) -> Result<Pattern, String> {
        match text {
            "" => Err("the text is empty".to_owned()),
            _ if text.len() > MAX_PATTERN => Err(format!("the text has more than {MAX_PATTERN} bytes")),
            _ if text.contains(['\r', '\n']) => {
                Err("the text is looked for in a line: it can't hold one's end".to_owned())
            }
            _ => Ok(Pattern::Text(text.to_owned())),
        }
    }

    /// A regular expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn regex(text: &str) -> Result<Pattern, String> {
        if text.len() > MAX_PATTERN {
            return Err(format!("the regular expression has more than {MAX_PATTERN} bytes"));
        }
        let regex = RegexBuilder::new(text).size_limit(MAX_REGEX).dfa_size_limit(MAX_REGEX).build();
        regex.map(Pattern::Regex).map_err(|error| error.to_string())
    }

    fn is_in(&self, line: &str) -> bool {
        match self {
            Pattern::Text(text) => line.contains(text.as_str()),
            Pattern::Regex(regex) => regex.is_match(line),
        }
    }

    /// Whether what is in the beginning of a line is in the line as well, whatever comes.
    fn stays(&self) -> bool {
        matches!(self, Pattern::Text(_))
    }
}

/// A search through output.
#[derive(Debug)]
pub(super) struct Search {
    pattern: Pattern,
    transcript: Transcript,
    found: Option<String>,
}

impl Search {
    pub(super) fn new(pattern: Pattern) -> Search {
        Search { pattern, transcript: Transcript::new(MAX_LINE), found: None }
    }

    /// Output was lost: what comes does not go on with the line.
    pub(super) fn start_over(&mut self) {
        self.transcript = Transcript::new(MAX_LINE);
    }

    /// Looks through the output that comes next. The line it is in, if it is found.
    pub(super) fn through(&mut self, parts: &[Bytes]) -> Option<String> {
        let Search { pattern, transcript, found } = self;
        for part in parts {
            transcript.feed(part, &mut |line, _| {
                if found.is_none() && pattern.is_in(line) {
                    *found = Some(told(line));
                }
            });
        }
        if self.found.is_none() && self.pattern.stays() {
            return self.in_last_line();
        }
        self.found.take()
    }

    /// Looks at the line that is not complete, once nothing more comes for a while.
    pub(super) fn in_last_line(&self) -> Option<String> {
        let line = self.transcript.line();
        self.pattern.is_in(line).then(|| told(line))
    }

    /// Looks at the lines of a screen.
    pub(super) fn on_screen(&self, lines: &[String]) -> Option<String> {
        lines.iter().find(|line| self.pattern.is_in(line)).map(|line| told(line))
    }
}

fn told(line: &str) -> String {
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn search(pattern: Pattern, parts: &[&str]) -> Option<String> {
        let mut search = Search::new(pattern);
        let found = parts.iter().find_map(|part| search.through(&[Bytes::copy_from_slice(part.as_bytes())]));
        found.or_else(|| search.in_last_line())
    }

    fn text(text: &str) -> Pattern {
        Pattern::text(text).unwrap()
    }

    fn regex(text: &str) -> Pattern {
        Pattern::regex(text).unwrap()
    }

    #[test]
    fn text_is_found_across_cuts_and_sequences() {
        assert_eq!(
            search(text("ready"), &["re", "a\x1b[1", "mdy\x1b[m to go\r\n"]).as_deref(),
            Some("ready")
        );
        assert_eq!(search(text("go"), &["ready to go\r\nmore"]).as_deref(), Some("ready to go"));
        assert_eq!(search(text("50%"), &["40%\r50%\r60%\r\n"]).as_deref(), Some("50%"), "overwritten since");
        assert_eq!(search(text("ab"), &["a\r\nb"]), None);
    }

    #[test]
    fn a_regular_expression_sees_whole_lines() {
        let mut search = Search::new(regex("^done$"));
        assert_eq!(search.through(&[Bytes::from_static(b"done")]), None, "more may come");
        assert_eq!(search.through(&[Bytes::from_static(b" or not\r\ndone\r\n")]).as_deref(), Some("done"));
        assert_eq!(super::Search::new(regex("^\\$ $")).on_screen(&["$ ".to_owned()]).as_deref(), Some("$"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(Pattern::text("").is_err() && Pattern::text("a\nb").is_err() && Pattern::regex("(").is_err());
        assert!(Pattern::regex(r"(\w{1000}){1000}").is_err(), "too large");
        assert!(Pattern::text(&"x".repeat(MAX_PATTERN + 1)).is_err());
    }

    proptest! {
        #[test]
        fn cuts_lose_nothing(before in "[a-z\r\n]{0,80}", after in "[a-z\r\n]{0,80}", cuts in proptest::collection::vec(1usize..20, 1..20)) {
            let whole = format!("{before}TO\x1b[31mKEN{after}");
            let (mut search, mut rest, mut found) = (Search::new(text("TOKEN")), whole.as_bytes(), None);
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (part, later) = rest.split_at((*cut).min(rest.len()));
                found = found.or(search.through(&[Bytes::copy_from_slice(part)]));
                rest = later;
            }
            prop_assert!(found.is_some());
        }
    }
}
