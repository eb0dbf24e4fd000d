//! Real namespaces: `cargo test -p daas-sandbox --features cluster-tests`, as root.
#![cfg(feature = "cluster-tests")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_daas-sandbox");

#[test]
fn workers_reach_each_other_and_the_bridge_and_nothing_else_does() {
    let lan = Lan::start();
    let server = Sandbox::worker("t-reach-1", &lan, "172.30.0.11/24", &inside("listen 172.30.0.11:7000"));
    let (server, _output) = server.wait_for_line("listening");
    // Nobody listens at the bridge: its answer is a refusal, not silence.
    let script =
        format!("{} && {} && ip -4 -o route", inside("connect 172.30.0.11:7000"), inside("connect 172.30.0.1:7000"));
    let (status, output) = Sandbox::worker("t-reach-2", &lan, "172.30.0.12/24", &script).end();
    assert_eq!(status, Some(0), "{output}");
    assert!(output.contains("172.30.0.11:7000: connected\n"), "{output}");
    assert!(output.contains("172.30.0.1:7000: ConnectionRefused\n"), "{output}");
    assert!(output.contains("default via 172.30.0.1 "), "{output}");
    // An enclave has loopback alone, and the host has none of these addresses.
    let script = format!("ip -o link; {}", inside("connect 172.30.0.11:7000"));
    let (_, output) = Sandbox::enclave("t-reach-3", &[], &script).end();
    assert_eq!(output.matches("link/").count(), 1, "{output}");
    assert!(output.contains("172.30.0.11:7000: NetworkUnreachable\n"), "{output}");
    assert!(!run("ip", &["-4", "-o", "address"]).contains("172.30.0."));
    drop(server);
}

/// Not a test but the program of the test above: what it should do comes in a variable.
#[test]
fn the_program_that_runs_inside() {
    let Ok(order) = std::env::var("DAAS_TEST_INSIDE") else { return };
    let (verb, address) = order.split_once(' ').unwrap();
    let address: std::net::SocketAddr = address.parse().unwrap();
    if verb == "listen" {
        let listener = std::net::TcpListener::bind(address).unwrap();
        println!("\nlistening");
        listener.incoming().for_each(drop);
    }
    match std::net::TcpStream::connect_timeout(&address, Duration::from_secs(5)) {
        Ok(_) => println!("\n{address}: connected"),
        Err(cause) => println!("\n{address}: {:?}", cause.kind()),
    }
}

/// The command that starts this test's program inside.
fn inside(order: &str) -> String {
    let program = std::env::current_exe().unwrap();
    format!("DAAS_TEST_INSIDE='{order}' {} --exact the_program_that_runs_inside --nocapture", program.display())
}

#[test]
fn a_killed_sandbox_leaves_no_process_interface_or_mount_and_sweeping_removes_its_cgroups() {
    let _alone = sweeping();
    let lan = Lan::start();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let script = "sleep 1000 & setsid sleep 1000 & echo up; exec sleep 1000";
    let (mut sandbox, _output) = Sandbox::worker("t-killed", &lan, "172.30.0.21/24", script).wait_for_line("up");
    let processes = members("t-killed");
    assert!(processes.len() >= 4, "{processes:?}");
    assert_eq!(lan.cables(), 1);
    assert!(cgroups("t-killed").len() > 1);
    sandbox.child.kill().unwrap();
    sandbox.child.wait().unwrap();
    until("all processes have gone", || {
        processes.iter().all(|process| !Path::new(&format!("/proc/{process}")).exists())
    });
    until("the cable has gone", || lan.cables() == 0);
    assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), mounts);
    assert!(!cgroups("t-killed").is_empty(), "otherwise the next claim says nothing");
    assert!(Command::new(PROGRAM).arg("sweep").status().unwrap().success());
    assert_eq!(cgroups("t-killed"), Vec::<PathBuf>::new());
}

#[test]
fn the_next_sandbox_of_a_name_replaces_the_killed_and_never_the_running() {
    let _alone = sweeping();
    let (mut first, _output) = Sandbox::enclave("t-again", &[], "echo up; exec sleep 1000").wait_for_line("up");
    let (status, output) = Sandbox::enclave("t-again", &[], "echo second").end();
    assert_eq!(status, Some(125), "{output}");
    assert!(output.contains("a sandbox named t-again is running"), "{output}");
    assert!(Command::new(PROGRAM).arg("sweep").status().unwrap().success());
    assert!(!cgroups("t-again").is_empty(), "sweeping takes nothing from who is running");
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    let (status, output) = Sandbox::enclave("t-again", &[], "echo third").end();
    assert_eq!((status, output.as_str()), (Some(0), "third\n"));
    assert_eq!(cgroups("t-again"), Vec::<PathBuf>::new());
}

#[test]
fn signals_reach_the_program_and_its_status_comes_back() {
    let script = "trap 'echo told; exit 42' TERM; echo up; while :; do sleep 0.05; done";
    let (sandbox, output) = Sandbox::enclave("t-signal", &[], script).wait_for_line("up");
    assert!(Command::new("kill").arg(sandbox.child.id().to_string()).status().unwrap().success());
    let (status, rest) = sandbox.end_with(output);
    assert_eq!((status, rest.as_str()), (Some(42), "told\n"));
    assert_eq!(cgroups("t-signal"), Vec::<PathBuf>::new());
    // A shell lets go of what is held back; other programs do not.
    let (status, output) =
        Sandbox::start("enclave", "t-signal", &[], &["/bin/grep", "SigBlk", "/proc/self/status"]).end();
    assert_eq!((status, output.as_str()), (Some(0), "SigBlk:\t0000000000000000\n"));
    let (status, _) = Sandbox::enclave("t-signal", &[], "kill -9 $$").end();
    assert_eq!(status, Some(128 + 9));
    let (status, output) = Sandbox::start("enclave", "t-signal", &[], &["/nowhere/program"]).end();
    assert_eq!(status, Some(125));
    assert!(output.contains("starting /nowhere/program"), "{output}");
}

#[test]
fn a_program_that_ends_takes_its_daemons_along() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let bind = format!("{0}:{0}", folder.path().display());
    let script = format!("setsid sh -c 'sleep 1; echo late > {}/late' & exit 3", folder.path().display());
    let begun = Instant::now();
    let (status, _) = Sandbox::enclave("t-daemons", &["--bind", &bind], &script).end();
    assert_eq!(status, Some(3));
    // Its clean end says that its groups are empty: nothing is left that could write.
    assert_eq!(cgroups("t-daemons"), Vec::<PathBuf>::new());
    until("it would have written", || begun.elapsed() > Duration::from_millis(1300));
    assert!(!folder.path().join("late").exists());
}

#[test]
fn what_is_written_inside_stays_inside_but_for_the_state_folder() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let state = folder.path().join("worker");
    let lan = Lan::start();
    let marker = format!("daas-sandbox-test-{}", std::process::id());
    let script = format!(
        "set -e; for folder in /run /tmp /etc /var/lib /dev/shm; do echo x > $folder/{marker}; done
         echo log > /var/log/{marker}; echo kubelet > /var/lib/kubelet/{marker}; echo cni > /etc/cni/{marker}
         echo state > {state}/{marker}; test ! -e /run/dbus; grep -q localhost /etc/hosts; head -1 /etc/hosts > /etc/hosts.new; mv /etc/hosts.new /etc/hosts
         test $(stat -c %a /etc /var/lib /run /etc/resolv.conf | tr '\\n' ' ' | sed 's/ //g') = 755755755644",
        state = state.display()
    );
    let state_text = state.display().to_string();
    let sandbox = Sandbox::start(
        "worker",
        "t-files",
        &["--lan", &lan.pid, "--address", "172.30.0.31/24", "--state", &state_text],
        &["/bin/sh", "-c", &script],
    );
    let (status, output) = sandbox.end();
    assert_eq!(status, Some(0), "{output}");
    for folder in ["/run", "/tmp", "/etc", "/var/lib", "/dev/shm", "/var/log", "/var/lib/kubelet", "/etc/cni"] {
        assert!(!Path::new(folder).join(&marker).exists(), "{folder}");
    }
    for (folder, content) in [("log", "log\n"), ("kubelet", "kubelet\n"), ("cni", "cni\n"), ("", "state\n")] {
        assert_eq!(fs::read_to_string(state.join(folder).join(&marker)).unwrap(), content, "{folder:?}");
    }
}

#[test]
fn an_enclave_knows_the_names_in_its_hosts_file_only() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let hosts = folder.path().join("hosts");
    fs::write(&hosts, "127.0.1.1 chain.internal\n").unwrap();
    let hosts = hosts.display().to_string();
    let script = "getent hosts chain.internal; getent hosts example.com; cat /etc/resolv.conf; echo 127.0.1.2 later.internal >> /etc/hosts";
    let (status, output) = Sandbox::enclave("t-hosts", &["--hosts", &hosts], script).end();
    assert_eq!(status, Some(0), "{output}");
    assert_eq!(output.split_whitespace().collect::<Vec<_>>(), ["127.0.1.1", "chain.internal"]);
    assert!(fs::read_to_string(&hosts).unwrap().ends_with("later.internal\n"), "written through");
}

#[test]
fn a_sandbox_says_what_is_missing() {
    for (arguments, reason) in [
        (&["run", "--kind", "worker", "--name", "t-x", "--", "true"][..], "a worker needs --lan"),
        (
            &["run", "--kind", "worker", "--name", "t-x", "--lan", "1", "--address", "172.30.0.9/24", "--", "true"],
            "holds no network",
        ),
        (
            &[
                "run",
                "--kind",
                "worker",
                "--name",
                "t-x",
                "--lan",
                "4194304",
                "--address",
                "172.30.0.9/24",
                "--",
                "true",
            ],
            "process 4194304 holds no network",
        ),
        (
            &["run", "--kind", "enclave", "--name", "t-x", "--hosts", "/nowhere/hosts", "--", "true"],
            "opening /nowhere/hosts",
        ),
    ] {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(reason), "{arguments:?}: {text}");
    }
    assert_eq!(cgroups("t-x"), Vec::<PathBuf>::new());
}

/// Who sweeps, sweeps the other tests' leavings, too: one at a time.
fn sweeping() -> impl Drop {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A held LAN; killed, not asked, at the end.
struct Lan {
    child: Child,
    pid: String,
}

impl Lan {
    fn start() -> Self {
        let mut child = Command::new(PROGRAM).arg("lan").stdout(Stdio::piped()).spawn().unwrap();
        let mut pid = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut pid).unwrap();
        assert_eq!(pid.trim(), child.id().to_string());
        Self { child, pid: pid.trim().into() }
    }

    fn cables(&self) -> usize {
        run("nsenter", &["-t", &self.pid, "-n", "ip", "-o", "link"]).matches("veth").count()
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Sandbox {
    child: Child,
}

type Output = BufReader<std::process::ChildStdout>;

impl Sandbox {
    fn start(kind: &str, name: &str, options: &[&str], program: &[&str]) -> Self {
        // As a supervisor starts it: files are made for their owner alone.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "umask 077; exec \"$0\" \"$@\"", PROGRAM]);
        command.args(["run", "--kind", kind, "--name", name]).args(options).arg("--").args(program);
        Self { child: command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap() }
    }

    fn enclave(name: &str, options: &[&str], script: &str) -> Self {
        let options = [&["--address", "172.30.0.1/32"], options].concat();
        Self::start("enclave", name, &options, &["/bin/sh", "-c", script])
    }

    fn worker(name: &str, lan: &Lan, address: &str, script: &str) -> Self {
        Self::start("worker", name, &["--lan", &lan.pid, "--address", address], &["/bin/sh", "-c", script])
    }

    fn wait_for_line(mut self, wanted: &str) -> (Self, Output) {
        let mut output = BufReader::new(self.child.stdout.take().unwrap());
        let mut line = String::new();
        while output.read_line(&mut line).unwrap() > 0 {
            if line.trim() == wanted {
                return (self, output);
            }
            line.clear();
        }
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        panic!("ended without {wanted}: {errors}");
    }

    fn end(mut self) -> (Option<i32>, String) {
        let output = BufReader::new(self.child.stdout.take().unwrap());
        self.end_with(output)
    }

    /// The status, and what it said from here on.
    fn end_with(mut self, mut output: Output) -> (Option<i32>, String) {
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        (self.child.wait().unwrap().code(), text)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Asked, it removes its control groups. One that a test has waited for has no process any more.
        if let Ok(None) = self.child.try_wait() {
            run("kill", &[&self.child.id().to_string()]);
            let _ = self.child.wait();
        }
    }
}

/// All processes of a sandbox, by their control group.
fn members(name: &str) -> Vec<String> {
    let mut all: Vec<String> = cgroups(name)
        .iter()
        .flat_map(|folder| {
            fs::read_to_string(folder.join("cgroup.procs")).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

/// All folders of control groups of this name.
fn cgroups(name: &str) -> Vec<PathBuf> {
    let roots =
        fs::read_dir("/sys/fs/cgroup").unwrap().flatten().map(|entry| entry.path()).chain(["/sys/fs/cgroup".into()]);
    let groups = roots.map(|root| root.join("k3s-daas").join(name));
    groups.flat_map(|group| [group.join("sandbox"), group]).filter(|folder| folder.exists()).collect()
}

fn run(program: &str, arguments: &[&str]) -> String {
    String::from_utf8(Command::new(program).args(arguments).output().unwrap().stdout).unwrap()
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
