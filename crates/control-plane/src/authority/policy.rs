use std::collections::BTreeSet;

use super::review::{PathAttributes, ResourceAttributes};
use super::{Attributes, CONTROLLER_MANAGER, CONTROLLER_SERVICE_ACCOUNTS, KUBELET_CLIENT, MASTER};

/// An answer to "may this user do that?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Allow,
    /// No, whatever others say.
    Deny(&'static str),
    /// Not ours to say.
    NoOpinion,
}

/// Which objects of a kind a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// All, by name or as a list.
    Any,
    /// These, by name.
    Only(BTreeSet<String>),
}

/// Verbs on objects of one kind. There is no wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// API group; empty for the core.
    pub group: String,
    /// Plural name, with the subresource behind a slash.
    pub resource: String,
    /// The verbs.
    pub verbs: &'static [&'static str],
    /// One namespace; `None`: cluster-wide objects and every namespace.
    pub namespace: Option<String>,
    /// Which of them.
    pub names: Names,
}

impl Rule {
    /// Verbs on all objects of a kind.
    pub fn any(group: &str, resource: &str, verbs: &'static [&'static str]) -> Self {
        Self { group: group.into(), resource: resource.into(), verbs, namespace: None, names: Names::Any }
    }

    fn allows(&self, wanted: &ResourceAttributes) -> bool {
        let (resource, subresource) = self.resource.split_once('/').unwrap_or((self.resource.as_str(), ""));
        self.group == wanted.group
            && resource == wanted.resource
            && subresource == wanted.subresource
            && self.verbs.contains(&wanted.verb.as_str())
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == wanted.namespace)
            && match &self.names {
                Names::Any => true,
                Names::Only(names) => names.contains(&wanted.name),
            }
    }
}

/// Fingerprints of the certificates that this process issued to itself and to its programs. The ones before the last renewal
/// stay known: their programs change over in their own time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Of [`MASTER`].
    pub master: BTreeSet<String>,
    /// Of [`KUBELET_CLIENT`].
    pub kubelet_client: BTreeSet<String>,
    /// Of [`CONTROLLER_MANAGER`].
    pub controller_manager: BTreeSet<String>,
}

/// What the control plane's own identities may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    master: Vec<Rule>,
    kubelet_client: Vec<Rule>,
}

const READ: &[&str] = &["get", "list", "watch"];

impl Policy {
    /// The master's rights: Nodes, pods' eviction, what its probes read, and the add-ons' objects (`add_ons`).
    pub fn new(add_ons: Vec<Rule>) -> Self {
        let mut master = vec![
            Rule::any("", "nodes", &["get", "list", "watch", "create", "update", "patch", "delete"]),
            Rule::any("", "nodes/status", &["get", "patch", "update"]),
            Rule::any("", "pods", &["get", "list", "watch", "delete"]),
            // For the finalizers of pods whose node is gone; what a pod runs cannot be changed this way.
            Rule::any("", "pods/status", &["patch"]),
            Rule::any("", "pods/eviction", &["create"]),
            Rule::any("", "namespaces", READ),
            Rule::any("coordination.k8s.io", "leases", READ),
        ];
        master.extend(add_ons);
        let kubelet_client = vec![
            Rule::any("", "nodes/proxy", &["get", "create", "update", "patch", "delete"]),
            Rule::any("", "nodes/stats", &["get"]),
            Rule::any("", "nodes/log", &["get"]),
            Rule::any("", "nodes/metrics", &["get"]),
            Rule::any("", "nodes/healthz", &["get"]),
            Rule::any("", "nodes/configz", &["get"]),
            Rule::any("", "nodes/pods", &["get"]),
        ];
        Self { master, kubelet_client }
    }

    /// The verdict. Pure: the same question has the same answer until a certificate is renewed.
    pub fn judge(&self, wanted: &Attributes, credentials: &Credentials) -> Verdict {
        if wanted.is_pod_of_a_controller() {
            return Verdict::Deny("no pod runs as one of the controllers");
        }
        let (rules, known) = match wanted.user.as_str() {
            MASTER => (&self.master, &credentials.master),
            KUBELET_CLIENT => (&self.kubelet_client, &credentials.kubelet_client),
            user => return minting(user, wanted, credentials),
        };
        if !wanted.credential().is_some_and(|credential| known.contains(credential)) {
            return Verdict::Deny("this identity of the control plane cannot be borrowed");
        }
        let allowed = match (&wanted.resource_attributes, &wanted.non_resource_attributes) {
            (Some(object), None) => rules.iter().any(|rule| rule.allows(object)),
            (None, Some(path)) => wanted.user == MASTER && readable(path),
            _ => false,
        };
        if allowed {
            Verdict::Allow
        } else {
            Verdict::Deny("the control plane's own identities may do what they need, and no more")
        }
    }
}

/// Tokens of the controllers' service accounts are made for the controller manager only.
fn minting(user: &str, wanted: &Attributes, credentials: &Credentials) -> Verdict {
    let controllers = |object: &&ResourceAttributes| {
        object.group.is_empty()
            && object.resource == "serviceaccounts"
            && object.subresource == "token"
            && object.namespace == "kube-system"
            && CONTROLLER_SERVICE_ACCOUNTS.contains(&object.name.as_str())
    };
    let Some(_) = wanted.resource_attributes.as_ref().filter(controllers) else { return Verdict::NoOpinion };
    let own = wanted.credential().is_some_and(|credential| credentials.controller_manager.contains(credential));
    if user == CONTROLLER_MANAGER && own {
        Verdict::NoOpinion
    } else {
        Verdict::Deny("tokens of the controllers are made for the controller manager only")
    }
}

fn readable(path: &PathAttributes) -> bool {
    let paths = ["/readyz", "/livez", "/healthz", "/version", "/metrics"];
    path.verb == "get" && paths.contains(&path.path.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn known() -> Credentials {
        let set = |id: &str| BTreeSet::from([id.to_owned()]);
        Credentials { master: set("M"), kubelet_client: set("K"), controller_manager: set("C") }
    }

    fn wants(user: &str, credential: &[&str], verb: &str, resource: &str, namespace: &str, name: &str) -> Attributes {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        Attributes {
            user: user.into(),
            extra: BTreeMap::from([(
                "authentication.kubernetes.io/credential-id".into(),
                credential.iter().map(|&id| id.into()).collect(),
            )]),
            resource_attributes: Some(ResourceAttributes {
                group: String::new(),
                resource: resource.into(),
                subresource: subresource.into(),
                namespace: namespace.into(),
                name: name.into(),
                verb: verb.into(),
            }),
            non_resource_attributes: None,
        }
    }

    fn judge(wanted: &Attributes) -> Verdict {
        Policy::new(Vec::new()).judge(wanted, &known())
    }

    #[test]
    fn the_master_may_make_nodes_and_read_no_secrets() {
        assert_eq!(judge(&wants(MASTER, &["M"], "create", "nodes", "", "w1")), Verdict::Allow);
        assert_eq!(judge(&wants(MASTER, &["M"], "create", "pods/eviction", "default", "p")), Verdict::Allow);
        // Finalizers keep neither a Node nor its pods.
        assert_eq!(judge(&wants(MASTER, &["M"], "patch", "nodes", "", "w1")), Verdict::Allow);
        assert_eq!(judge(&wants(MASTER, &["M"], "patch", "pods/status", "default", "p")), Verdict::Allow);
        for (verb, resource) in [
            ("get", "secrets"),
            ("list", "secrets"),
            ("create", "pods"),
            ("patch", "pods"),
            ("update", "pods/status"),
            ("create", "pods/exec"),
            ("get", "nodes/proxy"),
            ("impersonate", "users"),
            ("create", "serviceaccounts/token"),
            ("*", "nodes"),
        ] {
            assert!(
                matches!(judge(&wants(MASTER, &["M"], verb, resource, "default", "x")), Verdict::Deny(_)),
                "{verb} {resource}"
            );
        }
    }

    #[test]
    fn a_borrowed_identity_is_denied() {
        for credential in [&[][..], &["K"], &["M", "M"], &["M", "x"], &[""]] {
            assert!(
                matches!(judge(&wants(MASTER, credential, "create", "nodes", "", "w1")), Verdict::Deny(_)),
                "{credential:?}"
            );
        }
    }

    #[test]
    fn the_kubelet_client_may_do_nothing_but_speak_to_kubelets() {
        assert_eq!(judge(&wants(KUBELET_CLIENT, &["K"], "create", "nodes/proxy", "", "w1")), Verdict::Allow);
        assert!(matches!(judge(&wants(KUBELET_CLIENT, &["K"], "get", "nodes", "", "w1")), Verdict::Deny(_)));
        assert!(matches!(judge(&wants(KUBELET_CLIENT, &["K"], "get", "secrets", "default", "s")), Verdict::Deny(_)));
    }

    #[test]
    fn only_the_controller_manager_mints_tokens_of_its_controllers() {
        let token = |user, credential: &[&str], name| {
            judge(&wants(user, credential, "create", "serviceaccounts/token", "kube-system", name))
        };
        assert_eq!(token(CONTROLLER_MANAGER, &["C"], "deployment-controller"), Verdict::NoOpinion);
        // An admin, and an admin who impersonates the controller manager.
        assert!(matches!(token("seal:0x1", &["X"], "deployment-controller"), Verdict::Deny(_)));
        assert!(matches!(token(CONTROLLER_MANAGER, &["X"], "deployment-controller"), Verdict::Deny(_)));
        // Other service accounts of that namespace are for the authorizers behind.
        assert_eq!(token("system:node:w1", &["X"], "coredns"), Verdict::NoOpinion);
    }

    #[test]
    fn no_pod_acts_as_a_controller() {
        let by = |user: &str, node: Option<&[&str]>| {
            let mut wanted = wants(user, &["X"], "escalate", "clusterroles", "", "view");
            if let Some(node) = node {
                let node = node.iter().map(|&name| name.into()).collect();
                wanted.extra.insert("authentication.kubernetes.io/node-name".into(), node);
            }
            judge(&wanted)
        };
        for name in CONTROLLER_SERVICE_ACCOUNTS {
            let user = format!("system:serviceaccount:kube-system:{name}");
            for node in [&["w1"][..], &["w1", "w2"], &[]] {
                assert!(matches!(by(&user, Some(node)), Verdict::Deny(_)), "{name} on {node:?}");
            }
            assert_eq!(by(&user, None), Verdict::NoOpinion, "{name} in the controller manager");
        }
        // Pods run as these, if anybody wants them to.
        for user in ["system:serviceaccount:kube-system:coredns", "system:serviceaccount:default:job-controller"] {
            assert_eq!(by(user, Some(&["w1"])), Verdict::NoOpinion, "{user}");
        }
    }

    #[test]
    fn everybody_else_is_left_to_the_authorizers_behind() {
        assert_eq!(judge(&wants("seal:0x1", &["M"], "get", "secrets", "default", "s")), Verdict::NoOpinion);
    }

    #[test]
    fn a_rule_for_names_does_not_cover_lists_or_other_namespaces() {
        let rule = Rule {
            namespace: Some("kube-system".into()),
            names: Names::Only(BTreeSet::from(["coredns".into()])),
            ..Rule::any("", "configmaps", &["get", "patch"])
        };
        let policy = Policy::new(vec![rule]);
        let judge =
            |verb, namespace, name| policy.judge(&wants(MASTER, &["M"], verb, "configmaps", namespace, name), &known());
        assert_eq!(judge("patch", "kube-system", "coredns"), Verdict::Allow);
        for (verb, namespace, name) in [
            ("patch", "kube-system", ""),
            ("patch", "default", "coredns"),
            ("patch", "", "coredns"),
            ("delete", "kube-system", "coredns"),
        ] {
            assert!(matches!(judge(verb, namespace, name), Verdict::Deny(_)), "{verb} {namespace}/{name}");
        }
    }

    #[test]
    fn of_paths_the_master_reads_health_and_metrics() {
        let path = |path: &str, verb: &str| {
            let mut wanted = wants(MASTER, &["M"], "", "", "", "");
            wanted.resource_attributes = None;
            wanted.non_resource_attributes = Some(PathAttributes { path: path.into(), verb: verb.into() });
            judge(&wanted)
        };
        assert_eq!(path("/readyz", "get"), Verdict::Allow);
        assert!(matches!(path("/readyz", "post"), Verdict::Deny(_)));
        assert!(matches!(path("/readyz/../debug", "get"), Verdict::Deny(_)));
    }
}
