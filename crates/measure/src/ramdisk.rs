//! A ramdisk's bytes around its archive: compressed or not.
//!
//! A kernel takes both. Uncompressed is the default: it is measured as it is unpacked and needs nothing of the kernel. Compressed ones
//! are smaller on disk, and an enclave needs memory of four times its image.

use std::borrow::Cow;
use std::io::{Read as _, Write as _};

use flate2::{Compression, GzBuilder, bufread::GzDecoder};

use crate::Error;
use crate::cpio::Tree;

/// RFC 1952 §2.3.1.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const OS_UNKNOWN: u8 = 255;

/// How a ramdisk is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Packing {
    /// The archive itself.
    #[default]
    Plain,
    /// gzip without name and time. Its bytes depend on this program's compressor, whose version is fixed by its lock file.
    Gzip,
}

/// The ramdisk of these files.
pub fn pack(tree: &Tree, packing: Packing) -> Result<Vec<u8>, Error> {
    let archive = tree.to_archive();
    match packing {
        Packing::Plain => Ok(archive),
        Packing::Gzip => {
            let mut encoder =
                GzBuilder::new().mtime(0).operating_system(OS_UNKNOWN).write(Vec::new(), Compression::best());
            encoder.write_all(&archive).map_err(Error::Gzip)?;
            let mut packed = encoder.finish().map_err(Error::Gzip)?;
            // The loader joins ramdisks, and the kernel looks for the next archive at a multiple of four.
            packed.resize(packed.len().next_multiple_of(4), 0);
            Ok(packed)
        }
    }
}

/// The archive in a ramdisk, unpacked to at most `limit` bytes. What is not gzip is given back as it is.
pub fn unpack(ramdisk: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, Error> {
    if !ramdisk.starts_with(GZIP_MAGIC) {
        return Ok(ramdisk.into());
    }
    let mut archive = Vec::new();
    let mut rest = ramdisk;
    while !rest.is_empty() {
        let room = (limit - archive.len()) as u64 + 1;
        let mut member = GzDecoder::new(rest).take(room);
        member.read_to_end(&mut archive).map_err(Error::Gzip)?;
        if archive.len() > limit {
            return Err(Error::RamdiskTooLarge { what: "unpacked bytes", limit: limit as u64 });
        }
        // As the kernel does: zeros that fill up to a multiple of four are no further member.
        rest = member.into_inner().into_inner();
        rest = &rest[rest.iter().position(|byte| *byte != 0).unwrap_or(rest.len())..];
    }
    Ok(archive.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpio::{Content, Node};

    #[test]
    fn packing_is_undone_and_bounded() {
        for size in [1, 100, 65_536 - 512, 1 << 20] {
            let mut tree = Tree::default();
            tree.insert("zeros", Node::File(Content { executable: false, bytes: vec![0; size] })).unwrap();
            let packed = pack(&tree, Packing::Gzip).unwrap();
            assert!(packed.len().is_multiple_of(4));
            assert_eq!(packed[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255], "no flags, no time");
            let archive = tree.to_archive();
            assert_eq!(*unpack(&packed, archive.len()).unwrap(), archive);
            let too_small = unpack(&packed, archive.len() - 1);
            assert!(matches!(too_small, Err(Error::RamdiskTooLarge { .. })), "{size}");
        }
        assert_eq!(*unpack(b"070701", 0).unwrap(), *b"070701");
        assert!(matches!(unpack(&[0x1f, 0x8b, 8, 0], 100), Err(Error::Gzip(_))));
    }

    #[test]
    fn members_are_unpacked_one_after_another_and_once() {
        let member = |bytes: &[u8]| {
            let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let joined = [&member(b"one")[..], &[0; 7], &member(b""), &member(b"two"), &[0; 5]].concat();
        assert_eq!(*unpack(&joined, 6).unwrap(), *b"onetwo");
        assert!(matches!(unpack(&joined, 5), Err(Error::RamdiskTooLarge { limit: 5, .. })));
        // A wrong checksum, whatever follows.
        let mut damaged = joined.clone();
        let crc = member(b"one").len() - 8;
        damaged[crc] ^= 1;
        assert!(matches!(unpack(&damaged, 6), Err(Error::Gzip(_))));
        assert!(matches!(unpack(&[&joined[..], b"junk"].concat(), 6), Err(Error::Gzip(_))));
    }
}
