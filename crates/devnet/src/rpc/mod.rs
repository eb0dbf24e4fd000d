//! The gRPC API of a Sui full node, and the development-only endpoints beside it.

mod control;
mod execution_service;
mod ledger_service;
mod package_service;
mod paging;
mod render;
mod resolve;
mod signature_service;
mod state_service;
mod status;
mod subscription_service;

use std::{sync::Arc, time::Duration};

use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_rpc::proto::sui::rpc::v2::{
    ledger_service_server::LedgerServiceServer,
    move_package_service_server::MovePackageServiceServer,
    name_service_server::{NameService, NameServiceServer},
    signature_verification_service_server::SignatureVerificationServiceServer,
    state_service_server::StateServiceServer,
    subscription_service_server::SubscriptionServiceServer,
    transaction_execution_service_server::TransactionExecutionServiceServer,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    service::Routes,
    transport::{Server, server::TcpIncoming},
};

pub use control::ControlClient;

use crate::{Error, faucet::Faucet, ledger::Ledger};

/// What the chain calls itself, in service info and headers.
pub(crate) const SERVER: &str =
    concat!("daas-devnet/", env!("CARGO_PKG_VERSION"), " (development chain, not a Sui network)");
/// Human-readable name of the chain.
pub(crate) const CHAIN: &str = "daas-devnet";

/// Simulations at once: they are CPU-bound.
const SIMULATIONS: usize = 2;
/// Requests in progress on one connection.
const CONCURRENT_REQUESTS: usize = 256;
/// Streams of one connection.
const CONCURRENT_STREAMS: u32 = 1024;
/// A peer that does not answer pings for this long is gone.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// What every service works on.
#[derive(Clone)]
pub(crate) struct Api {
    ledger: Ledger,
    stop: CancellationToken,
    simulations: Arc<Semaphore>,
}

/// Serves until `stop`.
pub(crate) async fn serve(ledger: Ledger, faucet: Faucet, listener: TcpListener, stop: CancellationToken) {
    let api = Api { ledger: ledger.clone(), stop: stop.clone(), simulations: Arc::new(Semaphore::new(SIMULATIONS)) };
    let routes = Routes::from(control::router(ledger, faucet))
        .add_service(LedgerServiceServer::new(api.clone()))
        .add_service(StateServiceServer::new(api.clone()))
        .add_service(TransactionExecutionServiceServer::new(api.clone()))
        .add_service(SubscriptionServiceServer::new(api.clone()))
        .add_service(MovePackageServiceServer::new(api.clone()))
        .add_service(SignatureVerificationServiceServer::new(api.clone()))
        .add_service(NameServiceServer::new(api))
        .prepare();
    let served = Server::builder()
        .accept_http1(true)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .concurrency_limit_per_connection(CONCURRENT_REQUESTS)
        .max_concurrent_streams(CONCURRENT_STREAMS)
        .add_routes(routes)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), stop.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the server ended");
    }
}

impl Api {
    /// Runs what reads the disk or computes for long where it cannot hold up other requests.
    async fn blocking<T, F>(&self, work: F) -> Result<T, Status>
    where
        T: Send + 'static,
        F: FnOnce(&Ledger) -> Result<T, Error> + Send + 'static,
    {
        let ledger = self.ledger.clone();
        let result = tokio::task::spawn_blocking(move || work(&ledger)).await;
        result.map_err(|error| Status::internal(error.to_string()))?.map_err(status::from_error)
    }
}

#[tonic::async_trait]
impl NameService for Api {
    async fn lookup_name(&self, _: Request<pb::LookupNameRequest>) -> Result<Response<pb::LookupNameResponse>, Status> {
        Err(status::unserved("SuiNS names"))
    }

    async fn reverse_lookup_name(
        &self,
        _: Request<pb::ReverseLookupNameRequest>,
    ) -> Result<Response<pb::ReverseLookupNameResponse>, Status> {
        Err(status::unserved("SuiNS names"))
    }
}
