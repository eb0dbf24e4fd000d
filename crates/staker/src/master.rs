//! The master's API as a worker uses it: types of `daas_join::master_api`, over connections whose key was attested.

use std::net::IpAddr;
use std::time::Duration;

use daas_join::master_api::{
    ErrorAnswer, ErrorCode, Heartbeat, HeartbeatAnswer, NodeAddress, NodeResources, RegisterWorker, RegisteredWorker,
    SEAL_TOKEN_HEADER, path,
};
use daas_seal_token::SealToken;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::chain::now_ms;
use crate::error::Error;
use crate::http_client::{Limits, Peer, reason};
use crate::judge::MasterWord;
use crate::life::{Enclave, Place, Staked};
use crate::pinned;

/// No answer to a worker is longer.
const LIMITS: Limits = Limits { time: Duration::from_secs(10), bytes: 16 * 1024 };
/// A master may ask for other periods, but neither for a flood nor for silence.
const PERIOD: std::ops::RangeInclusive<u64> = 1..=300;

/// A master whose enclave was verified.
#[derive(Debug, Clone)]
pub struct Master {
    peer: Peer,
}

impl Master {
    /// The master at `host:port` whose key is the enclave's.
    pub fn new(address: &str, enclave: &Enclave) -> Result<Self, Error> {
        Ok(Self { peer: Peer::new(address, pinned::by_key(enclave.tls_spki_sha256.0)?)? })
    }

    /// Registers the node; asking again changes nothing.
    pub async fn register(
        &self,
        token: &SealToken,
        staked: &Staked,
        address: IpAddr,
        resources: NodeResources,
    ) -> Result<Place, Error> {
        const WHAT: &str = "registering the worker";
        let bad_address = |_| Error::Address { what: "the node's own", text: address.to_string() };
        let request = RegisterWorker {
            node_name: staked.name.clone(),
            address: NodeAddress::try_from(address).map_err(bad_address)?,
            timestamp_ms: now_ms(),
            resources,
        };
        let answer: RegisteredWorker = self.post(WHAT, path::REGISTER_WORKER, token, &request).await?;
        if answer.node_name != staked.name {
            return Err(Error::handed("registration", "it is for another node"));
        }
        Ok(Place {
            address,
            pod_cidr: answer.pod_cidr,
            cluster_cidr: answer.cluster_cidr,
            service_cidr: answer.service_cidr,
            cluster_dns: answer.cluster_dns,
            cluster_domain: answer.cluster_domain,
            heartbeat_seconds: period(answer.heartbeat_seconds.into()),
        })
    }

    /// Says that the node is there. Gives back the seconds until the next time.
    pub async fn heartbeat(&self, token: &SealToken, beat: &Heartbeat) -> Result<u64, Error> {
        let answer: HeartbeatAnswer = self.post("the heartbeat", path::HEARTBEAT, token, beat).await?;
        Ok(period(answer.heartbeat_seconds.into()))
    }

    async fn post<T: DeserializeOwned>(
        &self,
        what: &'static str,
        path: &str,
        token: &SealToken,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::exchange(what, error))?;
        let bearer = Zeroizing::new(token.to_bearer());
        let mut shown = HeaderValue::from_str(&bearer).map_err(|_| Error::Crypto("writing the Seal token"))?;
        shown.set_sensitive(true);
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .header(SEAL_TOKEN_HEADER, shown)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| Error::exchange(what, error))?;
        let (status, body) = self.peer.exchange(what, request, LIMITS).await?;
        if status != StatusCode::OK {
            return Err(match serde_json::from_slice::<ErrorAnswer>(&body) {
                Ok(answer) => Error::Master { what, code: answer.code, why: reason(answer.error.as_bytes()) },
                Err(_) => Error::Refused { what, status, why: reason(&body) },
            });
        }
        serde_json::from_slice(&body).map_err(|error| Error::exchange(what, format_args!("the answer: {error}")))
    }
}

/// What an error of the master means for this worker's identity. Only the code that says so counts: a status alone may come from a
/// clock, a mistake or an overload.
pub fn word(error: &Error) -> MasterWord {
    match error {
        Error::Master { code: ErrorCode::IdentityOver, .. } => MasterWord::Over,
        _ => MasterWord::Nothing,
    }
}

fn period(seconds: u64) -> u64 {
    seconds.clamp(*PERIOD.start(), *PERIOD.end())
}
