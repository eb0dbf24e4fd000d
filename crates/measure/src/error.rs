//! Why bytes are no image, or inputs make none.

use std::path::PathBuf;

use crate::eif::SectionKind;

/// What is wrong. Offsets count from the first byte of the file or, in a ramdisk, of the unpacked archive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Shorter than the header.
    #[error("the file ends inside its header: {found} bytes, the header has 548")]
    HeaderTruncated {
        /// Bytes that are there.
        found: usize,
    },
    /// The first four bytes.
    #[error("this is no enclave image file: it does not begin with \".eif\"")]
    Magic,
    /// Another version of the format.
    #[error("the image has format version {found}; this program reads version 4")]
    Version {
        /// The header's version.
        found: u16,
    },
    /// A flag without a meaning.
    #[error("{part} has the flags {found:#06x}; only the header's bit 0 (arm64) has a meaning")]
    Flags {
        /// Where: the header, or which section.
        part: String,
        /// The flags.
        found: u16,
    },
    /// Bytes that no version gives a meaning to: nothing may hide there.
    #[error("the header's field {field} must be zero")]
    NotZero {
        /// Which one.
        field: &'static str,
    },
    /// More sections than the header has room for, or fewer than a kernel, a command line and a ramdisk.
    #[error("the image has {found} sections; 3 to 32 are possible")]
    SectionCount {
        /// What the header says.
        found: u16,
    },
    /// A section that begins elsewhere than where the one before it ends: readers that follow the header and readers that
    /// follow the stream would see different images.
    #[error("section {index} begins at byte {found} by the header; the section before it ends at {expected}")]
    SectionOffset {
        /// Which section, from 0.
        index: usize,
        /// Where the previous one ends.
        expected: u64,
        /// What the header says.
        found: u64,
    },
    /// The two places that name a section's size disagree.
    #[error("section {index} has {in_section} bytes by its own header and {in_header} by the file's")]
    SectionSize {
        /// Which section, from 0.
        index: usize,
        /// Size in the file's header.
        in_header: u64,
        /// Size in the section's header.
        in_section: u64,
    },
    /// A section that reaches over the end of the file.
    #[error("the file ends inside section {index}")]
    SectionTruncated {
        /// Which section, from 0.
        index: usize,
    },
    /// A section type without a meaning.
    #[error("section {index} has type {found}; 1 to 5 have a meaning")]
    SectionType {
        /// Which section, from 0.
        index: usize,
        /// Its type.
        found: u16,
    },
    /// Sections in an order in which measuring tools would disagree.
    #[error(
        "section {index} is a {found}: a kernel and a command line come first, each once; signature and metadata at most once"
    )]
    SectionOrder {
        /// Which section, from 0.
        index: usize,
        /// What it is.
        found: SectionKind,
    },
    /// Nothing to boot into.
    #[error("the image has no ramdisk")]
    NoRamdisk,
    /// A section that is larger than its kind can need.
    #[error("the {kind} has {found} bytes; the limit is {limit}")]
    SectionTooLarge {
        /// Which kind.
        kind: SectionKind,
        /// Its size.
        found: u64,
        /// The most that is read.
        limit: u64,
    },
    /// Bytes that belong to no section.
    #[error("{found} bytes follow the last section")]
    TrailingBytes {
        /// How many.
        found: u64,
    },
    /// The checksum over the whole file.
    #[error("the file is damaged: its CRC-32 is {stored:08x}, its bytes give {computed:08x}")]
    Crc {
        /// What the header says.
        stored: u32,
        /// What the bytes give.
        computed: u32,
    },
    /// An image that could have the registers of a development sandbox.
    #[error("what is measured begins with the word that marks a development sandbox (k3s-daas-sandbox)")]
    Sandbox,
    /// The metadata section is not JSON.
    #[error("the metadata section is not JSON: {0}")]
    Metadata(#[source] serde_json::Error),
    /// The signature section, its certificate or its COSE message.
    #[error("the signature section cannot be read: {0}")]
    Signature(&'static str),
    /// The signature says nothing about this image.
    #[error("the image's signature is refused: {0}")]
    SignatureRefused(&'static str),
    /// The signing key failed.
    #[error("the image could not be signed: {0}")]
    Signing(String),
    /// A text or number that the format has no room for.
    #[error("{what} cannot be written: {reason}")]
    Unwritable {
        /// Which input.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// An archive that does not follow newc.
    #[error("the archive is not newc cpio at byte {offset}: {reason}")]
    Cpio {
        /// Where.
        offset: usize,
        /// What is wrong.
        reason: CpioFault,
    },
    /// A path that an archive of ours cannot have.
    #[error("the path {path:?} cannot be in a ramdisk: {reason}")]
    Path {
        /// The path, with what is not UTF-8 replaced.
        path: String,
        /// Why not.
        reason: &'static str,
    },
    /// More than a ramdisk may hold.
    #[error("the ramdisk has more than {limit} {what}")]
    RamdiskTooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The most that is taken.
        limit: u64,
    },
    /// A compressed ramdisk.
    #[error("the compressed ramdisk cannot be unpacked: {0}")]
    Gzip(#[source] std::io::Error),
    /// Reading a folder.
    #[error("{path} cannot be read: {source}")]
    Folder {
        /// Which file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Devices, sockets and named pipes are not copied from the building machine.
    #[error("{path} is a {kind}; declare a device instead of packing the building machine's")]
    SpecialFile {
        /// Which file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
}

/// What is wrong with an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CpioFault {
    /// No entry begins here.
    #[error("no entry begins here (magic 070701)")]
    Magic,
    /// A header field that is not eight hex digits.
    #[error("a header field is not eight hex digits")]
    Number,
    /// The bytes end inside an entry.
    #[error("it ends inside an entry")]
    Truncated,
    /// A name that is empty, too long or has no NUL at its end.
    #[error("the name is empty, longer than 4095 bytes or not ended by its only NUL")]
    Name,
    /// A symbolic link's target.
    #[error("the symbolic link's target is empty or longer than 4095 bytes")]
    Link,
    /// The bytes end without the trailer.
    #[error("it ends without its trailer")]
    NoTrailer,
    /// An entry too many.
    #[error("it has more than 1000000 entries")]
    TooMany,
}
