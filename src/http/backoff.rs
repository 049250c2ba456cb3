//! Slows down who sends wrong tokens. The right token always passes, even from an address that is being slowed:
//! a token has at least 16 characters and the one we make 256 bits, so guessing is hopeless at any speed, while
//! one forgotten client with an old token must not lock its owner out of the same address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Failures that are answered plainly within [`WINDOW`].
const FREE_FAILURES: u32 = 10;

/// How long failures count.
const WINDOW: Duration = Duration::from_secs(60);

/// Addresses remembered at once; the one that failed first is forgotten for another.
const MAX_ADDRESSES: usize = 4096;

/// Who failed lately, and how often.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    addresses: HashMap<IpAddr, Failures>,
}

#[derive(Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

impl Backoff {
    /// Counts a failure of `address`. `Some` says that it is one too many, and how long to wait.
    pub(super) fn failed(&mut self, address: IpAddr, now: Instant) -> Option<Duration> {
        let address = network(address);
        if !self.addresses.contains_key(&address) && self.addresses.len() >= MAX_ADDRESSES {
            self.make_room(now);
        }
        let failures = self.addresses.entry(address).or_insert(Failures { since: now, count: 0 });
        if now.duration_since(failures.since) >= WINDOW {
            *failures = Failures { since: now, count: 0 };
        }
        failures.count = failures.count.saturating_add(1);
        (failures.count > FREE_FAILURES).then(|| WINDOW - now.duration_since(failures.since))
    }

    fn make_room(&mut self, now: Instant) {
        self.addresses.retain(|_, failures| now.duration_since(failures.since) < WINDOW);
        if self.addresses.len() >= MAX_ADDRESSES {
            let oldest = self.addresses.iter().min_by_key(|(_, failures)| failures.since);
            if let Some(address) = oldest.map(|(address, _)| *address) {
                self.addresses.remove(&address);
            }
        }
    }
}

/// What counts as one sender: with IPv6 a whole /64, as that is what one customer is given at the least.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn ten_thousand_wrong_tokens_slow_one_address_and_no_other() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        let slowed = (0..10_000).filter(|_| backoff.failed(v4(1), now).is_some()).count();
        assert_eq!(slowed, 10_000 - FREE_FAILURES as usize);
        assert_eq!(backoff.failed(v4(2), now), None);
    }

    #[test]
    fn the_wait_is_what_is_left_of_the_window() {
        let (mut backoff, start) = (Backoff::default(), Instant::now());
        for _ in 0..FREE_FAILURES {
            assert_eq!(backoff.failed(v4(1), start), None);
        }
        let later = start + Duration::from_secs(45);
        assert_eq!(backoff.failed(v4(1), later), Some(Duration::from_secs(15)));
        assert_eq!(backoff.failed(v4(1), start + WINDOW), None, "after the window it starts anew");
    }

    #[test]
    fn an_ipv6_network_is_one_sender() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        let address =
            |last: u16, network: u16| IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, network, 0, 0, 0, last));
        let slowed = (0..20).filter(|last| backoff.failed(address(*last, 1), now).is_some()).count();
        assert_eq!(slowed, 10);
        assert_eq!(backoff.failed(address(1, 2), now), None);
    }

    #[test]
    fn memory_is_bounded() {
        let (mut backoff, start) = (Backoff::default(), Instant::now());
        for number in 0..3 * MAX_ADDRESSES as u32 {
            backoff.failed(v4(number), start + Duration::from_micros(number.into()));
        }
        assert_eq!(backoff.addresses.len(), MAX_ADDRESSES);
        assert!(!backoff.addresses.contains_key(&v4(0)), "the oldest goes first");
    }
}
