use super::flags::CommandLine;
use super::{Layout, Settings, api_server, client_flags, ports};
use crate::components::ComponentName;
use crate::pki::{AuthorityName, Keeper, LeafName};

/// All but those that make credentials which outlive a cut-off identity: Secret-type service-account tokens, and
/// certificates through the CSR API (nodes get theirs from the join gateway).
const CONTROLLERS: &str = "*,-serviceaccount-token-controller,-certificatesigningrequest-signing-controller,\
-certificatesigningrequest-approving-controller";

pub(super) fn command_line(settings: &Settings, layout: &Layout) -> CommandLine {
    let component = ComponentName::ControllerManager;
    let pki = layout.pki();
    let flags = client_flags(component, layout, ports::CONTROLLER_MANAGER, LeafName::ControllerManagerServing)
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
