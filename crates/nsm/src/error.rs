//! Why the module did not do what it was asked.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// The module's own errors, and those of development roots.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// No such device, or no permission.
    #[error("/dev/nsm cannot be opened: this is not a Nitro enclave, or not with permission to use the device")]
    Unavailable,
    /// The module's `InvalidArgument`.
    #[error("the security module refused the arguments of {operation}")]
    InvalidArgument {
        /// What was asked.
        operation: &'static str,
    },
    /// The module's `InvalidIndex`.
    #[error("there is no such register: the highest is PCR31")]
    InvalidIndex,
    /// The module's `ReadOnlyIndex`.
    #[error("the register is locked")]
    ReadOnlyIndex,
    /// The module's `InvalidOperation`.
    #[error("the security module cannot do {operation}")]
    InvalidOperation {
        /// What was asked.
        operation: &'static str,
    },
    /// The module's `InputTooLarge`.
    #[error("the input of {operation} is too large")]
    InputTooLarge {
        /// What was asked.
        operation: &'static str,
    },
    /// The module's `BufferTooSmall`, `InvalidResponse` or `InternalError`, or an answer to another question.
    #[error("the security module failed at {operation}")]
    Failed {
        /// What was asked.
        operation: &'static str,
    },
    /// A key or certificate of the simulated chain could not be made.
    #[error("the simulated chain could not be made: {what}")]
    Chain {
        /// Which part.
        what: &'static str,
    },
    /// A document that the development signer does not sign.
    #[error("the development signer signs only what QEMU's device left unsigned: {reason}")]
    NotUnsigned {
        /// What is different.
        reason: &'static str,
    },
    /// A file of the development root.
    #[error("{path} cannot be {action}", path = path.display())]
    File {
        /// Read or written.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The files are there and are not a key and its certificate.
    #[error("{path} is not a development root: {reason}", path = path.display())]
    NotARoot {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
}
