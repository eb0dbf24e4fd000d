//! What reader and writer share.

use serde::Serialize;

/// Bytes of an entry's header: the magic and thirteen fields of eight hex digits.
pub(super) const HEADER_BYTES: usize = 110;
/// Only this form; `070702` adds a sum that the kernel ignores in most builds.
pub(super) const MAGIC: &[u8; 6] = b"070701";
/// The name of the entry that ends an archive.
pub(super) const TRAILER: &[u8] = b"TRAILER!!!";
/// The kernel's `PATH_MAX`, which counts the NUL.
pub(super) const MAX_PATH_BYTES: usize = 4095;
/// More than any image holds; a bound on memory.
pub(super) const MAX_ENTRIES: usize = 1_000_000;
/// Headers, names and contents begin at multiples of this.
pub(super) const ALIGNMENT: usize = 4;

/// The type bits of a mode.
pub(super) const TYPE_MASK: u32 = 0o170_000;

/// What kind of file an entry is, by the type bits of its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileType {
    /// A directory.
    Directory,
    /// A regular file.
    Regular,
    /// A symbolic link.
    SymbolicLink,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
    /// A named pipe.
    NamedPipe,
    /// A socket.
    Socket,
    /// Bits that mean nothing.
    Unknown,
}

impl FileType {
    /// The type in a mode.
    pub fn of_mode(mode: u32) -> Self {
        match mode & TYPE_MASK {
            0o040_000 => Self::Directory,
            0o100_000 => Self::Regular,
            0o120_000 => Self::SymbolicLink,
            0o020_000 => Self::CharacterDevice,
            0o060_000 => Self::BlockDevice,
            0o010_000 => Self::NamedPipe,
            0o140_000 => Self::Socket,
            _ => Self::Unknown,
        }
    }
}
