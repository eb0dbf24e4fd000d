//! Messages that are signed off chain and checked by the contract: Ed25519 over
//! `"k3s-daas/<kind>/v1\0" ‖ BCS(message)`.

use daas_seal_token::signed_bytes;
use serde::{Deserialize, Serialize};
use sui_sdk_types::Address;

use super::measurements::WorkerPcr;
use super::numbers::Offence;
use super::{Bytes32, Pcr, Pcrs};

/// A message with its kind.
pub trait SignedMessage: Serialize {
    /// The kind in the domain.
    const KIND: &'static str;

    /// BCS of the message.
    fn message_bytes(&self) -> Vec<u8> {
        // These types hold no map, float or unbounded depth: nothing that BCS cannot encode.
        bcs::to_bytes(self).unwrap_or_default()
    }

    /// What the signature covers.
    fn signed_bytes(&self) -> Vec<u8> {
        signed_bytes(Self::KIND, &self.message_bytes())
    }
}

macro_rules! messages {
    ($($(#[$doc:meta])* $kind:literal $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            /// The cluster it is for.
            pub cluster: Address,
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl SignedMessage for $name {
            const KIND: &'static str = $kind;
        }
    )*};
}

messages! {
    /// Signed by an instance to renew its registration.
    "renew" RenewMessage {
        /// Who signs.
        instance: Bytes32,
        /// Rises strictly.
        sequence: u64,
        /// Timestamp of the new document.
        document_at_ms: u64,
    }

    /// Signed by the active instance to anchor its sealed state.
    "anchor" AnchorMessage {
        /// Who signs.
        instance: Bytes32,
        /// Rises strictly.
        sequence: u64,
        /// Epoch of the state.
        epoch: u64,
        /// Hash of the state.
        hash: Bytes32,
    }

    /// Signed by the active instance against a stake.
    "evidence" EvidenceMessage {
        /// Who signs.
        instance: Bytes32,
        /// Rises strictly.
        sequence: u64,
        /// Against whom.
        stake: Address,
        /// What for.
        offence: Offence,
        /// SHA-256 of the proof.
        digest: Bytes32,
    }

    /// Signed by the active instance to name who may hand over in its place.
    "successor" SuccessorMessage {
        /// Who signs.
        instance: Bytes32,
        /// Rises strictly.
        sequence: u64,
        /// The key inside the sealed state.
        successor_key: Bytes32,
    }

    /// Signed by the active instance, or with its successor key.
    "handover" HandOverMessage {
        /// The one that hands over.
        instance: Bytes32,
        /// Rises strictly.
        sequence: u64,
        /// The instance that becomes active.
        successor: Bytes32,
    }

    /// Signed by an auditor to approve a release.
    "release" ReleaseStatement {
        /// PCR0‖PCR1‖PCR2.
        pcrs: Pcrs,
        /// The signing certificate's.
        pcr8: Option<Pcr>,
        /// PCRs of the worker image.
        worker_pcrs: Vec<WorkerPcr>,
        /// SHA-256 of the image file.
        artifact_sha256: Bytes32,
        /// Where it was built from.
        source_revision: String,
    }

    /// Signed by present auditors to change the auditors.
    "auditors" AuditorsStatement {
        /// The new auditors.
        auditors: Vec<Bytes32>,
        /// How many of them must approve.
        threshold: u64,
        /// SHA-256 of the BCS of the rules now in force.
        previous_sha256: Bytes32,
    }

    /// Signed with the session key of a Seal token by a worker about itself.
    "statement" WorkerStatement {
        /// Its token.
        token: Address,
        /// Its stake.
        stake: Address,
        /// Its node name.
        name: String,
        /// Milliseconds since the Unix epoch.
        issued_at_ms: u64,
    }
}
