//! What is mounted where (`/proc/self/mountinfo`, proc_pid_mountinfo(5)), and unmounting it.

use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, umount2};

use crate::{NodeError, Result};

const MOUNTINFO: &str = "/proc/self/mountinfo";

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) point: PathBuf,
    pub(crate) kind: String,
    /// Options of the file system itself; for cgroups, the controllers.
    pub(crate) options: String,
}

/// All mounts of this namespace, in the order they were made.
pub(crate) fn all() -> Result<Vec<Mount>> {
    let text = std::fs::read(MOUNTINFO).map_err(NodeError::file("reading", MOUNTINFO))?;
    Ok(parse(&text))
}

fn parse(text: &[u8]) -> Vec<Mount> {
    text.split(|byte| *byte == b'\n').filter_map(parse_line).collect()
}

fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let point = unescape(fields.nth(4)?);
    // Optional fields end with a dash.
    let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    let kind = text(rest.next()?);
    let options = text(rest.nth(1)?);
    Some(Mount { point, kind, options })
}

/// Spaces, tabs, line ends and backslashes are `\` and three octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        match tail {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] if *first == b'\\' => {
                plain.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = after;
            }
            _ => {
                plain.push(*first);
                rest = tail;
            }
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(plain))
}

/// Mount points strictly below one of the folders, the last mounted first.
pub(crate) fn below(folders: &[PathBuf]) -> Result<Vec<PathBuf>> {
    Ok(points_below(&all()?, folders))
}

fn points_below(mounts: &[Mount], folders: &[PathBuf]) -> Vec<PathBuf> {
    let inside = |point: &Path| folders.iter().any(|folder| point != folder && point.starts_with(folder));
    mounts.iter().rev().filter(|mount| inside(&mount.point)).map(|mount| mount.point.clone()).collect()
}

/// Unmounts everything below the folders, also what is in use; what could not be is an error.
pub(crate) fn unmount_below(folders: &[PathBuf]) -> Result<()> {
    // A mount that was made meanwhile is found in the next round.
    for _ in 0..3 {
        for point in below(folders)? {
            if let Err(cause) = umount2(&point, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
                tracing::warn!(mount = %point.display(), %cause, "could not be unmounted");
            }
        }
    }
    match below(folders)?.first() {
        None => Ok(()),
        Some(left) => Err(NodeError::file("unmounting", left)(std::io::ErrorKind::ResourceBusy.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = br"22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:22 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
24 22 0:23 / /run/k3s-daas/w1/containerd/a\040b\134c rw shared:1 master:2 - overlay overlay rw,lowerdir=/x
25 22 0:24 / /run/k3s-daas/w1/containerd rw - tmpfs tmpfs rw
26 22 0:25 / /run/k3s-daas/w10/containerd/x rw - tmpfs tmpfs rw
broken line
";

    #[test]
    fn mounts_are_read_with_their_escapes() {
        let mounts = parse(SAMPLE);
        assert_eq!(mounts.len(), 5);
        assert_eq!(mounts[1].options, "rw,cpu");
        assert_eq!(mounts[2].point, Path::new(r"/run/k3s-daas/w1/containerd/a b\c"));
        assert_eq!(mounts[2].kind, "overlay");
        assert_eq!(unescape(br"\9\04"), Path::new(r"\9\04"));
    }

    #[test]
    fn only_what_lies_below_is_ended_and_the_newest_first() {
        let below = |folder: &str| points_below(&parse(SAMPLE), &[folder.into()]);
        assert_eq!(below("/run/k3s-daas/w1/containerd"), [Path::new(r"/run/k3s-daas/w1/containerd/a b\c")]);
        assert_eq!(below("/run/k3s-daas/w1").len(), 2);
        assert_eq!(below("/run/k3s-daas/w1")[0], Path::new("/run/k3s-daas/w1/containerd"));
    }
}
