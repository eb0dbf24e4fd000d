//! Reads an image file. What is accepted has one meaning for every reader, whether it follows the header's table (as QEMU
//! does) or the stream of sections (as AWS' tools do).

use super::format::{
    Architecture, HEADER_BYTES, Header, MAX_SECTIONS, SECTION_HEADER_BYTES, SectionHeader, SectionKind, crc32,
};
use crate::Error;
use crate::registers::{Registers, begins_like_a_sandbox, measure};
use crate::signature::Signature;

/// No tool writes more than a few kilobytes (AWS' own limit for custom metadata is 4096). Small maps take a hundred times their text in memory.
const MAX_METADATA_BYTES: u64 = 64 * 1024;
/// A certificate and a signature, each byte as a number of one or two bytes.
const MAX_SIGNATURE_BYTES: u64 = 64 * 1024;

/// An image file that has been checked: structure, order of sections, checksum, form of the signature section. It borrows the
/// file's bytes.
#[derive(Debug, Clone)]
pub struct Eif<'a> {
    header: Header,
    sections: Vec<Section<'a>>,
    signature: Option<Signature>,
    length: usize,
}

/// One section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section<'a> {
    /// What it holds.
    pub kind: SectionKind,
    /// Where its header begins in the file.
    pub offset: u64,
    /// Its bytes, without the section's header.
    pub content: &'a [u8],
}

impl<'a> Eif<'a> {
    /// Reads a whole file.
    pub fn parse(file: &'a [u8]) -> Result<Self, Error> {
        let header = Header::parse(file)?;
        let sections = sections(file, &header)?;
        check_order(&sections)?;
        let mut head = [0; HEADER_BYTES];
        head.copy_from_slice(&file[..HEADER_BYTES]);
        let computed = crc32(&head, [&file[HEADER_BYTES..]]);
        if computed != header.crc32 {
            return Err(Error::Crc { stored: header.crc32, computed });
        }
        let measured = sections.iter().filter(|section| {
            matches!(section.kind, SectionKind::Kernel | SectionKind::Cmdline | SectionKind::Ramdisk)
        });
        if begins_like_a_sandbox(measured.map(|section| section.content)) {
            return Err(Error::Sandbox);
        }
        let signature = of_kind(&sections, SectionKind::Signature).map(Signature::parse).transpose()?;
        Ok(Self { header, sections, signature, length: file.len() })
    }

    /// The processor that the image is for.
    pub fn architecture(&self) -> Architecture {
        self.header.architecture
    }

    /// Bytes of memory that the image asks for; nobody has to follow.
    pub fn default_memory(&self) -> u64 {
        self.header.default_memory
    }

    /// Processors that the image asks for; nobody has to follow.
    pub fn default_cpus(&self) -> u64 {
        self.header.default_cpus
    }

    /// The checksum in the header, which the bytes have.
    pub fn crc32(&self) -> u32 {
        self.header.crc32
    }

    /// Bytes of the whole file.
    pub fn length(&self) -> usize {
        self.length
    }

    /// All sections in the file's order.
    pub fn sections(&self) -> &[Section<'a>] {
        &self.sections
    }

    /// The kernel.
    pub fn kernel(&self) -> &'a [u8] {
        of_kind(&self.sections, SectionKind::Kernel).unwrap_or_default()
    }

    /// The kernel's command line.
    pub fn cmdline(&self) -> &'a [u8] {
        of_kind(&self.sections, SectionKind::Cmdline).unwrap_or_default()
    }

    /// The ramdisks: the first boots, the others are the application.
    pub fn ramdisks(&self) -> impl Iterator<Item = &'a [u8]> + use<'a, '_> {
        self.sections.iter().filter(|section| section.kind == SectionKind::Ramdisk).map(|section| section.content)
    }

    /// The bytes of the metadata section.
    pub fn metadata_bytes(&self) -> Option<&'a [u8]> {
        of_kind(&self.sections, SectionKind::Metadata)
    }

    /// What the image says about itself. Not measured: anyone may have written it.
    pub fn metadata(&self) -> Result<Option<serde_json::Value>, Error> {
        self.metadata_bytes().map(|bytes| serde_json::from_slice(bytes).map_err(Error::Metadata)).transpose()
    }

    /// Who signed the image; [`Signature::verify`] judges whether they did.
    pub fn signature(&self) -> Option<&Signature> {
        self.signature.as_ref()
    }

    /// The registers of an enclave that boots this image.
    pub fn registers(&self) -> Registers {
        let ramdisks: Vec<_> = self.ramdisks().collect();
        let certificate = self.signature.as_ref().map(|signature| signature.certificate().der());
        measure(self.kernel(), self.cmdline(), &ramdisks, certificate)
    }
}

fn sections<'a>(file: &'a [u8], header: &Header) -> Result<Vec<Section<'a>>, Error> {
    let mut sections = Vec::with_capacity(MAX_SECTIONS);
    let mut rest = &file[HEADER_BYTES..];
    for index in 0..usize::from(header.section_count) {
        let offset = (file.len() - rest.len()) as u64;
        if header.offsets[index] != offset {
            return Err(Error::SectionOffset { index, expected: offset, found: header.offsets[index] });
        }
        let (head, after) =
            rest.split_first_chunk::<SECTION_HEADER_BYTES>().ok_or(Error::SectionTruncated { index })?;
        let SectionHeader { kind, size } = SectionHeader::parse(index, head)?;
        if size != header.sizes[index] {
            return Err(Error::SectionSize { index, in_header: header.sizes[index], in_section: size });
        }
        let content = usize::try_from(size).ok().and_then(|size| after.split_at_checked(size));
        let (content, after) = content.ok_or(Error::SectionTruncated { index })?;
        let limit = match kind {
            SectionKind::Metadata => MAX_METADATA_BYTES,
            SectionKind::Signature => MAX_SIGNATURE_BYTES,
            _ => u64::MAX,
        };
        if size > limit {
            return Err(Error::SectionTooLarge { kind, found: size, limit });
        }
        sections.push(Section { kind, offset, content });
        rest = after;
    }
    if rest.is_empty() { Ok(sections) } else { Err(Error::TrailingBytes { found: rest.len() as u64 }) }
}

/// Measured sections are concatenated in the file's order, so one order is accepted: kernel, command line, ramdisks. Metadata
/// and signature are not concatenated and may stand anywhere after the command line.
fn check_order(sections: &[Section<'_>]) -> Result<(), Error> {
    let mut seen = Vec::with_capacity(sections.len());
    for (index, section) in sections.iter().enumerate() {
        let kind = section.kind;
        let in_place = match index {
            0 => kind == SectionKind::Kernel,
            1 => kind == SectionKind::Cmdline,
            _ => kind == SectionKind::Ramdisk || !seen.contains(&kind),
        };
        if !in_place {
            return Err(Error::SectionOrder { index, found: kind });
        }
        seen.push(kind);
    }
    if seen.contains(&SectionKind::Ramdisk) { Ok(()) } else { Err(Error::NoRamdisk) }
}

fn of_kind<'a>(sections: &[Section<'a>], kind: SectionKind) -> Option<&'a [u8]> {
    sections.iter().find(|section| section.kind == kind).map(|section| section.content)
}
