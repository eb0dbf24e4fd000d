use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{CONTROLLER_SERVICE_ACCOUNTS, Verdict};

/// What a request wants to do, as kube-apiserver tells it in a SubjectAccessReview.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Attributes {
    /// Who.
    pub user: String,
    /// What is known of the credential, by key.
    pub extra: BTreeMap<String, Vec<String>>,
    /// An object of the API.
    pub resource_attributes: Option<ResourceAttributes>,
    /// Or a path.
    pub non_resource_attributes: Option<PathAttributes>,
}

/// An object of the API and a verb.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ResourceAttributes {
    /// API group; empty for the core.
    pub group: String,
    /// Plural name.
    pub resource: String,
    /// Empty for the object itself.
    pub subresource: String,
    /// Empty for cluster-wide objects, and for all namespaces.
    pub namespace: String,
    /// Empty for all of them.
    pub name: String,
    /// The verb.
    pub verb: String,
}

/// A path and a verb.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PathAttributes {
    /// The path.
    pub path: String,
    /// The verb.
    pub verb: String,
}

impl Attributes {
    /// The credential's fingerprint, if there is exactly one.
    pub(super) fn credential(&self) -> Option<&str> {
        match self.extra.get("authentication.kubernetes.io/credential-id").map(Vec::as_slice) {
            Some([one]) => Some(one),
            _ => None,
        }
    }

    /// Whether a pod's token says that it is a controller: the controllers are no pods, and who may make pods in `kube-system` is to
    /// gain nothing by naming their accounts.
    pub(super) fn is_pod_of_a_controller(&self) -> bool {
        let account = self.user.strip_prefix("system:serviceaccount:kube-system:");
        account.is_some_and(|account| CONTROLLER_SERVICE_ACCOUNTS.contains(&account))
            && self.extra.contains_key("authentication.kubernetes.io/node-name")
    }
}

/// Reads a SubjectAccessReview of `authorization.k8s.io/v1`; `None` if it is not one.
pub(super) fn read(body: &[u8]) -> Option<Attributes> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Review {
        api_version: String,
        kind: String,
        spec: Attributes,
    }
    let review: Review = serde_json::from_slice(body).ok()?;
    (review.api_version == "authorization.k8s.io/v1" && review.kind == "SubjectAccessReview").then_some(review.spec)
}

/// The answer. "Denied" ends the matter; without it and without "allowed", the next authorizer is asked.
pub(super) fn answer(verdict: Verdict) -> Value {
    json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "status": {
            "allowed": verdict == Verdict::Allow,
            "denied": matches!(verdict, Verdict::Deny(_)),
            "reason": match verdict { Verdict::Deny(why) => why, _ => "" },
        },
    })
}
