//! A security module without the hardware.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use daas_attestation::{Pcr, UnixTime};
use sha2::{Digest as _, Sha384};

use crate::sign1::{PROTECTED_ES384, Payload, sign1};
use crate::{Chain, Description, DevelopmentRoot, Error, Location, PCR_COUNT, Register, Request};

/// What the hypervisor measured when the enclave started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// PCR0 to 2, or `None` for debug mode: the registers stay zero.
    pub pcrs: Option<[Pcr; 3]>,
    /// PCR8, where the image is signed.
    pub signer: Option<Pcr>,
    /// The parent's IAM role, for PCR3.
    pub role: Option<String>,
}

/// Behaves as `/dev/nsm`, under a development root.
#[derive(Debug)]
pub struct Simulated {
    root: DevelopmentRoot,
    location: Location,
    registers: [Register; PCR_COUNT as usize],
    chain: Chain,
}

/// The hypervisor locks these before the enclave starts.
const LOCKED_AT_START: u16 = 16;
const RANDOM_LENGTH: usize = 256;
/// `attestation_process.md` §3.2.2.2.
const MAX_PUBLIC_KEY: usize = 1024;
const MAX_USER_DATA: usize = 512;
const MAX_NONCE: usize = 512;
/// A request to the device is at most 4 KiB, of which its frame takes some.
const MAX_EXTENSION: usize = 0x1000 - 64;

impl Simulated {
    /// An enclave that has just started.
    pub fn start(root: DevelopmentRoot, location: Location, image: &Image, now: UnixTime) -> Result<Self, Error> {
        let mut registers = [Register { value: Pcr::ZERO, is_locked: false }; PCR_COUNT as usize];
        for (register, value) in registers.iter_mut().zip(image.pcrs.into_iter().flatten()) {
            register.value = value;
        }
        if let Some(role) = &image.role {
            registers[3].value = extended(&Pcr::ZERO, role.as_bytes());
        }
        registers[4].value = extended(&Pcr::ZERO, location.instance.as_bytes());
        if let Some(signer) = image.signer {
            registers[8].value = signer;
        }
        for register in &mut registers[..usize::from(LOCKED_AT_START)] {
            register.is_locked = true;
        }
        let chain = Chain::issue(&root, &location, now)?;
        Ok(Self { root, location, registers, chain })
    }

    pub(crate) fn describe(&self) -> Description {
        Description {
            version: (1, 0, 0),
            module_id: self.location.module_id(),
            max_pcrs: PCR_COUNT,
            locked_pcrs: (0..PCR_COUNT).filter(|index| self.registers[usize::from(*index)].is_locked).collect(),
        }
    }

    pub(crate) fn register(&self, index: u16) -> Result<Register, Error> {
        self.registers.get(usize::from(index)).copied().ok_or(Error::InvalidIndex)
    }

    pub(crate) fn extend(&mut self, index: u16, data: &[u8]) -> Result<Pcr, Error> {
        if data.len() > MAX_EXTENSION {
            return Err(Error::InputTooLarge { operation: "extend" });
        }
        let register = self.writable(index)?;
        register.value = extended(&register.value, data);
        Ok(register.value)
    }

    pub(crate) fn lock(&mut self, index: u16) -> Result<(), Error> {
        self.writable(index)?.is_locked = true;
        Ok(())
    }

    pub(crate) fn lock_below(&mut self, end: u16) -> Result<(), Error> {
        let registers = self.registers.get_mut(..usize::from(end)).ok_or(Error::InvalidIndex)?;
        for register in registers {
            register.is_locked = true;
        }
        Ok(())
    }

    /// Signs what the registers say; those that are locked stand in the document. The chain is renewed before it ends.
    pub(crate) fn attest(&mut self, request: &Request, now: UnixTime) -> Result<Vec<u8>, Error> {
        let fits = |field: &Option<Vec<u8>>, limit| field.as_ref().is_none_or(|bytes| bytes.len() <= limit);
        if !fits(&request.public_key, MAX_PUBLIC_KEY)
            || !fits(&request.user_data, MAX_USER_DATA)
            || !fits(&request.nonce, MAX_NONCE)
        {
            return Err(Error::InputTooLarge { operation: "attest" });
        }
        if !self.chain.serves(now) {
            self.chain = Chain::issue(&self.root, &self.location, now)?;
        }
        sign1(&PROTECTED_ES384, &self.payload(request, now).encode(), &self.chain.key)
    }

    pub(crate) fn random() -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; RANDOM_LENGTH];
        SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Failed { operation: "random" })?;
        Ok(bytes)
    }

    /// What a document would say now; with [`chain`](Self::chain) the material of documents that hardware would not make.
    pub fn payload(&self, request: &Request, now: UnixTime) -> Payload {
        let locked = (0..).zip(&self.registers).filter(|(_, register)| register.is_locked);
        Payload {
            module_id: self.location.module_id(),
            timestamp: now,
            pcrs: locked.map(|(index, register)| (index, register.value)).collect(),
            certificate: self.chain.certificate.clone(),
            cabundle: self.chain.cabundle.clone(),
            public_key: request.public_key.clone(),
            user_data: request.user_data.clone(),
            nonce: request.nonce.clone(),
        }
    }

    /// The present signing key and its certificates.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What it runs under.
    pub fn root(&self) -> &DevelopmentRoot {
        &self.root
    }

    fn writable(&mut self, index: u16) -> Result<&mut Register, Error> {
        match self.registers.get_mut(usize::from(index)) {
            None => Err(Error::InvalidIndex),
            Some(register) if register.is_locked => Err(Error::ReadOnlyIndex),
            Some(register) => Ok(register),
        }
    }
}

fn extended(old: &Pcr, data: &[u8]) -> Pcr {
    Pcr(Sha384::new().chain_update(old.0).chain_update(data).finalize().into())
}
