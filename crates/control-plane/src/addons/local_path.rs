use serde_json::{Value, json};

use super::Object;

const NAMESPACE: &str = "kube-system";
const NAME: &str = "local-path-provisioner";

/// k3s' storage class: a folder of the node on which the first pod of the claim runs.
pub(super) fn objects(folder: &str) -> Vec<Object> {
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
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("local-path-config"), "data": scripts(folder)}),
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
            "tolerations": [{"key": "node.kubernetes.io/disk-pressure", "operator": "Exists", "effect": "NoSchedule"}],
            "containers": [{
                "name": "helper-pod",
                "image": "docker.io/rancher/library-busybox:1.32.1",
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
                        "command": [NAME, "start", "--config", "/etc/config/config.json", "--service-account-name", NAME],
                        "env": [{"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
                        "volumeMounts": [{"name": "config", "mountPath": "/etc/config/"}],
                    }],
                    "volumes": [{"name": "config", "configMap": {"name": "local-path-config"}}],
                },
            },
        },
    }))
}
