use sui_sdk_types::Address;

use super::state::State;
use crate::client::{Node, Package};
use crate::error::Error;
use crate::types::{Cluster, ClusterField, SealTokenObject, Stake, decode_object};

/// A cluster as one node tells it, not older than checkpoint `from` and not newer than the height given back.
pub(super) async fn load(node: &Node, package: Package, cluster: Address) -> Result<(State, u64), Error> {
    let object: Cluster = node.read(cluster, &package.origin).await?;
    let fields = node
        .dynamic_fields_that(cluster, |field| {
            Ok(match ClusterField::decode(&field, &package.origin)? {
                // They decide nothing in a registry, and there are more of them each day.
                ClusterField::Name(..) | ClusterField::Evidence(..) => None,
                field => Some(field),
            })
        })
        .await?;
    let members: Vec<_> = fields
        .iter()
        .filter_map(|field| match field {
            ClusterField::Member(key, _) => Some(key.stake),
            _ => None,
        })
        .collect();
    let stakes: Vec<Stake> = read_all(node, &members, &package).await?;
    let ids: Vec<_> = stakes.iter().filter_map(|stake| stake.token).map(|token| token.id).collect();
    let tokens: Vec<SealTokenObject> = read_all(node, &ids, &package).await?;
    let height = node.height().await?;
    let state = State::load(object, fields, stakes, tokens).map_err(|error| node.invalid(&error.to_string()))?;
    Ok((state, height))
}

async fn read_all<T: crate::types::MoveObject>(
    node: &Node,
    ids: &[Address],
    package: &Package,
) -> Result<Vec<T>, Error> {
    let mut objects = Vec::with_capacity(ids.len());
    for (id, object) in ids.iter().zip(node.objects(ids).await?) {
        let object = object.ok_or(Error::ObjectNotFound { kind: T::NAME, object: *id })?;
        objects.push(decode_object(&object, &package.origin)?);
    }
    Ok(objects)
}
