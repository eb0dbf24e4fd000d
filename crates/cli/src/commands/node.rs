//! `daas node`.

use serde_json::json;

use super::Answer;
use super::cluster::operate;
use super::stake::{answer, explain, find};
use crate::arguments::{Node, NodeRef};
use crate::invocation::Invocation;
use crate::output::Paint;
use crate::sheet::Sheet;
use crate::views::{NODE_HEADS, node_json, node_row, node_sheet};

pub(super) async fn run(invocation: &Invocation, command: Node) -> Answer {
    match command {
        Node::List => list(invocation).await,
        Node::Show(node) => show(invocation, &node).await,
        Node::Suspend(node) => suspend(invocation, &node).await,
        Node::Resume(node) => resume(invocation, &node).await,
    }
}

async fn suspend(invocation: &Invocation, node: &NodeRef) -> Answer {
    let (link, stake) = find(invocation, &node.node).await?;
    let network = link.network;
    let (session, _) = operate(invocation, link)?;
    let receipt = session.suspend(&stake).await.map_err(|error| explain(error, &stake))?;
    let (english, korean) = ("the node is kept out until it is resumed", "재개할 때까지 노드를 막습니다");
    answer(network, &session, &stake, &receipt, english, korean).await
}

async fn resume(invocation: &Invocation, node: &NodeRef) -> Answer {
    let (link, stake) = find(invocation, &node.node).await?;
    let network = link.network;
    let (session, _) = operate(invocation, link)?;
    let receipt = session.resume(&stake).await.map_err(|error| explain(error, &stake))?;
    answer(network, &session, &stake, &receipt, "the node is let in again", "노드를 다시 받아들입니다").await
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
