//! `daas status`: every part, the enclave's attestation, releases, nodes, stakes and Seal tokens.

use daas_diagnostics::Diagnostic;
use serde_json::{Value, json};

use super::{Answer, attest};
use crate::connection::ClusterLink;
use crate::development::{self, Devnet, Part};
use crate::invocation::Invocation;
use crate::output::{Page, Paint, Report};
use crate::places::Role;
use crate::sheet::{Network, Sheet};
use crate::views::{NODE_HEADS, RELEASE_HEADS, node_json, node_row, release_json, release_row};

/// What runs, and the chain's part if it answers.
struct Status {
    parts: Sheet,
    cluster: Result<Sheet, Diagnostic>,
    /// Where an enclave runs here.
    kubernetes: Option<Sheet>,
}

pub(super) async fn run(invocation: &Invocation) -> Answer {
    let parts = parts(invocation)?;
    let cluster = match invocation.connect_cluster().await {
        Ok(link) => of_cluster(&link).await,
        Err(error) => Err(error),
    };
    let has_enclave = Part::Parent.running(&invocation.places)?.is_some();
    let kubernetes = if has_enclave { Some(of_kubernetes(invocation).await) } else { None };
    Ok(Box::new(Status { parts, cluster, kubernetes }))
}

/// The processes on this machine.
fn parts(invocation: &Invocation) -> Result<Sheet, Diagnostic> {
    let places = &invocation.places;
    let devnet = Devnet::running(places)?;
    let mut json = json!({ "devnet": devnet.as_ref().map(|devnet| json!({
        "pid": devnet.process.pid, "address": devnet.address.to_string(), "chain_id": devnet.chain_id,
        "log": places.log_file(Role::Devnet),
    })) });
    let stopped = |name: String| vec![name, "stopped".into(), "-".into(), "-".into()];
    let mut rows = vec![match &devnet {
        Some(devnet) => {
            vec!["devnet".into(), "running".into(), devnet.address.to_string(), devnet.process.pid.to_string()]
        }
        None => stopped("devnet".into()),
    }];
    for part in Part::known(places) {
        let process = part.running(places)?;
        json[part.name()] = match &process {
            Some(process) => json!({ "pid": process.pid, "address": part.address(), "log": part.log_file(places) }),
            None => Value::Null,
        };
        rows.push(match process {
            Some(process) => vec![part.name(), "running".into(), part.address(), process.pid.to_string()],
            None => stopped(part.name()),
        });
    }
    // The banner stands once, above everything: the parts belong to the development setup in any case.
    let json = json!({ "state": places.state(), "parts": json });
    Ok(Sheet::new(Network::Development, json).table(&["PART", "STATE", "ADDRESS", "PID"], rows))
}

async fn of_cluster(link: &ClusterLink) -> Result<Sheet, Diagnostic> {
    let cluster = link.read().await?;
    let stakes = link.stakes().await?;
    let releases = link.releases().await?;
    let now = link.now_ms().await?;
    let nodes: Vec<_> = stakes.iter().map(|stake| node_json(stake, now)).collect();
    let active = cluster.active.as_ref().map(|active| active.instance.to_string());
    let json = json!({
        "id": cluster.id.to_string(), "name": cluster.name, "chain_id": link.node.chain().to_string(),
        "package": link.package.id.to_string(), "active_instance": active, "nodes": nodes,
        "releases": releases.iter().map(|release| release_json(release, now)).collect::<Vec<_>>(),
    });
    let sheet = Sheet::new(link.network, json)
        .fields([
            ("chain", link.node.chain().to_string()),
            ("package", link.package.id.to_string()),
            ("cluster", format!("{} ({})", cluster.id, cluster.name)),
            ("instance", active.unwrap_or_else(|| "none".to_owned())),
        ])
        .line(Paint::Plain, "")
        .table(NODE_HEADS, stakes.iter().map(|stake| node_row(stake, now)).collect());
    Ok(if releases.is_empty() {
        sheet
    } else {
        let rows = releases.iter().map(|release| release_row(release, now)).collect();
        sheet.line(Paint::Plain, "").table(RELEASE_HEADS, rows)
    })
}

/// What the enclave attests, and what Kubernetes says of its nodes.
async fn of_kubernetes(invocation: &Invocation) -> Sheet {
    let root = Some(invocation.places.attestation_root()).filter(|root| root.exists());
    let verdict = attest::active_instance(invocation, "127.0.0.1:8443", root).await;
    let kubeconfig = invocation.places.of(Role::Client).join("kubeconfig");
    let nodes = development::nodes(&invocation.places, &kubeconfig).await;
    let json = json!({
        "attestation": match &verdict {
            Ok(verdict) => json!({
                "verdict": "accepted", "simulated": verdict.is_simulated(), "instance": hex::encode(verdict.instance_key()),
                "error": Value::Null,
            }),
            Err(error) => json!({
                "verdict": "refused", "error": error.to_json(daas_diagnostics::Lang::English)["error"],
            }),
        },
        "nodes": nodes.as_ref().ok().map(|nodes| nodes.iter().map(|node| json!({
            "name": node.name, "ready": node.is_ready, "address": node.address, "version": node.version,
        })).collect::<Vec<_>>()),
        "error": nodes.as_ref().err(),
    });
    let sheet = Sheet::new(Network::Development, json);
    let sheet = match &verdict {
        Ok(_) => sheet.words(
            Paint::Good,
            "attestation: accepted; the active instance, a published release, simulated hardware",
            "증명: 승인. 활성 인스턴스, 게시된 릴리스, 모의 하드웨어",
        ),
        Err(error) => {
            let text = error.message(daas_diagnostics::Lang::English);
            sheet.line(Paint::Bad, format!("attestation: {}: {text}", error.code()))
        }
    };
    match nodes {
        Ok(nodes) => {
            let rows = nodes.into_iter().map(|node| {
                let state = if node.is_ready { "ready" } else { "not ready" };
                vec![node.name, state.to_owned(), node.address, node.version]
            });
            sheet.line(Paint::Plain, "").table(&["KUBERNETES NODE", "STATE", "ADDRESS", "VERSION"], rows.collect())
        }
        Err(reason) => sheet.line(Paint::Bad, format!("kubernetes: {reason}")),
    }
}

impl Report for Status {
    fn json(&self) -> Value {
        let mut json = self.parts.json();
        json["cluster"] = self.cluster.as_ref().map_or(Value::Null, Report::json);
        json["kubernetes"] = self.kubernetes.as_ref().map_or(Value::Null, Report::json);
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
        if let Some(kubernetes) = &self.kubernetes {
            page.line("");
            kubernetes.without_banner(page);
        }
    }

    /// No is an answer, too: nothing runs, or the chain does not answer.
    fn holds(&self) -> bool {
        self.cluster.is_ok()
    }
}
