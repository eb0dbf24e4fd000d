//! The files of a ramdisk before it is written: a set, so that the order in which they were found changes nothing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;

use super::format::{MAX_ENTRIES, MAX_PATH_BYTES, TRAILER};
use crate::Error;

/// More levels than any image has.
const MAX_DEPTH: usize = 64;
/// What directories that nobody inserted may take. Each level of a path copies the path so far, so that a path of 4 KB is worth 100 KB.
const MAX_MADE_BYTES: usize = 1 << 20;
/// What a directory takes beside its path, about.
const BYTES_OF_A_NODE: usize = 64;

/// Files by path. Parents exist and are directories.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: BTreeMap<Vec<u8>, Node>,
    /// What was spent of [`MAX_MADE_BYTES`].
    made_bytes: usize,
}

/// In whatever order they were inserted.
impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes
    }
}

impl Eq for Tree {}

/// A file. Everything belongs to user and group 0, and permissions have one value for each kind: who builds an image, under
/// which umask, must not change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Mode 0755.
    Directory,
    /// Mode 0644, or 0755 if it can be run.
    File(Content),
    /// Mode 0777; the target is not looked at.
    Link(Vec<u8>),
    /// A device that the image declares.
    Device(Device),
}

/// A regular file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Whether it can be run.
    pub executable: bool,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A device node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// A block device; else a character device.
    pub block: bool,
    /// Its major number.
    pub major: u32,
    /// Its minor number.
    pub minor: u32,
    /// Its permissions, such as 0o600.
    pub permissions: u16,
}

impl Tree {
    /// Adds a file; directories above it that are missing are made, up to a megabyte of them in all: who packs more inserts them first.
    pub fn insert(&mut self, path: impl Into<Vec<u8>>, node: Node) -> Result<(), Error> {
        let path = path.into();
        check_path(&path)?;
        if let Node::Link(target) = &node
            && (target.is_empty() || target.len() > MAX_PATH_BYTES || target.contains(&0))
        {
            return Err(refused(&path, "its target is empty, longer than 4095 bytes or has a NUL"));
        }
        if let Node::File(file) = &node
            && u32::try_from(file.bytes.len()).is_err()
        {
            return Err(refused(&path, "it has 4 GiB or more, for which the format has no room"));
        }
        if let Node::Device(device) = &node
            && device.permissions > 0o777
        {
            return Err(refused(&path, "its permissions are more than 0777"));
        }
        self.make_parents(&path)?;
        match self.nodes.entry(path) {
            Place::Vacant(place) => {
                place.insert(node);
                Ok(())
            }
            // A directory may have been made for a file below it.
            Place::Occupied(place) if *place.get() == Node::Directory && node == Node::Directory => Ok(()),
            Place::Occupied(place) => Err(refused(place.key(), "it is there already")),
        }
    }

    /// Makes what is missing above a path. It is counted before it is made.
    fn make_parents(&mut self, path: &[u8]) -> Result<(), Error> {
        let mut missing = Vec::new();
        let ends = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
        for parent in ends.map(|(end, _)| &path[..end]) {
            match self.nodes.get(parent) {
                None => missing.push(parent),
                Some(Node::Directory) => break,
                Some(_) => return Err(refused(path, "what stands above it is no directory")),
            }
        }
        if self.nodes.len() + missing.len() >= MAX_ENTRIES {
            return Err(Error::RamdiskTooLarge { what: "files", limit: MAX_ENTRIES as u64 });
        }
        let made_bytes = missing.iter().fold(self.made_bytes, |sum, parent| sum + parent.len() + BYTES_OF_A_NODE);
        if made_bytes > MAX_MADE_BYTES {
            let limit = MAX_MADE_BYTES as u64;
            return Err(Error::RamdiskTooLarge { what: "bytes of directories that are not in it", limit });
        }
        self.made_bytes = made_bytes;
        self.nodes.extend(missing.into_iter().map(|parent| (parent.to_vec(), Node::Directory)));
        Ok(())
    }

    /// All files, parents before what they hold.
    pub fn nodes(&self) -> impl Iterator<Item = (&[u8], &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_slice(), node))
    }
}

fn check_path(path: &[u8]) -> Result<(), Error> {
    if path.len() > MAX_PATH_BYTES {
        return Err(refused(path, "it is longer than 4095 bytes"));
    }
    if path.contains(&0) {
        return Err(refused(path, "it has a NUL"));
    }
    if path.split(|byte| *byte == b'/').any(|part| part.is_empty() || part == b"." || part == b"..") {
        return Err(refused(path, "it is not relative to the root in the shortest way"));
    }
    if path.split(|byte| *byte == b'/').count() > MAX_DEPTH {
        return Err(refused(path, "it has more than 64 levels"));
    }
    if path == TRAILER {
        return Err(refused(path, "an entry of this name ends the archive"));
    }
    Ok(())
}

fn refused(path: &[u8], reason: &'static str) -> Error {
    Error::Path { path: String::from_utf8_lossy(path).into_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Node {
        Node::File(Content { executable: false, bytes: Vec::new() })
    }

    #[test]
    fn deep_paths_are_counted_before_they_are_copied() {
        let mut tree = Tree::default();
        let deep = "a/".repeat(2047) + "a";
        assert!(matches!(tree.insert(deep, empty()), Err(Error::Path { reason: "it has more than 64 levels", .. })));
        assert_eq!(tree.nodes().count(), 0);
        tree.insert("a/".repeat(MAX_DEPTH - 1) + "a", empty()).unwrap();
        // 64 levels of 60 bytes: 120 KB of paths for a path of 4 KB.
        let wide = |first: usize| format!("{first:060}/") + &("b".repeat(60) + "/").repeat(62) + "c";
        let inserted = (0..1000).map(|first| tree.insert(wide(first), empty())).take_while(Result::is_ok).count();
        assert!((5..20).contains(&inserted), "{inserted}");
        assert!(matches!(tree.insert(wide(1000), empty()), Err(Error::RamdiskTooLarge { .. })));
        let bytes: usize = tree.nodes().map(|(path, _)| path.len()).sum();
        assert!(bytes < 2 * MAX_MADE_BYTES, "{bytes}");
        // Directories that somebody inserts cost nothing.
        for index in 0..50_000 {
            tree.insert(format!("{index}"), Node::Directory).unwrap();
            tree.insert(format!("{index}/file"), empty()).unwrap();
        }
    }
}
