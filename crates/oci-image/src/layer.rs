//! A folder as one image layer.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use crate::Error;

/// An uncompressed layer. Compression would make the bytes depend on the compressor's version, and images here are only ever loaded from disk.
#[derive(Debug)]
pub struct Layer(pub(crate) Vec<u8>);

impl Layer {
    /// Reads the folder `root`. `modes` are those that are not the usual 0755 and 0644, by path from `root`.
    pub fn from_folder(root: &Path, modes: &BTreeMap<String, u32>) -> Result<Self, Error> {
        let mut entries = BTreeMap::new();
        collect(root, Path::new(""), &mut entries)?;
        if let Some(path) = modes.keys().find(|path| !entries.contains_key(path.as_str())) {
            return Err(Error::ModeOfNothing(path.clone()));
        }
        let mut tar = Builder::new(Vec::new());
        for (path, entry) in entries {
            append(&mut tar, &path, &root.join(&path), &entry, modes.get(&path).copied())?;
        }
        Ok(Self(tar.into_inner()?))
    }
}

enum Entry {
    Folder,
    File { executable: bool },
    Link { target: PathBuf },
}

/// Everything below `root/folder`, by path from `root`. In the order of paths a folder comes before what is in it.
fn collect(root: &Path, folder: &Path, entries: &mut BTreeMap<String, Entry>) -> Result<(), Error> {
    let place = root.join(folder);
    let unreadable = |source| Error::Read { path: place.clone(), source };
    for found in fs::read_dir(&place).map_err(unreadable)? {
        let found = found.map_err(unreadable)?;
        let path = folder.join(found.file_name());
        let unreadable = |source| Error::Read { path: found.path(), source };
        let metadata = found.metadata().map_err(unreadable)?;
        let entry = if metadata.is_dir() {
            collect(root, &path, entries)?;
            Entry::Folder
        } else if metadata.is_file() {
            Entry::File { executable: metadata.permissions().mode() & 0o100 != 0 }
        } else if metadata.is_symlink() {
            Entry::Link { target: fs::read_link(found.path()).map_err(unreadable)? }
        } else {
            return Err(Error::Kind(found.path()));
        };
        let name = path.to_str().ok_or_else(|| Error::NotText(found.path()))?;
        entries.insert(name.to_owned(), entry);
    }
    Ok(())
}

fn append(
    tar: &mut Builder<Vec<u8>>,
    path: &str,
    source: &Path,
    entry: &Entry,
    mode: Option<u32>,
) -> Result<(), Error> {
    match entry {
        Entry::Folder => Ok(tar.append_data(
            &mut header(EntryType::Directory, 0, mode.unwrap_or(0o755)),
            format!("{path}/"),
            std::io::empty(),
        )?),
        Entry::File { executable } => {
            let bytes = fs::read(source).map_err(|error| Error::Read { path: source.to_owned(), source: error })?;
            let usual = if *executable { 0o755 } else { 0o644 };
            append_bytes(tar, path, &bytes, mode.unwrap_or(usual))
        }
        Entry::Link { target } => {
            Ok(tar.append_link(&mut header(EntryType::Symlink, 0, mode.unwrap_or(0o777)), path, target)?)
        }
    }
}

/// Adds a file whose bytes are at hand.
pub(crate) fn append_bytes(tar: &mut Builder<Vec<u8>>, path: &str, bytes: &[u8], mode: u32) -> Result<(), Error> {
    Ok(tar.append_data(&mut header(EntryType::Regular, bytes.len() as u64, mode), path, bytes)?)
}

/// Owner root, time zero.
fn header(kind: EntryType, size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}
