mod words;

use std::path::PathBuf;
use std::time::Duration;

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
    #[error("the gas budget of {budget} MIST is not enough")]
    GasBudgetExceeded {
        /// MIST.
        budget: u64,
        /// Whether it was spent, or the transaction was only tried out.
        run: Run,
    },
    /// The contract said no.
    #[error("the contract refused: {0}")]
    Aborted(Abort),
    /// It failed for another reason than an abort and changed nothing.
    #[error("the transaction failed: {reason}")]
    Failed {
        /// Why.
        reason: String,
        /// Whether that cost gas, or the transaction was only tried out.
        run: Run,
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

/// How far a transaction came that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// A node tried it out: nothing was signed, sent or paid.
    Simulated,
    /// The chain executed it and charged gas.
    Executed,
}

impl Error {
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
