//! What stands on a pane without a terminal: how things are, why, and what brings it back. The page says the same.

use std::time::Duration;

use crate::cli::ago::{ago_at, rounded};
use crate::protocol::client::WakePolicy;
use crate::protocol::server::{PaneInfo, PaneStatus};

/// What becomes of input meanwhile.
const KEPT: &str = "what you type is kept";

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Card {
    /// The state, and what to do about it.
    pub(super) title: String,
    /// Why, since when, how much waits; may be empty.
    pub(super) cause: String,
    /// Whether something is wrong.
    pub(super) is_bad: bool,
}

impl Card {
    /// The card of a pane; `now` in milliseconds since the Unix epoch.
    pub(super) fn of(info: &PaneInfo, now: u64) -> Card {
        let mut card = card(info, now);
        if info.pending > 0 {
            let waiting = format!("{} bytes waiting", info.pending);
            card.cause = if card.cause.is_empty() { waiting } else { format!("{} · {waiting}", card.cause) };
        }
        card
    }
}

fn card(info: &PaneInfo, now: u64) -> Card {
    let calm = |title: String, cause: String| Card { title, cause, is_bad: false };
    let node = &info.node;
    match &info.status {
        PaneStatus::Starting => calm(format!("Starting… {KEPT}"), String::new()),
        PaneStatus::Failed { reason, retry_at } => Card {
            title: format!("Could not start — {}", retry_hint(*retry_at, info.wake, now)),
            cause: reason.clone(),
            is_bad: true,
        },
        PaneStatus::Lost { since, reason } => {
            let fact = format!("lost {}; its program may live on there", ago_at(*since, now));
            away(format!("Node {node} is lost"), fact, reason.as_deref(), info.wake)
        }
        PaneStatus::Asleep { since, reason } => {
            let fact = format!("{node} went to sleep {}", ago_at(*since, now));
            away("Asleep".to_owned(), fact, reason.as_deref(), info.wake)
        }
        PaneStatus::Waking { attempt, since } => {
            let waited = rounded(Duration::from_millis(now.saturating_sub(*since)));
            calm(format!("Waking {node}… attempt {attempt}, {waited}"), KEPT.to_owned())
        }
        PaneStatus::Live => calm(format!("Disconnected — {}", hint(info.wake, "reconnect")), String::new()),
        PaneStatus::Exited { code, signal, at } => {
            let when = ago_at(*at, now);
            let cause = match (signal, code) {
                (Some(signal), _) => format!("Killed by {signal} · {when}"),
                (None, Some(code)) => format!("Exited with code {code} · {when}"),
                (None, None) => format!("Ended with the gateway · {when}"),
            };
            calm(format!("Disconnected — {}", hint(info.wake, "reconnect")), cause)
        }
    }
}

fn away(title: String, fact: String, reason: Option<&str>, wake: WakePolicy) -> Card {
    let hint = match wake {
        WakePolicy::Manual => "wakes only when asked to: prefix R".to_owned(),
        _ => hint(wake, if reason.is_none() { "wake it" } else { "try again" }),
    };
    let cause = match reason {
        Some(reason) => format!("Could not be woken: {reason} · {fact}"),
        None => fact,
    };
    Card { title: format!("{title} — {hint}"), cause, is_bad: reason.is_some() }
}

fn retry_hint(retry_at: Option<u64>, wake: WakePolicy, now: u64) -> String {
    match retry_at.map(|at| at.saturating_sub(now).div_ceil(1000)) {
        None => "gave up; prefix R tries again".to_owned(),
        Some(0) => hint(wake, "reconnect"),
        Some(seconds) => format!("next try possible in {seconds} s"),
    }
}

fn hint(wake: WakePolicy, purpose: &str) -> String {
    match wake {
        WakePolicy::AnyKey => format!("press any key to {purpose}"),
        WakePolicy::Enter => format!("press Enter to {purpose}"),
        WakePolicy::Manual => "restarts only when asked to: prefix R".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::SizePolicy;

    fn info(status: PaneStatus, wake: WakePolicy, pending: usize) -> PaneInfo {
        PaneInfo {
            name: None,
            title: String::new(),
            cwd: None,
            status,
            pending,
            cols: 80,
            rows: 24,
            wake,
            close_on_exit: false,
            size: SizePolicy::Latest,
            node: "box".into(),
            command: None,
            shell: None,
            progress: None,
            notification: None,
        }
    }

    #[test]
    fn every_state_says_what_brings_the_pane_back() {
        use WakePolicy::{AnyKey, Enter, Manual};
        let exited = |code, signal: Option<&str>| PaneStatus::Exited {
            code,
            signal: signal.map(Into::into),
            at: 1000,
        };
        let failed = |retry_at| PaneStatus::Failed { reason: "no shell".into(), retry_at };
        for (status, wake, title, cause) in [
            (
                exited(Some(3), None),
                AnyKey,
                "Disconnected — press any key to reconnect",
                "Exited with code 3 · 1 min ago",
            ),
            (
                exited(None, Some("SIGKILL")),
                Enter,
                "Disconnected — press Enter to reconnect",
                "Killed by SIGKILL · 1 min ago",
            ),
            (
                exited(None, None),
                Manual,
                "Disconnected — restarts only when asked to: prefix R",
                "Ended with the gateway · 1 min ago",
            ),
            (PaneStatus::Starting, AnyKey, "Starting… what you type is kept", ""),
            (failed(None), AnyKey, "Could not start — gave up; prefix R tries again", "no shell"),
            (failed(Some(63_500)), AnyKey, "Could not start — next try possible in 3 s", "no shell"),
            (
                PaneStatus::Lost { since: 60_500, reason: None },
                AnyKey,
                "Node box is lost — press any key to wake it",
                "lost just now; its program may live on there",
            ),
            (
                PaneStatus::Asleep { since: 1000, reason: Some("no route".into()) },
                AnyKey,
                "Asleep — press any key to try again",
                "Could not be woken: no route · box went to sleep 1 min ago",
            ),
            (
                PaneStatus::Waking { attempt: 2, since: 58_000 },
                AnyKey,
                "Waking box… attempt 2, 3 s",
                "what you type is kept",
            ),
        ] {
            let card = Card::of(&info(status.clone(), wake, 0), 61_000);
            assert_eq!((card.title.as_str(), card.cause.as_str()), (title, cause), "{status:?}");
        }
        let card = Card::of(&info(PaneStatus::Starting, AnyKey, 12), 0);
        assert_eq!((card.cause.as_str(), card.is_bad), ("12 bytes waiting", false));
    }
}
