//! Small programs under the supervisor: what is killed comes back, what is stopped ends in order, and nothing outlives its parent.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use daas_supervise::{ChildSpec, Launcher, Limits, MemoryBound, Phase, Probe, Supervisor, Timing};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const LIMIT: Duration = Duration::from_secs(30);

fn launcher() -> Launcher {
    Launcher::at(env!("CARGO_BIN_EXE_daas-launch"))
}

fn timing() -> Timing {
    let ms = Duration::from_millis;
    Timing {
        starting: ms(10),
        ready: ms(50),
        insane_after: 3,
        backoff: (ms(20), ms(200)),
        stop: Duration::from_secs(3),
    }
}

fn always() -> Probe {
    Arc::new(|| Box::pin(async { Ok(()) }))
}

/// Ready once a file is there.
fn file(path: PathBuf) -> Probe {
    Arc::new(move || {
        let there = path.exists();
        Box::pin(async move { if there { Ok(()) } else { Err("no file".to_owned()) } })
    })
}

fn shell(name: &'static str, script: &str) -> ChildSpec {
    ChildSpec {
        name,
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        environment: vec![("PATH", "/usr/bin:/bin".into())],
        limits: Limits::default(),
        after: None,
        ready: always(),
        alive: always(),
        start_limit: LIMIT,
    }
}

async fn phase(supervisor: &Supervisor, name: &str, wanted: Phase) -> Option<u32> {
    let mut states = supervisor.states();
    let found = tokio::time::timeout(LIMIT, states.wait_for(|states| states[name].phase == wanted)).await;
    found.unwrap_or_else(|_| panic!("{name} is not {wanted:?}: {:?}", supervisor.states().borrow())).unwrap()[name]
        .process
}

/// Whether a process runs (a zombie does not).
fn runs(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat"));
    status.is_ok_and(|text| !text.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

async fn ends(process: u32) {
    let since = Instant::now();
    while runs(process) {
        assert!(since.elapsed() < LIMIT, "process {process} still runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn signal(process: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(process).unwrap()), signal).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_program_comes_back_every_time() {
    let supervisor = Supervisor::start(&launcher(), vec![shell("sleeper", "exec sleep 1000")], timing()).unwrap();
    let mut last = 0;
    for round in 1..=5 {
        let mut states = supervisor.states();
        let fresh = |states: &daas_supervise::States| {
            let state = &states["sleeper"];
            state.phase == Phase::Ready && state.process.is_some_and(|process| process != last)
        };
        let process =
            tokio::time::timeout(LIMIT, states.wait_for(fresh)).await.unwrap().unwrap()["sleeper"].process.unwrap();
        assert!(runs(process));
        signal(process, Signal::SIGKILL);
        last = process;
        ends(process).await;
        tokio::time::timeout(LIMIT, states.wait_for(|states| states["sleeper"].restarts >= round))
            .await
            .unwrap()
            .unwrap();
    }
    assert!(supervisor.metrics().contains("daas_component_restarts_total{component=\"sleeper\"}"));
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_waits_for_the_one_it_comes_after() {
    let folder = tempfile::tempdir().unwrap();
    let flag = folder.path().join("ready");
    let first = ChildSpec { ready: file(flag.clone()), ..shell("first", "exec sleep 1000") };
    let second = ChildSpec { after: Some("first"), ..shell("second", "exec sleep 1000") };
    let supervisor = Supervisor::start(&launcher(), vec![first, second], timing()).unwrap();
    phase(&supervisor, "first", Phase::Starting).await;
    let late = supervisor.ready(Duration::from_millis(300)).await.unwrap_err().to_string();
    assert!(late.contains("first was not ready") && late.contains("no file"), "{late}");
    assert_eq!(supervisor.states().borrow()["second"].phase, Phase::Waiting);
    std::fs::write(&flag, "").unwrap();
    supervisor.ready(LIMIT).await.unwrap();
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ignores_the_request_to_end_is_killed_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let trapped = folder.path().join("trapped");
    let script = format!("trap '' TERM; touch {}; while :; do sleep 1; done", trapped.display());
    let stubborn = ChildSpec { ready: file(trapped), ..shell("stubborn", &script) };
    let polite = ChildSpec { after: Some("stubborn"), ..shell("polite", "exec sleep 1000") };
    let supervisor = Supervisor::start(&launcher(), vec![stubborn, polite], timing()).unwrap();
    supervisor.ready(LIMIT).await.unwrap();
    let process = phase(&supervisor, "stubborn", Phase::Ready).await.unwrap();
    let begun = Instant::now();
    supervisor.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(!runs(process));
    assert!(supervisor.states().borrow().values().all(|state| state.phase == Phase::Stopped));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_stops_answering_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let flag = folder.path().join("sane");
    std::fs::write(&flag, "").unwrap();
    let spec = ChildSpec { alive: file(flag.clone()), ..shell("hung", "exec sleep 1000") };
    let supervisor = Supervisor::start(&launcher(), vec![spec], timing()).unwrap();
    let process = phase(&supervisor, "hung", Phase::Ready).await.unwrap();
    std::fs::remove_file(&flag).unwrap();
    ends(process).await;
    std::fs::write(&flag, "").unwrap();
    let mut states = supervisor.states();
    let again = tokio::time::timeout(
        LIMIT,
        states.wait_for(|states| states["hung"].phase == Phase::Ready && states["hung"].restarts > 0),
    );
    again.await.unwrap().unwrap();
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_be_started_says_why_and_is_tried_again() {
    let missing =
        ChildSpec { program: "/nonexistent/kube".into(), ready: file("/nonexistent".into()), ..shell("missing", "") };
    let supervisor = Supervisor::start(&launcher(), vec![missing], timing()).unwrap();
    let mut states = supervisor.states();
    let tried = tokio::time::timeout(LIMIT, states.wait_for(|states| states["missing"].restarts >= 2)).await;
    tried.unwrap().unwrap();
    let mut states = supervisor.states();
    let told = tokio::time::timeout(LIMIT, states.wait_for(|states| states["missing"].detail.contains("127"))).await;
    told.unwrap().unwrap();
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_leaves_no_core_file_and_meets_its_memory_limit() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let script = format!("cat /proc/self/limits > {0}.new; mv {0}.new {0}; exec sleep 1000", seen.display());
    let limits = Limits { memory: Some(MemoryBound::Data(64 << 20)), ..Limits::default() };
    let spec = ChildSpec { limits, ready: file(seen.clone()), ..shell("limited", &script) };
    let supervisor = Supervisor::start(&launcher(), vec![spec], timing()).unwrap();
    phase(&supervisor, "limited", Phase::Ready).await;
    let limits = std::fs::read_to_string(&seen).unwrap();
    let of = |name: &str| -> Vec<String> {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(of("Max core file size")[..2], ["0", "0"]);
    assert_eq!(of("Max data size")[..2], ["67108864", "67108864"]);
    supervisor.stop().await;
}

/// A folder stands in for a cgroup: what is written to it is what the kernel would be told.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_enters_a_cgroup_of_its_own_before_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let cgroup = folder.path().join("kube/etcd");
    let script = format!("test -s {0}/cgroup.procs && touch {0}/entered; exec sleep 1000", cgroup.display());
    let limits = Limits { memory: Some(MemoryBound::Cgroup(cgroup.clone(), 64 << 20)), ..Limits::default() };
    let spec = ChildSpec { limits, ready: file(cgroup.join("entered")), ..shell("grouped", &script) };
    let supervisor = Supervisor::start(&launcher(), vec![spec], timing()).unwrap();
    phase(&supervisor, "grouped", Phase::Ready).await;
    assert_eq!(std::fs::read_to_string(cgroup.join("memory.max")).unwrap(), "67108864");
    assert_eq!(std::fs::read_to_string(cgroup.join("cgroup.procs")).unwrap(), "0");
    supervisor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_sees_the_environment_it_was_given_and_nothing_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let script =
        format!("tr '\\0' '\\n' < /proc/self/environ > {0}.new; mv {0}.new {0}; exec sleep 1000", seen.display());
    let spec = ChildSpec { ready: file(seen.clone()), ..shell("environment", &script) };
    let supervisor = Supervisor::start(&launcher(), vec![spec], timing()).unwrap();
    phase(&supervisor, "environment", Phase::Ready).await;
    let seen = std::fs::read_to_string(&seen).unwrap();
    let names: Vec<_> = seen
        .lines()
        .filter_map(|line| line.split('=').next())
        .filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name))
        .collect();
    assert_eq!(names, ["PATH"], "{seen}");
    supervisor.stop().await;
}

/// A supervisor in a process of its own (this test binary, called again) is killed; nobody is left to stop its child.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_dies_with_a_parent_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("process");
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "only_a_parent_for_the_test_above", "--ignored", "--nocapture"])
        .env("DAAS_TEST_TELL", &told)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let since = Instant::now();
    let child: u32 = loop {
        if let Some(process) = read_number(&told) {
            break process;
        }
        assert!(since.elapsed() < LIMIT, "the parent did not start its child");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(runs(child));
    parent.kill().unwrap();
    parent.wait().unwrap();
    ends(child).await;
}

fn read_number(path: &Path) -> Option<u32> {
    std::fs::read_to_string(path).ok()?.strip_suffix('\n')?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a helper of a_child_dies_with_a_parent_that_is_killed"]
async fn only_a_parent_for_the_test_above() {
    let Some(tell) = std::env::var_os("DAAS_TEST_TELL") else { return };
    let supervisor = Supervisor::start(&launcher(), vec![shell("orphan", "exec sleep 1000")], timing()).unwrap();
    let process = phase(&supervisor, "orphan", Phase::Ready).await.unwrap();
    std::fs::write(tell, format!("{process}\n")).unwrap();
    tokio::time::sleep(LIMIT).await;
}
