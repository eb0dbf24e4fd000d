//! A development setup in a temporary folder, driven through the real programs.

#![allow(missing_docs, dead_code, unreachable_pub, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

/// What one command said.
#[derive(Debug, Clone)]
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    /// The answer as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The error as JSON.
    pub fn error(&self) -> Value {
        serde_json::from_str::<Value>(&self.stderr).unwrap_or_else(|error| panic!("{error} in {self:?}"))["error"]
            .clone()
    }
}

/// A setup of its own; what runs is ended when it is dropped.
pub struct Setup {
    folder: tempfile::TempDir,
    said: Mutex<String>,
}

impl Setup {
    /// Nothing is started yet.
    pub fn new() -> Self {
        assert_devnet_is_built();
        Self { folder: tempfile::tempdir().unwrap(), said: Mutex::default() }
    }

    /// After `daas up` on a free port.
    pub fn up() -> Self {
        let setup = Self::new();
        setup.ok(&["up", "--chain-only", "--listen", "127.0.0.1:0"]);
        setup
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// Runs `daas` with nothing of the caller's environment but the path.
    pub fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, &[])
    }

    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Said {
        let output = self.command(arguments, environment).output().unwrap();
        let said = Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        self.said.lock().unwrap().extend([said.stdout.as_str(), &said.stderr]);
        said
    }

    pub fn command(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daas"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path())
            .env("DAAS_STATE_DIR", self.state())
            .env("LANG", "C")
            .envs(environment.iter().copied())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command that must be done.
    pub fn ok(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "daas {arguments:?}: {said:?}");
        said
    }

    /// The JSON answer of a command that must be done.
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.ok(&[arguments, &["--output", "json"]].concat()).json()
    }

    /// Runs a command that must be refused with this code; gives back the error.
    pub fn refused(&self, arguments: &[&str], code: &str) -> Value {
        let said = self.run(&[arguments, &["--output", "json"]].concat());
        assert_ne!(said.code, 0, "daas {arguments:?} was not refused: {said:?}");
        let error = said.error();
        assert_eq!(error["code"], code, "daas {arguments:?}: {said:?}");
        error
    }

    /// Everything that was ever printed.
    pub fn everything_said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Pid of the chain, as the pid file names it.
    pub fn devnet_pid(&self) -> Option<i32> {
        let text = std::fs::read_to_string(self.state().join("run/devnet.pid")).ok()?;
        let json: Value = serde_json::from_str(&text).ok()?;
        i32::try_from(json["pid"].as_i64()?).ok()
    }

    /// Where the chain answers.
    pub fn devnet_address(&self) -> String {
        let text = std::fs::read_to_string(self.state().join("run/devnet.ready")).unwrap();
        text.split_whitespace().nth(1).unwrap().to_owned()
    }

    /// Moves the chain's clock.
    pub fn advance_clock(&self, by: Duration) {
        let body = format!("{{\"milliseconds\":{}}}", by.as_millis());
        let answer = post(&self.devnet_address(), "/dev/advance-clock", &body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Ends the chain without warning.
    pub fn kill_devnet(&self) {
        let pid = self.devnet_pid().unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
        wait_until("the chain is gone", || !runs(pid));
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        let _ = self.command(&["down", "--purge"], &[]).output();
    }
}

/// Whether a process exists and is no zombie.
pub fn runs(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with(['Z', 'X']))
}

/// Waits for a condition with a deadline.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// One HTTP request; the whole answer.
pub fn post(address: &str, path: &str, body: &str) -> String {
    use std::io::{Read as _, Write as _};

    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// `daas` looks for `daas-devnet` beside itself. Tests of the whole workspace build it; those of this package alone do not.
fn assert_devnet_is_built() {
    let program = Path::new(env!("CARGO_BIN_EXE_daas")).with_file_name("daas-devnet");
    assert!(program.is_file(), "build it first: cargo build -p daas-devnet");
}
