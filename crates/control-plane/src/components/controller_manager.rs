use super::flags::{CommandLine, Flags};
use super::{Layout, Settings, api_server, ports};
use crate::pki::{AuthorityName, Keeper, LeafName};
use crate::supervise::ComponentName;

/// All but those that make credentials which outlive a cut-off identity: Secret-type service-account tokens, and
/// certificates through the CSR API (nodes get theirs from the join gateway).
const CONTROLLERS: &str = "*,-serviceaccount-token-controller,-certificatesigningrequest-signing-controller,\
-certificatesigningrequest-approving-controller";

pub(super) fn command_line(settings: &Settings, layout: &Layout) -> CommandLine {
    let component = ComponentName::ControllerManager;
    let pki = layout.pki();
    let serving = pki.certificate(LeafName::ControllerManagerServing);
    let kubeconfig = layout.kubeconfig(component);
    let flags = Flags::of(component)
        .set("kubeconfig", kubeconfig.clone())
        .set("authentication-kubeconfig", kubeconfig.clone())
        .set("authorization-kubeconfig", kubeconfig)
        .set("bind-address", "127.0.0.1")
        .set("secure-port", ports::CONTROLLER_MANAGER)
        .set("tls-cert-file", serving.path())
        .set("tls-private-key-file", serving.path())
        .set("tls-min-version", "VersionTLS13")
        .set("root-ca-file", pki.trust(Keeper::ControllerManager, AuthorityName::Server))
        .set("use-service-account-credentials", true)
        .set("controllers", CONTROLLERS)
        .set("allocate-node-cidrs", true)
        .set("cluster-cidr", settings.cluster_cidr.clone())
        .set("service-cluster-ip-range", settings.service_cidr.clone())
        .set("leader-elect", false)
        .set("profiling", false);
    api_server::logs(flags, settings.log_level)
        .into_command_line(component, api_server::go_environment(settings, component))
}
