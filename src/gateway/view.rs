//! What a viewer looks at when it does not share the others' tab and focus.

use std::collections::BTreeMap;

use crate::ids::{PaneId, TabId};
use crate::layout::Layout;

/// An active tab and focus of a viewer's own. Tabs it never looked at have the shared focus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) active_tab: Option<TabId>,
    pub(super) focus: BTreeMap<TabId, PaneId>,
}

impl View {
    /// The shared view, as a starting point.
    pub(super) fn of(layout: &Layout) -> View {
        View { active_tab: layout.active_tab(), focus: BTreeMap::new() }
    }

    /// Shows a tab.
    pub(super) fn switch(&mut self, tab: TabId) {
        self.active_tab = Some(tab);
    }

    /// Focuses a pane, and shows its tab.
    pub(super) fn focus(&mut self, layout: &Layout, pane: PaneId) {
        if let Some(tab) = layout.pane_tab(pane) {
            self.active_tab = Some(tab);
            self.focus.insert(tab, pane);
        }
    }

    /// The pane with the focus in the shown tab.
    pub(super) fn focused(&self, layout: &Layout) -> Option<(TabId, PaneId)> {
        let tab = self.active_tab?;
        let focus = self.focus.get(&tab).copied().or_else(|| layout.tab(tab).map(|tab| tab.focus))?;
        Some((tab, focus))
    }

    /// Lets go of what is no longer in the layout. Whether anything was.
    pub(super) fn repair(&mut self, layout: &Layout) -> bool {
        let before = self.clone();
        if self.active_tab.is_none_or(|tab| layout.tab(tab).is_none()) {
            self.active_tab = layout.active_tab();
        }
        self.focus.retain(|tab, pane| layout.pane_tab(*pane) == Some(*tab));
        *self != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Op;

    #[test]
    fn a_view_of_its_own_follows_only_what_it_must() {
        let mut layout = Layout::default();
        let create = Op::CreateSession { name: None, node: "local".to_owned(), created_at_ms: 0 };
        let made = layout.apply(&create).unwrap();
        let (session, first, pane) = (made.session.unwrap(), made.tab.unwrap(), made.pane.unwrap());
        let mut view = View::of(&layout);
        let second = layout.apply(&Op::CreateTab { session, name: None }).unwrap().tab.unwrap();
        assert!(!view.repair(&layout), "the shared view went to the new tab, this one did not");
        assert_eq!(view.focused(&layout), Some((first, pane)));
        view.focus(&layout, pane);
        layout.apply(&Op::CloseTab { tab: first }).unwrap();
        assert!(view.repair(&layout));
        assert_eq!((view.active_tab, view.focus.len()), (Some(second), 0));
    }
}
