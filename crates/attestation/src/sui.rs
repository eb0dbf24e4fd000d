//! What Sui's `0x2::nitro_attestation::load_nitro_attestation` does, for the development chain.
//!
//! It is no verdict: like Sui's verifier (`fastcrypto::nitro_attestation`) it accepts debug documents, any nonce, and any age
//! while the certificates are valid. Where this crate reads more strictly than Sui (`docs/attestation.md`), so does this.

use crate::verify::authenticate;
use crate::{Network, Pcrs, Platform, Refusal, Stage, TrustedRoots, UnixTime, Unverified};

/// `nitro_attestation::NitroAttestationDocument`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NitroAttestationDocument {
    /// UTF-8.
    pub module_id: Vec<u8>,
    /// Milliseconds.
    pub timestamp: u64,
    /// `SHA384`.
    pub digest: Vec<u8>,
    /// Ascending: PCR 0 to 4 and 8 as the document shows them, others where they are not zero.
    pub pcrs: Vec<(u8, Vec<u8>)>,
    /// As in the document.
    pub public_key: Option<Vec<u8>>,
    /// As in the document.
    pub user_data: Option<Vec<u8>>,
    /// As in the document.
    pub nonce: Option<Vec<u8>>,
}

/// The abort codes of the framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Abort {
    /// `EParseError`.
    Parse(Refusal),
    /// `EVerifyError`.
    Verify(Refusal),
}

/// Listed even if zero.
const ALWAYS: [u8; 6] = [0, 1, 2, 3, 4, 8];

/// Parses the document and verifies its signature and certificates at the chain's time.
pub fn load_nitro_attestation(
    document: &[u8],
    roots: &TrustedRoots,
    now_ms: u64,
) -> Result<NitroAttestationDocument, Abort> {
    let abort = |refusal: Refusal| match refusal.rule().stage {
        Stage::Parse => Abort::Parse(refusal),
        Stage::Authenticity | Stage::Policy => Abort::Verify(refusal),
    };
    let unverified = Unverified::parse(document).map_err(abort)?;
    // Sui's verifier looks for `pcrs` and finds none in the document of a TPM.
    if unverified.platform() != Platform::Enclave {
        return Err(Abort::Parse(Refusal::MissingField { field: "pcrs" }));
    }
    authenticate(&unverified, Network::Development(roots), UnixTime::from_millis(now_ms), None).map_err(abort)?;
    Ok(NitroAttestationDocument {
        module_id: unverified.module_id().into(),
        timestamp: unverified.timestamp().millis(),
        digest: b"SHA384".to_vec(),
        pcrs: listed(unverified.pcrs()),
        public_key: unverified.public_key().map(Into::into),
        user_data: unverified.user_data().map(Into::into),
        nonce: unverified.nonce().map(Into::into),
    })
}

fn listed(pcrs: &Pcrs) -> Vec<(u8, Vec<u8>)> {
    pcrs.iter()
        .filter(|(index, value)| ALWAYS.contains(index) || !value.is_zero())
        .map(|(index, value)| (index, value.0.to_vec()))
        .collect()
}
