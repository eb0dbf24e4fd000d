use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::protocol::{read_request, write_answer};
use super::{Host, Refusal, RefusalCode, Target};
use crate::accept::{Accept, Slots, each_connection};
use crate::carry::{Limits, Traffic, carry};
use crate::{Error, Result, Stream};

const REQUEST_TIME: Duration = Duration::from_secs(5);
const DIAL_TIME: Duration = Duration::from_secs(10);

/// A destination that the parent opens, and what it connects to for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The name that the enclave asks for.
    pub host: Host,
    /// The port that it asks for.
    pub port: u16,
    /// `address:port` or `name:port`, looked up by the parent's system.
    pub to: String,
}

/// All destinations that the parent opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes(HashMap<Target, String>);

/// The parent's side: opens connections that the enclave asks for, as far as its routes go.
#[derive(Debug, Clone)]
pub struct Gateway {
    routes: Arc<Routes>,
    connections: usize,
    traffic: Arc<Traffic>,
}

impl Routes {
    /// These.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Self {
        Self(routes.into_iter().map(|Route { host, port, to }| (Target { host, port }, to)).collect())
    }
}

impl Gateway {
    /// Opens these routes, so many connections at once.
    pub fn new(routes: Routes, connections: usize) -> Self {
        Self { routes: Arc::new(routes), connections, traffic: Arc::default() }
    }

    /// What has been carried; the enclave is on the left.
    pub fn traffic(&self) -> Arc<Traffic> {
        Arc::clone(&self.traffic)
    }

    /// Serves the enclave until `stop`.
    pub async fn serve<A>(self, listener: A, stop: CancellationToken)
    where
        A: Accept,
        A::Stream: Into<Stream>,
    {
        let open = Slots::new(self.connections, self.connections);
        // As many again may be asking, to be told that there are too many.
        let asking = Slots::new(self.connections.saturating_mul(2), usize::MAX);
        each_connection(listener, asking, stop, |stream, _| {
            let (gateway, open) = (self.clone(), Arc::clone(&open));
            async move { gateway.serve_one(stream.into(), &open).await }
        })
        .await;
    }

    async fn serve_one(&self, mut enclave: Stream, open: &Arc<Slots>) {
        let Ok(request) = tokio::time::timeout(REQUEST_TIME, read_request(&mut enclave)).await else { return };
        let opened = match open.take(None) {
            None => Err(Refusal::new(RefusalCode::Busy, "too many connections are open")),
            Some(slot) => self.open(request).await.map(|stream| (stream, slot)),
        };
        match opened {
            Ok((outside, _slot)) => {
                if write_answer(&mut enclave, Ok(())).await.is_ok() {
                    carry(enclave, outside, Limits::default(), &self.traffic).await;
                }
            }
            Err(refusal) => {
                let _ = tokio::time::timeout(REQUEST_TIME, write_answer(&mut enclave, Err(&refusal))).await;
            }
        }
    }

    async fn open(&self, request: Result<Target>) -> Result<Stream, Refusal> {
        let target = match request {
            Ok(target) => target,
            Err(error @ Error::NoTarget(_)) => return Err(Refusal::new(RefusalCode::NotAllowed, &error.to_string())),
            Err(error) => return Err(Refusal::new(RefusalCode::BadRequest, &error.to_string())),
        };
        let Some(to) = self.routes.0.get(&target) else {
            return Err(Refusal::new(RefusalCode::NotAllowed, &format!("{target} is not among the routes")));
        };
        let unreachable = |why: &str| Refusal::new(RefusalCode::Unreachable, &format!("{target}: {why}"));
        match tokio::time::timeout(DIAL_TIME, Stream::connect_tcp(to.as_str())).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(cause)) => Err(unreachable(&cause.to_string())),
            Err(_) => Err(unreachable("no connection in time")),
        }
    }
}
