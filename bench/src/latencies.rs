use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long each of many runs of the same thing took.
pub(crate) struct Latencies {
    sorted: Vec<Duration>,
    total: Duration,
}

/// What reading the clock takes: the least of many readings, so that never too much is taken off.
pub(crate) fn clock() -> Duration {
    static CLOCK: OnceLock<Duration> = OnceLock::new();
    *CLOCK.get_or_init(|| (0..10_000).map(|_| Instant::now().elapsed()).min().unwrap_or_default())
}

impl Latencies {
    /// Times `count` runs one after another, each less the reading of the clock, after a tenth as many that are not
    /// counted.
    pub(crate) fn of(count: usize, mut run: impl FnMut(usize)) -> Self {
        let clock = clock();
        // Written before, so that no page fault of the list counts.
        let mut durations = vec![Duration::MAX; count];
        (0..count / 10).for_each(&mut run);
        let mut last = Instant::now();
        for (index, taken) in durations.iter_mut().enumerate() {
            run(index);
            let now = Instant::now();
            *taken = (now - last).saturating_sub(clock);
            last = now;
        }
        let total = durations.iter().sum();
        Self::from_parts(durations, total)
    }

    /// From durations that were taken elsewhere, over a wall time.
    pub(crate) fn from_parts(mut durations: Vec<Duration>, total: Duration) -> Self {
        durations.sort_unstable();
        Self { sorted: durations, total }
    }

    /// Runs per second of wall time.
    #[allow(clippy::cast_precision_loss)] // counts far below 2^52
    pub(crate) fn per_second(&self) -> f64 {
        self.sorted.len() as f64 / self.total.as_secs_f64()
    }

    /// The duration that this share of the runs (0 to 100) stayed within.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let last = self.sorted.len().saturating_sub(1);
        self.sorted.get(last * percent / 100).copied().unwrap_or_default()
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10.0}/s   p50 {:?}   p99 {:?}", self.per_second(), self.percentile(50), self.percentile(99))
    }
}
