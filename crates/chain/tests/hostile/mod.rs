//! A node that stands before an honest one and can be told to lie.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use daas_chain::types::Stake;
use daas_seal_token::StakeStatus;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use sui_rpc::Client;
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_rpc::proto::sui::rpc::v2::ledger_service_server::{LedgerService, LedgerServiceServer};
use sui_rpc::proto::sui::rpc::v2::state_service_server::{StateService, StateServiceServer};
use sui_rpc::proto::sui::rpc::v2::subscription_service_server::{SubscriptionService, SubscriptionServiceServer};
use sui_rpc::proto::sui::rpc::v2::transaction_execution_service_server::{
    TransactionExecutionService, TransactionExecutionServiceServer,
};
use sui_sdk_types::{CheckpointContents, CheckpointSummary, Digest, MoveStruct, Object, ObjectData};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Lie {
    None,
    /// Nothing new ever happens.
    Freeze,
    /// Transactions are left out; the hashes no longer fit.
    DropTransactions,
    /// Transactions are left out and the summary is made to fit.
    ForgeCheckpoint,
    /// Every stake is Active, whatever happened to it.
    EveryStakeIsActive,
    /// Every stake is Slashed.
    EveryStakeIsSlashed,
    /// Transactions are passed on, called refused, and denied ever after.
    DenyTransactions,
    /// Transactions are kept back, without a word.
    HoldTransactions,
    /// Transactions are called refused and not passed on.
    RefuseTransactions,
    /// Transactions are called taken and not passed on.
    SwallowTransactions,
    /// No question is answered.
    Hang,
    /// Lists never end, and come slowly.
    Drip,
    /// It says that it serves another network.
    OtherNetwork,
    /// Its time is a year ahead.
    YearAhead,
    /// Streams break at once.
    BreakStreams,
}

#[derive(Clone)]
pub struct Hostile {
    upstream: Client,
    lie: Arc<AtomicU8>,
    held: Arc<Mutex<Vec<pb::ExecuteTransactionRequest>>>,
    pub address: SocketAddr,
}

impl Hostile {
    pub async fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let node = Self { upstream: Client::new(url).unwrap(), lie: Arc::default(), held: Arc::default(), address };
        let router = tonic::transport::Server::builder()
            .add_service(LedgerServiceServer::new(node.clone()))
            .add_service(StateServiceServer::new(node.clone()))
            .add_service(TransactionExecutionServiceServer::new(node.clone()))
            .add_service(SubscriptionServiceServer::new(node.clone()));
        tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
        node
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn tell(&self, lie: Lie) {
        self.lie.store(lie as u8, Ordering::SeqCst);
    }

    /// Passes on what was kept back, and says how much of it landed.
    pub async fn release(&self) -> usize {
        let held = std::mem::take(&mut *self.held.lock().unwrap());
        let mut landed = 0;
        for request in held {
            landed += usize::from(self.upstream.clone().execution_client().execute_transaction(request).await.is_ok());
        }
        landed
    }

    fn tells(&self, lie: Lie) -> bool {
        self.lie.load(Ordering::SeqCst) == lie as u8
    }

    async fn hang(&self) {
        if self.tells(Lie::Hang) {
            futures::future::pending::<()>().await;
        }
    }

    fn alter(&self, checkpoint: &mut pb::Checkpoint) {
        if self.tells(Lie::DropTransactions) {
            checkpoint.transactions.clear();
        }
        if self.tells(Lie::ForgeCheckpoint) && !checkpoint.transactions.is_empty() {
            checkpoint.transactions.clear();
            let contents = CheckpointContents::new_v1(Vec::new());
            let summary = checkpoint.summary.as_mut().unwrap();
            let mut forged: CheckpointSummary = summary.bcs.as_ref().unwrap().deserialize().unwrap();
            forged.content_digest = contents.digest();
            summary.bcs = Some(pb::Bcs::serialize(&forged).unwrap());
            checkpoint.contents.as_mut().unwrap().bcs = Some(pb::Bcs::serialize(&contents).unwrap());
        }
    }

    /// Nobody can see in an object which transaction wrote it.
    fn hide_writer(&self, object: &mut pb::Object) {
        let Some(bytes) = object.bcs.as_mut().filter(|_| self.tells(Lie::DenyTransactions)) else { return };
        let honest: Object = bytes.deserialize().unwrap();
        let forged = Object::new(honest.data().clone(), *honest.owner(), Digest::ZERO, honest.storage_rebate());
        *bytes = pb::Bcs::serialize(&forged).unwrap();
    }

    fn alter_object(&self, object: &mut pb::Object) {
        self.hide_writer(object);
        let status = match (self.tells(Lie::EveryStakeIsActive), self.tells(Lie::EveryStakeIsSlashed)) {
            (true, _) => StakeStatus::Active,
            (_, true) => StakeStatus::Slashed,
            (false, false) => return,
        };
        let Some(bytes) = object.bcs.as_mut() else { return };
        let honest: Object = bytes.deserialize().unwrap();
        let Some(content) = honest.as_struct().filter(|content| content.object_type().name().as_str() == "Stake")
        else {
            return;
        };
        let mut stake: Stake = bcs::from_bytes(content.contents()).unwrap();
        stake.status = status;
        let forged = bcs::to_bytes(&stake).unwrap();
        let content = MoveStruct::new(content.object_type().clone(), false, content.version(), forged).unwrap();
        let forged = Object::new(ObjectData::Struct(content), *honest.owner(), honest.previous_transaction(), 0);
        *bytes = pb::Bcs::serialize(&forged).unwrap();
    }
}

#[tonic::async_trait]
impl LedgerService for Hostile {
    async fn get_service_info(
        &self,
        request: Request<pb::GetServiceInfoRequest>,
    ) -> Result<Response<pb::GetServiceInfoResponse>, Status> {
        self.hang().await;
        let mut response = self.upstream.clone().ledger_client().get_service_info(request).await?;
        if self.tells(Lie::OtherNetwork) {
            response.get_mut().chain_id = Some(Digest::ZERO.to_string());
        }
        if self.tells(Lie::YearAhead) {
            response.get_mut().timestamp.as_mut().unwrap().seconds += 365 * 24 * 3600;
        }
        Ok(response)
    }

    async fn get_object(
        &self,
        request: Request<pb::GetObjectRequest>,
    ) -> Result<Response<pb::GetObjectResponse>, Status> {
        self.hang().await;
        let mut response = self.upstream.clone().ledger_client().get_object(request).await?;
        response.get_mut().object.iter_mut().for_each(|object| self.alter_object(object));
        Ok(response)
    }

    async fn get_epoch(&self, request: Request<pb::GetEpochRequest>) -> Result<Response<pb::GetEpochResponse>, Status> {
        self.upstream.clone().ledger_client().get_epoch(request).await
    }

    async fn get_transaction(
        &self,
        request: Request<pb::GetTransactionRequest>,
    ) -> Result<Response<pb::GetTransactionResponse>, Status> {
        self.hang().await;
        if self.tells(Lie::DenyTransactions) {
            return Err(Status::not_found("no such transaction"));
        }
        self.upstream.clone().ledger_client().get_transaction(request).await
    }

    async fn batch_get_objects(
        &self,
        request: Request<pb::BatchGetObjectsRequest>,
    ) -> Result<Response<pb::BatchGetObjectsResponse>, Status> {
        self.hang().await;
        let mut response = self.upstream.clone().ledger_client().batch_get_objects(request).await?;
        for result in &mut response.get_mut().objects {
            if let Some(pb::get_object_result::Result::Object(object)) = &mut result.result {
                self.alter_object(object);
            }
        }
        Ok(response)
    }

    async fn get_checkpoint(
        &self,
        request: Request<pb::GetCheckpointRequest>,
    ) -> Result<Response<pb::GetCheckpointResponse>, Status> {
        if self.tells(Lie::Freeze) {
            return Err(Status::not_found("no such checkpoint"));
        }
        let mut response = self.upstream.clone().ledger_client().get_checkpoint(request).await?;
        self.alter(response.get_mut().checkpoint.as_mut().unwrap());
        Ok(response)
    }
}

#[tonic::async_trait]
impl StateService for Hostile {
    async fn list_dynamic_fields(
        &self,
        request: Request<pb::ListDynamicFieldsRequest>,
    ) -> Result<Response<pb::ListDynamicFieldsResponse>, Status> {
        self.hang().await;
        let mut request = request.into_inner();
        if self.tells(Lie::Drip) {
            request.page_token = None;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let mut response = self.upstream.clone().state_client().list_dynamic_fields(request).await?;
        if self.tells(Lie::Drip) {
            response.get_mut().next_page_token = Some(vec![1].into());
        }
        if self.tells(Lie::DenyTransactions) {
            response.get_mut().dynamic_fields.clear();
        }
        Ok(response)
    }

    async fn list_owned_objects(
        &self,
        request: Request<pb::ListOwnedObjectsRequest>,
    ) -> Result<Response<pb::ListOwnedObjectsResponse>, Status> {
        // Coins must be shown as they are: with another digest nobody could spend them.
        self.hang().await;
        self.upstream.clone().state_client().list_owned_objects(request).await
    }
}

#[tonic::async_trait]
impl TransactionExecutionService for Hostile {
    async fn execute_transaction(
        &self,
        request: Request<pb::ExecuteTransactionRequest>,
    ) -> Result<Response<pb::ExecuteTransactionResponse>, Status> {
        self.hang().await;
        if self.tells(Lie::SwallowTransactions) {
            return Ok(Response::new(pb::ExecuteTransactionResponse::default()));
        }
        if self.tells(Lie::HoldTransactions) {
            self.held.lock().unwrap().push(request.into_inner());
            return Err(Status::unavailable("silence"));
        }
        if self.tells(Lie::RefuseTransactions) {
            return Err(Status::invalid_argument("refused"));
        }
        let response = self.upstream.clone().execution_client().execute_transaction(request).await?;
        if self.tells(Lie::DenyTransactions) {
            return Err(Status::invalid_argument("refused"));
        }
        Ok(response)
    }

    async fn simulate_transaction(
        &self,
        request: Request<pb::SimulateTransactionRequest>,
    ) -> Result<Response<pb::SimulateTransactionResponse>, Status> {
        self.upstream.clone().execution_client().simulate_transaction(request).await
    }
}

#[tonic::async_trait]
impl SubscriptionService for Hostile {
    async fn subscribe_checkpoints(
        &self,
        request: Request<pb::SubscribeCheckpointsRequest>,
    ) -> Result<Response<BoxStream<'static, Result<pb::SubscribeCheckpointsResponse, Status>>>, Status> {
        if self.tells(Lie::BreakStreams) {
            return Err(Status::unavailable("broken"));
        }
        let stream = self.upstream.clone().subscription_client().subscribe_checkpoints(request).await?.into_inner();
        let node = self.clone();
        let altered = stream.then(move |frame| {
            let node = node.clone();
            async move {
                if node.tells(Lie::Freeze) {
                    futures::future::pending::<()>().await;
                }
                if node.tells(Lie::BreakStreams) {
                    return Err(Status::unavailable("broken"));
                }
                let mut frame = frame?;
                frame.checkpoint.iter_mut().for_each(|checkpoint| node.alter(checkpoint));
                Ok(frame)
            }
        });
        Ok(Response::new(altered.boxed()))
    }
}
