//! Files that programs read, written so that no reader meets half of one.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::{NodeError, Result};

/// Makes a folder and those above it. Others may pass through (users of pods do), not look.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o711).create(path).map_err(NodeError::file("making the folder", path))
}

/// Writes a file that everybody may read, by a rename; one that says the same already stays.
pub(crate) fn write(path: &Path, content: &str) -> Result<()> {
    if std::fs::read(path).is_ok_and(|now| now == content.as_bytes()) {
        return Ok(());
    }
    let draft = path.with_extension("new");
    let fault = |doing| NodeError::file(doing, path);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(&draft)
        .map_err(fault("writing"))?;
    file.write_all(content.as_bytes()).map_err(fault("writing"))?;
    file.set_permissions(Permissions::from_mode(0o644)).map_err(fault("writing"))?;
    drop(file);
    std::fs::rename(&draft, path).map_err(fault("replacing"))
}

/// Name servers for pods: the machine's file, where one of its servers can be reached from a pod. One on loopback cannot (and would have the
/// cluster's DNS ask itself); then a public one is named, as in k3s (`pkg/agent/config/config.go`).
pub(crate) fn name_servers(machines: &Path) -> Option<String> {
    let text = std::fs::read_to_string(machines).unwrap_or_default();
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let usable = |server: &str| server.trim().parse::<std::net::IpAddr>().is_ok_and(|address| !address.is_loopback());
    let mut servers = servers.filter(|rest| rest.starts_with(char::is_whitespace)).peekable();
    let all_usable = servers.peek().is_some() && servers.all(usable);
    (!all_usable).then(|| "nameserver 8.8.8.8\n".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_one_that_is_the_same_stays() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write(&path, "one").unwrap();
        let first = std::fs::metadata(&path).unwrap();
        write(&path, "one").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().ino(), first.ino());
        write(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn name_servers_on_loopback_are_of_no_use_to_pods() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("resolv.conf");
        let told = |text: &str| {
            std::fs::write(&file, text).unwrap();
            name_servers(&file)
        };
        assert_eq!(told("search a\nnameserver 10.0.0.2\n"), None);
        for text in ["", "nameserver 127.0.0.53\n", "nameserver 10.0.0.2\nnameserver ::1\n", "nameserver x\n"] {
            assert!(told(text).is_some(), "{text:?}");
        }
        assert!(name_servers(&folder.path().join("none")).is_some());
    }
}
