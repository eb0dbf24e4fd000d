use std::time::Duration;

/// How long to wait before the next start of a program that ended: twice as long each time, up to a limit, and from the
/// beginning once it has stayed up.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    settled: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits `first`, then twice that, … up to `longest`; forgets when a run lasted `settled`.
    pub fn new(first: Duration, longest: Duration, settled: Duration) -> Self {
        Self { first, longest, settled, next: first }
    }

    /// The wait after a run that lasted `ran`.
    pub fn after(&mut self, ran: Duration) -> Duration {
        if ran >= self.settled {
            self.next = self.first;
        }
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_begin_anew_after_a_long_run() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(100), ms(500), ms(10_000));
        let waits: Vec<_> = (0..4).map(|_| backoff.after(ms(5))).collect();
        assert_eq!(waits, [ms(100), ms(200), ms(400), ms(500)]);
        assert_eq!(backoff.after(ms(10_000)), ms(100));
        assert_eq!(backoff.after(ms(0)), ms(200));
    }
}
