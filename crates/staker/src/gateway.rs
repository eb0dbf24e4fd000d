//! The join gateway, 9345, as a worker uses it (docs/join.md).

use std::time::Duration;

use daas_join::{
    AgentConfig, Audience, BasicCredential, CaHash, Endpoint, HEADER_NODE_ADDRESS, HEADER_NODE_NAME,
    HEADER_NODE_PASSWORD, NodePassword,
};
use daas_seal_token::{NodeName, SealToken};
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;

use crate::credentials::{Asked, Credential, Expected};
use crate::error::Error;
use crate::http_client::{Limits, Peer, reason};
use crate::life::Enclave;
use crate::pinned;

const LIMITS: Limits = Limits { time: Duration::from_secs(15), bytes: 64 * 1024 };

/// A gateway whose CA is the attested one.
#[derive(Debug, Clone)]
pub struct Gateway {
    address: String,
    server_ca: Vec<u8>,
    peer: Peer,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// A Seal token of the join purpose.
    pub token: &'a SealToken,
    /// The node.
    pub name: &'a NodeName,
    /// Its registered address.
    pub address: std::net::IpAddr,
    /// Its password.
    pub password: &'a NodePassword,
}

impl Gateway {
    /// Reads `/cacerts` from whoever answers, and takes it if it is what the enclave attested; from then on nothing else is believed.
    pub async fn find(address: &str, enclave: &Enclave) -> Result<Self, Error> {
        const WHAT: &str = "the server CA";
        let anybody = daas_attested_tls::client_config().map_err(|_| Error::Crypto("setting up TLS"))?;
        let request = plain(Endpoint::CaCerts)?;
        let (status, server_ca) = Peer::new(address, anybody)?.exchange(WHAT, request, LIMITS).await?;
        if status != StatusCode::OK {
            return Err(Error::Refused { what: WHAT, status, why: reason(&server_ca) });
        }
        let hash = CaHash::of_cacerts(&server_ca).map_err(|error| Error::handed(WHAT, error))?;
        if hash != CaHash(enclave.server_ca_sha256.0) {
            return Err(Error::OtherCa);
        }
        let peer = Peer::new(address, pinned::by_ca(&server_ca, None)?)?;
        Ok(Self { address: address.to_owned(), server_ca: server_ca.to_vec(), peer })
    }

    /// The server CA, PEM, as attested.
    pub fn server_ca(&self) -> &[u8] {
        &self.server_ca
    }

    /// The same gateway, to which the node shows its certificate.
    pub fn showing(&self, kubelet_client: &[u8]) -> Result<Peer, Error> {
        Peer::new(&self.address, pinned::by_ca(&self.server_ca, Some(kubelet_client))?)
    }

    /// The CA of client certificates, PEM.
    pub async fn client_ca(&self, caller: &Caller<'_>) -> Result<Vec<u8>, Error> {
        const WHAT: &str = "the client CA";
        let pem = self.ask(WHAT, Endpoint::ClientCa, caller, Bytes::new()).await?;
        pinned::roots(&pem)?;
        Ok(pem.to_vec())
    }

    /// What agents are told of the cluster.
    pub async fn config(&self, caller: &Caller<'_>) -> Result<AgentConfig, Error> {
        const WHAT: &str = "the cluster's settings";
        let json = self.ask(WHAT, Endpoint::Config, caller, Bytes::new()).await?;
        AgentConfig::parse(&json).map_err(|error| Error::handed(WHAT, error))
    }

    /// A certificate for a new key.
    pub async fn certificate(
        &self,
        audience: Audience,
        caller: &Caller<'_>,
        expected: &Expected<'_>,
    ) -> Result<Credential, Error> {
        let asked = Asked::new()?;
        let (what, endpoint) = match audience {
            Audience::Kubelet => ("the kubelet's certificate", Endpoint::ClientKubelet),
            Audience::KubeletServing => ("the kubelet's serving certificate", Endpoint::ServingKubelet),
            Audience::KubeProxy => ("kube-proxy's certificate", Endpoint::ClientKubeProxy),
            Audience::Controller => ("the controller's certificate", Endpoint::ClientController),
        };
        let pem = self.ask(what, endpoint, caller, Bytes::copy_from_slice(asked.request())).await?;
        asked.answered(audience, &pem, expected)
    }

    async fn ask(
        &self,
        what: &'static str,
        endpoint: Endpoint,
        caller: &Caller<'_>,
        body: Bytes,
    ) -> Result<Bytes, Error> {
        let mut request = plain(endpoint)?;
        *request.body_mut() = Full::new(body);
        let secret = |text: &str| {
            let value = HeaderValue::from_str(text);
            value.map(|mut value| {
                value.set_sensitive(true);
                value
            })
        };
        let credential = BasicCredential(caller.token.clone()).to_header();
        let headers = [
            (header::AUTHORIZATION.as_str(), secret(&credential)),
            (HEADER_NODE_NAME, HeaderValue::from_str(caller.name.as_str())),
            (HEADER_NODE_PASSWORD, secret(caller.password.expose())),
            (HEADER_NODE_ADDRESS, HeaderValue::from_str(&caller.address.to_string())),
        ];
        for (name, value) in headers {
            let name = http::HeaderName::from_bytes(name.as_bytes()).map_err(|error| Error::exchange(what, error))?;
            request.headers_mut().insert(name, value.map_err(|_| Error::exchange(what, "a header"))?);
        }
        let (status, body) = self.peer.exchange(what, request, LIMITS).await?;
        if status == StatusCode::OK { Ok(body) } else { Err(Error::Refused { what, status, why: reason(&body) }) }
    }
}

fn plain(endpoint: Endpoint) -> Result<Request<Full<Bytes>>, Error> {
    let method = match endpoint.method() {
        daas_join::Method::Get => http::Method::GET,
        daas_join::Method::Post => http::Method::POST,
    };
    let request = Request::builder().method(method).uri(endpoint.path()).body(Full::default());
    request.map_err(|error| Error::exchange("a request", error))
}
