//! Settings become command lines and configuration files of etcd, kube-apiserver, the controller manager and the scheduler.
//!
//! A value reaches a command line only as a type that cannot hold a separator, and always behind `--name=` in the same
//! argument: no setting can add a flag. Configuration files are written as JSON (which Kubernetes reads as YAML), never
//! by pasting text.

mod admission;
mod api_server;
mod audit;
mod authorization;
mod controller_manager;
mod egress;
mod encryption;
mod etcd;
mod flags;
mod kubeconfig;
mod layout;
mod name;
mod network;
mod scheduler;
mod settings;
mod webhooks;

pub use encryption::EncryptionKey;
pub use flags::{CommandLine, ConfigFile};
pub use layout::Layout;
pub use name::ComponentName;
pub use network::{Cidr, CidrList, DnsName};
pub use settings::{AbsolutePath, EventRates, MemoryLimit, PodSecurityLevel, RawSettings, Settings, TlsMinimum};
pub use webhooks::{AuthenticatorWebhooks, Webhooks};

/// Ports that only processes inside the enclave reach: all on 127.0.0.1.
pub mod ports {
    /// etcd's clients.
    pub const ETCD: u16 = 2379;
    /// etcd's peers; there are none yet.
    pub const ETCD_PEER: u16 = 2380;
    /// The controller manager's health and metrics.
    pub const CONTROLLER_MANAGER: u16 = 10257;
    /// The scheduler's health and metrics.
    pub const SCHEDULER: u16 = 10259;
    /// The master's authorization webhook.
    pub const MASTER_WEBHOOK: u16 = 9640;
}

use crate::pki::LeafName;

/// Everything that the four programs are started with.
#[derive(Debug)]
pub struct Components {
    /// Their command lines, in start order.
    pub command_lines: Vec<CommandLine>,
    /// The files that these name, apart from keys and certificates.
    pub files: Vec<ConfigFile>,
}

impl Components {
    /// What follows from the settings, for a cluster whose files lie in `layout`. `loopback_authority`: PEM of
    /// [`crate::pki::AuthorityName::Loopback`].
    pub fn of(
        settings: &Settings,
        layout: &Layout,
        webhooks: &Webhooks,
        key: &EncryptionKey,
        loopback_authority: &str,
    ) -> Self {
        let mut files = vec![
            encryption::file(layout, key),
            authorization::file(layout, webhooks),
            audit::file(layout),
            admission::file(layout, settings, webhooks),
            egress::file(layout, webhooks),
            kubeconfig::component(layout, settings, ComponentName::ControllerManager),
            kubeconfig::component(layout, settings, ComponentName::Scheduler),
            kubeconfig::master_webhook(layout),
        ];
        files.extend(kubeconfig::authenticator_webhooks(layout, webhooks));
        files.extend(admission::node_reports(layout, webhooks, loopback_authority));
        let command_lines = vec![
            etcd::command_line(settings, layout),
            api_server::command_line(settings, layout, webhooks),
            controller_manager::command_line(settings, layout),
            scheduler::command_line(settings, layout),
        ];
        Self { command_lines, files }
    }

    /// The command line of one program.
    pub fn command_line(&self, name: ComponentName) -> Option<&CommandLine> {
        self.command_lines.iter().find(|line| line.component == name)
    }
}

/// What the API server's clients among the programs share: whom they ask and trust, and where they serve health and metrics.
fn client_flags(component: ComponentName, layout: &Layout, port: u16, serving: LeafName) -> flags::Flags {
    let serving = layout.pki().certificate(serving);
    let kubeconfig = layout.kubeconfig(component);
    flags::Flags::of(component)
        .set("kubeconfig", kubeconfig.clone())
        .set("authentication-kubeconfig", kubeconfig.clone())
        .set("authorization-kubeconfig", kubeconfig)
        .set("bind-address", "127.0.0.1")
        .set("secure-port", port)
        .set("tls-cert-file", serving.path())
        .set("tls-private-key-file", serving.path())
        .set("tls-min-version", "VersionTLS13")
}

#[cfg(test)]
mod tests;
