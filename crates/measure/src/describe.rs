//! What an image is, for people and programs.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::Error;
use crate::eif::{Architecture, Eif, SectionKind, VERSION};
use crate::registers::{Register, Registers};

/// Everything that can be told of an image without unpacking its ramdisks. Its checksum is right, else there is no [`Eif`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    /// Bytes of the file.
    pub length: usize,
    /// Version of the format.
    pub version: u16,
    /// The processor it is for.
    pub architecture: Architecture,
    /// Bytes of memory that it asks for.
    pub default_memory: u64,
    /// Processors that it asks for.
    pub default_cpus: u64,
    /// The checksum, as hex digits.
    pub crc32: String,
    /// Its sections.
    pub sections: Vec<SectionDescription>,
    /// The registers of an enclave that boots it.
    pub pcrs: BTreeMap<u8, Register>,
    /// The kernel's command line, with what is not UTF-8 replaced.
    pub cmdline: String,
    /// What it says about itself; not measured.
    pub metadata: Option<Value>,
    /// Who signed it.
    pub signature: Option<SignatureDescription>,
}

/// One section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SectionDescription {
    /// What it holds.
    pub kind: SectionKind,
    /// Where its header begins.
    pub offset: u64,
    /// Bytes of its content.
    pub length: usize,
    /// The registers that depend on its content.
    pub measured_by: &'static [u8],
}

/// The signature section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignatureDescription {
    /// The certificate's subject.
    pub subject: String,
    /// ES256, ES384 or ES512.
    pub algorithm: Option<&'static str>,
    /// When the certificate begins to be valid: Unix seconds.
    pub not_before: u64,
    /// When it ends.
    pub not_after: u64,
    /// Whether its key signed this image's PCR0.
    pub valid: bool,
    /// Why not.
    pub refusal: Option<String>,
}

impl Description {
    /// Describes an image.
    pub fn of(eif: &Eif<'_>) -> Result<Self, Error> {
        let registers = eif.registers();
        Ok(Self {
            length: eif.length(),
            version: VERSION,
            architecture: eif.architecture(),
            default_memory: eif.default_memory(),
            default_cpus: eif.default_cpus(),
            crc32: format!("{:08x}", eif.crc32()),
            sections: sections(eif),
            signature: signature(eif, &registers),
            pcrs: registers.by_index(),
            cmdline: String::from_utf8_lossy(eif.cmdline()).into_owned(),
            metadata: eif.metadata()?,
        })
    }
}

/// The registers that a section's content changes; `ramdisk` counts ramdisks from 0.
pub(crate) fn measured_by(kind: SectionKind, ramdisk: usize) -> &'static [u8] {
    match kind {
        SectionKind::Kernel | SectionKind::Cmdline => &[0, 1],
        SectionKind::Ramdisk if ramdisk == 0 => &[0, 1],
        SectionKind::Ramdisk => &[0, 2],
        // Its certificate, not the signature.
        SectionKind::Signature => &[8],
        SectionKind::Metadata => &[],
    }
}

fn sections(eif: &Eif<'_>) -> Vec<SectionDescription> {
    let mut ramdisks = 0;
    eif.sections()
        .iter()
        .map(|section| {
            let measured_by = measured_by(section.kind, ramdisks);
            ramdisks += usize::from(section.kind == SectionKind::Ramdisk);
            let (kind, offset, length) = (section.kind, section.offset, section.content.len());
            SectionDescription { kind, offset, length, measured_by }
        })
        .collect()
}

fn signature(eif: &Eif<'_>, registers: &Registers) -> Option<SignatureDescription> {
    let signature = eif.signature()?;
    let certificate = signature.certificate();
    let (not_before, not_after) = certificate.validity();
    let refusal = signature.verify(&registers.pcr0).err().map(|error| error.to_string());
    Some(SignatureDescription {
        subject: certificate.subject().to_owned(),
        algorithm: certificate.algorithm().map(crate::signature::Algorithm::name),
        not_before,
        not_after,
        valid: refusal.is_none(),
        refusal,
    })
}
