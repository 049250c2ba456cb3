//! A gateway's restart: panes as they were saved, and, where their programs outlived the gateway before, at the very
//! place in their output where that one was.

use std::sync::Weak;
use std::time::Instant;

use super::channels::Channels;
use super::hub::{Hub, Plan};
use super::lossless::Expected;
use super::nodes::LOCAL_NODE;
use super::saved::{Behind, Checkpointed, OutputMeta, SavedPane, SavedState};
use super::screens::Model;
use super::settings::Settings;
use crate::clock::Moment;
use crate::geometry::Size;
use crate::host::Kept;
use crate::ids::PaneId;
use crate::layout;
use crate::pane::Pane;
use crate::pane::away::NodeState;
use crate::pane::printing::Place;
use crate::store::{self, SavedOutput, Store};

impl Hub {
    /// Puts back what was saved. `kept` is what the gateway's own node has from before.
    pub(super) fn restore(
        &self,
        state: SavedState,
        store: Option<&Store>,
        kept: &[Kept],
        warnings: &mut Vec<String>,
    ) {
        let SavedState { at, layout, mut panes } = state;
        // By a clock that was set back meanwhile it would be in the future.
        let at = at.min(Moment::now().unix_ms);
        let channels = Channels::restore(panes.values().map(SavedPane::channel));
        for (id, _) in layout.panes() {
            let Some(saved) = panes.remove(&id) else { continue };
            let output = store.map(|store| store.load_output(id)).transpose();
            let output = output.map(Option::flatten).unwrap_or_else(|error| {
                warnings.push(error.to_string());
                None
            });
            if saved.node() != LOCAL_NODE {
                // Waited for, also by those who type, before it has joined this gateway.
                self.nodes.expect(saved.node(), at);
            }
            let kept = kept.iter().find(|kept| kept.pane == id && saved.node() == LOCAL_NODE);
            let (pane, model, behind) = restored_pane(saved, id, at, output, kept, &self.settings);
            let expected =
                behind.map(|Behind { from, viewers }| Expected::new(from, viewers, Instant::now()));
            self.insert_pane(pane, model).lock().expected = expected;
        }
        *self.plan() = Plan { layout, channels };
    }

    /// Panes that the state knows nothing of, and whose output is on disk.
    pub(super) fn orphans(&self, store: &Store) -> impl Iterator<Item = PaneId> {
        let saved = store.saved_outputs().unwrap_or_default();
        saved.into_iter().filter(|pane| !self.panes.contains_key(pane))
    }
}

/// Keeps the output of a pane that a damaged state may have known, and says where.
pub(super) fn keep_orphan(store: &Store, pane: PaneId) -> String {
    match store.set_output_aside(pane) {
        Ok(name) => {
            format!("the last output of {pane}, which is in no layout now, was kept as output/{name}")
        }
        Err(error) => format!("cannot keep the last output of {pane} aside: {error}"),
    }
}

/// A screen that was saved, and where in its program's output it is.
struct Basis<'a> {
    /// Its offset in the pane's log.
    offset: u64,
    size: Size,
    place: Place,
    snapshot: &'a [u8],
    /// Those who lacked something before it when it was saved, and must get it.
    behind: Option<Behind>,
}

impl<'a> Basis<'a> {
    /// Where to go on with a program that was kept: at the gateway's own saved screen, which has scrollback, if the
    /// host still has all that was printed since, and no viewer may lack what was printed before that must get every
    /// byte; else at the checkpoint.
    fn of(kept: &Kept, saved: Option<Basis<'a>>, checkpoint: Option<Checkpointed<'a>>) -> Option<Basis<'a>> {
        let has = |basis: &Basis<'_>| {
            let Place { generation, printed, .. } = basis.place;
            generation == kept.generation && kept.reaches(printed)
        };
        let checkpoint = checkpoint.map(|Checkpointed { meta, screen }| Basis {
            offset: meta.offset,
            size: meta.size,
            place: meta.place,
            snapshot: screen,
            behind: None,
        });
        // Each insertion left a checkpoint behind it, and only that knows of it.
        let newest = checkpoint.as_ref().map(|checkpoint| checkpoint.place.insertions);
        let knows_all = |basis: &Basis<'_>| newest.is_none_or(|newest| newest == basis.place.insertions);
        let checkpoint = checkpoint.filter(has);
        let ahead = |basis: &Basis<'_>| {
            basis.behind.is_some_and(|behind| behind.from < basis.offset)
                && checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.offset < basis.offset)
        };
        saved.filter(|basis| has(basis) && knows_all(basis) && !ahead(basis)).or(checkpoint)
    }
}

/// A pane as it was saved, its screen, and the viewers that are to come back for the rest of what its program has printed.
fn restored_pane(
    saved: SavedPane,
    id: PaneId,
    at: u64,
    output: Option<SavedOutput>,
    kept: Option<&Kept>,
    settings: &Settings,
) -> (Pane, Model, Option<Behind>) {
    let output = output.unwrap_or_default();
    let meta: Option<OutputMeta> = serde_json::from_slice(&output.meta).ok();
    let snapshot = output.parts.concat();
    let now = Moment::now();
    let on_disk = meta.as_ref().filter(|_| !snapshot.is_empty()).and_then(|meta| {
        let (offset, place) = (output.offset, meta.place?);
        Some(Basis { offset, size: meta.size, place, snapshot: &snapshot, behind: meta.behind })
    });
    if saved.node() != LOCAL_NODE {
        if let Some(basis) = on_disk.filter(|basis| Some(basis.place.generation) == saved.living()) {
            // Its node tells later whether its program lives on.
            let (mut pane, model) = resumed_pane(saved, id, at, basis, NodeState::down(false, at), settings);
            let behind = meta.and_then(|meta| meta.behind);
            pane.expect_rest(behind.map(|behind| behind.from));
            return (pane, model, behind);
        }
    } else if let Some(kept) = kept.filter(|kept| Some(kept.generation) >= saved.living()) {
        let checkpoint = kept.checkpoint.as_ref().and_then(Checkpointed::read);
        let viewers = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.meta.lossless);
        if let Some(basis) = Basis::of(kept, on_disk, checkpoint) {
            let behind = (viewers > 0).then_some(Behind { from: basis.offset, viewers });
            let (pane, model) = resumed_pane(saved, id, at, basis, NodeState::Up, settings);
            return (pane, model, behind);
        }
    }
    let (local, living) = (saved.node() == LOCAL_NODE, saved.living());
    let mut birth = saved.birth(id, output.offset, at);
    if let Some(meta) = &meta {
        birth.screen_size = meta.size;
    }
    let model = Model::new(birth.screen_size, settings.scrollback, birth.offset);
    let mut pane = Pane::new(birth, settings.pane);
    pane.restore_screen(&snapshot, now);
    match living {
        Some(generation) if kept.is_some() || !local => {
            let printed = match meta {
                // What is saved is from before its start.
                None => Some(0),
                Some(meta) => meta.place.map(
                    |Place { generation: of, printed, .. }| {
                        if of == generation { printed } else { 0 }
                    },
                ),
            };
            pane.restore_away(printed, NodeState::down(false, at), now);
        }
        _ => pane.reset_input(now),
    }
    (pane, model, None)
}

/// A pane whose program outlived the gateway, or may have, as it was at one place in that program's output: offsets go on
/// as if nothing had happened.
fn resumed_pane(
    saved: SavedPane,
    id: PaneId,
    at: u64,
    basis: Basis<'_>,
    node: NodeState,
    settings: &Settings,
) -> (Pane, Model) {
    let mut birth = saved.birth(id, 0, at);
    (birth.offset, birth.size, birth.screen_size) = (basis.offset, basis.size, basis.size);
    birth.generation = birth.generation.max(basis.place.generation);
    let mut pane = Pane::new(birth, settings.pane);
    let now = Moment::now();
    let clean = pane.restore_at(basis.place, basis.snapshot);
    let model = Model::restored(basis.size, settings.scrollback, basis.offset, &clean);
    pane.restore_away(Some(basis.place.printed), node, now);
    (pane, model)
}

/// The hub as the store sees it.
pub(super) struct SourceOf(pub(super) Weak<Hub>);

impl store::Source for SourceOf {
    fn state(&self) -> Vec<u8> {
        let Some(hub) = self.0.upgrade() else { return Vec::new() };
        let plan = hub.plan();
        let saved = |(id, _): (PaneId, &layout::Pane)| {
            let slot = hub.slot(id)?;
            let state = slot.lock();
            Some((id, SavedPane::of(&state.pane, hub.terminals.contains_key(&id))))
        };
        let panes = plan.layout.panes().filter_map(saved).collect();
        let state = SavedState { at: Moment::now().unix_ms, layout: plan.layout.clone(), panes };
        drop(plan);
        serde_json::to_vec(&state)
            .expect("state is made of strings, numbers, lists and maps with string keys")
    }

    fn output(&self, pane: PaneId) -> Option<SavedOutput> {
        let hub = self.0.upgrade()?;
        let slot = hub.slot(pane)?;
        let snapshot = hub.snapshot_within(&slot, hub.settings.saved_bytes);
        let behind = slot.lock().behind(snapshot.offset);
        let meta = OutputMeta { size: snapshot.size, place: snapshot.place, behind };
        let meta = serde_json::to_vec(&meta).ok()?;
        // A screen that is larger than what is kept is not kept.
        let kept = snapshot.bytes.len() <= hub.settings.saved_bytes;
        let parts = if kept { vec![snapshot.bytes.clone().into()] } else { Vec::new() };
        Some(SavedOutput { offset: snapshot.offset, meta, parts })
    }
}
