use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use daas_settings::LogLevel;
use serde::Deserialize;

use super::{Cidr, CidrList, DnsName};
use crate::components::ComponentName;
use crate::pki::ServingNames;
use crate::{ControlPlaneError, Result};

/// Settings as they are written; what is left out has k3s' default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawSettings {
    /// Addresses of pods; default `10.42.0.0/16`.
    pub cluster_cidr: Option<String>,
    /// Addresses of services; default `10.43.0.0/16`.
    pub service_cidr: Option<String>,
    /// The cluster's DNS server; default: the tenth service address.
    pub cluster_dns: Option<String>,
    /// The domain of service names; default `cluster.local`.
    pub cluster_domain: Option<String>,
    /// Where kube-apiserver listens; default `0.0.0.0`.
    pub bind_address: Option<String>,
    /// Its port; default 6443.
    pub https_port: Option<u16>,
    /// The address that workers reach it at. Required.
    pub advertise_address: Option<String>,
    /// More names and addresses for the server certificates.
    pub tls_names: Vec<String>,
    /// `1.3` (default) or `1.2`.
    pub tls_min_version: Option<String>,
    /// `error`, `warn`, `info` (default), `debug` or `trace`.
    pub log_level: Option<String>,
    /// Default Pod Security level: `privileged` (default, as in k3s), `baseline` or `restricted`.
    pub pod_security: Option<String>,
    /// How many Events a second are taken from one user; default 50. A namespace has twice, the server ten times as many.
    pub events_per_second: Option<u32>,
    /// Memory limits in MiB by program name, instead of the defaults.
    pub memory_mib: std::collections::BTreeMap<String, u32>,
}

/// Settings that were checked, each by itself and together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub(super) cluster_cidr: CidrList,
    pub(super) service_cidr: CidrList,
    pub(super) cluster_dns: IpAddr,
    pub(super) cluster_domain: DnsName,
    pub(super) bind_address: IpAddr,
    pub(super) https_port: u16,
    pub(super) advertise_address: IpAddr,
    pub(super) tls_names: Vec<TlsName>,
    pub(super) tls_minimum: TlsMinimum,
    pub(super) log_level: LogLevel,
    pub(super) pod_security: PodSecurityLevel,
    pub(super) event_rates: EventRates,
    memory: [MemoryLimit; 4],
}

impl Settings {
    /// Reads settings; an error names the first that cannot be used.
    pub fn parse(raw: &RawSettings) -> Result<Self> {
        let cluster_cidr: CidrList = raw.cluster_cidr.as_deref().unwrap_or("10.42.0.0/16").parse()?;
        let service_cidr: CidrList = raw.service_cidr.as_deref().unwrap_or("10.43.0.0/16").parse()?;
        let cluster_dns = match raw.cluster_dns.as_deref() {
            Some(text) => address("cluster_dns", text)?,
            None => tenth(service_cidr.first())?,
        };
        let advertised = raw.advertise_address.as_deref().unwrap_or_default();
        let settings = Self {
            cluster_cidr,
            service_cidr,
            cluster_dns,
            cluster_domain: raw.cluster_domain.as_deref().unwrap_or("cluster.local").parse()?,
            bind_address: raw
                .bind_address
                .as_deref()
                .map_or(Ok(Ipv4Addr::UNSPECIFIED.into()), |text| address("bind_address", text))?,
            https_port: raw.https_port.unwrap_or(6443),
            advertise_address: address("advertise_address", advertised)?,
            tls_names: raw.tls_names.iter().map(|name| name.parse()).collect::<Result<_>>()?,
            tls_minimum: raw.tls_min_version.as_deref().map_or(Ok(TlsMinimum::V13), str::parse)?,
            log_level: raw.log_level.as_deref().map_or(Ok(LogLevel::Info), level)?,
            pod_security: raw.pod_security.as_deref().map_or(Ok(PodSecurityLevel::Privileged), str::parse)?,
            event_rates: EventRates::of_user(raw.events_per_second.unwrap_or(50))?,
            memory: memory(&raw.memory_mib)?,
        };
        settings.agree()?;
        Ok(settings)
    }

    /// The names under which the API server, the join gateway and the master's API are reached.
    pub fn serving_names(&self) -> ServingNames {
        let mut names = ServingNames::loopback();
        let service = format!("kubernetes.default.svc.{}", self.cluster_domain);
        names.dns.extend(["kubernetes", "kubernetes.default", "kubernetes.default.svc", &service].map(String::from));
        names.addresses.extend(self.service_cidr.iter().filter_map(|range| range.nth(1)));
        names.addresses.push(self.advertise_address);
        for name in &self.tls_names {
            match name {
                TlsName::Dns(name) => names.dns.push(name.as_str().to_owned()),
                TlsName::Address(address) => names.addresses.push(*address),
            }
        }
        names.addresses.sort();
        names.addresses.dedup();
        names.dns.sort();
        names.dns.dedup();
        names
    }

    /// Addresses of services.
    pub fn service_cidr(&self) -> &CidrList {
        &self.service_cidr
    }

    /// Addresses of pods.
    pub fn cluster_cidr(&self) -> &CidrList {
        &self.cluster_cidr
    }

    /// The cluster's DNS server.
    pub fn cluster_dns(&self) -> IpAddr {
        self.cluster_dns
    }

    /// The domain of service names.
    pub fn cluster_domain(&self) -> &DnsName {
        &self.cluster_domain
    }

    /// kube-apiserver's port.
    pub fn https_port(&self) -> u16 {
        self.https_port
    }

    /// How much memory a program may use.
    pub fn memory_limit(&self, component: ComponentName) -> MemoryLimit {
        self.memory[component as usize]
    }

    fn agree(&self) -> Result<()> {
        let contradiction = |text: String| Err(ControlPlaneError::Contradiction(text));
        for pods in self.cluster_cidr.iter() {
            for services in self.service_cidr.iter() {
                if pods.overlaps(&services) {
                    return contradiction(format!("cluster_cidr {pods} and service_cidr {services} overlap"));
                }
            }
        }
        // Kubernetes refuses a larger service range (kube-apiserver's options: at most 20 host bits for IPv4).
        for services in self.service_cidr.iter() {
            let widest = if services.is_ipv4() { 12 } else { 108 };
            if services.prefix() < widest {
                return contradiction(format!("service_cidr {services} is larger than /{widest}"));
            }
        }
        // The controller manager gives each node a /24 (or /64) of the pods' range.
        for pods in self.cluster_cidr.iter() {
            let narrowest = if pods.is_ipv4() { 24 } else { 64 };
            if pods.prefix() > narrowest {
                return contradiction(format!("cluster_cidr {pods} has no room for a node's /{narrowest}"));
            }
        }
        if !self.service_cidr.iter().any(|range| range.contains(self.cluster_dns)) {
            let (dns, services) = (self.cluster_dns, &self.service_cidr);
            return contradiction(format!("cluster_dns {dns} is not in service_cidr {services}"));
        }
        if self.advertise_address.is_unspecified() || self.advertise_address.is_loopback() {
            return contradiction(format!("workers cannot reach advertise_address {}", self.advertise_address));
        }
        if self.advertise_address.is_ipv4() != self.service_cidr.first().is_ipv4() {
            return contradiction("advertise_address and the first service_cidr are of different families".into());
        }
        let taken = [
            super::ports::ETCD,
            super::ports::ETCD_PEER,
            super::ports::CONTROLLER_MANAGER,
            super::ports::SCHEDULER,
            super::ports::MASTER_WEBHOOK,
        ];
        if self.https_port == 0 || taken.contains(&self.https_port) {
            return contradiction(format!("https_port {} is 0 or taken by another program", self.https_port));
        }
        Ok(())
    }
}

/// The oldest TLS version that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMinimum {
    /// 1.3 alone.
    V13,
    /// 1.2 too, with two suites.
    V12,
}

impl FromStr for TlsMinimum {
    type Err = ControlPlaneError;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "1.3" | "VersionTLS13" => Ok(Self::V13),
            "1.2" | "VersionTLS12" => Ok(Self::V12),
            _ => Err(ControlPlaneError::Setting { what: "tls_min_version", given: text.into(), rule: "1.3 or 1.2" }),
        }
    }
}

/// What a namespace without a label of its own demands of pods (Pod Security Standards).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodSecurityLevel {
    /// Anything, as in k3s.
    Privileged,
    /// No known privilege escalation.
    Baseline,
    /// Current hardening practice.
    Restricted,
}

impl PodSecurityLevel {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

impl FromStr for PodSecurityLevel {
    type Err = ControlPlaneError;

    fn from_str(text: &str) -> Result<Self> {
        let all = [Self::Privileged, Self::Baseline, Self::Restricted];
        let rule = "privileged, baseline or restricted";
        let fault = || ControlPlaneError::Setting { what: "pod_security", given: text.into(), rule };
        all.into_iter().find(|level| level.as_str() == text).ok_or_else(fault)
    }
}

/// How many Event objects are taken per second: no node or namespace can fill the store with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventRates {
    /// By the whole server.
    pub server: u32,
    /// From one user (a node is a user).
    pub user: u32,
    /// For one namespace.
    pub namespace: u32,
}

impl EventRates {
    fn of_user(user: u32) -> Result<Self> {
        if !(1..=1000).contains(&user) {
            let rule = "1 to 1000";
            return Err(ControlPlaneError::Setting { what: "events_per_second", given: user.to_string(), rule });
        }
        Ok(Self { server: user * 10, user, namespace: user * 2 })
    }
}

/// How much memory a program may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimit {
    /// Where it is killed, in MiB: RLIMIT_DATA, or its cgroup's limit.
    pub hard_mib: u32,
}

impl MemoryLimit {
    /// Where Go's garbage collector begins to work harder: three quarters.
    pub fn soft_mib(self) -> u32 {
        self.hard_mib / 4 * 3
    }
}

/// An absolute path that can stand on a command line and in a list: no comma, quote, blank or control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsolutePath(PathBuf);

impl AbsolutePath {
    /// The path.
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl TryFrom<&Path> for AbsolutePath {
    type Error = ControlPlaneError;

    fn try_from(path: &Path) -> Result<Self> {
        let plain = |c: char| c.is_alphanumeric() || "/._-+@~".contains(c);
        match path.to_str() {
            Some(text) if path.is_absolute() && text.chars().all(plain) => Ok(Self(path.into())),
            _ => Err(ControlPlaneError::Setting {
                what: "a folder of the control plane",
                given: path.display().to_string(),
                rule: "an absolute path of letters, digits and / . _ - + @ ~",
            }),
        }
    }
}

impl fmt::Display for AbsolutePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.display())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TlsName {
    Dns(DnsName),
    Address(IpAddr),
}

impl FromStr for TlsName {
    type Err = ControlPlaneError;

    fn from_str(text: &str) -> Result<Self> {
        text.parse().map(Self::Address).or_else(|_| text.parse().map(Self::Dns))
    }
}

fn address(what: &'static str, text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| ControlPlaneError::Setting {
        what,
        given: text.into(),
        rule: "an address such as 10.43.0.10",
    })
}

fn level(text: &str) -> Result<LogLevel> {
    let rule = "error, warn, info, debug or trace";
    daas_settings::Value::parse(text).map_err(|_| ControlPlaneError::Setting {
        what: "log_level",
        given: text.into(),
        rule,
    })
}

fn tenth(services: Cidr) -> Result<IpAddr> {
    let none =
        || ControlPlaneError::Contradiction(format!("service_cidr {services} has no tenth address for cluster_dns"));
    services.nth(10).ok_or_else(none)
}

/// Twice what the programs needed with a few nodes, in start order; the multi-call binary's text is shared and not counted.
const MEMORY_MIB: [u32; 4] = [768, 1536, 512, 384];

fn memory(raw: &std::collections::BTreeMap<String, u32>) -> Result<[MemoryLimit; 4]> {
    let mut limits = MEMORY_MIB.map(|hard_mib| MemoryLimit { hard_mib });
    for (name, mib) in raw {
        let fault = |rule| ControlPlaneError::Setting { what: "memory_mib", given: format!("{name} = {mib}"), rule };
        let component = ComponentName::ALL
            .into_iter()
            .find(|component| component.as_str() == name)
            .ok_or_else(|| fault("etcd, kube-apiserver, kube-controller-manager or kube-scheduler"))?;
        if *mib < 128 {
            return Err(fault("at least 128 MiB"));
        }
        limits[component as usize] = MemoryLimit { hard_mib: *mib };
    }
    Ok(limits)
}
