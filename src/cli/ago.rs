//! How long something takes, and how long ago it was, for people.

use std::time::Duration;

/// A time in its largest unit.
pub(super) fn rounded(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..86_400 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// What was so long before now.
pub(super) fn ago(span: Duration) -> String {
    match span.as_secs() {
        0 => "just now".to_owned(),
        _ => format!("{} ago", rounded(span)),
    }
}

/// The same of two times in milliseconds since the Unix epoch. One that is to come is now.
pub(super) fn ago_at(then: u64, now: u64) -> String {
    ago(Duration::from_millis(now.saturating_sub(then)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_its_largest_unit() {
        let told = [0, 1, 59, 60, 3599, 3600, 86_399, 86_400].map(|secs| ago(Duration::from_secs(secs)));
        let wanted =
            ["just now", "1 s ago", "59 s ago", "1 min ago", "59 min ago", "1 h ago", "23 h ago", "1 d ago"];
        assert_eq!(told, wanted);
        assert_eq!((ago_at(9, 5), ago_at(1000, 121_500)), ("just now".to_owned(), "2 min ago".to_owned()));
    }
}
