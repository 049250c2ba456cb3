//! `everpane paste`: text into a pane, as a paste.

use std::process::ExitCode;

use super::api::Api;
use super::failure::Failure;
use super::send::{input, part_of, read_stdin, shown};
use super::target::split_off;
use super::verb::{Common, Manner, Verb};
use crate::protocol::api::{InputPart, InputRequest};

/// The most that is read from stdin, in bytes; a pane takes far less.
const MAX_STDIN: u64 = 16 << 20;

const EXAMPLES: &str = "\
Examples:
  everpane paste p1 < patch.diff
      In one piece, bracketed if the program asked for that, so that an editor does not take it for keys.
  everpane paste -t work:notes 'two words'
      That text. `everpane send` types it as keys.";

/// What `paste` can be told.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The pane, then the text; without text: stdin
    #[arg(value_name = "TARGET] [TEXT")]
    words: Vec<String>,
    /// The pane; then all words are text
    #[arg(short, long, value_name = "TARGET")]
    target: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Verb for Args {
    fn common(&self) -> &Common {
        &self.common
    }

    fn run(&self, api: &Api, manner: Manner) -> Result<ExitCode, Failure> {
        let (target, text) = split_off(self.target.as_deref(), &self.words, 0);
        let part = match text {
            [] => part_of(read_stdin(MAX_STDIN)?),
            words => InputPart::Text(words.join(" ")),
        };
        shown(&input(api, &target, &InputRequest { parts: vec![part], paste: true })?, manner)
    }
}
