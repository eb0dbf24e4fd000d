//! kube-apiserver's questions, on loopback with mutual TLS: who is this bearer (`POST /token`), may this user go on
//! (`POST /access`), who began what on which connection (`POST /audit`); on a port of its own, is what a node reports true
//! (`POST /admission`): an administrator may configure a webhook of the same address, which is then called with the same
//! certificate and must find nothing else there.
//!
//! Every answer comes from memory and is prompt: a registry that is too old denies, with the reason.

mod admission;
mod audit;
mod reviews;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use tokio::sync::Semaphore;

use crate::clock::now_ms;
use crate::connections::Connections;
use crate::journal::Journal;
use crate::nodes::Nodes;
use crate::verdicts::{RegistryView, Verdicts};
use daas_https::server::{Answer, Handler, Peer, json, read_body, text};

pub use admission::admission_review;
pub use audit::{AuditEvent, AuditEvents, record};
pub use reviews::{access_review, token_review};

/// A review is a few kilobytes; a user with thousands of groups is none of ours.
const MAX_REVIEW_BYTES: usize = 256 * 1024;
/// Old and new object; etcd takes 1.5 MiB of one.
const MAX_ADMISSION_BYTES: usize = 4 * 1024 * 1024;
/// kube-apiserver takes a megabyte of headers, each byte of which may become six in JSON. Its audit sender must be allowed
/// as much (docs/join.md), or a long header would keep an event from arriving.
const MAX_AUDIT_BYTES: usize = 16 * 1024 * 1024;
/// Audit bodies in memory at the same time, in units of [`MAX_AUDIT_BYTES`].
const AUDITS_AT_ONCE: usize = 4;
const BODY_TIME: Duration = Duration::from_secs(10);

/// Answers kube-apiserver.
pub struct Webhooks<V> {
    verdicts: Arc<Verdicts<V>>,
    connections: Arc<Connections>,
    journal: Arc<Journal>,
    audits: Semaphore,
}

/// Judges what nodes report.
pub struct Admission<V> {
    verdicts: Arc<Verdicts<V>>,
    nodes: Arc<Nodes>,
}

impl<V: RegistryView> Webhooks<V> {
    /// The verdicts that are asked, the connections that audit events explain, and where the makers of tokens are noted.
    pub fn new(verdicts: Arc<Verdicts<V>>, connections: Arc<Connections>, journal: Arc<Journal>) -> Self {
        Self { verdicts, connections, journal, audits: Semaphore::new(AUDITS_AT_ONCE) }
    }

    async fn audit(&self, body: Incoming) -> Answer {
        // Waiting here holds nothing but the connection: kube-apiserver has one audit sender.
        let Ok(_permit) = self.audits.acquire().await else { return text(StatusCode::SERVICE_UNAVAILABLE, "") };
        let recorded = match read_body(body, MAX_AUDIT_BYTES, BODY_TIME).await {
            Ok(body) => AuditEvents::parse(&body).ok_or(StatusCode::BAD_REQUEST),
            Err(status) => Err(status),
        };
        match recorded {
            Ok(events) => {
                for event in &events.items {
                    record(&self.verdicts, &self.connections, &self.journal, event, now_ms());
                }
                text(StatusCode::OK, "")
            }
            Err(status) => {
                tracing::warn!(%status, "audit events were lost");
                self.connections.note_loss();
                text(status, "")
            }
        }
    }
}

impl<V: RegistryView> Admission<V> {
    /// Judged by what the master recorded.
    pub fn new(verdicts: Arc<Verdicts<V>>, nodes: Arc<Nodes>) -> Self {
        Self { verdicts, nodes }
    }
}

impl<V: RegistryView> Handler for Webhooks<V> {
    async fn answer(self: Arc<Self>, request: Request<Incoming>, _peer: Arc<Peer>) -> Answer {
        // kube-apiserver adds `?timeout=…`.
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/audit") => self.audit(request.into_body()).await,
            (&Method::POST, "/token") => {
                review(request, MAX_REVIEW_BYTES, |body| token_review(&self.verdicts, body, now_ms())).await
            }
            (&Method::POST, "/access") => {
                review(request, MAX_REVIEW_BYTES, |body| access_review(&self.verdicts, body, now_ms())).await
            }
            _ => text(StatusCode::NOT_FOUND, ""),
        }
    }
}

impl<V: RegistryView> Handler for Admission<V> {
    async fn answer(self: Arc<Self>, request: Request<Incoming>, _peer: Arc<Peer>) -> Answer {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/admission") => {
                review(request, MAX_ADMISSION_BYTES, |body| admission_review(&self.verdicts, &self.nodes, body)).await
            }
            _ => text(StatusCode::NOT_FOUND, ""),
        }
    }
}

async fn review(request: Request<Incoming>, max: usize, judge: impl FnOnce(&[u8]) -> Option<String>) -> Answer {
    let body = match read_body(request.into_body(), max, BODY_TIME).await {
        Ok(body) => body,
        Err(status) => return text(status, ""),
    };
    match judge(&body) {
        Some(review) => json(StatusCode::OK, review),
        None => text(StatusCode::BAD_REQUEST, "no review of a version that is known"),
    }
}
