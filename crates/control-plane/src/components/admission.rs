use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::flags::ConfigFile;
use super::{AuthenticatorWebhooks, Layout, Settings, Webhooks};
use crate::pki::LeafName;

/// Pod Security's default for namespaces without a label, how many Events are taken, and where the webhooks are that nobody can delete.
pub(super) fn file(layout: &Layout, settings: &Settings, webhooks: &Webhooks) -> ConfigFile {
    let mut plugins = vec![pod_security(settings), event_rate_limit(settings)];
    if webhooks.admission().is_some() {
        plugins.push(json!({
            "name": "ValidatingAdmissionWebhook",
            "configuration": {
                "apiVersion": "apiserver.config.k8s.io/v1",
                "kind": "WebhookAdmissionConfiguration",
                "kubeConfigFile": layout.config("admission.kubeconfig"),
                "staticManifestsDir": layout.admission_manifests(),
            },
        }));
    }
    ConfigFile::json(
        layout.config("admission.json"),
        &json!({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": plugins}),
    )
}

/// The webhook for what nodes say about themselves and their pods, and the certificate that it is asked with. It has a manifest
/// instead of an object in the API: whoever is bound to `cluster-admin` could delete an object.
pub(super) fn node_reports(layout: &Layout, webhooks: &Webhooks, authority: &str) -> Vec<ConfigFile> {
    let Some(address) = webhooks.admission() else { return Vec::new() };
    let certificate = layout.pki().certificate(LeafName::ApiServerToWebhooks);
    let path = AuthenticatorWebhooks::ADMISSION_PATH;
    vec![
        ConfigFile::json(
            layout.config("admission.kubeconfig"),
            // Without a context: other webhooks are called without a certificate.
            &json!({
                "apiVersion": "v1",
                "kind": "Config",
                "users": [{"name": address.to_string(), "user": {"client-certificate": certificate.path(), "client-key": certificate.path()}}],
            }),
        ),
        ConfigFile::json(
            layout.admission_manifests().join("node-reports.json"),
            &json!({
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": "node-reports.static.k8s.io"},
                "webhooks": [{
                    "name": "node-reports.k3s-daas.io",
                    "clientConfig": {"url": format!("https://{address}{path}"), "caBundle": STANDARD.encode(authority)},
                    "rules": [{
                        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "scope": "*",
                        "resources": ["nodes", "nodes/status", "pods", "pods/status"],
                    }],
                    "matchConditions": [{"name": "nodes", "expression": "'system:nodes' in request.userInfo.groups"}],
                    "failurePolicy": "Fail",
                    "matchPolicy": "Equivalent",
                    "sideEffects": "None",
                    "timeoutSeconds": 5,
                    "admissionReviewVersions": ["v1"],
                }],
            }),
        ),
    ]
}

fn pod_security(settings: &Settings) -> Value {
    let level = settings.pod_security.as_str();
    json!({
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
    })
}

fn event_rate_limit(settings: &Settings) -> Value {
    let rates = settings.event_rates;
    // A burst of ten seconds: a node that starts reports much at once.
    let limit = |kind: &str, qps: u32| json!({"type": kind, "qps": qps, "burst": qps * 10, "cacheSize": 4096});
    json!({
        "name": "EventRateLimit",
        "configuration": {
            "apiVersion": "eventratelimit.admission.k8s.io/v1alpha1",
            "kind": "Configuration",
            "limits": [limit("Server", rates.server), limit("Namespace", rates.namespace), limit("User", rates.user)],
        },
    })
}
