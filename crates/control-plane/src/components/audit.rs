use serde_json::json;

use super::Layout;
use super::flags::ConfigFile;

/// What is recorded: whatever stays open (when it opens, so that it can be cut), tokens that are minted, and changes of who may do
/// what (when they are done). Never a body: Secrets are in them.
pub(super) fn file(layout: &Layout) -> ConfigFile {
    let streams =
        ["pods/exec", "pods/attach", "pods/portforward", "pods/log", "pods/proxy", "services/proxy", "nodes/proxy"];
    let opened = ["RequestReceived", "ResponseComplete", "Panic"];
    let done = ["RequestReceived", "ResponseStarted", "Panic"];
    let changes = ["create", "update", "patch", "delete", "deletecollection"];
    ConfigFile::json(
        layout.config("audit.json"),
        &json!({
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "rules": [
                {"level": "Metadata", "omitStages": opened, "verbs": ["watch"]},
                {"level": "Metadata", "omitStages": opened, "resources": [{"group": "", "resources": streams}]},
                {
                    "level": "Metadata", "omitStages": done, "verbs": ["create"],
                    "resources": [{"group": "", "resources": ["serviceaccounts/token"]}],
                },
                {
                    "level": "Metadata", "omitStages": done, "verbs": changes,
                    "resources": [
                        {"group": "rbac.authorization.k8s.io"},
                        {"group": "admissionregistration.k8s.io"},
                        {"group": "apiregistration.k8s.io"},
                        {"group": "certificates.k8s.io"},
                    ],
                },
                {"level": "None"},
            ],
        }),
    )
}
