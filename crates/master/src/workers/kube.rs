//! Nodes and their pods, as the master makes and removes them.

use std::collections::HashMap;

use daas_control_plane::ApiClient;
use daas_join::Network;
use daas_seal_token::{NodeIdentity, NodeName};
use futures::future::BoxFuture;
use serde_json::{Value, json};

/// Who owns the fields that are applied.
const MANAGER: &str = "k3s-daas-master";
/// An answer is 4 MiB at most, a pod or a Node some ten KiB.
const PAGE: usize = 50;
/// More than for ten thousand Nodes.
const PAGES: usize = 400;

/// Why the API server did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeApiError {
    /// No answer.
    #[error("{0}")]
    Away(String),
    /// Another answer than success.
    #[error("{doing}: the API server answered {status}: {message}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// The HTTP status.
        status: u16,
        /// Its words, shortened.
        message: String,
    },
}

/// What the master does with Nodes.
pub trait NodeApi: Send + Sync {
    /// The worker's Node is there as it should be.
    fn make<'a>(&'a self, who: &'a NodeIdentity) -> BoxFuture<'a, Result<(), NodeApiError>>;
    /// The addresses of its pods, once the controller manager has given them.
    fn pods_of<'a>(&'a self, name: &'a NodeName) -> BoxFuture<'a, Result<Option<Network>, NodeApiError>>;
    /// The Nodes that there are, with the addresses of their pods.
    fn all(&self) -> BoxFuture<'_, Result<HashMap<String, Option<Network>>, NodeApiError>>;
    /// Neither the Node nor a pod on it is there.
    fn remove<'a>(&'a self, name: &'a NodeName) -> BoxFuture<'a, Result<(), NodeApiError>>;
}

/// The API server, as the master.
#[derive(Debug, Clone)]
pub struct Kube(pub ApiClient);

impl NodeApi for Kube {
    fn make<'a>(&'a self, who: &'a NodeIdentity) -> BoxFuture<'a, Result<(), NodeApiError>> {
        Box::pin(async move {
            let (status, answer) = self.0.apply(&path(&who.name), MANAGER, &node(who)).await.map_err(away)?;
            if status.is_success() { Ok(()) } else { Err(refused("making the Node", status.as_u16(), &answer)) }
        })
    }

    fn pods_of<'a>(&'a self, name: &'a NodeName) -> BoxFuture<'a, Result<Option<Network>, NodeApiError>> {
        Box::pin(async move {
            let (status, answer) = self.0.get(&path(name)).await.map_err(away)?;
            match status.as_u16() {
                200 => Ok(answer["spec"]["podCIDR"].as_str().and_then(|cidr| cidr.parse().ok())),
                404 => Ok(None),
                status => Err(refused("reading the Node", status, &answer)),
            }
        })
    }

    fn all(&self) -> BoxFuture<'_, Result<HashMap<String, Option<Network>>, NodeApiError>> {
        Box::pin(async move {
            let mut nodes = HashMap::new();
            self.each("listing the Nodes", "/api/v1/nodes?", |node| {
                let pods = node["spec"]["podCIDR"].as_str().and_then(|cidr| cidr.parse().ok());
                nodes.insert(node["metadata"]["name"].as_str().unwrap_or_default().to_owned(), pods);
            })
            .await?;
            Ok(nodes)
        })
    }

    fn remove<'a>(&'a self, name: &'a NodeName) -> BoxFuture<'a, Result<(), NodeApiError>> {
        Box::pin(async move {
            // The Node first: nothing is scheduled to it any more.
            self.delete("deleting the Node", &path(name)).await?;
            self.delete_pods(name).await
        })
    }
}

impl Kube {
    async fn delete(&self, doing: &'static str, path: &str) -> Result<(), NodeApiError> {
        let (status, answer) = self.0.delete(path).await.map_err(away)?;
        // 409: somebody else is at it, or it is a new one of the same name; whoever removes comes again.
        if status.is_success() || status == 404 { Ok(()) } else { Err(refused(doing, status.as_u16(), &answer)) }
    }

    /// Deletes at once, not gracefully: nobody is left to confirm an end.
    async fn delete_pods(&self, node: &NodeName) -> Result<(), NodeApiError> {
        let mut pods = Vec::new();
        self.each("listing its pods", &format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{node}&"), |pod| {
            let word = |field: &str| pod["metadata"][field].as_str().unwrap_or_default();
            pods.push(format!("/api/v1/namespaces/{}/pods/{}", word("namespace"), word("name")));
        })
        .await?;
        for pod in pods {
            self.delete("deleting a pod", &format!("{pod}?gracePeriodSeconds=0")).await?;
        }
        Ok(())
    }

    /// Looks at each object of a list, which comes in pages. `list` is its path with a query that may be continued.
    async fn each(
        &self,
        doing: &'static str,
        list: &str,
        mut look: impl FnMut(&Value) + Send,
    ) -> Result<(), NodeApiError> {
        let mut token = String::new();
        for _ in 0..PAGES {
            let (status, answer) = self.0.get(&format!("{list}limit={PAGE}&continue={token}")).await.map_err(away)?;
            if !status.is_success() {
                return Err(refused(doing, status.as_u16(), &answer));
            }
            answer["items"].as_array().into_iter().flatten().for_each(&mut look);
            // Base64 without signs that a query would need to escape (apiserver's storage/continue.go: RawURLEncoding).
            answer["metadata"]["continue"].as_str().unwrap_or_default().clone_into(&mut token);
            if token.is_empty() {
                return Ok(());
            }
        }
        Err(NodeApiError::Away(format!("{doing} has no end")))
    }
}

/// What a Node says of a worker: its name, and whose it is. Its addresses and capacity are the kubelet's to report, and the
/// admission webhook's to judge; nothing here is a worker's own word.
fn node(who: &NodeIdentity) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": who.name.as_str(),
            "labels": {"kubernetes.io/hostname": who.name.as_str(), "kubernetes.io/os": "linux"},
            "annotations": {"k3s-daas.io/owner": who.owner.to_string(), "k3s-daas.io/seal-token": who.token.to_string()},
        },
    })
}

fn path(name: &NodeName) -> String {
    // A node's name is a DNS label.
    format!("/api/v1/nodes/{name}")
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn away(error: daas_control_plane::ControlPlaneError) -> NodeApiError {
    NodeApiError::Away(error.to_string())
}

fn refused(doing: &'static str, status: u16, answer: &Value) -> NodeApiError {
    let message = answer["message"].as_str().unwrap_or("no reason was given").chars().take(300).collect();
    NodeApiError::Refused { doing, status, message }
}
