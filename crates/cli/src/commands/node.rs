//! `daas node`.

use serde_json::json;

use super::Answer;
use crate::arguments::{Node, NodeRef};
use crate::invocation::Invocation;
use crate::output::Paint;
use crate::sheet::Sheet;
use crate::views::{NODE_HEADS, node_json, node_row, node_sheet};

pub(super) async fn run(invocation: &Invocation, command: Node) -> Answer {
    match command {
        Node::List => list(invocation).await,
        Node::Show(node) => show(invocation, &node).await,
    }
}

async fn list(invocation: &Invocation) -> Answer {
    let link = invocation.connect_cluster().await?;
    // An empty list of a cluster that does not exist would be a lie.
    link.read().await?;
    let stakes = link.stakes().await?;
    let now = link.now_ms().await?;
    let nodes: Vec<_> = stakes.iter().map(|stake| node_json(stake, now)).collect();
    let sheet = Sheet::new(link.network, json!({ "cluster": link.cluster.to_string(), "nodes": nodes }));
    Ok(Box::new(if stakes.is_empty() {
        sheet.words(
            Paint::Plain,
            "no node has a stake yet; make one with: daas stake NODE --amount 1SUI",
            "아직 스테이크가 있는 노드가 없습니다. 만들려면: daas stake 노드 --amount 1SUI",
        )
    } else {
        sheet.table(NODE_HEADS, stakes.iter().map(|stake| node_row(stake, now)).collect())
    }))
}

async fn show(invocation: &Invocation, node: &NodeRef) -> Answer {
    let link = invocation.connect_cluster().await?;
    link.read().await?;
    let stake = link.stake(&node.node).await?;
    let token = link.token(&stake).await?;
    Ok(Box::new(node_sheet(link.network, &stake, token.as_ref(), link.now_ms().await?)))
}
