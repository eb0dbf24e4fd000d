use std::path::PathBuf;
use std::time::Duration;

use daas_diagnostics::{Diagnose, Diagnostic, codes};
use sui_sdk_types::{Address, Digest};

use crate::abort::Abort;
use crate::types::{EventError, ObjectError};

/// What can go wrong between this program and the chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The keystore cannot be read.
    #[error("the keystore {} cannot be read: {reason}", path.display())]
    KeystoreUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No such key in the keystore.
    #[error("the keystore {} has no key for {wanted}", path.display())]
    KeyNotFound {
        /// Address or alias.
        wanted: String,
        /// The file.
        path: PathBuf,
    },
    /// Several keys, and none chosen.
    #[error("the keystore {} holds several keys and none is chosen: {candidates}", path.display())]
    WalletAmbiguous {
        /// The file.
        path: PathBuf,
        /// Their addresses.
        candidates: String,
    },
    /// Text that is no private key. The text itself is never part of the error.
    #[error("what was read from {origin} is no private key")]
    KeyMalformed {
        /// Where it was read.
        origin: String,
    },
    /// A kind of key that this build cannot use.
    #[error("this program cannot use the key reference {reference}")]
    KeyReferenceUnsupported {
        /// The reference.
        reference: String,
    },
    /// Others on the machine can read the key.
    #[error("the key file {} can be read by others (mode {mode:o})", path.display())]
    KeyFileExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Key and configured address differ.
    #[error("the key's address is {actual}, not {expected}")]
    AddressMismatch {
        /// Configured.
        expected: Address,
        /// The key's.
        actual: Address,
    },
    /// The `sui` program's configuration cannot be read.
    #[error("the wallet configuration {} cannot be used: {reason}", path.display())]
    WalletConfigUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },

    /// No connection.
    #[error("{endpoint} cannot be reached")]
    Unreachable {
        /// The node.
        endpoint: String,
        /// What gRPC says.
        #[source]
        source: Box<tonic::Status>,
    },
    /// No answer in time.
    #[error("{endpoint} did not answer within {} s", after.as_secs_f32())]
    Timeout {
        /// The node.
        endpoint: String,
        /// How long was waited.
        after: Duration,
    },
    /// Another chain.
    #[error("{endpoint} serves chain {actual}, not {expected}")]
    WrongNetwork {
        /// The node.
        endpoint: String,
        /// Chain identifier asked for.
        expected: Digest,
        /// Chain identifier of the node.
        actual: Digest,
    },
    /// Not our package.
    #[error("{package} is not the package: {reason}")]
    WrongPackage {
        /// The package.
        package: Address,
        /// Why.
        reason: String,
    },
    /// An object of another cluster.
    #[error("found cluster {actual}, not {expected}")]
    WrongCluster {
        /// The cluster asked for.
        expected: Address,
        /// The object's.
        actual: Address,
    },
    /// The registry's view is too old.
    #[error(transparent)]
    Stale(#[from] daas_seal_token::Stale),
    /// Nodes contradict each other.
    #[error("only {agreeing} of {total} nodes agree, {needed} are needed; they differ: {}", nodes.join(", "))]
    QuorumDisagreement {
        /// Largest group.
        agreeing: usize,
        /// Needed.
        needed: usize,
        /// Asked.
        total: usize,
        /// Those outside the largest group.
        nodes: Vec<String>,
    },
    /// Too few nodes answer.
    #[error("{answered} of {total} nodes answered, {needed} are needed")]
    QuorumUnreachable {
        /// Answered.
        answered: usize,
        /// Needed.
        needed: usize,
        /// Asked.
        total: usize,
    },
    /// The node lacks the call.
    #[error("{endpoint} does not serve {method}")]
    CallNotServed {
        /// The node.
        endpoint: String,
        /// The call.
        method: String,
    },
    /// An answer that cannot be.
    #[error("the answer of {endpoint} cannot be read as {what}")]
    AnswerInvalid {
        /// The node.
        endpoint: String,
        /// What it should have been.
        what: String,
    },
    /// Too many requests.
    #[error("{endpoint} refuses more requests for now")]
    RateLimited {
        /// The node.
        endpoint: String,
    },
    /// A transaction was sent and nothing was heard of it.
    #[error("it is not known whether transaction {digest} was executed")]
    OutcomeUnknown {
        /// The transaction.
        digest: Digest,
    },

    /// No coin for gas.
    #[error("{address} owns no SUI that could pay for gas")]
    NoGas {
        /// The wallet.
        address: Address,
    },
    /// Not enough money.
    #[error("{address} holds {balance} MIST, {needed} are needed")]
    InsufficientBalance {
        /// The wallet.
        address: Address,
        /// MIST.
        balance: u64,
        /// MIST.
        needed: u64,
    },
    /// Gas ran out.
    #[error("the gas budget of {budget} MIST was used up")]
    GasBudgetExceeded {
        /// MIST.
        budget: u64,
    },
    /// The contract said no.
    #[error("the contract refused: {0}")]
    Aborted(Abort),
    /// It ran, charged gas and changed nothing, for another reason than an abort.
    #[error("the transaction failed: {reason}")]
    Failed {
        /// Why.
        reason: String,
    },
    /// The chain said no.
    #[error("the chain did not accept the transaction: {reason}")]
    Rejected {
        /// Why.
        reason: String,
    },
    /// No such object.
    #[error("there is no {kind} {object}")]
    ObjectNotFound {
        /// What it should be.
        kind: &'static str,
        /// Its id.
        object: Address,
    },
    /// An object that is not what it should be.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// An event that is not understood.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Somebody else keeps changing the object.
    #[error("{object} was changed by somebody else, several times")]
    VersionConflict {
        /// The object.
        object: Address,
    },
    /// Only the owner may.
    #[error("{object} belongs to {owner}, not to {sender}")]
    NotOwner {
        /// The object.
        object: Address,
        /// Its owner.
        owner: Address,
        /// This wallet.
        sender: Address,
    },
    /// The wallet does not administer the cluster.
    #[error("{address} does not hold the admin cap of {cluster}")]
    AdminCapMissing {
        /// The cluster.
        cluster: Address,
        /// This wallet.
        address: Address,
    },
    /// The stake has no Seal token of this wallet to work on.
    #[error("the stake {stake} has no Seal token")]
    NoToken {
        /// The stake.
        stake: Address,
    },

    /// The journal of unfinished transactions cannot be used; nothing was sent.
    #[error("the journal {} cannot be used", path.display())]
    Journal {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process works on the same thing.
    #[error("another process holds {}", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// Compiled bytecode that cannot be read.
    #[error("the compiled package cannot be read: {reason}")]
    BytecodeInvalid {
        /// Why.
        reason: String,
    },
    /// A transaction that cannot be put together: a mistake in this program.
    #[error("the transaction cannot be built: {reason}")]
    Build {
        /// Why.
        reason: String,
    },
    /// A test stopped the work at this step.
    #[error("stopped at {0:?}")]
    Stopped(crate::client::Step),
}

impl Diagnose for Error {
    fn diagnostic(&self) -> Diagnostic {
        self.words().caused_by(self)
    }
}

impl Error {
    #[expect(clippy::too_many_lines, reason = "one arm a variant")]
    fn words(&self) -> Diagnostic {
        match self {
            Self::KeystoreUnreadable { path, reason } => {
                Diagnostic::new(codes::KEYSTORE_UNREADABLE).with("path", path.display()).with("reason", reason)
            }
            Self::KeyNotFound { wanted, path } => {
                Diagnostic::new(codes::KEY_NOT_FOUND).with("wanted", wanted).with("path", path.display())
            }
            Self::WalletAmbiguous { path, candidates } => {
                Diagnostic::new(codes::WALLET_AMBIGUOUS).with("path", path.display()).with("candidates", candidates)
            }
            Self::KeyMalformed { origin } => Diagnostic::new(codes::KEY_MALFORMED).with("origin", origin),
            Self::KeyReferenceUnsupported { reference } => {
                Diagnostic::new(codes::KEY_REFERENCE_UNSUPPORTED).with("reference", reference)
            }
            Self::KeyFileExposed { path, mode } => Diagnostic::new(codes::KEY_FILE_EXPOSED)
                .with("path", path.display())
                .with("mode", format_args!("{mode:o}")),
            Self::AddressMismatch { expected, actual } => {
                Diagnostic::new(codes::ADDRESS_MISMATCH).with("expected", expected).with("actual", actual)
            }
            Self::WalletConfigUnreadable { path, reason } => {
                Diagnostic::new(codes::WALLET_CONFIG_UNREADABLE).with("path", path.display()).with("reason", reason)
            }
            Self::Unreachable { endpoint, .. } => Diagnostic::new(codes::CHAIN_UNREACHABLE).with("endpoint", endpoint),
            Self::Timeout { endpoint, after } => {
                Diagnostic::new(codes::CHAIN_TIMEOUT).with("endpoint", endpoint).with("seconds", after.as_secs().max(1))
            }
            Self::WrongNetwork { endpoint, expected, actual } => Diagnostic::new(codes::WRONG_NETWORK)
                .with("endpoint", endpoint)
                .with("expected", expected)
                .with("actual", actual),
            Self::WrongPackage { package, reason } => {
                Diagnostic::new(codes::WRONG_PACKAGE).with("package", package).with("reason", reason)
            }
            Self::WrongCluster { expected, actual } => {
                Diagnostic::new(codes::WRONG_CLUSTER).with("expected", expected).with("actual", actual)
            }
            Self::Stale(stale) => Diagnostic::new(codes::CHAIN_VIEW_STALE)
                .with("age", format_args!("{} s", stale.age_ms / 1000))
                .with("limit", format_args!("{} s", stale.bound_ms / 1000)),
            Self::QuorumDisagreement { agreeing, needed, total, .. } => Diagnostic::new(codes::QUORUM_DISAGREEMENT)
                .with("agreeing", agreeing)
                .with("needed", needed)
                .with("total", total),
            Self::QuorumUnreachable { answered, needed, total } => Diagnostic::new(codes::QUORUM_UNREACHABLE)
                .with("answered", answered)
                .with("needed", needed)
                .with("total", total),
            Self::CallNotServed { endpoint, method } => {
                Diagnostic::new(codes::CALL_NOT_SERVED).with("endpoint", endpoint).with("method", method)
            }
            Self::AnswerInvalid { endpoint, what } => {
                Diagnostic::new(codes::CHAIN_ANSWER_INVALID).with("endpoint", endpoint).with("what", what)
            }
            Self::RateLimited { endpoint } => Diagnostic::new(codes::RATE_LIMITED).with("endpoint", endpoint),
            Self::OutcomeUnknown { digest } => Diagnostic::new(codes::OUTCOME_UNKNOWN).with("digest", digest),
            Self::NoGas { address } => Diagnostic::new(codes::NO_GAS).with("address", address),
            Self::InsufficientBalance { address, balance, needed } => Diagnostic::new(codes::INSUFFICIENT_BALANCE)
                .with("address", address)
                .with("balance", format_args!("{balance} MIST"))
                .with("needed", format_args!("{needed} MIST")),
            Self::GasBudgetExceeded { budget } => {
                Diagnostic::new(codes::GAS_BUDGET_EXCEEDED).with("budget", format_args!("{budget} MIST"))
            }
            Self::Aborted(abort) => Diagnostic::new(codes::TRANSACTION_ABORTED)
                .with("module", &abort.module)
                .with("constant", abort.constant().map_or_else(|| abort.code.to_string(), str::to_owned))
                .with("meaning", abort.meaning().unwrap_or("this version has no words for it")),
            Self::Failed { reason } => Diagnostic::new(codes::TRANSACTION_ABORTED)
                .with("module", "transaction")
                .with("constant", "failed")
                .with("meaning", reason),
            Self::Rejected { reason } => Diagnostic::new(codes::TRANSACTION_REJECTED).with("reason", reason),
            Self::ObjectNotFound { kind, object } => {
                Diagnostic::new(codes::OBJECT_NOT_FOUND).with("kind", kind).with("object", object)
            }
            Self::Object(ObjectError::OtherType { object, expected, actual }) => {
                Diagnostic::new(codes::OBJECT_OF_OTHER_TYPE)
                    .with("object", object)
                    .with("expected", expected)
                    .with("actual", actual)
            }
            Self::Object(ObjectError::Malformed { object, .. }) => Diagnostic::new(codes::CHAIN_ANSWER_INVALID)
                .with("endpoint", "(any)")
                .with("what", format_args!("the object {object}")),
            Self::Event(error) => Diagnostic::new(codes::CHAIN_ANSWER_INVALID)
                .with("endpoint", "(any)")
                .with("what", format_args!("an event: {error}")),
            Self::VersionConflict { object } => Diagnostic::new(codes::OBJECT_VERSION_CONFLICT).with("object", object),
            Self::NotOwner { object, owner, sender } => {
                Diagnostic::new(codes::NOT_OWNER).with("object", object).with("owner", owner).with("sender", sender)
            }
            Self::AdminCapMissing { cluster, address } => {
                Diagnostic::new(codes::ADMIN_CAP_MISSING).with("cluster", cluster).with("address", address)
            }
            Self::NoToken { stake } => {
                Diagnostic::new(codes::OBJECT_NOT_FOUND).with("kind", "Seal token of stake").with("object", stake)
            }
            Self::BytecodeInvalid { reason } => Diagnostic::new(codes::BYTECODE_INVALID)
                .with("path", "move/bytecode/package.json")
                .with("reason", reason),
            Self::Journal { .. } | Self::Busy { .. } => {
                Diagnostic::new(codes::TRANSACTION_REJECTED).with("reason", self)
            }
            Self::Build { .. } | Self::Stopped(_) => Diagnostic::new(codes::INTERNAL),
        }
    }

    /// Sorts what gRPC says.
    pub(crate) fn of_status(endpoint: &str, method: &str, after: Duration, status: tonic::Status) -> Self {
        use tonic::Code;
        let endpoint = endpoint.to_owned();
        match status.code() {
            Code::DeadlineExceeded | Code::Cancelled => Self::Timeout { endpoint, after },
            Code::Unimplemented => Self::CallNotServed { endpoint, method: method.to_owned() },
            Code::ResourceExhausted => Self::RateLimited { endpoint },
            Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => {
                Self::Rejected { reason: status.message().to_owned() }
            }
            _ => Self::Unreachable { endpoint, source: Box::new(status) },
        }
    }
}

#[cfg(test)]
mod tests {
    use daas_diagnostics::{Diagnose as _, Lang};

    use super::*;

    #[test]
    fn every_error_fills_its_blanks() {
        let (id, path, endpoint) = (Address::TWO, PathBuf::from("/p"), "http://n".to_owned());
        let abort = Abort { module: "staking".into(), function: None, code: 1, own: true };
        let errors = [
            Error::KeystoreUnreadable { path: path.clone(), reason: "r".into() },
            Error::KeyNotFound { wanted: "w".into(), path: path.clone() },
            Error::WalletAmbiguous { path: path.clone(), candidates: "c".into() },
            Error::KeyMalformed { origin: "o".into() },
            Error::KeyReferenceUnsupported { reference: "kms:x".into() },
            Error::KeyFileExposed { path: path.clone(), mode: 0o644 },
            Error::AddressMismatch { expected: id, actual: id },
            Error::WalletConfigUnreadable { path: path.clone(), reason: "r".into() },
            Error::Unreachable { endpoint: endpoint.clone(), source: Box::new(tonic::Status::unavailable("x")) },
            Error::Timeout { endpoint: endpoint.clone(), after: Duration::from_secs(3) },
            Error::WrongNetwork { endpoint: endpoint.clone(), expected: Digest::ZERO, actual: Digest::ZERO },
            Error::WrongPackage { package: id, reason: "r".into() },
            Error::WrongCluster { expected: id, actual: id },
            Error::Stale(daas_seal_token::Stale { age_ms: 31_000, bound_ms: 30_000 }),
            Error::QuorumDisagreement { agreeing: 1, needed: 2, total: 3, nodes: vec![endpoint.clone()] },
            Error::QuorumUnreachable { answered: 1, needed: 2, total: 3 },
            Error::CallNotServed { endpoint: endpoint.clone(), method: "m".into() },
            Error::AnswerInvalid { endpoint: endpoint.clone(), what: "w".into() },
            Error::RateLimited { endpoint },
            Error::OutcomeUnknown { digest: Digest::ZERO },
            Error::NoGas { address: id },
            Error::InsufficientBalance { address: id, balance: 1, needed: 2 },
            Error::GasBudgetExceeded { budget: 1 },
            Error::Aborted(abort),
            Error::Failed { reason: "r".into() },
            Error::Rejected { reason: "r".into() },
            Error::ObjectNotFound { kind: "Stake", object: id },
            Error::Object(ObjectError::OtherType { object: id, expected: "a".into(), actual: "b".into() }),
            Error::VersionConflict { object: id },
            Error::NotOwner { object: id, owner: id, sender: id },
            Error::AdminCapMissing { cluster: id, address: id },
            Error::NoToken { stake: id },
            Error::Journal { path: path.clone(), source: std::io::Error::other("x") },
            Error::Busy { path },
            Error::BytecodeInvalid { reason: "r".into() },
            Error::Build { reason: "r".into() },
        ];
        for error in errors {
            let diagnostic = error.diagnostic();
            assert!(diagnostic.unfilled().is_empty(), "{error}: {:?}", diagnostic.unfilled());
            assert!(diagnostic.unused().is_empty(), "{error}: {:?}", diagnostic.unused());
            assert!(!diagnostic.message(Lang::Korean).is_empty());
        }
    }
}
