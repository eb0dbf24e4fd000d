//! Errors in the words of the catalogue.

use daas_diagnostics::{Diagnose, Diagnostic, codes};

use super::{Error, Run};
use crate::types::ObjectError;

impl Diagnose for Error {
    fn diagnostic(&self) -> Diagnostic {
        self.words().caused_by(self)
    }
}

/// What the failure cost.
fn with_cost(diagnostic: Diagnostic, run: Run) -> Diagnostic {
    match run {
        Run::Simulated => diagnostic.with_words(
            "cost",
            "It was only tried out: nothing was signed, sent or paid",
            "미리 실행해 보기만 했습니다. 서명하거나 보내거나 지불한 것이 없습니다",
        ),
        Run::Executed => diagnostic.with_words(
            "cost",
            "The gas was charged, nothing else changed",
            "가스비만 나갔고 다른 변화는 없습니다",
        ),
    }
}

impl Error {
    #[expect(clippy::too_many_lines, reason = "one arm a variant")]
    fn words(&self) -> Diagnostic {
        match self {
            Self::KeystoreUnreadable { path, reason } => {
                Diagnostic::new(codes::KEYSTORE_UNREADABLE).with("path", path.display()).with("reason", reason)
            }
            Self::KeyNotFound { wanted, path } => {
                Diagnostic::new(codes::KEY_NOT_FOUND).with("wanted", wanted).with("path", path.display())
            }
            Self::WalletAmbiguous { path, candidates } => {
                Diagnostic::new(codes::WALLET_AMBIGUOUS).with("path", path.display()).with("candidates", candidates)
            }
            Self::KeyMalformed { origin } => Diagnostic::new(codes::KEY_MALFORMED).with("origin", origin),
            Self::KeyReferenceUnsupported { reference } => {
                Diagnostic::new(codes::KEY_REFERENCE_UNSUPPORTED).with("reference", reference)
            }
            Self::KeyFileExposed { path, mode } => Diagnostic::new(codes::KEY_FILE_EXPOSED)
                .with("path", path.display())
                .with("mode", format_args!("{mode:o}")),
            Self::AddressMismatch { expected, actual } => {
                Diagnostic::new(codes::ADDRESS_MISMATCH).with("expected", expected).with("actual", actual)
            }
            Self::WalletConfigUnreadable { path, reason } => {
                Diagnostic::new(codes::WALLET_CONFIG_UNREADABLE).with("path", path.display()).with("reason", reason)
            }
            Self::Unreachable { endpoint, .. } => Diagnostic::new(codes::CHAIN_UNREACHABLE).with("endpoint", endpoint),
            Self::Timeout { endpoint, after } => {
                Diagnostic::new(codes::CHAIN_TIMEOUT).with("endpoint", endpoint).with("seconds", after.as_secs().max(1))
            }
            Self::WrongNetwork { endpoint, expected, actual } => Diagnostic::new(codes::WRONG_NETWORK)
                .with("endpoint", endpoint)
                .with("expected", expected)
                .with("actual", actual),
            Self::WrongPackage { package, reason } => {
                Diagnostic::new(codes::WRONG_PACKAGE).with("package", package).with("reason", reason)
            }
            Self::WrongCluster { expected, actual } => {
                Diagnostic::new(codes::WRONG_CLUSTER).with("expected", expected).with("actual", actual)
            }
            Self::Stale(stale) => Diagnostic::new(codes::CHAIN_VIEW_STALE)
                .with("age", format_args!("{} s", stale.age_ms / 1000))
                .with("limit", format_args!("{} s", stale.bound_ms / 1000)),
            Self::QuorumDisagreement { agreeing, needed, total, .. } => Diagnostic::new(codes::QUORUM_DISAGREEMENT)
                .with("agreeing", agreeing)
                .with("needed", needed)
                .with("total", total),
            Self::QuorumUnreachable { answered, needed, total } => Diagnostic::new(codes::QUORUM_UNREACHABLE)
                .with("answered", answered)
                .with("needed", needed)
                .with("total", total),
            Self::CallNotServed { endpoint, method } => {
                Diagnostic::new(codes::CALL_NOT_SERVED).with("endpoint", endpoint).with("method", method)
            }
            Self::AnswerInvalid { endpoint, what } => {
                Diagnostic::new(codes::CHAIN_ANSWER_INVALID).with("endpoint", endpoint).with("what", what)
            }
            Self::RateLimited { endpoint } => Diagnostic::new(codes::RATE_LIMITED).with("endpoint", endpoint),
            Self::OutcomeUnknown { digest } => Diagnostic::new(codes::OUTCOME_UNKNOWN).with("digest", digest),
            Self::NoGas { address } => Diagnostic::new(codes::NO_GAS).with("address", address),
            Self::InsufficientBalance { address, balance, needed } => Diagnostic::new(codes::INSUFFICIENT_BALANCE)
                .with("address", address)
                .with("balance", format_args!("{balance} MIST"))
                .with("needed", format_args!("{needed} MIST")),
            Self::GasBudgetExceeded { budget, run } => with_cost(
                Diagnostic::new(codes::GAS_BUDGET_EXCEEDED).with("budget", format_args!("{budget} MIST")),
                *run,
            ),
            Self::Aborted(abort) => {
                let meaning = abort.meaning().unwrap_or("this version has no words for it");
                let diagnostic = Diagnostic::new(codes::TRANSACTION_ABORTED)
                    .with("module", &abort.module)
                    .with("constant", abort.constant().map_or_else(|| abort.code.to_string(), str::to_owned))
                    .with("meaning", meaning.trim_end_matches('.'));
                with_cost(diagnostic, abort.run)
            }
            Self::Failed { reason, run } => {
                let diagnostic = Diagnostic::new(codes::TRANSACTION_ABORTED)
                    .with("module", "transaction")
                    .with("constant", "failed")
                    .with("meaning", reason);
                with_cost(diagnostic, *run)
            }
            Self::Rejected { reason } => Diagnostic::new(codes::TRANSACTION_REJECTED).with("reason", reason),
            Self::ObjectNotFound { kind, object } => {
                Diagnostic::new(codes::OBJECT_NOT_FOUND).with("kind", kind).with("object", object)
            }
            Self::Object(ObjectError::OtherType { object, expected, actual }) => {
                Diagnostic::new(codes::OBJECT_OF_OTHER_TYPE)
                    .with("object", object)
                    .with("expected", expected)
                    .with("actual", actual)
            }
            Self::Object(ObjectError::TooNew { object, version, known }) => Diagnostic::new(codes::CLUSTER_TOO_NEW)
                .with("cluster", object)
                .with("version", version)
                .with("known", known),
            Self::Object(ObjectError::Malformed { object, .. }) => Diagnostic::new(codes::CHAIN_ANSWER_INVALID)
                .with("endpoint", "(any)")
                .with("what", format_args!("the object {object}")),
            Self::Event(error) => Diagnostic::new(codes::CHAIN_ANSWER_INVALID)
                .with("endpoint", "(any)")
                .with("what", format_args!("an event: {error}")),
            Self::VersionConflict { object } => Diagnostic::new(codes::OBJECT_VERSION_CONFLICT).with("object", object),
            Self::NotOwner { object, owner, sender } => {
                Diagnostic::new(codes::NOT_OWNER).with("object", object).with("owner", owner).with("sender", sender)
            }
            Self::AdminCapMissing { cluster, address } => {
                Diagnostic::new(codes::ADMIN_CAP_MISSING).with("cluster", cluster).with("address", address)
            }
            Self::NoToken { stake } => {
                Diagnostic::new(codes::OBJECT_NOT_FOUND).with("kind", "Seal token of stake").with("object", stake)
            }
            Self::BytecodeInvalid { reason } => Diagnostic::new(codes::BYTECODE_INVALID)
                .with("path", "move/bytecode/package.json")
                .with("reason", reason),
            Self::Journal { .. } | Self::Busy { .. } => {
                Diagnostic::new(codes::TRANSACTION_REJECTED).with("reason", self)
            }
            Self::Build { .. } | Self::Stopped(_) => Diagnostic::new(codes::INTERNAL),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use daas_diagnostics::Lang;
    use sui_sdk_types::{Address, Digest};

    use super::*;
    use crate::abort::Abort;

    #[test]
    fn every_error_fills_its_blanks() {
        let (id, path, endpoint) = (Address::TWO, PathBuf::from("/p"), "http://n".to_owned());
        let abort = Abort { module: "staking".into(), function: None, code: 1, own: true, run: Run::Executed };
        let errors = [
            Error::KeystoreUnreadable { path: path.clone(), reason: "r".into() },
            Error::KeyNotFound { wanted: "w".into(), path: path.clone() },
            Error::WalletAmbiguous { path: path.clone(), candidates: "c".into() },
            Error::KeyMalformed { origin: "o".into() },
            Error::KeyReferenceUnsupported { reference: "kms:x".into() },
            Error::KeyFileExposed { path: path.clone(), mode: 0o644 },
            Error::AddressMismatch { expected: id, actual: id },
            Error::WalletConfigUnreadable { path: path.clone(), reason: "r".into() },
            Error::Unreachable { endpoint: endpoint.clone(), source: Box::new(tonic::Status::unavailable("x")) },
            Error::Timeout { endpoint: endpoint.clone(), after: Duration::from_secs(3) },
            Error::WrongNetwork { endpoint: endpoint.clone(), expected: Digest::ZERO, actual: Digest::ZERO },
            Error::WrongPackage { package: id, reason: "r".into() },
            Error::WrongCluster { expected: id, actual: id },
            Error::Stale(daas_seal_token::Stale { age_ms: 31_000, bound_ms: 30_000 }),
            Error::QuorumDisagreement { agreeing: 1, needed: 2, total: 3, nodes: vec![endpoint.clone()] },
            Error::QuorumUnreachable { answered: 1, needed: 2, total: 3 },
            Error::CallNotServed { endpoint: endpoint.clone(), method: "m".into() },
            Error::AnswerInvalid { endpoint: endpoint.clone(), what: "w".into() },
            Error::RateLimited { endpoint },
            Error::OutcomeUnknown { digest: Digest::ZERO },
            Error::NoGas { address: id },
            Error::InsufficientBalance { address: id, balance: 1, needed: 2 },
            Error::GasBudgetExceeded { budget: 1, run: Run::Simulated },
            Error::Aborted(abort),
            Error::Failed { reason: "r".into(), run: Run::Executed },
            Error::Rejected { reason: "r".into() },
            Error::ObjectNotFound { kind: "Stake", object: id },
            Error::Object(ObjectError::OtherType { object: id, expected: "a".into(), actual: "b".into() }),
            Error::Object(ObjectError::TooNew { object: id, version: 2, known: 1 }),
            Error::VersionConflict { object: id },
            Error::NotOwner { object: id, owner: id, sender: id },
            Error::AdminCapMissing { cluster: id, address: id },
            Error::NoToken { stake: id },
            Error::Journal { path: path.clone(), source: std::io::Error::other("x") },
            Error::Busy { path },
            Error::BytecodeInvalid { reason: "r".into() },
            Error::Build { reason: "r".into() },
        ];
        for error in errors {
            let diagnostic = error.diagnostic();
            assert!(diagnostic.unfilled().is_empty(), "{error}: {:?}", diagnostic.unfilled());
            assert!(diagnostic.unused().is_empty(), "{error}: {:?}", diagnostic.unused());
            assert!(!diagnostic.message(Lang::Korean).is_empty());
        }
    }

    #[test]
    fn what_was_only_tried_out_is_not_said_to_have_cost_gas() {
        let told = |run| {
            let abort = Abort { module: "staking".into(), function: None, code: 1, own: true, run };
            [
                Error::Aborted(abort),
                Error::Failed { reason: "r".into(), run },
                Error::GasBudgetExceeded { budget: 1, run },
            ]
            .map(|error| {
                [Lang::English, Lang::Korean].map(|lang| error.diagnostic().to_json(lang).to_string()).concat()
            })
        };
        let charged = |text: &String| text.contains("gas was charged") || text.contains("가스비만 나갔고");
        assert!(told(Run::Executed).iter().all(charged));
        assert!(!told(Run::Simulated).iter().any(charged));
    }
}
