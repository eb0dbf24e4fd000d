//! What connects an enclave and its parent: numbered ports on both sides.
//!
//! In the sandbox and in QEMU a port is the Unix socket `<folder>/vsock_<port>`, whoever listens there.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::time::Instant;

use crate::{Error, Listener, Result, Stream};

/// `sun_path` of unix(7), with its zero at the end.
const LONGEST_PATH: usize = 107;
/// A listener whose queue is full is asked again for this long.
const QUEUE_TIME: Duration = Duration::from_secs(5);
const QUEUE_AGAIN: Duration = Duration::from_millis(10);

/// A link between an enclave and its parent. Both sides use the same one: who listens at which port is said in [`crate::ports`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Link {
    /// Unix sockets in this folder.
    Folder(PathBuf),
}

impl Link {
    /// Reads `folder:PATH` or `vsock`.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text == "vsock" => Err(Error::NoVsock),
            Some(("folder", path)) if !path.is_empty() => Ok(Self::Folder(path.into())),
            _ => Err(Error::NoLink(text.into())),
        }
    }

    /// Connects to a port of the other side.
    pub async fn connect(&self, port: u16) -> Result<Stream> {
        let path = self.path(port)?;
        let give_up = Instant::now() + QUEUE_TIME;
        loop {
            match UnixStream::connect(&path).await {
                Ok(stream) => return Ok(stream.into()),
                // Linux: the listener's queue is full (connect(2), EAGAIN); nothing says when it is not any more.
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock && Instant::now() < give_up => {
                    tokio::time::sleep(QUEUE_AGAIN).await;
                }
                Err(cause) => return Err(Error::Socket { doing: "connecting to", path, cause }),
            }
        }
    }

    /// Listens at a port of this side, for this user only. What an earlier listener left behind is replaced.
    pub fn listen(&self, port: u16) -> Result<Listener> {
        let path = self.path(port)?;
        let listener = listen_at(&path)?;
        Ok(listener.into())
    }

    fn path(&self, port: u16) -> Result<PathBuf> {
        let Self::Folder(folder) = self;
        let path = folder.join(format!("vsock_{port}"));
        if path.as_os_str().len() > LONGEST_PATH {
            return Err(Error::LongPath { path, longest: LONGEST_PATH });
        }
        Ok(path)
    }
}

/// Listens at a path, for this user only; replaces a socket that is there, and nothing else.
pub fn listen_at(path: &Path) -> Result<UnixListener> {
    let fault = |doing| move |cause| Error::Socket { doing, path: path.into(), cause };
    if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        fs::remove_file(path).map_err(fault("removing"))?;
    }
    let listener = UnixListener::bind(path).map_err(fault("listening at"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(fault("limiting access to"))?;
    Ok(listener)
}

impl FromStr for Link {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Folder(folder) = self;
        write!(out, "folder:{}", folder.display())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::accept::Accept as _;

    #[test]
    fn only_folders_are_links_and_vsock_says_why_not() {
        assert_eq!(Link::parse("folder:/run/x").unwrap(), Link::Folder("/run/x".into()));
        assert_eq!(Link::parse("folder:/run/x").unwrap().to_string(), "folder:/run/x");
        assert!(matches!(Link::parse("vsock"), Err(Error::NoVsock)));
        for text in ["", "folder", "folder:", "/run/x", "tcp:1", "vsock:3"] {
            assert!(matches!(Link::parse(text), Err(Error::NoLink(_))), "{text}");
        }
    }

    #[tokio::test]
    async fn a_port_is_a_private_socket_that_survives_an_unclean_end() {
        let folder = tempfile::tempdir().unwrap();
        let link = Link::Folder(folder.path().into());
        drop(link.listen(9001).unwrap());
        assert!(link.connect(9001).await.is_err(), "nobody listens");
        let mut listener = link.listen(9001).unwrap();
        let path = folder.path().join("vsock_9001");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let mut dialled = link.connect(9001).await.unwrap();
        let (mut taken, _) = listener.accept().await.unwrap();
        dialled.write_all(b"hello").await.unwrap();
        let mut read = [0; 5];
        taken.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"hello");
    }

    #[tokio::test]
    async fn a_file_in_the_sockets_place_is_kept_and_a_long_path_explained() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("vsock_9001"), "mine").unwrap();
        assert!(Link::Folder(folder.path().into()).listen(9001).is_err());
        assert_eq!(fs::read(folder.path().join("vsock_9001")).unwrap(), b"mine");
        let deep = Link::Folder(folder.path().join("x".repeat(100)));
        assert!(matches!(deep.listen(1), Err(Error::LongPath { .. })));
        assert!(matches!(deep.connect(1).await, Err(Error::LongPath { .. })));
    }
}
