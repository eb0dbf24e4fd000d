//! What has been tried, and when it may be tried again.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

const HOUR: Duration = Duration::from_hours(1);
/// The enclave sees a transaction on chain within seconds; if it still wants it then, it is tried again.
const SEEN: Duration = Duration::from_secs(30);
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// Attempts of the submissions that are on offer, and transactions of the last hour.
#[derive(Debug)]
pub(super) struct Attempts {
    per_hour: usize,
    paid: VecDeque<Instant>,
    tried: BTreeMap<String, Tried>,
}

#[derive(Debug)]
struct Tried {
    failures: u32,
    again: Instant,
}

impl Attempts {
    pub(super) fn new(per_hour: usize) -> Self {
        Self { per_hour, paid: VecDeque::new(), tried: BTreeMap::new() }
    }

    /// Forgets all others.
    pub(super) fn keep<'a>(&mut self, offered: impl Iterator<Item = &'a str>) {
        let offered: std::collections::BTreeSet<_> = offered.collect();
        self.tried.retain(|id, _| offered.contains(id.as_str()));
    }

    /// Whether this one's time has come. An error if the hour's transactions are used up.
    pub(super) fn may(&mut self, id: &str, now: Instant) -> Result<bool, String> {
        if self.tried.get(id).is_some_and(|tried| now < tried.again) {
            return Ok(false);
        }
        while self.paid.front().is_some_and(|paid| now.duration_since(*paid) >= HOUR) {
            self.paid.pop_front();
        }
        if self.paid.len() >= self.per_hour {
            return Err(format!("{} transactions within an hour are enough: no more for now", self.per_hour));
        }
        Ok(true)
    }

    /// Remembers an attempt. Failed ones count for the hour, too: some of them cost gas.
    pub(super) fn tried(&mut self, id: &str, succeeded: bool, now: Instant) {
        self.paid.push_back(now);
        let failures = self.tried.get(id).map_or(0, |tried| tried.failures);
        let (failures, wait) = if succeeded {
            (0, SEEN)
        } else {
            (failures + 1, (FIRST_WAIT * 2_u32.saturating_pow(failures.min(16))).min(LONGEST_WAIT))
        };
        self.tried.insert(id.to_owned(), Tried { failures, again: now + wait });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_wait_longer_each_time_and_successes_until_they_are_seen() {
        let mut attempts = Attempts::new(100);
        let now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..9 {
            attempts.tried("a", false, now);
            waits.push((attempts.tried["a"].again - now).as_secs());
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 120, 120, 120]);
        assert_eq!(attempts.may("a", now + Duration::from_secs(119)), Ok(false));
        assert_eq!(attempts.may("a", now + LONGEST_WAIT), Ok(true));
        assert_eq!(attempts.may("b", now), Ok(true));
        attempts.tried("b", true, now);
        assert_eq!(attempts.may("b", now + Duration::from_secs(29)), Ok(false));
        assert_eq!(attempts.may("b", now + Duration::from_secs(30)), Ok(true));
        attempts.keep(["b"].into_iter());
        assert_eq!(attempts.may("a", now), Ok(true), "what was offered anew begins anew");
    }

    #[test]
    fn an_enclave_with_endless_wishes_costs_no_more_than_the_hour_allows() {
        let mut attempts = Attempts::new(10);
        let now = Instant::now();
        let mut paid = 0;
        for number in 0..1000 {
            let id = format!("wish {number}");
            attempts.keep([id.as_str()].into_iter());
            if attempts.may(&id, now) == Ok(true) {
                attempts.tried(&id, number % 2 == 0, now);
                paid += 1;
            }
        }
        assert_eq!(paid, 10);
        assert!(attempts.may("x", now + HOUR - Duration::from_secs(1)).is_err());
        assert_eq!(attempts.may("x", now + HOUR), Ok(true));
        assert!(attempts.tried.len() <= 1);
    }
}
