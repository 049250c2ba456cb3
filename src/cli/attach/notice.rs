//! What is said about a pane without a terminal, and about a gateway that is away: the page's words, on one line.

use std::time::{Duration, Instant};

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

/// About a pane that has no terminal. `unix_ms` is now.
pub(super) fn of_pane(info: &PaneInfo, unix_ms: u64) -> Option<String> {
    let ago = |at: u64| ago(Duration::from_millis(unix_ms.saturating_sub(at)));
    let node = &info.node;
    let (state, purpose) = match &info.status {
        PaneStatus::Live => return None,
        PaneStatus::Starting => {
            return Some(with_pending("Starting… what you type is kept".to_owned(), info));
        }
        PaneStatus::Exited { code, signal, at } => {
            let cause = match (code, signal) {
                (_, Some(signal)) => format!("killed by {signal}"),
                (Some(code), None) => format!("exited with code {code}"),
                (None, None) => "ended with the gateway".to_owned(),
            };
            (format!("Disconnected: {cause}, {}", ago(*at)), "reconnect")
        }
        PaneStatus::Failed { reason, retry_at: None } => {
            return Some(format!("Could not start: {reason}; gave up, `everpane respawn` tries again"));
        }
        PaneStatus::Failed { reason, .. } => (format!("Could not start: {reason}"), "reconnect"),
        PaneStatus::Lost { since, reason } => {
            let why = reason.as_ref().map(|reason| format!("; could not be woken: {reason}"));
            (format!("Node {node} was lost {}{}", ago(*since), why.unwrap_or_default()), "wake it")
        }
        PaneStatus::Asleep { since, .. } => (format!("Node {node} went to sleep {}", ago(*since)), "wake it"),
        PaneStatus::Waking { attempt, .. } => {
            let text = format!("Waking {node} (attempt {attempt}); what you type is kept");
            return Some(with_pending(text, info));
        }
    };
    let hint = match info.wake {
        WakePolicy::AnyKey => format!("press any key to {purpose}"),
        WakePolicy::Enter => format!("press Enter to {purpose}"),
        WakePolicy::Manual => "restarts only when asked to (everpane respawn)".to_owned(),
    };
    Some(with_pending(format!("{state} — {hint}"), info))
}

fn with_pending(text: String, info: &PaneInfo) -> String {
    match info.pending {
        0 => text,
        pending => format!("{text} ({} waiting)", bytes(pending)),
    }
}

/// How much that is, for people.
pub(super) fn bytes(count: usize) -> String {
    match count {
        1 => "1 byte".to_owned(),
        0..2048 => format!("{count} bytes"),
        _ => format!("{} KiB", count >> 10),
    }
}

fn ago(span: Duration) -> String {
    match span.as_secs() {
        0..5 => "just now".to_owned(),
        seconds @ 5..120 => format!("{seconds} s ago"),
        seconds @ 120..7200 => format!("{} min ago", seconds / 60),
        seconds => format!("{} h ago", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
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
            "Disconnected: exited with code 3, 60 s ago — press any key to reconnect"
        );
        let pending = said(exited.clone(), "enter", 9).unwrap();
        assert!(pending.ends_with("press Enter to reconnect (9 bytes waiting)"), "{pending}");
        assert!(said(exited, "manual", 0).unwrap().contains("only when asked"));
        assert!(said(json!({ "state": "asleep", "since": 0 }), "any-key", 0).unwrap().contains("wake it"));
        let gave_up = json!({ "state": "failed", "reason": "no shell" });
        assert!(said(gave_up, "any-key", 0).unwrap().contains("no shell; gave up"));
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
