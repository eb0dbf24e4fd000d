//! Folders of the building machine as ramdisks. The only module that touches files.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::cpio::{Content, Node, Tree};

/// Contents of all files together.
const MAX_BYTES: u64 = 4 << 30;

/// The files below a folder. Links are not followed; what can be run is whatever its owner may run; times, owners, other
/// permissions and extended attributes are left behind; each name of a hard-linked file becomes a file of its own.
pub fn read_folder(root: &Path) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let mut waiting = vec![PathBuf::new()];
    let mut bytes = 0;
    while let Some(folder) = waiting.pop() {
        let path = root.join(&folder);
        let failed = |source| Error::Folder { path: path.clone(), source };
        for found in fs::read_dir(&path).map_err(failed)? {
            let found = found.map_err(failed)?;
            let inside = folder.join(found.file_name());
            let node = node(&found.path(), &mut bytes)?;
            if node == Node::Directory {
                waiting.push(inside.clone());
            }
            tree.insert(inside.as_os_str().as_bytes(), node)?;
        }
    }
    Ok(tree)
}

fn node(path: &Path, bytes: &mut u64) -> Result<Node, Error> {
    let failed = |source| Error::Folder { path: path.to_owned(), source };
    let status = fs::symlink_metadata(path).map_err(failed)?;
    let kind = status.file_type();
    let special = if kind.is_block_device() || kind.is_char_device() {
        "device"
    } else if kind.is_fifo() {
        "named pipe"
    } else if kind.is_socket() {
        "socket"
    } else if kind.is_dir() {
        return Ok(Node::Directory);
    } else if kind.is_symlink() {
        return Ok(Node::Link(fs::read_link(path).map_err(failed)?.into_os_string().into_vec()));
    } else {
        let content = read(path, &status, MAX_BYTES - *bytes)?;
        *bytes += content.len() as u64;
        let executable = status.permissions().mode() & 0o100 != 0;
        return Ok(Node::File(Content { executable, bytes: content }));
    };
    Err(Error::SpecialFile { path: path.to_owned(), kind: special })
}

/// The bytes of the file that was looked at: no other one that took its name since, and not more than `left` of them although it grows.
fn read(path: &Path, seen: &Metadata, left: u64) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Folder { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let opened = file.metadata().map_err(failed)?;
    if (opened.dev(), opened.ino()) != (seen.dev(), seen.ino()) {
        return Err(failed(io::Error::other("another file took its name while it was read")));
    }
    let mut bytes = Vec::with_capacity(seen.len().min(left) as usize);
    file.take(left.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > left {
        return Err(Error::RamdiskTooLarge { what: "bytes of files", limit: MAX_BYTES });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_swapped_or_grows_while_it_is_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, secret) = (folder.path().join("file"), folder.path().join("secret"));
        fs::write(&path, "text").unwrap();
        fs::write(&secret, "text").unwrap();
        let seen = fs::symlink_metadata(&path).unwrap();
        assert_eq!(read(&path, &seen, 4).unwrap(), b"text");
        // It was smaller when it was looked at.
        fs::write(&path, "texts").unwrap();
        assert!(matches!(read(&path, &seen, 4), Err(Error::RamdiskTooLarge { .. })));
        fs::rename(&path, folder.path().join("old")).unwrap();
        std::os::unix::fs::symlink(&secret, &path).unwrap();
        assert!(matches!(read(&path, &seen, 4), Err(Error::Folder { .. })));
    }
}
