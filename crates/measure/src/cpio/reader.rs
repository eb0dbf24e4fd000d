//! Reads archives, one after another as the kernel does, without copying them.

use super::format::{ALIGNMENT, FileType, HEADER_BYTES, MAGIC, MAX_ENTRIES, MAX_PATH_BYTES, TRAILER};
use crate::Error;
use crate::error::CpioFault;

/// All entries of a ramdisk, in its order, without the trailers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive<'a> {
    entries: Vec<Entry<'a>>,
}

/// One entry. It borrows the archive's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its path as it is written, without the NUL.
    pub path: &'a [u8],
    /// Type and permissions.
    pub mode: u32,
    /// The owner's user and group.
    pub owner: (u32, u32),
    /// The inode number; hard links share it.
    pub inode: u32,
    /// How many names the inode has.
    pub links: u32,
    /// When it was changed: Unix seconds.
    pub modified: u32,
    /// Major and minor number of the file system it came from.
    pub file_system: (u32, u32),
    /// Major and minor number of a device.
    pub device: (u32, u32),
    /// A file's bytes, or a symbolic link's target.
    pub content: &'a [u8],
    /// In which of the ramdisk's archives it stands, from 0: hard links do not reach over a trailer.
    pub archive: u32,
}

impl Entry<'_> {
    /// What kind of file it is.
    pub fn file_type(&self) -> FileType {
        FileType::of_mode(self.mode)
    }

    /// The path from the root: without the `./` or `/` that some archivers write.
    pub fn path_from_root(&self) -> &[u8] {
        let mut path = self.path;
        while let Some(rest) = path.strip_prefix(b"./").or_else(|| path.strip_prefix(b"/")) {
            path = rest;
        }
        path
    }
}

impl<'a> Archive<'a> {
    /// Reads an uncompressed ramdisk: one archive or several, each followed by any number of zero bytes.
    pub fn parse(ramdisk: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor { bytes: ramdisk, offset: 0 };
        let mut entries = Vec::new();
        let mut ended = false;
        let mut archive = 0;
        while cursor.skip_zeros() {
            let entry = Entry { archive, ..cursor.entry()? };
            ended = entry.path == TRAILER;
            if ended {
                archive += 1;
                continue;
            }
            if entries.len() == MAX_ENTRIES {
                return Err(cursor.fault(CpioFault::TooMany));
            }
            entries.push(entry);
        }
        if ended { Ok(Self { entries }) } else { Err(cursor.fault(CpioFault::NoTrailer)) }
    }

    /// The entries.
    pub fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// Steps over zero bytes; says whether anything follows.
    fn skip_zeros(&mut self) -> bool {
        let rest = &self.bytes[self.offset..];
        self.offset += rest.iter().position(|byte| *byte != 0).unwrap_or(rest.len());
        self.offset < self.bytes.len()
    }

    fn entry(&mut self) -> Result<Entry<'a>, Error> {
        // The kernel takes what begins elsewhere for a compressed archive.
        if !self.offset.is_multiple_of(ALIGNMENT) || !self.bytes[self.offset..].starts_with(MAGIC) {
            return Err(self.fault(CpioFault::Magic));
        }
        let header = self.take(HEADER_BYTES)?;
        let mut fields = [0; 13];
        for (field, digits) in fields.iter_mut().zip(header[MAGIC.len()..].chunks_exact(8)) {
            *field = hex_number(digits).ok_or_else(|| self.fault(CpioFault::Number))?;
        }
        let [inode, mode, uid, gid, links, modified, size, major, minor, device_major, device_minor, name_size, _sum] =
            fields;
        let name_size = name_size as usize;
        if !(2..=MAX_PATH_BYTES + 1).contains(&name_size) {
            return Err(self.fault(CpioFault::Name));
        }
        let path = match self.take(name_size)?.split_last() {
            Some((0, path)) if !path.contains(&0) => path,
            _ => return Err(self.fault(CpioFault::Name)),
        };
        self.align();
        if FileType::of_mode(mode) == FileType::SymbolicLink && !(1..=MAX_PATH_BYTES).contains(&(size as usize)) {
            return Err(self.fault(CpioFault::Link));
        }
        let content = self.take(size as usize)?;
        self.align();
        Ok(Entry {
            path,
            mode,
            owner: (uid, gid),
            inode,
            links,
            modified,
            file_system: (major, minor),
            device: (device_major, device_minor),
            content,
            archive: 0,
        })
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let taken = self.bytes.get(self.offset..).and_then(|rest| rest.get(..count));
        let taken = taken.ok_or_else(|| self.fault(CpioFault::Truncated))?;
        self.offset += count;
        Ok(taken)
    }

    /// The last entry's padding may be cut off.
    fn align(&mut self) {
        self.offset = self.offset.next_multiple_of(ALIGNMENT).min(self.bytes.len());
    }

    fn fault(&self, reason: CpioFault) -> Error {
        Error::Cpio { offset: self.offset, reason }
    }
}

fn hex_number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}
