//! `daas up` and `daas down`, run often, rudely and at once.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Setup, runs};

const UP: &[&str] = &["up", "--chain-only", "--listen", "127.0.0.1:0"];

/// What must stay the same however often `up` is run.
fn made(answer: &Value) -> Vec<String> {
    let chain = answer["chain"]["id"].to_string();
    let rest =
        ["package", "cluster", "operator", "staker", "node", "stake", "token"].map(|name| answer[name].to_string());
    let made: Vec<_> = rest.into_iter().chain([chain]).collect();
    assert!(made.iter().all(|thing| thing.len() > 6), "{made:?}");
    made
}

fn nodes(setup: &Setup) -> Vec<Value> {
    setup.json(&["node", "list"])["nodes"].as_array().unwrap().clone()
}

#[test]
fn up_twice_is_one_cluster() {
    let setup = Setup::new();
    let first = setup.json(UP);
    let second = setup.json(UP);
    assert_eq!(made(&first), made(&second));
    assert_eq!(first["chain"]["pid"], second["chain"]["pid"], "the running chain was not taken");

    setup.ok(&["down"]);
    let after_down = setup.json(UP);
    assert_eq!(made(&first), made(&after_down));

    setup.kill_devnet();
    let after_kill = setup.json(UP);
    assert_eq!(made(&first), made(&after_kill));

    let nodes = nodes(&setup);
    assert_eq!(nodes.len(), 1, "{nodes:?}");
    assert_eq!(nodes[0]["balance_mist"], 1_000_000_000_u64);
    assert_eq!(setup.json(&["cluster", "show"])["active_workers"], 1);
}

#[test]
fn up_finds_on_chain_what_a_crash_kept_from_being_noted() {
    let setup = Setup::new();
    let first = setup.json(UP);
    let file = setup.state().join("development/development.json");
    let whole: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    for lost in [&["stake"][..], &["stake", "cluster"], &["stake", "cluster", "package", "bytecode"]] {
        let mut record = whole.clone();
        for name in lost {
            record[*name] = Value::Null;
        }
        std::fs::write(&file, record.to_string()).unwrap();
        assert_eq!(made(&first), made(&setup.json(UP)), "{lost:?}");
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(made(&first), made(&setup.json(UP)), "no record at all");
    assert_eq!(nodes(&setup).len(), 1);
}

#[test]
fn up_goes_on_after_kill_9_at_any_moment() {
    let setup = Setup::new();
    let began = Instant::now();
    Setup::up();
    let whole = began.elapsed();
    for part in 1..=12_u32 {
        let mut up = setup.command(UP, &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The moment of the crash, not a wait for anything.
        std::thread::sleep(whole * part / 10);
        let _ = up.kill();
        up.wait().unwrap();
    }
    let first = setup.json(UP);
    assert_eq!(made(&first), made(&setup.json(UP)));
    let nodes = nodes(&setup);
    assert_eq!(nodes.len(), 1, "staked more than once: {nodes:?}");
}

#[test]
fn two_ups_at_once_make_one_cluster() {
    let setup = Setup::new();
    let spawn = || setup.command(&[UP, &["-o", "json"]].concat(), &[]).stdout(Stdio::piped()).spawn().unwrap();
    let both = [spawn(), spawn(), spawn()].map(|up| up.wait_with_output().unwrap());
    let answers = both.map(|output| serde_json::from_slice::<Value>(&output.stdout).unwrap());
    assert_eq!(made(&answers[0]), made(&answers[1]));
    assert_eq!(made(&answers[0]), made(&answers[2]));
    assert_eq!(nodes(&setup).len(), 1);
}

#[test]
fn down_leaves_nothing_running() {
    let setup = Setup::up();
    let pid = setup.devnet_pid().unwrap();
    assert!(runs(pid));
    let answer = setup.json(&["down"]);
    assert_eq!(answer["stopped"], serde_json::json!(["devnet"]));
    assert!(!runs(pid));
    assert_eq!(with_argument(&setup.state()), Vec::<String>::new());
    assert!(setup.state().join("devnet/chain").exists(), "down removed the state");
    assert_eq!(setup.run(&["status"]).code, 1);
    let again = setup.json(&["down"]);
    assert_eq!(again["stopped"], serde_json::json!([]));

    setup.ok(UP);
    let pid = setup.devnet_pid().unwrap();
    setup.ok(&["down", "--purge"]);
    assert!(!runs(pid));
    assert!(!setup.state().exists(), "purge left {:?}", std::fs::read_dir(setup.state()).unwrap().collect::<Vec<_>>());
}

#[test]
fn purge_removes_only_what_up_made() {
    let setup = Setup::up();
    let own = setup.state().join("notes.txt");
    std::fs::write(&own, "mine").unwrap();
    setup.ok(&["down", "--purge"]);
    assert_eq!(std::fs::read_dir(setup.state()).unwrap().count(), 1);
    assert!(own.exists());
}

#[test]
fn purge_removes_nothing_where_up_never_ran() {
    let setup = Setup::new();
    let own = setup.state().join("operator/notes.txt");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(&own, "mine").unwrap();
    setup.ok(&["down", "--purge"]);
    assert!(own.exists());
}

#[test]
fn a_process_that_got_the_chains_old_pid_is_left_alone() {
    let setup = Setup::up();
    let file = setup.state().join("run/devnet.pid");
    let mut record: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    setup.ok(&["down"]);
    let mut bystander = Command::new("sleep").arg("600").spawn().unwrap();
    record["pid"] = bystander.id().into();
    std::fs::write(&file, record.to_string()).unwrap();
    assert_eq!(setup.json(&["down"])["stopped"], serde_json::json!([]));
    assert_eq!(bystander.try_wait().unwrap(), None, "the wrong process was ended");
    std::fs::write(&file, record.to_string()).unwrap();
    setup.ok(UP);
    assert_eq!(bystander.try_wait().unwrap(), None);
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn the_chain_outlives_the_terminal_that_started_it() {
    let setup = Setup::up();
    let pid = setup.devnet_pid().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    // Fields 5 and 6 of proc(5): process group and session.
    assert_eq!((fields[2], fields[3]), (pid.to_string().as_str(), pid.to_string().as_str()));
}

#[test]
fn a_taken_port_is_told() {
    let setup = Setup::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = setup.refused(&["up", "--chain-only", "--listen", &address], "DAAS-1506");
    assert!(error["message"].as_str().unwrap().contains(&address));
    assert_eq!(setup.devnet_pid(), None);
}

#[test]
fn another_address_than_that_of_the_running_chain_is_told() {
    let setup = Setup::up();
    setup.refused(&["up", "--chain-only", "--listen", "127.0.0.1:1"], "DAAS-1501");
}

#[test]
fn a_chain_that_another_program_runs_on_the_same_state_is_told() {
    let setup = Setup::up();
    setup.ok(&["down"]);
    let ready = setup.path("other.ready");
    let mut other = Command::new(Path::new(env!("CARGO_BIN_EXE_daas")).with_file_name("daas-devnet"))
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(setup.state().join("devnet/chain"))
        .arg("--ready-file")
        .arg(&ready)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    support::wait_until("the other chain answers", || ready.exists());
    let error = setup.refused(UP, "DAAS-1503");
    assert!(error["technical"].to_string().contains("in use by another daas-devnet"), "{error}");
    other.kill().unwrap();
    other.wait().unwrap();
    setup.ok(UP);
}

#[test]
fn a_missing_daas_devnet_is_told() {
    let setup = Setup::new();
    let folder = setup.path("alone");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_daas"), folder.join("daas")).unwrap();
    let output = Command::new(folder.join("daas"))
        .args(["up", "--chain-only", "-o", "json"])
        .env_clear()
        .env("HOME", &folder)
        .env("PATH", &folder)
        .env("DAAS_STATE_DIR", folder.join("state"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "DAAS-1605");
    assert!(error["error"]["message"].as_str().unwrap().contains("daas-devnet"));
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let setup = Setup::new();
    let file = setup.path("file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("state");
    let error = setup.refused(&["up", "--chain-only", "--state-dir", below.to_str().unwrap()], "DAAS-1902");
    assert!(error["message"].as_str().unwrap().contains("file/state"));
}

#[test]
fn a_damaged_record_is_told_and_not_overwritten() {
    let setup = Setup::up();
    let file = setup.state().join("development/development.json");
    std::fs::write(&file, "{").unwrap();
    setup.refused(UP, "DAAS-1504");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{");
    setup.ok(&["down"]);
    assert_eq!(with_argument(&setup.state()), Vec::<String>::new(), "a damaged record does not keep the chain running");
}

#[test]
fn a_chain_whose_store_was_deleted_is_set_up_anew() {
    let setup = Setup::new();
    let first = setup.json(UP);
    setup.ok(&["down"]);
    std::fs::remove_dir_all(setup.state().join("devnet")).unwrap();
    let second = setup.json(UP);
    assert_ne!(first["chain"]["id"], second["chain"]["id"]);
    assert_eq!(first["operator"], second["operator"], "keys stay");
    assert_eq!(nodes(&setup).len(), 1);
}

#[test]
fn up_is_done_within_seconds() {
    let setup = Setup::new();
    let began = Instant::now();
    setup.ok(UP);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

/// Command lines of running processes that name this folder.
fn with_argument(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).into_owned()).filter(|line| line.contains(folder)).collect()
}

#[test]
fn what_the_cluster_lacks_is_told_before_anything_is_started() {
    let setup = Setup::new();
    setup.refused(&["up", "--enclave", "qemu"], "DAAS-1512");
    // Root is told what is missing, others that they are not root.
    let code = if nix::unistd::geteuid().is_root() { "DAAS-1513" } else { "DAAS-1507" };
    setup.refused(&["up", "--kubernetes", setup.path("none").to_str().unwrap()], code);
    for arguments in [&["up", "--workers", "1000"][..], &["up", "--chain-only", "--workers", "1"]] {
        assert_eq!(setup.run(arguments).code, 2, "daas {arguments:?}");
    }
    assert!(!setup.state().exists(), "something was started");
}
