//! What the interpreter asks the outside for: modules, child objects, attestation documents.

use std::sync::Arc;

use sui_sdk_types::{Address, StructTag};

use crate::{CompiledModule, ModuleId};

/// Where published modules come from. The framework packages `0x1` and `0x2` are built in and never asked for.
///
/// A [`ModuleId`] here holds the *original* id of the package. After upgrades the implementation answers with the
/// module of the version that the transaction's linkage chose.
pub trait ModuleSource {
    /// The module, if it exists.
    fn module(&self, id: &ModuleId) -> Option<Arc<CompiledModule>>;

    /// The package version that first defined a type: the address in type tags. The original id unless an upgrade
    /// added the type.
    fn defining_id(&self, module: &ModuleId, _type_name: &str) -> Address {
        module.address
    }

    /// The original id of a package given by the id of any of its versions.
    fn original_id(&self, package: Address) -> Address {
        package
    }
}

/// An object as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Version of the object.
    pub version: u64,
    /// Type of the object.
    pub type_: StructTag,
    /// BCS of the Move value.
    pub contents: Vec<u8>,
}

/// Where the children of objects (dynamic fields) and received objects come from.
pub trait ChildSource {
    /// The child `id` of `parent`, or `None` if there is none. The error is a sentence.
    fn child(&self, parent: Address, id: Address) -> Result<Option<StoredObject>, String>;

    /// The object `id` at `version`, owned by the address `parent`, for `transfer::receive`.
    fn receiving(&self, _parent: Address, _id: Address, _version: u64) -> Result<Option<StoredObject>, String> {
        Ok(None)
    }
}

/// The fields of a verified Nitro attestation document (`0x2::nitro_attestation::NitroAttestationDocument`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttestationDocument {
    /// `module_id`
    pub module_id: Vec<u8>,
    /// `timestamp`, milliseconds
    pub timestamp: u64,
    /// `digest`
    pub digest: Vec<u8>,
    /// `pcrs`: index and value, as the framework lists them
    pub pcrs: Vec<(u8, Vec<u8>)>,
    /// `public_key`
    pub public_key: Option<Vec<u8>>,
    /// `user_data`
    pub user_data: Option<Vec<u8>>,
    /// `nonce`
    pub nonce: Option<Vec<u8>>,
}

/// Why an attestation document was refused; each becomes the abort code of the framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttestationError {
    /// The document does not parse (`EParseError`).
    Parse,
    /// The signature or chain is not valid (`EVerifyError`).
    Verify,
    /// The PCRs are not valid (`EInvalidPCRsError`).
    Pcrs,
}

/// Verifies Nitro attestation documents for `0x2::nitro_attestation::load_nitro_attestation`.
pub trait AttestationVerifier {
    /// Verifies `document` at the chain's time.
    fn verify(&self, document: &[u8], now_ms: u64) -> Result<AttestationDocument, AttestationError>;
}
