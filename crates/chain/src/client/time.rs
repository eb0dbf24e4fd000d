//! The chain's time, as far as nodes can be believed.

use sui_rpc::proto::sui::rpc::v2 as pb;

use super::node::Node;
use crate::error::Error;

/// Honest nodes are not further apart than this, ms: their newest checkpoints differ.
const NEAR_MS: u64 = 10_000;

impl Node {
    /// The time of the newest checkpoint, ms since the Unix epoch. With witnesses it is one that enough nodes come near to.
    pub async fn time_ms(&self) -> Result<u64, Error> {
        self.agreed(|node| async move { node.own_time().await.map(Near) }).await.map(|Near(time)| time)
    }

    async fn own_time(&self) -> Result<u64, Error> {
        let mut client = self.rpc();
        let info = self
            .ask("GetServiceInfo", async {
                client.ledger_client().get_service_info(pb::GetServiceInfoRequest::default()).await
            })
            .await?;
        let invalid = || self.invalid("a service info with a time");
        let time = info.timestamp.ok_or_else(invalid)?;
        let seconds = u64::try_from(time.seconds).map_err(|_| invalid())?;
        Ok(seconds.saturating_mul(1000).saturating_add(u64::try_from(time.nanos).unwrap_or(0) / 1_000_000))
    }
}

struct Near(u64);

impl PartialEq for Near {
    fn eq(&self, other: &Self) -> bool {
        self.0.abs_diff(other.0) <= NEAR_MS
    }
}
