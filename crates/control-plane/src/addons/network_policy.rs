use serde_json::json;

use super::Object;

/// Whoever makes a NetworkPolicy is told that nothing enforces it.
pub(super) fn objects() -> Vec<Object> {
    let name = "networkpolicy-is-not-enforced";
    vec![
        Object::new(json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Ignore",
                "matchConstraints": {"resourceRules": [{
                    "apiGroups": ["networking.k8s.io"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": ["networkpolicies"],
                }]},
                "validations": [{
                    "expression": "false",
                    "message": "this cluster does not enforce NetworkPolicy: every pod can still reach every other",
                }],
            },
        })),
        Object::new(json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Warn"]},
        })),
    ]
}
