//! The time, passed in: decisions use the monotonic instant, people are shown the wall clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use chrono::{Local, TimeZone};

/// One moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For decisions.
    pub at: Instant,
    /// For show: milliseconds since the Unix epoch.
    pub unix_ms: u64,
}

impl Moment {
    /// This moment. Only shells call this; cores are handed it.
    #[must_use]
    pub fn now() -> Moment {
        Moment { at: Instant::now(), unix_ms: unix_ms(SystemTime::now()) }
    }

    /// When, on the wall clock, `instant` is.
    #[must_use]
    pub fn unix_ms_at(&self, instant: Instant) -> u64 {
        let later = instant.saturating_duration_since(self.at).as_millis();
        let earlier = self.at.saturating_duration_since(instant).as_millis();
        self.unix_ms
            .saturating_add(u64::try_from(later).unwrap_or(u64::MAX))
            .saturating_sub(u64::try_from(earlier).unwrap_or(u64::MAX))
    }
}

fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The local time of day, as `14:03:22`.
#[must_use]
pub fn time_of_day(unix_ms: u64) -> String {
    local_time(unix_ms, "%H:%M:%S")
}

/// The local date and time of day, as `2026-02-28 14:03:22`.
#[must_use]
pub fn date_and_time(unix_ms: u64) -> String {
    local_time(unix_ms, "%Y-%m-%d %H:%M:%S")
}

fn local_time(unix_ms: u64, format: &str) -> String {
    let millis = i64::try_from(unix_ms).unwrap_or(i64::MAX);
    let time = Local.timestamp_millis_opt(millis).single();
    time.map(|time| time.format(format).to_string()).unwrap_or_default()
}
