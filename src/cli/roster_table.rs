//! Nodes as a table for people.

use std::time::Duration;

use super::ago::ago;
use super::table::{self, Row, Style};
use crate::protocol::node::{NodeRecord, NodeStatus, OfflineCause};

const HEADINGS: [&str; 7] = ["ID", "STATUS", "MACHINE", "DIRECTORY", "PANES", "LAST SEEN", "WHY OFFLINE"];

/// One line for each node, below the headings. `now` is in seconds since the Unix epoch.
pub(super) fn table(nodes: &[NodeRecord], now: u64) -> String {
    let rows: Vec<Row> = nodes.iter().map(|node| Row::uncut(row(node, now))).collect();
    table::table(&HEADINGS, &rows, Style::Plain)
}

fn row(node: &NodeRecord, now: u64) -> [String; 7] {
    let status = match node.status {
        NodeStatus::Active if node.suspect => "silent",
        NodeStatus::Active => "active",
        NodeStatus::Offline => "offline",
    };
    let seen = node
        .last_seen
        .map_or_else(|| "now".to_owned(), |seen| ago(Duration::from_secs(now.saturating_sub(seen))));
    [
        node.id.clone(),
        status.to_owned(),
        node.machine.clone(),
        node.cwd.clone(),
        node.panes.map(|panes| panes.to_string()).unwrap_or_default(),
        seen,
        node.why.map(reason).unwrap_or_default().to_owned(),
    ]
}

fn reason(why: OfflineCause) -> &'static str {
    match why {
        OfflineCause::Asleep => "asleep",
        OfflineCause::Lost => "connection lost",
        OfflineCause::Silent => "silent",
        OfflineCause::Left => "left",
        OfflineCause::GatewayRestarted => "gateway restarted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_is_in_them() {
        let json = r#"[
            {"id":"local","machine":"box","cwd":"/","status":"active","kind":"local","panes":2},
            {"id":"a","machine":"日本","cwd":"/w","status":"active","last_seen":95,"panes":3,"suspect":true},
            {"id":"sandbox-1","machine":"m","cwd":"/","status":"offline","last_seen":40,"why":"asleep"}
        ]"#;
        let nodes: Vec<NodeRecord> = serde_json::from_str(json).unwrap();
        let wanted = "\
ID         STATUS   MACHINE  DIRECTORY  PANES  LAST SEEN  WHY OFFLINE
local      active   box      /          2      now
a          silent   日本     /w         3      5 s ago
sandbox-1  offline  m        /                 1 min ago  asleep
";
        assert_eq!(table(&nodes, 100), wanted);
        assert_eq!(table(&[], 0).lines().count(), 1);
    }
}
