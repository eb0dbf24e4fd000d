//! The API server as the master sees it: a few requests, each on a connection of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use rustls::ClientConfig;
use serde_json::Value;
use tokio::sync::watch;

use crate::{ControlPlaneError, Result};
use daas_https::client::{Request, exchange};

/// Larger than any object (the API server takes 3 MiB).
const LONGEST_ANSWER: usize = 4 << 20;
const SLOWEST: Duration = Duration::from_secs(30);

/// Speaks to the API server as [`crate::authority::MASTER`], or with another certificate.
#[derive(Debug, Clone)]
pub struct ApiClient {
    address: SocketAddr,
    tls: watch::Receiver<Arc<ClientConfig>>,
}

impl ApiClient {
    pub(crate) fn new(address: SocketAddr, tls: watch::Receiver<Arc<ClientConfig>>) -> Self {
        Self { address, tls }
    }

    /// A client with a certificate of its own, which is not renewed: for tests and benchmarks.
    pub fn with_certificate(address: SocketAddr, tls: Arc<ClientConfig>) -> Self {
        // A receiver whose sender is gone keeps the last value.
        Self { address, tls: watch::channel(tls).1 }
    }

    /// Where the API server listens, for clients with other needs (watches).
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The TLS configuration of the moment; it changes with renewals.
    pub fn tls(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.tls.borrow())
    }

    /// Reads; 404 is an answer.
    pub async fn get(&self, path: &str) -> Result<(StatusCode, Value)> {
        self.send("GET", Request::plain(Method::GET, path)).await
    }

    /// Creates an object.
    pub async fn create(&self, path: &str, object: &Value) -> Result<(StatusCode, Value)> {
        let body = object.to_string().into_bytes();
        self.send("POST", Request { body, ..Request::plain(Method::POST, path) }).await
    }

    /// Deletes an object.
    pub async fn delete(&self, path: &str) -> Result<(StatusCode, Value)> {
        self.send("DELETE", Request::plain(Method::DELETE, path)).await
    }

    /// Server-side apply as `manager`, taking over fields that others set.
    pub async fn apply(&self, path: &str, manager: &str, object: &Value) -> Result<(StatusCode, Value)> {
        let request = Request {
            method: Method::PATCH,
            path: format!("{path}?fieldManager={manager}&force=true"),
            content_type: "application/apply-patch+yaml",
            body: object.to_string().into_bytes(),
        };
        self.send("PATCH", request).await
    }

    /// Takes away the finalizers of an object (RFC 7396), through its status if `path` says so.
    pub async fn strip_finalizers(&self, path: &str) -> Result<(StatusCode, Value)> {
        let request = Request {
            method: Method::PATCH,
            path: path.to_owned(),
            content_type: "application/merge-patch+json",
            body: br#"{"metadata":{"finalizers":null}}"#.to_vec(),
        };
        self.send("PATCH", request).await
    }

    async fn send(&self, method: &'static str, request: Request) -> Result<(StatusCode, Value)> {
        let (path, address) = (request.path.clone(), self.address);
        let fault = |cause: String| ControlPlaneError::Request { method, path: path.clone(), address, cause };
        let (status, body) = tokio::time::timeout(SLOWEST, exchange(self.address, self.tls(), request, LONGEST_ANSWER))
            .await
            .map_err(|_| fault(format!("no answer within {} s", SLOWEST.as_secs())))?
            .map_err(&fault)?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }
}
