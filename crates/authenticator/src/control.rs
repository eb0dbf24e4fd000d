//! What the master tells and asks, over a Unix socket that only it can open: one JSON object a line, one answer a line. The
//! authenticator owns the registry, so the master asks here who a Seal token is.

use std::net::IpAddr;
use std::sync::Arc;

use daas_seal_token::{NodeName, SealToken};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio_util::sync::CancellationToken;

use crate::clock::now_ms;
use crate::connections::Connections;
use crate::gateway::Gateway;
use crate::metrics::render;
use crate::nodes::{NodeRecord, Nodes};
use crate::tunnel::Tunnels;
use crate::verdicts::{RegistryView, Verdicts};
use daas_transport::accept::{Accept, Slots};

const MAX_LINE: u64 = 16 * 1024;
const MAX_CONNECTIONS: usize = 16;

/// A command of the master.
#[derive(Debug, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    /// A worker has registered, or the master gave it its pods' addresses.
    PutNode { name: String, address: IpAddr, pods: Option<String> },
    /// A worker is gone.
    RemoveNode { name: String },
    /// Who a Seal token of the join purpose is.
    VerifyJoin { token: String, node: Option<String> },
    /// The control plane is ready, or not any more.
    SetReady { ready: bool },
    /// Figures for status pages.
    Status {},
    /// All figures, as Prometheus text.
    Metrics {},
    /// What workers were seen doing and the master has not settled.
    Offences {},
    /// The master has dealt with one.
    SettleOffence { id: u64 },
}

/// Serves the master.
pub struct Control<V> {
    /// Verdicts on tokens.
    pub verdicts: Arc<Verdicts<V>>,
    /// The workers.
    pub nodes: Arc<Nodes>,
    /// The gateway that is told when the control plane is ready.
    pub gateway: Arc<Gateway<V>>,
    /// For figures.
    pub tunnels: Arc<Tunnels>,
    /// For figures.
    pub connections: Arc<Connections>,
}

impl<V: RegistryView> Control<V> {
    /// Serves until `stop`.
    pub async fn serve<A: Accept>(self: Arc<Self>, mut listener: A, stop: CancellationToken) {
        let slots = Slots::new(MAX_CONNECTIONS, MAX_CONNECTIONS);
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let (Ok((stream, _)), Some(slot)) = (accepted, slots.take(None)) else {
                tokio::task::yield_now().await;
                continue;
            };
            let control = Arc::clone(&self);
            let stop = stop.clone();
            tokio::spawn(async move {
                let _slot = slot;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = control.converse(stream) => {}
                }
            });
        }
    }

    async fn converse(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = Vec::new();
            match (&mut stream).take(MAX_LINE).read_until(b'\n', &mut line).await {
                Ok(1..) if line.ends_with(b"\n") => {}
                _ => return,
            }
            let answer = match serde_json::from_slice(&line) {
                Ok(command) => self.obey(command).unwrap_or_else(|why| json!({"ok": false, "error": why})),
                // serde's message would quote the line, and a token may be in it.
                Err(_) => json!({"ok": false, "error": "no command that is known"}),
            };
            if stream.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn obey(&self, command: Command) -> Result<Value, String> {
        match command {
            Command::PutNode { name, address, pods } => {
                let pods = pods.map(|pods| pods.parse().map_err(text)).transpose()?;
                self.nodes.put(NodeRecord { name: parse(&name)?, address, pods }).map_err(text)?;
            }
            Command::RemoveNode { name } => self.nodes.remove(&parse(&name)?),
            Command::VerifyJoin { token, node } => {
                let token = SealToken::parse(&token).map_err(text)?;
                let node = node.as_deref().map(parse).transpose()?;
                let who = self.verdicts.joining(&token, node.as_ref(), now_ms()).map_err(text)?;
                return Ok(json!({
                    "ok": true, "name": who.name.as_str(), "owner": who.owner.to_string(), "token": who.token.to_string(),
                    "key_generation": who.key_generation,
                }));
            }
            Command::SetReady { ready } => self.gateway.set_ready(ready),
            Command::Status {} => {
                let tunnels: Vec<_> = self.tunnels.nodes().iter().map(ToString::to_string).collect();
                let nodes: Vec<_> = self.nodes.names().iter().map(ToString::to_string).collect();
                let stale = self.verdicts.view().check_fresh(now_ms()).err().map(text);
                return Ok(json!({
                    "ok": true, "connections": self.connections.len(), "nodes": nodes, "tunnels": tunnels, "stale": stale,
                }));
            }
            Command::Metrics {} => {
                let Self { verdicts, connections, tunnels, nodes, .. } = self;
                let figures = render(verdicts, connections, tunnels, nodes, now_ms());
                return Ok(json!({"ok": true, "metrics": figures}));
            }
            Command::Offences {} => return Ok(json!({"ok": true, "offences": self.gateway.offences().all()})),
            Command::SettleOffence { id } => self.gateway.offences().settle(id),
        }
        Ok(json!({"ok": true}))
    }
}

fn parse(name: &str) -> Result<NodeName, String> {
    name.parse().map_err(text)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn text(error: impl ToString) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use daas_join::{AgentConfig, PasswordBook};
    use daas_seal_token::Purpose;
    use tokio::net::{UnixListener, UnixStream};

    use super::*;
    use crate::gateway::{Documents, Signers};
    use crate::issuer::Signer;
    use crate::verdicts::fake::{bearer_at, name, world};

    struct Nobody;

    impl Signer for Nobody {
        fn sign(
            &self,
            _profile: &daas_join::Profile,
            _request: &daas_join::CertificateRequest,
        ) -> Result<String, crate::Error> {
            Err(crate::Error::Signing)
        }
    }

    async fn converse(lines: &[String]) -> Vec<Value> {
        let (_, verdicts) = world();
        let verdicts = Arc::new(verdicts);
        let agents = AgentConfig::new(6443, 9345);
        let nodes = Arc::new(Nodes::new(agents.cluster_range, agents.service_range));
        let tunnels = Arc::new(Tunnels::default());
        let documents =
            Documents { server_ca: Vec::new(), client_ca: Vec::new(), config: agents, api_servers: Vec::new() };
        let signers = Signers { client: Arc::new(Nobody), kubelet_serving: Arc::new(Nobody) };
        let gateway = Gateway::new(
            Arc::clone(&verdicts),
            Arc::clone(&nodes),
            Arc::clone(&tunnels),
            documents,
            signers,
            PasswordBook::new([0; 32]),
            Arc::default(),
        );
        let control = Control { verdicts, nodes, gateway: Arc::new(gateway), tunnels, connections: Arc::default() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        let listener = UnixListener::bind(&path).unwrap();
        tokio::spawn(Arc::new(control).serve(listener, CancellationToken::new()));
        let mut stream = BufReader::new(UnixStream::connect(&path).await.unwrap());
        let mut answers = Vec::new();
        for line in lines {
            stream.write_all(format!("{line}\n").as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_line(&mut answer).await.unwrap();
            answers.push(serde_json::from_str(&answer).unwrap_or_default());
        }
        answers
    }

    #[tokio::test]
    async fn the_master_records_workers_and_asks_who_a_token_is() {
        let token = bearer_at(6, Purpose::Join, now_ms()).to_bearer();
        let (mine, other) = (name(6), name(8));
        let answers = converse(&[
            json!({"command": "put_node", "name": mine.as_str(), "address": "192.0.2.6", "pods": "10.42.6.0/24"})
                .to_string(),
            json!({"command": "put_node", "name": other.as_str(), "address": "192.0.2.6"}).to_string(),
            json!({"command": "verify_join", "token": token, "node": mine.as_str()}).to_string(),
            json!({"command": "verify_join", "token": token, "node": other.as_str()}).to_string(),
            json!({"command": "set_ready", "ready": true}).to_string(),
            json!({"command": "status"}).to_string(),
            json!({"command": "remove_node", "name": "10.0.0.1"}).to_string(),
            format!(r#"{{"command": "verify_join", "secret": "{token}"}}"#),
            json!({"command": "metrics"}).to_string(),
        ])
        .await;
        let ok: Vec<_> = answers.iter().map(|answer| answer["ok"] == true).collect();
        assert_eq!(ok, [true, false, true, false, true, true, false, false, true], "{answers:?}");
        assert_eq!(answers[2]["name"], mine.as_str());
        assert_eq!(answers[2]["key_generation"], 3);
        let status = json!({"ok": true, "connections": 0, "nodes": [mine.as_str()], "tunnels": [], "stale": null});
        assert_eq!(answers[5], status);
        assert!(answers[8]["metrics"].as_str().unwrap().contains("daas_authenticator_nodes 1\n"));
        assert!(answers.iter().all(|answer| !answer.to_string().contains("seal1.")));
    }
}
