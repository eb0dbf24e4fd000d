use std::time::{Duration, SystemTime};

use super::{AuthorityName, LeafName, Lifetimes};

/// Clocks inside the enclave agree within seconds; a worker's may be a little behind.
const BACKDATED: Duration = Duration::from_mins(1);

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First moment.
    pub not_before: SystemTime,
    /// Last moment.
    pub not_after: SystemTime,
}

impl Window {
    pub(super) fn starting(now: SystemTime, lifetime: Duration) -> Self {
        Self { not_before: now.checked_sub(BACKDATED).unwrap_or(now), not_after: now + lifetime }
    }

    pub(super) fn within(self, outer: Self) -> Self {
        Self { not_before: self.not_before.max(outer.not_before), not_after: self.not_after.min(outer.not_after) }
    }

    /// When two thirds of the window have passed: two tries of the same length are left.
    pub fn renewal(self) -> SystemTime {
        let length = self.not_after.duration_since(self.not_before).unwrap_or_default();
        self.not_before + length / 3 * 2
    }

    /// Whether to renew at `now`: late in the window, or when a clock that was set back has left it.
    fn is_due(self, now: SystemTime) -> bool {
        now >= self.renewal() || now < self.not_before
    }
}

/// What has to be renewed, and when to ask again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Certificates to renew now.
    pub leaves: Vec<LeafName>,
    /// Whether to replace the service-account signing key now.
    pub service_account_key: bool,
    /// Authorities that have less than a third of their life left. They are not renewed while running: a new one is a new
    /// trust root, which every worker must verify again.
    pub ending: Vec<AuthorityName>,
    /// When the next renewal falls due, if nothing is done before.
    pub next: SystemTime,
}

/// What is due at `now`. Pure: the caller's clock, the caller's certificates.
pub fn plan(
    leaves: impl Iterator<Item = (LeafName, Window)>,
    authorities: impl Iterator<Item = (AuthorityName, Window)>,
    signing_since: SystemTime,
    lifetimes: &Lifetimes,
    now: SystemTime,
) -> Plan {
    let rotation = signing_since + lifetimes.service_account_key;
    let service_account_key = now >= rotation;
    let mut next = if service_account_key { now + lifetimes.service_account_key } else { rotation };
    let mut due = Vec::new();
    for (name, window) in leaves {
        if window.is_due(now) {
            due.push(name);
            next = next.min(Window::starting(now, lifetimes.leaf).renewal());
        } else {
            next = next.min(window.renewal());
        }
    }
    let ending = authorities.filter(|(_, window)| window.is_due(now)).map(|(name, _)| name).collect();
    Plan { leaves: due, service_account_key, ending, next }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn one(window: Window, now: SystemTime) -> Plan {
        let lifetimes = Lifetimes { leaf: Duration::from_mins(5), ..Lifetimes::default() };
        plan([(LeafName::EtcdServing, window)].into_iter(), std::iter::empty(), at(1_000), &lifetimes, now)
    }

    #[test]
    fn a_certificate_is_renewed_after_two_thirds_of_its_life_and_not_before() {
        let window = Window { not_before: at(1_000), not_after: at(1_300) };
        assert_eq!(one(window, at(1_199)).leaves, []);
        assert_eq!(one(window, at(1_199)).next, at(1_200));
        assert_eq!(one(window, at(1_200)).leaves, [LeafName::EtcdServing]);
        assert_eq!(one(window, at(9_999)).leaves, [LeafName::EtcdServing]);
    }

    #[test]
    fn a_clock_that_was_set_back_renews_what_is_not_valid_yet() {
        let window = Window { not_before: at(1_000), not_after: at(1_300) };
        assert_eq!(one(window, at(999)).leaves, [LeafName::EtcdServing]);
    }

    #[test]
    fn an_ending_authority_is_named() {
        let window = Window { not_before: at(0), not_after: at(300) };
        let lifetimes = Lifetimes::default();
        let of = |now| {
            plan(std::iter::empty(), [(AuthorityName::Server, window)].into_iter(), at(0), &lifetimes, now).ending
        };
        assert_eq!(of(at(199)), []);
        assert_eq!(of(at(200)), [AuthorityName::Server]);
    }

    proptest! {
        /// Whoever obeys the plan never meets an expired certificate, and never renews in a tight loop.
        #[test]
        fn obeying_the_plan_keeps_the_certificate_valid(lifetime in 90_u64..10_000_000, steps in 1_usize..20) {
            let lifetimes = Lifetimes { leaf: Duration::from_secs(lifetime), ..Lifetimes::default() };
            let mut now = at(2_000_000_000);
            let mut window = Window::starting(now, lifetimes.leaf);
            for _ in 0..steps {
                let asked = plan([(LeafName::EtcdServing, window)].into_iter(), std::iter::empty(), now, &lifetimes, now);
                prop_assert!(now <= window.not_after && now >= window.not_before);
                if !asked.leaves.is_empty() {
                    window = Window::starting(now, lifetimes.leaf);
                }
                prop_assert!(asked.next > now, "asking again at once would spin");
                now = asked.next;
            }
        }
    }
}
