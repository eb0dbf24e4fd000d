//! Four validators in one process: they sign every checkpoint with the BLS keys made at genesis.

use serde::{Deserialize, Serialize};
use sui_crypto::bls12381::{Bls12381PrivateKey, ValidatorCommitteeSignatureAggregator};
use sui_sdk_types::{
    CheckpointSummary, EpochId, ValidatorAggregatedSignature, ValidatorCommittee, ValidatorCommitteeMember,
};

use crate::Error;

/// Validators of a development chain.
const VALIDATORS: usize = 4;
/// Signers of each checkpoint: three of four equal stakes are a quorum (more than two thirds).
const SIGNERS: usize = 3;
/// Sui normalizes the stake of a committee to 10 000.
const STAKE: u64 = 10_000 / VALIDATORS as u64;

/// The committee's secret keys, as the store keeps them. They guard nothing but a development chain.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CommitteeSecret(Vec<[u8; 32]>);

impl CommitteeSecret {
    /// Fresh random keys.
    pub(crate) fn generate() -> Self {
        let mut secrets = Vec::with_capacity(VALIDATORS);
        while secrets.len() < VALIDATORS {
            let candidate: [u8; 32] = rand::random();
            // A scalar must be below the group order: about every second random number is.
            if Bls12381PrivateKey::new(candidate).is_ok() {
                secrets.push(candidate);
            }
        }
        Self(secrets)
    }
}

/// The validators with their public committee.
pub(crate) struct Committee {
    keys: Vec<Bls12381PrivateKey>,
    public: ValidatorCommittee,
}

impl Committee {
    /// Parses the stored keys.
    pub(crate) fn new(secret: &CommitteeSecret, epoch: EpochId) -> Result<Self, Error> {
        let keys = secret
            .0
            .iter()
            .map(|bytes| Bls12381PrivateKey::new(*bytes).map_err(|e| Error::Committee(e.to_string())))
            .collect::<Result<Vec<_>, _>>()?;
        let members =
            keys.iter().map(|key| ValidatorCommitteeMember { public_key: key.public_key(), stake: STAKE }).collect();
        Ok(Self { keys, public: ValidatorCommittee { epoch, members } })
    }

    /// What a light client needs to verify checkpoints.
    pub(crate) fn public(&self) -> &ValidatorCommittee {
        &self.public
    }

    /// A quorum's aggregated signature over the summary.
    pub(crate) fn sign(&self, summary: &CheckpointSummary) -> Result<ValidatorAggregatedSignature, Error> {
        let failed = |e: sui_crypto::SignatureError| Error::Committee(e.to_string());
        let mut aggregator =
            ValidatorCommitteeSignatureAggregator::new_checkpoint_summary(self.public.clone(), summary)
                .map_err(failed)?;
        for key in self.keys.iter().take(SIGNERS) {
            aggregator.add_signature(key.sign_checkpoint_summary(summary)).map_err(failed)?;
        }
        aggregator.finish().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use sui_crypto::bls12381::ValidatorCommitteeSignatureVerifier;
    use sui_sdk_types::{Digest, GasCostSummary};

    use super::*;

    #[test]
    fn a_light_client_accepts_what_the_committee_signed_and_nothing_else() {
        let committee = Committee::new(&CommitteeSecret::generate(), 0).unwrap();
        let summary = CheckpointSummary {
            epoch: 0,
            sequence_number: 1,
            network_total_transactions: 1,
            content_digest: Digest::ZERO,
            previous_digest: None,
            epoch_rolling_gas_cost_summary: GasCostSummary::default(),
            timestamp_ms: 1,
            checkpoint_commitments: Vec::new(),
            end_of_epoch_data: None,
            version_specific_data: Vec::new(),
        };
        let signature = committee.sign(&summary).unwrap();
        let verifier = ValidatorCommitteeSignatureVerifier::new(committee.public().clone()).unwrap();
        assert!(verifier.verify_checkpoint_summary(&summary, &signature).is_ok());
        let other = CheckpointSummary { timestamp_ms: 2, ..summary };
        assert!(verifier.verify_checkpoint_summary(&other, &signature).is_err());
    }
}
