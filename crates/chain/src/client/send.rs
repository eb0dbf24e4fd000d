//! How a signed transaction reaches the network, whichever node would rather drop it.

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2 as pb;
use tokio::time::Instant;

use super::journal::Entry;
use super::node::Node;
use crate::error::Error;

/// Hands the transaction to all nodes at once. That it was taken, refused or cannot be served is believed of as many as must agree: one that
/// takes it and drops it, or calls it refused, decides nothing.
pub(super) async fn submit(node: &Node, entry: &Entry, deadline: Instant) -> Result<(), Error> {
    let nodes = node.each();
    let (needed, total) = (node.needed(), nodes.len());
    let mut sent: FuturesUnordered<_> = nodes.iter().map(|node| submit_to(node, entry, deadline)).collect();
    let (mut taken, mut refused, mut unserved, mut lost) = (0, Vec::new(), Vec::new(), Vec::new());
    while let Some(answer) = sent.next().await {
        match answer {
            Ok(()) => {
                taken += 1;
                if taken >= needed {
                    return Ok(());
                }
            }
            Err(error) => {
                let alike = match error {
                    Error::Rejected { .. } => &mut refused,
                    Error::CallNotServed { .. } | Error::WrongNetwork { .. } => &mut unserved,
                    _ => &mut lost,
                };
                alike.push(error);
                if alike.len() >= needed {
                    return Err(alike.swap_remove(0));
                }
            }
        }
    }
    Err(Error::QuorumUnreachable { answered: taken + refused.len(), needed, total })
}

async fn submit_to(node: &Node, entry: &Entry, deadline: Instant) -> Result<(), Error> {
    let signed = entry.signed();
    let mut request =
        pb::ExecuteTransactionRequest::new(signed.transaction.into()).with_read_mask(FieldMask::from_paths(["digest"]));
    request.signatures = signed.signatures.into_iter().map(Into::into).collect();
    let mut client = node.rpc();
    let left = deadline.saturating_duration_since(Instant::now());
    let call = node.ask("ExecuteTransaction", async { client.execution_client().execute_transaction(request).await });
    match tokio::time::timeout(left, call).await {
        Ok(answer) => answer.map(drop),
        Err(_) => Err(Error::Timeout { endpoint: node.endpoint().to_owned(), after: left }),
    }
}
