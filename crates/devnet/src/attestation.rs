//! The verifier behind `0x2::nitro_attestation::load_nitro_attestation`.

use daas_attestation::sui::{Abort, DIGEST, Loaded, load_nitro_attestation};
use daas_attestation::{Refusal, TrustedRoots};
use daas_move_vm::{AttestationDocument, AttestationError, AttestationVerifier};

use crate::AttestationRoot;

/// Behaves as Sui's native does: the signature, the certificates and their time are checked, the rest is left to the contract. It takes
/// debug documents, any nonce, and any age that the certificates allow.
///
/// AWS' root always counts; beside it, the roots of simulated hardware that the operator named.
#[derive(Debug)]
pub struct NitroVerifier {
    aws: TrustedRoots,
    /// Each beside AWS'.
    named: Vec<AttestationRoot>,
}

impl NitroVerifier {
    /// Trusts AWS and these.
    pub fn new(roots: Vec<AttestationRoot>) -> Self {
        Self { aws: TrustedRoots::aws(), named: roots }
    }
}

impl AttestationVerifier for NitroVerifier {
    fn verify(&self, document: &[u8], now_ms: u64) -> Result<AttestationDocument, AttestationError> {
        let mut verdict = load_nitro_attestation(document, &self.aws, now_ms);
        for root in &self.named {
            if !matches!(verdict, Err(Abort::Verify(Refusal::UnknownRoot))) {
                break;
            }
            verdict = load_nitro_attestation(document, root.trusted(), now_ms);
        }
        verdict.map(|loaded| as_the_framework_lists(&loaded)).map_err(|abort| refused(&abort))
    }
}

fn refused(abort: &Abort) -> AttestationError {
    // The chain says a number; who develops wants the rule.
    match abort {
        Abort::Parse(refusal) => {
            tracing::info!(rule = refusal.rule().code, "attestation document does not parse: {refusal}");
            AttestationError::Parse
        }
        Abort::Verify(refusal) => {
            tracing::info!(rule = refusal.rule().code, "attestation document is not genuine: {refusal}");
            AttestationError::Verify
        }
    }
}

fn as_the_framework_lists(loaded: &Loaded<'_>) -> AttestationDocument {
    let said = loaded.document();
    AttestationDocument {
        module_id: said.module_id().into(),
        timestamp: said.timestamp().millis(),
        digest: DIGEST.into(),
        pcrs: loaded.listed_pcrs().map(|(index, value)| (index, value.0.to_vec())).collect(),
        public_key: said.public_key().map(Into::into),
        user_data: said.user_data().map(Into::into),
        nonce: said.nonce().map(Into::into),
    }
}
