//! The real programs of a worker beside a bare control plane, as root. See `docs/node.md`.
#![cfg(feature = "cluster-tests")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod worker;

use std::time::{Duration, Instant};

use daas_node::{Ending, Node};
use worker::{Cluster, in_namespaces_of_its_own};

#[test]
fn a_pod_runs_and_ends_with_its_node() {
    in_namespaces_of_its_own("a_pod_runs_and_ends_with_its_node", || async {
        let cluster = Cluster::with_a_node().await;
        let begun = Instant::now();
        let node = Node::start(cluster.plan.clone()).await.unwrap();
        cluster.node_is_ready(&node).await;
        eprintln!("Ready after {:.1} s", begun.elapsed().as_secs_f32());
        cluster.make_pod("one", "exit 0");
        cluster.pod_is("one", "Succeeded").await;
        cluster.make_pod("two", "trap '' TERM; while :; do sleep 1; done");
        cluster.pod_is("two", "Running").await;
        let begun = Instant::now();
        node.stop(Ending::EndPods).await.unwrap();
        let took = begun.elapsed();
        eprintln!("ended after {:.1} s", took.as_secs_f32());
        assert!(took < Duration::from_secs(5));
        cluster.stop().await;
    });
}
