use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_lc_rs::digest;
use rcgen::{Certificate, SanType};

use super::{AuthorityName, PrivateKey, Window};

/// A certificate that a program of the control plane holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeafName {
    /// kube-apiserver on 6443.
    ApiServerServing,
    /// kube-apiserver as etcd's client.
    ApiServerToEtcd,
    /// kube-apiserver as the kubelets' client.
    ApiServerToKubelet,
    /// kube-apiserver as it asks the webhooks.
    ApiServerToWebhooks,
    /// kube-apiserver as it speaks to aggregated APIs.
    ApiServerProxy,
    /// etcd on its client port.
    EtcdServing,
    /// etcd on its peer port.
    EtcdPeer,
    /// The controller manager at the API server.
    ControllerManagerClient,
    /// The controller manager's health port.
    ControllerManagerServing,
    /// The scheduler at the API server.
    SchedulerClient,
    /// The scheduler's health port.
    SchedulerServing,
    /// The join gateway on 9345.
    JoinGatewayServing,
    /// The authenticator's webhooks.
    AuthenticatorWebhooks,
    /// The master at the API server.
    MasterClient,
    /// The master as it asks etcd for its health.
    MasterToEtcd,
    /// The master's API on 8443. Its key is in the attestation document, so it outlives the certificate.
    MasterServing,
    /// The master's authorization webhook ([`crate::authority`]).
    MasterWebhook,
}

/// Which program reads a file of keys. Each has a folder of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keeper {
    /// etcd.
    Etcd,
    /// kube-apiserver.
    ApiServer,
    /// The controller manager.
    ControllerManager,
    /// The scheduler.
    Scheduler,
    /// The authenticator.
    Authenticator,
}

impl Keeper {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Etcd, Self::ApiServer, Self::ControllerManager, Self::Scheduler, Self::Authenticator];

    /// The folder's name.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Authenticator => "authenticator",
        }
    }
}

/// Where a certificate and its key live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the folder of the program that reads them.
    Files(Keeper),
    /// In this process only.
    Memory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    Server,
    Client,
    Peer,
}

impl LeafName {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::ApiServerServing,
        Self::ApiServerToEtcd,
        Self::ApiServerToKubelet,
        Self::ApiServerToWebhooks,
        Self::ApiServerProxy,
        Self::EtcdServing,
        Self::EtcdPeer,
        Self::ControllerManagerClient,
        Self::ControllerManagerServing,
        Self::SchedulerClient,
        Self::SchedulerServing,
        Self::JoinGatewayServing,
        Self::AuthenticatorWebhooks,
        Self::MasterClient,
        Self::MasterToEtcd,
        Self::MasterServing,
        Self::MasterWebhook,
    ];

    /// The name of its files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiServerServing
            | Self::EtcdServing
            | Self::ControllerManagerServing
            | Self::SchedulerServing
            | Self::MasterServing => "serving",
            Self::ApiServerToEtcd => "etcd-client",
            Self::ApiServerToKubelet => "kubelet-client",
            Self::ApiServerToWebhooks => "webhook-client",
            Self::ApiServerProxy => "proxy-client",
            Self::EtcdPeer => "peer",
            Self::ControllerManagerClient | Self::SchedulerClient | Self::MasterClient => "client",
            Self::JoinGatewayServing => "join-serving",
            Self::AuthenticatorWebhooks | Self::MasterWebhook => "webhook-serving",
            Self::MasterToEtcd => "etcd-health",
        }
    }

    /// Who signs it.
    pub const fn authority(self) -> AuthorityName {
        match self {
            Self::ApiServerServing | Self::JoinGatewayServing | Self::MasterServing => AuthorityName::Server,
            Self::ApiServerToKubelet | Self::ControllerManagerClient | Self::SchedulerClient | Self::MasterClient => {
                AuthorityName::Client
            }
            Self::ApiServerProxy => AuthorityName::FrontProxy,
            Self::ApiServerToEtcd | Self::EtcdServing | Self::EtcdPeer | Self::MasterToEtcd => AuthorityName::Etcd,
            Self::ApiServerToWebhooks
            | Self::ControllerManagerServing
            | Self::SchedulerServing
            | Self::AuthenticatorWebhooks
            | Self::MasterWebhook => AuthorityName::Loopback,
        }
    }

    /// The subject's common name: for the client authority, the user's name.
    pub const fn common_name(self) -> &'static str {
        match self {
            Self::ApiServerServing => "kube-apiserver",
            Self::ApiServerToEtcd => "kube-apiserver-etcd-client",
            Self::ApiServerToKubelet => crate::authority::KUBELET_CLIENT,
            Self::ApiServerToWebhooks => "kube-apiserver-webhook-client",
            Self::ApiServerProxy => "front-proxy-client",
            Self::EtcdServing => "etcd",
            Self::EtcdPeer => "etcd-peer",
            Self::ControllerManagerClient => "system:kube-controller-manager",
            Self::ControllerManagerServing => "kube-controller-manager",
            Self::SchedulerClient => "system:kube-scheduler",
            Self::SchedulerServing => "kube-scheduler",
            Self::JoinGatewayServing => "join-gateway",
            Self::AuthenticatorWebhooks => "authenticator",
            Self::MasterClient => crate::authority::MASTER,
            Self::MasterToEtcd => "master-etcd-health",
            Self::MasterServing => "master",
            Self::MasterWebhook => "master-webhook",
        }
    }

    /// Where certificate and key live. What the master itself uses is never written.
    pub const fn place(self) -> Place {
        match self {
            Self::ApiServerServing
            | Self::ApiServerToEtcd
            | Self::ApiServerToKubelet
            | Self::ApiServerToWebhooks
            | Self::ApiServerProxy => Place::Files(Keeper::ApiServer),
            Self::EtcdServing | Self::EtcdPeer => Place::Files(Keeper::Etcd),
            Self::ControllerManagerClient | Self::ControllerManagerServing => Place::Files(Keeper::ControllerManager),
            Self::SchedulerClient | Self::SchedulerServing => Place::Files(Keeper::Scheduler),
            Self::JoinGatewayServing | Self::AuthenticatorWebhooks => Place::Files(Keeper::Authenticator),
            Self::MasterClient | Self::MasterToEtcd | Self::MasterServing | Self::MasterWebhook => Place::Memory,
        }
    }

    /// Whether renewal keeps the key, because verifiers have pinned it.
    pub const fn keeps_its_key(self) -> bool {
        matches!(self, Self::MasterServing)
    }

    pub(super) const fn usage(self) -> Usage {
        match self {
            Self::ApiServerToEtcd
            | Self::ApiServerToKubelet
            | Self::ApiServerToWebhooks
            | Self::ApiServerProxy
            | Self::ControllerManagerClient
            | Self::SchedulerClient
            | Self::MasterClient
            | Self::MasterToEtcd => Usage::Client,
            // etcd speaks to itself as a peer in both roles.
            Self::EtcdPeer => Usage::Peer,
            _ => Usage::Server,
        }
    }

    pub(super) fn alternative_names(self, names: &ServingNames) -> Result<Vec<SanType>, rcgen::Error> {
        match (self.usage(), self.authority()) {
            (Usage::Client, _) => Ok(Vec::new()),
            (_, AuthorityName::Server) => names.all(),
            _ => ServingNames::loopback().all(),
        }
    }
}

/// The DNS names and addresses under which workers and clients reach the API server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServingNames {
    /// DNS names.
    pub dns: Vec<String>,
    /// Addresses.
    pub addresses: Vec<IpAddr>,
}

impl ServingNames {
    /// What every loopback server answers to.
    pub fn loopback() -> Self {
        Self {
            dns: vec!["localhost".into()],
            addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
        }
    }

    fn all(&self) -> Result<Vec<SanType>, rcgen::Error> {
        let dns = self.dns.iter().map(|name| Ok(SanType::DnsName(name.as_str().try_into()?)));
        dns.chain(self.addresses.iter().map(|address| Ok(SanType::IpAddress(*address)))).collect()
    }
}

/// A program's certificate with its key.
pub struct Leaf {
    certificate: Certificate,
    key: PrivateKey,
    window: Window,
}

impl Leaf {
    pub(super) fn new(certificate: Certificate, key: PrivateKey, window: Window) -> Self {
        Self { certificate, key, window }
    }

    /// The certificate in PEM.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// Its key.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// From when to when it is valid.
    pub fn window(&self) -> Window {
        self.window
    }

    /// How Kubernetes names this very certificate in a user's `extra` (`apiserver/pkg/authentication/request/x509`).
    pub fn credential_id(&self) -> String {
        format!("X509SHA256={}", hex::encode(digest::digest(&digest::SHA256, self.der())))
    }
}
