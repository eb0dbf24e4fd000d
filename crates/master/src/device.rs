//! The security module, as the master uses it: one question at a time, off the async threads, and counted.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use daas_attestation::{Pcr, UnixTime, Unverified};
use daas_chain::types::{Bytes, Pcrs};
use daas_measure::measure_sandbox;
use daas_nsm::{DevelopmentRoot, Image, Location, Nsm, Request, Simulated};

use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::programs::Programs;

/// Takes the runtime configuration (`docs/attestation.md`).
const CONFIGURATION_REGISTER: u16 = 16;
/// How far two clocks of one machine may be apart.
const CLOCK_BOUND_MS: u64 = 5_000;

/// The module with the configuration in its registers.
#[derive(Clone)]
pub struct Device {
    module: Arc<Mutex<Nsm>>,
    documents: Arc<AtomicU64>,
    measured: Measured,
}

/// What this enclave runs, as its documents say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// PCR0‖PCR1‖PCR2.
    pub pcrs: Pcrs,
    /// The signer's, where the image is signed.
    pub pcr8: Option<Bytes<48>>,
}

/// A document with the time that stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Unix time in milliseconds.
    pub at_ms: u64,
}

/// A module without hardware, under the development root in `folder`, for an enclave of these programs.
pub fn simulated(folder: &Path, programs: &Programs) -> Result<Nsm> {
    let mut measured = BTreeMap::new();
    for (name, path) in programs.measured() {
        let bytes = std::fs::read(&path).map_err(Error::file("reading", &path))?;
        measured.insert(name.to_owned(), bytes);
    }
    let registers = measure_sandbox(&measured);
    let pcrs = [registers.pcr0, registers.pcr1, registers.pcr2].map(|register| Pcr(register.0));
    let root = DevelopmentRoot::load(folder)?;
    let location = Location {
        region: "local-1".to_owned(),
        instance: "i-00000000000000001".to_owned(),
        enclave: format!("{:016x}", now_ms()),
    };
    let image = Image { pcrs: Some(pcrs), signer: None, role: None };
    let simulated = Simulated::start(root, location, &image, UnixTime::from_millis(now_ms()))?;
    Ok(Nsm::Simulated(Box::new(simulated)))
}

impl Device {
    /// Puts the configuration's hash into its register, for good, and holds the enclave's clock against the module's.
    pub fn start(mut module: Nsm, configuration_sha384: &[u8; 48]) -> Result<Self> {
        module.extend(CONFIGURATION_REGISTER, configuration_sha384)?;
        module.lock(CONFIGURATION_REGISTER)?;
        let mut image = [0; 144];
        for (index, place) in (0..3).zip(image.chunks_exact_mut(48)) {
            place.copy_from_slice(&module.register(index)?.value.0);
        }
        let signer = module.register(8)?.value;
        let pcr8 = (signer != Pcr::ZERO).then_some(Bytes(signer.0));
        let first = read(module.attest(&Request::default(), UnixTime::from_millis(now_ms()))?)?;
        let apart_ms = first.at_ms.abs_diff(now_ms());
        if apart_ms > CLOCK_BOUND_MS {
            return Err(Error::Clock { apart_ms, allowed_ms: CLOCK_BOUND_MS });
        }
        let measured = Measured { pcrs: Bytes(image), pcr8 };
        Ok(Self { module: Arc::new(Mutex::new(module)), documents: Arc::default(), measured })
    }

    /// What this enclave runs.
    pub const fn measured(&self) -> Measured {
        self.measured
    }

    /// How many documents were asked for.
    pub fn documents(&self) -> u64 {
        self.documents.load(Ordering::Relaxed)
    }

    /// A document that carries this.
    pub async fn document(&self, request: Request) -> Result<Document> {
        let device = self.clone();
        // Tens of milliseconds on hardware.
        let made = tokio::task::spawn_blocking(move || {
            device.documents.fetch_add(1, Ordering::Relaxed);
            // A panic inside leaves the module as it was: it only answers.
            let mut module = device.module.lock().unwrap_or_else(PoisonError::into_inner);
            module.attest(&request, UnixTime::from_millis(now_ms()))
        });
        read(made.await.map_err(|_| Error::Module(daas_nsm::Error::Failed { operation: "attest" }))??)
    }

    /// Random bytes of the module.
    pub fn random(&self) -> Result<Vec<u8>> {
        Ok(self.module.lock().unwrap_or_else(PoisonError::into_inner).random()?)
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("measured", &self.measured).finish_non_exhaustive()
    }
}

fn read(bytes: Vec<u8>) -> Result<Document> {
    let at_ms = Unverified::parse(&bytes)?.timestamp().millis();
    Ok(Document { bytes, at_ms })
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::digest;

    use super::*;

    pub(crate) const PCRS: [Pcr; 3] = [Pcr([1; 48]), Pcr([2; 48]), Pcr([3; 48])];

    pub(crate) fn module(pcrs: Option<[Pcr; 3]>, now_ms: u64) -> Nsm {
        let root = DevelopmentRoot::generate(UnixTime::from_millis(now_ms)).unwrap();
        let location = Location { region: "local-1".into(), instance: "i-1".into(), enclave: "01".into() };
        let image = Image { pcrs, signer: None, role: None };
        Nsm::Simulated(Box::new(Simulated::start(root, location, &image, UnixTime::from_millis(now_ms)).unwrap()))
    }

    #[tokio::test]
    async fn the_configuration_stands_in_its_register_for_good() {
        let device = Device::start(module(Some(PCRS), now_ms()), &[5; 48]).unwrap();
        let document = device.document(Request::default()).await.unwrap();
        let said = Unverified::parse(&document.bytes).unwrap();
        let expected = digest::digest(&digest::SHA384, &[[0; 48], [5; 48]].concat());
        assert_eq!(said.pcrs().get(16).unwrap().0, expected.as_ref());
        assert_eq!(device.measured().pcrs.0[48..96], [2; 48]);
        assert_eq!(device.documents(), 1);
        let mut module = device.module.lock().unwrap();
        assert!(matches!(module.extend(16, b"more"), Err(daas_nsm::Error::ReadOnlyIndex)));
    }
}
