//! What is said about a pane without a terminal, and about a gateway that is away: the page's words, on one line.

use std::time::Instant;

use unicode_width::UnicodeWidthStr;

use crate::cli::ago::ago_at;
use crate::client::Status;
use crate::protocol::client::WakePolicy;
use crate::protocol::server::{PaneInfo, PaneStatus};

/// About a connection that is down.
pub(super) fn of_connection(status: &Status, held: usize, now: Instant) -> Option<String> {
    let Status::Reconnecting { since, attempt, reason, .. } = status else { return None };
    let seconds = now.saturating_duration_since(*since).as_secs();
    let held = if held == 0 { String::new() } else { format!(", {} held", bytes(held)) };
    Some(format!("reconnecting (attempt {attempt}, {seconds} s{held}): {reason}"))
}

/// About a pane that has no terminal, and what to do about it. `unix_ms` is now.
pub(super) fn of_pane(info: &PaneInfo, unix_ms: u64) -> Option<String> {
    let (state, hint) = state_and_hint(info, unix_ms)?;
    Some(with_pending(state + &hint, info))
}

/// The same for who can't do anything about it.
pub(super) fn state_of(info: &PaneInfo, unix_ms: u64) -> Option<String> {
    let (state, _) = state_and_hint(info, unix_ms)?;
    Some(with_pending(state, info))
}

fn state_and_hint(info: &PaneInfo, unix_ms: u64) -> Option<(String, String)> {
    let ago = |at: u64| ago_at(at, unix_ms);
    let node = &info.node;
    let (state, purpose) = match &info.status {
        PaneStatus::Live => return None,
        PaneStatus::Starting => return Some(("Starting…".to_owned(), " what you type is kept".to_owned())),
        PaneStatus::Exited { code, signal, at } => {
            let cause = match (code, signal) {
                (_, Some(signal)) => format!("killed by {signal}"),
                (Some(code), None) => format!("exited with code {code}"),
                (None, None) => "ended with the gateway".to_owned(),
            };
            (format!("Disconnected: {cause}, {}", ago(*at)), "reconnect")
        }
        PaneStatus::Failed { reason, retry_at: None } => {
            let state = format!("Could not start: {reason}; gave up");
            return Some((state, ", `everpane respawn` tries again".to_owned()));
        }
        PaneStatus::Failed { reason, .. } => (format!("Could not start: {reason}"), "reconnect"),
        PaneStatus::Lost { since, reason } => {
            let why = reason.as_ref().map(|reason| format!("; could not be woken: {reason}"));
            (format!("Node {node} was lost {}{}", ago(*since), why.unwrap_or_default()), "wake it")
        }
        PaneStatus::Asleep { since, .. } => (format!("Node {node} went to sleep {}", ago(*since)), "wake it"),
        PaneStatus::Waking { attempt, .. } => {
            let state = format!("Waking {node} (attempt {attempt})");
            return Some((state, "; what you type is kept".to_owned()));
        }
    };
    let hint = match info.wake {
        WakePolicy::AnyKey => format!(" — press any key to {purpose}"),
        WakePolicy::Enter => format!(" — press Enter to {purpose}"),
        WakePolicy::Manual => " — restarts only when asked to (everpane respawn)".to_owned(),
    };
    Some((state, hint))
}

fn with_pending(text: String, info: &PaneInfo) -> String {
    match info.pending {
        0 => text,
        pending => format!("{text} ({} waiting)", bytes(pending)),
    }
}

/// A notice as it fills a row of so many columns. Of one that is too long, the end is left out.
pub(super) fn fitted(notice: &str, cols: usize) -> String {
    let mut text = format!(" {notice} ");
    if text.width() > cols {
        while text.pop().is_some() && text.width() >= cols {}
        if cols > 0 {
            text.push('…');
        }
    }
    let pad = " ".repeat(cols.saturating_sub(text.width()));
    text + &pad
}

/// How much that is, for people.
pub(super) fn bytes(count: usize) -> String {
    match count {
        1 => "1 byte".to_owned(),
        0..2048 => format!("{count} bytes"),
        _ => format!("{} KiB", count >> 10),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn pane(status: serde_json::Value, wake: &str, pending: usize) -> PaneInfo {
        let info = json!({
            "title": "", "status": status, "pending": pending, "cols": 80, "rows": 24, "wake": wake,
            "closeOnExit": false, "size": { "policy": "latest" }, "node": "box",
        });
        serde_json::from_value(info).unwrap()
    }

    #[test]
    fn every_state_says_what_to_do() {
        let said = |status, wake, pending| of_pane(&pane(status, wake, pending), 70_000);
        assert_eq!(said(json!({ "state": "live" }), "any-key", 0), None);
        let exited = json!({ "state": "exited", "code": 3, "at": 10_000 });
        assert_eq!(
            said(exited.clone(), "any-key", 0).unwrap(),
            "Disconnected: exited with code 3, 1 min ago — press any key to reconnect"
        );
        let pending = said(exited.clone(), "enter", 9).unwrap();
        assert!(pending.ends_with("press Enter to reconnect (9 bytes waiting)"), "{pending}");
        assert!(said(exited, "manual", 0).unwrap().contains("only when asked"));
        assert!(said(json!({ "state": "asleep", "since": 0 }), "any-key", 0).unwrap().contains("wake it"));
        let gave_up = json!({ "state": "failed", "reason": "no shell" });
        assert!(said(gave_up, "any-key", 0).unwrap().contains("no shell; gave up"));
    }

    #[test]
    fn who_only_looks_is_told_of_the_state_alone() {
        let exited = json!({ "state": "exited", "code": 3, "at": 10_000 });
        let looks = |status| state_of(&pane(status, "any-key", 0), 70_000).unwrap();
        assert_eq!(looks(exited), "Disconnected: exited with code 3, 1 min ago");
        assert_eq!(looks(json!({ "state": "starting" })), "Starting…");
    }

    #[test]
    fn a_notice_fills_its_row_and_one_that_is_too_long_says_so() {
        assert_eq!(fitted("short", 9), " short   ");
        assert_eq!(fitted("just right", 12), " just right ");
        assert_eq!(fitted("too long for it", 9), " too lon…");
        assert_eq!(fitted("日本語日本語", 8), " 日本語…", "no character is cut in two");
        assert_eq!(
            (fitted("日", 2), fitted("x", 1), fitted("x", 0)),
            (" …".into(), "…".into(), String::new())
        );
    }

    #[test]
    fn a_gateway_that_is_away_says_how_long_and_what_is_held() {
        let since = Instant::now();
        let away = Status::Reconnecting { since, attempt: 3, until: None, reason: "no answer".to_owned() };
        let now = since + Duration::from_secs(12);
        let wanted = "reconnecting (attempt 3, 12 s, 34 bytes held): no answer";
        assert_eq!(of_connection(&away, 34, now).unwrap(), wanted);
        assert_eq!(of_connection(&Status::Connected, 34, now), None);
    }
}
