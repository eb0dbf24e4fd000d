//! The real programs of a worker beside a bare control plane, as root. See `docs/node.md`.
#![cfg(feature = "cluster-tests")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod worker;

use std::time::{Duration, Instant};

use daas_node::{Ending, Node};
use daas_supervise::Phase;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use worker::{Cluster, OtherNode, in_namespaces_of_its_own, until};

#[test]
fn a_pod_runs_and_ends_with_its_node() {
    in_namespaces_of_its_own("a_pod_runs_and_ends_with_its_node", || async {
        let cluster = Cluster::with_a_node().await;
        for round in ["first", "second"] {
            let begun = Instant::now();
            let node = Node::start(cluster.plan.clone()).await.unwrap();
            cluster.node_is_ready(&node).await;
            eprintln!("{round} start: Ready after {:.1} s", begun.elapsed().as_secs_f32());
            cluster.make_pod(&format!("{round}-short"), "grep -q 10.43.0.10 /etc/resolv.conf");
            cluster.pod_is(&format!("{round}-short"), "Succeeded").await;
            cluster.make_pod(&format!("{round}-long"), "trap '' TERM; while :; do sleep 1; done");
            cluster.pod_is(&format!("{round}-long"), "Running").await;
            assert!(!cluster.left().is_empty());
            end(node).await;
            assert_eq!(cluster.left(), [""; 0]);
        }
        cluster.stop().await;
    });
}

#[test]
fn pods_outlive_an_upgrade_and_the_deaths_of_their_keepers() {
    in_namespaces_of_its_own("pods_outlive_an_upgrade_and_the_deaths_of_their_keepers", || async {
        let cluster = Cluster::with_a_node().await;
        let node = Node::start(cluster.plan.clone()).await.unwrap();
        cluster.node_is_ready(&node).await;
        cluster.make_pod("lasting", "echo begun >> /dev/termination-log; while :; do sleep 1; done");
        cluster.pod_is("lasting", "Running").await;
        let id = cluster.container("lasting");

        node.stop(Ending::LeavePods).await.unwrap();
        assert_eq!(Cluster::running("sleep 1"), 1, "the pod runs on without its keepers");
        let node = Node::start(cluster.plan.clone()).await.unwrap();
        cluster.node_is_ready(&node).await;
        assert_eq!(cluster.container("lasting"), id);

        for program in ["containerd", "kubelet", "kube-proxy"] {
            let state = node.states().borrow()[program].clone();
            let process = i32::try_from(state.process.unwrap()).unwrap();
            kill(Pid::from_raw(process), Signal::SIGKILL).unwrap();
            let mut states = node.states();
            let again = states.wait_for(|states| {
                states[program].restarts > state.restarts && states.values().all(|state| state.phase == Phase::Ready)
            });
            tokio::time::timeout(Duration::from_secs(15), again).await.expect(program).unwrap();
        }
        // The kubelet's next word about the pod comes after it looked.
        cluster.make_pod("later", "exit 0");
        cluster.pod_is("later", "Succeeded").await;
        assert_eq!(cluster.container("lasting"), id);

        // A containerd that hangs is in nobody's way.
        let process = i32::try_from(node.states().borrow()["containerd"].process.unwrap()).unwrap();
        kill(Pid::from_raw(process), Signal::SIGSTOP).unwrap();
        end(node).await;
        assert_eq!(cluster.left(), [""; 0]);
        cluster.stop().await;
    });
}

#[test]
fn pods_that_were_left_are_ended_without_a_start() {
    in_namespaces_of_its_own("pods_that_were_left_are_ended_without_a_start", || async {
        let cluster = Cluster::with_a_node().await;
        let node = Node::start(cluster.plan.clone()).await.unwrap();
        cluster.node_is_ready(&node).await;
        cluster.make_pod("left", "while :; do sleep 1; done");
        cluster.pod_is("left", "Running").await;
        // As when this process was killed: nobody is asked to end.
        drop(node);
        Node::end_left_pods(&cluster.plan).await.unwrap();
        assert_eq!(cluster.left(), [""; 0]);
        cluster.stop().await;
    });
}

#[test]
fn pods_reach_services_and_pods_of_current_nodes() {
    in_namespaces_of_its_own("pods_reach_services_and_pods_of_current_nodes", || async {
        let cluster = Cluster::with_a_node().await;
        let node = Node::start(cluster.plan.clone()).await.unwrap();
        cluster.node_is_ready(&node).await;

        // A service of a pod on this node, reached by a neighbour on the same bridge.
        let serve = "mkdir /w && echo hello > /w/index.html && exec httpd -f -p 80 -h /w";
        cluster.make_pod_like("web", serve, json!({}), json!({"ports": [{"containerPort": 80, "hostPort": 8081}]}));
        cluster.pod_is("web", "Running").await;
        cluster.done(&["expose", "pod", "web", "--port=80"]);
        let service = cluster.done(&["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"]);
        let ask = format!("printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 2 {service} 80 | grep hello");
        let asks = format!("for i in 1 2 3 4 5 6 7 8 9 10; do {ask} && exit 0; sleep 1; done; exit 1");
        cluster.make_pod("neighbour", &asks);
        cluster.pod_is("neighbour", "Succeeded").await;
        // Its port on the node, from the node itself and from a pod.
        let on_node = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 172.30.0.11 8081 | grep hello";
        cluster.make_pod("port", on_node);
        cluster.pod_is("port", "Succeeded").await;
        let mut web = tokio::net::TcpStream::connect("172.30.0.11:8081").await.unwrap();
        web.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        web.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("hello"), "{answer}");
        // What leaves the cluster has the node's address: the API server's answer finds its way back.
        cluster.make_pod("outwards", "nc -w 5 10.43.0.1 443 < /dev/null");
        cluster.pod_is("outwards", "Succeeded").await;

        // Another node, as another worker would set itself up.
        cluster.make_node_called("worker-2");
        until(Duration::from_secs(30), "the other Node has a range", async || !cluster.range_of("worker-2").is_empty())
            .await;
        let other = OtherNode::start(&cluster.plan, &cluster.range_of("worker-2"));
        let status = r#"{"status":{"addresses":[{"type":"InternalIP","address":"172.30.0.12"}]}}"#;
        cluster.done(&["patch", "node", "worker-2", "--subresource=status", "--type=merge", "-p", status]);
        let mut network = node.network().unwrap();
        let limit = Duration::from_secs(5);
        tokio::time::timeout(limit, network.wait_for(|state| state.peers == 1))
            .await
            .expect("a peer is found")
            .unwrap();
        let ping = format!("ping -c 2 -W 1 {}", other.pod);
        cluster.make_pod("there", &ping);
        cluster.pod_is("there", "Succeeded").await;

        // The same packets from an address that is no Node's are not taken.
        other.speak_from("172.30.0.13");
        cluster.make_pod("forged", &ping);
        cluster.pod_is("forged", "Failed").await;
        other.speak_from("172.30.0.12");
        cluster.make_pod("again", &ping);
        cluster.pod_is("again", "Succeeded").await;

        // Nor from a Node that is gone.
        cluster.done(&["delete", "node", "worker-2"]);
        tokio::time::timeout(limit, network.wait_for(|state| state.peers == 0)).await.expect("a peer leaves").unwrap();
        cluster.make_pod("gone", &ping);
        cluster.pod_is("gone", "Failed").await;
        end(node).await;
        assert_eq!(cluster.left(), [""; 0]);
        cluster.stop().await;
    });
}

#[test]
fn pods_of_many_kinds_run() {
    in_namespaces_of_its_own("pods_of_many_kinds_run", || async {
        let cluster = Cluster::with_a_node().await;
        let node = Node::start(cluster.plan.clone()).await.unwrap();
        cluster.node_is_ready(&node).await;
        let kinds = [
            // Nobody in particular, under the default seccomp profile, reads what the node wrote for the pod.
            (
                "plain",
                "grep -q 10.43.0.10 /etc/resolv.conf && grep -q plain /etc/hosts && test -r /var/run/secrets/kubernetes.io/serviceaccount/token \
                 && touch /data/sub/x && ! unshare -m true && grep -q 'Seccomp:.*2' /proc/self/status",
                json!({
                    "securityContext": {"runAsUser": 1000, "runAsNonRoot": true, "fsGroup": 2000},
                    "volumes": [{"name": "data", "emptyDir": {}}, {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}],
                }),
                json!({
                    "volumeMounts": [{"name": "data", "mountPath": "/data/sub", "subPath": "sub"}, {"name": "memory", "mountPath": "/memory"}],
                    "resources": {"limits": {"memory": "32Mi", "cpu": "200m"}},
                }),
            ),
            // The machine's own network and folders, with mounts that are seen on both sides.
            (
                "privileged",
                "ip link show daas.1 && mount -t tmpfs made /host/made && touch /host/made/x && mount | grep /host/made",
                json!({"hostNetwork": true, "hostPID": true, "volumes": [{"name": "host", "hostPath": {"path": "/run/shared", "type": "DirectoryOrCreate"}}]}),
                json!({
                    "securityContext": {"privileged": true},
                    "volumeMounts": [{"name": "host", "mountPath": "/host", "mountPropagation": "Bidirectional"}],
                }),
            ),
        ];
        std::fs::create_dir_all("/run/shared/made").unwrap();
        for (name, script, pod, container) in kinds {
            cluster.make_pod_like(name, script, pod, container);
            cluster.pod_is(name, "Succeeded").await;
        }
        assert!(std::path::Path::new("/run/shared/made/x").exists(), "a container's mount is seen by the machine");
        nix::mount::umount("/run/shared/made").unwrap();

        // The kubelet reaches its pods, and restarts what it cannot reach.
        let probe = json!({"httpGet": {"port": 80, "path": "/"}, "periodSeconds": 1, "failureThreshold": 1});
        let serve = "mkdir /w && touch /w/index.html && exec httpd -f -p 80 -h /w";
        cluster.make_pod_like("probed", serve, json!({}), json!({"readinessProbe": probe}));
        let ready = ["get", "pod", "probed", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}"];
        until(Duration::from_secs(30), "the pod is ready", async || cluster.done(&ready) == "True").await;
        end(node).await;
        assert_eq!(cluster.left(), [""; 0]);
        cluster.stop().await;
    });
}

async fn end(node: Node) {
    let begun = Instant::now();
    node.stop(Ending::EndPods).await.unwrap();
    let took = begun.elapsed();
    eprintln!("ended after {:.1} s", took.as_secs_f32());
    assert!(took < Duration::from_secs(5));
}
