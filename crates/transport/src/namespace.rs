//! Listeners in another network namespace.
//!
//! A socket stays in the namespace that it was made in, wherever its owner is: a thread enters the namespace (setns(2) moves
//! threads, not processes), makes the socket, hands it over and ends.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, setns};
use tokio::net::TcpListener;

use crate::{Error, Result};

/// Listens at an address, in the network namespace of this file (`/proc/<pid>/ns/net`) or in this process' own.
pub async fn listen_in(namespace: Option<&Path>, address: SocketAddr) -> Result<TcpListener> {
    let fault = |cause| Error::Listen { address, namespace: namespace.map(Into::into), cause };
    let Some(path) = namespace else { return TcpListener::bind(address).await.map_err(fault) };
    let listener = within(path.into(), move || StdListener::bind(address)).await.map_err(fault)?;
    listener.set_nonblocking(true).map_err(fault)?;
    TcpListener::from_std(listener).map_err(fault)
}

/// What `socket` gives back, called in a thread of its own in the namespace.
async fn within<T: Send + 'static>(
    namespace: PathBuf,
    socket: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (answer, made) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("daas-netns".into()).spawn(move || {
        let made = File::open(&namespace).and_then(|file| {
            setns(file, CloneFlags::CLONE_NEWNET)?;
            socket()
        });
        // Nobody waits any more: what was made is closed.
        let _ = answer.send(made);
    })?;
    made.await.unwrap_or_else(|_| Err(io::Error::other("the thread ended without an answer")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_namespace_it_is_an_ordinary_listener() {
        let listener = listen_in(None, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        assert_ne!(listener.local_addr().unwrap().port(), 0);
    }

    #[tokio::test]
    async fn a_namespace_that_is_none_is_an_error_that_names_it() {
        let error = listen_in(Some(Path::new("/nowhere/net")), "127.0.0.1:0".parse().unwrap()).await.unwrap_err();
        assert!(error.to_string().contains("/nowhere/net"), "{error}");
    }
}
