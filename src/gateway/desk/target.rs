//! What a target means: `s1`, `t1`, `p1`, `work`, `work:build.1`. Pure, over a layout.
//!
//! An id that exists is that; then names count, then places. What is left out is the active one. Names may hold `:` and
//! `.` themselves, so every way to take a target apart is tried, and the first that leads somewhere counts.

use crate::ids::{PaneId, SessionId, TabId};
use crate::layout::{Layout, Session, Tab};

/// The longest target, in bytes: ample for three names of the longest, and for what trying all ways costs.
const MAX_TARGET_BYTES: usize = 4096;

/// How alike a name must be to one that is there, from 0 to 1, to be offered in its place.
const ALIKE: f64 = 0.8;

/// How many names are offered.
const MAX_NEAR: usize = 3;

/// A part of the layout that a target can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A session.
    Session,
    /// A tab.
    Tab,
    /// A pane.
    Pane,
}

impl Part {
    /// What people call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Part::Session => "session",
            Part::Tab => "tab",
            Part::Pane => "pane",
        }
    }
}

/// Where a target leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The session.
    pub session: SessionId,
    /// Its tab: the one named, else the active one.
    pub tab: TabId,
    /// That one's pane: the one named, else the focused one.
    pub pane: PaneId,
    /// How far the target went; what is below follows from what is active.
    pub named: Part,
}

/// Why a target leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// There is nothing yet, so nothing is active.
    Empty,
    /// Nothing is called so.
    Unknown { part: Part, name: String, near: Vec<String> },
    /// Several are.
    Ambiguous { part: Part, name: String, ids: Vec<String> },
    /// It is in another session than the only one that may be asked for.
    OutOfScope,
}

impl Unresolved {
    /// How near it came: of several ways to read a target the one that led farthest tells best what is wrong.
    fn depth(&self) -> (usize, bool) {
        match self {
            Unresolved::Empty | Unresolved::OutOfScope => (0, true),
            Unresolved::Unknown { part, .. } => (*part as usize, false),
            Unresolved::Ambiguous { part, .. } => (*part as usize, true),
        }
    }
}

/// Where `target` leads. With a `scope` nothing else than that session is found, or spoken of.
pub(super) fn resolve(layout: &Layout, target: &str, scope: Option<SessionId>) -> Result<Place, Unresolved> {
    let finder = Finder { layout, scope };
    if target.len() > MAX_TARGET_BYTES {
        return Err(finder.unknown_session(&target.chars().take(64).collect::<String>()));
    }
    if let Some(place) = finder.by_id(target)? {
        return Ok(place);
    }
    let mut nearest = match finder.session(target).and_then(|session| finder.down(session, "", None)) {
        Ok(place) if !target.is_empty() => return Ok(Place { named: Part::Session, ..place }),
        Ok(_) => return Err(finder.unknown_session(target)),
        Err(why) => finder.unknown_id(target).unwrap_or(why),
    };
    for way in ways(target) {
        match finder.go(way) {
            Ok(place) => return Ok(place),
            Err(why) if why.depth() > nearest.depth() => nearest = why,
            Err(_) => {}
        }
    }
    Err(nearest)
}

/// A target taken apart.
type Way<'a> = (&'a str, Rest<'a>);

/// What comes after the session.
#[derive(Debug, Clone, Copy)]
enum Rest<'a> {
    /// After a colon: a tab, and perhaps a pane.
    Tab(&'a str),
    /// After a point without a colon: a pane of the active tab.
    Pane(&'a str),
}

/// Every way to part the session from the rest, with a colon first.
fn ways(target: &str) -> impl Iterator<Item = Way<'_>> {
    let at = |separator| target.match_indices(separator).map(|(at, _)| (&target[..at], &target[at + 1..]));
    let tabs = at(":").map(|(session, rest)| (session, Rest::Tab(rest)));
    tabs.chain(at(".").map(|(session, rest)| (session, Rest::Pane(rest))))
}

struct Finder<'a> {
    layout: &'a Layout,
    scope: Option<SessionId>,
}

impl<'a> Finder<'a> {
    /// What a target that is an id leads to, if that exists.
    fn by_id(&self, target: &str) -> Result<Option<Place>, Unresolved> {
        let layout = self.layout;
        let tab_of = |pane| layout.pane_tab(pane).and_then(|tab| layout.tab(tab));
        let found = if let Ok(session) = target.parse::<SessionId>() {
            let tab = layout.session(session).and_then(|session| layout.tab(session.active));
            tab.map(|tab| (tab, tab.focus, Part::Session))
        } else if let Ok(tab) = target.parse::<TabId>() {
            layout.tab(tab).map(|tab| (tab, tab.focus, Part::Tab))
        } else if let Ok(pane) = target.parse::<PaneId>() {
            tab_of(pane).map(|tab| (tab, pane, Part::Pane))
        } else {
            None
        };
        let Some((tab, pane, named)) = found else { return Ok(None) };
        self.admit(tab.session)?;
        Ok(Some(Place { session: tab.session, tab: tab.id, pane, named }))
    }

    /// What to say of a target that looks like an id.
    fn unknown_id(&self, target: &str) -> Option<Unresolved> {
        let part = match () {
            () if target.parse::<SessionId>().is_ok() => Part::Session,
            () if target.parse::<TabId>().is_ok() => Part::Tab,
            () if target.parse::<PaneId>().is_ok() => Part::Pane,
            () => return None,
        };
        Some(Unresolved::Unknown { part, name: target.to_owned(), near: Vec::new() })
    }

    fn admit(&self, session: SessionId) -> Result<(), Unresolved> {
        match self.scope {
            Some(scope) if scope != session => Err(Unresolved::OutOfScope),
            _ => Ok(()),
        }
    }

    fn go(&self, (session, rest): Way<'_>) -> Result<Place, Unresolved> {
        let session = self.session(session)?;
        let rest = match rest {
            Rest::Pane(pane) => return self.down(session, "", Some(pane)),
            Rest::Tab(rest) => rest,
        };
        let mut nearest = match self.down(session, rest, None) {
            Err(why) => why,
            found => return found,
        };
        for (at, _) in rest.match_indices('.') {
            match self.down(session, &rest[..at], Some(&rest[at + 1..])) {
                Err(why) if why.depth() > nearest.depth() => nearest = why,
                Err(_) => {}
                found => return found,
            }
        }
        Err(nearest)
    }

    /// The session called so; the active one without a name.
    fn session(&self, name: &str) -> Result<&'a Session, Unresolved> {
        let layout = self.layout;
        let active = || layout.active_tab().and_then(|tab| layout.tab(tab)).map(|tab| tab.session);
        let session = match name {
            "" => Some(self.scope.or_else(active).ok_or(Unresolved::Empty)?),
            _ => None,
        };
        let by_id = || session.or_else(|| name.parse().ok()).and_then(|id| layout.session(id));
        let by_name = || layout.sessions().find(|session| session.name == name);
        let found = by_id().or_else(by_name).ok_or_else(|| self.unknown_session(name))?;
        self.admit(found.id)?;
        Ok(found)
    }

    /// On from a session to a tab, and to a pane of that.
    fn down(&self, session: &Session, tab: &str, pane: Option<&str>) -> Result<Place, Unresolved> {
        let (named, tab) = (Part::Tab, self.tab(session, tab)?);
        let place = Place { session: session.id, tab: tab.id, pane: tab.focus, named };
        match pane {
            None => Ok(place),
            Some(pane) => Ok(Place { pane: self.pane(tab, pane)?, named: Part::Pane, ..place }),
        }
    }

    fn tab(&self, session: &Session, name: &str) -> Result<&'a Tab, Unresolved> {
        let layout = self.layout;
        let tabs = || layout.tabs_of(session.id);
        let id = if name.is_empty() { Some(session.active) } else { name.parse().ok() };
        if let Some(tab) = id.and_then(|id| tabs().find(|tab| tab.id == id)) {
            return Ok(tab);
        }
        let named: Vec<_> = tabs().filter(|tab| tab.name == name).collect();
        match named[..] {
            [tab] => Ok(tab),
            [] => place_in(tabs(), name)
                .ok_or_else(|| unknown(Part::Tab, name, tabs().map(|tab| tab.name.as_str()))),
            _ => Err(ambiguous(Part::Tab, name, named.iter().map(|tab| tab.id.to_string()))),
        }
    }

    fn pane(&self, tab: &Tab, name: &str) -> Result<PaneId, Unresolved> {
        let panes = || tab.tree.panes();
        let name_of = |pane: &PaneId| self.layout.pane(*pane).and_then(|pane| pane.name.as_deref());
        let id = if name.is_empty() { Some(tab.focus) } else { name.parse().ok() };
        if let Some(pane) = id.and_then(|id| panes().find(|pane| *pane == id)) {
            return Ok(pane);
        }
        let named: Vec<_> = panes().filter(|pane| name_of(pane) == Some(name)).collect();
        match named[..] {
            [pane] => Ok(pane),
            [] => place_in(panes(), name).ok_or_else(|| {
                let panes: Vec<_> = panes().collect();
                unknown(Part::Pane, name, panes.iter().filter_map(name_of))
            }),
            _ => Err(ambiguous(Part::Pane, name, named.iter().map(PaneId::to_string))),
        }
    }

    fn unknown_session(&self, name: &str) -> Unresolved {
        let spoken_of = self.layout.sessions().filter(|session| self.admit(session.id).is_ok());
        unknown(Part::Session, name, spoken_of.map(|session| session.name.as_str()))
    }
}

/// What has this place, counted from 0.
fn place_in<T>(mut all: impl Iterator<Item = T>, place: &str) -> Option<T> {
    // A sign is no place.
    let digits = place.bytes().all(|byte| byte.is_ascii_digit());
    all.nth(place.parse().ok().filter(|_| digits)?)
}

fn unknown<'a>(part: Part, name: &str, names: impl Iterator<Item = &'a str>) -> Unresolved {
    let alike = names.map(|other| (strsim::jaro_winkler(name, other), other));
    let mut alike: Vec<_> = alike.filter(|(alike, _)| *alike >= ALIKE).collect();
    alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let near = alike.into_iter().take(MAX_NEAR).map(|(_, name)| name.to_owned()).collect();
    Unresolved::Unknown { part, name: name.to_owned(), near }
}

fn ambiguous(part: Part, name: &str, ids: impl Iterator<Item = String>) -> Unresolved {
    Unresolved::Ambiguous { part, name: name.to_owned(), ids: ids.collect() }
}

#[cfg(test)]
mod tests;
