//! Layouts as data: written as they are, and checked when they are read.

use std::collections::HashMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Layout;
use crate::ids::{PaneId, TabId};

impl Layout {
    /// The tab of each pane as the trees have it.
    pub(super) fn index(&self) -> HashMap<PaneId, TabId> {
        self.tabs.iter().flat_map(|(id, tab)| tab.tree.panes().map(|pane| (pane, *id))).collect()
    }
}

impl Serialize for Layout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Layout::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Layout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut layout = Layout::deserialize(deserializer)?;
        layout.pane_tabs = layout.index();
        layout.check().map_err(D::Error::custom)?;
        Ok(layout)
    }
}
