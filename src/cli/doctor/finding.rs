//! What was looked at, how it is, and what to do about it.

use serde::Serialize;

use crate::cli::table::{Style, escaped};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Poor,
    /// Something does not work for it.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// A word for it.
    pub(super) subject: &'static str,
    /// How it is.
    pub(super) verdict: Verdict,
    /// What was seen.
    pub(super) seen: String,
    /// What to do, unless it is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
}

impl Finding {
    /// That something is as it should be.
    pub(super) fn good(subject: &'static str, seen: impl Into<String>) -> Finding {
        Finding { subject, verdict: Verdict::Good, seen: seen.into(), advice: None }
    }

    /// That something could be better.
    pub(super) fn poor(subject: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { subject, verdict: Verdict::Poor, seen: seen.into(), advice: Some(advice.into()) }
    }

    /// That something does not work.
    pub(super) fn bad(subject: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Bad, ..Finding::poor(subject, seen, advice) }
    }
}

/// All of them for people: a line each, and one below with what to do.
pub(super) fn sheet(findings: &[Finding], style: Style) -> String {
    let widest = findings.iter().map(|finding| finding.subject.len()).max().unwrap_or(0);
    let line = |finding: &Finding| {
        let (mark, sgr) = match finding.verdict {
            Verdict::Good => ("ok  ", "\x1b[32m"),
            Verdict::Poor => ("warn", "\x1b[33m"),
            Verdict::Bad => ("FAIL", "\x1b[31m"),
        };
        let mark = match style {
            Style::Coloured => format!("{sgr}{mark}\x1b[m"),
            Style::Plain => mark.to_owned(),
        };
        let advice =
            finding.advice.as_ref().map(|advice| format!("      {:widest$}  {}\n", "", escaped(advice)));
        format!(
            "{mark}  {:widest$}  {}\n{}",
            finding.subject,
            escaped(&finding.seen),
            advice.unwrap_or_default()
        )
    };
    findings.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_stands_below_what_is_wrong() {
        let findings = [Finding::good("clock", "right"), Finding::bad("shell", "gone\x1b", "get one")];
        let wanted = "ok    clock  right\nFAIL  shell  gone\\u{1b}\n             get one\n";
        assert_eq!(sheet(&findings, Style::Plain), wanted);
        assert!(sheet(&findings, Style::Coloured).contains("\x1b[31mFAIL\x1b[m"));
    }
}
