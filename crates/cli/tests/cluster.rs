//! `daas up` with the real programs: a cluster from nothing, used, slashed, crashed, ended. Needs root and the folder that
//! `scripts/kubernetes-folder` makes (DAAS_KUBERNETES); no other cluster may run on the machine.

#![cfg(feature = "cluster-tests")]
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use support::{Setup, runs, wait_until};

const UP: &[&str] = &["up", "--listen", "127.0.0.1:0", "--output", "json"];

fn up(setup: &Setup) -> Value {
    let kubernetes = std::env::var("DAAS_KUBERNETES").expect("DAAS_KUBERNETES names the folder of the programs");
    let said = setup.run_with(UP, &[("DAAS_KUBERNETES", &kubernetes)]);
    assert_eq!(said.code, 0, "{said:?}");
    said.json()
}

fn names(answer: &Value) -> Vec<String> {
    let nodes = answer["nodes"].as_array().unwrap();
    let ready = nodes.iter().filter(|node| node["ready"] == true);
    ready.map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

/// Names of the nodes, as kubectl prints them with nothing of this environment.
fn kubectl(setup: &Setup, arguments: &[&str]) -> Option<String> {
    let output = Command::new(setup.state().join("bin/kubectl"))
        .arg("--kubeconfig")
        .arg(setup.state().join("development/kubeconfig"))
        .args(arguments)
        .env_clear()
        .env("KUBECACHEDIR", setup.state().join("kubectl-cache"))
        .output()
        .unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

fn pids(setup: &Setup) -> Vec<i32> {
    let files = std::fs::read_dir(setup.state().join("run")).unwrap().flatten().map(|file| file.path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "pid"));
    let read = |path| serde_json::from_str::<Value>(&std::fs::read_to_string(path).unwrap()).unwrap();
    files.map(|path| i32::try_from(read(path)["pid"].as_i64().unwrap()).unwrap()).collect()
}

/// What names this folder among command lines and mounts.
fn left_over(setup: &Setup) -> Vec<String> {
    let folder = setup.state().display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    lines.chain(mounts.lines().map(str::to_owned)).filter(|line| line.contains(&folder)).collect()
}

#[test]
fn a_cluster_is_used_slashed_crashed_and_ended_and_leaves_nothing() {
    let setup = Setup::new();
    let first = up(&setup);
    let workers = names(&first);
    assert_eq!(workers.len(), 2, "{first:#}");
    let began = Instant::now();
    let again = up(&setup);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(
        (&again["instance"], &again["nodes"], &again["admin"]),
        (&first["instance"], &first["nodes"], &first["admin"])
    );
    let seen = kubectl(&setup, &["get", "nodes", "--output", "name"]).unwrap();
    assert!(workers.iter().all(|worker| seen.contains(worker)), "{seen}");
    let status = setup.json(&["status"]);
    assert_eq!(status["kubernetes"]["attestation"]["verdict"], "accepted", "{status:#}");
    assert_eq!(status["kubernetes"]["nodes"].as_array().unwrap().len(), 2);

    let slashed = workers.iter().find(|name| name.starts_with("worker-2-")).unwrap();
    setup.ok(&["slash", slashed, "--amount", "1SUI", "--reason", "test", "--yes"]);
    wait_until("the slashed node is gone", || {
        kubectl(&setup, &["get", "nodes", "--output", "name"]).is_some_and(|seen| !seen.contains(slashed.as_str()))
    });
    let staked_anew = names(&up(&setup));
    assert!(staked_anew.len() == 2 && !staked_anew.contains(slashed), "{staked_anew:?}");

    let all = pids(&setup);
    assert_eq!(all.len(), 5, "chain, network, parent, two workers");
    for pid in &all {
        kill(Pid::from_raw(*pid), Signal::SIGKILL).unwrap();
    }
    wait_until("all are gone", || all.iter().all(|pid| !runs(*pid)));
    let after_crash = up(&setup);
    assert_eq!(names(&after_crash), staked_anew);
    assert_ne!(after_crash["instance"], first["instance"], "each start of the enclave is another one");

    let stopped = setup.json(&["down"]);
    assert_eq!(stopped["stopped"].as_array().unwrap().len(), 5, "{stopped}");
    assert_eq!(stopped["stopped"][4], json!("devnet"));
    assert_eq!(left_over(&setup), Vec::<String>::new());
    setup.ok(&["down", "--purge"]);
    assert!(!setup.state().exists(), "{:?}", std::fs::read_dir(setup.state()).unwrap().collect::<Vec<_>>());
}
