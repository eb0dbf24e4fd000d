//! The real programs and namespaces, as root:
//! `cargo build -p daas-sandbox -p daas-supervise && cargo test -p daas-parent --features cluster-tests`.
#![cfg(feature = "cluster-tests")]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const PARENT: &str = env!("CARGO_BIN_EXE_daas-parent");

/// Not a test but what runs inside: answers each client with what it knows of it and of its own network, tells the log, and ends when a client says
/// so.
#[test]
fn the_enclave_of_these_tests() {
    let Some(folder) = std::env::args().find_map(|word| word.strip_prefix("link=").map(PathBuf::from)) else { return };
    let _ = fs::remove_file(folder.join("vsock_8443"));
    let listener = UnixListener::bind(folder.join("vsock_8443")).unwrap();
    let mut configuration = String::new();
    UnixStream::connect(folder.join("vsock_9001")).unwrap().read_to_string(&mut configuration).unwrap();
    let mut log = UnixStream::connect(folder.join("vsock_9003")).unwrap();
    writeln!(log, "configured with {configuration}").unwrap();
    for client in listener.incoming() {
        let client = client.unwrap();
        std::thread::spawn(move || answer(client));
    }
}

/// Whoever speaks something else, such as the parent that asks for its health over TLS, is let go.
fn answer(client: UnixStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let (mut told, mut said) = (String::new(), String::new());
    reader.read_line(&mut told)?;
    reader.read_line(&mut said)?;
    let network = Command::new("ip").args(["-4", "-o", "address"]).output()?;
    write!(reader.get_mut(), "{told}{}", String::from_utf8_lossy(&network.stdout))?;
    if said == "end\n" {
        std::process::exit(1);
    }
    Ok(())
}

#[test]
fn clients_of_host_and_lan_reach_it_and_it_reaches_nobody() {
    let scene = Scene::start("t-parent-1");
    let answer = scene.ask("hello");
    assert!(answer.starts_with("CLIENT 127.0.0.1:"), "{answer}");
    assert!(answer.contains("172.30.0.1/32") && !answer.contains("eth0"), "{answer}");
    // From another machine of the LAN.
    let script = format!("exec 3<>/dev/tcp/172.30.0.1/{}; echo hello >&3; cat <&3", scene.port);
    let worker = Command::new(program("daas-sandbox"))
        .args(["run", "--kind", "worker", "--name", "t-parent-1-w", "--lan", &scene.lan_pid])
        .args(["--address", "172.30.0.11/24", "--", "/bin/bash", "-c", &script])
        .output()
        .unwrap();
    let answer = String::from_utf8(worker.stdout).unwrap();
    assert!(answer.starts_with("CLIENT 172.30.0.11:"), "{answer} {}", String::from_utf8_lossy(&worker.stderr));
    let log = fs::read_to_string(scene.folder.path().join("log")).unwrap();
    assert_eq!(log, "configured with {\"version\":1}\n");
    assert_eq!(scene.status()["enclave"]["restarts"], 0);
}

#[test]
fn an_enclave_that_ends_is_started_again_and_a_stopped_parent_leaves_nothing() {
    let mut scene = Scene::start("t-parent-2");
    let first = scene.status()["enclave"]["process"].clone();
    let _ = scene.ask("end");
    until("another one runs", || {
        let status = scene.status();
        status["enclave"]["restarts"] == 1
            && status["enclave"]["process"] != first
            && !status["enclave"]["process"].is_null()
    });
    scene.wait();
    assert!(!cgroups("t-parent-2").is_empty());
    Command::new("kill").arg(scene.parent.id().to_string()).status().unwrap();
    assert!(scene.parent.wait().unwrap().success());
    assert_eq!(cgroups("t-parent-2"), Vec::<PathBuf>::new());
    assert!(!scene.folder.path().join("status").exists());
}

#[test]
fn a_killed_parent_takes_the_enclave_along() {
    let mut scene = Scene::start("t-parent-3");
    let processes: Vec<String> = cgroups("t-parent-3")
        .iter()
        .flat_map(|folder| {
            fs::read_to_string(folder.join("cgroup.procs")).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert!(processes.len() >= 2, "{processes:?}");
    scene.parent.kill().unwrap();
    scene.parent.wait().unwrap();
    until("all have gone", || processes.iter().all(|process| !Path::new(&format!("/proc/{process}")).exists()));
    // The next parent begins where this one was.
    let scene = scene.restart();
    assert!(scene.ask("hello").starts_with("CLIENT "));
}

struct Scene {
    folder: tempfile::TempDir,
    name: &'static str,
    port: u16,
    lan: Child,
    lan_pid: String,
    parent: Child,
}

impl Scene {
    fn start(name: &'static str) -> Self {
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        let mut lan = Command::new(program("daas-sandbox")).arg("lan").stdout(Stdio::piped()).spawn().unwrap();
        let mut lan_pid = String::new();
        BufReader::new(lan.stdout.take().unwrap()).read_line(&mut lan_pid).unwrap();
        let lan_pid = lan_pid.trim().to_owned();
        // The enclave's own port, at addresses that only this test has.
        let number = name.bytes().last().unwrap() - b'0';
        let port = 8443;
        let place = |name: &str| folder.path().join(name).display().to_string();
        let configuration = json!({
            "version": 1, "link": place("link"), "logs": {"file": place("log")}, "status": place("status"),
            "runtime_configuration": {"version": 1},
            "inbound": {"ports": [port], "listeners": [
                {"address": format!("127.0.7.{number}")}, {"address": "127.0.0.1", "netns": format!("/proc/{lan_pid}/ns/net")},
                {"address": "172.30.0.1", "netns": format!("/proc/{lan_pid}/ns/net")},
            ]},
            "enclave": {
                "kind": "sandbox", "sandbox": program("daas-sandbox"), "launcher": program("daas-launch"), "name": name,
                "program": std::env::current_exe().unwrap(),
                "arguments": ["--exact", "the_enclave_of_these_tests", "--nocapture", format!("link={}", place("link"))],
            },
        });
        fs::write(place("parent.json"), configuration.to_string()).unwrap();
        let parent = start_parent(folder.path());
        let scene = Self { folder, name, port, lan, lan_pid, parent };
        scene.wait();
        scene
    }

    fn restart(mut self) -> Self {
        self.parent = start_parent(self.folder.path());
        self.wait();
        self
    }

    fn wait(&self) {
        until("the enclave answers", || self.try_ask("hello").is_some_and(|answer| answer.starts_with("CLIENT ")));
    }

    fn ask(&self, word: &str) -> String {
        self.try_ask(word).unwrap()
    }

    fn try_ask(&self, word: &str) -> Option<String> {
        let number = self.name.bytes().last().unwrap() - b'0';
        let mut client = TcpStream::connect((format!("127.0.7.{number}").as_str(), self.port)).ok()?;
        writeln!(client, "{word}").ok()?;
        let mut answer = String::new();
        client.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn status(&self) -> Value {
        let mut text = String::new();
        UnixStream::connect(self.folder.path().join("status")).unwrap().read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Ok(None) = self.parent.try_wait() {
            let _ = Command::new("kill").arg(self.parent.id().to_string()).status();
            let _ = self.parent.wait();
        }
        let _ = self.lan.kill();
        let _ = self.lan.wait();
    }
}

fn start_parent(folder: &Path) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("parent.log")).unwrap();
    Command::new(PARENT).arg("--config").arg(folder.join("parent.json")).stderr(log).spawn().unwrap()
}

/// A program of this workspace, built beside this one.
fn program(name: &str) -> PathBuf {
    let path = Path::new(PARENT).with_file_name(name);
    assert!(path.exists(), "{} is missing: cargo build -p daas-sandbox -p daas-supervise", path.display());
    path
}

fn cgroups(name: &str) -> Vec<PathBuf> {
    let roots =
        fs::read_dir("/sys/fs/cgroup").unwrap().flatten().map(|entry| entry.path()).chain(["/sys/fs/cgroup".into()]);
    let groups = roots.map(|root| root.join("k3s-daas").join(name));
    groups.flat_map(|group| [group.join("sandbox"), group]).filter(|folder| folder.exists()).collect()
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
