use super::flags::{CommandLine, Flags};
use super::{Layout, Settings, api_server, ports};
use crate::pki::LeafName;
use crate::supervise::ComponentName;

pub(super) fn command_line(settings: &Settings, layout: &Layout) -> CommandLine {
    let component = ComponentName::Scheduler;
    let serving = layout.pki().certificate(LeafName::SchedulerServing);
    let kubeconfig = layout.kubeconfig(component);
    let flags = Flags::of(component)
        .set("kubeconfig", kubeconfig.clone())
        .set("authentication-kubeconfig", kubeconfig.clone())
        .set("authorization-kubeconfig", kubeconfig)
        .set("bind-address", "127.0.0.1")
        .set("secure-port", ports::SCHEDULER)
        .set("tls-cert-file", serving.path())
        .set("tls-private-key-file", serving.path())
        .set("tls-min-version", "VersionTLS13")
        .set("leader-elect", false)
        .set("profiling", false);
    api_server::logs(flags, settings.log_level)
        .into_command_line(component, api_server::go_environment(settings, component))
}
