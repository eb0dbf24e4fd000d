//! The measurement file of an image, as `attestation/measurements.schema.json` has it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Error;
use crate::registers::{Register, Registers};

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasuredKind {
    /// An enclave image.
    Eif,
    /// A development sandbox.
    Sandbox,
}

/// Where an image came from. Each text is 1 to 128 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The commit that the image was built from.
    pub source_revision: String,
    /// What provided the inputs of the build: nix, or offline.
    pub provider: String,
    /// SHA-256 of the provider's lock file.
    pub provider_lock_sha256: [u8; 32],
}

/// The text of the measurement file: JSON with sorted registers, ended by a line break.
pub fn measurement_file(
    kind: MeasuredKind,
    registers: &Registers,
    artifact_sha256: &[u8; 32],
    provenance: &Provenance,
) -> Result<String, Error> {
    for (what, text) in [("the source revision", &provenance.source_revision), ("the provider", &provenance.provider)] {
        if !(1..=128).contains(&text.len()) || !text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
            return Err(Error::Unwritable { what, reason: "it is not 1 to 128 printable ASCII characters".into() });
        }
    }
    let file = File {
        version: 1,
        kind,
        pcrs: registers.by_index(),
        artifact_sha256: hex::encode(artifact_sha256),
        source_revision: &provenance.source_revision,
        provider: &provenance.provider,
        provider_lock_sha256: hex::encode(provenance.provider_lock_sha256),
    };
    let mut text = serde_json::to_string_pretty(&file).map_err(Error::Metadata)?;
    text.push('\n');
    Ok(text)
}

/// SHA-256 of an image's pieces.
pub fn artifact_sha256<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    pieces.into_iter().for_each(|piece| context.update(piece));
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

#[derive(Serialize)]
struct File<'a> {
    version: u8,
    kind: MeasuredKind,
    pcrs: BTreeMap<u8, Register>,
    artifact_sha256: String,
    source_revision: &'a str,
    provider: &'a str,
    provider_lock_sha256: String,
}
