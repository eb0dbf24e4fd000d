//! `daas status`: what runs, stakes and Seal tokens.

use daas_diagnostics::Diagnostic;
use serde_json::{Value, json};

use super::Answer;
use crate::connection::ClusterLink;
use crate::development::Devnet;
use crate::invocation::Invocation;
use crate::output::{Page, Paint, Report};
use crate::places::Role;
use crate::sheet::{Network, Sheet};
use crate::views::{NODE_HEADS, node_json, node_row};

/// What runs, and the chain's part if it answers.
struct Status {
    parts: Sheet,
    cluster: Result<Sheet, Diagnostic>,
}

pub(super) async fn run(invocation: &Invocation) -> Answer {
    let places = &invocation.places;
    let devnet = Devnet::running(places)?;
    let json = json!({ "state": places.state(), "parts": { "devnet": devnet.as_ref().map(|devnet| json!({
        "pid": devnet.process.pid, "address": devnet.address.to_string(), "chain_id": devnet.chain_id,
        "log": places.log_file(Role::Devnet),
    })) } });
    let row = match &devnet {
        Some(devnet) => {
            vec!["devnet".into(), "running".into(), devnet.address.to_string(), devnet.process.pid.to_string()]
        }
        None => vec!["devnet".into(), "stopped".into(), "-".into(), "-".into()],
    };
    // The banner stands once, above everything: the parts belong to the development setup in any case.
    let parts = Sheet::new(Network::Development, json).table(&["PART", "STATE", "ADDRESS", "PID"], vec![row]);
    let cluster = match invocation.connect_cluster().await {
        Ok(link) => of_cluster(&link).await,
        Err(error) => Err(error),
    };
    Ok(Box::new(Status { parts, cluster }))
}

async fn of_cluster(link: &ClusterLink) -> Result<Sheet, Diagnostic> {
    let cluster = link.read().await?;
    let stakes = link.stakes().await?;
    let now = link.now_ms().await?;
    let nodes: Vec<_> = stakes.iter().map(|stake| node_json(stake, now)).collect();
    let active = cluster.active.as_ref().map(|active| active.instance.to_string());
    let json = json!({
        "id": cluster.id.to_string(), "name": cluster.name, "chain_id": link.node.chain().to_string(),
        "package": link.package.id.to_string(), "active_instance": active, "nodes": nodes,
    });
    Ok(Sheet::new(link.network, json)
        .fields([
            ("chain", link.node.chain().to_string()),
            ("package", link.package.id.to_string()),
            ("cluster", format!("{} ({})", cluster.id, cluster.name)),
            ("instance", active.unwrap_or_else(|| "none".to_owned())),
        ])
        .line(Paint::Plain, "")
        .table(NODE_HEADS, stakes.iter().map(|stake| node_row(stake, now)).collect()))
}

impl Report for Status {
    fn json(&self) -> Value {
        let mut json = self.parts.json();
        json["cluster"] = self.cluster.as_ref().map_or(Value::Null, Report::json);
        json["development"] = json["cluster"].get("development").cloned().unwrap_or(Value::Bool(true));
        json["error"] = match &self.cluster {
            Ok(_) => Value::Null,
            Err(error) => error.to_json(daas_diagnostics::Lang::English)["error"].clone(),
        };
        json
    }

    fn human(&self, page: &mut Page) {
        match &self.cluster {
            Ok(cluster) => {
                self.parts.without_banner(page);
                page.line("");
                cluster.human(page);
            }
            Err(error) => {
                self.parts.human(page);
                page.line("");
                let message = page.of(error);
                page.painted(Paint::Bad, message);
            }
        }
    }

    /// No is an answer, too: nothing runs, or the chain does not answer.
    fn holds(&self) -> bool {
        self.cluster.is_ok()
    }
}
