//! What the enclave wants on chain. It has no coins: whoever submits pays, and gains and spoils nothing by it.

use daas_seal_token::StakeId;
use serde::{Deserialize, Serialize};

use super::wire::{base64, digits, text};

/// One element of the answer of `GET /api/v1/submissions`; gone when the enclave sees it on chain.
///
/// ```
/// use daas_join::master_api::{Offered, Submission};
/// let offered: Vec<Offered> = serde_json::from_str(&format!(
///     r#"[{{"id": "register-1", "instance": "{}", "kind": "register", "bytes": "hA=="}}]"#, "07".repeat(32)
/// ))?;
/// assert_eq!(offered[0].submission, Submission::Register { bytes: vec![0x84] });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// Names this very submission: a document that was made anew has another id.
    pub id: String,
    /// The instance key that it is about.
    #[serde(with = "digits")]
    pub instance: [u8; 32],
    /// What it is.
    #[serde(flatten)]
    pub submission: Submission,
}

/// A call of the contract, without what the submitter knows (cluster, clock).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Submission {
    /// `enclave::register`.
    Register {
        /// The attestation document.
        #[serde(with = "base64")]
        bytes: Vec<u8>,
    },
    /// `enclave::renew`.
    Renew {
        /// The new attestation document.
        #[serde(with = "base64")]
        bytes: Vec<u8>,
        /// Above every one before.
        sequence: u64,
        /// The instance's.
        #[serde(with = "digits")]
        signature: [u8; 64],
    },
    /// `evidence::report`.
    Evidence {
        /// The proof.
        #[serde(with = "base64")]
        bytes: Vec<u8>,
        /// Against whom.
        #[serde(with = "text")]
        stake: StakeId,
        /// The offence's number on chain.
        offence: u8,
        /// Above every one before.
        sequence: u64,
        /// The instance's.
        #[serde(with = "digits")]
        signature: [u8; 64],
    },
}

impl Submission {
    /// The word for it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Register { .. } => "register",
            Self::Renew { .. } => "renew",
            Self::Evidence { .. } => "evidence",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn submissions_are_written_as_they_are_read() {
        let (instance, signature) = ("07".repeat(32), "ab".repeat(64));
        let json = json!([
            {"id": "a", "instance": instance, "kind": "register", "bytes": "hA=="},
            {"id": "b", "instance": instance, "kind": "renew", "bytes": "hA==", "sequence": u64::MAX, "signature": signature},
            {"id": "c", "instance": instance, "kind": "evidence", "bytes": "AQI=", "stake": format!("0x{}", "05".repeat(32)),
             "offence": 1, "sequence": 9, "signature": signature},
        ]);
        let offered: Vec<Offered> = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(
            offered.iter().map(|one| one.submission.kind()).collect::<Vec<_>>(),
            ["register", "renew", "evidence"]
        );
        assert_eq!(serde_json::to_value(&offered).unwrap(), json);
    }

    #[test]
    fn what_is_no_submission_is_refused() {
        let good = json!({"id": "a", "instance": "07".repeat(32), "kind": "renew", "bytes": "hA==", "sequence": 1,
                          "signature": "ab".repeat(64)});
        assert!(serde_json::from_value::<Offered>(good.clone()).is_ok());
        for (field, value) in [
            ("kind", json!("activate")),
            ("instance", json!("07")),
            ("signature", json!("ab".repeat(63))),
            ("bytes", json!("!")),
            ("bytes", json!("A".repeat(16 * 1024 * 4 / 3 + 8))),
            ("sequence", json!("1")),
        ] {
            let mut bad = good.clone();
            bad[field] = value;
            assert!(serde_json::from_value::<Offered>(bad).is_err(), "{field}");
        }
    }
}
