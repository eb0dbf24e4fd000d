//! The join gateway, 9345: k3s' supervisor protocol for agents, an allow-list of paths (docs/join.md). Whoever calls is judged
//! live; names, addresses and groups in certificates are the registry's, keys are the requester's.

#[cfg(test)]
mod tests;
mod upgrade;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use daas_join::{
    Access, AgentConfig, Audience, BasicCredential, CertificateRequest, Endpoint, MAX_REQUEST_BYTES, NodeFacts,
    NodeHeaders, NodeSubject, PasswordBook, Profile,
};
use daas_seal_token::{NodeIdentity, NodeName};
use http::request::Parts;
use http::{Request, StatusCode, header};
use hyper::body::Incoming;
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use crate::clock::now_ms;
use crate::error::Error;
use crate::issuer::Signer;
use crate::journal::Journal;
use crate::nodes::Nodes;
use crate::offences::Offences;
use crate::tunnel::{Tunnel, Tunnels};
use crate::verdicts::{Denial, RegistryView, Verdicts};
use daas_https::server::{Answer, Handler, Peer, json, read_body, text};

const BODY_TIME: Duration = Duration::from_secs(10);

/// What the gateway hands out to everybody who may have it.
#[derive(Debug, Clone)]
pub struct Documents {
    /// `/cacerts` and `/v1-k3s/server-ca.crt`: the exact bytes whose hash is attested.
    pub server_ca: Vec<u8>,
    /// The CA of client certificates.
    pub client_ca: Vec<u8>,
    /// The cluster's settings.
    pub config: AgentConfig,
    /// Where the API servers are, as `host:port`.
    pub api_servers: Vec<String>,
}

/// The two CAs that sign for nodes. Not one of them is the server CA: no node can pass for the API server.
#[derive(Clone)]
pub struct Signers {
    /// Signs client certificates.
    pub client: Arc<dyn Signer>,
    /// Signs kubelets' serving certificates.
    pub kubelet_serving: Arc<dyn Signer>,
}

/// The join gateway.
pub struct Gateway<V> {
    verdicts: Arc<Verdicts<V>>,
    nodes: Arc<Nodes>,
    tunnels: Arc<Tunnels>,
    documents: Documents,
    signers: Signers,
    passwords: Mutex<PasswordBook>,
    journal: Arc<Journal>,
    offences: Arc<Offences>,
    ready: AtomicBool,
}

impl<V: RegistryView> Gateway<V> {
    /// A gateway that is not ready yet: agents wait.
    pub fn new(
        verdicts: Arc<Verdicts<V>>,
        nodes: Arc<Nodes>,
        tunnels: Arc<Tunnels>,
        documents: Documents,
        signers: Signers,
        passwords: PasswordBook,
        journal: Arc<Journal>,
    ) -> Self {
        let (passwords, offences, ready) = (Mutex::new(passwords), Arc::default(), AtomicBool::new(false));
        Self { verdicts, nodes, tunnels, documents, signers, passwords, journal, offences, ready }
    }

    /// The control plane is ready, or not any more.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Forgets a node whose stake is over; its name is never given again.
    pub fn forget(&self, name: &NodeName) {
        self.passwords().forget(name);
        self.journal.forgotten(name);
    }

    /// What workers were seen doing.
    pub fn offences(&self) -> &Offences {
        &self.offences
    }

    /// What is remembered of nodes' passwords: the salt, and each one's hash.
    pub fn remembered_passwords(&self) -> ([u8; 32], Vec<(NodeName, [u8; 32])>) {
        let passwords = self.passwords();
        (passwords.salt(), passwords.hashes().map(|(name, hash)| (name.clone(), *hash)).collect())
    }

    /// Whoever calls: by a Seal token, or else by a kubelet certificate. A request that shows two nodes is nobody's.
    fn caller(&self, parts: &Parts, peer: &Peer, node: Option<&NodeName>) -> Result<NodeIdentity, Refused> {
        let by_certificate = peer.certificate.as_ref().map(|leaf| {
            let subject = NodeSubject::of_kubelet(leaf)?;
            self.verdicts.certificate(&subject, now_ms()).map_err(Refused::from)
        });
        let by_token = credential(parts)?.map(|BasicCredential(token)| self.verdicts.joining(&token, node, now_ms()));
        match (by_token, by_certificate) {
            (Some(Ok(token)), Some(Ok(certificate))) if token.name != certificate.name => {
                Err(Refused(StatusCode::FORBIDDEN, "token and certificate are two nodes'".to_owned()))
            }
            (Some(Ok(identity)), _) | (_, Some(Ok(identity))) => Ok(identity),
            (Some(Err(denial)), _) => Err(denial.into()),
            (None, Some(Err(refused))) => Err(refused),
            (None, None) => Err(Refused(StatusCode::UNAUTHORIZED, "show a Seal token".to_owned())),
        }
    }

    async fn serve(&self, request: Request<Incoming>, peer: &Peer) -> Result<Answer, Refused> {
        let endpoint = Endpoint::route(request.method().as_str(), target(&request))?;
        if endpoint == Endpoint::Connect {
            return self.connect(request, peer);
        }
        let (parts, body) = request.into_parts();
        match endpoint.access() {
            Access::Open => Ok(self.document(endpoint)),
            Access::TokenOrCertificate => {
                let caller = self.caller(&parts, peer, None)?;
                match audience(endpoint) {
                    Some(audience) => self.certificate(audience, caller, body).await,
                    None => Ok(self.document(endpoint)),
                }
            }
            Access::Node => {
                let headers =
                    NodeHeaders::read(|name| parts.headers.get_all(name).iter().map(http::HeaderValue::as_bytes))?;
                let caller = self.caller(&parts, peer, Some(&headers.name))?;
                self.check_node(&headers, &caller)?;
                let audience = audience(endpoint).ok_or(Refused::from(daas_join::Error::Path))?;
                self.certificate(audience, caller, body).await
            }
            Access::Certificate => Err(daas_join::Error::Path.into()),
        }
    }

    fn check_node(&self, headers: &NodeHeaders, caller: &NodeIdentity) -> Result<(), Refused> {
        let forbidden = |why: &str| Refused(StatusCode::FORBIDDEN, why.to_owned());
        if headers.name != caller.name {
            return Err(forbidden("the request is for another node's name"));
        }
        let record = self.nodes.get(&caller.name).ok_or_else(|| forbidden("the node is not registered yet"))?;
        if headers.addresses.iter().any(|address| *address != record.address) {
            return Err(forbidden("the request is for another address than the node registered with"));
        }
        // Last: a request that is refused for something else leaves no password behind.
        let new = {
            let mut passwords = self.passwords();
            let known = passwords.hash_of(&headers.name).is_some();
            passwords.check(&headers.name, &headers.password).map_err(|error| forbidden(&error.to_string()))?;
            passwords.hash_of(&headers.name).filter(|_| !known)
        };
        if let Some(hash) = new {
            self.journal.password(&headers.name, hash);
        }
        Ok(())
    }

    fn passwords(&self) -> MutexGuard<'_, PasswordBook> {
        self.passwords.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn certificate(&self, audience: Audience, caller: NodeIdentity, body: Incoming) -> Result<Answer, Refused> {
        let record = self.nodes.get(&caller.name);
        let record = record.ok_or(Refused(StatusCode::FORBIDDEN, "the node is not registered yet".to_owned()))?;
        let der = read_body(body, MAX_REQUEST_BYTES, BODY_TIME).await;
        let der = der.map_err(|status| Refused(status, "the certificate request did not arrive".to_owned()))?;
        let request = CertificateRequest::parse(&der)?;
        let profile = Profile::new(audience, &NodeFacts { identity: caller, address: Some(record.address) });
        let signer = match audience {
            Audience::KubeletServing => &self.signers.kubelet_serving,
            Audience::Kubelet | Audience::KubeProxy | Audience::Controller => &self.signers.client,
        };
        tracing::info!(node = %record.name, ?audience, "certificate signed");
        Ok(text(StatusCode::OK, signer.sign(&profile, &request)?))
    }

    fn document(&self, endpoint: Endpoint) -> Answer {
        let pem = |bytes: &[u8]| text(StatusCode::OK, String::from_utf8_lossy(bytes).into_owned());
        match endpoint {
            Endpoint::CaCerts | Endpoint::ServerCa => pem(&self.documents.server_ca),
            Endpoint::ClientCa => pem(&self.documents.client_ca),
            Endpoint::Ping => text(StatusCode::OK, "pong"),
            Endpoint::Ready if self.ready.load(Ordering::Relaxed) => text(StatusCode::OK, "ok"),
            Endpoint::Ready => text(StatusCode::INTERNAL_SERVER_ERROR, "the control plane is not ready"),
            Endpoint::Config => match self.documents.config.to_json() {
                Ok(config) => json(StatusCode::OK, config),
                Err(error) => Refused::from(error).into(),
            },
            Endpoint::ApiServers => json(StatusCode::OK, serde_json::json!(self.documents.api_servers).to_string()),
            Endpoint::ServingKubelet
            | Endpoint::ClientKubelet
            | Endpoint::ClientKubeProxy
            | Endpoint::ClientController
            | Endpoint::Connect => Refused::from(daas_join::Error::Path).into(),
        }
    }

    /// The tunnel: a kubelet certificate and nothing else.
    fn connect(&self, mut request: Request<Incoming>, peer: &Peer) -> Result<Answer, Refused> {
        let leaf = peer.certificate.as_ref();
        let leaf = leaf.ok_or(Refused(StatusCode::UNAUTHORIZED, "show a kubelet certificate".to_owned()))?;
        let subject = NodeSubject::of_kubelet(leaf)?;
        self.verdicts.certificate(&subject, now_ms())?;
        if self.nodes.get(&subject.name).is_none() {
            return Err(Refused(StatusCode::FORBIDDEN, "the node is not registered yet".to_owned()));
        }
        let key = public_key_hash(leaf).ok_or(daas_join::Error::Subject)?;
        let tunnel = Tunnel { subject, key, from: peer.address, session: self.tunnels.session() };
        upgrade::accept(&mut request, tunnel, Arc::clone(&self.tunnels), Arc::clone(&self.offences), {
            let verdicts = Arc::clone(&self.verdicts);
            move |subject| verdicts.certificate(subject, now_ms()).is_ok()
        })
        .ok_or(Refused(StatusCode::BAD_REQUEST, "not a websocket's beginning".to_owned()))
    }
}

impl<V: RegistryView> Handler for Gateway<V> {
    async fn answer(self: Arc<Self>, request: Request<Incoming>, peer: Arc<Peer>) -> Answer {
        self.serve(request, &peer).await.unwrap_or_else(|refused| {
            tracing::debug!(status = %refused.0, why = refused.1, peer = ?peer.address, "refused at the join gateway");
            refused.into()
        })
    }
}

/// Why a request is not served, as its sender is told.
struct Refused(StatusCode, String);

impl From<daas_join::Error> for Refused {
    fn from(error: daas_join::Error) -> Self {
        use daas_join::Error as Join;
        let status = match &error {
            Join::Path => StatusCode::NOT_FOUND,
            Join::Method => StatusCode::METHOD_NOT_ALLOWED,
            Join::Credential | Join::SealToken(_) | Join::Subject => StatusCode::UNAUTHORIZED,
            Join::WrongPassword => StatusCode::FORBIDDEN,
            Join::Encoding | Join::PasswordBookFull | Join::Config(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        Self(status, error.to_string())
    }
}

impl From<Denial> for Refused {
    fn from(denial: Denial) -> Self {
        use daas_seal_token::Refusal;
        let status = match &denial {
            Denial::Refused(Refusal::WrongNode(_) | Refusal::NotAWorker(_)) | Denial::Mismatch => StatusCode::FORBIDDEN,
            Denial::Refused(Refusal::Stale(_)) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        };
        Self(status, denial.to_string())
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl From<Refused> for Answer {
    fn from(Refused(status, why): Refused) -> Self {
        text(status, why)
    }
}

/// The target in origin form; a proxy's form (with a host) is none of the list.
fn target(request: &Request<Incoming>) -> &str {
    let uri = request.uri();
    if uri.authority().is_some() {
        return "";
    }
    uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str)
}

/// SHA-256 of a certificate's public key (RFC 5280, SubjectPublicKeyInfo), which stays the same when it is renewed with its key.
fn public_key_hash(leaf: &[u8]) -> Option<[u8; 32]> {
    let certificate = Certificate::from_der(leaf).ok()?;
    let key = certificate.tbs_certificate.subject_public_key_info.to_der().ok()?;
    digest(&SHA256, &key).as_ref().try_into().ok()
}

fn credential(parts: &Parts) -> Result<Option<BasicCredential>, Refused> {
    let mut all = parts.headers.get_all(header::AUTHORIZATION).iter();
    let Some(first) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(daas_join::Error::RepeatedHeader("authorization").into());
    }
    let header = first.to_str().map_err(|_| daas_join::Error::Credential)?;
    Ok(Some(BasicCredential::parse(header)?))
}

fn audience(endpoint: Endpoint) -> Option<Audience> {
    match endpoint {
        Endpoint::ServingKubelet => Some(Audience::KubeletServing),
        Endpoint::ClientKubelet => Some(Audience::Kubelet),
        Endpoint::ClientKubeProxy => Some(Audience::KubeProxy),
        Endpoint::ClientController => Some(Audience::Controller),
        _ => None,
    }
}
