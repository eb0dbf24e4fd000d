//! Four validators in one process: they sign every checkpoint with the BLS keys made at genesis.
//!
//! Signatures of one message add up to the signature of the sum of their keys (draft-irtf-cfrg-bls-signature §2.8). As all
//! keys are here, a quorum's aggregate is made with one signature instead of one a validator, each verified again.

use serde::{Deserialize, Serialize};
use sui_crypto::{Signer, bls12381::Bls12381PrivateKey};
use sui_sdk_types::{
    Bitmap, CheckpointSummary, EpochId, ValidatorAggregatedSignature, ValidatorCommittee, ValidatorCommitteeMember,
};

use crate::Error;

/// Validators of a development chain.
const VALIDATORS: usize = 4;
/// Signers of each checkpoint: three of four equal stakes are a quorum (more than two thirds).
const SIGNERS: usize = 3;
/// Order r of the groups of BLS12-381, big-endian (draft-irtf-cfrg-pairing-friendly-curves §4.2.1).
const ORDER: [u8; 32] = [
    0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05, 0x53, 0xbd, 0xa4,
    0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01,
];
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
    public: ValidatorCommittee,
    /// Sum of the signers' keys.
    quorum: Bls12381PrivateKey,
    signers: Bitmap,
}

impl Committee {
    /// Parses the stored keys.
    pub(crate) fn new(secret: &CommitteeSecret, epoch: EpochId) -> Result<Self, Error> {
        let failed = |e: sui_crypto::SignatureError| Error::Committee(e.to_string());
        let members = secret
            .0
            .iter()
            .map(|bytes| Bls12381PrivateKey::new(*bytes).map_err(failed))
            .map(|key| Ok(ValidatorCommitteeMember { public_key: key?.public_key(), stake: STAKE }))
            .collect::<Result<Vec<_>, Error>>()?;
        let quorum = Bls12381PrivateKey::new(secret.0.iter().take(SIGNERS).fold([0; 32], add)).map_err(failed)?;
        let mut signers = Bitmap::new();
        (0..).zip(&members).take(SIGNERS).for_each(|(index, _)| {
            signers.insert(index);
        });
        Ok(Self { public: ValidatorCommittee { epoch, members }, quorum, signers })
    }

    /// What a light client needs to verify checkpoints.
    pub(crate) fn public(&self) -> &ValidatorCommittee {
        &self.public
    }

    /// A quorum's aggregated signature over the summary.
    pub(crate) fn sign(&self, summary: &CheckpointSummary) -> Result<ValidatorAggregatedSignature, Error> {
        let signature =
            self.quorum.try_sign(&summary.signing_message()).map_err(|error| Error::Committee(error.to_string()))?;
        Ok(ValidatorAggregatedSignature { epoch: self.public.epoch, signature, bitmap: self.signers.clone() })
    }
}

/// The sum of two scalars modulo the group order, big-endian. Twice the order fits into 256 bits.
fn add(left: [u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let (mut sum, mut carry) = ([0; 32], 0);
    for index in (0..32).rev() {
        [carry, sum[index]] = (u16::from(left[index]) + u16::from(right[index]) + u16::from(carry)).to_be_bytes();
    }
    if sum >= ORDER { subtract(sum, &ORDER) } else { sum }
}

fn subtract(left: [u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let (mut difference, mut borrow) = ([0; 32], false);
    for index in (0..32).rev() {
        let (byte, first) = left[index].overflowing_sub(right[index]);
        let (byte, second) = byte.overflowing_sub(u8::from(borrow));
        (difference[index], borrow) = (byte, first || second);
    }
    difference
}

#[cfg(test)]
mod tests {
    use sui_crypto::bls12381::{ValidatorCommitteeSignatureAggregator, ValidatorCommitteeSignatureVerifier};
    use sui_sdk_types::{Digest, GasCostSummary};

    use super::*;

    #[test]
    fn a_light_client_accepts_what_the_committee_signed_and_nothing_else() {
        let committee = Committee::new(&CommitteeSecret::generate(), 0).unwrap();
        let summary = summary();
        let signature = committee.sign(&summary).unwrap();
        let verifier = ValidatorCommitteeSignatureVerifier::new(committee.public().clone()).unwrap();
        assert!(verifier.verify_checkpoint_summary(&summary, &signature).is_ok());
        let other = CheckpointSummary { timestamp_ms: 2, ..summary };
        assert!(verifier.verify_checkpoint_summary(&other, &signature).is_err());
    }

    /// The official aggregator, given each validator's own signature, makes the same one.
    #[test]
    fn one_signature_of_the_quorum_s_key_is_the_aggregate_of_the_validators() {
        for _ in 0..8 {
            let secret = CommitteeSecret::generate();
            let committee = Committee::new(&secret, 0).unwrap();
            let summary = summary();
            let mut aggregator =
                ValidatorCommitteeSignatureAggregator::new_checkpoint_summary(committee.public().clone(), &summary)
                    .unwrap();
            for key in secret.0.iter().take(SIGNERS) {
                let key = Bls12381PrivateKey::new(*key).unwrap();
                aggregator.add_signature(key.sign_checkpoint_summary(&summary)).unwrap();
            }
            assert_eq!(committee.sign(&summary).unwrap(), aggregator.finish().unwrap());
        }
    }

    fn summary() -> CheckpointSummary {
        CheckpointSummary {
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
        }
    }
}
