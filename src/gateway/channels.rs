//! Which numbers stand for panes on the wire. A pane keeps its channel from birth to close, and the next pane
//! gets it only when no viewer can still hold frames for the old one.
//!
//! ```text
//!   free ──open──▶ owned by a pane ──close──▶ resting ──every viewer of then is gone or knows──▶ free
//! ```
//!
//! Only the few numbers that the compact framing reaches go round like this. The larger ones are plentiful, so
//! each is given out once.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::ids::ViewerId;
use crate::protocol::frame::Channel;

/// The first of the larger numbers: the one below is the compact control channel.
const FIRST_LARGE: u32 = Channel::COMPACT_CONTROL as u32 + 1;

/// The gateway's channel numbers.
#[derive(Debug)]
pub struct Channels {
    /// Compact ones that no pane has and no viewer remembers. At most 255.
    free: BTreeSet<Channel>,
    /// Compact ones whose pane is closed, while a viewer may not know it. At most 255.
    resting: BTreeMap<Channel, Rest>,
    /// The next larger one; beyond `u32` when all have been given out.
    next_large: u64,
}

/// What a channel without a pane waits for.
#[derive(Debug)]
struct Rest {
    /// The first layout that no longer has the channel's pane.
    revision: u64,
    /// Who was connected at the close and has not seen that layout; never empty.
    viewers: HashSet<ViewerId>,
}

/// Every number of 32 bits has been given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no channel is left; close panes, or restart the gateway to use the numbers of closed ones again")]
pub struct ChannelsExhausted;

impl Default for Channels {
    fn default() -> Channels {
        Channels::new()
    }
}

impl Channels {
    /// All channels, free.
    #[must_use]
    pub fn new() -> Channels {
        Channels::restore([])
    }

    /// After a restart of the gateway: the channels `used` belong to panes already, all others are free.
    #[must_use]
    pub fn restore(used: impl IntoIterator<Item = Channel>) -> Channels {
        let mut free: BTreeSet<Channel> = (0..u32::from(Channel::COMPACT_CONTROL)).map(Channel).collect();
        let mut next_large = u64::from(FIRST_LARGE);
        for channel in used {
            if !free.remove(&channel) {
                next_large = next_large.max(u64::from(channel.0) + 1);
            }
        }
        Channels { free, resting: BTreeMap::new(), next_large }
    }

    /// A channel for a new pane: the smallest compact one that is free, else a larger one.
    ///
    /// # Errors
    /// When no number is left.
    pub fn open(&mut self) -> Result<Channel, ChannelsExhausted> {
        if let Some(channel) = self.free.pop_first() {
            return Ok(channel);
        }
        let channel = u32::try_from(self.next_large).map_err(|_| ChannelsExhausted)?;
        self.next_large += 1;
        Ok(Channel(channel))
    }

    /// Whether the next channel will be one that the compact framing reaches.
    #[must_use]
    pub fn has_compact(&self) -> bool {
        !self.free.is_empty()
    }

    /// The pane of `channel` is closed. `revision` is that of the first layout without it, `viewers` are all
    /// that are connected now.
    pub fn close(&mut self, channel: Channel, revision: u64, viewers: impl Iterator<Item = ViewerId>) {
        let owned = !self.free.contains(&channel) && !self.resting.contains_key(&channel);
        if !channel.is_compact() || !owned {
            return;
        }
        let viewers: HashSet<ViewerId> = viewers.collect();
        if viewers.is_empty() {
            self.free.insert(channel);
        } else {
            self.resting.insert(channel, Rest { revision, viewers });
        }
    }

    /// A viewer says that it has seen the layout of this revision.
    pub fn viewer_seen(&mut self, viewer: ViewerId, revision: u64) {
        self.release(viewer, |rest| rest.revision <= revision);
    }

    /// A viewer's connection is gone, and with it every frame on its way.
    pub fn viewer_gone(&mut self, viewer: ViewerId) {
        self.release(viewer, |_| true);
    }

    /// `viewer` holds no frames for the `settled` ones any more.
    fn release(&mut self, viewer: ViewerId, settled: impl Fn(&Rest) -> bool) {
        let free = &mut self.free;
        self.resting.retain(|channel, rest| {
            if settled(rest) {
                rest.viewers.remove(&viewer);
            }
            let rests = !rest.viewers.is_empty();
            if !rests {
                free.insert(*channel);
            }
            rests
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn viewers(ids: &[u64]) -> impl Iterator<Item = ViewerId> {
        ids.iter().copied().map(ViewerId)
    }

    #[test]
    fn compact_channels_come_first_and_control_is_never_given_out() {
        let mut channels = Channels::new();
        for number in 0..255 {
            assert!(channels.has_compact());
            assert_eq!(channels.open(), Ok(Channel(number)));
        }
        assert!(!channels.has_compact());
        assert_eq!(channels.open(), Ok(Channel(256)));
        channels.close(Channel(9), 1, viewers(&[]));
        assert_eq!(channels.open(), Ok(Channel(9)), "a rested one before a larger one");
        assert_eq!(channels.open(), Ok(Channel(257)));
    }

    #[test]
    fn a_channel_rests_until_each_viewer_of_then_knows_or_is_gone() {
        let mut channels = Channels::restore((1..255).map(Channel));
        let channel = channels.open().unwrap();
        channels.close(channel, 7, viewers(&[1, 2]));
        channels.viewer_seen(ViewerId(1), 6);
        channels.viewer_gone(ViewerId(2));
        channels.viewer_seen(ViewerId(3), 7);
        assert!(!channels.has_compact(), "viewer 1 knows an older layout only");
        channels.viewer_seen(ViewerId(1), 8);
        assert_eq!(channels.open(), Ok(channel));
    }

    #[test]
    fn larger_channels_are_given_out_once() {
        let mut channels = Channels::restore((0..255).map(Channel));
        assert_eq!(channels.open(), Ok(Channel(256)));
        channels.close(Channel(256), 1, viewers(&[]));
        assert_eq!(channels.open(), Ok(Channel(257)));
    }

    #[test]
    fn after_a_restart_panes_keep_theirs_and_the_numbers_end_at_32_bits() {
        let used = (0..255).chain([70_000, u32::MAX - 1, 300]).map(Channel);
        let mut channels = Channels::restore(used);
        assert_eq!(channels.open(), Ok(Channel(u32::MAX)));
        assert_eq!(channels.open(), Err(ChannelsExhausted));
        channels.close(Channel(3), 1, viewers(&[]));
        assert_eq!(channels.open(), Ok(Channel(3)), "compact ones go on going round");
    }

    #[test]
    fn closing_twice_changes_nothing() {
        let mut channels = Channels::new();
        let channel = channels.open().unwrap();
        channels.close(channel, 1, viewers(&[1]));
        channels.close(channel, 2, viewers(&[]));
        assert_eq!(channels.open(), Ok(Channel(1)), "the first close still waits for its viewer");
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Open,
        /// Of the owned ones, counted round.
        Close(usize),
        Connect,
        /// By which of the connected viewers, counted round, and how many revisions it lags.
        Seen(usize, u64),
        Gone(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Open),
            4 => any::<usize>().prop_map(Step::Close),
            1 => Just(Step::Connect),
            4 => (any::<usize>(), 0u64..4).prop_map(|(viewer, lag)| Step::Seen(viewer, lag)),
            1 => any::<usize>().prop_map(Step::Gone),
        ]
    }

    /// Everything that happened, kept in the plainest form.
    #[derive(Debug, Default)]
    struct History {
        owned: Vec<Channel>,
        /// Compact channels in the game; all others belong to panes that never close.
        compact: Vec<Channel>,
        /// Who is connected, and the newest layout each has seen.
        viewers: Vec<(ViewerId, u64)>,
        /// Each close: the channel, the revision, and who was there.
        closed: Vec<(Channel, u64, Vec<ViewerId>)>,
    }

    impl History {
        fn remembered(&self, channel: Channel) -> bool {
            self.closed.iter().filter(|close| close.0 == channel).any(|(_, revision, witnesses)| {
                self.viewers.iter().any(|(viewer, seen)| witnesses.contains(viewer) && seen < revision)
            })
        }

        fn smallest_free(&self) -> Option<Channel> {
            let free = |channel: &Channel| !self.owned.contains(channel) && !self.remembered(*channel);
            self.compact.iter().copied().find(free)
        }
    }

    fn pick<T: Clone>(items: &[T], index: usize) -> Option<T> {
        items.get(index.checked_rem(items.len())?).cloned()
    }

    proptest! {
        #[test]
        fn any_history_gives_what_the_plain_rules_give(
            compact in 0u32..6,
            steps in proptest::collection::vec(step(), 1..150),
        ) {
            let mut channels = Channels::restore((compact..255).map(Channel));
            let mut history = History { compact: (0..compact).map(Channel).collect(), ..History::default() };
            let (mut revision, mut next_viewer, mut next_large) = (0, 0, 256);
            for step in steps {
                match step {
                    Step::Open => {
                        let expected = history.smallest_free().unwrap_or(Channel(next_large));
                        next_large += u32::from(!expected.is_compact());
                        let channel = channels.open().unwrap();
                        prop_assert_eq!(channel, expected);
                        prop_assert!(!history.owned.contains(&channel), "owned twice");
                        history.owned.push(channel);
                    }
                    Step::Close(index) => {
                        let Some(channel) = pick(&history.owned, index) else { continue };
                        revision += 1;
                        let witnesses: Vec<ViewerId> = history.viewers.iter().map(|known| known.0).collect();
                        channels.close(channel, revision, witnesses.iter().copied());
                        history.owned.retain(|owned| *owned != channel);
                        history.closed.push((channel, revision, witnesses));
                    }
                    Step::Connect => {
                        history.viewers.push((ViewerId(next_viewer), 0));
                        next_viewer += 1;
                    }
                    Step::Seen(index, lag) => {
                        let Some((viewer, _)) = pick(&history.viewers, index) else { continue };
                        let seen = revision.saturating_sub(lag);
                        channels.viewer_seen(viewer, seen);
                        let known = history.viewers.iter_mut().find(|known| known.0 == viewer).unwrap();
                        known.1 = known.1.max(seen);
                    }
                    Step::Gone(index) => {
                        let Some((viewer, _)) = pick(&history.viewers, index) else { continue };
                        channels.viewer_gone(viewer);
                        history.viewers.retain(|known| known.0 != viewer);
                    }
                }
                prop_assert_eq!(channels.has_compact(), history.smallest_free().is_some());
            }
            // In the end every viewer has seen the newest layout or has left, and nothing rests.
            for (index, (viewer, _)) in history.viewers.iter().enumerate() {
                if index % 2 == 0 { channels.viewer_seen(*viewer, revision) } else { channels.viewer_gone(*viewer) }
            }
            prop_assert!(channels.resting.is_empty());
            let owned = history.owned.iter().filter(|channel| channel.is_compact()).count();
            prop_assert_eq!(channels.free.len(), compact as usize - owned);
        }
    }
}
