use serde_json::json;

use super::Object;
use crate::components::Settings;

const NAMESPACE: &str = "kube-system";

/// As in k3s, with its two places for a user's own configuration (the ConfigMap `coredns-custom`).
pub(super) fn objects(settings: &Settings) -> Vec<Object> {
    let labels = json!({"k8s-app": "kube-dns"});
    let metadata = |name: &str| json!({"name": name, "namespace": NAMESPACE, "labels": {"k8s-app": "kube-dns"}});
    let mount = |name: &str, path: &str| json!({"name": name, "mountPath": path, "readOnly": true});
    let get = |path: &str, port: u16| json!({"httpGet": {"path": path, "port": port}});
    vec![
        Object::new(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata("coredns")})),
        Object::new(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "system:coredns"},
            "rules": [
                {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"], "verbs": ["list", "watch"]},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
            ],
        })),
        Object::new(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "system:coredns"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:coredns"},
            "subjects": [{"kind": "ServiceAccount", "name": "coredns", "namespace": NAMESPACE}],
        })),
        Object::new(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("coredns"),
            "data": {"Corefile": corefile(settings)},
        })),
        Object::new(json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata("coredns"),
            "spec": {
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "priorityClassName": "system-cluster-critical",
                        "serviceAccountName": "coredns",
                        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
                        "nodeSelector": {"kubernetes.io/os": "linux"},
                        "topologySpreadConstraints": [{
                            "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
                            "labelSelector": {"matchLabels": labels},
                        }],
                        "dnsPolicy": "Default",
                        "containers": [{
                            "name": "coredns",
                            "image": "registry.k8s.io/coredns/coredns:v1.15.0",
                            "imagePullPolicy": "IfNotPresent",
                            "args": ["-conf", "/etc/coredns/Corefile"],
                            "resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}},
                            "ports": [
                                {"name": "dns", "containerPort": 53, "protocol": "UDP"},
                                {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
                                {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
                            ],
                            "livenessProbe": {"httpGet": get("/health", 8080)["httpGet"], "initialDelaySeconds": 60, "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3},
                            "readinessProbe": {"httpGet": get("/ready", 8181)["httpGet"], "periodSeconds": 2, "timeoutSeconds": 1, "failureThreshold": 3},
                            "securityContext": {
                                "allowPrivilegeEscalation": false,
                                "readOnlyRootFilesystem": true,
                                "capabilities": {"drop": ["ALL"]},
                            },
                            "volumeMounts": [mount("config", "/etc/coredns"), mount("custom", "/etc/coredns/custom")],
                        }],
                        "volumes": [
                            {"name": "config", "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]}},
                            {"name": "custom", "configMap": {"name": "coredns-custom", "optional": true}},
                        ],
                    },
                },
            },
        })),
        Object::new(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": "kube-dns", "namespace": NAMESPACE,
                "labels": {"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"},
            },
            "spec": {
                "selector": labels,
                "clusterIP": settings.cluster_dns().to_string(),
                "ports": [
                    {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                    {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
                    {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
                ],
            },
        })),
    ]
}

fn corefile(settings: &Settings) -> String {
    let domain = settings.cluster_domain();
    format!(
        ".:53 {{
    errors
    health
    ready
    kubernetes {domain} in-addr.arpa ip6.arpa {{
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
    }}
    prometheus :9153
    cache 30
    loop
    reload
    loadbalance
    import /etc/coredns/custom/*.override
    forward . /etc/resolv.conf
}}
import /etc/coredns/custom/*.server
"
    )
}
