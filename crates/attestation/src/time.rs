//! The time as callers give it.

use std::time::Duration;

/// Milliseconds since 1970-01-01 00:00:00 UTC, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// From whole seconds; what does not fit is the end of time.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// From milliseconds, the unit of documents and of the chain.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Whole seconds, the resolution of certificates.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Milliseconds.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// How long after `earlier`; zero if before it.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}
