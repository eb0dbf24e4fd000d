use serde::Deserialize;

use super::denial::Denial;

/// What a request wants to do; the part of a `SubjectAccessReview` that verdicts look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Action {
    /// `get`, `create`, …
    pub verb: String,
    /// API group.
    pub group: String,
    /// Plural name.
    pub resource: String,
    /// `status`, `exec`, …
    pub subresource: String,
}

impl Action {
    /// What only the master does for nodes, so that a node says nothing about itself that others act on.
    pub(super) fn check_node(&self) -> Result<(), Denial> {
        let Self { verb, group, resource, subresource } = self;
        if verb != "create" {
            return Ok(());
        }
        match (group.as_str(), resource.as_str(), subresource.as_str()) {
            ("", "nodes", "") => Err(Denial::NotForNodes("create nodes")),
            ("", "pods", "") => Err(Denial::NotForNodes("create pods")),
            ("certificates.k8s.io", _, _) => Err(Denial::NotForNodes("ask for certificates here")),
            _ => Ok(()),
        }
    }
}
