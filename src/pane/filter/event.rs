//! What a program's output says about the program.

use crate::screen::query::Query;

/// The longest title, in characters; the rest is cut off.
pub(super) const TITLE_LIMIT: usize = 256;

/// The longest text of a notification, or command line, in characters; the rest is cut off.
pub(super) const BODY_LIMIT: usize = 1024;

/// What a program's output says. Texts hold no control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The shell's directory: an absolute path, as the shell's own machine names it.
    WorkingDirectory(String),
    /// A prompt begins.
    PromptStart,
    /// The prompt is complete: what follows is what the user types.
    PromptEnd,
    /// The user's command starts to run.
    CommandStart,
    /// The command ended.
    CommandEnd {
        /// Its exit code, if the shell told it.
        exit: Option<i32>,
    },
    /// What the user's command is: at most 1,024 characters. Comes before it starts.
    CommandLine(String),
    /// The window's title: at most 256 characters.
    Title(String),
    /// The bell rings.
    Bell,
    /// Something that the user should know of.
    Notification {
        /// At most 256 characters; empty if the program gave none.
        title: String,
        /// At most 1,024 characters; may be empty if there is a title.
        body: String,
    },
    /// How far the program is.
    Progress(Progress),
    /// The program asks its terminal something. The question is not in the clean output.
    Query(Query),
}

/// How far a program is; percentages are from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is nothing to show.
    None,
    /// Under way.
    Normal {
        /// How much is done.
        percent: u8,
    },
    /// Failed.
    Error {
        /// How much is done, if the program says.
        percent: Option<u8>,
    },
    /// Under way, nobody knows how far.
    Indeterminate,
    /// Paused, or to be looked at.
    Paused {
        /// How much is done, if the program says.
        percent: Option<u8>,
    },
}

/// `text` without control characters, at most `limit` characters of it. Line ends and tabs become blanks.
pub(super) fn sanitised(text: &[u8], limit: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let blanked = text.chars().map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c });
    blanked.filter(|c| !c.is_control()).take(limit).collect()
}
