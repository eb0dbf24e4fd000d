//! What kubectl and a credential plugin say to each other: `ExecCredential` of `client.authentication.k8s.io/v1`
//! (k8s.io/client-go, `pkg/apis/clientauthentication/v1/types.go`, `plugin/pkg/client/auth/exec/exec.go`).

use daas_diagnostics::{Diagnostic, codes};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::moment;

/// The version that this plugin speaks.
pub(super) const API_VERSION: &str = "client.authentication.k8s.io/v1";
/// kubectl sets it for plugins; what it says is checked.
const VARIABLE: &str = "KUBERNETES_EXEC_INFO";
const KIND: &str = "ExecCredential";

/// The credential, with the moment from which kubectl asks again.
pub(super) fn credential(token: &str, expires_at_ms: u64) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "status": { "token": token, "expirationTimestamp": moment::show(expires_at_ms) },
    })
}

/// Whether kubectl asks; an error if it asks in words that this plugin does not speak.
pub(super) fn is_asked(variable: Option<&str>) -> Result<bool, Diagnostic> {
    /// The part that matters; `spec` may say more.
    #[derive(Deserialize)]
    struct Question {
        #[serde(rename = "apiVersion")]
        api_version: String,
        kind: String,
    }
    let Some(text) = variable else { return Ok(false) };
    match serde_json::from_str::<Question>(text) {
        Ok(question) if question.kind == KIND && question.api_version == API_VERSION => Ok(true),
        Ok(question) => Err(unknown(&format!("{} {}", question.api_version, question.kind))),
        Err(error) => Err(unknown("…").caused_by(&error)),
    }
}

/// The variable of this process.
pub(super) fn question() -> Option<String> {
    std::env::var_os(VARIABLE).map(|text| text.to_string_lossy().into_owned())
}

fn unknown(value: &str) -> Diagnostic {
    Diagnostic::new(codes::BAD_VALUE)
        .with("name", VARIABLE)
        .with_words("origin", "the environment", "환경 변수")
        .with("value", value)
        .with("expected", format!("{API_VERSION} {KIND}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_version_that_is_spoken_is_answered() {
        let question =
            |version: &str, kind: &str| json!({ "apiVersion": version, "kind": kind, "spec": {} }).to_string();
        assert!(!is_asked(None).unwrap());
        assert!(is_asked(Some(&question(API_VERSION, KIND))).unwrap());
        let newer = question("client.authentication.k8s.io/v1beta1", KIND);
        for wrong in [newer.as_str(), &question(API_VERSION, "Pod"), "", "{}", "[]", "\u{1b}[2J"] {
            let error = is_asked(Some(wrong)).unwrap_err();
            assert_eq!((error.code(), error.unfilled()), (codes::BAD_VALUE, vec![]), "{wrong}");
        }
    }

    /// The form of `ExecCredential` that client-go decodes; the time is RFC 3339 (`metav1.Time`).
    #[test]
    fn the_credential_is_a_token_with_its_end() {
        assert_eq!(
            credential("seal1.a.b", 951_782_400_000),
            json!({
                "apiVersion": "client.authentication.k8s.io/v1",
                "kind": "ExecCredential",
                "status": { "token": "seal1.a.b", "expirationTimestamp": "2000-02-29T00:00:00Z" },
            })
        );
    }
}
