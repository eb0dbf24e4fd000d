//! Folders and files of this user alone. State decides what is paid and who is believed: nobody else may have made it, and no link may lead
//! to something else.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Makes a folder that only this user can enter. One that is there already must be this user's own, no link, and nobody else may write to it.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // Looked at as it is opened, so that nothing takes its place in between.
    let flags = nix::libc::O_DIRECTORY | nix::libc::O_NOFOLLOW;
    let metadata = OpenOptions::new().read(true).custom_flags(flags).open(path)?.metadata()?;
    check_owner(&metadata, nix::unistd::geteuid().as_raw())?;
    if metadata.mode() & 0o022 != 0 {
        let mode = metadata.mode() & 0o7777;
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("others can write to it (mode {mode:o})")));
    }
    Ok(())
}

/// Opens a file to read, if it is this user's own and no link.
pub fn open(path: &Path) -> io::Result<File> {
    let file = options().read(true).open(path)?;
    check_owner(&file.metadata()?, nix::unistd::geteuid().as_raw())?;
    Ok(file)
}

/// Options that make files for this user alone and follow no link in the last place (open(2), `O_NOFOLLOW`).
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(nix::libc::O_NOFOLLOW);
    options
}

fn check_owner(metadata: &Metadata, user: u32) -> io::Result<()> {
    if metadata.uid() == user {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("it belongs to user {}, this program runs as user {user}", metadata.uid()),
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_or_file_of_another_user_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let metadata = fs::symlink_metadata(folder.path()).unwrap();
        assert!(check_owner(&metadata, metadata.uid()).is_ok());
        let refused = check_owner(&metadata, metadata.uid() + 1).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        // What belongs to root is not an ordinary user's, and the other way round.
        let foreign = if nix::unistd::geteuid().is_root() { None } else { Some(Path::new("/usr")) };
        assert!(foreign.is_none_or(|path| make_folder(path).is_err()));
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        make_folder(&path).unwrap();
        for (mode, good) in [(0o700, true), (0o755, true), (0o770, false), (0o702, false), (0o1777, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(make_folder(&path).is_ok(), good, "{mode:o}");
        }
    }

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        make_folder(&at("real/inner")).unwrap();
        std::os::unix::fs::symlink(at("real"), at("link")).unwrap();
        assert!(make_folder(&at("link")).is_err());
        fs::write(at("file"), "text").unwrap();
        std::os::unix::fs::symlink(at("file"), at("to-file")).unwrap();
        assert!(open(&at("file")).is_ok());
        assert!(open(&at("to-file")).is_err());
        assert!(options().write(true).create(true).truncate(true).open(at("to-file")).is_err());
        assert_eq!(fs::read_to_string(at("file")).unwrap(), "text");
    }
}
