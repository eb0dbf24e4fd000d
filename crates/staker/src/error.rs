use std::io;
use std::path::{Path, PathBuf};

use daas_diagnostics::{Diagnose, Diagnostic, codes};

/// Why the worker cannot go on, or not yet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The chain, the wallet or the contract.
    #[error(transparent)]
    Chain(#[from] daas_chain::Error),
    /// The nodes serve another chain than the settings name.
    #[error("{endpoint} serves the chain {actual}, not {expected}")]
    OtherChain {
        /// Who was asked.
        endpoint: String,
        /// The settings'.
        expected: String,
        /// What it serves.
        actual: String,
    },
    /// A file of the worker's own.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another staker works in this folder.
    #[error("another staker works in {}", .0.display())]
    InUse(PathBuf),
    /// The state file is damaged.
    #[error("the state in {} cannot be read: {reason}", path.display())]
    StateMalformed {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The state is another worker's.
    #[error("the state in {} is of {what} {found}, the settings say {expected}", path.display())]
    StateOfAnother {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// In the file.
        found: String,
        /// In the settings.
        expected: String,
    },
    /// This worker's stake is over; it does not stake again by itself.
    #[error("this worker's stake is over: {0}")]
    Ended(String),
    /// The session key of the stake is on another machine.
    #[error("the session key of stake {0} is not on this machine")]
    SessionKeyElsewhere(String),
    /// A session key file is damaged or exposed.
    #[error("the session key {} cannot be used: {reason}", path.display())]
    SessionKey {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// The Seal token has been revoked or is kept out.
    #[error("the Seal token does not count: {0}")]
    TokenVoid(&'static str),
    /// The stake is smaller than the cluster asks for.
    #[error("the stake is {amount} MIST, the cluster asks for {minimum}")]
    StakeTooSmall {
        /// What the settings offer.
        amount: u64,
        /// What is needed.
        minimum: u64,
    },
    /// Nothing speaks for the cluster now.
    #[error("cluster {cluster} has no instance to join: {reason}")]
    NoInstance {
        /// The cluster.
        cluster: String,
        /// Why.
        reason: &'static str,
    },
    /// An address on chain or in the settings is not one.
    #[error("{what} is not an address: {text}")]
    Address {
        /// Whose.
        what: &'static str,
        /// The text.
        text: String,
    },
    /// A root of attestation that may not be given or is not one.
    #[error("the attestation root {} cannot be used: {reason}", path.display())]
    Root {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The chain's newest checkpoint is too old to judge by.
    #[error("the chain's newest checkpoint is {} s old", .0.as_secs())]
    ChainStale(std::time::Duration),
    /// The enclave gave no document.
    #[error("no attestation document from {address}")]
    NoDocument {
        /// Who was asked.
        address: String,
        /// Why.
        source: daas_attested_tls::AskError,
    },
    /// The enclave is not the one to trust.
    #[error("the enclave at {address} is refused: {source}")]
    EnclaveRefused {
        /// Who was asked.
        address: String,
        /// The rule that it broke.
        source: daas_attestation::Refusal,
    },
    /// A connection or an answer failed.
    #[error("{what}: {why}")]
    Exchange {
        /// What was asked for.
        what: &'static str,
        /// Why it failed.
        why: String,
    },
    /// The master says no.
    #[error("{what}: the master says no ({code:?}): {why}")]
    Master {
        /// What was asked for.
        what: &'static str,
        /// Its reason.
        code: daas_join::master_api::ErrorCode,
        /// Its words, shortened.
        why: String,
    },
    /// An answer with a status that is no success.
    #[error("{what}: {status}: {why}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// The status.
        status: http::StatusCode,
        /// What the other side says, shortened.
        why: String,
    },
    /// The gateway shows another CA than the enclave attested.
    #[error("the gateway's CA is not the attested one")]
    OtherCa,
    /// What the gateway handed out is not what was asked for.
    #[error("the gateway's {what} is refused: {why}")]
    Handed {
        /// Which document.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// Cryptography on this machine failed.
    #[error("{0} failed")]
    Crypto(&'static str),
    /// The node's programs.
    #[error("the node: {0}")]
    Node(String),
    /// Another container runtime than the worker's own.
    #[error("container_runtime \"cri\" is not served yet: leave it out, and the worker brings a containerd of its own")]
    ForeignRuntime,
    /// The local API cannot be served.
    #[error("the local API cannot listen on {address}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(crate) fn exchange(what: &'static str, why: impl ToString) -> Self {
        Self::Exchange { what, why: why.to_string() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(crate) fn handed(what: &'static str, why: impl ToString) -> Self {
        Self::Handed { what, why: why.to_string() }
    }

    /// Whether waiting cannot help: somebody has to change something first.
    pub fn is_final(&self) -> bool {
        match self {
            Self::InUse(_)
            | Self::StateMalformed { .. }
            | Self::StateOfAnother { .. }
            | Self::Ended(_)
            | Self::SessionKeyElsewhere(_)
            | Self::SessionKey { .. }
            | Self::StakeTooSmall { .. }
            | Self::Root { .. }
            | Self::ForeignRuntime
            | Self::OtherChain { .. }
            | Self::Listen { .. } => true,
            Self::Chain(error) => {
                matches!(error, daas_chain::Error::WrongNetwork { .. } | daas_chain::Error::NotOwner { .. })
            }
            _ => false,
        }
    }
}

impl Diagnose for Error {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Chain(error) => error.diagnostic(),
            Self::File { action, path, source } => Diagnostic::new(codes::FILE_ACCESS_FAILED)
                .with("action", action)
                .with("path", path.display())
                .caused_by(source),
            Self::SessionKey { path, reason } => {
                Diagnostic::new(codes::SESSION_KEY_UNREADABLE).with("path", path.display()).with("reason", reason)
            }
            Self::StakeTooSmall { amount, minimum } => Diagnostic::new(codes::STAKE_TOO_SMALL)
                .with("amount", daas_settings::Mist(*amount))
                .with("minimum", daas_settings::Mist(*minimum)),
            Self::Ended(why) => Diagnostic::new(codes::WORKER_ENDED).with("reason", why),
            Self::OtherChain { endpoint, expected, actual } => Diagnostic::new(codes::WRONG_NETWORK)
                .with("endpoint", endpoint)
                .with("expected", expected)
                .with("actual", actual),
            Self::InUse(path) => Diagnostic::new(codes::WORKER_IN_USE).with("path", path.display()),
            _ => {
                let diagnostic = Diagnostic::new(codes::WORKER_STOPPED).with("reason", self);
                match std::error::Error::source(self) {
                    Some(source) => diagnostic.caused_by(source),
                    None => diagnostic,
                }
            }
        }
    }
}
