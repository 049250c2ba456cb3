//! The TypeScript types of the browser client are generated from the Rust ones: this test fails when
//! `web/src/protocol.ts` is stale, and rewrites it when `EVERPANE_BLESS` is set.

use ts_rs::{Config, TS};

use super::{client, node, server};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/web/src/protocol.ts");

macro_rules! declarations {
    ($config:expr; $($type:ty),* $(,)?) => {
        [$((<$type as TS>::docs(), <$type as TS>::decl($config))),*]
    };
}

fn generate() -> String {
    let config = Config::default();
    let mut text = String::from(
        "// Generated from src/protocol by `EVERPANE_BLESS=1 cargo test --lib typescript`; do not edit.\n",
    );
    let declarations = declarations!(&config;
        client::SplitOrientation, client::Direction, client::SplitSide, client::ViewMode, client::WakePolicy,
        client::SizePolicy, client::WatchPane, client::Connect, client::SessionCreate, client::SessionDestroy,
        client::SessionRename, client::TabCreate, client::TabClose, client::TabRename, client::TabSwitch,
        client::TabMove, client::PaneSplit, client::PaneClose, client::PaneResize, client::PaneFocus,
        client::PaneRename, client::PaneZoom, client::PaneSwap, client::PaneMove, client::PaneGrow,
        client::SplitResize, client::PaneRespawn, client::PaneDiscard, client::PaneSet, client::PaneWatch,
        client::PaneUnwatch, client::TerminalLend, client::TerminalTakeBack, client::LayoutSeen, client::Resume,
        client::Ping, client::ClientMessage,
        server::Session, server::StackOrientation, server::LayoutTree, server::TabLayout, server::Tab,
        server::PaneStatus, server::ShellState, server::ProgressState, server::Progress, server::Notification,
        server::PaneInfo, server::State, server::LayoutUpdate, server::ErrorMessage,
        server::ServerMessage, node::NodeStatus, node::NodeKind, node::OfflineCause, node::NodeRecord,
        node::Directories, node::NodeEvent,
    );
    for (docs, declaration) in declarations {
        text.push('\n');
        if let Some(docs) = docs {
            text.push_str(docs.trim_end());
            text.push('\n');
        }
        text.push_str("export ");
        text.push_str(&declaration);
        text.push('\n');
    }
    text
}

#[test]
fn the_typescript_types_are_current() {
    let generated = generate();
    if std::env::var_os("EVERPANE_BLESS").is_some() {
        std::fs::write(PATH, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(committed == generated, "stale; run `EVERPANE_BLESS=1 cargo test --lib typescript`");
}
