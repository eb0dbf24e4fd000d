//! The real programs of a worker beside a bare control plane, as root. See `docs/node.md`.
#![cfg(feature = "cluster-tests")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod worker;

use std::time::{Duration, Instant};

use daas_node::{Ending, Node};
use daas_supervise::Phase;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use worker::{Cluster, in_namespaces_of_its_own};

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
        assert_eq!(cluster.running("sleep 1"), 1, "the pod runs on without its keepers");
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

async fn end(node: Node) {
    let begun = Instant::now();
    node.stop(Ending::EndPods).await.unwrap();
    let took = begun.elapsed();
    eprintln!("ended after {:.1} s", took.as_secs_f32());
    assert!(took < Duration::from_secs(5));
}
