//! What the control plane's own identities may do: a constant of this program, asked by kube-apiserver before anything else.
//!
//! The master must create Nodes, evict pods and bind roles. Neither usual way fits: a `system:masters` certificate cannot be revoked
//! and may do everything, and RBAC objects can be deleted by anybody who is bound to `cluster-admin`, who would thereby disarm the
//! cluster's enforcement. So the first authorizer of kube-apiserver is a webhook of the master itself, which answers from
//! [`Policy`], for two users only. Nothing in the cluster can widen or narrow it; when the master is gone, nobody needs it.
//!
//! A user name alone convinces nobody: whoever is bound to `cluster-admin` may impersonate any user. The request must come
//! with the fingerprint of the very certificate that this process issued (`authentication.kubernetes.io/credential-id`),
//! which contains a random serial number and is shown to no one outside the enclave.

mod policy;
mod review;
mod server;

pub use policy::{Credentials, Names, Policy, Rule, Verdict};
pub use review::Attributes;
pub use server::{PolicyServer, Served, WEBHOOK_PATH};

/// The master's user name at the API server.
pub const MASTER: &str = "daas:master";
/// The API server's user name at kubelets; they ask the API server what it may do.
pub const KUBELET_CLIENT: &str = "daas:kube-apiserver";
/// The controller manager's user name.
pub const CONTROLLER_MANAGER: &str = "system:kube-controller-manager";

/// The service accounts under which the controller manager's controllers act (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy`
/// and `cmd/kube-controller-manager/app` of Kubernetes 1.36). Their tokens name no node and are not asked about in the registry of
/// stakes, so only the controller manager may mint them.
pub const CONTROLLER_SERVICE_ACCOUNTS: &[&str] = &[
    "attachdetach-controller",
    "certificate-controller",
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemon-set-controller",
    "deployment-controller",
    "device-taint-eviction-controller",
    "disruption-controller",
    "endpoint-controller",
    "endpointslice-controller",
    "endpointslicemirroring-controller",
    "ephemeral-volume-controller",
    "expand-controller",
    "generic-garbage-collector",
    "horizontal-pod-autoscaler",
    "job-controller",
    "kube-apiserver-serving-clustertrustbundle-publisher",
    "legacy-service-account-token-cleaner",
    "metadata-informers",
    "namespace-controller",
    "node-controller",
    "persistent-volume-binder",
    "pod-garbage-collector",
    "podcertificaterequestcleaner",
    "podgroup-protection-controller",
    "pv-protection-controller",
    "pvc-protection-controller",
    "replicaset-controller",
    "replication-controller",
    "resource-claim-controller",
    "resourcepoolstatusrequest-controller",
    "resourcequota-controller",
    "root-ca-cert-publisher",
    "route-controller",
    "selinux-warning-controller",
    "service-account-controller",
    "service-cidrs-controller",
    "service-controller",
    "shared-informers",
    "statefulset-controller",
    "storage-version-garbage-collector",
    "storage-version-migrator-controller",
    "taint-eviction-controller",
    "ttl-after-finished-controller",
    "ttl-controller",
    "validatingadmissionpolicy-status-controller",
    "volumeattributesclass-protection-controller",
];
