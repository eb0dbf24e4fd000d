//! Documents of NitroTPM (attestable AMIs): the same message with `nitrotpm_pcrs`, judged by another policy.
//!
//! PCR4 measures the unified kernel image, PCR7 the state of secure boot. PCR12 measures what a boot loader appended to the
//! kernel's command line; it must be zero, or somebody did.

use crate::policy::{AgeRule, NonceRule};
use crate::verify::open;
use crate::{ChainCache, Document, Network, Pcr, Platform, Refusal, UnixTime};

/// What a worker image must show.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// Which roots count.
    pub network: Network<'a>,
    /// The time to judge at.
    pub now: UnixTime,
    /// The images that may run.
    pub images: &'a [Image],
    /// What the document's nonce must be.
    pub nonce: NonceRule<'a>,
    /// How old the document may be.
    pub age: AgeRule,
}

/// A worker image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// PCR4: the unified kernel image.
    pub kernel: Pcr,
    /// PCR7: secure boot.
    pub secure_boot: Pcr,
}

/// A good document of a worker's instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    document: Document,
    image: usize,
}

const KERNEL: u8 = 4;
const SECURE_BOOT: u8 = 7;
const APPENDED_COMMAND_LINE: u8 = 12;

/// Judges a NitroTPM document.
pub fn verify(document: &[u8], policy: &Policy<'_>, cache: Option<&mut ChainCache>) -> Result<Verdict, Refusal> {
    let payload = open(document, policy.network, policy.now, cache)?;
    if payload.platform != Platform::NitroTpm {
        return Err(Refusal::NotATpm);
    }
    let pcr = |index| payload.pcrs.get(index).copied().ok_or(Refusal::PcrMissing { index });
    let (kernel, secure_boot, appended) = (pcr(KERNEL)?, pcr(SECURE_BOOT)?, pcr(APPENDED_COMMAND_LINE)?);
    if kernel.is_zero() {
        return Err(Refusal::ZeroMeasurement { index: KERNEL });
    }
    if !appended.is_zero() {
        let (expected, found) = (Pcr::ZERO.to_string(), appended.to_string());
        return Err(Refusal::Measurement { index: APPENDED_COMMAND_LINE, expected, found });
    }
    let found = Image { kernel, secure_boot };
    let image = policy.images.iter().position(|image| *image == found).ok_or_else(|| match policy.images {
        [] => Refusal::NoReleases,
        _ => Refusal::UnknownRelease { pcr0: kernel.to_string() },
    })?;
    policy.nonce.check(payload.nonce)?;
    policy.age.check(UnixTime::from_millis(payload.timestamp_ms), policy.now)?;
    Ok(Verdict { document: Document::of(&payload), image })
}

impl Verdict {
    /// What the document says.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The place of its image among those of the policy.
    pub fn image(&self) -> usize {
        self.image
    }
}
