//! `TokenReview` and `SubjectAccessReview`, version v1.

use daas_seal_token::Identity;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use crate::verdicts::{Action, RegistryView, Subject, Verdicts};

const TOKEN_VERSION: &str = "authentication.k8s.io/v1";
const TOKEN_KIND: &str = "TokenReview";
const ACCESS_VERSION: &str = "authorization.k8s.io/v1";
const ACCESS_KIND: &str = "SubjectAccessReview";

/// Answers a `TokenReview`; `None` if it is none.
pub fn token_review<V: RegistryView>(verdicts: &Verdicts<V>, body: &[u8], now_ms: u64) -> Option<String> {
    let review: Review<TokenSpec> = serde_json::from_slice(body).ok()?;
    if review.api_version != TOKEN_VERSION || review.kind != TOKEN_KIND {
        return None;
    }
    let status = match verdicts.bearer(&review.spec.token, now_ms) {
        Ok(bearer) => {
            let identity = Identity::Bearer(bearer);
            let user = User { username: identity.user_name(), uid: identity.uid(), groups: identity.groups() };
            TokenStatus { authenticated: true, user: Some(user), error: None }
        }
        Err(denial) => {
            tracing::debug!(%denial, "bearer refused");
            TokenStatus { authenticated: false, user: None, error: Some(denial.to_string()) }
        }
    };
    serde_json::to_string(&Answer { api_version: TOKEN_VERSION, kind: TOKEN_KIND, status }).ok()
}

/// Answers a `SubjectAccessReview` with a denial or no opinion; `None` if it is none.
pub fn access_review<V: RegistryView>(verdicts: &Verdicts<V>, body: &[u8], now_ms: u64) -> Option<String> {
    let review: Review<AccessSpec> = serde_json::from_slice(body).ok()?;
    if review.api_version != ACCESS_VERSION || review.kind != ACCESS_KIND {
        return None;
    }
    let status = match verdicts.access(&review.spec.subject, review.spec.action.as_ref(), now_ms) {
        Ok(()) => AccessStatus { allowed: false, denied: false, reason: String::new() },
        Err(denial) => {
            tracing::debug!(%denial, user = review.spec.subject.user, "access denied");
            AccessStatus { allowed: false, denied: true, reason: denial.to_string() }
        }
    };
    serde_json::to_string(&Answer { api_version: ACCESS_VERSION, kind: ACCESS_KIND, status }).ok()
}

#[derive(Deserialize)]
struct Review<S> {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    spec: S,
}

#[derive(Deserialize)]
struct TokenSpec {
    token: String,
}

impl Drop for TokenSpec {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

#[derive(Deserialize)]
struct AccessSpec {
    #[serde(flatten)]
    subject: Subject,
    #[serde(rename = "resourceAttributes")]
    action: Option<Action>,
}

#[derive(Serialize)]
struct Answer<S> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    status: S,
}

#[derive(Serialize)]
struct TokenStatus {
    authenticated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct User {
    username: String,
    uid: String,
    groups: Vec<String>,
}

#[derive(Serialize)]
struct AccessStatus {
    allowed: bool,
    denied: bool,
    reason: String,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use daas_seal_token::{Purpose, WalletAddress};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::verdicts::fake::{NOW, bearer_of, node_subject, world};

    fn token_answer(token: &str) -> Value {
        let (_, verdicts) = world();
        let body = json!({"apiVersion": TOKEN_VERSION, "kind": TOKEN_KIND, "metadata": {}, "spec": {"token": token, "audiences": ["x"]}});
        serde_json::from_str(&token_review(&verdicts, body.to_string().as_bytes(), NOW).unwrap()).unwrap()
    }

    fn access_body(node: u8) -> String {
        let subject = node_subject(node);
        json!({"apiVersion": ACCESS_VERSION, "kind": ACCESS_KIND, "spec": {
            "user": subject.user, "groups": subject.groups, "extra": subject.extra, "uid": "",
            "resourceAttributes": {"namespace": "default", "verb": "get", "version": "v1", "resource": "pods", "name": "web"},
        }})
        .to_string()
    }

    #[test]
    fn a_seal_token_becomes_a_user_with_the_groups_of_its_tiers() {
        let answer = token_answer(&bearer_of(7, Purpose::Api).to_bearer());
        let owner = WalletAddress([7; 32]).to_string();
        assert_eq!(answer["status"]["authenticated"], true);
        assert_eq!(answer["status"]["user"]["username"], format!("seal:{owner}"));
        assert_eq!(answer["status"]["user"]["uid"], owner);
        let token = format!("seal:token:0x{}", "07".repeat(32));
        let groups = json!([token, "seal:key:3", "seal:tier:reader", "seal:tier:worker", "seal:tier:admin"]);
        assert_eq!(answer["status"]["user"]["groups"], groups);
    }

    #[test]
    fn a_refused_token_gives_no_user_and_a_reason_without_the_token() {
        let bearer = bearer_of(6, Purpose::Join).to_bearer();
        let answer = token_answer(&bearer);
        assert_eq!(answer["status"], json!({"authenticated": false, "error": "the token is for join, not for api"}));
        assert!(!token_answer("some-other-secret").to_string().contains("other-secret"));
    }

    #[test]
    fn a_live_node_gets_no_opinion_and_a_dead_or_stale_one_a_prompt_deny() {
        let (view, verdicts) = world();
        let review = |node| -> Value {
            let answer = access_review(&verdicts, access_body(node).as_bytes(), NOW).unwrap();
            serde_json::from_str::<Value>(&answer).unwrap()["status"].clone()
        };
        assert_eq!(review(6), json!({"allowed": false, "denied": false, "reason": ""}));
        view.edit(6, |token| token.revoked = true);
        assert_eq!(
            review(6),
            json!({"allowed": false, "denied": true, "reason": "the token has been revoked on chain"})
        );
        view.stale.store(true, Ordering::SeqCst);
        assert_eq!(review(8)["denied"], true);
        assert!(review(8)["reason"].as_str().unwrap().contains("31000 ms old"));
    }

    #[test]
    fn other_kinds_and_versions_are_no_reviews() {
        let (_, verdicts) = world();
        for (from, to) in [
            (ACCESS_VERSION, "authorization.k8s.io/v1beta1"),
            (ACCESS_KIND, "SelfSubjectReview"),
            ("\"spec\"", "\"x\""),
        ] {
            let body = access_body(6).replace(from, to);
            assert!(access_review(&verdicts, body.as_bytes(), NOW).is_none(), "{to}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bodies_never_allow(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let (_, verdicts) = world();
            prop_assert!(token_review(&verdicts, &body, NOW).is_none());
            prop_assert!(access_review(&verdicts, &body, NOW).is_none());
        }
    }
}
