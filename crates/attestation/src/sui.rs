//! What Sui's `0x2::nitro_attestation::load_nitro_attestation` does, for the development chain.
//!
//! It is no verdict: like Sui's verifier (`fastcrypto::nitro_attestation`) it accepts debug documents, any nonce, and any age
//! while the certificates are valid. Where this crate reads more strictly than Sui (`docs/attestation.md`), so does this.

use crate::verify::authenticate;
use crate::{Network, Pcr, Platform, Refusal, Stage, TrustedRoots, UnixTime, Unverified};

/// A document that Sui's verifier would load: genuine, and nothing more. `nitro_attestation::NitroAttestationDocument` has its fields.
#[derive(Debug, Clone)]
pub struct Loaded<'a>(Unverified<'a>);

/// The abort codes of the framework.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Abort {
    /// `EParseError`.
    Parse(Refusal),
    /// `EVerifyError`.
    Verify(Refusal),
}

/// The field `digest`, the same in every document.
pub const DIGEST: &str = "SHA384";

/// Listed even if zero.
const ALWAYS: [u8; 6] = [0, 1, 2, 3, 4, 8];

impl<'a> Loaded<'a> {
    /// What the document says.
    pub fn document(&self) -> &Unverified<'a> {
        &self.0
    }

    /// The field `pcrs`, ascending: PCR 0 to 4 and 8 as the document shows them, others where they are not zero.
    pub fn listed_pcrs(&self) -> impl Iterator<Item = (u8, &Pcr)> {
        self.0.pcrs().iter().filter(|(index, value)| ALWAYS.contains(index) || !value.is_zero())
    }
}

/// Parses the document and verifies its signature and certificates at the chain's time.
pub fn load_nitro_attestation<'a>(document: &'a [u8], roots: &TrustedRoots, now_ms: u64) -> Result<Loaded<'a>, Abort> {
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
    Ok(Loaded(unverified))
}
