//! Sessions: named workspaces of tabs.

use serde::{Deserialize, Serialize};

use super::change::Change;
use super::error::LayoutError;
use super::limits::MAX_SESSIONS;
use super::{Layout, name};
use crate::ids::{SessionId, TabId};

/// A named workspace. It has at least one tab as long as it exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its own id.
    pub id: SessionId,
    /// Unique among the sessions.
    pub name: String,
    /// The node on which its panes run unless they say otherwise.
    pub node: String,
    /// Milliseconds since the Unix epoch.
    pub created_at_ms: u64,
    /// Its tabs in the order shown.
    pub tabs: Vec<TabId>,
    /// Which of its tabs was last in front.
    pub active: TabId,
}

impl Layout {
    pub(super) fn create_session(
        &mut self,
        name: Option<&str>,
        node: &str,
        created_at_ms: u64,
    ) -> Result<Change, LayoutError> {
        let name = match name {
            Some(raw) => self.unique_name(raw, None)?,
            None => name::free_number(self.sessions().map(|session| session.name.as_str())),
        };
        let node = name::clean(node)?;
        LayoutError::check_limit("sessions", self.sessions.len() + 1, MAX_SESSIONS)?;
        self.check_room_for_pane()?;

        let id = self.next.session;
        self.next.session.0 += 1;
        let first = self.next.tab;
        let session = Session { id, name, node, created_at_ms, tabs: Vec::new(), active: first };
        self.sessions.insert(id, session);
        let mut change = Change { session: Some(id), sessions_changed: true, ..Change::something() };
        self.open_tab(id, "1".to_owned(), &mut change)?;
        Ok(change)
    }

    pub(super) fn destroy_session(&mut self, session: SessionId) -> Result<Change, LayoutError> {
        let tabs = self.find_session(session)?.tabs.clone();
        let mut change = Change::something();
        for tab in tabs {
            self.discard_tab(tab, &mut change)?;
        }
        self.restore_active(session);
        Ok(change)
    }

    pub(super) fn rename_session(&mut self, session: SessionId, raw: &str) -> Result<Change, LayoutError> {
        self.find_session(session)?;
        let name = self.unique_name(raw, Some(session))?;
        let entry = self.session_mut(session)?;
        if entry.name == name {
            return Ok(Change::nothing());
        }
        entry.name = name;
        Ok(Change { sessions_changed: true, ..Change::something() })
    }

    /// The name cleaned, unless a session other than `owner` has it.
    fn unique_name(&self, raw: &str, owner: Option<SessionId>) -> Result<String, LayoutError> {
        let name = name::clean(raw)?;
        if self.sessions().any(|session| session.name == name && Some(session.id) != owner) {
            return Err(LayoutError::DuplicateName { name });
        }
        Ok(name)
    }

    pub(super) fn find_session(&self, session: SessionId) -> Result<&Session, LayoutError> {
        self.sessions.get(&session).ok_or(LayoutError::UnknownSession { session })
    }

    pub(super) fn session_mut(&mut self, session: SessionId) -> Result<&mut Session, LayoutError> {
        self.sessions.get_mut(&session).ok_or(LayoutError::UnknownSession { session })
    }
}
