use serde_json::{Value, json};

/// An object to apply, and where the API has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    resource: &'static str,
    value: Value,
}

impl Object {
    /// An object of a kind that this crate applies; `None` for any other.
    pub(super) fn new(mut value: Value) -> Self {
        let resource = match value["kind"].as_str().unwrap_or_default() {
            "ConfigMap" => "configmaps",
            "Service" => "services",
            "ServiceAccount" => "serviceaccounts",
            "Deployment" => "deployments",
            "ClusterRole" => "clusterroles",
            "ClusterRoleBinding" => "clusterrolebindings",
            "Role" => "roles",
            "RoleBinding" => "rolebindings",
            "StorageClass" => "storageclasses",
            "APIService" => "apiservices",
            "ValidatingAdmissionPolicy" => "validatingadmissionpolicies",
            "ValidatingAdmissionPolicyBinding" => "validatingadmissionpolicybindings",
            // Reached by a test for every object of this crate; the API server would answer 404.
            _ => "unknown",
        };
        value["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("k3s-daas");
        Self { resource, value }
    }

    /// The kind.
    pub fn kind(&self) -> &str {
        self.value["kind"].as_str().unwrap_or_default()
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// The namespace, if it has one.
    pub fn namespace(&self) -> Option<&str> {
        self.value["metadata"]["namespace"].as_str()
    }

    /// The plural name of its kind.
    pub fn resource(&self) -> &'static str {
        self.resource
    }

    /// The API group; empty for the core.
    pub fn group(&self) -> &str {
        self.value["apiVersion"].as_str().and_then(|version| version.split_once('/')).map_or("", |(group, _)| group)
    }

    /// The kind and name of the role that a binding binds.
    pub fn bound_role(&self) -> Option<(&str, &str)> {
        let role = &self.value["roleRef"];
        Some((role["kind"].as_str()?, role["name"].as_str()?))
    }

    /// Where the API has it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.collection(), self.name())
    }

    /// What is sent.
    pub fn value(&self) -> &Value {
        &self.value
    }

    fn collection(&self) -> String {
        let version = self.value["apiVersion"].as_str().unwrap_or_default();
        let root = if version.contains('/') { "/apis" } else { "/api" };
        match self.namespace() {
            Some(namespace) => format!("{root}/{version}/namespaces/{namespace}/{}", self.resource),
            None => format!("{root}/{version}/{}", self.resource),
        }
    }
}
