//! `measurements::*`.

use serde::{Deserialize, Serialize};

use super::numbers::ReleaseStatus;
use super::{Bytes32, Pcr, Pcrs};

/// `measurements::ReleaseKey`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseKey {
    /// PCR0‖PCR1‖PCR2.
    pub pcrs: Pcrs,
}

/// `measurements::Release`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// PCR0‖PCR1‖PCR2.
    pub pcrs: Pcrs,
    /// The signing certificate's, where images are signed.
    pub pcr8: Option<Pcr>,
    /// PCRs of the worker image.
    pub worker_pcrs: Vec<WorkerPcr>,
    /// SHA-256 of the image file.
    pub artifact_sha256: Bytes32,
    /// Where it was built from.
    pub source_revision: String,
    /// Chain time.
    pub proposed_at_ms: u64,
    /// Chain time.
    pub active_from_ms: u64,
    /// Approvals needed, fixed when it was proposed.
    pub threshold: u64,
    /// Auditors that approved.
    pub approvals: Vec<Bytes32>,
    /// Where it is in its life.
    pub status: ReleaseStatus,
    /// Chain time; 0 unless Retiring.
    pub retiring_until_ms: u64,
    /// Revoked because it was compromised.
    pub compromised: bool,
}

impl Release {
    /// Listed, its delay over, approved by enough auditors.
    pub fn is_active(&self, now_ms: u64) -> bool {
        self.status == ReleaseStatus::Listed
            && now_ms >= self.active_from_ms
            && u64::try_from(self.approvals.len()).is_ok_and(|count| count >= self.threshold)
    }

    /// Good for registering and verifying: Active, or Retiring and not past its time.
    pub fn is_good(&self, now_ms: u64) -> bool {
        match self.status {
            ReleaseStatus::Listed => self.is_active(now_ms),
            ReleaseStatus::Retiring => now_ms <= self.retiring_until_ms,
            ReleaseStatus::Revoked => false,
        }
    }
}

/// `measurements::WorkerPcr`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerPcr {
    /// Which.
    pub index: u8,
    /// 32 or 48 bytes.
    pub value: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> Release {
        Release {
            pcrs: super::super::Bytes([1; 144]),
            pcr8: None,
            worker_pcrs: Vec::new(),
            artifact_sha256: super::super::Bytes([2; 32]),
            source_revision: "r".into(),
            proposed_at_ms: 50,
            active_from_ms: 100,
            threshold: 1,
            approvals: vec![super::super::Bytes([3; 32])],
            status: ReleaseStatus::Listed,
            retiring_until_ms: 0,
            compromised: false,
        }
    }

    #[test]
    fn a_release_is_good_when_active_or_retiring_in_time() {
        let listed = release();
        assert!(!listed.is_good(99) && listed.is_good(100));
        let unapproved = Release { approvals: Vec::new(), ..release() };
        assert!(!unapproved.is_good(100));
        let retiring = Release { status: ReleaseStatus::Retiring, retiring_until_ms: 200, ..release() };
        assert!(retiring.is_good(200) && !retiring.is_good(201) && !retiring.is_active(150));
        let revoked = Release { status: ReleaseStatus::Revoked, ..release() };
        assert!(!revoked.is_good(150));
    }
}
