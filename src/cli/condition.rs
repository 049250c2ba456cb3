//! What a command waits for, as people write it: `text=done`, or `text done`.

use super::duration::{as_ms, milliseconds};
use super::failure::{Failure, Kind};
use crate::protocol::api::WaitFor;

/// How long a pane must be silent to be idle if nobody says, in milliseconds.
const IDLE_MS: u64 = 500;

/// What `--for` takes, for the help.
pub(super) const VALUE_NAMES: [&str; 2] = ["KIND", "PATTERN"];

/// Reads `KIND=PATTERN`, or `KIND` with the `next` word. Whether that was used is told as well: not every kind has a
/// pattern, and then it is another argument that stood there.
///
/// # Errors
/// When there is no such thing to wait for.
pub(super) fn parse(first: &str, next: Option<&str>) -> Result<(WaitFor, bool), Failure> {
    let (kind, pattern) = match first.split_once('=') {
        Some((kind, pattern)) => (kind, Some(pattern)),
        None => (first, None),
    };
    let apart = pattern.is_none();
    let pattern = pattern.or(next);
    let wanted = || usage(format!("`{kind}` needs a pattern")).hint(format!("--for {kind}=PATTERN"));
    let found = match kind {
        "text" => (WaitFor::Text(pattern.ok_or_else(wanted)?.to_owned()), apart),
        "regex" => (WaitFor::Regex(pattern.ok_or_else(wanted)?.to_owned()), apart),
        "idle" => idle(pattern, apart)?,
        "prompt" | "exit" | "connected" if !apart => {
            return Err(usage(format!("`{kind}` takes no pattern")));
        }
        "prompt" => (WaitFor::Prompt, false),
        "exit" => (WaitFor::Exit, false),
        "connected" => (WaitFor::Connected, false),
        _ => {
            return Err(usage(format!("there is no waiting for `{kind}`"))
                .hint("one of text, regex, prompt, exit, idle and connected"));
        }
    };
    Ok(found)
}

fn idle(pattern: Option<&str>, apart: bool) -> Result<(WaitFor, bool), Failure> {
    match pattern.map(|pattern| (pattern, milliseconds(pattern))) {
        None => Ok((WaitFor::Idle(IDLE_MS), false)),
        Some((_, Ok(span))) => Ok((WaitFor::Idle(as_ms(span)), apart)),
        Some((_, Err(_))) if apart => Ok((WaitFor::Idle(IDLE_MS), false)),
        Some((pattern, Err(error))) => Err(usage(format!("idle={pattern}: {error}"))),
    }
}

/// What is waited for, for people.
pub(super) fn words(what: &WaitFor) -> String {
    match what {
        WaitFor::Text(text) => format!("`{text}`"),
        WaitFor::Regex(pattern) => format!("/{pattern}/"),
        WaitFor::Prompt => "the prompt".to_owned(),
        WaitFor::Exit => "the program's end".to_owned(),
        WaitFor::Idle(ms) => format!("{ms} ms without output"),
        WaitFor::Connected => "a live terminal".to_owned(),
    }
}

fn usage(message: String) -> Failure {
    Failure::new(Kind::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_in_both_spellings() {
        let cases = [
            ("text=a=b", None, WaitFor::Text("a=b".to_owned()), false),
            ("text", Some("done"), WaitFor::Text("done".to_owned()), true),
            ("text=", Some("p1"), WaitFor::Text(String::new()), false),
            ("regex", Some("^x$"), WaitFor::Regex("^x$".to_owned()), true),
            ("prompt", Some("p1"), WaitFor::Prompt, false),
            ("exit", None, WaitFor::Exit, false),
            ("connected", None, WaitFor::Connected, false),
            ("idle", None, WaitFor::Idle(IDLE_MS), false),
            ("idle=200", None, WaitFor::Idle(200), false),
            ("idle", Some("2s"), WaitFor::Idle(2000), true),
            ("idle", Some("p1"), WaitFor::Idle(IDLE_MS), false),
        ];
        for (first, next, wanted, used) in cases {
            assert_eq!(parse(first, next).unwrap(), (wanted, used), "{first} {next:?}");
        }
        for first in ["text", "regex", "prompt=x", "idle=x", "rain", ""] {
            assert_eq!(parse(first, None).unwrap_err().kind, Kind::Usage, "{first}");
        }
    }
}
