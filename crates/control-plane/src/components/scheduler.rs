use super::flags::CommandLine;
use super::{Layout, Settings, api_server, client_flags, ports};
use crate::components::ComponentName;
use crate::pki::LeafName;

pub(super) fn command_line(settings: &Settings, layout: &Layout) -> CommandLine {
    let component = ComponentName::Scheduler;
    let flags = client_flags(component, layout, ports::SCHEDULER, LeafName::SchedulerServing)
        .set("leader-elect", false)
        .set("profiling", false);
    api_server::logs(flags, settings.log_level)
        .into_command_line(component, api_server::go_environment(settings, component))
}
