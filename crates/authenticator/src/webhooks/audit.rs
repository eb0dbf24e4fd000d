//! Audit events: which identity runs on which connection, and who had which service-account token made.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Deserialize;

use crate::connections::Connections;
use crate::journal::Journal;
use crate::verdicts::{RegistryView, Subject, Verdicts};

/// The annotation of a `TokenRequest`'s event that names the credential that was made.
const ISSUED: &str = "authentication.kubernetes.io/issued-credential-id";

/// A batch of events, as kube-apiserver's audit webhook sends them.
#[derive(Debug, Deserialize)]
pub struct AuditEvents {
    /// The events.
    pub items: Vec<AuditEvent>,
}

/// The part of an event that is looked at. `impersonatedUser` is not: who impersonates is who runs.
#[derive(Debug, Deserialize)]
pub struct AuditEvent {
    /// Who.
    pub user: Subject,
    /// From where. The last element is the peer's address; the ones before it come from headers and may be lies.
    #[serde(rename = "sourceIPs", default)]
    pub source_ips: Vec<String>,
    /// What kube-apiserver adds.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl AuditEvents {
    /// Reads a batch; `None` if it is none.
    pub fn parse(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }
}

/// Takes an event in: explains its connection, or closes it when nobody stands behind it any more.
pub fn record<V: RegistryView>(
    verdicts: &Verdicts<V>,
    connections: &Connections,
    journal: &Journal,
    event: &AuditEvent,
    now_ms: u64,
) {
    let standing = verdicts.place(&event.user);
    if let (Some(credential), Ok(maker)) = (event.annotations.get(ISSUED), &standing)
        && let Some(root) = verdicts.note_minted(credential, maker.clone(), now_ms)
    {
        journal.maker(credential, &root, now_ms);
    }
    let Some(source) = event.source_ips.last().and_then(|address| address.parse::<Ipv4Addr>().ok()) else { return };
    // Explained first and judged after: a verdict that flips in between is seen here or by the sweep that it starts.
    let verdict = standing.and_then(|standing| {
        connections.explain(source, standing.clone());
        verdicts.standing(&standing, now_ms)
    });
    if let Err(denial) = verdict
        && connections.cut(source)
    {
        tracing::info!(%denial, user = event.user.user, "connection closed");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use daas_seal_token::StakeStatus;
    use serde_json::json;

    use super::*;
    use crate::verdicts::fake::{NOW, node_subject, service_account, user_subject, world};
    use crate::verdicts::{CREDENTIAL_EXTRA, Denial};

    fn event(user: &Subject, sources: &[&str], annotations: &[(&str, &str)]) -> AuditEvent {
        let annotations: BTreeMap<_, _> = annotations.iter().copied().collect();
        let user = json!({"username": user.user, "groups": user.groups, "extra": user.extra});
        let body = json!({"kind": "EventList", "items": [{
            "stage": "ResponseStarted", "verb": "watch", "user": user, "sourceIPs": sources, "annotations": annotations,
            "impersonatedUser": {"username": "somebody-else"},
        }]});
        AuditEvents::parse(body.to_string().as_bytes()).unwrap().items.remove(0)
    }

    #[test]
    fn an_event_explains_the_connection_of_its_last_address_whatever_headers_say() {
        let (_, verdicts) = world();
        let connections = Arc::new(Connections::default());
        let (mine, other) = (connections.open().unwrap(), connections.open().unwrap());
        let sources = [other.address().to_string(), "203.0.113.7".into(), mine.address().to_string()];
        let sources: Vec<_> = sources.iter().map(String::as_str).collect();
        record(&verdicts, &connections, &Journal::default(), &event(&node_subject(6), &sources, &[]), NOW);
        assert_eq!(connections.explained(), [mine.address()]);
    }

    #[test]
    fn an_event_of_a_dead_identity_closes_its_connection_and_no_other() {
        let (view, verdicts) = world();
        let connections = Arc::new(Connections::default());
        let (dead, alive) = (connections.open().unwrap(), connections.open().unwrap());
        view.edit(6, |token| token.stake_status = StakeStatus::Slashed);
        record(
            &verdicts,
            &connections,
            &Journal::default(),
            &event(&node_subject(6), &[&dead.address().to_string()], &[]),
            NOW,
        );
        record(
            &verdicts,
            &connections,
            &Journal::default(),
            &event(&node_subject(8), &[&alive.address().to_string()], &[]),
            NOW,
        );
        assert!(dead.is_cut() && !alive.is_cut());
        // kube-apiserver's own connections are not in the table.
        record(&verdicts, &connections, &Journal::default(), &event(&node_subject(6), &["127.0.0.1"], &[]), NOW);
    }

    #[test]
    fn the_event_of_a_token_request_names_who_answers_for_the_token() {
        let (view, verdicts) = world();
        let connections = Arc::new(Connections::default());
        let account = service_account(&[(CREDENTIAL_EXTRA, "JTI=1")]);
        assert_eq!(verdicts.access(&account, None, NOW), Err(Denial::MakerUnknown));
        record(
            &verdicts,
            &connections,
            &Journal::default(),
            &event(&user_subject(7, &[]), &["127.0.0.1"], &[(ISSUED, "JTI=1")]),
            NOW,
        );
        assert_eq!(verdicts.access(&account, None, NOW), Ok(()));
        view.edit(7, |token| token.stake_status = StakeStatus::Slashed);
        assert!(verdicts.access(&account, None, NOW).is_err());
    }
}
