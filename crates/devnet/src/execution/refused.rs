//! Why a transaction never enters the chain: nothing is charged, nothing is written.

use sui_sdk_types::{Address, Digest, Version};

/// A transaction that cannot be executed at all. Unlike a failing command it leaves no effects and charges no gas.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Only programmable transactions come from users; the rest are the system's own.
    #[error("transaction kind {0} is reserved for the system")]
    SystemOnly(&'static str),
    /// A part of the protocol that the development chain does not implement.
    #[error("not supported by the development chain: {0}")]
    Unsupported(&'static str),
    /// The transaction has more of something than the chain accepts.
    #[error("{what}: {found} exceeds the limit of {limit}")]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// How much the transaction has.
        found: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// A package that needs a framework function which the development chain does not implement.
    #[error("{function} is not available on the development chain: the package cannot be published here")]
    FrameworkFunction {
        /// Module and name.
        function: String,
    },
    /// The transaction's shape is wrong whatever the objects are.
    #[error("malformed transaction: {0}")]
    Malformed(String),
    /// The transaction may not be executed now.
    #[error("transaction expired or not valid yet: {0}")]
    Expired(String),
    /// An input or package does not exist, or was deleted or wrapped.
    #[error("object {id} does not exist (never created, deleted or wrapped)")]
    MissingObject {
        /// The object asked for.
        id: Address,
    },
    /// The reference names a version that is no longer the live one.
    #[error("object {id} is at version {live}, the transaction names version {named}: it was used meanwhile")]
    StaleVersion {
        /// The object.
        id: Address,
        /// The version in the transaction.
        named: Version,
        /// The live version.
        live: Version,
    },
    /// The reference's digest is not that of the live object at this version.
    #[error("object {id} version {version} has digest {live}, the transaction names {named}")]
    WrongDigest {
        /// The object.
        id: Address,
        /// Its version.
        version: Version,
        /// The digest in the transaction.
        named: Digest,
        /// The digest of the live object.
        live: Digest,
    },
    /// An owned object that belongs to somebody else.
    #[error("object {id} is owned by {owner}, not by {signer}")]
    WrongOwner {
        /// The object.
        id: Address,
        /// Who owns it.
        owner: Address,
        /// Who signed.
        signer: Address,
    },
    /// A child object can be reached only through its parent.
    #[error("object {id} is a child of {parent} and cannot be an input")]
    ChildObject {
        /// The object.
        id: Address,
        /// Its parent.
        parent: Address,
    },
    /// The object is shared but named as owned, or the reverse.
    #[error("object {id} is {actual}, the transaction names it as {named}")]
    WrongInputKind {
        /// The object.
        id: Address,
        /// How the object is owned.
        actual: &'static str,
        /// How the transaction names it.
        named: &'static str,
    },
    /// The version at which the object became shared is another one.
    #[error("object {id} is shared since version {actual}, the transaction says {named}")]
    WrongInitialSharedVersion {
        /// The object.
        id: Address,
        /// The version at which it became shared.
        actual: Version,
        /// The version in the transaction.
        named: Version,
    },
    /// A package cannot be passed as an object.
    #[error("{id} is a package, not an object")]
    PackageAsObject {
        /// The package.
        id: Address,
    },
    /// Something that must be a package is an object.
    #[error("{id} is an object, not a package")]
    NotAPackage {
        /// The object.
        id: Address,
    },
    /// The same object is named twice.
    #[error("object {id} is named more than once among inputs and gas payment")]
    DuplicateInput {
        /// The object.
        id: Address,
    },
    /// The Clock and other system objects are read-only for users.
    #[error("system object {id} can be used only immutably")]
    ImmutableSystemObject {
        /// The object.
        id: Address,
    },
    /// The gas price is not one that validators accept.
    #[error("gas price {price} is outside {min}..={max}")]
    GasPrice {
        /// The transaction's price in MIST per unit.
        price: u64,
        /// The reference gas price.
        min: u64,
        /// The highest price.
        max: u64,
    },
    /// The gas budget is outside the allowed range.
    #[error("gas budget {budget} is outside {min}..={max}")]
    GasBudget {
        /// The transaction's budget in MIST.
        budget: u64,
        /// Lowest budget at this price.
        min: u64,
        /// Highest budget.
        max: u64,
    },
    /// No coin pays for gas.
    #[error("the transaction names no coin that pays for gas")]
    NoGasPayment,
    /// The gas coins together hold less than the budget.
    #[error("gas coins hold {balance} MIST, the gas budget is {budget}")]
    GasTooPoor {
        /// Sum of the gas coins.
        balance: u64,
        /// The budget.
        budget: u64,
    },
    /// A gas payment object that is not a SUI coin.
    #[error("gas payment object {id} is not a SUI coin of an address")]
    NotAGasCoin {
        /// The object.
        id: Address,
    },
}
