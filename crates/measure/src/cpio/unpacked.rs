//! What the kernel makes of an archive (`init/initramfs.c`: `do_header`, `maybe_link`, `find_link`, `do_name`, `do_copy`).

use std::collections::{BTreeMap, HashMap};

use super::format::{FileType, TYPE_MASK};
use super::reader::{Archive, Entry};

/// The files of one ramdisk by path. It is exact for what the archive holds itself; what an earlier ramdisk put in its way is not seen.
pub(crate) struct Unpacked<'a, 'b> {
    names: BTreeMap<&'b [u8], Name>,
    inodes: Vec<File<'a>>,
    /// For each entry the earlier one that it is a hard link of.
    links: Vec<Option<usize>>,
    entries: &'b [Entry<'a>],
    orderly: bool,
}

#[derive(Clone, Copy)]
struct Name {
    inode: usize,
    unpacked: bool,
}

/// A file as it is once everything is unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct File<'a> {
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    pub(crate) device: (u32, u32),
    pub(crate) modified: u32,
    pub(crate) content: &'a [u8],
}

impl<'a, 'b> Unpacked<'a, 'b> {
    pub(crate) fn of(archive: &'b Archive<'a>) -> Self {
        let entries = archive.entries();
        let mut unpacked =
            Self { names: BTreeMap::new(), inodes: Vec::new(), links: Vec::new(), entries, orderly: true };
        let mut first_names = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            // The kernel looks for links among regular files, devices, pipes and sockets of one archive.
            let linkable = !matches!(entry.file_type(), FileType::Directory | FileType::SymbolicLink);
            let link = (linkable && entry.links >= 2)
                .then(|| {
                    let key = (entry.archive, entry.file_system, entry.inode, entry.mode & TYPE_MASK);
                    Some(*first_names.entry(key).or_insert(index)).filter(|first| *first != index)
                })
                .flatten();
            unpacked.links.push(link);
            unpacked.add(entry, link);
        }
        unpacked
    }

    fn add(&mut self, entry: &'b Entry<'a>, link: Option<usize>) {
        let path = path(entry);
        let (kind, there) = (entry.file_type(), self.present(path));
        let regular = kind == FileType::Regular;
        let with_content = regular || kind == FileType::SymbolicLink;
        let skipped = kind == FileType::Unknown || (!with_content && !entry.content.is_empty());
        let first = link.map(|first| self.present(self::path(&self.entries[first])));
        // A second name is linked after whatever had this name is gone.
        let dangling = first
            .is_some_and(|first| first.is_none() || link.is_some_and(|link| self::path(&self.entries[link]) == path));
        if skipped || dangling || !self.has_parent(path) {
            self.orderly = false;
            if there.is_none() {
                let inode = self.push(entry);
                self.names.insert(path, Name { inode, unpacked: false });
            }
            return;
        }
        let truncated =
            there.filter(|inode| regular && FileType::of_mode(self.inodes[*inode].mode) == FileType::Regular);
        // Other types in the same place remove each other or do not: that is not followed.
        self.orderly &= there.is_none() || (truncated.is_some() && link.is_none());
        let inode = match first.flatten() {
            Some(inode) if regular => {
                let content = if entry.content.is_empty() { self.inodes[inode].content } else { entry.content };
                self.inodes[inode] = File { content, ..file(entry) };
                inode
            }
            Some(inode) => inode,
            None => match truncated {
                Some(inode) => {
                    self.inodes[inode] = file(entry);
                    inode
                }
                None => self.push(entry),
            },
        };
        self.names.insert(path, Name { inode, unpacked: true });
    }

    fn push(&mut self, entry: &Entry<'a>) -> usize {
        self.inodes.push(file(entry));
        self.inodes.len() - 1
    }

    fn present(&self, path: &[u8]) -> Option<usize> {
        self.names.get(path).filter(|name| name.unpacked).map(|name| name.inode)
    }

    /// Whether the folder that holds a path was unpacked before it, under a path without detours.
    fn has_parent(&self, path: &[u8]) -> bool {
        let detour = |part: &[u8]| part.is_empty() || part == b"." || part == b"..";
        if path != ROOT && path.split(|byte| *byte == b'/').any(detour) {
            return false;
        }
        let Some(end) = path.iter().rposition(|byte| *byte == b'/') else { return true };
        let parent = self.present(&path[..end]);
        parent.is_some_and(|inode| FileType::of_mode(self.inodes[inode].mode) == FileType::Directory)
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &'b [u8]> {
        self.names.keys().copied()
    }

    /// The file of this name, and whether its folder was there and its type one that the kernel unpacks.
    pub(crate) fn file(&self, path: &[u8]) -> Option<(&File<'a>, bool)> {
        self.names.get(path).map(|name| (&self.inodes[name.inode], name.unpacked))
    }

    /// The first name of each file that has several, by its other names.
    pub(crate) fn hard_links(&self) -> BTreeMap<&'b [u8], &'b [u8]> {
        let mut first = HashMap::new();
        let names = self.names.iter().filter(|(_, name)| name.unpacked);
        names
            .filter_map(|(path, name)| {
                let first = *first.entry(name.inode).or_insert(*path);
                (first != *path).then_some((*path, first))
            })
            .collect()
    }

    /// Whether two ramdisks without a difference in a file are unpacked to the same files. With `alone` nothing that was unpacked before is
    /// written through a hard link, and the order of independent files means nothing.
    pub(crate) fn same_outcome(&self, other: &Self, alone: bool) -> bool {
        let in_order =
            self.entries.len() == other.entries.len()
                && self.entries.iter().zip(other.entries).all(|(one, other)| {
                    (path(one), file(one), one.archive) == (path(other), file(other), other.archive)
                })
                && self.links == other.links;
        in_order || (alone && self.orderly && other.orderly)
    }

    /// Whether files have several names.
    pub(crate) fn has_links(&self) -> bool {
        self.links.iter().any(Option::is_some)
    }
}

const ROOT: &[u8] = b".";

fn path<'b>(entry: &'b Entry<'_>) -> &'b [u8] {
    match entry.path_from_root() {
        b"" => ROOT,
        path => path,
    }
}

fn file<'a>(entry: &Entry<'a>) -> File<'a> {
    let Entry { mode, owner, device, modified, content, .. } = *entry;
    File { mode, owner, device, modified, content }
}
