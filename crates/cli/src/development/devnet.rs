//! The development chain as a background process.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use daas_diagnostics::{Diagnostic, codes};

use super::process::{Launch, Process, launch, log_tail};
use super::programs::find;
use crate::places::{Places, Role, private_folder};
use crate::waiting::until;

/// Where the chain listens unless told otherwise: the port of a Sui full node's gRPC API.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9000);

/// How long the chain may take to answer. A large store is read back in seconds; a loaded machine may be slow.
const PATIENCE: Duration = Duration::from_mins(1);

/// The running chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Devnet {
    /// Its process.
    pub process: Process,
    /// Its identifier.
    pub chain_id: String,
    /// Where it answers.
    pub address: SocketAddr,
}

impl Devnet {
    /// The chain that runs here, if one does.
    pub fn running(places: &Places) -> Result<Option<Self>, Diagnostic> {
        let Some(process) = Process::of_pid_file(&places.pid_file(Role::Devnet))? else { return Ok(None) };
        Ok(read_ready(&ready_file(places)).map(|(chain_id, address)| Self { process, chain_id, address }))
    }

    /// Whether it was started with this root of attestation.
    pub fn trusts(&self, root: &Path) -> bool {
        let line = std::fs::read(format!("/proc/{}/cmdline", self.process.pid)).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|argument| argument == root.as_os_str().as_encoded_bytes())
    }

    /// Starts the chain and waits until it answers; takes the running one if there is one.
    pub async fn start(places: &Places, listen: SocketAddr, roots: &[PathBuf]) -> Result<Self, Diagnostic> {
        if let Some(process) = Process::of_pid_file(&places.pid_file(Role::Devnet))? {
            // Started by a run that was ended before the chain answered.
            let found = until(PATIENCE, || Self::running(places).transpose().or_else(|| gone(&process))).await;
            match found {
                Some(Ok(devnet)) => return Ok(devnet),
                Some(Err(error)) => return Err(error),
                None => return Err(timed_out(places)),
            }
        }
        Self::start_new(places, listen, roots).await
    }

    async fn start_new(places: &Places, listen: SocketAddr, roots: &[PathBuf]) -> Result<Self, Diagnostic> {
        let program = find("daas-devnet", "the development chain", "개발용 체인")?;
        let data = places.of(Role::Devnet).join("chain");
        private_folder(&data)?;
        private_folder(places.runtime())?;
        check_port(listen)?;
        let ready = ready_file(places);
        let _ = std::fs::remove_file(&ready);
        let mut arguments = vec![
            "--data-dir".to_owned(),
            data.display().to_string(),
            "--listen".to_owned(),
            listen.to_string(),
            "--ready-file".to_owned(),
            ready.display().to_string(),
        ];
        for root in roots {
            let root = std::path::absolute(root).unwrap_or_else(|_| root.clone());
            arguments.extend(["--attestation-root".to_owned(), root.display().to_string()]);
        }
        let log_file = places.log_file(Role::Devnet);
        let pid_file = places.pid_file(Role::Devnet);
        let mut child = launch(&Launch { program, arguments, pid_file, log_file })?;
        let answer = until(PATIENCE, || match Self::running(places) {
            Ok(Some(devnet)) => Some(Ok(devnet)),
            Err(error) => Some(Err(error)),
            // Reaps the child, so that its end shows.
            Ok(None) => match child.try_wait() {
                Ok(None) | Err(_) => None,
                Ok(Some(status)) => Some(Err(ended(places, listen, &data, &status.to_string()))),
            },
        });
        if let Some(answer) = answer.await {
            return answer;
        }
        if let Some(process) = Process::of_pid_file(&places.pid_file(Role::Devnet))? {
            process.stop().await?;
        }
        Err(timed_out(places))
    }

    /// Ends the chain if it runs; says whether it did.
    pub async fn stop(places: &Places) -> Result<bool, Diagnostic> {
        let pid_file = places.pid_file(Role::Devnet);
        let process = Process::of_pid_file(&pid_file)?;
        if let Some(process) = &process {
            process.stop().await?;
        }
        for left in [pid_file, ready_file(places)] {
            let _ = std::fs::remove_file(left);
        }
        Ok(process.is_some())
    }
}

fn ready_file(places: &Places) -> PathBuf {
    places.runtime().join("devnet.ready")
}

fn read_ready(path: &Path) -> Option<(String, SocketAddr)> {
    let text = std::fs::read_to_string(path).ok()?;
    let (chain_id, address) = text.trim().split_once(' ')?;
    Some((chain_id.to_owned(), address.parse().ok()?))
}

fn gone<T>(process: &Process) -> Option<Result<T, Diagnostic>> {
    (!process.runs()).then(|| {
        Err(Diagnostic::new(codes::INTERRUPTED).with_words(
            "what",
            "starting the development chain",
            "개발용 체인 시작",
        ))
    })
}

/// Tells a taken port before a process is started for nothing. What takes it between here and there shows in the log.
fn check_port(listen: SocketAddr) -> Result<(), Diagnostic> {
    TcpListener::bind(listen).map(drop).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Diagnostic::new(codes::PORT_IN_USE).with("address", listen).caused_by(&error),
        std::io::ErrorKind::PermissionDenied => Diagnostic::new(codes::NEEDS_ROOT)
            .with_words("action", format!("listening on {listen}"), format!("{listen} 주소에서 수신"))
            .caused_by(&error),
        _ => Diagnostic::new(codes::BAD_VALUE)
            .with("name", "listen")
            .with("origin", "--listen")
            .with("value", listen)
            .with_words("expected", "an address of this machine", "이 컴퓨터의 주소")
            .caused_by(&error),
    })
}

/// The chain ended before it answered: its log says why.
fn ended(places: &Places, listen: SocketAddr, data: &Path, status: &str) -> Diagnostic {
    let log = places.log_file(Role::Devnet);
    let tail = log_tail(&log, 5);
    let says = |word: &str| tail.iter().any(|line| line.contains(word));
    let diagnostic = if says("is in use by another daas-devnet") {
        Diagnostic::new(codes::STATE_IN_USE).with("path", data.display())
    } else if says("cannot listen on") {
        Diagnostic::new(codes::PORT_IN_USE).with("address", listen)
    } else if says("No space left on device") {
        Diagnostic::new(codes::DISK_FULL).with("path", data.display())
    } else if says("the chain's store") {
        Diagnostic::new(codes::STATE_CORRUPTED).with("path", data.display()).with_words(
            "reason",
            "the chain's store cannot be read",
            "체인 저장소를 읽을 수 없습니다",
        )
    } else {
        Diagnostic::new(codes::START_TIMED_OUT).with("what", "daas-devnet").with("seconds", PATIENCE.as_secs())
    };
    tail.iter().fold(diagnostic.technical(format!("{status}; log: {}", log.display())), Diagnostic::technical)
}

fn timed_out(places: &Places) -> Diagnostic {
    let log = places.log_file(Role::Devnet);
    let diagnostic = Diagnostic::new(codes::START_TIMED_OUT)
        .with("what", "daas-devnet")
        .with("seconds", PATIENCE.as_secs())
        .technical(format!("log: {}", log.display()));
    log_tail(&log, 5).iter().fold(diagnostic, Diagnostic::technical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_before_anything_is_started() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = check_port(taken.local_addr().unwrap()).unwrap_err();
        assert_eq!((error.code(), error.unfilled()), (codes::PORT_IN_USE, vec![]));
        assert_eq!(check_port("192.0.2.1:9".parse().unwrap()).unwrap_err().code(), codes::BAD_VALUE);
    }

    #[test]
    fn a_half_written_ready_file_is_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready");
        for text in ["", "abc", "abc 127.0.0.1", "abc "] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read_ready(&path), None, "{text:?}");
        }
        std::fs::write(&path, "abc 127.0.0.1:7\n").unwrap();
        assert_eq!(read_ready(&path), Some(("abc".into(), "127.0.0.1:7".parse().unwrap())));
    }
}
