//! Pods leave before the stake is taken back: the node is cordoned, its pods are evicted, as the node itself (its own Node and its own pods
//! are what the node authorizer lets it touch).

use std::time::Duration;

use daas_seal_token::NodeName;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::error::Error;
use crate::http_client::{Limits, Peer, reason};

/// A node has 110 pods.
const LIMITS: Limits = Limits { time: Duration::from_secs(15), bytes: 16 * 1024 * 1024 };
/// Budgets may hold an eviction back (429); asked again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// Cordons the node and evicts its pods until none is left or `within` is over. `Ok(left)` says how many stayed.
pub async fn drain(api: &Peer, node: &NodeName, within: Duration) -> Result<usize, Error> {
    let deadline = Instant::now() + within;
    let cordon = json!({"spec": {"unschedulable": true}}).to_string();
    let cordoning = request(Method::PATCH, &format!("/api/v1/nodes/{node}"), "application/merge-patch+json", cordon)?;
    expect("cordoning the node", api.exchange("cordoning the node", cordoning, LIMITS).await?)?;
    loop {
        let pods = to_evict(api, node).await?;
        if pods.is_empty() || Instant::now() >= deadline {
            return Ok(pods.len());
        }
        for Meta { namespace, name, .. } in &pods {
            let eviction = format!("/api/v1/namespaces/{namespace}/pods/{name}/eviction");
            let meta = json!({"namespace": namespace, "name": name});
            let body = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}).to_string();
            let post = request(Method::POST, &eviction, "application/json", body)?;
            let (status, _) = api.exchange("evicting a pod", post, LIMITS).await?;
            tracing::info!(namespace, pod = name, status = status.as_u16(), "evicting");
        }
        sleep(AGAIN).await;
    }
}

#[derive(Deserialize)]
struct PodList {
    items: Vec<Pod>,
}

#[derive(Deserialize)]
struct Pod {
    metadata: Meta,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    namespace: String,
    name: String,
    #[serde(default)]
    owner_references: Vec<OwnerReference>,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct OwnerReference {
    kind: String,
}

#[derive(Deserialize, Default)]
struct Status {
    #[serde(default)]
    phase: String,
}

impl Pod {
    /// As `kubectl drain --ignore-daemonsets`: pods that would come straight back stay, and those that are over.
    fn leaves(&self) -> bool {
        let daemon = self.metadata.owner_references.iter().any(|owner| owner.kind == "DaemonSet");
        let mirror = self.metadata.annotations.contains_key("kubernetes.io/config.mirror");
        !daemon && !mirror && !matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }
}

async fn to_evict(api: &Peer, node: &NodeName) -> Result<Vec<Meta>, Error> {
    const WHAT: &str = "listing the node's pods";
    let path = format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{node}");
    let body = expect(
        WHAT,
        api.exchange(WHAT, request(Method::GET, &path, "application/json", String::new())?, LIMITS).await?,
    )?;
    let list: PodList = serde_json::from_slice(&body).map_err(|error| Error::exchange(WHAT, error))?;
    Ok(list.items.into_iter().filter(Pod::leaves).map(|pod| pod.metadata).collect())
}

fn request(method: Method, path: &str, kind: &str, body: String) -> Result<Request<Full<Bytes>>, Error> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, kind)
        .header(header::ACCEPT, "application/json")
        .body(Full::from(body));
    request.map_err(|error| Error::exchange("a request to the API server", error))
}

fn expect(what: &'static str, (status, body): (StatusCode, Bytes)) -> Result<Bytes, Error> {
    if status.is_success() { Ok(body) } else { Err(Error::Refused { what, status, why: reason(&body) }) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use daas_https::server::{Answer, Handler, Limits as ServerLimits, Peer as Client, read_body, serve, text};
    use daas_https::tls::{ClientCertificate, Identity, acceptor};
    use hyper::body::Incoming;
    use rcgen::{CertificateParams, KeyPair};
    use serde_json::Value;
    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::pinned;

    /// An API server with pods, each with the number of evictions that a budget holds back.
    #[derive(Default)]
    struct ApiServer {
        pods: Mutex<BTreeMap<&'static str, u32>>,
        cordoned: Mutex<Option<Value>>,
    }

    impl Handler for ApiServer {
        async fn answer(self: Arc<Self>, request: Request<Incoming>, _: Arc<Client>) -> Answer {
            let (parts, body) = request.into_parts();
            let body = read_body(body, 4096, Duration::from_secs(5)).await.unwrap();
            let path = parts.uri.path_and_query().unwrap().as_str();
            match (parts.method.as_str(), path) {
                ("PATCH", "/api/v1/nodes/worker-1-dededede") => {
                    *self.cordoned.lock().unwrap() = Some(serde_json::from_slice(&body).unwrap());
                    text(StatusCode::OK, "{}")
                }
                ("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dworker-1-dededede") => {
                    let pods = self.pods.lock().unwrap();
                    let items: Vec<_> =
                        pods.keys().map(|name| json!({"metadata": {"namespace": "a", "name": name}})).collect();
                    text(StatusCode::OK, json!({ "items": items }).to_string())
                }
                ("POST", path) => {
                    let name = path.strip_prefix("/api/v1/namespaces/a/pods/").unwrap();
                    let name = name.strip_suffix("/eviction").unwrap();
                    let mut pods = self.pods.lock().unwrap();
                    let held_back = pods.get_mut(name).unwrap();
                    if *held_back > 0 {
                        *held_back -= 1;
                        return text(StatusCode::TOO_MANY_REQUESTS, "budget");
                    }
                    pods.remove(name);
                    text(StatusCode::CREATED, "{}")
                }
                other => panic!("{other:?}"),
            }
        }
    }

    async fn api(server: Arc<ApiServer>) -> Peer {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
        let pem = certificate.pem().into_bytes();
        let identity = Identity { certificate: pem.clone(), key: key.serialize_pem().into_bytes().into() };
        let tls = acceptor(&identity, ClientCertificate::Optional(&pem)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let tls = Arc::new(arc_swap::ArcSwap::from_pointee(tls));
        tokio::spawn(serve(listener, tls, ServerLimits::PUBLIC, server, CancellationToken::new()));
        let spki = daas_attestation::tls_spki_sha256(certificate.der()).unwrap();
        Peer::new(&address, pinned::by_key(spki).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn the_node_is_cordoned_and_pods_leave_when_their_budgets_let_them() {
        let server = Arc::new(ApiServer::default());
        server.pods.lock().unwrap().extend([("one", 0), ("two", 1)]);
        let node = "worker-1-dededede".parse().unwrap();
        let left = drain(&api(Arc::clone(&server)).await, &node, Duration::from_secs(20)).await.unwrap();
        assert_eq!(left, 0);
        assert!(server.pods.lock().unwrap().is_empty());
        assert_eq!(*server.cordoned.lock().unwrap(), Some(json!({"spec": {"unschedulable": true}})));
    }

    #[tokio::test]
    async fn a_budget_that_never_lets_go_holds_nobody_for_ever() {
        let server = Arc::new(ApiServer::default());
        server.pods.lock().unwrap().extend([("held", u32::MAX)]);
        let node = "worker-1-dededede".parse().unwrap();
        assert_eq!(drain(&api(server).await, &node, Duration::from_millis(100)).await.unwrap(), 1);
    }

    #[test]
    fn pods_that_would_come_straight_back_or_are_over_stay() {
        let list = json!({"items": [
            {"metadata": {"namespace": "a", "name": "plain"}, "status": {"phase": "Running"}},
            {"metadata": {"namespace": "a", "name": "replica", "ownerReferences": [{"kind": "ReplicaSet"}]}},
            {"metadata": {"namespace": "a", "name": "daemon", "ownerReferences": [{"kind": "DaemonSet"}]}},
            {"metadata": {"namespace": "a", "name": "mirror", "annotations": {"kubernetes.io/config.mirror": "x"}}},
            {"metadata": {"namespace": "a", "name": "done"}, "status": {"phase": "Succeeded"}},
            {"metadata": {"namespace": "a", "name": "failed"}, "status": {"phase": "Failed"}},
        ]});
        let list: PodList = serde_json::from_value(list).unwrap();
        let leaving: Vec<_> = list.items.iter().filter(|pod| pod.leaves()).map(|pod| &*pod.metadata.name).collect();
        assert_eq!(leaving, ["plain", "replica"]);
    }
}
