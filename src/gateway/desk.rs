//! What is asked of the gateway by somebody who is no viewer: scripts and the command line, over the API. A desk may be
//! for one session alone; then nothing else is found, told of or touched through it.

mod changes;
mod events;
mod input;
mod looking;
mod mirror;
mod target;
mod viewers;

use std::borrow::Cow;
use std::sync::Arc;

pub use self::events::Events;
pub use self::target::{Part, Place};
use self::target::{Unresolved, resolve};
use super::hub::{Gateway, Hub};
use super::refusal::Refusal;
use crate::clock::Moment;
use crate::ids::SessionId;
use crate::protocol::api::{API_VERSION, GatewayRecord, PaneRecord, SessionRecord, TabRecord};

/// A request of the API that is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The field that it is about.
    pub field: Option<Cow<'static, str>>,
}

impl Refused {
    /// One that says no more than this.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Refused {
        Refused { code, message: message.into(), hint: None, field: None }
    }

    /// With what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Refused {
        self.hint = Some(hint.into());
        self
    }

    /// About this field.
    #[must_use]
    pub fn field(mut self, field: impl Into<Cow<'static, str>>) -> Refused {
        self.field = Some(field.into());
        self
    }

    fn out_of_scope(message: impl Into<String>) -> Refused {
        Refused::new("out_of_scope", message).hint("use the gateway's own token")
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        let refused = Refused::new(refusal.code(), refusal.to_string());
        match refusal {
            Refusal::NoNode => Refused { code: "no_node", ..refused.field("node") },
            Refusal::UnknownNode(_) => refused.field("node").hint("GET /api/v1/nodes lists them"),
            Refusal::Busy { .. } => refused.hint("leave out `ifIdle` to close it all the same"),
            Refusal::Layout(error) => match error.code() {
                "invalid_name" | "duplicate_name" => refused.field("name"),
                "invalid_ratios" => refused.field("ratio"),
                _ => refused,
            },
            _ => refused,
        }
    }
}

impl From<Unresolved> for Refused {
    fn from(why: Unresolved) -> Refused {
        match why {
            Unresolved::Empty => Refused::new("unknown_session", "there is no session yet")
                .hint("make one with POST /api/v1/sessions"),
            Unresolved::Unknown { part, name, near } => {
                let code = match part {
                    Part::Session => "unknown_session",
                    Part::Tab => "unknown_tab",
                    Part::Pane => "unknown_pane",
                };
                let near: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
                Refused::new(code, format!("there is no {} `{name}`", part.word())).hint(
                    match near.is_empty() {
                        true => "GET /api/v1/sessions lists what there is".to_owned(),
                        false => format!("did you mean {}?", near.join(" or ")),
                    },
                )
            }
            Unresolved::Ambiguous { part, name, ids } => {
                let (word, ids) = (part.word(), ids.join(", "));
                let message = format!("more than one {word} is called `{name}`: {ids}");
                Refused::new("ambiguous_target", message).hint("name it by its id")
            }
            Unresolved::OutOfScope => Refused::out_of_scope("this token is for another session"),
        }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Desk {
    hub: Arc<Hub>,
    scope: Option<SessionId>,
}

impl Gateway {
    /// A desk, for one session alone if there is a `scope`.
    #[must_use]
    pub fn desk(&self, scope: Option<SessionId>) -> Desk {
        Desk { hub: self.hub.clone(), scope }
    }

    /// The gateway, as the API shows it, with what there is in `scope`.
    #[must_use]
    pub fn record(&self, scope: Option<SessionId>) -> GatewayRecord {
        let sessions = self.hub.records(scope).sessions();
        let panes = || sessions.iter().flat_map(|session| &session.tabs).flat_map(|tab| &tab.panes);
        GatewayRecord {
            api_version: API_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started_at: self.hub.started.unix_ms,
            now: Moment::now().unix_ms,
            sessions: sessions.len(),
            panes: panes().count(),
            connected: panes().filter(|pane| pane.connected).count(),
            viewers: self.hub.viewers.len(),
            degraded: self.health(),
        }
    }
}

impl Desk {
    /// The one session that it is for, if it is for one.
    #[must_use]
    pub fn scope(&self) -> Option<SessionId> {
        self.scope
    }

    /// Where a target leads.
    ///
    /// # Errors
    /// When it leads nowhere, to several places, or out of the scope.
    pub fn find(&self, target: &str) -> Result<Place, Refused> {
        resolve(&self.hub.plan().layout, target, self.scope).map_err(Refused::from)
    }

    /// Where a target leads, if it does not name less than this: who means a whole tab should not have named a pane.
    ///
    /// # Errors
    /// As [`Desk::find`], and when it names something smaller.
    pub fn find_whole(&self, target: &str, part: Part) -> Result<Place, Refused> {
        let place = self.find(target)?;
        if place.named <= part {
            return Ok(place);
        }
        let (named, wanted) = (place.named.word(), part.word());
        let id = match part {
            Part::Session => place.session.to_string(),
            Part::Tab | Part::Pane => place.tab.to_string(),
        };
        let message = format!("`{target}` is a {named}, and this is about a whole {wanted}");
        Err(Refused::new("invalid_target", message).hint(format!("name the {wanted}: {id}")))
    }

    /// What is for the whole gateway is not for one session.
    ///
    /// # Errors
    /// Of a desk with a scope.
    pub fn whole_gateway(&self) -> Result<(), Refused> {
        match self.scope {
            None => Ok(()),
            Some(session) => Err(Refused::out_of_scope(format!("this token is for {session} alone"))),
        }
    }

    /// All sessions.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionRecord> {
        self.hub.records(self.scope).sessions()
    }

    /// The session of a place.
    ///
    /// # Errors
    /// When it is gone.
    pub fn session(&self, place: Place) -> Result<SessionRecord, Refused> {
        let gone = || Refused::new("unknown_session", format!("there is no session {}", place.session));
        self.hub.records(self.scope).session(place.session).ok_or_else(gone)
    }

    /// Its tab.
    ///
    /// # Errors
    /// When it is gone.
    pub fn tab(&self, place: Place) -> Result<TabRecord, Refused> {
        let gone = || Refused::new("unknown_tab", format!("there is no tab {}", place.tab));
        self.hub.records(self.scope).tab(place.tab).ok_or_else(gone)
    }

    /// Its pane.
    ///
    /// # Errors
    /// When it is gone.
    pub fn pane(&self, place: Place) -> Result<PaneRecord, Refused> {
        let pane = self.hub.records(self.scope).pane(place.pane);
        pane.ok_or_else(|| Refusal::UnknownPane(place.pane).into())
    }
}
