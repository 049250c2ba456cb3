//! The gateway as a whole: who owns what, how it starts and ends, and how layout changes are made.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::channels::Channels;
use super::clients::Clients;
use super::nodes::{LOCAL_NODE, Nodes};
use super::panes::{Live, Slot};
use super::records::front;
use super::restore::{SourceOf, keep_orphan};
use super::saved::SavedState;
use super::screens::{Model, Screens};
use super::settings::Settings;
use super::timers::Timers;
use super::updates::{Changes, Update, Updates};
use super::viewer::{Framing, Viewer};
use super::waking::Wakes;
use crate::clock::Moment;
use crate::host::local::LocalHost;
use crate::host::{Host, Kept};
use crate::ids::{PaneId, SessionId, TabId, ViewerId};
use crate::layout::{self, Axis, Layout, Tree};
use crate::pane::{Birth, Pane};
use crate::protocol::frame::Channel;
use crate::protocol::server::{
    LayoutTree, LayoutUpdate, ServerMessage, Session, StackOrientation, State, Tab, TabLayout,
};
use crate::store::{self, Marks, OpenError, Store};

/// How long a shutdown waits for programs to end.
const PROGRAMS_END_WITHIN: Duration = Duration::from_millis(2500);

/// How long a shutdown waits for the disk.
const SAVE_WITHIN: Duration = Duration::from_secs(1);

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory can't be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// A thread could not be started.
    #[error("the system gives no more threads: {0}")]
    Thread(std::io::Error),
}

/// The gateway's own node.
pub struct LocalNode {
    /// What hosts its PTYs.
    pub host: Arc<dyn Host>,
    /// The terminals that it has from before the gateway's start.
    pub kept: Vec<Kept>,
}

impl LocalNode {
    /// One without terminals.
    #[must_use]
    pub fn new(host: Arc<dyn Host>) -> LocalNode {
        LocalNode { host, kept: Vec::new() }
    }
}

/// The gateway is at its limit of viewers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the gateway serves {limit} viewers already, which is its limit")]
pub struct TooManyViewers {
    /// The limit.
    pub limit: usize,
}

/// The shared layout, and the numbers of its panes on the wire, under one lock.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) layout: Layout,
    pub(super) channels: Channels,
}

/// See the module.
pub(super) struct Hub {
    pub(super) settings: Settings,
    pub(super) nodes: Nodes,
    /// When the gateway was started.
    pub(super) started: Moment,
    /// The nodes that somebody typed for while they were away.
    pub(super) wakes: Wakes,
    plan: Mutex<Plan>,
    pub(super) panes: DashMap<PaneId, Arc<Slot>>,
    pub(super) by_channel: DashMap<Channel, Arc<Slot>>,
    /// The live terminals: the one and only source of what is connected.
    pub(super) terminals: DashMap<PaneId, Live>,
    pub(super) viewers: DashMap<ViewerId, Arc<Viewer>>,
    /// Who numbers its input. A leaf: no other lock is taken under it.
    clients: Mutex<Clients>,
    next_viewer: AtomicU64,
    pub(super) updates: Updates,
    pub(super) timers: Timers,
    pub(super) screens: Arc<Screens>,
    pub(super) spawns: Semaphore,
    /// Places for those who wait for something of a pane.
    pub(super) onlookers: Arc<Semaphore>,
    /// Starts under way, and programs that have not ended, of closed panes too.
    pub(super) running: TaskTracker,
    /// Set off when the gateway ends; viewers then say goodbye.
    pub(super) shutdown: CancellationToken,
    marks: OnceLock<Marks>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (panes, live, viewers) = (self.panes.len(), self.terminals.len(), self.viewers.len());
        f.debug_struct("Hub").field("panes", &panes).field("live", &live).field("viewers", &viewers).finish()
    }
}

/// A running gateway. Cheap to clone; all clones are the same gateway.
#[derive(Debug, Clone)]
pub struct Gateway {
    pub(super) hub: Arc<Hub>,
    pub(super) store: Arc<Mutex<Option<Store>>>,
}

impl Gateway {
    /// Starts a gateway with PTYs of this machine. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// When the data directory is in use by another gateway, or can't be used.
    pub fn start(settings: Settings) -> Result<Gateway, StartError> {
        Gateway::with_host(settings, Some(LocalNode::new(Arc::new(LocalHost::default()))))
    }

    /// Starts a gateway whose own node is this one, or that has none.
    ///
    /// # Errors
    /// See [`Gateway::start`].
    pub fn with_host(settings: Settings, local: Option<LocalNode>) -> Result<Gateway, StartError> {
        let mut warnings = Vec::new();
        let (mut store, state) = match &settings.data_dir {
            None => (None, None),
            Some(dir) => {
                let limits = store::Limits { output_bytes: settings.saved_bytes, ..store::Limits::default() };
                let opened = Store::open(dir, limits, SavedState::check)?;
                warnings = opened.warnings;
                (Some(opened.store), opened.state)
            }
        };
        let state_is_whole = warnings.is_empty();
        let hub = Arc::new(Hub::new(settings));
        if let Some(store) = &store {
            let _ = hub.marks.set(store.marks());
        }
        if let Some(state) = state {
            let kept = local.as_ref().map_or(&[][..], |local| &local.kept);
            hub.restore(state, store.as_ref(), kept, &mut warnings);
        }
        if let Some(store) = &mut store {
            match state_is_whole {
                true => hub.orphans(store).for_each(|pane| store.marks().forget_output(pane)),
                false => warnings.extend(hub.orphans(store).map(|pane| keep_orphan(store, pane))),
            }
            store.run(Arc::new(SourceOf(Arc::downgrade(&hub)))).map_err(StartError::Thread)?;
            hub.clone().watch_health(store);
        }
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        if !warnings.is_empty() {
            hub.updates.notice("state_damaged", warnings.join("\n"));
        }
        Screens::start(&hub).map_err(StartError::Thread)?;
        hub.clone().run();
        if let Some(LocalNode { host, kept }) = local {
            hub.node_up(LOCAL_NODE, &host, &kept);
        }
        Ok(Gateway { hub, store: Arc::new(Mutex::new(store)) })
    }

    /// Why the gateway works only in part, if so.
    #[must_use]
    pub fn health(&self) -> Option<String> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(Store::health)
    }

    /// A new viewer: the viewer, its own messages, and the updates for all.
    ///
    /// # Errors
    /// When there are too many.
    #[allow(clippy::type_complexity)]
    pub fn attach(
        &self,
        framing: Framing,
    ) -> Result<
        (Attached, mpsc::Receiver<Box<ServerMessage>>, broadcast::Receiver<Arc<Update>>),
        TooManyViewers,
    > {
        let limit = self.hub.settings.max_viewers;
        let id = ViewerId(self.hub.next_viewer.fetch_add(1, Ordering::Relaxed));
        let (viewer, messages) = Viewer::new(id, framing, Moment::now().unix_ms);
        // Before the state is looked at, so that no update falls between.
        let updates = self.hub.updates.subscribe();
        self.hub.viewers.insert(id, viewer.clone());
        let attached = Attached { hub: self.hub.clone(), viewer };
        // Counted with this one in, so that two who come at once can't both be the last. Dropped, it leaves.
        if self.hub.viewers.len() > limit {
            return Err(TooManyViewers { limit });
        }
        attached.hub.greet(&attached.viewer);
        Ok((attached, messages, updates))
    }

    /// Resolves when the gateway begins to shut down.
    pub async fn shutting_down(&self) {
        self.hub.shutdown.cancelled().await;
    }

    /// How often an update was encoded since the start; for tests and metrics.
    #[must_use]
    pub fn update_encodes(&self) -> u64 {
        self.hub.updates.encodes()
    }

    /// Ends the gateway: viewers are told, programs are hung up on, state is saved. Takes at most about 4 s.
    pub async fn shutdown(&self) {
        let hub = &self.hub;
        hub.shutdown.cancel();
        hub.spawns.close();
        hub.running.close();
        for live in &hub.terminals {
            if !live.outlives {
                live.terminal.kill();
            }
        }
        if tokio::time::timeout(PROGRAMS_END_WITHIN, hub.running.wait()).await.is_err() {
            tracing::warn!(left = hub.running.len(), "programs did not end in time");
        }
        let store = self.store.clone();
        let saved = tokio::task::spawn_blocking(move || {
            let store = store.lock().unwrap_or_else(PoisonError::into_inner).take();
            store.map_or(Ok(()), |store| store.flush(SAVE_WITHIN))
        });
        match saved.await {
            Ok(Err(error)) => tracing::error!("state not saved: {error}"),
            Err(error) => tracing::error!("state not saved: {error}"),
            Ok(Ok(())) => {}
        }
    }
}

/// An attached viewer; dropping it detaches the viewer, whatever path ended its connection.
#[derive(Debug)]
pub struct Attached {
    pub(super) hub: Arc<Hub>,
    /// The viewer.
    pub viewer: Arc<Viewer>,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.hub.detach(&self.viewer);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.screens.close();
    }
}

impl Hub {
    fn new(settings: Settings) -> Hub {
        Hub {
            spawns: Semaphore::new(settings.max_spawns.max(1)),
            onlookers: Arc::new(Semaphore::new(settings.max_waits)),
            clients: Mutex::new(Clients::new(settings.resume_within)),
            settings,
            nodes: Nodes::default(),
            started: Moment::now(),
            wakes: Wakes::default(),
            plan: Mutex::new(Plan { layout: Layout::default(), channels: Channels::new() }),
            panes: DashMap::new(),
            by_channel: DashMap::new(),
            terminals: DashMap::new(),
            viewers: DashMap::new(),
            next_viewer: AtomicU64::new(1),
            updates: Updates::new(),
            timers: Timers::default(),
            screens: Arc::new(Screens::default()),
            running: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            marks: OnceLock::new(),
        }
    }

    /// Guards [`Plan`]. ARCHITECTURE.md has the lock order.
    pub(super) fn plan(&self) -> MutexGuard<'_, Plan> {
        // Operations leave the layout whole or unchanged, also when they panic half-way in a query.
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn clients(&self) -> MutexGuard<'_, Clients> {
        // A panic in another holder leaves at worst a client that is forgotten later than it should be.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn marks(&self) -> Option<&Marks> {
        self.marks.get()
    }

    /// What users made has changed, and is to be saved.
    pub(super) fn mark_state(&self) {
        if let Some(marks) = self.marks() {
            marks.mark_state();
        }
    }

    fn run(self: Arc<Self>) {
        let until_shutdown = self.shutdown.clone();
        let timers = self.clone();
        tokio::spawn(until_shutdown.run_until_cancelled_owned(timers.run_timers()));
        tokio::spawn(self.shutdown.clone().run_until_cancelled_owned(self.clone().run_wakes()));
        let updates = self.clone();
        tokio::spawn(async move {
            // Updates go on during the shutdown: viewers see their panes disconnect.
            let build = |changes| updates.build_update(changes);
            updates.updates.run(updates.settings.coalesce, build).await;
        });
    }

    fn watch_health(self: Arc<Self>, store: &Store) {
        let mut health = store.health_changes();
        let shutdown = self.shutdown.clone();
        tokio::spawn(shutdown.run_until_cancelled_owned(async move {
            while health.changed().await.is_ok() {
                let message = health.borrow_and_update().clone().unwrap_or_default();
                self.updates.notice("not_saved", message);
            }
        }));
    }

    pub(super) fn insert_pane(&self, pane: Pane, model: Model) -> Arc<Slot> {
        let saved = self.marks().map(|marks| marks.output_mark(pane.id));
        let slot = Slot::new(pane, model, saved);
        self.by_channel.insert(slot.channel, slot.clone());
        self.panes.insert(slot.id, slot.clone());
        slot
    }

    pub(super) fn new_pane(&self, birth: Birth) -> Arc<Slot> {
        let model = Model::new(birth.screen_size, self.settings.scrollback, birth.offset);
        self.insert_pane(Pane::new(birth, self.settings.pane), model)
    }

    // Viewers.

    fn greet(self: &Arc<Self>, viewer: &Arc<Viewer>) {
        viewer.send(ServerMessage::Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            viewer_id: viewer.id,
            max_message_bytes: crate::protocol::MAX_MESSAGE_BYTES,
        });
        let state = self.state();
        if !state.layout.tabs.is_empty() {
            viewer.send(ServerMessage::State(state));
        }
        let over = |notice: &ServerMessage| matches!(notice, ServerMessage::Notice { message, .. } if message.is_empty());
        for notice in self.updates.notices().into_iter().filter(|notice| !over(notice)) {
            viewer.send(notice);
        }
        if viewer.framing == Framing::Compact {
            self.watch_everything(viewer);
        }
    }

    fn detach(self: &Arc<Self>, viewer: &Arc<Viewer>) {
        self.viewers.remove(&viewer.id);
        self.leave_client(viewer);
        self.plan().channels.viewer_gone(viewer.id);
        viewer.lock().leave();
        if self.shutdown.is_cancelled() {
            // All leave now. Who must get every byte comes back to the next gateway, and what is saved goes by that.
            return;
        }
        for slot in self.slots() {
            self.with_pane(&slot, |state, terminal, effects| {
                slot.set_watch(state, viewer.id, None);
                state.pane.sizing.forget(viewer.id);
                state.pane.settle_size(Instant::now(), terminal, effects);
            });
        }
    }

    /// All panes now; no map is locked while they are worked on.
    pub(super) fn slots(&self) -> Vec<Arc<Slot>> {
        self.panes.iter().map(|slot| slot.clone()).collect()
    }

    // What viewers are told.

    /// Everything, as of now.
    pub(super) fn state(&self) -> State {
        let plan = self.plan();
        self.state_of(&plan, self.updates.revision())
    }

    /// The same, and the tab that is active to who knows of one session alone, or of all.
    pub(super) fn state_and_front(&self, scope: Option<SessionId>) -> (State, Option<TabId>) {
        let plan = self.plan();
        (self.state_of(&plan, self.updates.revision()), front(&plan.layout, scope))
    }

    fn state_of(&self, plan: &Plan, revision: u64) -> State {
        let sessions = plan.layout.sessions().map(|session| Session {
            id: session.id,
            sandbox_id: session.node.clone(),
            name: session.name.clone(),
            created_at: session.created_at_ms,
        });
        State { sessions: sessions.collect(), layout: self.layout_of(&plan.layout, revision) }
    }

    fn layout_of(&self, layout: &Layout, revision: u64) -> LayoutUpdate {
        let now = Moment::now();
        let mut channels = BTreeMap::new();
        let mut connected = BTreeMap::new();
        let mut panes = BTreeMap::new();
        for (id, entry) in layout.panes() {
            let Some(slot) = self.slot(id) else { continue };
            let state = slot.lock();
            let live = self.terminals.contains_key(&id);
            channels.insert(id, slot.channel.0);
            connected.insert(id, live);
            panes.insert(id, state.pane.info(entry.name.clone(), live, now));
        }
        let tabs =
            layout.sessions().flat_map(|session| layout.tabs_of(session.id)).map(|tab| wire_tab(layout, tab));
        LayoutUpdate {
            tabs: tabs.collect(),
            active_tab: layout.active_tab(),
            channels,
            connected,
            revision: Some(revision),
            panes: Some(panes),
        }
    }

    fn build_update(&self, changes: Changes) -> Option<ServerMessage> {
        let plan = self.plan();
        if changes.sessions {
            return Some(ServerMessage::State(self.state_of(&plan, self.updates.advance())));
        }
        if changes.layout {
            return Some(ServerMessage::LayoutUpdate(self.layout_of(&plan.layout, self.updates.advance())));
        }
        let now = Moment::now();
        let info = |id: PaneId| {
            let name = plan.layout.pane(id)?.name.clone();
            let slot = self.slot(id)?;
            let state = slot.lock();
            Some((id, state.pane.info(name, self.terminals.contains_key(&id), now)))
        };
        let panes: BTreeMap<_, _> = changes.panes.into_iter().filter_map(info).collect();
        (!panes.is_empty()).then_some(ServerMessage::PaneUpdate { panes })
    }
}

fn wire_tab(layout: &Layout, tab: &layout::Tab) -> Tab {
    Tab {
        id: tab.id,
        session_id: tab.session,
        name: tab.name.clone(),
        layout: TabLayout { root: wire_tree(&tab.tree) },
        focus: layout.path_of(tab.id, tab.focus).unwrap_or_default(),
        zoomed: tab.zoomed,
    }
}

fn wire_tree(tree: &Tree) -> LayoutTree {
    match tree {
        Tree::Leaf { pane } => LayoutTree::Window { key: *pane },
        Tree::Split { axis, children } => LayoutTree::Stack {
            orientation: match axis {
                Axis::Columns => StackOrientation::Vertical,
                Axis::Rows => StackOrientation::Horizontal,
            },
            children: children.iter().map(|child| wire_tree(&child.tree)).collect(),
            ratios: children.iter().map(|child| child.ratio).collect(),
        },
    }
}
