//! The gateway: whether it answers, knows us, is of our version, and has the same time of day.

use std::time::{Duration, Instant};

use super::finding::Finding;
use crate::cli::api::Api;
use crate::cli::failure::{Failure, Kind};
use crate::cli::reach::Reach;
use crate::clock::Moment;
use crate::protocol::api::{API_VERSION, GatewayRecord};

/// Clocks that differ by more than this, in milliseconds, make times that are shown look wrong.
const CLOCK_MS: u64 = 2_000;

/// A slower answer is felt while typing.
const SLOW: Duration = Duration::from_millis(150);

/// Asks the gateway that commands would talk to.
pub(super) fn look(reach: &Reach) -> Vec<Finding> {
    let asked = reach.find().and_then(|destination| {
        let name = destination.name();
        let api = Api::new(destination);
        let start = Instant::now();
        let record: GatewayRecord = api.get("")?;
        Ok((name, start.elapsed(), record))
    });
    match asked {
        Ok((name, took, record)) => findings(&name, took, &record, Moment::now().unix_ms),
        Err(failure) => vec![unanswered(failure)],
    }
}

fn unanswered(failure: Failure) -> Finding {
    let advice = failure.hint.unwrap_or_else(|| match failure.kind {
        Kind::Unreachable => "start one with `everpane serve`, or name another with --gateway".to_owned(),
        Kind::Refused => "give its token with EVERPANE_TOKEN".to_owned(),
        _ => "see whether this is the address of a gateway".to_owned(),
    });
    Finding::bad("gateway", failure.message, advice)
}

/// Those of a gateway that answered after `took`, when our clock said `now`, in milliseconds since the Unix epoch.
fn findings(name: &str, took: Duration, record: &GatewayRecord, now: u64) -> Vec<Finding> {
    let GatewayRecord { panes, connected, viewers, .. } = record;
    let seen = format!("{name}: {panes} panes, {connected} connected, {viewers} viewers");
    let whole = match &record.degraded {
        None => Finding::good("gateway", seen),
        Some(why) => {
            Finding::bad("gateway", format!("works only in part: {why}"), "see to that on its machine")
        }
    };
    vec![whole, version(record), pace(took), clock(record.now, now, took)]
}

fn version(record: &GatewayRecord) -> Finding {
    let ours = env!("CARGO_PKG_VERSION");
    let seen = format!("{} there, {ours} here", record.version);
    match record.version == ours {
        _ if record.api_version != API_VERSION => {
            let seen = format!("{seen}; its API is {}, ours is {API_VERSION}", record.api_version);
            Finding::bad("version", seen, "use the same version in both places")
        }
        true => Finding::good("version", ours),
        false => Finding::poor("version", seen, "use the same version in both places"),
    }
}

fn pace(took: Duration) -> Finding {
    let seen = format!("answers in {:.1} ms", took.as_secs_f64() * 1e3);
    match took > SLOW {
        true => Finding::poor("pace", seen, "keys are echoed that late, too; see to the way there"),
        false => Finding::good("pace", seen),
    }
}

fn clock(theirs: u64, ours: u64, took: Duration) -> Finding {
    // It may have looked at its clock at any time while we waited.
    let apart = theirs.abs_diff(ours).saturating_sub(took.as_millis() as u64);
    match apart > CLOCK_MS {
        true => {
            let seen = format!("{:.1} s apart from the gateway's", apart as f64 / 1e3);
            Finding::poor("clock", seen, "times that are shown are wrong by that; synchronize both (NTP)")
        }
        false => Finding::good("clock", "agrees with the gateway's"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn record() -> GatewayRecord {
        GatewayRecord {
            api_version: API_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: 1,
            started_at: 0,
            now: 1_000_000,
            sessions: 1,
            panes: 2,
            connected: 1,
            viewers: 0,
            degraded: None,
        }
    }

    fn verdicts(record: &GatewayRecord, took: u64, now: u64) -> Vec<Verdict> {
        let findings = findings("box", Duration::from_millis(took), record, now);
        findings.iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn a_gateway_like_ours_is_well() {
        assert!(verdicts(&record(), 3, 1_000_500).iter().all(|verdict| *verdict == Verdict::Good));
    }

    #[test]
    fn what_differs_is_found() {
        use Verdict::{Bad, Good, Poor};
        let old = GatewayRecord { version: "0.0.1".to_owned(), ..record() };
        assert_eq!(verdicts(&old, 3, 1_000_000), [Good, Poor, Good, Good]);
        let other = GatewayRecord { api_version: API_VERSION + 1, ..record() };
        assert_eq!(verdicts(&other, 3, 1_000_000), [Good, Bad, Good, Good]);
        let broken = GatewayRecord { degraded: Some("the disk is full".to_owned()), ..record() };
        assert_eq!(verdicts(&broken, 3, 1_000_000), [Bad, Good, Good, Good]);
        assert_eq!(verdicts(&record(), 900, 1_010_000), [Good, Good, Poor, Poor]);
        assert_eq!(verdicts(&record(), 4_000, 1_004_000), [Good, Good, Poor, Good], "late is not wrong");
    }
}
