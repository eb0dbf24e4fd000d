//! What stands behind an attestation document: registrations, and what registered instances sign.
//!
//! An instance owns no coins. Whoever has some submits what it signed; the message says which cluster, instance and sequence.

use sui_sdk_types::Address;

use crate::client::calls::{self, Argument, enclave as call};
use crate::client::ptb::Clock;
use crate::client::{Access, Ptb, Receipt, Session};
use crate::error::Error;
use crate::types::Bytes32;
use crate::types::messages::{AnchorMessage, EvidenceMessage, HandOverMessage, RenewMessage, SuccessorMessage};

/// An Ed25519 signature.
type Signature = [u8; 64];

/// What a worker said about itself, where the chain contradicts it.
#[derive(Debug, Clone, Copy)]
pub struct ForgedStatement<'a> {
    /// The Seal token whose session key signed it: its stake's present one, or one that has expired or was revoked.
    pub token: Address,
    /// Which of the token's session keys, see [`SealTokenObject::former_keys`](crate::types::SealTokenObject::former_keys).
    pub key_generation: u64,
    /// BCS of a [`WorkerStatement`](crate::types::messages::WorkerStatement).
    pub statement: &'a [u8],
    /// The session key's.
    pub signature: &'a Signature,
}

impl Session {
    /// Registers an instance by its attestation document. Anyone may; an unexpired registration stays as it is.
    pub async fn register_instance(&self, cluster: Address, document: &[u8]) -> Result<Receipt, Error> {
        self.change_cluster(cluster, |ptb, cluster| {
            let document = calls::load_document(ptb, document);
            call::register(ptb, cluster, document, Clock);
        })
        .await
    }

    /// Renews a registration with a newer document.
    pub async fn renew_instance(
        &self,
        message: &RenewMessage,
        document: &[u8],
        signature: &Signature,
    ) -> Result<Receipt, Error> {
        self.change_cluster(message.cluster, |ptb, cluster| {
            let document = calls::load_document(ptb, document);
            call::renew(ptb, cluster, document, message.sequence, signature, Clock);
        })
        .await
    }

    /// Whether the contract takes the instance for registered, unexpired and of a good release. Asks, and pays nothing.
    pub async fn verify_instance(&self, cluster: Address, instance: &Bytes32) -> Result<(), Error> {
        self.ask_cluster(cluster, |ptb, cluster| call::verify(ptb, cluster, instance, Clock)).await
    }

    /// Whether the contract takes the instance for all that and for the active one. Asks, and pays nothing.
    pub async fn verify_active_instance(&self, cluster: Address, instance: &Bytes32) -> Result<(), Error> {
        self.ask_cluster(cluster, |ptb, cluster| call::verify_active(ptb, cluster, instance, Clock)).await
    }

    /// Names the key that may hand over in the active instance's place.
    pub async fn name_successor(&self, message: &SuccessorMessage, signature: &Signature) -> Result<Receipt, Error> {
        let SuccessorMessage { instance, sequence, successor_key, .. } = message;
        self.change_cluster(message.cluster, |ptb, cluster| {
            call::name_successor(ptb, cluster, instance, *sequence, successor_key, signature, Clock);
        })
        .await
    }

    /// Makes another registered instance the active one. `signer` is the active instance or its successor key.
    pub async fn hand_over(
        &self,
        message: &HandOverMessage,
        signer: &Bytes32,
        signature: &Signature,
    ) -> Result<Receipt, Error> {
        let HandOverMessage { sequence, successor, .. } = message;
        self.change_cluster(message.cluster, |ptb, cluster| {
            call::hand_over(ptb, cluster, signer, *sequence, successor, signature, Clock);
        })
        .await
    }

    /// Anchors the sealed state of the active instance.
    pub async fn anchor(&self, message: &AnchorMessage, signature: &Signature) -> Result<Receipt, Error> {
        let AnchorMessage { instance, sequence, epoch, hash, .. } = message;
        self.change_cluster(message.cluster, |ptb, cluster| {
            call::anchor(ptb, cluster, instance, *sequence, *epoch, hash, signature, Clock);
        })
        .await
    }

    /// Submits the active instance's evidence of a double identity or of silence. The message holds the SHA-256 of `proof`.
    pub async fn report(
        &self,
        message: &EvidenceMessage,
        proof: &[u8],
        signature: &Signature,
    ) -> Result<Receipt, Error> {
        let EvidenceMessage { instance, sequence, stake, offence, .. } = message;
        self.change_cluster(message.cluster, |ptb, cluster| {
            let stake = ptb.shared(*stake, Access::Write);
            calls::evidence::report(ptb, cluster, stake, instance, *sequence, *offence, proof, signature, Clock);
        })
        .await
    }

    /// Submits the active instance's evidence of a forged statement. The message holds the SHA-256 of the statement's bytes.
    pub async fn report_forged_statement(
        &self,
        message: &EvidenceMessage,
        forged: &ForgedStatement<'_>,
        signature: &Signature,
    ) -> Result<Receipt, Error> {
        let EvidenceMessage { instance, sequence, stake, .. } = message;
        self.change_cluster(message.cluster, |ptb, cluster| {
            let stake = ptb.shared(*stake, Access::Write);
            let token = ptb.shared(forged.token, Access::Read);
            calls::k8s_gateway::report_forged_statement(
                ptb,
                cluster,
                stake,
                token,
                instance,
                *sequence,
                forged.key_generation,
                forged.statement,
                forged.signature,
                signature,
                Clock,
            );
        })
        .await
    }

    /// Removes a registration that has expired. Anyone may; the active instance's stays.
    pub async fn forget_instance(&self, cluster: Address, instance: &Bytes32) -> Result<Receipt, Error> {
        self.change_cluster(cluster, |ptb, cluster| {
            call::forget_expired(ptb, cluster, instance, Clock);
        })
        .await
    }

    async fn change_cluster(&self, cluster: Address, commands: impl Fn(&mut Ptb, Argument)) -> Result<Receipt, Error> {
        self.run(0, || {
            let mut ptb = Ptb::new(self.package.id);
            let cluster = ptb.shared(cluster, Access::Write);
            commands(&mut ptb, cluster);
            ptb
        })
        .await
    }

    async fn ask_cluster(
        &self,
        cluster: Address,
        commands: impl Fn(&mut Ptb, Argument) -> Argument,
    ) -> Result<(), Error> {
        self.try_out(|| {
            let mut ptb = Ptb::new(self.package.id);
            let cluster = ptb.shared(cluster, Access::Read);
            commands(&mut ptb, cluster);
            ptb
        })
        .await
    }
}
