//! Everything that can go wrong in the development chain, for operators and for clients.

use std::{io, net::SocketAddr, path::PathBuf};

use sui_sdk_types::{Address, Digest};

use crate::execution::Refused;

/// Why the chain could not start, or why it did not take a transaction or answer a question.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process works on the same data directory.
    #[error("the chain in {} is in use by another daas-devnet: stop that one or choose another --data-dir", .dir.display())]
    InUse {
        /// The data directory.
        dir: PathBuf,
    },
    /// The chain was written in another format than this program's.
    #[error(
        "the chain in {} was written by another version of daas-devnet, in format {found} where this one reads {known}: remove it (`daas down --purge`) or go on with that version",
        .dir.display()
    )]
    Format {
        /// The data directory.
        dir: PathBuf,
        /// The format of what is there; 1 where nothing says it.
        found: u32,
        /// The format that this program reads and writes.
        known: u32,
    },
    /// The data directory cannot be created, locked or read.
    #[error("data directory {}: {source}", .dir.display())]
    DataDir {
        /// The data directory.
        dir: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The embedded store failed.
    #[error("the chain's store failed: {0}")]
    Store(#[from] redb::Error),
    /// The store holds something that this program did not write, or another version of it did.
    #[error("the chain's store holds a malformed {what}: {source}")]
    Malformed {
        /// Which record.
        what: &'static str,
        /// Why it cannot be read.
        source: bcs::Error,
    },
    /// The store lacks a record that another record refers to.
    #[error("the chain's store lacks {0}")]
    Missing(String),
    /// The address asked for is not a loopback address.
    #[error(
        "{0} is reachable from other machines, a development chain is not made for that: listen on loopback or add --listen-anywhere"
    )]
    NotLoopback(SocketAddr),
    /// The port is taken or forbidden.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A file given on the command line cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A file given on the command line cannot be written.
    #[error("cannot write {}: {source}", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A file is not the certificate of a root of attestation.
    #[error("{} cannot be a root of attestation: {source}", .path.display())]
    AttestationRoot {
        /// The file.
        path: PathBuf,
        /// Why.
        source: daas_attestation::RootError,
    },
    /// The validators' own signatures do not verify: the committee in the store is damaged.
    #[error("the chain's validators cannot sign: {0}")]
    Committee(String),
    /// The writer has stopped; nothing is accepted any more.
    #[error("the chain is stopped: {0}")]
    Stopped(String),
    /// A bug in the execution of this transaction; it left no trace.
    #[error("executing {digest} crashed the executor; the transaction was dropped")]
    Crashed {
        /// The transaction.
        digest: Digest,
    },
    /// More transactions wait than the chain can take.
    #[error("the chain is busy: {0}")]
    Busy(&'static str),

    /// A signature scheme that the chain cannot verify.
    #[error(
        "{0} signatures are not supported by the development chain: sign with ed25519, secp256k1, secp256r1 or a multisig of these"
    )]
    UnsupportedSignature(&'static str),
    /// The signature does not belong to this transaction and key.
    #[error("invalid user signature: {0}")]
    InvalidSignature(String),
    /// Sender and gas owner sign, each once, and nobody else.
    #[error(
        "expected {expected} signature(s), by the sender and by the gas owner where that is another, found {found}"
    )]
    SignatureCount {
        /// How many signers the transaction has.
        expected: usize,
        /// How many signatures came with it.
        found: usize,
    },
    /// A required signer has not signed.
    #[error("the signature of {signer} is missing")]
    MissingSigner {
        /// Sender or gas owner.
        signer: Address,
    },
    /// The transaction is larger than the chain takes.
    #[error("the transaction has {found} bytes, at most {limit} are allowed")]
    TransactionTooLarge {
        /// Its BCS size.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Execution refused the transaction; it left no trace.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The development-only endpoints of a chain did not do what they were asked for.
    #[error("the development chain's control answered: {0}")]
    Control(String),
    /// The faucet does not give that.
    #[error("the faucet refuses: {0}")]
    Faucet(String),
}

macro_rules! from_redb {
    ($($error:ty),*) => { $(impl From<$error> for Error {
        fn from(error: $error) -> Self {
            Self::Store(error.into())
        }
    })* };
}
from_redb!(redb::DatabaseError, redb::TransactionError, redb::TableError, redb::StorageError, redb::CommitError);
