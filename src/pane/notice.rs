//! The lines that the gateway itself draws into a pane's output: dim, on a line of their own.

use super::End;
use crate::clock::time_of_day;

/// Where one program's output ends and the next one's begins.
pub(super) fn separator(out: &mut Vec<u8>, at_line_start: bool, end: &End, note: Option<&str>, now_ms: u64) {
    let cause = match end {
        End::Never => "not started yet".to_owned(),
        End::Exited { exit, at } => format!("{exit} at {}", time_of_day(*at)),
        End::Failed { reason } => reason.clone(),
    };
    let note = note.map(|note| format!(" · {note}")).unwrap_or_default();
    line(out, at_line_start, &format!("── {cause} · restarted at {}{note} ──", time_of_day(now_ms)));
}

/// One dim line with `text`. The cursor ends at the start of the line below.
pub(super) fn line(out: &mut Vec<u8>, at_line_start: bool, text: &str) {
    out.extend_from_slice(if at_line_start { b"\r" } else { b"\r\n" });
    out.extend_from_slice(b"\x1b[0;2m");
    // A reason may hold a path, and a path may hold anything.
    out.extend(text.chars().filter(|char| !char.is_control()).collect::<String>().into_bytes());
    out.extend_from_slice(b"\x1b[0m\r\n");
}
