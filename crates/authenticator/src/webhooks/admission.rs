//! `AdmissionReview`: what a kubelet reports is held to what the master recorded, because others act on it: EndpointSlices
//! on the addresses of pods, the egress gateway on those of nodes, the scheduler on capacity.

use std::collections::BTreeMap;
use std::net::IpAddr;

use daas_join::NodeSubject;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::nodes::{NodeRecord, Nodes};
use crate::verdicts::{RegistryView, Standing, Subject, Verdicts};

const VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";

/// The largest machine that a worker may say it is. What a stake allows beyond that is the scheduler's quota.
const MOST: [(&str, u128); 4] = [("cpu", 1024), ("memory", 64 << 40), ("ephemeral-storage", 1 << 50), ("pods", 1024)];

/// Whose annotations say which Nodes the master made.
const MASTERS: &str = "k3s-daas.io/";

/// Answers an `AdmissionReview`; `None` if it is none.
pub fn admission_review<V: RegistryView>(verdicts: &Verdicts<V>, nodes: &Nodes, body: &[u8]) -> Option<String> {
    let review: Review = serde_json::from_slice(body).ok()?;
    if review.api_version != VERSION || review.kind != KIND {
        return None;
    }
    let request = review.request;
    let verdict = match verdicts.place(&request.user) {
        // Service accounts and users are Kubernetes' to judge; what a node reports comes from its kubelet.
        Ok(Standing::Node(subject)) => judge(&request, &subject, nodes),
        _ => Ok(()),
    };
    let status = verdict.as_ref().err().map(|why| Status { message: (*why).to_owned(), code: 403 });
    if let Some(status) = &status {
        tracing::warn!(user = request.user.user, why = status.message, "report of a node refused");
    }
    let response = Response { uid: request.uid, allowed: verdict.is_ok(), status };
    serde_json::to_string(&Answer { api_version: VERSION, kind: KIND, response }).ok()
}

fn judge(request: &Request, subject: &NodeSubject, nodes: &Nodes) -> Result<(), &'static str> {
    let record = nodes.get(&subject.name).ok_or("the node is not registered")?;
    match (request.resource.group.as_str(), request.resource.resource.as_str()) {
        ("", "pods") => {
            keeps_finalizers(&request.object, &request.old_object)?;
            if request.sub_resource == "status" { judge_pod(&request.object, &record) } else { Ok(()) }
        }
        ("", "nodes") => judge_node(&request.object, &request.old_object, &record),
        _ => Ok(()),
    }
}

/// With a finalizer an object survives its deletion, and without it a controller's cleaning up is skipped. Updates of the status
/// change metadata as well (`podStatusStrategy` and `nodeStatusStrategy`, pkg/registry/core of Kubernetes).
fn keeps_finalizers(object: &Value, old: &Value) -> Result<(), &'static str> {
    let same = list(&object["metadata"]["finalizers"]) == list(&old["metadata"]["finalizers"]);
    if same { Ok(()) } else { Err("a kubelet neither adds finalizers nor removes them") }
}

fn judge_pod(pod: &Value, record: &NodeRecord) -> Result<(), &'static str> {
    const MALFORMED: &str = "a pod's address is malformed";
    let status = &pod["status"];
    let on_host = pod["spec"]["hostNetwork"] == true;
    for address in addresses(&status["podIP"], &status["podIPs"]).ok_or(MALFORMED)? {
        let mine =
            if on_host { address == record.address } else { record.pods.is_some_and(|pods| pods.contains(address)) };
        if !mine {
            return Err("a pod's address is not one of this node's");
        }
    }
    let hosts = addresses(&status["hostIP"], &status["hostIPs"]).ok_or(MALFORMED)?;
    if hosts.iter().any(|address| *address != record.address) {
        return Err("a pod's host address is not the one that this node registered with");
    }
    Ok(())
}

fn judge_node(node: &Value, old: &Value, record: &NodeRecord) -> Result<(), &'static str> {
    if node["metadata"]["name"] != record.name.as_str() {
        return Err("this is another node");
    }
    if node["spec"]["podCIDR"] != old["spec"]["podCIDR"] || node["spec"]["podCIDRs"] != old["spec"]["podCIDRs"] {
        return Err("a node's pod addresses are given by the master");
    }
    keeps_finalizers(node, old)?;
    if masters_annotations(node) != masters_annotations(old) {
        return Err("the master's annotations are the master's");
    }
    for address in list(&node["status"]["addresses"]) {
        let value = address["address"].as_str().unwrap_or_default();
        let mine = match address["type"].as_str() {
            Some("InternalIP" | "ExternalIP") => value.parse() == Ok(record.address),
            Some("Hostname" | "InternalDNS" | "ExternalDNS") => value == record.name.as_str(),
            _ => false,
        };
        if !mine {
            return Err("a node's address is not the one that it registered with");
        }
    }
    let port = &node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"];
    // 0 on a Node that the master has made and no kubelet has reported on yet (`DaemonEndpoint`, k8s.io/api/core/v1).
    if !port.is_null() && *port != 0 && *port != 10250 {
        return Err("a kubelet's port is 10250");
    }
    for field in ["capacity", "allocatable"] {
        for (resource, quantity) in node["status"][field].as_object().into_iter().flatten() {
            // What an administrator gave a Node is not the kubelet's report.
            if *quantity == old["status"][field][resource] {
                continue;
            }
            let most = most(resource).ok_or("a node has no resources of other kinds than a machine's")?;
            if quantity.as_str().and_then(whole).is_none_or(|amount| amount > most) {
                return Err("a node's capacity is larger than any machine's");
            }
        }
    }
    Ok(())
}

/// How much of a resource a node may say it has; `None` for what no node here has: devices, and whatever else nobody measured.
fn most(resource: &str) -> Option<u128> {
    let machines = MOST.iter().find(|(name, _)| *name == resource).map(|(_, most)| *most);
    machines.or(resource.starts_with("hugepages-").then_some(0))
}

fn masters_annotations(node: &Value) -> BTreeMap<&str, &Value> {
    let all = node["metadata"]["annotations"].as_object().into_iter().flatten();
    all.filter(|(name, _)| name.starts_with(MASTERS)).map(|(name, value)| (name.as_str(), value)).collect()
}

/// A single field and the list beside it.
fn addresses(one: &Value, many: &Value) -> Option<Vec<IpAddr>> {
    let many = list(many).iter().map(|entry| &entry["ip"]);
    let given = std::iter::once(one).chain(many).filter(|value| !value.is_null() && *value != "");
    given.map(|value| value.as_str()?.parse().ok()).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A quantity (`resource.Quantity`) in whole units, rounded up. Those that kubelets write: digits, then nothing, `m`, or a
/// power of 1024 or 1000.
fn whole(quantity: &str) -> Option<u128> {
    let digits = quantity.trim_end_matches(|character: char| !character.is_ascii_digit());
    let number: u128 = digits.parse().ok().filter(|_| digits.len() <= 24)?;
    let factor: u128 = match quantity.get(digits.len()..)? {
        "" => 1,
        "m" => return Some(number.div_ceil(1000)),
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        "k" => 1000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[derive(Deserialize)]
struct Review {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    request: Request,
}

#[derive(Deserialize)]
struct Request {
    uid: String,
    resource: Resource,
    #[serde(rename = "subResource", default)]
    sub_resource: String,
    #[serde(rename = "userInfo")]
    user: Subject,
    #[serde(default)]
    object: Value,
    #[serde(rename = "oldObject", default)]
    old_object: Value,
}

#[derive(Deserialize)]
struct Resource {
    group: String,
    resource: String,
}

#[derive(Serialize)]
struct Answer {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    response: Response,
}

#[derive(Serialize)]
struct Response {
    uid: String,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Serialize)]
struct Status {
    message: String,
    code: u16,
}

#[cfg(test)]
mod tests {
    use daas_seal_token::Tier;
    use serde_json::json;

    use super::*;
    use crate::verdicts::fake::{name, node_subject, user_subject, world};

    fn nodes() -> Nodes {
        let nodes = Nodes::new("10.42.0.0/16".parse().unwrap(), "10.43.0.0/16".parse().unwrap());
        let pods = Some("10.42.6.0/24".parse().unwrap());
        nodes.put(NodeRecord { name: name(6), address: "192.0.2.6".parse().unwrap(), pods }).unwrap();
        nodes
    }

    fn allowed(user: &Subject, resource: &str, sub_resource: &str, object: &Value) -> bool {
        let old = json!({"spec": {"podCIDR": "10.42.6.0/24", "podCIDRs": ["10.42.6.0/24"]}});
        changed(user, resource, sub_resource, &old, object)
    }

    fn changed(user: &Subject, resource: &str, sub_resource: &str, old: &Value, object: &Value) -> bool {
        let (_, verdicts) = world();
        let body = json!({"apiVersion": VERSION, "kind": KIND, "request": {
            "uid": "7", "kind": {}, "operation": "UPDATE", "subResource": sub_resource,
            "resource": {"group": "", "version": "v1", "resource": resource},
            "userInfo": {"username": user.user, "groups": user.groups, "extra": user.extra},
            "object": object, "oldObject": old,
        }});
        let answer = admission_review(&verdicts, &nodes(), body.to_string().as_bytes()).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["response"]["uid"], "7");
        answer["response"]["allowed"] == true
    }

    fn pod(address: &str, host: &str, host_network: bool) -> Value {
        json!({"spec": {"hostNetwork": host_network}, "status": {
            "podIP": address, "podIPs": [{"ip": address}], "hostIP": host, "hostIPs": [{"ip": host}],
        }})
    }

    #[test]
    fn a_kubelet_reports_addresses_of_its_own_pods_only() {
        let status = |pod: &Value| allowed(&node_subject(6), "pods", "status", pod);
        assert!(status(&pod("10.42.6.9", "192.0.2.6", false)));
        assert!(status(&pod("192.0.2.6", "192.0.2.6", true)));
        assert!(status(&json!({"status": {"phase": "Pending"}})));
        assert!(status(&pod("", "192.0.2.6", false)));
        for refused in [
            pod("10.42.8.9", "192.0.2.6", false),
            pod("192.0.2.6", "192.0.2.6", false),
            pod("10.42.6.9", "192.0.2.6", true),
            pod("10.43.0.1", "192.0.2.6", false),
            pod("10.42.6.9", "192.0.2.8", false),
            pod("not an address", "192.0.2.6", false),
            json!({"status": {"podIP": "10.42.6.9", "podIPs": [{"ip": "10.42.6.9"}, {"ip": "10.42.8.1"}]}}),
            json!({"status": {"podIP": 7}}),
        ] {
            assert!(!status(&refused), "{refused}");
        }
        // A node that nobody registered reports nothing; users are Kubernetes' to judge.
        assert!(!allowed(&node_subject(8), "pods", "status", &pod("10.42.6.9", "192.0.2.6", false)));
        assert!(allowed(&user_subject(7, &[Tier::Admin]), "pods", "status", &pod("10.42.8.9", "1.1.1.1", false)));
    }

    fn node(change: impl FnOnce(&mut Value)) -> Value {
        let mut node = json!({
            "metadata": {"name": name(6).as_str()},
            "spec": {"podCIDR": "10.42.6.0/24", "podCIDRs": ["10.42.6.0/24"]},
            "status": {
                "addresses": [{"type": "InternalIP", "address": "192.0.2.6"}, {"type": "Hostname", "address": name(6).as_str()}],
                "capacity": {"cpu": "2", "memory": "16384Ki", "ephemeral-storage": "100Gi", "pods": "110", "hugepages-2Mi": "0"},
                "allocatable": {"cpu": "1900m", "memory": "16000Ki", "ephemeral-storage": "99999999999", "pods": "110"},
                "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            },
        });
        change(&mut node);
        node
    }

    #[test]
    fn a_node_keeps_its_addresses_its_pod_network_and_to_the_size_of_a_machine() {
        let status = |node: Value| allowed(&node_subject(6), "nodes", "status", &node);
        assert!(status(node(|_| {})));
        assert!(status(node(|node| node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"] = json!(0))));
        let changes: [fn(&mut Value); 10] = [
            |node| node["metadata"]["name"] = json!("another"),
            |node| node["spec"]["podCIDR"] = json!("10.0.0.0/8"),
            |node| node["spec"]["podCIDRs"] = json!(["10.42.6.0/24", "10.42.8.0/24"]),
            |node| node["status"]["addresses"][0]["address"] = json!("192.0.2.8"),
            |node| node["status"]["addresses"][1]["address"] = json!("kubernetes"),
            |node| node["status"]["addresses"][1]["type"] = json!("Whatever"),
            |node| node["status"]["capacity"]["cpu"] = json!("100000"),
            |node| node["status"]["allocatable"]["memory"] = json!("99999999Ti"),
            |node| node["status"]["capacity"]["pods"] = json!("many"),
            |node| node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"] = json!(22),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            assert!(!status(node(change)), "{index}");
        }
    }

    #[test]
    fn a_kubelet_neither_adds_finalizers_nor_removes_them() {
        let with = |object: &Value, finalizers: Value| {
            let mut object = object.clone();
            object["metadata"]["finalizers"] = finalizers;
            object
        };
        for (resource, object) in [("nodes", node(|_| {})), ("pods", pod("10.42.6.9", "192.0.2.6", false))] {
            let (none, one, other) =
                (with(&object, json!(null)), with(&object, json!(["a.b/one"])), with(&object, json!(["a.b/other"])));
            for sub_resource in ["", "status"] {
                let change = |old, new| changed(&node_subject(6), resource, sub_resource, old, new);
                assert!(change(&object, &object) && change(&none, &object) && change(&one, &one));
                for (old, new) in [(&object, &one), (&one, &object), (&one, &none), (&one, &other)] {
                    assert!(!change(old, new), "{resource} {sub_resource} {old} {new}");
                }
            }
        }
    }

    #[test]
    fn a_kubelet_leaves_the_masters_annotations_alone() {
        let change = |old: Value, new: Value| {
            let with = |annotations| node(|node| node["metadata"]["annotations"] = annotations);
            changed(&node_subject(6), "nodes", "", &with(old), &with(new))
        };
        let masters = json!({"k3s-daas.io/seal-token": "0x7"});
        assert!(change(masters.clone(), json!({"k3s-daas.io/seal-token": "0x7", "volumes.kubernetes.io/x": "true"})));
        assert!(!change(masters.clone(), json!({})));
        assert!(!change(masters.clone(), json!({"k3s-daas.io/seal-token": "0x8"})));
        assert!(!change(json!({}), masters));
    }

    #[test]
    fn a_node_has_no_resources_of_kinds_that_nobody_measures() {
        for (resource, quantity) in
            [("nvidia.com/gpu", "8"), ("example.com/x", "0"), ("hugepages-1Gi", "4Gi"), ("", "1")]
        {
            for field in ["capacity", "allocatable"] {
                let said = node(|node| node["status"][field][resource] = json!(quantity));
                assert!(!allowed(&node_subject(6), "nodes", "status", &said), "{field} {resource}");
                // What an administrator gave it stays without being the kubelet's word.
                assert!(changed(&node_subject(6), "nodes", "status", &said, &said), "{field} {resource}");
            }
        }
    }

    #[test]
    fn quantities_are_read_as_kubelets_write_them() {
        for (text, amount) in [
            ("0", Some(0)),
            ("2", Some(2)),
            ("1900m", Some(2)),
            ("16384Ki", Some(16 << 20)),
            ("1Ti", Some(1 << 40)),
            ("5M", Some(5_000_000)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("1e3", None),
            ("9999999999999999999999999", None),
            ("1é", None),
        ] {
            assert_eq!(whole(text), amount, "{text}");
        }
    }
}
