//! Programs that are started in panes of their own by something else than a viewer.

use std::path::Path;
use std::sync::Arc;

use super::edits::Berth;
use super::hub::{Gateway, Hub};
use super::nodes::LOCAL_NODE;
use super::refusal::Refusal;
use crate::clock::Moment;
use crate::geometry::Size;
use crate::layout::{Layout, Op};

impl Gateway {
    /// Starts a program of the gateway's own machine in a new tab of the session in front, or in a new session. What
    /// viewers look at stays in front.
    ///
    /// # Errors
    /// When the gateway has no PTYs of its own, or no room for a pane: why, for people.
    pub fn spawn_in_pane(&self, command: &[String], cwd: &Path) -> Result<(), String> {
        self.hub.spawn_in_pane(command, cwd).map_err(|refusal| refusal.to_string())
    }
}

impl Hub {
    fn spawn_in_pane(self: &Arc<Self>, command: &[String], cwd: &Path) -> Result<(), Refusal> {
        let berth = Berth {
            node: Some(LOCAL_NODE.to_owned()),
            cwd: Some(cwd.to_owned()),
            command: Some(command.to_vec()),
        };
        let op = place_for(&self.plan().layout, command);
        let start = self.start_for(&op, berth)?;
        let mut plan = self.plan();
        self.check_limit()?;
        let before = plan.layout.active_tab();
        let change = plan.layout.apply(&op)?;
        if let Some(tab) = before {
            // Refused if it was closed meanwhile; the new one is in front then.
            let _ = plan.layout.apply(&Op::SwitchTab { tab });
        }
        let opened = self.open_panes(&mut plan, &change, &start, |_| Size::DEFAULT);
        drop(plan);
        self.note_change(&change);
        for slot in opened {
            self.with_pane(&slot, |state, _, effects| state.pane.ask_for_terminal(effects));
        }
        Ok(())
    }
}

/// Where a program's pane goes: into a tab that is called like the program.
fn place_for(layout: &Layout, command: &[String]) -> Op {
    let program = command.first().map(Path::new).and_then(Path::file_name);
    let name = program.map(|name| name.to_string_lossy().into_owned());
    let session = layout.active_tab().and_then(|tab| layout.tab(tab)).map(|tab| tab.session);
    match session {
        Some(session) => Op::CreateTab { session, name },
        None => {
            let created_at_ms = Moment::now().unix_ms;
            Op::CreateSession { name, node: LOCAL_NODE.to_owned(), created_at_ms }
        }
    }
}
