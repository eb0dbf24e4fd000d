//! The worker's own HTTP API on loopback, in the shapes of the first worker. It shows no secret; what changes something needs the local token.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use daas_settings::Listing;
use daas_transport::accept::{Slots, each_connection};
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::chain::now_ms;
use crate::error::Error;
use crate::random;
use crate::resources::{Meter, pods};
use crate::state_file::write_private;

const CONNECTIONS: usize = 64;
const HEADERS: Duration = Duration::from_secs(5);
const CONNECTION: Duration = Duration::from_mins(1);
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// What somebody on this machine asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Verify and register again.
    Register,
    /// Drain, then take the stake back.
    Unstake,
}

/// What the worker is at, for the API; replaced as a whole.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Its stage's word.
    pub stage: &'static str,
    /// The node's name on chain.
    pub name: Option<String>,
    /// The stake's id.
    pub stake: Option<String>,
    /// The Seal token's id.
    pub token: Option<String>,
    /// The wallet's address.
    pub wallet: Option<String>,
    /// Whether node, tunnel and master are well.
    pub healthy: bool,
    /// Unix time in ms of the last heartbeat that counted.
    pub last_heartbeat_ms: Option<u64>,
    /// What is wrong, for people.
    pub problem: Option<String>,
    /// The enclave that was verified is simulated hardware.
    pub development: bool,
}

/// The API with what it shows.
pub struct Api {
    facts: Facts,
    snapshot: Arc<ArcSwap<Snapshot>>,
    commands: mpsc::Sender<Command>,
    token: Zeroizing<String>,
    meter: Meter,
}

/// What does not change while the worker runs.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What the staker calls the node.
    pub node_id: String,
    /// MIST.
    pub stake_amount: u64,
    /// MIST.
    pub min_stake: u64,
    /// The package.
    pub contract_address: String,
    /// The settings with their origins, secrets masked.
    pub listing: Listing,
    /// Whose file system is measured.
    pub disk: PathBuf,
    /// The kubelet's folder.
    pub kubelet_dir: PathBuf,
}

impl Api {
    /// An API whose token lies in `state`, readable by this user alone.
    pub fn new(
        facts: Facts,
        snapshot: Arc<ArcSwap<Snapshot>>,
        commands: mpsc::Sender<Command>,
        state: &Path,
    ) -> Result<Self, Error> {
        let token = Zeroizing::new(hex::encode(random::<32>()?));
        write_private(&state.join("local-token"), token.as_bytes())?;
        Ok(Self { facts, snapshot, commands, token, meter: Meter::default() })
    }

    /// Listens; serves until `stop`.
    pub async fn start(self, listen: SocketAddr, stop: CancellationToken) -> Result<SocketAddr, Error> {
        let failed = |source| Error::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let api = Arc::new(self);
        tokio::spawn(each_connection(listener, Slots::new(CONNECTIONS, CONNECTIONS), stop, move |stream, _| {
            let api = Arc::clone(&api);
            async move {
                let service = service_fn(move |request| {
                    let answer = api.answer(&request);
                    async move { Ok::<_, std::convert::Infallible>(answer) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEADERS)
                    .max_buf_size(MAX_HEAD_BYTES)
                    .serve_connection(TokioIo::new(stream), service);
                let _ = tokio::time::timeout(CONNECTION, connection).await;
            }
        }));
        Ok(address)
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let headers = request.headers();
        // A page in a browser on this machine can be led here by a name of its own; it cannot choose this header.
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if !is_loopback(host) {
            return error(StatusCode::FORBIDDEN, "only the host names of loopback are served");
        }
        match (request.method().as_str(), request.uri().path()) {
            ("GET", "/health") => self.health(),
            ("GET", "/api/v1/staking") => json(StatusCode::OK, &self.staking()),
            ("GET", "/api/v1/metrics") => json(StatusCode::OK, &self.metrics()),
            ("GET", "/api/v1/config") => json(StatusCode::OK, &self.config()),
            ("POST", path @ ("/api/v1/register" | "/api/v1/unstake")) => {
                let shown =
                    headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
                let good = shown.is_some_and(|shown| verify_slices_are_equal(shown, self.token.as_bytes()).is_ok());
                if !good {
                    return error(StatusCode::UNAUTHORIZED, "show the token of the file local-token in state_dir");
                }
                let (command, word) = match path {
                    "/api/v1/register" => (Command::Register, "registering"),
                    _ => (Command::Unstake, "draining"),
                };
                match self.commands.try_send(command) {
                    Ok(()) => json(StatusCode::ACCEPTED, &json!({ "status": word })),
                    Err(_) => error(StatusCode::SERVICE_UNAVAILABLE, "another request is being carried out"),
                }
            }
            (
                _,
                "/health" | "/api/v1/staking" | "/api/v1/metrics" | "/api/v1/config" | "/api/v1/register"
                | "/api/v1/unstake",
            ) => error(StatusCode::METHOD_NOT_ALLOWED, "another method"),
            _ => error(StatusCode::NOT_FOUND, "no such path"),
        }
    }

    fn health(&self) -> Response<Full<Bytes>> {
        let now = self.snapshot.load();
        let status = if now.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let body = json!({
            "status": if now.healthy { "healthy" } else { "unhealthy" },
            "node_id": self.facts.node_id,
            "node_name": now.name,
            "stage": now.stage,
            "problem": now.problem,
            "staking_status": self.status(&now),
            "running_pods": pods(&self.facts.kubelet_dir),
            "development": now.development,
            "timestamp": now_ms() / 1000,
        });
        json(status, &body)
    }

    fn staking(&self) -> Value {
        let now = self.snapshot.load();
        json!({
            "node_id": self.facts.node_id,
            "wallet_address": now.wallet,
            "stake_amount": self.facts.stake_amount,
            "min_stake": self.facts.min_stake,
            "status": self.status(&now),
            "seal_token_id": now.token,
            "contract_address": self.facts.contract_address,
            "last_heartbeat": now.last_heartbeat_ms.map(|ms| ms / 1000),
        })
    }

    fn status(&self, now: &Snapshot) -> Value {
        json!({
            "is_staked": now.stake.is_some(),
            "stake_amount": self.facts.stake_amount,
            "stake_object_id": now.stake,
            "last_validation": now.last_heartbeat_ms.map(|ms| ms / 1000),
            "status": match now.stage {
                "slashed" | "expelled" | "draining" => now.stage,
                "unstaked_for_good" => "unstaked",
                _ if now.stake.is_some() => "active",
                _ => "pending",
            },
        })
    }

    fn metrics(&self) -> Value {
        let used = self.meter.used(&self.facts.disk);
        json!({
            "node_id": self.facts.node_id,
            "cpu_usage": used.cpu_percent.get(),
            "memory_usage": used.memory_percent.get(),
            "disk_usage": used.disk_percent.get(),
            "running_pods": pods(&self.facts.kubelet_dir),
            "timestamp": now_ms() / 1000,
        })
    }

    /// Where the key is is nobody's business, not even masked.
    fn config(&self) -> Value {
        let rows = self.facts.listing.rows.iter().filter(|row| !row.name.contains("key"));
        rows.map(|row| (row.name.to_owned(), json!(row.value))).collect::<serde_json::Map<_, _>>().into()
    }
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

fn error(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    json(status, &json!({ "error": why }))
}

fn json(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    answer
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    struct Scene {
        folder: tempfile::TempDir,
        address: SocketAddr,
        commands: mpsc::Receiver<Command>,
        _stop: tokio_util::sync::DropGuard,
    }

    async fn scene() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let row = |name, value: &str| daas_settings::Row {
            name,
            value: Some(value.to_owned()),
            origin: daas_settings::Origin::Default,
        };
        let facts = Facts {
            node_id: "worker-1".into(),
            stake_amount: 5,
            min_stake: 1,
            contract_address: "0x1".into(),
            listing: Listing { rows: vec![row("node_id", "worker-1"), row("sui_private_key", "/secret/place")] },
            disk: "/".into(),
            kubelet_dir: folder.path().into(),
        };
        let snapshot = Snapshot { stage: "joined", stake: Some("0xde".into()), healthy: true, ..Snapshot::default() };
        let (sender, commands) = mpsc::channel(1);
        let api = Api::new(facts, Arc::new(ArcSwap::from_pointee(snapshot)), sender, folder.path()).unwrap();
        let stop = CancellationToken::new();
        let address = api.start("127.0.0.1:0".parse().unwrap(), stop.clone()).await.unwrap();
        Scene { folder, address, commands, _stop: stop.drop_guard() }
    }

    impl Scene {
        async fn ask(&self, line: &str, headers: &str) -> (u16, String) {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            let host = if headers.contains("Host:") { "" } else { "Host: 127.0.0.1:10251\r\n" };
            let request = format!("{line} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            (answer.get(9..12).unwrap().parse().unwrap(), answer)
        }

        fn token(&self) -> String {
            std::fs::read_to_string(self.folder.path().join("local-token")).unwrap()
        }
    }

    #[tokio::test]
    async fn anybody_on_this_machine_reads_and_sees_no_secret() {
        let scene = scene().await;
        let token = scene.token();
        for path in ["/health", "/api/v1/staking", "/api/v1/metrics", "/api/v1/config"] {
            let (status, answer) = scene.ask(&format!("GET {path}"), "").await;
            assert_eq!(status, 200, "{answer}");
            for secret in [token.as_str(), "/secret/place", "seal1."] {
                assert!(!answer.contains(secret), "{path}: {answer}");
            }
        }
        assert!(scene.ask("GET /health", "").await.1.contains("\"status\":\"healthy\""));
        assert_eq!(scene.ask("GET /api/v1/token", "").await.0, 404);
        assert_eq!(scene.ask("GET /api/v1/unstake", "").await.0, 405);
    }

    #[tokio::test]
    async fn what_changes_something_needs_the_local_token() {
        use std::os::unix::fs::PermissionsExt as _;
        let mut scene = scene().await;
        let token = scene.token();
        let mode = std::fs::metadata(scene.folder.path().join("local-token")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for headers in
            ["", "Authorization: Bearer \r\n", "Authorization: Bearer 00\r\n", &format!("Authorization: {token}\r\n")]
        {
            assert_eq!(scene.ask("POST /api/v1/unstake", headers).await.0, 401, "{headers}");
        }
        assert!(scene.commands.try_recv().is_err());
        let good = format!("Authorization: Bearer {token}\r\n");
        assert_eq!(scene.ask("POST /api/v1/unstake", &good).await.0, 202);
        // The one before has not been taken yet.
        assert_eq!(scene.ask("POST /api/v1/register", &good).await.0, 503);
        assert_eq!(scene.commands.recv().await, Some(Command::Unstake));
        assert_eq!(scene.ask("POST /api/v1/register", &good).await.0, 202);
        assert_eq!(scene.commands.recv().await, Some(Command::Register));
    }

    #[tokio::test]
    async fn a_browser_that_was_led_here_by_a_name_is_refused() {
        let scene = scene().await;
        for host in ["evil.example", "evil.example:10251", "127.0.0.1.evil.example", "10.0.0.1"] {
            assert_eq!(scene.ask("GET /health", &format!("Host: {host}\r\n")).await.0, 403, "{host}");
        }
        for host in ["localhost", "localhost:10251", "[::1]:10251", "[::1]"] {
            assert_eq!(scene.ask("GET /health", &format!("Host: {host}\r\n")).await.0, 200, "{host}");
        }
    }
}
