//! The Nitro security module (NSM): what an enclave asks for its registers, for random bytes and for attestation documents.
//!
//! [`Nsm::device`] is `/dev/nsm`. [`Simulated`] behaves like it without the hardware: 32 registers, of which the first 16
//! are locked from the start, and documents of the same structure under a chain of the same shape, but of a root of its own:
//! a [`DevelopmentRoot`], made per development cluster, which no production verifier can be told to trust.
//! [`DevelopmentSigner`] signs under that root what QEMU's device leaves unsigned, so that the very same image can be
//! attested in a virtual machine.

mod certificates;
mod chain;
mod development_signer;
mod device;
mod error;
mod root;
mod sign1;
mod signing_key;
mod simulated;

pub use certificates::{
    Authority, Subject, authority_extensions, basic_constraints, key_usage, leaf_extensions, template,
};
pub use chain::{Chain, Location};
pub use development_signer::DevelopmentSigner;
pub use device::Device;
pub use error::Error;
pub use root::DevelopmentRoot;
pub use sign1::{PROTECTED_ES384, Payload, sign1};
pub use signing_key::SigningKey;
pub use simulated::{Image, Simulated};

use daas_attestation::{Pcr, UnixTime};

/// How many registers there are.
pub const PCR_COUNT: u16 = 32;

/// The module, real or simulated.
#[derive(Debug)]
pub enum Nsm {
    /// `/dev/nsm`.
    Device(Device),
    /// A stand-in with its own root.
    Simulated(Box<Simulated>),
}

/// What a module says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Major, minor, patch.
    pub version: (u16, u16, u16),
    /// Names the module in documents.
    pub module_id: String,
    /// How many registers it has.
    pub max_pcrs: u16,
    /// Which cannot be extended any more.
    pub locked_pcrs: Vec<u16>,
}

/// A register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register {
    /// Its value.
    pub value: Pcr,
    /// Whether it is read-only.
    pub is_locked: bool,
}

/// What a document shall carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// At most 1024 bytes.
    pub public_key: Option<Vec<u8>>,
    /// At most 512 bytes.
    pub user_data: Option<Vec<u8>>,
    /// At most 512 bytes.
    pub nonce: Option<Vec<u8>>,
}

impl Nsm {
    /// Opens `/dev/nsm`.
    pub fn device() -> Result<Self, Error> {
        Device::open().map(Self::Device)
    }

    /// What the module says of itself.
    pub fn describe(&self) -> Result<Description, Error> {
        match self {
            Self::Device(device) => device.describe(),
            Self::Simulated(simulated) => Ok(simulated.describe()),
        }
    }

    /// The register `index`.
    pub fn register(&self, index: u16) -> Result<Register, Error> {
        match self {
            Self::Device(device) => device.register(index),
            Self::Simulated(simulated) => simulated.register(index),
        }
    }

    /// Sets the register to SHA-384(old value ‖ `data`) and says the new value.
    pub fn extend(&mut self, index: u16, data: &[u8]) -> Result<Pcr, Error> {
        match self {
            Self::Device(device) => device.extend(index, data),
            Self::Simulated(simulated) => simulated.extend(index, data),
        }
    }

    /// Makes the register read-only until the enclave ends.
    pub fn lock(&mut self, index: u16) -> Result<(), Error> {
        match self {
            Self::Device(device) => device.lock(index),
            Self::Simulated(simulated) => simulated.lock(index),
        }
    }

    /// Makes the registers `0..end` read-only.
    pub fn lock_below(&mut self, end: u16) -> Result<(), Error> {
        match self {
            Self::Device(device) => device.lock_below(end),
            Self::Simulated(simulated) => simulated.lock_below(end),
        }
    }

    /// An attestation document. The real device has its own clock; the simulated one is told the time.
    pub fn attest(&mut self, request: &Request, now: UnixTime) -> Result<Vec<u8>, Error> {
        match self {
            Self::Device(device) => device.attest(request),
            Self::Simulated(simulated) => simulated.attest(request, now),
        }
    }

    /// Random bytes, as many as the module gives at once (256).
    pub fn random(&mut self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Device(device) => device.random(),
            Self::Simulated(_) => Simulated::random(),
        }
    }
}
