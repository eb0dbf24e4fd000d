//! The verdict, and how far it got.

use std::time::Duration;

use daas_attestation::{
    AgeRule, BoundTo, Network, NonceRule, Policy, Refusal, Stage, TlsPeer, Unbound, Unchecked, UnixTime, Unverified,
    Verdict, verify,
};
use daas_diagnostics::{Code, Diagnostic, Lang, codes};
use serde_json::{Value, json};

use super::expectation::{Bound, Expectation, Roots};
use super::show::document_json;
use super::source::Received;
use crate::moment;
use crate::output::{Page, Paint, Report};

/// A document that was judged.
#[derive(Debug)]
pub(super) struct Judgement {
    outcome: Result<Accepted, Refusal>,
    asked: Asked,
    /// Of what it claims, for a bound document.
    config_sha256: Option<[u8; 32]>,
    /// What it says, if it can be read.
    document: Option<Value>,
    /// How it came.
    connection: Value,
}

#[derive(Debug)]
enum Accepted {
    /// Measured, and bound to a cluster.
    Bound(Verdict),
    /// Measured; for nobody.
    Unbound(Unbound),
}

/// What the caller expected, in words.
#[derive(Debug)]
struct Asked {
    is_development: bool,
    /// Whether the document must be the active instance's; else any enclave that runs the code may claim the cluster.
    of_active_instance: bool,
    /// Where releases and instances come from.
    chain: Option<String>,
    at_ms: u64,
    releases: usize,
    nonce: Option<String>,
    max_age: Option<Duration>,
    claims: Vec<(&'static str, String)>,
}

/// The checks, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Check {
    Form,
    Authenticity,
    Measurements,
    Freshness,
    Claims,
}

impl Judgement {
    pub(super) fn of(received: &Received, expected: &Expectation) -> Self {
        let document = received.document();
        let judged_at = expected.clock.now();
        let network = match &expected.roots {
            Roots::Production => Network::Production,
            Roots::Development(roots) => Network::Development(roots),
        };
        let policy = Policy {
            network,
            now: judged_at,
            releases: &expected.releases,
            nonce: match received {
                Received::Stored(_) => expected.nonce.as_deref().map_or(NonceRule::None, NonceRule::Exactly),
                Received::Live(live) => live.1.nonce_rule(),
            },
            age: expected.age,
            claims: Unchecked,
        };
        let outcome = match &expected.claims {
            Bound::ToNothing => verify(document, &policy, None).map(Accepted::Unbound),
            Bound::To(bonds) => {
                let claims = BoundTo {
                    cluster: &bonds.cluster,
                    tls: match received {
                        Received::Stored(_) => TlsPeer::NoConnection,
                        Received::Live(live) => live.1.tls_peer(),
                    },
                    instance: bonds.instance.as_ref(),
                    server_ca_sha256: bonds.server_ca_sha256.as_ref(),
                    config_sha256: bonds.config_sha256.as_ref(),
                };
                let Policy { network, now, releases, nonce, age, claims: Unchecked } = policy;
                let policy = Policy { network, now, releases, nonce, age, claims };
                verify(document, &policy, None).map(Accepted::Bound)
            }
        };
        let document = Unverified::parse(document).ok().map(|said| document_json(&said));
        let config_sha256 = match &outcome {
            Ok(Accepted::Bound(verdict)) => Some(verdict.claims().config_sha256),
            _ => None,
        };
        let asked = Asked::of(received, expected, judged_at);
        Self { outcome, asked, config_sha256, document, connection: received.connection_json() }
    }

    /// The verdict on a document that had to be bound to a cluster.
    pub(super) fn into_verdict(self) -> Result<Verdict, Diagnostic> {
        match self.outcome {
            Ok(Accepted::Bound(verdict)) => Ok(verdict),
            Ok(Accepted::Unbound(_)) => Err(Diagnostic::new(codes::INTERNAL)),
            Err(refusal) => Err(refused(&refusal)),
        }
    }

    /// Passed, failed, not asked for, or not come to.
    fn result(&self, check: Check) -> &'static str {
        match self.outcome.as_ref().map_err(check_of) {
            Ok(Accepted::Unbound(_)) if check == Check::Claims => "not asked",
            Ok(_) => "passed",
            Err(failed) if check < failed => "passed",
            Err(failed) if check == failed => "failed",
            Err(_) => "not reached",
        }
    }

    /// Whether simulated hardware made an accepted document.
    fn is_simulated(&self) -> Option<bool> {
        match &self.outcome {
            Ok(Accepted::Bound(verdict)) => Some(verdict.is_simulated()),
            Ok(Accepted::Unbound(verdict)) => Some(verdict.is_simulated()),
            Err(_) => None,
        }
    }

    fn certified_until_ms(&self) -> Option<u64> {
        match &self.outcome {
            Ok(Accepted::Bound(verdict)) => Some(verdict.certified_until().millis()),
            Ok(Accepted::Unbound(verdict)) => Some(verdict.certified_until().millis()),
            Err(_) => None,
        }
    }
}

impl Report for Judgement {
    fn json(&self) -> Value {
        let checks: Vec<_> =
            Check::ALL.iter().map(|check| json!({ "check": check.name(), "result": self.result(*check) })).collect();
        let refusal = self.outcome.as_ref().err();
        json!({
            "verdict": if refusal.is_none() { "accepted" } else { "refused" },
            "bound": matches!(self.outcome, Ok(Accepted::Bound(_))),
            "instance": if self.asked.of_active_instance { "active" } else { "any" },
            "config_sha256": self.config_sha256.map(hex::encode),
            "chain": self.asked.chain,
            "development": self.asked.is_development,
            "simulated": self.is_simulated(),
            "at_ms": self.asked.at_ms,
            "certified_until_ms": self.certified_until_ms(),
            "checks": checks,
            "rule": refusal.map(|refusal| json!({ "code": refusal.rule().code, "source": refusal.rule().source })),
            "error": refusal.map(|refusal| refused(refusal).to_json(Lang::English)["error"].clone()),
            "document": self.document,
            "connection": self.connection,
        })
    }

    fn human(&self, page: &mut Page) {
        if self.asked.is_development {
            let banner = page
                .pick(
                    "DEVELOPMENT: this verdict counts for no production network",
                    "DEVELOPMENT(개발용): 운영 네트워크에서는 효력이 없는 판정입니다",
                )
                .to_owned();
            page.painted(Paint::Bad, banner);
        }
        let rows: Vec<_> = Check::ALL
            .iter()
            .map(|check| vec![check.name().to_owned(), self.result(*check).to_owned(), self.asked.expected(*check)])
            .collect();
        page.table(&["CHECK", "RESULT", "EXPECTED"], &rows);
        self.verdict(page);
    }

    fn holds(&self) -> bool {
        self.outcome.is_ok()
    }
}

impl Judgement {
    fn verdict(&self, page: &mut Page) {
        let (paint, text) = match &self.outcome {
            Ok(Accepted::Bound(verdict)) => {
                let words = if self.asked.of_active_instance {
                    page.pick(
                        "ACCEPTED: measured, the active instance of this cluster:",
                        "승인: 측정값이 확인된, 이 클러스터의 활성 인스턴스",
                    )
                } else {
                    page.pick(
                        "ACCEPTED: measured, claims this cluster, as any enclave with this code may (not compared with the active instance):",
                        "승인: 측정값이 확인되었고 이 클러스터를 주장함. 같은 코드의 엔클레이브라면 누구나 가능함(활성 인스턴스와 대조하지 않음):",
                    )
                };
                (Paint::Good, format!("{words} {}", hex::encode(verdict.instance_key())))
            }
            Ok(Accepted::Unbound(_)) => {
                let words = page.pick(
                    "ACCEPTED: measured, unbound: it says which code made the document, and for nobody",
                    "승인: 측정값만 확인됨(unbound). 어떤 코드가 문서를 만들었는지만 알 수 있고, 누구를 위한 것인지는 알 수 없습니다",
                );
                (Paint::Good, words.to_owned())
            }
            Err(refusal) => {
                let words = page.pick("REFUSED", "거부");
                let diagnostic = refused(refusal);
                (Paint::Bad, format!("{words} [{}] {}", refusal.rule().code, page.of(&diagnostic)))
            }
        };
        page.painted(paint, text);
        if let Err(refusal) = &self.outcome {
            page.fields([
                ("reason", refusal.to_string()),
                ("rule", format!("{}, docs/attestation.md", refusal.rule().code)),
                ("source", refusal.rule().source.to_owned()),
            ]);
            let diagnostic = refused(refusal);
            let [english, korean] = [Lang::English, Lang::Korean].map(|lang| diagnostic.next_steps(lang).join("\n  "));
            let steps = format!("  {}", page.pick(&english, &korean));
            page.line(steps);
        } else {
            let until = self.certified_until_ms().map(moment::show).unwrap_or_default();
            let hardware = match self.is_simulated() {
                Some(true) => "simulated",
                _ => "AWS Nitro",
            };
            page.fields([
                ("hardware", hardware.to_owned()),
                ("certified until", until),
                ("configuration", self.config_sha256.map(hex::encode).unwrap_or_default()),
                ("chain", self.asked.chain.clone().unwrap_or_default()),
            ]);
        }
    }
}

impl Asked {
    fn of(received: &Received, expected: &Expectation, judged_at: UnixTime) -> Self {
        let (sent, tls_key) = match received {
            Received::Stored(_) => (None, None),
            Received::Live(live) => (Some(hex::encode(live.1.nonce)), live.1.tls_spki_sha256),
        };
        let claims = match &expected.claims {
            Bound::ToNothing => Vec::new(),
            Bound::To(bonds) => {
                let optional = |name, value: Option<[u8; 32]>| value.map(|value| (name, hex::encode(value)));
                [Some(("cluster", format!("0x{}", hex::encode(bonds.cluster))))]
                    .into_iter()
                    .chain([
                        optional("tls key", tls_key),
                        optional("instance", bonds.instance),
                        optional("server ca", bonds.server_ca_sha256),
                        optional("config", bonds.config_sha256),
                    ])
                    .flatten()
                    .collect()
            }
        };
        Self {
            is_development: matches!(expected.roots, Roots::Development(_)),
            of_active_instance: matches!(&expected.claims, Bound::To(bonds) if bonds.instance.is_some()),
            chain: expected.chain.clone(),
            at_ms: judged_at.millis(),
            releases: expected.releases.len(),
            nonce: sent.or_else(|| expected.nonce.as_ref().map(hex::encode)),
            max_age: match expected.age {
                AgeRule::AtMost(limit) => Some(limit),
                AgeRule::WhileCertified => None,
            },
            claims,
        }
    }

    fn expected(&self, check: Check) -> String {
        match check {
            Check::Form => "COSE_Sign1, one encoding".to_owned(),
            Check::Authenticity => format!("signed and certified at {}", moment::show(self.at_ms)),
            Check::Measurements => format!("not debug; one of {} releases", self.releases),
            Check::Freshness => {
                let nonce = self.nonce.as_ref().map_or_else(|| "no nonce".to_owned(), |nonce| format!("nonce {nonce}"));
                match self.max_age {
                    Some(limit) => format!("{nonce}, at most {} s old", limit.as_secs()),
                    None => format!("{nonce}, any age"),
                }
            }
            Check::Claims if self.claims.is_empty() => "-".to_owned(),
            Check::Claims => {
                let claims: Vec<_> = self.claims.iter().map(|(name, value)| format!("{name} {value}")).collect();
                claims.join(", ")
            }
        }
    }
}

impl Check {
    const ALL: [Self; 5] = [Self::Form, Self::Authenticity, Self::Measurements, Self::Freshness, Self::Claims];

    fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Authenticity => "authenticity",
            Self::Measurements => "measurements",
            Self::Freshness => "freshness",
            Self::Claims => "claims",
        }
    }
}

/// A refusal in the words of the catalogue.
pub(super) fn refused(refusal: &Refusal) -> Diagnostic {
    Diagnostic::new(code_of(refusal)).with("rule", refusal.rule().code).with("reason", refusal)
}

fn code_of(refusal: &Refusal) -> Code {
    match (check_of(refusal), refusal) {
        (Check::Form, _) => codes::DOCUMENT_MALFORMED,
        (Check::Authenticity, _) => codes::DOCUMENT_NOT_GENUINE,
        (Check::Measurements, Refusal::DebugMode { .. }) => codes::DOCUMENT_OF_DEBUG_ENCLAVE,
        (Check::Measurements, _) => codes::DOCUMENT_OF_OTHER_CODE,
        (Check::Freshness, _) => codes::DOCUMENT_NOT_AN_ANSWER,
        (Check::Claims, _) => codes::DOCUMENT_CLAIMS_OTHERS,
    }
}

/// The check that a refusal ends.
fn check_of(refusal: &Refusal) -> Check {
    match refusal.rule().stage {
        Stage::Parse => Check::Form,
        Stage::Authenticity => Check::Authenticity,
        Stage::Policy => match refusal {
            Refusal::NonceMissing
            | Refusal::NonceMismatch
            | Refusal::NonceUnexpected
            | Refusal::TooOld { .. }
            | Refusal::FromTheFuture { .. } => Check::Freshness,
            Refusal::ClaimsMissing
            | Refusal::ClaimsLength { .. }
            | Refusal::ClaimsVersion { .. }
            | Refusal::OtherCluster
            | Refusal::OtherTlsKey
            | Refusal::OtherServerCa
            | Refusal::OtherConfiguration
            | Refusal::InstanceKeyMissing
            | Refusal::OtherInstance => Check::Claims,
            // Which code it is; a rule that this command does not know yet counts as unknown code.
            _ => Check::Measurements,
        },
    }
}
