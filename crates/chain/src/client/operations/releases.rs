use sui_sdk_types::Address;

use crate::client::ptb::Clock;
use crate::client::{Access, Ptb, Receipt, Session, calls};
use crate::error::Error;
use crate::types::measurements::WorkerPcr;
use crate::types::{Bytes32, Pcr, Pcrs};

/// A release to be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRelease {
    /// Enclave image.
    pub pcr0: Pcr,
    /// Kernel and first ramdisk.
    pub pcr1: Pcr,
    /// Other ramdisks.
    pub pcr2: Pcr,
    /// Signing certificate.
    pub pcr8: Option<Pcr>,
    /// PCRs of the worker image, by rising index.
    pub worker_pcrs: Vec<WorkerPcr>,
    /// SHA-256 of the image file.
    pub artifact_sha256: Bytes32,
    /// Where it was built from.
    pub source_revision: String,
}

impl NewRelease {
    /// PCR0‖PCR1‖PCR2: the name of the release.
    pub fn pcrs(&self) -> Pcrs {
        let mut pcrs = [0; 144];
        for (part, pcr) in pcrs.chunks_exact_mut(48).zip([&self.pcr0, &self.pcr1, &self.pcr2]) {
            part.copy_from_slice(&pcr.0);
        }
        crate::types::Bytes(pcrs)
    }
}

impl Session {
    /// Lists a release.
    pub async fn publish_release(&self, cluster: Address, new: &NewRelease) -> Result<Receipt, Error> {
        let (indexes, values): (Vec<_>, Vec<_>) =
            new.worker_pcrs.iter().map(|pcr| (pcr.index, pcr.value.clone())).unzip();
        self.administer(cluster, |ptb, cluster, cap| {
            calls::measurements::publish(
                ptb,
                cluster,
                cap,
                &new.pcr0,
                &new.pcr1,
                &new.pcr2,
                new.pcr8,
                &indexes,
                &values,
                &new.artifact_sha256,
                &new.source_revision,
                Clock,
            );
        })
        .await
    }

    /// Submits an auditor's approval, made elsewhere. Anyone may.
    pub async fn approve_release(
        &self,
        cluster: Address,
        pcrs: &Pcrs,
        auditor: &Bytes32,
        signature: &[u8; 64],
    ) -> Result<Receipt, Error> {
        self.run(0, || {
            let mut ptb = Ptb::new(self.package.id);
            let cluster = ptb.shared(cluster, Access::Write);
            calls::measurements::approve(&mut ptb, cluster, &pcrs.0, auditor, signature);
            ptb
        })
        .await
    }

    /// Ends a release at a time.
    pub async fn retire_release(&self, cluster: Address, pcrs: &Pcrs, until_ms: u64) -> Result<Receipt, Error> {
        self.administer(cluster, |ptb, cluster, cap| {
            calls::measurements::retire(ptb, cluster, cap, &pcrs.0, until_ms, Clock);
        })
        .await
    }

    /// Ends a release now; if it was compromised, the generation rises and an active instance of it is dropped.
    pub async fn revoke_release(&self, cluster: Address, pcrs: &Pcrs, compromised: bool) -> Result<Receipt, Error> {
        self.administer(cluster, |ptb, cluster, cap| {
            calls::measurements::revoke(ptb, cluster, cap, &pcrs.0, compromised);
        })
        .await
    }
}
