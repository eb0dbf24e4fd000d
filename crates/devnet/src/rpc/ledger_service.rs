//! `LedgerService`: the chain's info, objects, transactions, checkpoints, the epoch.

use std::str::FromStr;

use futures::stream::BoxStream;
use sui_rpc::{
    field::FieldMaskTree,
    merge::Merge,
    proto::{
        sui::rpc::v2::{self as pb, get_checkpoint_request::CheckpointId, ledger_service_server::LedgerService},
        timestamp_ms_to_proto,
    },
};
use sui_sdk_types::{Address, Digest};
use tonic::{Request, Response, Status};

use super::{Api, CHAIN, SERVER, render, status};
use crate::ledger::{Ledger, REFERENCE_GAS_PRICE};

/// Objects or transactions of one batch request, as on public nodes.
const MAX_BATCH: usize = 1000;
const OBJECT_DEFAULT: &str = "object_id,version,digest";
/// Framework packages have no object here.
const FRAMEWORK: [&str; 3] = ["0x1", "0x2", "0x3"];

#[tonic::async_trait]
impl LedgerService for Api {
    async fn get_service_info(
        &self,
        _: Request<pb::GetServiceInfoRequest>,
    ) -> Result<Response<pb::GetServiceInfoResponse>, Status> {
        let head = self.ledger.head();
        let mut response = pb::GetServiceInfoResponse::default();
        response.chain_id = Some(self.ledger.chain_id().to_string());
        response.chain = Some(CHAIN.to_owned());
        response.epoch = Some(self.ledger.epoch().0);
        response.checkpoint_height = Some(head.sequence_number());
        response.timestamp = Some(timestamp_ms_to_proto(head.checkpoint.summary.timestamp_ms));
        response.lowest_available_checkpoint = Some(0);
        response.lowest_available_checkpoint_objects = Some(0);
        response.server = Some(SERVER.to_owned());
        Ok(Response::new(response))
    }

    async fn get_object(
        &self,
        request: Request<pb::GetObjectRequest>,
    ) -> Result<Response<pb::GetObjectResponse>, Status> {
        let mut request = request.into_inner();
        let mask = status::read_mask::<pb::Object>(request.read_mask.take(), OBJECT_DEFAULT)?;
        let key = object_key(&request)?;
        let object = self.blocking(move |ledger| Ok(find_object(ledger, key, &mask))).await??;
        Ok(Response::new(pb::GetObjectResponse::new(object)))
    }

    async fn batch_get_objects(
        &self,
        request: Request<pb::BatchGetObjectsRequest>,
    ) -> Result<Response<pb::BatchGetObjectsResponse>, Status> {
        let request = request.into_inner();
        let mask = status::read_mask::<pb::Object>(request.read_mask, OBJECT_DEFAULT)?;
        check_batch("requests", request.requests.len())?;
        let keys = request.requests.iter().map(object_key).collect::<Result<Vec<_>, _>>()?;
        let results = self
            .blocking(move |ledger| {
                let find = |key| match find_object(ledger, key, &mask) {
                    Ok(object) => pb::GetObjectResult::new_object(object),
                    Err(status) => pb::GetObjectResult::new_error(status::in_batch(&status)),
                };
                Ok(keys.into_iter().map(find).collect())
            })
            .await?;
        Ok(Response::new(pb::BatchGetObjectsResponse::new(results)))
    }

    async fn get_transaction(
        &self,
        request: Request<pb::GetTransactionRequest>,
    ) -> Result<Response<pb::GetTransactionResponse>, Status> {
        let request = request.into_inner();
        let mask = status::read_mask::<pb::ExecutedTransaction>(request.read_mask, "digest")?;
        let digest = digest("digest", request.digest.as_deref())?;
        let transaction = self.blocking(move |ledger| Ok(find_transaction(ledger, &digest, &mask))).await??;
        Ok(Response::new(pb::GetTransactionResponse::new(transaction)))
    }

    async fn batch_get_transactions(
        &self,
        request: Request<pb::BatchGetTransactionsRequest>,
    ) -> Result<Response<pb::BatchGetTransactionsResponse>, Status> {
        let request = request.into_inner();
        let mask = status::read_mask::<pb::ExecutedTransaction>(request.read_mask, "digest")?;
        check_batch("digests", request.digests.len())?;
        let digests =
            request.digests.iter().map(|text| digest("digests", Some(text))).collect::<Result<Vec<_>, _>>()?;
        let results = self
            .blocking(move |ledger| {
                let find = |digest| match find_transaction(ledger, &digest, &mask) {
                    Ok(transaction) => pb::GetTransactionResult::new_transaction(transaction),
                    Err(status) => pb::GetTransactionResult::new_error(status::in_batch(&status)),
                };
                Ok(digests.into_iter().map(find).collect())
            })
            .await?;
        Ok(Response::new(pb::BatchGetTransactionsResponse::new(results)))
    }

    async fn get_checkpoint(
        &self,
        request: Request<pb::GetCheckpointRequest>,
    ) -> Result<Response<pb::GetCheckpointResponse>, Status> {
        let request = request.into_inner();
        let mask = status::read_mask::<pb::Checkpoint>(request.read_mask, "sequence_number,digest")?;
        let by_digest = match &request.checkpoint_id {
            Some(CheckpointId::Digest(text)) => Some(digest("digest", Some(text))?),
            _ => None,
        };
        let asked = request.checkpoint_id;
        let checkpoint = self
            .blocking(move |ledger| {
                let number = match (&asked, by_digest) {
                    (Some(CheckpointId::SequenceNumber(number)), _) => Some(*number),
                    (_, Some(digest)) => ledger.checkpoint_number(&digest)?,
                    _ => Some(ledger.head().sequence_number()),
                };
                let Some(number) = number else { return Ok(None) };
                let found = ledger.checkpoint(number, render::checkpoint_detail(&mask))?;
                Ok(found.map(|full| render::checkpoint(&full, &mask)))
            })
            .await?
            .ok_or_else(|| Status::not_found("the chain has no such checkpoint (yet)"))?;
        Ok(Response::new(pb::GetCheckpointResponse::new(checkpoint)))
    }

    async fn get_epoch(&self, request: Request<pb::GetEpochRequest>) -> Result<Response<pb::GetEpochResponse>, Status> {
        let request = request.into_inner();
        let mask = status::read_mask::<pb::Epoch>(request.read_mask, "epoch")?;
        let (epoch, start_ms) = self.ledger.epoch();
        if request.epoch.is_some_and(|asked| asked != epoch) {
            return Err(Status::not_found(format!("a development chain has one epoch, {epoch}")));
        }
        let mut whole = pb::Epoch::default();
        whole.epoch = Some(epoch);
        whole.committee = Some(self.ledger.committee().clone().into());
        whole.first_checkpoint = Some(0);
        whole.start = Some(timestamp_ms_to_proto(start_ms));
        whole.reference_gas_price = Some(REFERENCE_GAS_PRICE);
        Ok(Response::new(pb::GetEpochResponse::new(pb::Epoch::merge_from(&whole, &mask))))
    }

    async fn list_checkpoints(
        &self,
        _: Request<pb::ListCheckpointsRequest>,
    ) -> Result<Response<BoxStream<'static, Result<pb::ListCheckpointsResponse, Status>>>, Status> {
        Err(status::unserved("ListCheckpoints; get checkpoints by number instead"))
    }

    async fn list_transactions(
        &self,
        _: Request<pb::ListTransactionsRequest>,
    ) -> Result<Response<BoxStream<'static, Result<pb::ListTransactionsResponse, Status>>>, Status> {
        Err(status::unserved("ListTransactions; get checkpoints by number instead"))
    }

    async fn list_events(
        &self,
        _: Request<pb::ListEventsRequest>,
    ) -> Result<Response<BoxStream<'static, Result<pb::ListEventsResponse, Status>>>, Status> {
        Err(status::unserved("ListEvents; get checkpoints by number instead"))
    }
}

fn object_key(request: &pb::GetObjectRequest) -> Result<(Address, Option<u64>), Status> {
    Ok((status::address("object_id", request.object_id.as_deref())?, request.version))
}

fn find_object(
    ledger: &Ledger,
    (id, version): (Address, Option<u64>),
    mask: &FieldMaskTree,
) -> Result<pb::Object, Status> {
    let not_found = || {
        if FRAMEWORK.iter().any(|package| id.to_string() == Address::from_static(package).to_string()) {
            return Status::not_found(format!(
                "package {id} has no object: the development chain has the framework's functions built in"
            ));
        }
        let version = version.map_or_else(String::new, |version| format!(" version {version}"));
        Status::not_found(format!("Object {id}{version} not found"))
    };
    match version {
        None => ledger.object(&id).map(|object| render::object(&object, mask)).ok_or_else(not_found),
        Some(version) => {
            let found = ledger.object_version(&id, version).map_err(status::from_error)?;
            found.map(|object| render::object(&object, mask)).ok_or_else(not_found)
        }
    }
}

fn find_transaction(ledger: &Ledger, digest: &Digest, mask: &FieldMaskTree) -> Result<pb::ExecutedTransaction, Status> {
    let found = ledger.transaction(digest, render::transaction_detail(mask)).map_err(status::from_error)?;
    let (executed, position) = found.ok_or_else(|| Status::not_found(format!("Transaction {digest} not found")))?;
    Ok(render::transaction(&executed, position, mask))
}

fn check_batch(field: &str, found: usize) -> Result<(), Status> {
    if found > MAX_BATCH {
        return Err(status::invalid(field, format!("{found} entries, at most {MAX_BATCH} are answered at once")));
    }
    Ok(())
}

fn digest(field: &str, text: Option<&str>) -> Result<Digest, Status> {
    Digest::from_str(text.ok_or_else(|| status::missing(field))?).map_err(|error| status::invalid(field, error))
}
