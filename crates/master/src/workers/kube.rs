//! Nodes and their pods, as the master makes and removes them.

use std::collections::HashMap;

use daas_control_plane::ApiClient;
use daas_join::Network;
use daas_seal_token::{NodeIdentity, NodeName};
use futures::future::BoxFuture;
use serde_json::{Value, json};

/// Who owns the fields that are applied.
const MANAGER: &str = "k3s-daas-master";
/// The annotation that Nodes have which the master made.
const SEAL_TOKEN: &str = "k3s-daas.io/seal-token";
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
    /// Deleted, and still there.
    #[error("{0} is still there")]
    Remains(String),
}

/// A Node in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeFound {
    /// The addresses of its pods.
    pub pods: Option<Network>,
    /// Whether the master made it; kubelets cannot change what says so.
    pub is_ours: bool,
}

/// What the master does with Nodes.
pub trait NodeApi: Send + Sync {
    /// The worker's Node is there as it should be.
    fn make<'a>(&'a self, who: &'a NodeIdentity) -> BoxFuture<'a, Result<(), NodeApiError>>;
    /// The addresses of its pods, once the controller manager has given them.
    fn pods_of<'a>(&'a self, name: &'a NodeName) -> BoxFuture<'a, Result<Option<Network>, NodeApiError>>;
    /// The Nodes that there are, by name.
    fn all(&self) -> BoxFuture<'_, Result<HashMap<String, NodeFound>, NodeApiError>>;
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

    fn all(&self) -> BoxFuture<'_, Result<HashMap<String, NodeFound>, NodeApiError>> {
        Box::pin(async move {
            let mut nodes = HashMap::new();
            self.each("listing the Nodes", "/api/v1/nodes?", |node| {
                let pods = node["spec"]["podCIDR"].as_str().and_then(|cidr| cidr.parse().ok());
                let is_ours = node["metadata"]["annotations"][SEAL_TOKEN].is_string();
                let name = node["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                nodes.insert(name, NodeFound { pods, is_ours });
            })
            .await?;
            Ok(nodes)
        })
    }

    fn remove<'a>(&'a self, name: &'a NodeName) -> BoxFuture<'a, Result<(), NodeApiError>> {
        Box::pin(async move {
            // The Node first: nothing is scheduled to it any more. One that stays does not keep its pods.
            let node = self.remove_node(name).await;
            self.delete_pods(name).await?;
            node
        })
    }
}

impl Kube {
    async fn delete(&self, doing: &'static str, path: &str) -> Result<(), NodeApiError> {
        let (status, answer) = self.0.delete(path).await.map_err(away)?;
        // 409: somebody else is at it, or it is a new one of the same name; whoever removes comes again.
        if status.is_success() || status == 404 { Ok(()) } else { Err(refused(doing, status.as_u16(), &answer)) }
    }

    /// A success of DELETE says that the Node is marked. With finalizers it stays so for good: whom they wait for may be the very
    /// kubelet that set them.
    async fn remove_node(&self, name: &NodeName) -> Result<(), NodeApiError> {
        self.delete("deleting the Node", &path(name)).await?;
        if self.is_gone(name).await? {
            return Ok(());
        }
        self.strip("taking the Node's finalizers away", &path(name)).await?;
        if self.is_gone(name).await? { Ok(()) } else { Err(NodeApiError::Remains(format!("the Node {name}"))) }
    }

    async fn is_gone(&self, name: &NodeName) -> Result<bool, NodeApiError> {
        let (status, answer) = self.0.get(&path(name)).await.map_err(away)?;
        match status.as_u16() {
            404 => Ok(true),
            200 => Ok(false),
            status => Err(refused("looking for the Node", status, &answer)),
        }
    }

    async fn strip(&self, doing: &'static str, path: &str) -> Result<(), NodeApiError> {
        let (status, answer) = self.0.strip_finalizers(path).await.map_err(away)?;
        if status.is_success() || status == 404 { Ok(()) } else { Err(refused(doing, status.as_u16(), &answer)) }
    }

    /// Deletes at once, not gracefully: nobody is left to confirm an end. Controllers have from one call to the next to do what their
    /// finalizers are for (the job controller counts); then these are taken away.
    async fn delete_pods(&self, node: &NodeName) -> Result<(), NodeApiError> {
        let (mut pods, mut held) = (Vec::new(), false);
        self.each("listing its pods", &format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{node}&"), |pod| {
            let word = |field: &str| pod["metadata"][field].as_str().unwrap_or_default();
            let path = format!("/api/v1/namespaces/{}/pods/{}", word("namespace"), word("name"));
            let finalizers = pod["metadata"]["finalizers"].as_array().is_some_and(|finalizers| !finalizers.is_empty());
            held |= finalizers;
            pods.push((path, finalizers && pod["metadata"]["deletionTimestamp"].is_string()));
        })
        .await?;
        for (pod, waits) in pods {
            self.delete("deleting a pod", &format!("{pod}?gracePeriodSeconds=0")).await?;
            if waits {
                self.strip("taking a pod's finalizers away", &format!("{pod}/status")).await?;
            }
        }
        // Who comes again finds none.
        if held { Err(NodeApiError::Remains(format!("a pod of {node} with finalizers"))) } else { Ok(()) }
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
            "annotations": {"k3s-daas.io/owner": who.owner.to_string(), SEAL_TOKEN: who.token.to_string()},
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use arc_swap::ArcSwap;
    use daas_https::server::{Answer, Handler, Limits, Peer, json, serve};
    use daas_https::tls::{ClientCertificate, Identity, acceptor};
    use http::{Method, Request, StatusCode};
    use hyper::body::Incoming;
    use tokio_util::sync::{CancellationToken, DropGuard};

    use super::*;

    const NODE: &str = "/api/v1/nodes/a-00000001";
    const POD: &str = "/api/v1/namespaces/default/pods/p";

    /// Objects by path, which stay after their deletion as long as they have finalizers.
    #[derive(Default)]
    struct Objects {
        all: Mutex<BTreeMap<String, Value>>,
        /// Finalizers cannot be taken away.
        stubborn: bool,
    }

    impl Objects {
        fn insert(&self, path: &str, finalizers: &Value) {
            let (namespace, name) = ("default", path.rsplit('/').next().unwrap());
            let object = json!({"metadata": {"name": name, "namespace": namespace, "finalizers": finalizers}});
            self.all.lock().unwrap().insert(path.to_owned(), object);
        }

        fn change(&self, method: &Method, path: &str) -> (StatusCode, Value) {
            let mut all = self.all.lock().unwrap();
            if path == "/api/v1/pods" {
                let pods: Vec<_> = all.iter().filter(|(path, _)| path.contains("/pods/")).map(|(_, pod)| pod).collect();
                return (StatusCode::OK, json!({"items": pods}));
            }
            let path = path.trim_end_matches("/status");
            let Some(object) = all.get_mut(path) else { return (StatusCode::NOT_FOUND, json!({})) };
            match *method {
                Method::DELETE => object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"),
                Method::PATCH if !self.stubborn => object["metadata"]["finalizers"] = Value::Null,
                _ => {}
            }
            let object = object.clone();
            let metadata = &object["metadata"];
            if metadata["deletionTimestamp"].is_string() && metadata["finalizers"].is_null() {
                all.remove(path);
            }
            (StatusCode::OK, object)
        }
    }

    impl Handler for Objects {
        async fn answer(self: Arc<Self>, request: Request<Incoming>, _: Arc<Peer>) -> Answer {
            let (status, body) = self.change(request.method(), request.uri().path());
            json(status, body.to_string())
        }
    }

    async fn api(objects: Objects) -> (Kube, Arc<Objects>, DropGuard) {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = made.signing_key.serialize_pem().into_bytes().into();
        let identity = Identity { certificate: made.cert.pem().into_bytes(), key };
        let tls = Arc::new(ArcSwap::from_pointee(acceptor(&identity, ClientCertificate::Unasked).unwrap()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = daas_attested_tls::client_config().unwrap();
        let kube = Kube(ApiClient::with_certificate(listener.local_addr().unwrap(), client));
        let (objects, stop) = (Arc::new(objects), CancellationToken::new());
        tokio::spawn(serve(listener, tls, Limits::PUBLIC, Arc::clone(&objects), stop.clone()));
        (kube, objects, stop.drop_guard())
    }

    #[tokio::test]
    async fn finalizers_keep_neither_a_node_nor_its_pods() {
        let name: NodeName = "a-00000001".parse().unwrap();
        let (kube, objects, _serving) = api(Objects::default()).await;
        let left = || objects.all.lock().unwrap().keys().cloned().collect::<Vec<_>>();
        objects.insert(NODE, &Value::Null);
        objects.insert(POD, &Value::Null);
        assert_eq!(kube.remove(&name).await, Ok(()));
        assert_eq!(left(), [""; 0]);

        objects.insert(NODE, &json!(["example.com/stay"]));
        objects.insert(POD, &json!(["example.com/stay"]));
        // The pod's controller has until the next call.
        assert!(matches!(kube.remove(&name).await, Err(NodeApiError::Remains(_))));
        assert_eq!(left(), [POD]);
        assert!(matches!(kube.remove(&name).await, Err(NodeApiError::Remains(_))));
        assert_eq!(kube.remove(&name).await, Ok(()));
        assert_eq!(left(), [""; 0]);
    }

    #[tokio::test]
    async fn a_node_is_removed_when_it_is_not_found_and_not_before() {
        let name: NodeName = "a-00000001".parse().unwrap();
        let (kube, objects, _serving) = api(Objects { stubborn: true, ..Objects::default() }).await;
        objects.insert(NODE, &json!(["example.com/stay"]));
        objects.insert(POD, &Value::Null);
        assert_eq!(kube.remove(&name).await, Err(NodeApiError::Remains("the Node a-00000001".into())));
        // Its pods are gone all the same.
        assert!(!objects.all.lock().unwrap().contains_key(POD));
    }
}
