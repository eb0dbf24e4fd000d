//! Writes an archive: sorted, with zero times, owner 0, inode numbers in sequence.

use super::format::{ALIGNMENT, HEADER_BYTES, MAGIC, TRAILER};
use super::tree::{Node, Tree};

/// Archives end at a multiple of this, as other tools' do; the next ramdisk begins aligned.
const BLOCK_BYTES: usize = 512;

impl Tree {
    /// The archive: the same bytes for the same files.
    pub fn to_archive(&self) -> Vec<u8> {
        let size = self.nodes().map(|(path, node)| entry_size(path.len() + 1, content(node).len())).sum::<usize>()
            + entry_size(TRAILER.len() + 1, 0);
        let size = size.next_multiple_of(BLOCK_BYTES);
        let mut archive = Vec::with_capacity(size);
        for (index, (path, node)) in self.nodes().enumerate() {
            let device = match node {
                Node::Device(device) => (device.major, device.minor),
                _ => (0, 0),
            };
            // From 1: the kernel takes inode 0 for any other.
            push_entry(&mut archive, index as u32 + 1, mode(node), links(node), device, path, content(node));
        }
        push_entry(&mut archive, 0, 0, 1, (0, 0), TRAILER, &[]);
        archive.resize(size, 0);
        archive
    }
}

fn mode(node: &Node) -> u32 {
    match node {
        Node::Directory => 0o040_755,
        Node::File(file) if file.executable => 0o100_755,
        Node::File(_) => 0o100_644,
        Node::Link(_) => 0o120_777,
        Node::Device(device) => (if device.block { 0o060_000 } else { 0o020_000 }) | u32::from(device.permissions),
    }
}

/// A directory has two names, as archivers write it; each file is one inode of its own, so that no hard links arise.
fn links(node: &Node) -> u32 {
    if *node == Node::Directory { 2 } else { 1 }
}

fn content(node: &Node) -> &[u8] {
    match node {
        Node::File(file) => &file.bytes,
        Node::Link(target) => target,
        Node::Directory | Node::Device(_) => &[],
    }
}

fn entry_size(name_size: usize, size: usize) -> usize {
    (HEADER_BYTES + name_size).next_multiple_of(ALIGNMENT) + size.next_multiple_of(ALIGNMENT)
}

fn push_entry(
    archive: &mut Vec<u8>,
    inode: u32,
    mode: u32,
    links: u32,
    device: (u32, u32),
    path: &[u8],
    content: &[u8],
) {
    let (name_size, size) = (path.len() as u32 + 1, content.len() as u32);
    let fields = [inode, mode, 0, 0, links, 0, size, 0, 0, device.0, device.1, name_size, 0];
    archive.extend(MAGIC);
    archive.extend(fields.iter().flat_map(|field| format!("{field:08X}").into_bytes()));
    archive.extend(path);
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(ALIGNMENT), 0);
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(ALIGNMENT), 0);
}

#[cfg(test)]
mod tests {
    use super::super::{Archive, Content, Device, FileType};
    use super::*;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        let file = |bytes: &[u8], executable| Node::File(Content { executable, bytes: bytes.to_vec() });
        tree.insert("rootfs/bin/sh", file(b"#!", true)).unwrap();
        tree.insert("init", file(b"\x7fELF", true)).unwrap();
        tree.insert("rootfs-a", file(b"", false)).unwrap();
        tree.insert("rootfs/lib", Node::Link(b"usr/lib".to_vec())).unwrap();
        let console = Device { block: false, major: 5, minor: 1, permissions: 0o600 };
        tree.insert("dev/console", Node::Device(console)).unwrap();
        tree
    }

    #[test]
    fn what_is_written_is_read_back() {
        let archive = tree().to_archive();
        assert!(archive.len().is_multiple_of(BLOCK_BYTES));
        let read = Archive::parse(&archive).unwrap();
        let seen: Vec<_> = read
            .entries()
            .iter()
            .map(|entry| (std::str::from_utf8(entry.path).unwrap(), entry.mode, entry.inode, entry.content))
            .collect();
        assert_eq!(
            seen,
            [
                ("dev", 0o040_755, 1, &b""[..]),
                ("dev/console", 0o020_600, 2, b""),
                ("init", 0o100_755, 3, b"\x7fELF"),
                ("rootfs", 0o040_755, 4, b""),
                ("rootfs-a", 0o100_644, 5, b""),
                ("rootfs/bin", 0o040_755, 6, b""),
                ("rootfs/bin/sh", 0o100_755, 7, b"#!"),
                ("rootfs/lib", 0o120_777, 8, b"usr/lib"),
            ]
        );
        let console = read.entries()[1];
        assert_eq!((console.file_type(), console.device), (FileType::CharacterDevice, (5, 1)));
        assert!(read.entries().iter().all(|entry| entry.owner == (0, 0) && entry.modified == 0));
    }

    /// GNU cpio is the judge where it is installed.
    #[test]
    fn gnu_cpio_lists_the_same_files() {
        let Ok(mut child) = std::process::Command::new("cpio")
            .args(["--list", "--quiet"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
        else {
            println!("skipped: this machine has no cpio");
            return;
        };
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), &tree().to_archive()).unwrap();
        let output = child.wait_with_output().unwrap();
        let expected = "dev\ndev/console\ninit\nrootfs\nrootfs-a\nrootfs/bin\nrootfs/bin/sh\nrootfs/lib\n";
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }
}
