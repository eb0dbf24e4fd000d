//! Arbitrary bytes as a ramdisk, compressed or not, within 16 MB. What is read and fits our rules is written again and read again: the same
//! files.
#![no_main]

mod bounded;

use std::time::Duration;

use daas_measure::cpio::{Archive, Content, FileType, Node, Tree};
use daas_measure::unpack;
use libfuzzer_sys::fuzz_target;

/// A compressed ramdisk is unpacked to this; whoever allows more pays for it with memory.
const UNPACK_LIMIT: usize = 1 << 20;
const TIME: Duration = Duration::from_secs(1);

fuzz_target!(|bytes: &[u8]| bounded::run(bytes, TIME, read_and_write));

fn read_and_write(bytes: &[u8]) {
    let Ok(archive) = unpack(bytes, UNPACK_LIMIT) else { return };
    let Ok(read) = Archive::parse(&archive) else { return };
    let mut tree = Tree::default();
    for entry in read.entries() {
        let node = match entry.file_type() {
            FileType::Directory => Node::Directory,
            FileType::Regular => {
                Node::File(Content { executable: entry.mode & 0o100 != 0, bytes: entry.content.to_vec() })
            }
            FileType::SymbolicLink => Node::Link(entry.content.to_vec()),
            _ => continue,
        };
        let _ = tree.insert(entry.path_from_root(), node);
    }
    let written = tree.to_archive();
    let again = Archive::parse(&written).expect("what is written can be read");
    let paths: Vec<_> = again.entries().iter().map(|entry| entry.path).collect();
    assert_eq!(paths, tree.nodes().map(|(path, _)| path).collect::<Vec<_>>());
}
