//! The fixed parts of the file, as AWS' `defs/mod.rs` lays them out. Every number is big-endian.

use std::fmt;

use serde::Serialize;

use crate::Error;

/// The version that is read and written; it added the metadata section.
pub const VERSION: u16 = 4;
/// Bytes of the file's header.
pub const HEADER_BYTES: usize = 548;
/// Bytes of each section's header.
pub const SECTION_HEADER_BYTES: usize = 12;
/// The header's tables have this many places.
pub const MAX_SECTIONS: usize = 32;

const MAGIC: [u8; 4] = *b".eif";
const FLAG_ARM64: u16 = 1;
const CRC_OFFSET: usize = HEADER_BYTES - 4;

/// The processor that the kernel is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// AMD64.
    #[default]
    X86_64,
    /// AArch64.
    Aarch64,
}

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionKind {
    /// The kernel image (type 1).
    Kernel,
    /// The kernel's command line (type 2).
    Cmdline,
    /// A ramdisk (type 3); the first one boots, the others are the application.
    Ramdisk,
    /// The signature over PCR0 (type 4).
    Signature,
    /// What the image says about itself, as JSON (type 5).
    Metadata,
}

impl SectionKind {
    fn from_number(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::Kernel),
            2 => Some(Self::Cmdline),
            3 => Some(Self::Ramdisk),
            4 => Some(Self::Signature),
            5 => Some(Self::Metadata),
            _ => None,
        }
    }

    fn number(self) -> u16 {
        match self {
            Self::Kernel => 1,
            Self::Cmdline => 2,
            Self::Ramdisk => 3,
            Self::Signature => 4,
            Self::Metadata => 5,
        }
    }
}

impl fmt::Display for SectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kernel => "kernel",
            Self::Cmdline => "command line",
            Self::Ramdisk => "ramdisk",
            Self::Signature => "signature",
            Self::Metadata => "metadata",
        })
    }
}

/// The file's header, each field as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) architecture: Architecture,
    pub(super) default_memory: u64,
    pub(super) default_cpus: u64,
    pub(super) section_count: u16,
    pub(super) offsets: [u64; MAX_SECTIONS],
    pub(super) sizes: [u64; MAX_SECTIONS],
    pub(super) crc32: u32,
}

impl Header {
    /// Reads a header and checks each field that does not depend on the sections.
    pub(super) fn parse(file: &[u8]) -> Result<Self, Error> {
        let bytes: &[u8; HEADER_BYTES] = file.first_chunk().ok_or(Error::HeaderTruncated { found: file.len() })?;
        let mut fields = Fields(bytes);
        if fields.take::<4>() != MAGIC {
            return Err(Error::Magic);
        }
        let version = fields.u16();
        if version != VERSION {
            return Err(Error::Version { found: version });
        }
        let flags = fields.u16();
        if flags & !FLAG_ARM64 != 0 {
            return Err(Error::Flags { part: "the header".into(), found: flags });
        }
        let architecture = if flags == FLAG_ARM64 { Architecture::Aarch64 } else { Architecture::X86_64 };
        let (default_memory, default_cpus) = (fields.u64(), fields.u64());
        if fields.u16() != 0 {
            return Err(Error::NotZero { field: "reserved" });
        }
        let section_count = fields.u16();
        if !(3..=MAX_SECTIONS).contains(&usize::from(section_count)) {
            return Err(Error::SectionCount { found: section_count });
        }
        let offsets = std::array::from_fn(|_| fields.u64());
        let sizes = std::array::from_fn(|_| fields.u64());
        let unused_places = offsets[section_count.into()..].iter().chain(&sizes[section_count.into()..]);
        if unused_places.copied().any(|number| number != 0) {
            return Err(Error::NotZero { field: "section table after the last section" });
        }
        if fields.u32() != 0 {
            return Err(Error::NotZero { field: "unused" });
        }
        let crc32 = fields.u32();
        Ok(Self { architecture, default_memory, default_cpus, section_count, offsets, sizes, crc32 })
    }

    /// The header as it stands in a file. The checksum is the last field, so that the rest can be hashed before it is known.
    pub(super) fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let flags = match self.architecture {
            Architecture::X86_64 => 0,
            Architecture::Aarch64 => FLAG_ARM64,
        };
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_be_bytes());
        bytes.extend(flags.to_be_bytes());
        bytes.extend(self.default_memory.to_be_bytes());
        bytes.extend(self.default_cpus.to_be_bytes());
        bytes.extend(0_u16.to_be_bytes());
        bytes.extend(self.section_count.to_be_bytes());
        bytes.extend(self.offsets.iter().chain(&self.sizes).flat_map(|number| number.to_be_bytes()));
        bytes.extend(0_u32.to_be_bytes());
        bytes.extend(self.crc32.to_be_bytes());
        let mut header = [0; HEADER_BYTES];
        header.copy_from_slice(&bytes);
        header
    }
}

/// A section's own header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SectionHeader {
    pub(super) kind: SectionKind,
    pub(super) size: u64,
}

impl SectionHeader {
    /// Reads the header of the section with this index.
    pub(super) fn parse(index: usize, bytes: &[u8; SECTION_HEADER_BYTES]) -> Result<Self, Error> {
        let mut fields = Fields(bytes);
        let number = fields.u16();
        let kind = SectionKind::from_number(number).ok_or(Error::SectionType { index, found: number })?;
        let flags = fields.u16();
        if flags != 0 {
            return Err(Error::Flags { part: format!("section {index}"), found: flags });
        }
        Ok(Self { kind, size: fields.u64() })
    }

    /// The header as it stands in a file.
    pub(super) fn to_bytes(self) -> [u8; SECTION_HEADER_BYTES] {
        let mut bytes = [0; SECTION_HEADER_BYTES];
        bytes[..2].copy_from_slice(&self.kind.number().to_be_bytes());
        bytes[4..].copy_from_slice(&self.size.to_be_bytes());
        bytes
    }
}

/// The checksum of a whole file: CRC-32 (IEEE 802.3) of everything but the header's last field, which holds it.
pub(super) fn crc32<'a>(header: &[u8; HEADER_BYTES], rest: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&header[..CRC_OFFSET]);
    rest.into_iter().for_each(|bytes| crc.update(bytes));
    crc.finalize()
}

/// Takes fields off a header whose length is known to suffice.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((field, rest)) => {
                self.0 = rest;
                *field
            }
            None => [0; N],
        }
    }

    fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            architecture: Architecture::Aarch64,
            default_memory: 5,
            default_cpus: 6,
            section_count: 32,
            offsets: std::array::from_fn(|index| index as u64 + 1),
            sizes: std::array::from_fn(|index| index as u64 + 100),
            crc32: 0x0102_0304,
        }
    }

    #[test]
    fn the_specifications_numbers_hold() {
        let bytes = header().to_bytes();
        assert_eq!(bytes[..8], *b".eif\x00\x04\x00\x01");
        assert_eq!(bytes[8..24], [0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6]);
        assert_eq!(bytes[24..28], [0, 0, 0, 32]);
        assert_eq!(bytes[28..36], [0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(bytes[284..292], [0, 0, 0, 0, 0, 0, 0, 100]);
        assert_eq!(bytes[540..], [0, 0, 0, 0, 1, 2, 3, 4]);
        assert_eq!(Header::parse(&bytes).unwrap(), header());
        let section = SectionHeader { kind: SectionKind::Metadata, size: 0x0102 };
        assert_eq!(section.to_bytes(), [0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(SectionHeader::parse(0, &section.to_bytes()).unwrap(), section);
    }

    #[test]
    fn each_field_is_judged() {
        let spoilt = |offset: usize, value: u8| {
            let mut bytes = Header { section_count: 4, offsets: [0; 32], sizes: [0; 32], ..header() }.to_bytes();
            bytes[offset] = value;
            Header::parse(&bytes).unwrap_err()
        };
        assert!(matches!(spoilt(0, b'x'), Error::Magic));
        assert!(matches!(spoilt(5, 3), Error::Version { found: 3 }));
        assert!(matches!(spoilt(7, 2), Error::Flags { found: 2, .. }));
        assert!(matches!(spoilt(25, 1), Error::NotZero { field: "reserved" }));
        assert!(matches!(spoilt(27, 2), Error::SectionCount { found: 2 }));
        assert!(matches!(spoilt(27, 33), Error::SectionCount { found: 33 }));
        assert!(matches!(spoilt(28 + 4 * 8, 1), Error::NotZero { .. }));
        assert!(matches!(spoilt(284 + 31 * 8 + 7, 1), Error::NotZero { .. }));
        assert!(matches!(spoilt(540, 1), Error::NotZero { field: "unused" }));
        assert!(matches!(Header::parse(&[0; 547]), Err(Error::HeaderTruncated { found: 547 })));
    }
}
