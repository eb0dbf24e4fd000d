use serde_json::{Value, json};

use super::Object;

const NAMESPACE: &str = "kube-system";
const NAME: &str = "local-path-provisioner";
/// What makes and removes a volume's folder, under an account that may do nothing.
const HELPER_IMAGE: &str = "docker.io/rancher/library-busybox:1.32.1";
const HELPER_ACCOUNT: &str = "default";
const SCRIPTS: &str = "local-path-config";

/// k3s' storage class: a folder of the node on which the first pod of the claim runs.
pub(super) fn objects(folder: &str) -> Vec<Object> {
    let mut objects = provisioner(folder);
    objects.extend(helpers_only(folder));
    objects
}

fn provisioner(folder: &str) -> Vec<Object> {
    let account = json!([{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}]);
    let metadata = |name: &str| json!({"name": name, "namespace": NAMESPACE});
    let rbac = "rbac.authorization.k8s.io/v1";
    let read = json!(["get", "list", "watch"]);
    let all = json!(["get", "list", "watch", "create", "patch", "update", "delete"]);
    let reference = |kind: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": NAME});
    vec![
        Object::new(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(NAME)})),
        Object::new(json!({
            "apiVersion": rbac, "kind": "Role", "metadata": metadata(NAME),
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": all}],
        })),
        Object::new(json!({
            "apiVersion": rbac, "kind": "RoleBinding", "metadata": metadata(NAME), "subjects": account, "roleRef": reference("Role"),
        })),
        Object::new(json!({
            "apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": NAME},
            "rules": [
                {"apiGroups": [""], "resources": ["nodes", "persistentvolumeclaims", "configmaps", "pods", "pods/log"], "verbs": read},
                {"apiGroups": [""], "resources": ["persistentvolumes"], "verbs": all},
                {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
                {"apiGroups": ["storage.k8s.io"], "resources": ["storageclasses"], "verbs": read},
            ],
        })),
        Object::new(json!({
            "apiVersion": rbac, "kind": "ClusterRoleBinding", "metadata": {"name": NAME}, "subjects": account, "roleRef": reference("ClusterRole"),
        })),
        Object::new(json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": "local-path", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": "rancher.io/local-path",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Delete",
        })),
        Object::new(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(SCRIPTS), "data": scripts(folder)}),
        ),
        deployment(),
    ]
}

/// What runs on a node to make and remove a volume's folder.
fn scripts(folder: &str) -> Value {
    let paths = json!({"nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [folder]}]});
    let helper = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "helper-pod"},
        "spec": {
            "priorityClassName": "system-node-critical",
            "automountServiceAccountToken": false,
            "tolerations": [{"key": "node.kubernetes.io/disk-pressure", "operator": "Exists", "effect": "NoSchedule"}],
            "containers": [{
                "name": "helper-pod",
                "image": HELPER_IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "securityContext": {"privileged": false},
            }],
        },
    });
    json!({
        "config.json": paths.to_string(),
        "setup": "#!/bin/sh\nset -eu\nmkdir -m 0777 -p \"${VOL_DIR}\"\nchmod 700 \"${VOL_DIR}/..\"\n",
        "teardown": "#!/bin/sh\nset -eu\nrm -rf \"${VOL_DIR}\"\n",
        "helperPod.yaml": helper.to_string(),
    })
}

/// The provisioner's account may make pods in `kube-system`, on any node: whoever has its token gets no more than the helpers that it
/// makes (`createHelperPod` of local-path-provisioner v0.0.30).
fn helpers_only(folder: &str) -> Vec<Object> {
    let name = "local-path-provisioner-makes-helpers-only";
    let validations: Vec<Value> = helper_rules(folder)
        .into_iter()
        .map(|(expression, what)| {
            json!({"expression": expression, "message": format!("the helper pods of {NAME} {what}"), "reason": "Forbidden"})
        })
        .collect();
    vec![
        Object::new(json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                    "resources": ["pods", "pods/ephemeralcontainers"],
                }]},
                "matchConditions": [{
                    "name": "by-the-provisioner",
                    "expression": format!("request.userInfo.username == 'system:serviceaccount:{NAMESPACE}:{NAME}'"),
                }],
                "validations": validations,
            },
        })),
        Object::new(json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        })),
    ]
}

/// CEL, and what it asks for. Fields that may be missing are asked for with `has()`; the API server has filled in its defaults before.
fn helper_rules(folder: &str) -> Vec<(String, &'static str)> {
    let none = |list: &str| format!("!has(object.spec.{list}) || size(object.spec.{list}) == 0");
    let off = |switch: &str| format!("(!has(object.spec.{switch}) || object.spec.{switch} == false)");
    let all = |rule: &str| format!("object.spec.containers.all(c, {rule})");
    let folder = cel_string(folder.trim_end_matches('/'));
    // The folder itself and nothing in it: what pods make there may be links that lead out.
    let volumes = format!(
        "!has(object.spec.volumes) || object.spec.volumes.all(v, \
         (has(v.hostPath) && v.hostPath.path in [{folder}, {folder} + '/']) || \
         (has(v.configMap) && has(v.configMap.name) && v.configMap.name == '{SCRIPTS}'))"
    );
    vec![
        (all(&format!("has(c.image) && c.image == '{HELPER_IMAGE}'")), "have one image"),
        (none("initContainers"), "have no init containers"),
        (none("ephemeralContainers"), "have no ephemeral containers"),
        (
            all(
                "!has(c.securityContext) || ((!has(c.securityContext.privileged) || c.securityContext.privileged == false) && \
                 (!has(c.securityContext.capabilities) || !has(c.securityContext.capabilities.add) || \
                 size(c.securityContext.capabilities.add) == 0))",
            ),
            "are not privileged and add no capabilities",
        ),
        ([off("hostNetwork"), off("hostPID"), off("hostIPC")].join(" && "), "share no namespace with the node"),
        (
            format!(
                "(!has(object.spec.serviceAccountName) || object.spec.serviceAccountName == '{HELPER_ACCOUNT}') && \
                 has(object.spec.automountServiceAccountToken) && object.spec.automountServiceAccountToken == false"
            ),
            "have no service account",
        ),
        (
            all("(!has(c.envFrom) || size(c.envFrom) == 0) && (!has(c.env) || c.env.all(e, !has(e.valueFrom)))"),
            "read no Secrets",
        ),
        (volumes, "mount the folder of volumes and their scripts"),
    ]
}

/// A string of CEL. The folder is the operator's: a quotation mark in it must not end the string.
fn cel_string(text: &str) -> String {
    // JSON's escapes are among CEL's.
    json!(text).to_string()
}

fn deployment() -> Object {
    let labels = json!({"app": NAME});
    Object::new(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "priorityClassName": "system-node-critical",
                    "serviceAccountName": NAME,
                    "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
                    "containers": [{
                        "name": NAME,
                        "image": "docker.io/rancher/local-path-provisioner:v0.0.30",
                        "imagePullPolicy": "IfNotPresent",
                        "command": [NAME, "start", "--config", "/etc/config/config.json", "--service-account-name", HELPER_ACCOUNT],
                        "env": [{"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
                        "volumeMounts": [{"name": "config", "mountPath": "/etc/config/"}],
                    }],
                    "volumes": [{"name": "config", "configMap": {"name": SCRIPTS}}],
                },
            },
        },
    }))
}
