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
    use super::*;

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
