//! The measurement file: what an image build writes and `release publish` reads.
//!
//! The form is that of `attestation/measurements.schema.json`; a test holds the two against each other.

use std::collections::BTreeMap;
use std::path::Path;

use daas_diagnostics::{Diagnostic, codes};
use serde::Deserialize;

use crate::places::file_failed;

/// Larger files are not measurements.
const MAX_BYTES: u64 = 64 * 1024;
/// The highest index of a PCR, in a Nitro document (NSM: 32 registers) and in a TPM (24).
const MAX_PCR: u8 = 31;
const MAX_TPM_PCR: u8 = 23;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An enclave image.
    Eif,
    /// The development sandbox: can never equal an EIF.
    Sandbox,
    /// A worker image.
    Worker,
}

/// A measurement file that has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measurements {
    /// What was measured.
    pub kind: Kind,
    /// SHA-384 values of the enclave by PCR index.
    pub pcrs: BTreeMap<u8, [u8; 48]>,
    /// SHA-384 values of the worker image's TPM by PCR index.
    pub tpm_pcrs: BTreeMap<u8, [u8; 48]>,
    /// SHA-256 of the image file.
    pub artifact_sha256: [u8; 32],
    /// The commit that it was built from.
    pub source_revision: String,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    kind: Kind,
    pcrs: BTreeMap<String, String>,
    #[serde(default)]
    tpm_pcrs: BTreeMap<String, String>,
    artifact_sha256: String,
    source_revision: String,
    provider: String,
    provider_lock_sha256: String,
}

impl Measurements {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Self, Diagnostic> {
        let length = std::fs::metadata(path).map_err(|error| file_failed("read", path, &error))?.len();
        let invalid = |reason: String| {
            Diagnostic::new(codes::MEASUREMENTS_INVALID).with("path", path.display()).with("reason", reason)
        };
        if length > MAX_BYTES {
            return Err(invalid(format!("it is {length} bytes long, the limit is {MAX_BYTES}")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| file_failed("read", path, &error))?;
        Self::parse(&text).map_err(invalid)
    }

    /// Checks the text of a file; the error is a sentence without its full stop.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if file.version != 1 {
            return Err(format!("version is {}, this program reads 1", file.version));
        }
        let pcrs = registers("pcrs", &file.pcrs, MAX_PCR)?;
        let tpm_pcrs = registers("tpm_pcrs", &file.tpm_pcrs, MAX_TPM_PCR)?;
        match file.kind {
            Kind::Eif | Kind::Sandbox => {
                if let Some(missing) = (0..=2).find(|index| !pcrs.contains_key(index)) {
                    return Err(format!("pcrs lacks \"{missing}\": an enclave is known by PCR 0, 1 and 2"));
                }
            }
            Kind::Worker if tpm_pcrs.is_empty() => {
                return Err("tpm_pcrs is empty: a worker image is known by its TPM's PCRs".into());
            }
            Kind::Worker => {}
        }
        for (name, text) in [("source_revision", &file.source_revision), ("provider", &file.provider)] {
            if !is_line(text) {
                return Err(format!("{name} is not 1 to 128 printable ASCII characters"));
            }
        }
        digest::<32>("provider_lock_sha256", &file.provider_lock_sha256)?;
        Ok(Self {
            kind: file.kind,
            pcrs,
            tpm_pcrs,
            artifact_sha256: digest("artifact_sha256", &file.artifact_sha256)?,
            source_revision: file.source_revision,
        })
    }
}

fn registers(name: &str, texts: &BTreeMap<String, String>, highest: u8) -> Result<BTreeMap<u8, [u8; 48]>, String> {
    texts
        .iter()
        .map(|(index, value)| {
            let number = index.parse::<u8>().ok().filter(|number| number.to_string() == *index && *number <= highest);
            let number =
                number.ok_or_else(|| format!("{name} has \"{index}\", which is no register from 0 to {highest}"))?;
            let value: [u8; 48] = digest(&format!("{name}.{index}"), value)?;
            // A register of zeros was never extended; Nitro shows it for every image in debug mode.
            if value == [0; 48] {
                return Err(format!("{name}.{index} is all zeros: a register that measures nothing"));
            }
            Ok((number, value))
        })
        .collect()
}

fn digest<const N: usize>(name: &str, text: &str) -> Result<[u8; N], String> {
    let expected = || format!("{name} is not {} lower-case hex digits", 2 * N);
    let mut bytes = [0; N];
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !lower || hex::decode_to_slice(text, &mut bytes).is_err() {
        return Err(expected());
    }
    Ok(bytes)
}

fn is_line(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}
