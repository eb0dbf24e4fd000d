//! What only a development chain has: a faucet and a clock that can be moved. JSON over HTTP, on the API's own port.
//!
//! - `POST /v2/gas {"FixedAmountRequest": {"recipient": "0x…"}}`: as Sui's faucets (`sui client faucet`, the SDK's `FaucetClient`).
//! - `POST /dev/faucet {"recipient": "0x…", "amounts": [1000000000]}`: coins of these amounts in MIST.
//! - `POST /dev/advance-clock {"milliseconds": 3600000}`: moves the chain's time forward.
//!
//! Web pages get nothing. Only `application/json` is taken: a browser asks before it sends that to another site, and gets no
//! permission here. A page whose own name was made to mean this machine need not ask (DNS rebinding): what a browser says of
//! its requests gives it away.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;
use std::time::Duration;
use sui_sdk_types::{Address, Digest};
use tonic::transport::Channel;
use tower::{Service, ServiceExt};

use super::{SERVER, status};
use crate::{
    Error,
    faucet::{Faucet, Gift},
    ledger::Ledger,
};

/// What Sui's local faucet gives: five coins of 200 SUI.
const FIXED_GIFT: [u64; 5] = [200_000_000_000; 5];
const MAX_BODY: usize = 64 * 1024;
/// The farthest that the clock moves at once: ten years.
const MAX_ADVANCE_MS: u64 = 10 * 366 * 86_400_000;

#[derive(Clone)]
struct Control {
    ledger: Ledger,
    faucet: Faucet,
}

/// The HTTP endpoints; every other path that no gRPC service takes is answered with `UNIMPLEMENTED`.
pub(super) fn router(ledger: Ledger, faucet: Faucet) -> Router {
    Router::new()
        .route("/", get(|| async { SERVER }))
        .route("/v2/gas", post(fixed_gift))
        .route("/dev/faucet", post(gift))
        .route("/dev/advance-clock", post(advance_clock))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .fallback(unknown)
        .with_state(Control { ledger, faucet })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FixedRequest {
    #[serde(rename = "FixedAmountRequest")]
    request: Recipient,
}

#[derive(Deserialize)]
struct Recipient {
    recipient: Address,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaucetRequest {
    recipient: Address,
    amounts: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceRequest {
    milliseconds: u64,
}

#[derive(Deserialize)]
struct Advanced {
    timestamp_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CoinInfo {
    amount: u64,
    id: Address,
    transfer_tx_digest: Digest,
}

#[derive(Deserialize)]
struct FaucetResponse {
    coins_sent: Vec<CoinInfo>,
}

async fn fixed_gift(State(control): State<Control>, headers: HeaderMap, body: Bytes) -> Response {
    match parse::<FixedRequest>(&headers, &body) {
        Ok(request) => answer_gift(control.faucet.fund(request.request.recipient, &FIXED_GIFT).await),
        Err(response) => *response,
    }
}

async fn gift(State(control): State<Control>, headers: HeaderMap, body: Bytes) -> Response {
    match parse::<FaucetRequest>(&headers, &body) {
        Ok(request) => answer_gift(control.faucet.fund(request.recipient, &request.amounts).await),
        Err(response) => *response,
    }
}

async fn advance_clock(State(control): State<Control>, headers: HeaderMap, body: Bytes) -> Response {
    let milliseconds = match parse::<AdvanceRequest>(&headers, &body) {
        Ok(request) if request.milliseconds <= MAX_ADVANCE_MS => request.milliseconds,
        Ok(_) => return error(StatusCode::BAD_REQUEST, &format!("the clock moves by at most {MAX_ADVANCE_MS} ms")),
        Err(response) => return *response,
    };
    match control.ledger.advance_clock(Duration::from_millis(milliseconds)).await {
        Ok(timestamp_ms) => json_response(StatusCode::OK, &json!({ "timestamp_ms": timestamp_ms })),
        Err(cause) => error(StatusCode::SERVICE_UNAVAILABLE, &cause.to_string()),
    }
}

/// gRPC clients read `UNIMPLEMENTED`, people a 404.
async fn unknown(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let grpc = headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if grpc {
        let (parts, ()) = status::unserved(uri.path()).into_http::<()>().into_parts();
        return Response::from_parts(parts, Body::empty());
    }
    error(StatusCode::NOT_FOUND, &format!("{method} {} is not served by {SERVER}", uri.path()))
}

fn parse<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Box<Response>> {
    // Pages can neither leave these out of a POST nor set them (Fetch, "forbidden request-header").
    if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
        return Err(Box::new(error(StatusCode::FORBIDDEN, "web pages are not served")));
    }
    let json = headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    if !json {
        return Err(Box::new(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send content-type: application/json")));
    }
    serde_json::from_slice(body).map_err(|cause| Box::new(error(StatusCode::BAD_REQUEST, &cause.to_string())))
}

fn answer_gift(gift: Result<Gift, Error>) -> Response {
    match gift {
        Ok(gift) => {
            let coins: Vec<_> = gift
                .coins
                .into_iter()
                .map(|(id, amount)| CoinInfo { amount, id, transfer_tx_digest: gift.transaction })
                .collect();
            json_response(StatusCode::CREATED, &json!({ "status": "Success", "coins_sent": coins }))
        }
        Err(cause @ Error::Busy(_)) => error(StatusCode::TOO_MANY_REQUESTS, &cause.to_string()),
        Err(cause @ Error::Faucet(_)) => error(StatusCode::BAD_REQUEST, &cause.to_string()),
        Err(cause) => error(StatusCode::SERVICE_UNAVAILABLE, &cause.to_string()),
    }
}

fn error(status: StatusCode, message: &str) -> Response {
    json_response(status, &json!({ "status": { "Failure": { "Internal": message } }, "error": message }))
}

fn json_response(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// A client of the development-only endpoints.
#[derive(Clone)]
pub struct ControlClient {
    channel: Channel,
}

impl ControlClient {
    /// Connects to the chain at `url`, the same as for gRPC (`http://127.0.0.1:9000`).
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let endpoint = Channel::from_shared(url.to_owned()).map_err(control_error)?;
        let channel = endpoint.connect_timeout(Duration::from_secs(5)).connect().await.map_err(control_error)?;
        Ok(Self { channel })
    }

    /// Asks the faucet for one coin per amount (MIST).
    pub async fn fund(&mut self, recipient: Address, amounts: &[u64]) -> Result<Gift, Error> {
        let request = FaucetRequest { recipient, amounts: amounts.to_vec() };
        let response: FaucetResponse = self.post("/dev/faucet", &request).await?;
        let transaction = response
            .coins_sent
            .first()
            .map(|coin| coin.transfer_tx_digest)
            .ok_or_else(|| Error::Control("the faucet sent no coins".to_owned()))?;
        Ok(Gift { transaction, coins: response.coins_sent.iter().map(|coin| (coin.id, coin.amount)).collect() })
    }

    /// Moves the chain's clock forward; returns the chain's time in Unix milliseconds.
    pub async fn advance_clock(&mut self, by: Duration) -> Result<u64, Error> {
        let milliseconds = u64::try_from(by.as_millis()).map_err(control_error)?;
        let advanced: Advanced = self.post("/dev/advance-clock", &AdvanceRequest { milliseconds }).await?;
        Ok(advanced.timestamp_ms)
    }

    async fn post<Q: Serialize, A: DeserializeOwned>(&mut self, path: &str, request: &Q) -> Result<A, Error> {
        let body = serde_json::to_vec(request).map_err(control_error)?;
        let request = http::Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(tonic::body::Body::new(Body::from(body)))
            .map_err(control_error)?;
        let response = self.channel.ready().await.map_err(control_error)?.call(request).await.map_err(control_error)?;
        let status = response.status();
        let body = axum::body::to_bytes(Body::new(response.into_body()), MAX_BODY).await.map_err(control_error)?;
        if !status.is_success() {
            let text = serde_json::from_slice::<serde_json::Value>(&body).ok();
            let text = text.and_then(|body| body["error"].as_str().map(str::to_owned));
            return Err(Error::Control(text.unwrap_or_else(|| status.to_string())));
        }
        serde_json::from_slice(&body).map_err(control_error)
    }
}

fn control_error(error: impl std::fmt::Display) -> Error {
    Error::Control(error.to_string())
}
