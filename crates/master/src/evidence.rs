//! Evidence: what workers were seen doing that their terms may punish, signed by the instance and offered for the chain.
//!
//! The authenticator sees one kubelet key in two live tunnels; the book sees silence. Only the active instance's word counts, the chain counts
//! each proof once, and what follows is in the terms of the stake. Silence is offered only where those say more than
//! "observe", and can never slash: whoever drops heartbeats between worker and enclave must not be able to.

use std::collections::VecDeque;

use daas_chain::registry::StakeRecord;
use daas_chain::types::messages::EvidenceMessage;
use daas_chain::types::{ActionKind, Bytes, Bytes32, Offence};
use daas_join::master_api::{NodeView, Offered, Submission};
use daas_seal_token::StakeId;
use serde_json::{Value, json};
use sui_sdk_types::Address;

use crate::instance::{Instance, sha256};

/// Cases that wait to be submitted; the oldest gives way.
const MOST: usize = 64;
/// The contract takes proofs up to this (docs/contract.md).
const LONGEST_PROOF: usize = 8_192;
/// A case that nobody submits for so long is given up.
const PATIENCE_MS: u64 = 6 * 3600 * 1000;

/// The cases that wait.
#[derive(Debug, Default)]
pub struct Cases {
    waiting: VecDeque<Case>,
    /// The highest sequence that was signed, or that the chain has seen.
    highest: u64,
    /// The highest that the chain has seen.
    on_chain: u64,
}

#[derive(Debug)]
struct Case {
    source: Source,
    stake: StakeId,
    offence: Offence,
    proof: Vec<u8>,
    digest: Bytes32,
    since_ms: u64,
    signed: Option<(u64, [u8; 64])>,
}

/// Who saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The authenticator, under this number.
    Authenticator(u64),
    /// The book of workers.
    Book,
}

impl Cases {
    /// A case against a stake, once a proof.
    pub fn note(&mut self, source: Source, stake: StakeId, offence: Offence, proof: &Value, now_ms: u64) {
        let proof = proof.to_string().into_bytes();
        let digest = Bytes(sha256(&proof));
        if proof.len() > LONGEST_PROOF || self.waiting.iter().any(|case| case.digest == digest) {
            return;
        }
        tracing::warn!(stake = %stake, offence = %offence, %digest, "an offence was seen");
        if self.waiting.len() >= MOST {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Case { source, stake, offence, proof, digest, since_ms: now_ms, signed: None });
    }

    /// The chain has counted a proof, or used a sequence up otherwise. Says where the case came from.
    pub fn counted(&mut self, digest: &Bytes32, sequence: u64) -> Option<Source> {
        self.seen(sequence);
        let place = self.waiting.iter().position(|case| case.digest == *digest)?;
        self.waiting.remove(place).map(|case| case.source)
    }

    /// The chain has seen a sequence: what was signed with that or a lower one is signed again.
    pub fn seen(&mut self, sequence: u64) {
        self.highest = self.highest.max(sequence);
        self.on_chain = self.on_chain.max(sequence);
        for case in &mut self.waiting {
            if case.signed.is_some_and(|(signed, _)| signed <= sequence) {
                case.signed = None;
            }
        }
    }

    /// Whether a sequence is above all that the chain has seen.
    pub fn is_above(&self, sequence: u64) -> bool {
        sequence > self.on_chain
    }

    /// A sequence that nobody has used. The first one on chain is a document's time in milliseconds, so the clock is above it.
    pub fn next_sequence(&mut self, now_ms: u64) -> u64 {
        self.highest = self.highest.max(now_ms) + 1;
        self.highest
    }

    /// All cases, signed, for the active instance to offer. `is_bonded`: whether a stake can still be reported.
    pub fn offered(
        &mut self,
        instance: &Instance,
        cluster: Address,
        now_ms: u64,
        is_bonded: impl Fn(&StakeId) -> bool,
    ) -> Vec<Offered> {
        self.waiting.retain(|case| now_ms.saturating_sub(case.since_ms) < PATIENCE_MS && is_bonded(&case.stake));
        let mut offered = Vec::new();
        for place in 0..self.waiting.len() {
            let (sequence, signature) = match self.waiting[place].signed {
                Some(signed) => signed,
                None => self.sign(place, instance, cluster, now_ms),
            };
            let case = &self.waiting[place];
            offered.push(Offered {
                id: format!("evidence-{}-{sequence}", hex::encode(&case.digest.0[..8])),
                instance: instance.public().0,
                submission: Submission::Evidence {
                    bytes: case.proof.clone(),
                    stake: case.stake,
                    offence: case.offence.into(),
                    sequence,
                    signature,
                },
            });
        }
        offered
    }

    fn sign(&mut self, place: usize, instance: &Instance, cluster: Address, now_ms: u64) -> (u64, [u8; 64]) {
        let sequence = self.next_sequence(now_ms);
        let case = &mut self.waiting[place];
        let message = EvidenceMessage {
            cluster,
            instance: instance.public(),
            sequence,
            stake: Address::new(case.stake.0),
            offence: case.offence,
            digest: case.digest,
        };
        let signed = (sequence, instance.sign(&message));
        case.signed = Some(signed);
        signed
    }
}

/// What the authenticator saw, as a proof: all of it but the number, which means nothing elsewhere.
pub fn double_identity(mut seen: Value) -> Option<(u64, Value)> {
    let fields = seen.as_object_mut()?;
    let number = fields.remove("id")?.as_u64()?;
    (fields.get("kind")? == "double_identity").then_some((number, seen))
}

/// The proof of a worker's silence, where the cluster's limit is passed and the stake's terms ask for more than to observe.
pub fn silence(view: &NodeView, stake: &StakeRecord, limit_ms: u64, now_ms: u64) -> Option<Value> {
    let last = view.last_heartbeat_ms?;
    let consequence = stake.terms.offences.get(usize::from(u8::from(Offence::Silent)))?;
    let asked = consequence.action != ActionKind::Observe && !stake.suspended;
    (asked && now_ms.saturating_sub(last) > limit_ms)
        .then(|| json!({"kind": "silent", "node": view.name.as_str(), "last_heartbeat_ms": last, "limit_ms": limit_ms}))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use daas_attestation::Claims;
    use daas_chain::types::SignedMessage as _;
    use daas_chain::types::cluster::Consequence;
    use daas_chain::types::staking::Terms;
    use daas_join::master_api::{NodeResources, NodeState};
    use daas_seal_token::{SigningKey, StakeStatus, Tier, WalletAddress};

    use super::*;

    const STAKE: StakeId = StakeId([5; 32]);

    fn instance() -> Instance {
        let claims = Claims {
            cluster: [0; 32],
            tls_spki_sha256: [0; 32],
            server_ca_sha256: [0; 32],
            config_sha256: [0; 32],
            state_epoch: 0,
        };
        Instance::new(SigningKey::from_bytes(&[1; 32]), claims)
    }

    fn seen(id: u64, key: &str) -> Value {
        json!({"id": id, "kind": "double_identity", "node": "a-00000001", "key_sha256": key})
    }

    fn sequences(offered: &[Offered]) -> Vec<u64> {
        let of = |one: &Offered| match one.submission {
            Submission::Evidence { sequence, .. } => sequence,
            _ => 0,
        };
        offered.iter().map(of).collect()
    }

    #[test]
    fn each_proof_is_offered_once_with_a_signature_over_the_contracts_message() {
        let (mut cases, instance) = (Cases::default(), instance());
        for (number, key) in [(1, "a"), (2, "a"), (3, "b")] {
            let (id, proof) = double_identity(seen(number, key)).unwrap();
            cases.note(Source::Authenticator(id), STAKE, Offence::DoubleIdentity, &proof, 100);
        }
        let offered = cases.offered(&instance, Address::TWO, 100, |_| true);
        assert_eq!(sequences(&offered), [101, 102]);
        let Submission::Evidence { bytes, stake, offence, sequence, signature } = &offered[0].submission else {
            panic!()
        };
        let message = EvidenceMessage {
            cluster: Address::TWO,
            instance: instance.public(),
            sequence: *sequence,
            stake: Address::new(stake.0),
            offence: Offence::try_from(*offence).unwrap(),
            digest: Bytes(sha256(bytes)),
        };
        let key = SigningKey::from_bytes(&[1; 32]).public();
        assert!(key.verifies(EvidenceMessage::KIND, &message.message_bytes(), signature));
        // As it is, it stays.
        assert_eq!(cases.offered(&instance, Address::TWO, 500, |_| true), offered);
    }

    #[test]
    fn a_sequence_that_the_chain_has_passed_is_signed_anew_and_what_counted_is_gone() {
        let (mut cases, instance) = (Cases::default(), instance());
        for (number, key) in [(1, "a"), (2, "b"), (3, "c")] {
            let (id, proof) = double_identity(seen(number, key)).unwrap();
            cases.note(Source::Authenticator(id), STAKE, Offence::DoubleIdentity, &proof, 100);
        }
        cases.offered(&instance, Address::TWO, 100, |_| true);
        // The second one is submitted first: the first one's sequence is too low now.
        let digest = cases.waiting[1].digest;
        assert_eq!(cases.counted(&digest, 102), Some(Source::Authenticator(2)));
        assert_eq!(cases.counted(&digest, 102), None);
        let offered = cases.offered(&instance, Address::TWO, 100, |_| true);
        assert_eq!(sequences(&offered), [104, 103]);
        // A renewal passes both.
        cases.seen(1_000);
        assert_eq!(sequences(&cases.offered(&instance, Address::TWO, 100, |_| true)), [1001, 1002]);
        assert!(cases.offered(&instance, Address::TWO, 100, |_| false).is_empty());
    }

    #[test]
    fn silence_is_reported_only_where_the_terms_ask_for_more_than_to_observe() {
        let consequence = |action| Consequence { action, share_bps: 0 };
        let stake = |action| StakeRecord {
            stake: STAKE,
            owner: WalletAddress([1; 32]),
            name: "a-05050505".parse().unwrap(),
            tier: Tier::Worker,
            status: StakeStatus::Active,
            suspended: false,
            amount: 1,
            terms: Arc::new(Terms {
                minimum_stake: 1,
                unbonding_ms: 1,
                slash_share_bps: 1,
                treasury: Address::ZERO,
                offences: [ActionKind::Slash, ActionKind::Slash, action].map(consequence).into(),
            }),
            staked_at_ms: 0,
            releases_at_ms: 0,
            token: None,
        };
        let view = |last| NodeView {
            name: "a-05050505".parse().unwrap(),
            address: "192.0.2.1".parse().unwrap(),
            pod_cidr: None,
            state: NodeState::NotReady,
            reason: String::new(),
            status: None,
            last_heartbeat_ms: last,
            resources: NodeResources::new(1, 1).unwrap(),
            used: None,
            running_pods: 0,
        };
        let eject = stake(ActionKind::Eject);
        assert!(silence(&view(Some(100)), &eject, 50, 151).is_some());
        assert_eq!(silence(&view(Some(100)), &eject, 50, 150), None);
        assert_eq!(silence(&view(None), &eject, 50, 1000), None);
        assert_eq!(silence(&view(Some(100)), &stake(ActionKind::Observe), 50, 1000), None);
        assert_eq!(silence(&view(Some(100)), &StakeRecord { suspended: true, ..eject }, 50, 1000), None);
    }

    #[test]
    fn what_is_no_double_identity_is_no_case() {
        for other in [json!(null), json!({"id": 1}), json!({"kind": "double_identity"}), json!({"id": 1, "kind": "x"})]
        {
            assert_eq!(double_identity(other), None);
        }
    }
}
