use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use daas_seal_token::NetworkId;
use futures::TryStreamExt as _;
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::{Address, Digest, Object, Owner, StructTag};
use tokio::time::Instant;

use super::agreement::Witnesses;
use crate::error::Error;
use crate::types::{MoveObject, decode_object};

/// How a node is spoken to.
#[derive(Debug, Clone, Copy)]
pub struct NodeOptions {
    /// Longest wait for one answer.
    pub answer_timeout: Duration,
    /// Largest answer, in bytes.
    pub max_answer: usize,
    /// The most that is kept of a list of many answers, in bytes.
    pub max_list: usize,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self { answer_timeout: Duration::from_secs(15), max_answer: 64 * 1024 * 1024, max_list: 256 * 1024 * 1024 }
    }
}

/// Objects asked for in one request; full nodes allow more, but answers grow.
const BATCH: usize = 50;

/// A whole list may take as long as this many answers.
const LIST_ANSWERS: u32 = 20;

/// A connection to a full node whose network is known.
#[derive(Clone)]
pub struct Node {
    rpc: sui_rpc::Client,
    endpoint: Arc<str>,
    chain: Digest,
    options: NodeOptions,
    initial_versions: Arc<Mutex<BTreeMap<Address, u64>>>,
    pub(super) witnesses: Witnesses,
}

impl Node {
    /// Connects and asks which network it is. `expected` is the chain identifier that it must have.
    pub async fn connect(endpoint: &str, expected: Option<Digest>, options: NodeOptions) -> Result<Self, Error> {
        let mut node = Self::without_network(endpoint, options)?;
        node.chain = node.ask_chain().await?;
        match expected {
            Some(expected) if expected != node.chain => {
                Err(Error::WrongNetwork { endpoint: endpoint.to_owned(), expected, actual: node.chain })
            }
            _ => Ok(node),
        }
    }

    /// The node's address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The chain identifier: digest of the first checkpoint.
    pub fn chain(&self) -> Digest {
        self.chain
    }

    /// The chain identifier as Seal tokens carry it.
    pub fn network(&self) -> NetworkId {
        NetworkId(*self.chain.inner())
    }

    /// The official client underneath, for calls that have no typed function here.
    pub fn rpc(&self) -> sui_rpc::Client {
        self.rpc.clone()
    }

    /// The newest checkpoint that the node has executed.
    pub async fn height(&self) -> Result<u64, Error> {
        let mut client = self.rpc();
        let info = self
            .ask("GetServiceInfo", async {
                client.ledger_client().get_service_info(pb::GetServiceInfoRequest::default()).await
            })
            .await?;
        info.checkpoint_height.ok_or_else(|| self.invalid("a service info with a checkpoint height"))
    }

    /// The gas price that the network asks for at least.
    pub async fn reference_gas_price(&self) -> Result<u64, Error> {
        let request = pb::GetEpochRequest::default().with_read_mask(FieldMask::from_paths(["reference_gas_price"]));
        let mut client = self.rpc();
        let answer = self.ask("GetEpoch", async { client.ledger_client().get_epoch(request).await }).await?;
        answer.epoch.and_then(|epoch| epoch.reference_gas_price).ok_or_else(|| self.invalid("an epoch"))
    }

    /// An object, if it exists.
    pub async fn find_object(&self, id: Address) -> Result<Option<Object>, Error> {
        if self.has_witnesses() {
            return self.agreed(|node| async move { Box::pin(node.find_object(id)).await }).await;
        }
        let request = pb::GetObjectRequest::default()
            .with_object_id(id.to_string())
            .with_read_mask(FieldMask::from_paths(["bcs"]));
        let mut client = self.rpc();
        let answer = self.ask_optional("GetObject", async { client.ledger_client().get_object(request).await }).await?;
        answer.map(|answer| self.parse_object(answer.object.as_ref(), Some(id))).transpose()
    }

    /// An object.
    pub async fn object(&self, id: Address) -> Result<Object, Error> {
        self.find_object(id).await?.ok_or(Error::ObjectNotFound { kind: "object", object: id })
    }

    /// Many objects, in the order of `ids`; `None` for those that do not exist.
    pub async fn objects(&self, ids: &[Address]) -> Result<Vec<Option<Object>>, Error> {
        if self.has_witnesses() {
            return self.agreed(|node| async move { Box::pin(node.objects(ids)).await }).await;
        }
        let mut objects = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let mut request = pb::BatchGetObjectsRequest::default().with_read_mask(FieldMask::from_paths(["bcs"]));
            request.requests =
                batch.iter().map(|id| pb::GetObjectRequest::default().with_object_id(id.to_string())).collect();
            let mut client = self.rpc();
            let answer =
                self.ask("BatchGetObjects", async { client.ledger_client().batch_get_objects(request).await }).await?;
            if answer.objects.len() != batch.len() {
                return Err(self.invalid("as many objects as were asked for"));
            }
            for (id, result) in batch.iter().zip(answer.objects) {
                objects.push(match result.result {
                    Some(pb::get_object_result::Result::Object(object)) => {
                        Some(self.parse_object(Some(&object), Some(*id))?)
                    }
                    Some(pb::get_object_result::Result::Error(status))
                        if status.code == i32::from(tonic::Code::NotFound) =>
                    {
                        None
                    }
                    _ => return Err(self.invalid("an object")),
                });
            }
        }
        Ok(objects)
    }

    /// An object of the package whose types are defined in `origin`.
    pub async fn read<T: MoveObject>(&self, id: Address, origin: &Address) -> Result<T, Error> {
        let object = self.find_object(id).await?.ok_or(Error::ObjectNotFound { kind: T::NAME, object: id })?;
        Ok(decode_object(&object, origin)?)
    }

    /// All dynamic fields of an object, as the objects that hold them.
    pub async fn dynamic_fields(&self, parent: Address) -> Result<Vec<Object>, Error> {
        if self.has_witnesses() {
            return self.agreed(|node| async move { Ok(in_order(Box::pin(node.dynamic_fields(parent)).await?)) }).await;
        }
        self.dynamic_fields_that(parent, |object| Ok(Some(object))).await
    }

    /// What `keep` makes of an object's dynamic fields, one after the other: names and proofs pile up for ever, so not all of them are
    /// held at once.
    pub(crate) async fn dynamic_fields_that<T: Send>(
        &self,
        parent: Address,
        mut keep: impl FnMut(Object) -> Result<Option<T>, Error> + Send,
    ) -> Result<Vec<T>, Error> {
        let request = pb::ListDynamicFieldsRequest::default()
            .with_parent(parent.to_string())
            .with_page_size(500_u32)
            .with_read_mask(FieldMask::from_paths(["field_id", "field_object.bcs"]));
        let mut stream = std::pin::pin!(self.rpc.list_dynamic_fields(request));
        let (mut kept, mut bytes) = (Vec::new(), 0_usize);
        // A long list takes many pages, each within the time for one answer, and all of them within a bound: one may drip for ever.
        let after = self.options.answer_timeout.saturating_mul(LIST_ANSWERS);
        let deadline = Instant::now() + after;
        loop {
            let page = tokio::time::timeout_at(deadline, self.limited("ListDynamicFields", stream.try_next())).await;
            let timeout = |_| Error::Timeout { endpoint: self.endpoint.to_string(), after };
            let Some(field) = page.map_err(timeout)?? else { return Ok(kept) };
            let size =
                field.field_object.as_ref().and_then(|object| object.bcs.as_ref()).and_then(|bcs| bcs.value.as_ref());
            let size = size.map_or(0, tonic::codegen::Bytes::len);
            let object = self.parse_object(field.field_object.as_ref(), None)?;
            if let Some(value) = keep(object)? {
                bytes = bytes.saturating_add(size);
                if bytes > self.options.max_list {
                    return Err(self.invalid("a list of dynamic fields that ends"));
                }
                kept.push(value);
            }
        }
    }

    /// All objects of a type that an address owns.
    pub async fn owned(&self, owner: Address, type_: &StructTag) -> Result<Vec<Object>, Error> {
        if self.has_witnesses() {
            return self.agreed(|node| async move { Ok(in_order(Box::pin(node.owned(owner, type_)).await?)) }).await;
        }
        let request = pb::ListOwnedObjectsRequest::default()
            .with_owner(owner.to_string())
            .with_object_type(type_.to_string())
            .with_page_size(500_u32)
            .with_read_mask(FieldMask::from_paths(["bcs"]));
        let stream = self.rpc.list_owned_objects(request);
        let objects: Vec<_> = self.limited("ListOwnedObjects", stream.try_collect()).await?;
        objects.iter().map(|object| self.parse_object(Some(object), None)).collect()
    }

    /// MIST that an address holds.
    pub async fn balance(&self, owner: Address) -> Result<u64, Error> {
        let request =
            pb::GetBalanceRequest::default().with_owner(owner.to_string()).with_coin_type(StructTag::sui().to_string());
        let mut client = self.rpc();
        let answer = self.ask("GetBalance", async { client.state_client().get_balance(request).await }).await?;
        answer.balance.and_then(|balance| balance.balance).ok_or_else(|| self.invalid("a balance"))
    }

    /// The version at which an object became shared. It never changes, so it is asked once.
    pub async fn initial_version(&self, id: Address) -> Result<u64, Error> {
        let known = self.initial_versions.lock().ok().and_then(|versions| versions.get(&id).copied());
        if let Some(version) = known {
            return Ok(version);
        }
        let object = self.object(id).await?;
        let Owner::Shared(version) = object.owner() else {
            return Err(Error::Build { reason: format!("{id} is not shared") });
        };
        if let Ok(mut versions) = self.initial_versions.lock() {
            versions.insert(id, *version);
        }
        Ok(*version)
    }

    fn without_network(endpoint: &str, options: NodeOptions) -> Result<Self, Error> {
        let rpc = sui_rpc::Client::new(endpoint)
            .map_err(|status| Error::of_status(endpoint, "connect", options.answer_timeout, status))?
            .with_max_decoding_message_size(options.max_answer);
        Ok(Self {
            rpc,
            endpoint: endpoint.into(),
            chain: Digest::ZERO,
            options,
            initial_versions: Arc::default(),
            witnesses: Witnesses::default(),
        })
    }

    /// Longest wait for one answer.
    pub(super) fn answer_timeout(&self) -> Duration {
        self.options.answer_timeout
    }

    async fn ask_chain(&self) -> Result<Digest, Error> {
        let mut client = self.rpc();
        let info = self
            .ask("GetServiceInfo", async {
                client.ledger_client().get_service_info(pb::GetServiceInfoRequest::default()).await
            })
            .await?;
        let chain = info.chain_id.as_deref().and_then(|id| id.parse().ok());
        chain.ok_or_else(|| self.invalid("a service info with a chain id"))
    }

    /// Calls of tonic are large futures: they live on the heap, not in every caller.
    pub(crate) fn ask<'a, T: Send + 'a>(
        &'a self,
        method: &'a str,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>> + Send + 'a,
    ) -> impl Future<Output = Result<T, Error>> + Send + 'a {
        let call = Box::pin(call);
        self.limited(method, async move { call.await.map(tonic::Response::into_inner) })
    }

    pub(crate) fn ask_optional<'a, T: Send + 'a>(
        &'a self,
        method: &'a str,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>> + Send + 'a,
    ) -> impl Future<Output = Result<Option<T>, Error>> + Send + 'a {
        let call = Box::pin(call);
        self.limited(method, async move {
            match call.await {
                Ok(response) => Ok(Some(response.into_inner())),
                Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
                Err(status) => Err(status),
            }
        })
    }

    fn limited<'a, T: Send + 'a>(
        &'a self,
        method: &'a str,
        call: impl Future<Output = Result<T, tonic::Status>> + Send + 'a,
    ) -> impl Future<Output = Result<T, Error>> + Send + 'a {
        let call = Box::pin(call);
        async move {
            let after = self.options.answer_timeout;
            match tokio::time::timeout(after, call).await {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(status)) => Err(Error::of_status(&self.endpoint, method, after, status)),
                Err(_) => Err(Error::Timeout { endpoint: self.endpoint.to_string(), after }),
            }
        }
    }

    pub(crate) fn invalid(&self, what: &str) -> Error {
        Error::AnswerInvalid { endpoint: self.endpoint.to_string(), what: what.to_owned() }
    }

    fn parse_object(&self, object: Option<&pb::Object>, id: Option<Address>) -> Result<Object, Error> {
        let bytes = object.and_then(|object| object.bcs.as_ref()).ok_or_else(|| self.invalid("an object"))?;
        let object: Object = bytes.deserialize().map_err(|_| self.invalid("an object"))?;
        if id.is_some_and(|id| id != object.object_id()) {
            return Err(self.invalid("the object that was asked for"));
        }
        Ok(object)
    }
}

/// Nodes may list in any order.
fn in_order(mut objects: Vec<Object>) -> Vec<Object> {
    objects.sort_by_key(Object::object_id);
    objects
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("endpoint", &self.endpoint).field("chain", &self.chain).finish_non_exhaustive()
    }
}
