use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, SerialNumber,
};

use super::{Leaf, LeafName, PrivateKey, ServingNames, Window, leaf::Usage};
use crate::{ControlPlaneError, Result};

/// A certificate authority of the cluster. Each signs for one purpose, and no program trusts more of them than it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AuthorityName {
    /// What clients and workers pin: the API server, the join gateway, the master's API.
    Server,
    /// Who may speak to the API server with a certificate.
    Client,
    /// Kubelets, as servers. Apart from `Server`, or a worker could pose as the API server.
    KubeletServing,
    /// The API server as it speaks to aggregated APIs.
    FrontProxy,
    /// etcd and its two clients.
    Etcd,
    /// What runs on loopback inside the enclave: webhooks, the health ports of controller manager and scheduler.
    Loopback,
}

impl AuthorityName {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Server, Self::Client, Self::KubeletServing, Self::FrontProxy, Self::Etcd, Self::Loopback];

    /// The name in files and subjects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server-ca",
            Self::Client => "client-ca",
            Self::KubeletServing => "kubelet-ca",
            Self::FrontProxy => "front-proxy-ca",
            Self::Etcd => "etcd-ca",
            Self::Loopback => "loopback-ca",
        }
    }
}

/// A certificate authority with its key. It signs end-entity certificates only (path length 0).
pub struct Authority {
    certificate: Certificate,
    key: PrivateKey,
    params: CertificateParams,
    window: Window,
}

impl Authority {
    pub(super) fn create(name: AuthorityName, lifetime: Duration, now: SystemTime) -> Result<Self> {
        let fault = |cause: rcgen::Error| ControlPlaneError::Certificate {
            what: name.as_str().into(),
            cause: cause.to_string(),
        };
        let key = PrivateKey::generate(name.as_str())?;
        let window = Window::starting(now, lifetime);
        let mut params = CertificateParams::default();
        // Two clusters' authorities must not share a subject: whoever holds both certificates would mix them up.
        let born = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        params.distinguished_name = common_name(&format!("k3s-daas-{}@{born}", name.as_str()));
        params.serial_number = Some(random_serial()?);
        params.not_before = window.not_before.into();
        params.not_after = window.not_after.into();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let certificate = params.self_signed(key.pair()).map_err(fault)?;
        Ok(Self { certificate, key, params, window })
    }

    pub(super) fn issue(
        &self,
        name: LeafName,
        names: &ServingNames,
        key: PrivateKey,
        lifetime: Duration,
        now: SystemTime,
    ) -> Result<Leaf> {
        let fault = |cause: rcgen::Error| ControlPlaneError::Certificate {
            what: name.as_str().into(),
            cause: cause.to_string(),
        };
        let window = Window::starting(now, lifetime).within(self.window);
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(name.common_name());
        params.serial_number = Some(random_serial()?);
        params.not_before = window.not_before.into();
        params.not_after = window.not_after.into();
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match name.usage() {
            Usage::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Usage::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Usage::Peer => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
        };
        params.subject_alt_names = name.alternative_names(names).map_err(fault)?;
        let issuer = Issuer::from_params(&self.params, self.key.pair());
        let certificate = params.signed_by(key.pair(), &issuer).map_err(fault)?;
        Ok(Leaf::new(certificate, key, window))
    }

    /// The certificate in PEM: what goes into trust files, and (of the server authority) the exact `/cacerts` bytes.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// The signing key: only for the program that signs for workers.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// From when to when it is valid.
    pub fn window(&self) -> Window {
        self.window
    }
}

fn common_name(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

/// 126 random bits, positive and never short (RFC 5280 §4.1.2.2). A renewed certificate with a kept key gets its own.
fn random_serial() -> Result<SerialNumber> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| ControlPlaneError::Randomness)?;
    bytes[0] = (bytes[0] & 0x3f) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}
