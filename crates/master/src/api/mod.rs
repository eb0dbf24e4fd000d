//! The API on 8443 (docs/master.md): a table of routes, and what stands behind them.

mod answers;
mod metrics;
mod openapi;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use daas_https::server::{Answer, Handler, Peer, json, read_body, text};
use daas_join::master_api::{ErrorAnswer, ErrorCode, MAX_REQUEST_BYTES, SEAL_TOKEN_HEADER, path};
use daas_seal_token::SealToken;
use daas_supervise::States;
use futures::future::BoxFuture;
use http::{Method, Request, StatusCode, header};
use hyper::body::{Bytes, Incoming};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::attestation::{Attestation, NoAnswer};
use crate::chain::ChainView;
use crate::clock::now_ms;
use crate::device::Device;
use crate::instance::Instance;
use crate::submissions::Offers;
use crate::workers::{Refused, Workers};

pub use metrics::merged;

/// How far the chain's clock may be ahead of the enclave's.
const CLOCK_BOUND_MS: u64 = 5_000;
/// A request's body comes within this.
const BODY_TIME: Duration = Duration::from_secs(10);

/// What a path does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Attestation,
    Cluster,
    RegisterWorker,
    Heartbeat,
    Nodes,
    Submissions,
    OpenApi,
    Health,
    Ready,
    Metrics,
}

/// All that is served; anything else is a 404. Paths are compared byte for byte.
const ROUTES: [(&str, Method, Route); 10] = [
    (path::ATTESTATION, Method::GET, Route::Attestation),
    (path::CLUSTER, Method::GET, Route::Cluster),
    (path::REGISTER_WORKER, Method::POST, Route::RegisterWorker),
    (path::HEARTBEAT, Method::POST, Route::Heartbeat),
    (path::NODES, Method::GET, Route::Nodes),
    (path::SUBMISSIONS, Method::GET, Route::Submissions),
    (path::OPENAPI, Method::GET, Route::OpenApi),
    (path::HEALTH, Method::GET, Route::Health),
    (path::READY, Method::GET, Route::Ready),
    (path::METRICS, Method::GET, Route::Metrics),
];

/// What the API tells of.
pub struct Api {
    /// Answers challenges.
    pub attestation: Attestation,
    /// The workers.
    pub workers: Arc<Workers>,
    /// The chain.
    pub view: Arc<dyn ChainView>,
    /// What should be submitted.
    pub offers: Offers,
    /// This enclave.
    pub about: About,
    /// Whether the control plane and the authenticator are ready.
    pub serves: Arc<AtomicBool>,
    /// The programs.
    pub states: Vec<watch::Receiver<States>>,
    /// Figures of others, as Prometheus text.
    pub figures: Arc<dyn Figures>,
}

/// Figures of programs, for `/metrics`.
pub trait Figures: Send + Sync {
    /// Prometheus texts.
    fn texts(&self) -> BoxFuture<'_, Vec<String>>;
}

/// This enclave, as it does not change while it runs.
#[derive(Debug)]
pub struct About {
    /// The chain's identifier.
    pub chain: String,
    /// The cluster.
    pub cluster: daas_seal_token::ClusterId,
    /// Its key and claims.
    pub instance: Instance,
    /// Makes its documents.
    pub device: Device,
}

impl Handler for Api {
    async fn answer(self: Arc<Self>, request: Request<Incoming>, _peer: Arc<Peer>) -> Answer {
        match self.route(request).await {
            Ok(answer) => answer,
            Err(Refused { code, why }) => with_status(code.status(), &ErrorAnswer { code, error: why }),
        }
    }
}

impl Api {
    async fn route(&self, request: Request<Incoming>) -> Result<Answer, Refused> {
        let (parts, body) = request.into_parts();
        let route = find(parts.uri.path(), &parts.method)?;
        if parts.uri.query().is_some() && route != Route::Attestation {
            return Err(refused(ErrorCode::Malformed, "this path takes no query"));
        }
        match route {
            Route::Attestation => self.attest(parts.uri.query()).await,
            Route::RegisterWorker => {
                let (token, request) = credential_and_body(&parts, body).await?;
                Ok(ok(&self.workers.register(&token, &request, now_ms()).await?))
            }
            Route::Heartbeat => {
                let (token, beat) = credential_and_body(&parts, body).await?;
                Ok(ok(&self.workers.heartbeat(&token, &beat, now_ms())?))
            }
            Route::Cluster => Ok(ok(&self.cluster(now_ms()))),
            Route::Nodes => Ok(ok(&self.nodes(now_ms()))),
            Route::Submissions => Ok(ok(&*self.offers.all())),
            Route::OpenApi => Ok(json(StatusCode::OK, openapi::DOCUMENT)),
            Route::Health => Ok(text(StatusCode::OK, "ok")),
            Route::Ready => Ok(self.readiness(now_ms())),
            Route::Metrics => Ok(text(StatusCode::OK, self.metrics(now_ms()).await)),
        }
    }

    async fn attest(&self, query: Option<&str>) -> Result<Answer, Refused> {
        let nonce = query.and_then(nonce).ok_or_else(|| {
            refused(ErrorCode::Malformed, "the query is nonce= and 64 hex digits, chosen at random and used once")
        })?;
        let answer = self.attestation.answer(nonce).await.map_err(|error| match error {
            NoAnswer::Busy => refused(ErrorCode::Busy, error.to_string()),
            NoAnswer::Module => refused(ErrorCode::Internal, error.to_string()),
        })?;
        Ok(json(StatusCode::OK, answer.to_json()))
    }

    fn readiness(&self, now_ms: u64) -> Answer {
        let lines = self.readiness_lines(now_ms);
        let ready = lines.iter().all(|(_, fault)| fault.is_none());
        let lines = lines.iter().map(|(name, fault)| match fault {
            None => format!("[+]{name} ok\n"),
            Some(fault) => format!("[-]{name} {fault}\n"),
        });
        text(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, lines.collect::<String>())
    }

    fn readiness_lines(&self, now_ms: u64) -> [(&'static str, Option<String>); 3] {
        let serves = self.serves.load(Ordering::Relaxed);
        let behind = self.view.health().timestamp_ms.saturating_sub(now_ms);
        let late = || format!("the enclave's clock is {behind} ms behind the newest checkpoint");
        [
            ("control-plane", (!serves).then(|| self.first_that_is_not_ready())),
            ("registry", self.view.check_fresh(now_ms).err().map(|stale| stale.to_string())),
            ("clock", (behind > CLOCK_BOUND_MS).then(late)),
        ]
    }
}

fn find(path: &str, method: &Method) -> Result<Route, Refused> {
    let mut of_path = ROUTES.iter().filter(|(served, ..)| *served == path).peekable();
    if of_path.peek().is_none() {
        return Err(refused(ErrorCode::NotFound, "this path is not served"));
    }
    let found = of_path.find(|(_, taken, _)| taken == method).map(|(.., route)| *route);
    found.ok_or_else(|| refused(ErrorCode::MethodNotAllowed, "this path does not take this method"))
}

/// The header's Seal token, and the body as the request that it should be.
async fn credential_and_body<T: DeserializeOwned>(
    parts: &http::request::Parts,
    body: Incoming,
) -> Result<(SealToken, T), Refused> {
    // Before the body is read: whoever shows nothing uploads nothing.
    let token = credential(&parts.headers)?;
    let is_json = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !is_json {
        return Err(refused(ErrorCode::Malformed, "the body is not of type application/json"));
    }
    let body = read_body(body, MAX_REQUEST_BYTES, BODY_TIME).await.map_err(|status| match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            refused(ErrorCode::TooLarge, format!("the body is longer than {MAX_REQUEST_BYTES} bytes"))
        }
        StatusCode::REQUEST_TIMEOUT => refused(ErrorCode::Timeout, "the body did not come in time"),
        _ => refused(ErrorCode::Malformed, "the body broke off"),
    })?;
    let request = serde_json::from_slice(&body).map_err(|error| refused(ErrorCode::Malformed, error.to_string()))?;
    Ok((token, request))
}

fn credential(headers: &http::HeaderMap) -> Result<SealToken, Refused> {
    let unauthenticated = |why| refused(ErrorCode::Unauthenticated, why);
    let mut shown = headers.get_all(SEAL_TOKEN_HEADER).iter();
    let (Some(bearer), None) = (shown.next(), shown.next()) else {
        return Err(unauthenticated("the header X-Seal-Token stands in the request once"));
    };
    let token = bearer.to_str().ok().and_then(|bearer| SealToken::parse(bearer).ok());
    token.ok_or_else(|| unauthenticated("the header X-Seal-Token holds no Seal token"))
}

fn nonce(query: &str) -> Option<[u8; 32]> {
    let mut nonce = [0; 32];
    hex::decode_to_slice(query.strip_prefix("nonce=")?, &mut nonce).ok()?;
    Some(nonce)
}

fn refused(code: ErrorCode, why: impl Into<String>) -> Refused {
    Refused { code, why: why.into() }
}

fn ok(value: &impl Serialize) -> Answer {
    with_status(200, value)
}

fn with_status(status: u16, value: &impl Serialize) -> Answer {
    let internal = StatusCode::INTERNAL_SERVER_ERROR;
    match serde_json::to_vec(value) {
        Ok(body) => json(StatusCode::from_u16(status).unwrap_or(internal), Bytes::from(body)),
        Err(_) => text(internal, "the answer cannot be written"),
    }
}
