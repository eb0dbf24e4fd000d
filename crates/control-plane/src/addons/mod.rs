//! What every cluster is given: the bindings of the tiers, CoreDNS, metrics-server, local-path storage, and a warning about NetworkPolicy.
//!
//! Everything is applied on the server's side and applied again every minute, so that it stays as it should be; fields that
//! others own and we do not name are left alone. What is switched off is deleted. The tiers' bindings are made once in a cluster's life: an
//! administrator may remove them for good.

mod core_dns;
mod keep;
mod local_path;
mod metrics_server;
mod network_policy;
mod object;
mod tiers;

use std::collections::BTreeSet;

pub use keep::{Keeper, keep};
pub use object::Object;

use crate::authority::{Names, Rule};
use crate::components::Settings;

/// An add-on that can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddOn {
    /// DNS of services and pods.
    CoreDns,
    /// `kubectl top` and the autoscaler's figures.
    MetricsServer,
    /// Volumes in a folder of the node.
    LocalPath,
    /// The warning about NetworkPolicy.
    NetworkPolicyWarning,
}

impl AddOn {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::CoreDns, Self::MetricsServer, Self::LocalPath, Self::NetworkPolicyWarning];

    /// Its name in settings (k3s' words for `--disable`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CoreDns => "coredns",
            Self::MetricsServer => "metrics-server",
            Self::LocalPath => "local-storage",
            Self::NetworkPolicyWarning => "network-policy-warning",
        }
    }
}

/// What an operator chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Which are switched off.
    pub disabled: BTreeSet<AddOn>,
    /// The folder of nodes in which volumes are made.
    pub storage_folder: String,
}

impl Default for Choice {
    fn default() -> Self {
        Self { disabled: BTreeSet::new(), storage_folder: "/var/lib/k3s-daas/storage".into() }
    }
}

/// What the add-ons are made for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The cluster's settings.
    pub settings: Settings,
    /// The operator's choice.
    pub choice: Choice,
    /// The certificate that kubelets' own are signed with, in PEM.
    pub kubelet_authority: String,
}

impl Wanted {
    /// The objects of one add-on.
    pub fn objects(&self, add_on: AddOn) -> Vec<Object> {
        match add_on {
            AddOn::CoreDns => core_dns::objects(&self.settings),
            AddOn::MetricsServer => metrics_server::objects(&self.kubelet_authority),
            AddOn::LocalPath => local_path::objects(&self.choice.storage_folder),
            AddOn::NetworkPolicyWarning => network_policy::objects(),
        }
    }
}

/// What the master may do with these objects, by name: nothing more is needed to keep them. Making a role needs the right
/// to hand out what is in it (`escalate`), making a binding the right to bind that very role.
pub fn rules(wanted: &Wanted) -> Vec<Rule> {
    let add_ons = AddOn::ALL.into_iter().flat_map(|add_on| wanted.objects(add_on));
    let objects = add_ons.chain(tiers::objects()).chain([tiers::marker()]);
    objects
        .flat_map(|object| {
            let verbs: &'static [&'static str] = match object.kind() {
                "ClusterRole" | "Role" => &["get", "create", "patch", "delete", "escalate"],
                _ => &["get", "create", "patch", "delete"],
            };
            let own = Rule {
                group: object.group().to_owned(),
                resource: object.resource().to_owned(),
                verbs,
                namespace: object.namespace().map(str::to_owned),
                names: Names::Only(BTreeSet::from([object.name().to_owned()])),
            };
            let bound = object.bound_role().map(|(kind, role)| Rule {
                group: "rbac.authorization.k8s.io".into(),
                resource: if kind == "Role" { "roles".into() } else { "clusterroles".into() },
                verbs: &["bind"],
                namespace: object.namespace().map(str::to_owned),
                names: Names::Only(BTreeSet::from([role.to_owned()])),
            });
            [Some(own), bound].into_iter().flatten()
        })
        .collect()
}

#[cfg(test)]
mod tests;
