use std::net::{Ipv4Addr, SocketAddr};

use super::ports;

/// Whom kube-apiserver asks besides itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Webhooks {
    /// The authenticator: who bearer tokens are, who is still allowed, who opened what.
    Authenticator(AuthenticatorWebhooks),
    /// Nobody. No Seal token is known and a slash stops nothing: for tests of this crate, and the bare peer of benchmarks.
    None,
}

/// Where the authenticator's webhooks are: HTTPS on 127.0.0.1 with [`crate::pki::LeafName::AuthenticatorWebhooks`], and a
/// client certificate of the loopback authority is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthenticatorWebhooks {
    /// The port on 127.0.0.1 of the token, authorization and audit webhooks.
    pub port: u16,
    /// The port of the admission webhook for what nodes report; `None`: nobody checks that. It is a port of its own because an
    /// administrator's webhook configuration may name the same URL and is then called with the same certificate: behind it must be
    /// nothing but the judgement of AdmissionReviews.
    pub admission_port: Option<u16>,
}

impl AuthenticatorWebhooks {
    /// TokenReview of `authentication.k8s.io/v1`.
    pub const TOKEN_PATH: &'static str = "/token";
    /// SubjectAccessReview of `authorization.k8s.io/v1`.
    pub const AUTHORIZATION_PATH: &'static str = "/access";
    /// EventList of `audit.k8s.io/v1`.
    pub const AUDIT_PATH: &'static str = "/audit";
    /// AdmissionReview of `admission.k8s.io/v1`.
    pub const ADMISSION_PATH: &'static str = "/admission";

    /// The address of the token, authorization and audit webhooks.
    pub const fn address(self) -> SocketAddr {
        SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), self.port)
    }

    /// The address of the admission webhook.
    pub fn admission_address(self) -> Option<SocketAddr> {
        self.admission_port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }
}

impl Webhooks {
    /// The address of the admission webhook, if there is one.
    pub(super) fn admission(&self) -> Option<SocketAddr> {
        match self {
            Self::Authenticator(webhooks) => webhooks.admission_address(),
            Self::None => None,
        }
    }

    /// Every address that kube-apiserver itself may dial: the webhooks, nothing else.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let mut addresses = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, ports::MASTER_WEBHOOK))];
        if let Self::Authenticator(webhooks) = self {
            addresses.push(webhooks.address());
            addresses.extend(webhooks.admission_address());
        }
        addresses
    }
}
