//! `everpane resize` and `everpane zoom`: how much room a pane has.

use std::process::ExitCode;

use super::api::Api;
use super::failure::{Failure, Kind};
use super::target::{default_target, pane_path};
use super::verb::{Common, Manner, Verb};
use crate::protocol::api::{PaneChange, PaneRecord, ResizeRequest, ZoomRequest};
use crate::protocol::client::{Direction, SizePolicy};

/// How far an edge is moved if nobody says, in thousandths of the tab.
const STEP: u16 = 50;

const RESIZE_EXAMPLES: &str = "\
Examples:
  everpane resize p3 left 100
      Moves its edge by a tenth of the tab (100 thousandths; 50 if nothing is said).
  everpane resize p3 --cols 120 --rows 40
      Its program sees that size, whoever looks at it how.
  everpane resize p3 --policy latest
      The size of who typed last, as it is at first; `smallest`: that of the smallest viewer.";

const ZOOM_EXAMPLES: &str = "\
Examples:
  everpane zoom
      The pane we are in, or the active one, fills its tab; again: not any more.
  everpane zoom p3 on
      It does, whether it did or not.";

/// What `resize` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = RESIZE_EXAMPLES, override_usage = "everpane resize [OPTIONS] [TARGET] left|right|up|down [AMOUNT]\n       everpane resize [OPTIONS] [TARGET] --cols COLS --rows ROWS\n       everpane resize [OPTIONS] [TARGET] --policy latest|smallest")]
pub(super) struct Resize {
    /// The pane [default: the one we are in, else the active one]; then which way its edge goes: left, right, up, down;
    /// and how far, in thousandths of the tab
    #[arg(value_name = "WORD", num_args = 0..=3)]
    words: Vec<String>,
    /// The pane
    #[arg(short, long, value_name = "TARGET")]
    target: Option<String>,
    /// A size that stays: cells across
    #[arg(long, requires = "rows")]
    cols: Option<u16>,
    /// A size that stays: cells down
    #[arg(long, requires = "cols")]
    rows: Option<u16>,
    /// Whose size it has
    #[arg(long, conflicts_with = "cols")]
    policy: Option<Policy>,
    #[command(flatten)]
    common: Common,
}

/// Who decides.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Policy {
    /// Who typed last
    Latest,
    /// The smallest viewer
    Smallest,
}

/// What `zoom` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = ZOOM_EXAMPLES, override_usage = "everpane zoom [OPTIONS] [TARGET] [on|off|toggle]")]
pub(super) struct Zoom {
    /// The pane [default: the one we are in, else the active one]; then on, off or toggle
    #[arg(value_name = "WORD", num_args = 0..=2)]
    words: Vec<String>,
    /// The pane
    #[arg(short, long, value_name = "TARGET")]
    target: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Verb for Resize {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure> {
        let (target, edge) = words_of(self.target.as_deref(), &self.words, |word| direction(word).is_some());
        let pane = pane_path(&target);
        let size = match (self.cols.zip(self.rows), self.policy) {
            (Some((cols, rows)), _) => Some(SizePolicy::Fixed { cols, rows }),
            (None, Some(Policy::Latest)) => Some(SizePolicy::Latest),
            (None, Some(Policy::Smallest)) => Some(SizePolicy::Smallest),
            (None, None) => None,
        };
        match (size, edge) {
            (Some(size), []) => {
                let change = PaneChange { size: Some(size), ..PaneChange::default() };
                manner.show(&api.patch::<PaneRecord>(&pane, &change)?, |_| String::new())
            }
            (None, [way, rest @ ..]) if rest.len() <= 1 => {
                let direction = direction(way).ok_or_else(|| unknown(way))?;
                let amount = rest.first().map_or(Ok(STEP), |far| far.parse().map_err(|_| unknown(far)))?;
                api.tell(&format!("{pane}/resize"), &ResizeRequest { direction, amount })?;
                Ok(ExitCode::SUCCESS)
            }
            (_, [word, ..]) => Err(unknown(word)),
            (None, []) => Err(Failure::new(Kind::Usage, "which way, or to which size?")
                .hint("left, right, up or down; or --cols and --rows; or --policy")),
        }
    }
}

impl Verb for Zoom {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, _: Manner) -> Result<ExitCode, Failure> {
        let (target, states) = words_of(self.target.as_deref(), &self.words, |word| state(word).is_some());
        let zoomed = match states {
            [] => None,
            [word] => state(word).ok_or_else(|| unknown(word))?,
            [_, word, ..] => return Err(unknown(word)),
        };
        api.tell(&format!("{}/zoom", pane_path(&target)), &ZoomRequest { zoomed })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The target, which is the first word unless an option names it or the word `is_other`; and the other words.
fn words_of<'a>(
    option: Option<&str>,
    words: &'a [String],
    is_other: fn(&str) -> bool,
) -> (String, &'a [String]) {
    match (option, words) {
        (Some(target), _) => (target.to_owned(), words),
        (None, [first, rest @ ..]) if !is_other(first) => (first.clone(), rest),
        (None, _) => (default_target(), words),
    }
}

fn direction(word: &str) -> Option<Direction> {
    match word {
        "left" => Some(Direction::Left),
        "right" => Some(Direction::Right),
        "up" => Some(Direction::Up),
        "down" => Some(Direction::Down),
        _ => None,
    }
}

/// What `on`, `off` and `toggle` ask for, as the request has it.
fn state(word: &str) -> Option<Option<bool>> {
    match word {
        "on" => Some(Some(true)),
        "off" => Some(Some(false)),
        "toggle" => Some(None),
        _ => None,
    }
}

fn unknown(word: &str) -> Failure {
    Failure::new(Kind::Usage, format!("what is `{word}`?")).hint("--help shows what can be said")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_may_be_left_out() {
        let is_other = |word: &str| direction(word).is_some();
        let words = ["p1", "left", "5"].map(str::to_owned);
        assert_eq!(words_of(None, &words, is_other), ("p1".to_owned(), &words[1..]));
        assert_eq!(words_of(None, &words[1..], is_other).1, &words[1..]);
        assert_eq!(words_of(Some("left"), &words[1..], is_other), ("left".to_owned(), &words[1..]));
    }
}
