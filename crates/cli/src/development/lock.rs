//! One `up` or `down` at a time.

use std::fs::File;
use std::time::Duration;

use daas_chain::private;
use daas_diagnostics::{Diagnostic, codes};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::places::{Places, file_failed, private_folder};
use crate::waiting::until;

/// How long one waits for the other.
const PATIENCE: Duration = Duration::from_mins(2);

/// Held while the development setup changes; the kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code)] Flock<File>);

impl Lock {
    /// Waits for the lock.
    pub async fn take(places: &Places) -> Result<Self, Diagnostic> {
        private_folder(places.state())?;
        let path = places.lock_file();
        let mut file = Some(
            private::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(|error| file_failed("write", &path, &error))?,
        );
        let attempt = || match Flock::lock(file.take()?, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Some(Ok(lock)),
            Err((back, Errno::EWOULDBLOCK)) => {
                file = Some(back);
                None
            }
            Err((_, error)) => Some(Err(file_failed("lock", &path, &error.into()))),
        };
        match until(PATIENCE, attempt).await {
            Some(lock) => Ok(Self(lock?)),
            None => Err(Diagnostic::new(codes::STATE_IN_USE).with("path", places.state().display())),
        }
    }
}
