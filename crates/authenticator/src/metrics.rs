//! Figures as Prometheus text, which the master passes on.

use std::fmt::{Display, Write as _};

use crate::connections::Connections;
use crate::nodes::Nodes;
use crate::tunnel::Tunnels;
use crate::verdicts::{RegistryView, Verdicts};

/// The text of this moment.
pub fn render<V: RegistryView>(
    verdicts: &Verdicts<V>,
    connections: &Connections,
    tunnels: &Tunnels,
    nodes: &Nodes,
    now_ms: u64,
) -> String {
    let mut text = Text::default();
    text.begin("verdicts_total", "counter", "Verdicts by what was asked and what came out.");
    for (question, outcome, count) in verdicts.tally().counts() {
        text.line("verdicts_total", &[("question", question), ("outcome", outcome)], count);
    }
    let (checked, remembered) = verdicts.signatures().counts();
    text.begin("signatures_total", "counter", "Signatures of Seal tokens: checked now, or known from before.");
    text.line("signatures_total", &[("how", "checked")], checked);
    text.line("signatures_total", &[("how", "remembered")], remembered);

    text.gauge("service_account_tokens", "Service-account tokens whose maker is known.", verdicts.makers());
    text.gauge("nodes", "Workers that the master has registered.", nodes.len());

    text.gauge("connections", "Connections to kube-apiserver.", connections.len());
    let counts = connections.counts();
    text.counter("connections_cut_total", "Connections that were closed because an identity ended.", counts.cut);
    text.counter("audit_events_total", "Audit events that named a connection.", counts.explained);
    text.counter("audit_losses_total", "Batches of audit events that could not be read.", counts.losses);

    let load = tunnels.load();
    text.gauge("tunnels", "Workers' tunnels.", load.tunnels);
    text.gauge("tunnel_streams", "Streams in all tunnels.", load.streams);
    text.gauge("tunnel_queued_bytes", "Bytes that wait for kube-apiserver, of all tunnels.", load.queued);

    let fresh = verdicts.view().check_fresh(now_ms).is_ok();
    text.gauge("registry_fresh", "Whether the view of the chain is young enough to judge by.", u8::from(fresh));
    if let Some(age_ms) = verdicts.view().age_ms(now_ms) {
        let seconds = format!("{}.{:03}", age_ms / 1000, age_ms % 1000);
        text.gauge("registry_age_seconds", "Age of the newest checkpoint.", seconds);
    }
    text.0
}

/// Prometheus' text format.
#[derive(Default)]
struct Text(String);

impl Text {
    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail.
        let _ = write!(self.0, "# HELP daas_authenticator_{name} {help}\n# TYPE daas_authenticator_{name} {kind}\n");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "daas_authenticator_{name}{labels} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.begin(name, "gauge", help);
        self.line(name, &[], value);
    }

    fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.begin(name, "counter", help);
        self.line(name, &[], value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use daas_seal_token::Purpose;

    use super::*;
    use crate::verdicts::fake::{NOW, bearer_of, node_subject, world};

    #[test]
    fn figures_say_what_was_asked_what_came_out_and_how_old_the_view_is() {
        let (view, verdicts) = world();
        let connections = Arc::new(Connections::default());
        let nodes = Nodes::new("10.42.0.0/16".parse().unwrap(), "10.43.0.0/16".parse().unwrap());
        let open = connections.open().unwrap();
        connections.note_loss();
        let bearer = bearer_of(7, Purpose::Api).to_bearer();
        for _ in 0..2 {
            verdicts.bearer(&bearer, NOW).unwrap();
        }
        assert!(verdicts.bearer("no token", NOW).is_err());
        verdicts.access(&node_subject(6), None, NOW).unwrap();
        view.stale.store(true, Ordering::SeqCst);
        assert!(verdicts.access(&node_subject(6), None, NOW).is_err());
        let text = render(&verdicts, &connections, &Tunnels::default(), &nodes, NOW);
        for line in [
            "daas_authenticator_verdicts_total{question=\"token\",outcome=\"good\"} 2",
            "daas_authenticator_verdicts_total{question=\"token\",outcome=\"malformed\"} 1",
            "daas_authenticator_verdicts_total{question=\"access\",outcome=\"good\"} 1",
            "daas_authenticator_verdicts_total{question=\"access\",outcome=\"stale\"} 1",
            "daas_authenticator_signatures_total{how=\"checked\"} 1",
            "daas_authenticator_signatures_total{how=\"remembered\"} 1",
            "daas_authenticator_connections 1",
            "daas_authenticator_audit_losses_total 1",
            "daas_authenticator_registry_fresh 0",
            "daas_authenticator_registry_age_seconds 31.000",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        drop(open);
    }
}
