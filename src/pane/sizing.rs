//! Which size a pane's PTY has, when its viewers have different ideas, and how often the PTY is told.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::geometry::Size;
use crate::ids::ViewerId;
use crate::protocol::client::SizePolicy;

/// The shortest time between two sizes told to the PTY: each makes the program redraw.
pub const BETWEEN_RESIZES: Duration = Duration::from_millis(50);

/// See the module.
#[derive(Debug)]
pub struct Sizing {
    policy: SizePolicy,
    /// The size each viewer that has a say shows the pane at.
    reported: HashMap<ViewerId, Size>,
    /// The viewer that typed last.
    typist: Option<ViewerId>,
    /// The size told last, or to be told to the next terminal.
    current: Size,
    told_at: Option<Instant>,
}

/// What to do about the PTY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resize {
    /// Nothing.
    Keep,
    /// Tell it this size now.
    Tell(Size),
    /// Look again then.
    NotBefore(Instant),
}

impl Sizing {
    /// A pane of this size that no viewer has reported on.
    #[must_use]
    pub fn new(size: Size, policy: SizePolicy) -> Sizing {
        Sizing { policy, reported: HashMap::new(), typist: None, current: size, told_at: None }
    }

    /// The size of the PTY, or of the next one.
    #[must_use]
    pub fn current(&self) -> Size {
        self.current
    }

    /// Who decides.
    #[must_use]
    pub fn policy(&self) -> SizePolicy {
        self.policy
    }

    /// The viewer that typed last, if it is still there.
    #[must_use]
    pub fn typist(&self) -> Option<ViewerId> {
        self.typist
    }

    /// Somebody else decides from now on.
    pub fn set_policy(&mut self, policy: SizePolicy) {
        self.policy = policy;
    }

    /// A viewer shows the pane at this size.
    pub fn report(&mut self, viewer: ViewerId, size: Size) {
        self.reported.insert(viewer, Size::clamped(size.cols, size.rows));
    }

    /// A viewer typed.
    pub fn typed(&mut self, viewer: ViewerId) {
        self.typist = Some(viewer);
    }

    /// A viewer is gone, or no longer wants a say.
    pub fn forget(&mut self, viewer: ViewerId) {
        self.reported.remove(&viewer);
        if self.typist == Some(viewer) {
            self.typist = None;
        }
    }

    fn wanted(&self) -> Size {
        let smallest = || {
            let cols = self.reported.values().map(|size| size.cols).min();
            let rows = self.reported.values().map(|size| size.rows).min();
            cols.zip(rows).map(|(cols, rows)| Size { cols, rows })
        };
        let wanted = match self.policy {
            SizePolicy::Fixed { cols, rows } => Some(Size::clamped(cols, rows)),
            SizePolicy::Smallest => smallest(),
            SizePolicy::Latest => match self.typist.and_then(|typist| self.reported.get(&typist)) {
                Some(size) => Some(*size),
                // Nobody has typed: a size that all can show whole.
                None => smallest(),
            },
        };
        wanted.unwrap_or(self.current)
    }

    /// Settles while there is no PTY to tell: the next one has the size that is wanted now. Whether that is news.
    pub fn settle_untold(&mut self) -> bool {
        let wanted = self.wanted();
        let news = wanted != self.current;
        self.current = wanted;
        news
    }

    /// What to do about the PTY, by what is known now.
    pub fn settle(&mut self, now: Instant) -> Resize {
        let wanted = self.wanted();
        if wanted == self.current {
            return Resize::Keep;
        }
        match self.told_at.map(|at| at + BETWEEN_RESIZES) {
            Some(at) if now < at => Resize::NotBefore(at),
            _ => {
                (self.current, self.told_at) = (wanted, Some(now));
                Resize::Tell(wanted)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: Size = Size { cols: 40, rows: 60 };
    const LARGE: Size = Size { cols: 120, rows: 30 };

    fn two_viewers(policy: SizePolicy) -> Sizing {
        let mut sizing = Sizing::new(Size::DEFAULT, policy);
        sizing.report(ViewerId(1), SMALL);
        sizing.report(ViewerId(2), LARGE);
        sizing
    }

    #[test]
    fn the_policy_decides() {
        let now = Instant::now();
        let both = Size { cols: 40, rows: 30 };
        let mut latest = two_viewers(SizePolicy::Latest);
        assert_eq!(latest.settle(now), Resize::Tell(both), "nobody typed: what all can show");
        latest.typed(ViewerId(2));
        let later = now + BETWEEN_RESIZES;
        assert_eq!(latest.settle(later), Resize::Tell(LARGE));
        latest.forget(ViewerId(2));
        assert_eq!(latest.settle(later + BETWEEN_RESIZES), Resize::Tell(SMALL));
        assert_eq!(two_viewers(SizePolicy::Smallest).settle(now), Resize::Tell(both));
        let fixed = SizePolicy::Fixed { cols: 0, rows: 9999 };
        assert_eq!(two_viewers(fixed).settle(now), Resize::Tell(Size { cols: 2, rows: 500 }));
    }

    #[test]
    fn without_a_pty_the_size_is_settled_at_once() {
        let mut sizing = two_viewers(SizePolicy::Latest);
        sizing.settle(Instant::now());
        sizing.typed(ViewerId(2));
        assert!(sizing.settle_untold() && !sizing.settle_untold());
        assert_eq!(sizing.current(), LARGE);
    }

    #[test]
    fn without_viewers_the_size_stays() {
        let mut sizing = two_viewers(SizePolicy::Latest);
        let now = Instant::now();
        sizing.settle(now);
        sizing.forget(ViewerId(1));
        sizing.forget(ViewerId(2));
        assert_eq!(sizing.settle(now + BETWEEN_RESIZES), Resize::Keep);
        assert_eq!(sizing.current(), Size { cols: 40, rows: 30 });
    }

    proptest! {
        #[test]
        fn a_storm_ends_at_the_last_size_in_few_steps(sizes in proptest::collection::vec((1u16..300, 1u16..200), 1..1000)) {
            let mut sizing = Sizing::new(Size::DEFAULT, SizePolicy::Latest);
            let start = Instant::now();
            let (mut now, mut told) = (start, 0);
            for (cols, rows) in &sizes {
                now += Duration::from_millis(1);
                sizing.report(ViewerId(1), Size { cols: *cols, rows: *rows });
                told += usize::from(matches!(sizing.settle(now), Resize::Tell(_)));
            }
            while let Resize::NotBefore(at) = sizing.settle(now) {
                (now, told) = (at, told + 1);
            }
            let (cols, rows) = *sizes.last().unwrap();
            prop_assert_eq!(sizing.current(), Size::clamped(cols, rows));
            prop_assert!(told <= sizes.len() / 50 + 2);
        }
    }
}
