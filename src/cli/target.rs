//! How people say which session, tab or pane a command is for.

use super::api::part;

/// What is meant where nothing is said: outside of a pane, the active one.
const ACTIVE: &str = ".";

/// What a target names, told from how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// `s1`, `work`.
    Session,
    /// `t1`, `work:build`, `:build`.
    Tab,
    /// `p1`, `work:build.1`, `.1`, `.`.
    Pane,
}

/// The target of a command, as an argument or as an option.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Target {
    /// An id, a name or session:tab.pane [default: the pane we are in, else the active one]
    #[arg(value_name = "TARGET", conflicts_with = "option")]
    argument: Option<String>,
    /// The same, as tmux has it
    #[arg(short = 't', long = "target", id = "option", value_name = "TARGET")]
    option: Option<String>,
}

impl Target {
    /// The target: what is named, else the pane that we are in, else the active one.
    pub(super) fn text(&self) -> String {
        self.argument.clone().or_else(|| self.option.clone()).unwrap_or_else(default_target)
    }

    /// The path of the pane.
    pub(super) fn pane(&self) -> String {
        pane_path(&self.text())
    }
}

/// The pane that we are in, as its environment says, else the active one.
pub(super) fn default_target() -> String {
    std::env::var("EVERPANE_PANE").ok().filter(|pane| !pane.is_empty()).unwrap_or_else(|| ACTIVE.to_owned())
}

/// The path of a pane.
pub(super) fn pane_path(target: &str) -> String {
    format!("/panes/{}", part(target))
}

/// What `target` names.
pub(super) fn level(target: &str) -> Level {
    let id = |prefix: char| {
        let digits = target.strip_prefix(prefix).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    match target.split_once(':') {
        Some((_, tab)) if tab.contains('.') => Level::Pane,
        Some(_) => Level::Tab,
        None if target.starts_with('.') || id('p') => Level::Pane,
        None if id('t') => Level::Tab,
        None => Level::Session,
    }
}

/// The path of what `target` names.
pub(super) fn path(target: &str) -> String {
    let folder = match level(target) {
        Level::Session => "sessions",
        Level::Tab => "tabs",
        Level::Pane => "panes",
    };
    format!("/{folder}/{}", part(target))
}

/// Takes the target off the front of `words` if it is there: if it is named by an option, or there are fewer words than
/// `needed` beside it, it is not. The rest are what the command is about.
pub(super) fn split_off<'a>(
    option: Option<&str>,
    words: &'a [String],
    needed: usize,
) -> (String, &'a [String]) {
    match (option, words) {
        (Some(target), _) => (target.to_owned(), words),
        (None, [first, rest @ ..]) if rest.len() >= needed => (first.clone(), rest),
        (None, _) => (default_target(), words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_says_what_it_is() {
        let cases = [
            ("s1", Level::Session),
            ("work", Level::Session),
            ("p", Level::Session),
            ("p1x", Level::Session),
            ("t12", Level::Tab),
            ("work:", Level::Tab),
            (":build", Level::Tab),
            ("work:build", Level::Tab),
            ("p7", Level::Pane),
            (".", Level::Pane),
            (".1", Level::Pane),
            ("work:build.1", Level::Pane),
        ];
        for (target, wanted) in cases {
            assert_eq!(level(target), wanted, "{target}");
        }
        assert_eq!(path("a b/c:d"), "/tabs/a%20b%2Fc%3Ad");
    }

    #[test]
    fn the_first_word_is_the_target_if_enough_are_left() {
        let words = ["p1", "text"].map(str::to_owned);
        assert_eq!(split_off(None, &words, 1), ("p1".to_owned(), &words[1..]));
        assert_eq!(split_off(Some("p2"), &words, 1), ("p2".to_owned(), &words[..]));
        assert_eq!(split_off(None, &words[..1], 1).1, &words[..1]);
    }
}
