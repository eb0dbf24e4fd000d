//! kubectl of the `kube` file, for people and for what `up` and `status` ask the API server.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use daas_diagnostics::Diagnostic;
use serde_json::Value;

use crate::places::{Places, file_failed, private_folder};

/// The plug-in asks the chain, kubectl the API server.
const PATIENCE: Duration = Duration::from_secs(15);

/// A node, as Kubernetes sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesNode {
    /// Its name: that of the stake.
    pub name: String,
    /// Whether its kubelet says so, and is heard.
    pub is_ready: bool,
    /// Its address.
    pub address: String,
    /// The kubelet's version.
    pub version: String,
}

/// Links `kubectl` to the multi-call binary, wherever that is.
pub fn link_kubectl(places: &Places, kube: &Path) -> Result<(), Diagnostic> {
    let folder = places.bin();
    private_folder(&folder)?;
    let (link, draft) = (folder.join("kubectl"), folder.join(".kubectl.new"));
    let _ = std::fs::remove_file(&draft);
    std::os::unix::fs::symlink(kube, &draft)
        .and_then(|()| std::fs::rename(&draft, &link))
        .map_err(|error| file_failed("write", &link, &error))
}

/// The nodes; in words why they cannot be had.
pub async fn nodes(places: &Places, kubeconfig: &Path) -> Result<Vec<KubernetesNode>, String> {
    let mut command = tokio::process::Command::new(places.bin().join("kubectl"));
    command
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(["get", "nodes", "--output", "json", "--request-timeout", "5s"])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.map_err(|_| "kubectl does not answer")?;
    let output = output.map_err(|error| format!("kubectl: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(text.lines().last().unwrap_or("kubectl failed").to_owned());
    }
    let list: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    Ok(list["items"].as_array().into_iter().flatten().map(KubernetesNode::read).collect())
}

impl KubernetesNode {
    fn read(node: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let of =
            |list: &Value, kind: &str| list.as_array().into_iter().flatten().find(|one| one["type"] == kind).cloned();
        let status = &node["status"];
        Self {
            name: text(&node["metadata"]["name"]),
            is_ready: of(&status["conditions"], "Ready").is_some_and(|condition| condition["status"] == "True"),
            address: of(&status["addresses"], "InternalIP").map(|one| text(&one["address"])).unwrap_or_default(),
            version: text(&status["nodeInfo"]["kubeletVersion"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_is_ready_when_its_condition_says_so() {
        let node = |ready: &str| {
            KubernetesNode::read(&json!({
                "metadata": { "name": "worker-1-0badcafe" },
                "status": {
                    "conditions": [{ "type": "DiskPressure", "status": "True" }, { "type": "Ready", "status": ready }],
                    "addresses": [{ "type": "Hostname", "address": "x" }, { "type": "InternalIP", "address": "172.30.0.11" }],
                    "nodeInfo": { "kubeletVersion": "v1.36.4" },
                },
            }))
        };
        assert!(node("True").is_ready);
        assert!(!node("Unknown").is_ready && !node("False").is_ready);
        assert_eq!((node("True").address.as_str(), node("True").version.as_str()), ("172.30.0.11", "v1.36.4"));
        assert!(!KubernetesNode::read(&json!({})).is_ready);
    }
}
