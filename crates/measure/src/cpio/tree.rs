//! The files of a ramdisk before it is written: a set, so that the order in which they were found changes nothing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;

use super::format::{MAX_ENTRIES, MAX_PATH_BYTES, TRAILER};
use crate::Error;

/// Files by path. Parents exist and are directories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<Vec<u8>, Node>,
}

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
    /// Adds a file; directories above it that are missing are made.
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
        let parents = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| &path[..end]);
        for parent in parents {
            match self.nodes.get(parent) {
                None => {
                    self.nodes.insert(parent.to_vec(), Node::Directory);
                }
                Some(Node::Directory) => {}
                Some(_) => return Err(refused(&path, "what stands above it is no directory")),
            }
        }
        if self.nodes.len() >= MAX_ENTRIES {
            return Err(Error::RamdiskTooLarge { what: "files", limit: MAX_ENTRIES as u64 });
        }
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
    if path == TRAILER {
        return Err(refused(path, "an entry of this name ends the archive"));
    }
    Ok(())
}

fn refused(path: &[u8], reason: &'static str) -> Error {
    Error::Path { path: String::from_utf8_lossy(path).into_owned(), reason }
}
