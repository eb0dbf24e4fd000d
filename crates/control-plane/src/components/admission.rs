use serde_json::json;

use super::flags::ConfigFile;
use super::{Layout, Settings};

/// Pod Security's default for namespaces without a label, and how many Events are taken.
pub(super) fn file(layout: &Layout, settings: &Settings) -> ConfigFile {
    let level = settings.pod_security.as_str();
    let rates = settings.event_rates;
    // A burst of ten seconds: a node that starts reports much at once.
    let limit = |kind: &str, qps: u32| json!({"type": kind, "qps": qps, "burst": qps * 10, "cacheSize": 4096});
    ConfigFile::json(
        layout.config("admission.json"),
        &json!({
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AdmissionConfiguration",
            "plugins": [
                {
                    "name": "PodSecurity",
                    "configuration": {
                        "apiVersion": "pod-security.admission.config.k8s.io/v1",
                        "kind": "PodSecurityConfiguration",
                        "defaults": {
                            "enforce": level, "enforce-version": "latest",
                            "audit": level, "audit-version": "latest",
                            "warn": level, "warn-version": "latest",
                        },
                        "exemptions": {"usernames": [], "runtimeClasses": [], "namespaces": ["kube-system"]},
                    },
                },
                {
                    "name": "EventRateLimit",
                    "configuration": {
                        "apiVersion": "eventratelimit.admission.k8s.io/v1alpha1",
                        "kind": "Configuration",
                        "limits": [
                            limit("Server", rates.server),
                            limit("Namespace", rates.namespace),
                            limit("User", rates.user),
                        ],
                    },
                },
            ],
        }),
    )
}
