//! What a document says, for people and programs.

use daas_attestation::{CertificateSummary, Claims, Platform, Refusal, Unverified};
use daas_diagnostics::Diagnostic;
use serde_json::{Map, Value, json};

use super::judgement::refused;
use super::source::Received;
use crate::moment;
use crate::output::{Page, Paint, Report};

pub(super) fn looked(received: &Received) -> Result<Box<dyn Report>, Diagnostic> {
    let said = Unverified::parse(received.document()).map_err(|refusal| refused(&refusal))?;
    let mut lines = lines(&said);
    if let Received::Live(live) = received {
        let key = live.1.tls_spki_sha256.map_or_else(|| "no TLS".to_owned(), hex::encode);
        lines.extend([("sent nonce".to_owned(), hex::encode(live.1.nonce)), ("peer's tls key".to_owned(), key)]);
    }
    let connection = received.connection_json();
    Ok(Box::new(Looked { json: document_json(&said), connection, lines, certificates: certificates(&said) }))
}

/// A document that was looked at. It says that nothing was verified.
struct Looked {
    json: Value,
    connection: Value,
    lines: Vec<(String, String)>,
    certificates: Vec<Vec<String>>,
}

impl Report for Looked {
    fn json(&self) -> Value {
        json!({ "verified": false, "document": self.json, "connection": self.connection })
    }

    fn human(&self, page: &mut Page) {
        let warning = page
            .pick(
                "NOT VERIFIED: this is what the document says, whoever made it",
                "검증하지 않음: 누가 만들었는지와 무관하게 문서에 적힌 내용입니다",
            )
            .to_owned();
        page.painted(Paint::Bad, warning);
        page.fields(self.lines.iter().map(|(name, value)| (name.as_str(), value.clone())));
        page.table(&["CERTIFICATE", "VALID FROM", "VALID UNTIL"], &self.certificates);
    }
}

/// The document as programs get it.
pub(super) fn document_json(said: &Unverified<'_>) -> Value {
    let pcrs: Map<_, _> = said.pcrs().iter().map(|(index, pcr)| (index.to_string(), json!(pcr.to_string()))).collect();
    let certificates: Vec<_> = said.certificate_summaries().into_iter().map(certificate_json).collect();
    json!({
        "module_id": said.module_id(),
        "timestamp_ms": said.timestamp().millis(),
        "platform": platform(said.platform()),
        "pcrs": pcrs,
        "public_key": said.public_key().map(hex::encode),
        "user_data": said.user_data().map(hex::encode),
        "claims": claims(said).map(|claims| json!({
            "cluster": format!("0x{}", hex::encode(claims.cluster)),
            "tls_spki_sha256": hex::encode(claims.tls_spki_sha256),
            "server_ca_sha256": hex::encode(claims.server_ca_sha256),
            "config_sha256": hex::encode(claims.config_sha256),
            "state_epoch": claims.state_epoch,
        })),
        "nonce": said.nonce().map(hex::encode),
        "certificates": certificates,
    })
}

fn certificate_json(certificate: Result<CertificateSummary, Refusal>) -> Value {
    match certificate {
        Ok(certificate) => json!({
            "subject": certificate.subject,
            "issuer": certificate.issuer,
            "not_before_ms": certificate.not_before.millis(),
            "not_after_ms": certificate.not_after.millis(),
            "is_authority": certificate.is_authority,
        }),
        Err(refusal) => json!({ "unreadable": refusal.to_string() }),
    }
}

fn lines(said: &Unverified<'_>) -> Vec<(String, String)> {
    let field = |name: &str, value: String| (name.to_owned(), value);
    let bytes = |value: Option<&[u8]>| value.map_or_else(|| "-".to_owned(), hex::encode);
    let mut lines = vec![
        field("module", said.module_id().to_owned()),
        field("made", moment::show(said.timestamp().millis())),
        field("platform", platform(said.platform()).to_owned()),
    ];
    let (zeros, others): (Vec<_>, Vec<_>) = said.pcrs().iter().partition(|(index, pcr)| *index > 2 && pcr.is_zero());
    lines.extend(others.iter().map(|(index, pcr)| (format!("pcr{index}"), pcr.to_string())));
    if !zeros.is_empty() {
        let indexes: Vec<_> = zeros.iter().map(|(index, _)| index.to_string()).collect();
        lines.push(field("zero pcrs", indexes.join(" ")));
    }
    lines.push(field("public key", bytes(said.public_key())));
    match claims(said) {
        None => lines.push(field("user data", bytes(said.user_data()))),
        Some(claims) => lines.extend([
            field("cluster", format!("0x{}", hex::encode(claims.cluster))),
            field("tls key", hex::encode(claims.tls_spki_sha256)),
            field("server ca", hex::encode(claims.server_ca_sha256)),
            field("config", hex::encode(claims.config_sha256)),
            field("state epoch", claims.state_epoch.to_string()),
        ]),
    }
    lines.push(field("nonce", bytes(said.nonce())));
    lines
}

fn certificates(said: &Unverified<'_>) -> Vec<Vec<String>> {
    said.certificate_summaries()
        .into_iter()
        .map(|certificate| match certificate {
            Ok(certificate) => vec![
                certificate.subject,
                moment::show(certificate.not_before.millis()),
                moment::show(certificate.not_after.millis()),
            ],
            Err(refusal) => vec![refusal.to_string(), "-".to_owned(), "-".to_owned()],
        })
        .collect()
}

/// The claims, if they have the form of this project's.
fn claims(said: &Unverified<'_>) -> Option<Claims> {
    Claims::parse(said.user_data()?).ok()
}

fn platform(platform: Platform) -> &'static str {
    match platform {
        Platform::Enclave => "enclave",
        Platform::NitroTpm => "nitrotpm",
    }
}
