//! Who a request comes from, in the chain's terms.

use std::collections::BTreeMap;

use daas_join::NodeSubject;
use daas_seal_token::{NodeName, TokenId};
use serde::Deserialize;

/// The extra of a pod's service-account token that names its node.
pub const NODE_NAME_EXTRA: &str = "authentication.kubernetes.io/node-name";
/// The extra of every certificate and service-account token that names the credential.
pub const CREDENTIAL_EXTRA: &str = "authentication.kubernetes.io/credential-id";

const SERVICE_ACCOUNT: &str = "system:serviceaccount:";
const BEARER: &str = "seal:";
const TOKEN_GROUP: &str = "seal:token:";
const KEY_GROUP: &str = "seal:key:";
const TIER_GROUP: &str = "seal:tier:";

/// A user as Kubernetes passes it on, in a review or an audit event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// The name.
    #[serde(alias = "username")]
    pub user: String,
    /// The groups.
    pub groups: Vec<String>,
    /// Whatever else its authenticator said.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// Whose life on chain decides about a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Standing {
    /// The control plane itself.
    ControlPlane,
    /// A Seal token shown as bearer token. Its session ends with the key generation.
    Bearer {
        /// The token.
        token: TokenId,
        /// The generation of the key that signed.
        key_generation: u64,
        /// `seal:<owner>`.
        user: String,
        /// Groups of tiers that were granted when it was shown.
        tiers: Vec<String>,
    },
    /// A certificate of a node: its kubelet's, kube-proxy's or controller's.
    Node(NodeSubject),
    /// A service-account token that is bound to a pod on this node.
    OnNode(NodeName),
    /// A service-account token that names no node: as good as whoever had it made.
    Minted(String),
    /// No credential at all: the person whom a request impersonates. Whoever impersonates is judged in a review of its
    /// own, in the same request.
    Impersonated,
}

/// Why a user cannot be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unplaced {
    /// A certificate or token of nobody in particular: the CSR API's, a shared one, one of another time.
    #[error("the credential belongs to no Seal token")]
    Stranger,
    /// The groups contradict the name or each other.
    #[error("the user's groups contradict each other")]
    Contradiction,
    /// An extra that has not one value.
    #[error("the user's extra attributes are malformed")]
    Extra,
}

impl Subject {
    /// Finds whose life on chain decides. `control_plane` lists the control plane's own users.
    pub fn place(&self, control_plane: &[&str]) -> Result<Standing, Unplaced> {
        if control_plane.contains(&self.user.as_str()) {
            return Ok(Standing::ControlPlane);
        }
        if self.user.starts_with(SERVICE_ACCOUNT) {
            return self.place_service_account();
        }
        if self.has(TOKEN_GROUP) {
            return if self.user.starts_with(BEARER) { self.place_bearer() } else { self.place_node() };
        }
        // No Seal token, no service account: a certificate that the join gateway did not make.
        if self.extra.contains_key(CREDENTIAL_EXTRA) || self.claims_too_much() {
            return Err(Unplaced::Stranger);
        }
        Ok(Standing::Impersonated)
    }

    fn place_service_account(&self) -> Result<Standing, Unplaced> {
        if let Some(node) = self.single_extra(NODE_NAME_EXTRA)? {
            return node.parse().map(Standing::OnNode).map_err(|_| Unplaced::Stranger);
        }
        match self.single_extra(CREDENTIAL_EXTRA)? {
            Some(credential) => Ok(Standing::Minted(credential.to_owned())),
            None => Ok(Standing::Impersonated),
        }
    }

    fn place_bearer(&self) -> Result<Standing, Unplaced> {
        let token = self.sole(TOKEN_GROUP)?.parse().map_err(|_| Unplaced::Contradiction)?;
        let generation = self.sole(KEY_GROUP)?;
        let key_generation: u64 = generation.parse().map_err(|_| Unplaced::Contradiction)?;
        if key_generation.to_string() != generation {
            return Err(Unplaced::Contradiction);
        }
        let tiers = self.groups.iter().filter(|group| group.starts_with(TIER_GROUP)).cloned().collect();
        Ok(Standing::Bearer { token, key_generation, user: self.user.clone(), tiers })
    }

    fn place_node(&self) -> Result<Standing, Unplaced> {
        let node = if self.user.starts_with("system:node:") {
            NodeSubject::of_user(&self.user, &self.groups)
        } else {
            NodeSubject::of_groups(&self.groups)
        };
        node.map(Standing::Node).map_err(|_| Unplaced::Contradiction)
    }

    /// Names that only a certificate of ours may carry, without the groups that such a certificate has.
    fn claims_too_much(&self) -> bool {
        self.user == "system:anonymous" || self.user.is_empty()
    }

    fn has(&self, prefix: &str) -> bool {
        self.groups.iter().any(|group| group.starts_with(prefix))
    }

    fn sole(&self, prefix: &str) -> Result<&str, Unplaced> {
        let mut found = self.groups.iter().filter_map(|group| group.strip_prefix(prefix));
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(Unplaced::Contradiction),
        }
    }

    fn single_extra(&self, name: &str) -> Result<Option<&str>, Unplaced> {
        match self.extra.get(name).map(Vec::as_slice) {
            None => Ok(None),
            Some([one]) => Ok(Some(one)),
            Some(_) => Err(Unplaced::Extra),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(user: &str, groups: &[&str], extra: &[(&str, &str)]) -> Subject {
        let owned = |text: &&str| (*text).to_owned();
        Subject {
            user: user.to_owned(),
            groups: groups.iter().map(owned).collect(),
            extra: extra.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect(),
        }
    }

    fn place(user: &str, groups: &[&str], extra: &[(&str, &str)]) -> Result<Standing, Unplaced> {
        subject(user, groups, extra).place(&["system:apiserver"])
    }

    fn token() -> String {
        format!("seal:token:{}", TokenId([6; 32]))
    }

    const CERTIFICATE: (&str, &str) = (CREDENTIAL_EXTRA, "X509SHA256=aa");

    #[test]
    fn certificates_that_the_gateway_did_not_make_are_strangers() {
        for user in ["system:node:worker-1-dead000f", "alice", "system:kube-proxy", "system:k3s-controller"] {
            assert_eq!(place(user, &["system:nodes"], &[CERTIFICATE]), Err(Unplaced::Stranger), "{user}");
        }
        assert_eq!(place("system:anonymous", &["system:unauthenticated"], &[]), Err(Unplaced::Stranger));
        assert_eq!(place("", &[], &[]), Err(Unplaced::Stranger));
    }

    #[test]
    fn tokens_of_pods_count_as_their_node_and_others_as_their_maker() {
        let account = "system:serviceaccount:default:web";
        let node = (NODE_NAME_EXTRA, "worker-1-dead000f");
        let credential = (CREDENTIAL_EXTRA, "JTI=1");
        assert_eq!(
            place(account, &[], &[node, credential]),
            Ok(Standing::OnNode("worker-1-dead000f".parse().unwrap()))
        );
        assert_eq!(place(account, &[], &[credential]), Ok(Standing::Minted("JTI=1".to_owned())));
        assert_eq!(place(account, &[], &[(NODE_NAME_EXTRA, "10.0.0.1")]), Err(Unplaced::Stranger));
        let mut two = subject(account, &[], &[node]);
        two.extra.entry(NODE_NAME_EXTRA.to_owned()).or_default().push("worker-2-dead000f".to_owned());
        assert_eq!(two.place(&[]), Err(Unplaced::Extra));
    }

    #[test]
    fn a_service_account_does_not_become_a_bearer_by_its_groups() {
        let standing = place("system:serviceaccount:a:b", &[&token(), "seal:key:1"], &[(CREDENTIAL_EXTRA, "JTI=1")]);
        assert_eq!(standing, Ok(Standing::Minted("JTI=1".to_owned())));
    }

    #[test]
    fn bearers_and_nodes_are_read_from_groups_that_agree() {
        let user = format!("seal:0x{}", "05".repeat(32));
        let expected = Standing::Bearer {
            token: TokenId([6; 32]),
            key_generation: 3,
            user: user.clone(),
            tiers: vec!["seal:tier:reader".to_owned()],
        };
        assert_eq!(place(&user, &[&token(), "seal:key:3", "seal:tier:reader"], &[]), Ok(expected));
        for groups in [
            vec![token()],
            vec![token(), "seal:key:03".to_owned()],
            vec![token(), "seal:key:3".to_owned(), "seal:key:4".to_owned()],
            vec![token(), token(), "seal:key:3".to_owned()],
            vec!["seal:token:0x12".to_owned(), "seal:key:3".to_owned()],
        ] {
            let groups: Vec<_> = groups.iter().map(String::as_str).collect();
            assert_eq!(place(&user, &groups, &[]), Err(Unplaced::Contradiction), "{groups:?}");
        }
        let node =
            NodeSubject { name: "worker-1-dead000f".parse().unwrap(), token: TokenId([6; 32]), key_generation: 3 };
        let groups = ["system:nodes", "seal:node:worker-1-dead000f", &token(), "seal:key:3"];
        assert_eq!(place("system:node:worker-1-dead000f", &groups, &[CERTIFICATE]), Ok(Standing::Node(node.clone())));
        assert_eq!(place("system:node:worker-2-dead000f", &groups, &[CERTIFICATE]), Err(Unplaced::Contradiction));
        assert_eq!(place("system:kube-proxy", &groups[1..], &[CERTIFICATE]), Ok(Standing::Node(node)));
    }

    #[test]
    fn whom_an_admin_impersonates_has_no_credential() {
        assert_eq!(place("alice", &["developers"], &[]), Ok(Standing::Impersonated));
        assert_eq!(place("system:serviceaccount:a:b", &[], &[]), Ok(Standing::Impersonated));
        assert_eq!(place("system:apiserver", &["system:masters"], &[]), Ok(Standing::ControlPlane));
    }
}
