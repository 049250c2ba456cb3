//! Spans of time as people write them.

use std::time::Duration;

/// A span: a number and `ms`, `s`, `m` or `h`; a number alone is in seconds. At most a day.
///
/// # Errors
/// When it is none; for people.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    span(text, 1000.0)
}

/// The same where a number alone is in milliseconds.
///
/// # Errors
/// When it is none; for people.
pub(super) fn milliseconds(text: &str) -> Result<Duration, String> {
    span(text, 1.0)
}

/// The longest that can be asked for, in milliseconds.
const MAX_MS: f64 = 86_400_000.0;

fn span(text: &str, alone_ms: f64) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|char: char| char.is_ascii_alphabetic() || char == ' ');
    let unit = match text[digits.len()..].trim() {
        "" => Some(alone_ms),
        "ms" => Some(1.0),
        "s" | "sec" => Some(1000.0),
        "m" | "min" => Some(60_000.0),
        "h" => Some(3_600_000.0),
        _ => None,
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = digits.parse::<f64>().ok().filter(|_| plain);
    match number.zip(unit).map(|(number, unit)| number * unit) {
        Some(ms) if ms <= MAX_MS => Ok(Duration::from_secs_f64(ms / 1000.0)),
        Some(_) => Err("more than a day".to_owned()),
        None => Err("no span of time; one looks like 500ms, 30s, 2m or 1h".to_owned()),
    }
}

/// A span in milliseconds, as requests have it.
pub(super) fn as_ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        let cases =
            [("30s", 30_000), ("500ms", 500), ("2m", 120_000), ("1h", 3_600_000), ("1.5 s", 1500), ("0", 0)];
        for (text, wanted) in cases {
            assert_eq!(seconds(text).map(as_ms), Ok(wanted), "{text}");
        }
        assert_eq!(seconds("2").map(as_ms), Ok(2000));
        assert_eq!(milliseconds("2").map(as_ms), Ok(2));
        for text in ["", "s", "-1s", "1e3", "inf", "nan", "1 week", "1.2.3", "25h", "99999999999999999999s"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
