use std::path::Path;

use serde_json::{Value, json};

use super::{ConfigFile, Layout, Machine, SANDBOX_IMAGE, flag};
use crate::{Plan, PodNetwork};

/// containerd 2's configuration, format 3 (`docs/man/containerd-config.toml.5.md`, `internal/cri/config/config.go`).
pub(super) fn file(plan: &Plan, machine: &Machine, layout: &Layout) -> ConfigFile {
    let plugins = match plan.pod_network {
        PodNetwork::Vxlan => plan.programs.cni.as_path(),
        PodNetwork::None => Path::new("/opt/cni/bin"),
    };
    // Registries are asked for nothing that a plan does not name: an empty path would mean /etc/containerd and /etc/docker.
    let registries = plan.registries.clone().unwrap_or_else(|| layout.file("registries"));
    let content = json!({
        "version": 3,
        "root": layout.containerd_root().as_str(),
        "state": layout.containerd_state().as_str(),
        "grpc": {"address": layout.containerd_socket()},
        "ttrpc": {"address": format!("{}.ttrpc", layout.containerd_socket().display())},
        // Plugins that serve nobody here; each would be one more thing that opens sockets or folders.
        "disabled_plugins": ["io.containerd.nri.v1.nri", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp"],
        "debug": {"format": "json"},
        "plugins": {
            "io.containerd.cri.v1.images": {
                "snapshotter": "overlayfs",
                "pinned_images": {"sandbox": SANDBOX_IMAGE},
                "registry": {"config_path": registries},
            },
            "io.containerd.cri.v1.runtime": {
                "restrict_oom_score_adj": !machine.may_lower_oom_score,
                // Below the node's own folder, where its end finds them.
                "netns_mounts_under_state_dir": true,
                "cni": {
                    "bin_dirs": [plugins],
                    "conf_dir": layout.cni_configuration(),
                    "use_internal_loopback": true,
                },
                "containerd": {
                    "default_runtime_name": "runc",
                    "runtimes": {"runc": runc(plan)},
                },
            },
        },
    });
    ConfigFile { path: layout.file("containerd.toml"), content: as_toml(&content) }
}

pub(super) fn arguments(layout: &Layout) -> Vec<String> {
    vec![flag("config", layout.file("containerd.toml").display())]
}

fn runc(plan: &Plan) -> Value {
    json!({
        "runtime_type": "io.containerd.runc.v2",
        "runtime_path": plan.programs.containerd_shim,
        "options": {"BinaryName": plan.programs.runc, "SystemdCgroup": false},
    })
}

fn as_toml(content: &Value) -> String {
    // JSON without null is TOML without loss; keys are this file's constants.
    toml::to_string(content).unwrap_or_default()
}
