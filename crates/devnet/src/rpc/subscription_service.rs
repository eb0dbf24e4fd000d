//! `SubscriptionService`: checkpoints as they are made.
//!
//! All subscribers share one ring of recent checkpoints. A subscriber takes from it only as fast as it reads, and holds
//! nothing: when it lags behind the ring, its stream ends with an error and it must fill the gap by number.

use std::sync::Arc;

use futures::{StreamExt, stream, stream::BoxStream};
use sui_rpc::{
    field::FieldMaskTree,
    proto::sui::rpc::v2::{self as pb, subscription_service_server::SubscriptionService},
};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{Api, render, status};
use crate::ledger::FullCheckpoint;

#[tonic::async_trait]
impl SubscriptionService for Api {
    async fn subscribe_checkpoints(
        &self,
        request: Request<pb::SubscribeCheckpointsRequest>,
    ) -> Result<Response<BoxStream<'static, Result<pb::SubscribeCheckpointsResponse, Status>>>, Status> {
        let request = request.into_inner();
        let mask = status::read_mask::<pb::Checkpoint>(request.read_mask, "sequence_number,digest")?;
        if request.filter.is_some() {
            return Err(status::unserved("filtered subscriptions; filter what arrives"));
        }
        // Listen first, look second: no checkpoint can fall between.
        let checkpoints = self.ledger.subscribe();
        let newest = self.ledger.head();
        let subscription =
            Subscription { newest: Some(newest), seen: None, checkpoints, mask, stop: self.stop.clone() };
        Ok(Response::new(stream::unfold(Some(subscription), next).boxed()))
    }

    async fn subscribe_transactions(
        &self,
        _: Request<pb::SubscribeTransactionsRequest>,
    ) -> Result<Response<BoxStream<'static, Result<pb::SubscribeTransactionsResponse, Status>>>, Status> {
        Err(status::unserved("SubscribeTransactions; subscribe to checkpoints"))
    }

    async fn subscribe_events(
        &self,
        _: Request<pb::SubscribeEventsRequest>,
    ) -> Result<Response<BoxStream<'static, Result<pb::SubscribeEventsResponse, Status>>>, Status> {
        Err(status::unserved("SubscribeEvents; subscribe to checkpoints"))
    }
}

struct Subscription {
    /// Where the stream begins, until it was sent.
    newest: Option<Arc<FullCheckpoint>>,
    /// Number of the last checkpoint sent.
    seen: Option<u64>,
    checkpoints: Receiver<Arc<FullCheckpoint>>,
    mask: FieldMaskTree,
    stop: CancellationToken,
}

type Frame = Result<pb::SubscribeCheckpointsResponse, Status>;

async fn next(subscription: Option<Subscription>) -> Option<(Frame, Option<Subscription>)> {
    let mut subscription = subscription?;
    match subscription.receive().await {
        Ok(Some(checkpoint)) => {
            subscription.seen = Some(checkpoint.sequence_number());
            let mut frame = pb::SubscribeCheckpointsResponse::default();
            frame.cursor = Some(checkpoint.sequence_number());
            frame.checkpoint = Some(render::checkpoint(&checkpoint, &subscription.mask));
            Some((Ok(frame), Some(subscription)))
        }
        Ok(None) => None,
        // After an error the stream ends.
        Err(status) => Some((Err(status), None)),
    }
}

impl Subscription {
    async fn receive(&mut self) -> Result<Option<Arc<FullCheckpoint>>, Status> {
        if let Some(newest) = self.newest.take() {
            return Ok(Some(newest));
        }
        loop {
            let received = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(Status::unavailable("the chain is stopping")),
                received = self.checkpoints.recv() => received,
            };
            match received {
                Ok(checkpoint) if self.seen.is_some_and(|seen| checkpoint.sequence_number() <= seen) => {}
                Ok(checkpoint) => return Ok(Some(checkpoint)),
                Err(RecvError::Lagged(missed)) => {
                    return Err(Status::resource_exhausted(format!(
                        "the subscriber was too slow and missed {missed} checkpoints after {}: get them by number and \
                         subscribe again",
                        self.seen.unwrap_or_default()
                    )));
                }
                Err(RecvError::Closed) => return Ok(None),
            }
        }
    }
}
