//! Our own terminal: whether what panes show can be shown here.

use std::io::{stdin, stdout};

use rustix::termios::{isatty, tcgetwinsize};

use super::finding::Finding;
use crate::config::Surroundings;

/// Fewer columns than most programs count on.
const FEW_COLUMNS: u16 = 40;

/// Fewer rows than that.
const FEW_ROWS: u16 = 10;

/// Kinds of terminals that can do little.
const PLAIN: [&str; 4] = ["dumb", "unknown", "linux", "vt100"];

/// Looks at the terminal that we run in.
pub(super) fn look(surroundings: &Surroundings) -> Vec<Finding> {
    let size = tcgetwinsize(stdout()).ok().map(|size| (size.ws_col, size.ws_row));
    let is_terminal = isatty(stdin()) && isatty(stdout());
    findings(surroundings, is_terminal.then_some(size).flatten())
}

/// Those of a terminal of this size, in columns and rows; `None` if there is none.
fn findings(surroundings: &Surroundings, size: Option<(u16, u16)>) -> Vec<Finding> {
    let Some((cols, rows)) = size else {
        let seen = "input or output is no terminal; `attach` needs one, other commands don't";
        return vec![Finding::good("terminal", seen)];
    };
    let text = |name: &str| surroundings.variable(name).unwrap_or_default();
    vec![room(cols, rows), kind(text("TERM")), colours(text), letters(text), nesting(text)]
}

fn room(cols: u16, rows: u16) -> Finding {
    let seen = format!("{cols} columns, {rows} rows");
    match cols < FEW_COLUMNS || rows < FEW_ROWS {
        true => Finding::poor("size", seen, "make the window larger: most programs expect 80 by 24"),
        false => Finding::good("size", seen),
    }
}

fn kind(term: &str) -> Finding {
    match term {
        "" => Finding::bad("TERM", "not set", "set it to what your terminal is, such as xterm-256color"),
        _ if PLAIN.contains(&term) => {
            let advice = "panes speak xterm-256color; use a terminal that does, too";
            Finding::poor("TERM", term, advice)
        }
        _ => Finding::good("TERM", term),
    }
}

fn colours<'a>(text: impl Fn(&str) -> &'a str) -> Finding {
    let told = text("COLORTERM");
    match told {
        "truecolor" | "24bit" => Finding::good("colours", "16 million"),
        _ if text("TERM").contains("256color") || text("TERM").contains("direct") => {
            let advice = "if your terminal shows 16 million, say so: COLORTERM=truecolor";
            Finding::poor("colours", "256, for all that is known", advice)
        }
        _ => Finding::poor("colours", "few, for all that is known", "use a terminal that shows at least 256"),
    }
}

/// Which encoding programs take the terminal's to be: the first of these that is set decides, as POSIX has it.
fn letters<'a>(text: impl Fn(&str) -> &'a str) -> Finding {
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].map(&text).into_iter().find(|value| !value.is_empty());
    let locale = named.unwrap_or("C");
    let unicode = locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    match unicode {
        true => Finding::good("letters", format!("UTF-8 ({locale})")),
        false => {
            let advice = "panes print UTF-8; set LANG to a locale with that, such as C.UTF-8";
            Finding::poor("letters", format!("the locale is {locale}"), advice)
        }
    }
}

fn nesting<'a>(text: impl Fn(&str) -> &'a str) -> Finding {
    match (text("EVERPANE_PANE"), text("TMUX"), text("STY")) {
        ("", "", "") => Finding::good("around us", "no other multiplexer"),
        ("", _, "") => Finding::good("around us", "tmux; its prefix key does not reach an attached pane"),
        ("", "", _) => Finding::good("around us", "screen; its escape key does not reach an attached pane"),
        (pane, ..) => Finding::good("around us", format!("the pane {pane}; it cannot be attached in itself")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn verdicts(pairs: &[(&str, &str)], size: Option<(u16, u16)>) -> Vec<(&'static str, Verdict)> {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let surroundings = Surroundings { variables, ..Surroundings::default() };
        findings(&surroundings, size).iter().map(|finding| (finding.subject, finding.verdict)).collect()
    }

    #[test]
    fn a_good_terminal_gets_no_advice() {
        let good = [("TERM", "xterm-kitty"), ("COLORTERM", "truecolor"), ("LANG", "de_DE.UTF-8")];
        assert!(verdicts(&good, Some((80, 24))).iter().all(|(_, verdict)| *verdict == Verdict::Good));
        assert_eq!(verdicts(&[], None), [("terminal", Verdict::Good)], "scripts have none");
    }

    #[test]
    fn each_lack_is_found() {
        let poor = [("TERM", "dumb"), ("LANG", "en_US.UTF-8"), ("LC_ALL", "C")];
        let wanted = [
            ("size", Verdict::Poor),
            ("TERM", Verdict::Poor),
            ("colours", Verdict::Poor),
            ("letters", Verdict::Poor),
            ("around us", Verdict::Good),
        ];
        assert_eq!(verdicts(&poor, Some((30, 24))), wanted);
        assert!(verdicts(&[], Some((80, 24))).contains(&("TERM", Verdict::Bad)));
    }
}
