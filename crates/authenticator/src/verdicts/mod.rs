//! The live decision: registry view and time in, verdicts out. No I/O; every server of this crate asks here.

mod minted;
mod subject;
mod view;

use std::sync::{Mutex, PoisonError};

use daas_join::NodeSubject;
use daas_seal_token::{
    Bearer, ExpectedPurpose, Identity, LiveToken, NodeIdentity, NodeName, ParseError, Refusal, SealToken, Stale, Tier,
    TokenId,
};
use serde::Deserialize;

pub use minted::Minted;
pub use subject::{CREDENTIAL_EXTRA, NODE_NAME_EXTRA, Standing, Subject, Unplaced};
pub use view::RegistryView;

/// Users of the control plane's own certificates, which no Seal token stands behind.
pub const CONTROL_PLANE_USERS: [&str; 5] = [
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "daas:master",
    "daas:kube-apiserver",
];

/// Why somebody is refused: told to whoever asks, so it names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// Not a Seal token.
    #[error(transparent)]
    Malformed(#[from] ParseError),
    /// The chain says no, or the registry cannot be relied on.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nobody on chain answers for the user.
    #[error(transparent)]
    Unplaced(#[from] Unplaced),
    /// The session key was rotated since.
    #[error("the session key has been rotated")]
    Rotated,
    /// The user's name, groups or node are not those of its token.
    #[error("the chain says something else about this user")]
    Mismatch,
    /// The stake of this node is gone, or has no token.
    #[error("no live stake has this node's name")]
    NodeGone,
    /// Nobody is known to have had this service-account token made.
    #[error("nobody answers for this service-account token")]
    MakerUnknown,
    /// The master does it for them, so that a node says nothing about itself that others act on.
    #[error("nodes do not {0}")]
    NotForNodes(&'static str),
}

impl From<Stale> for Denial {
    fn from(stale: Stale) -> Self {
        Self::Refused(Refusal::Stale(stale))
    }
}

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

/// Decides by what the registry says now.
pub struct Verdicts<V> {
    view: V,
    minted: Mutex<Minted>,
}

impl<V: RegistryView> Verdicts<V> {
    /// Verdicts by this view; nobody is known yet to have had service-account tokens made.
    pub fn new(view: V) -> Self {
        Self { view, minted: Mutex::default() }
    }

    /// The registry.
    pub fn view(&self) -> &V {
        &self.view
    }

    /// A bearer token at the Kubernetes API.
    pub fn bearer(&self, text: &str, now_ms: u64) -> Result<Bearer, Denial> {
        match self.view.verify(&SealToken::parse(text)?, ExpectedPurpose::Api, now_ms)? {
            Identity::Bearer(bearer) => Ok(bearer),
            Identity::Node(_) => Err(Denial::Mismatch),
        }
    }

    /// A Seal token at the join gateway; `node` is the name that the request gives itself, where the path asks for one.
    pub fn joining(&self, token: &SealToken, node: Option<&NodeName>, now_ms: u64) -> Result<NodeIdentity, Denial> {
        let purpose = ExpectedPurpose::Join { node: node.map(NodeName::as_str) };
        match self.view.verify(token, purpose, now_ms)? {
            Identity::Node(node) => Ok(node),
            Identity::Bearer(_) => Err(Denial::Mismatch),
        }
    }

    /// A node's certificate whose chain has been verified.
    pub fn certificate(&self, subject: &NodeSubject, now_ms: u64) -> Result<NodeIdentity, Denial> {
        let live = self.view.verify_certificate(&subject.token, subject.key_generation, now_ms).map_err(rotated)?;
        if live.name != subject.name || live.tier != Tier::Worker {
            return Err(Denial::Mismatch);
        }
        Ok(NodeIdentity {
            owner: live.owner,
            token: live.token,
            key_generation: subject.key_generation,
            name: live.name.clone(),
        })
    }

    /// Whether somebody may go on. `Ok` is no permission: Kubernetes' own authorizers decide what is allowed.
    pub fn access(&self, subject: &Subject, action: Option<&Action>, now_ms: u64) -> Result<(), Denial> {
        let standing = self.place(subject)?;
        self.standing(&standing, now_ms)?;
        match (&standing, action) {
            (Standing::Node(_), Some(action)) => not_for_nodes(action),
            _ => Ok(()),
        }
    }

    /// Whose life on chain decides about this user.
    pub fn place(&self, subject: &Subject) -> Result<Standing, Denial> {
        Ok(subject.place(&CONTROL_PLANE_USERS)?)
    }

    /// Whether whoever this is may go on: for requests, and again and again for what is still running.
    pub fn standing(&self, standing: &Standing, now_ms: u64) -> Result<(), Denial> {
        match standing {
            Standing::ControlPlane | Standing::Impersonated => Ok(()),
            Standing::Bearer { token, key_generation, user, tiers } => {
                let live = self.live(token, now_ms)?;
                if live.key_generation != *key_generation {
                    return Err(Denial::Rotated);
                }
                if *user != format!("seal:{}", live.owner) {
                    return Err(Denial::Mismatch);
                }
                self.check_tiers(&live, tiers)
            }
            Standing::Node(subject) => self.certificate(subject, now_ms).map(drop),
            Standing::OnNode(name) => {
                self.view.check_fresh(now_ms)?;
                let token = self.view.token_of(name).ok_or(Denial::NodeGone)?;
                let live = self.live(&token, now_ms)?;
                if live.name == *name && live.tier == Tier::Worker { Ok(()) } else { Err(Denial::NodeGone) }
            }
            Standing::Minted(credential) => {
                let maker = self.minted().maker(credential).cloned();
                match maker {
                    // A maker is never itself minted: see `Minted::note`.
                    Some(maker) if !matches!(maker, Standing::Minted(_)) => self.standing(&maker, now_ms),
                    _ => Err(Denial::MakerUnknown),
                }
            }
        }
    }

    /// Notes who had a service-account token made.
    pub fn note_minted(&self, credential: &str, maker: Standing, now_ms: u64) {
        self.minted().note(credential, maker, now_ms);
    }

    /// Forgets service-account tokens that have expired by now.
    pub fn forget_minted_before(&self, time_ms: u64) {
        self.minted().forget_before(time_ms);
    }

    fn live(&self, token: &TokenId, now_ms: u64) -> Result<std::sync::Arc<LiveToken>, Denial> {
        self.view.check_fresh(now_ms)?;
        let live = self.view.token(token).ok_or(Refusal::Unknown)?;
        live.check_alive(now_ms)?;
        Ok(live)
    }

    /// kube-apiserver remembers a token review for ten seconds: groups in it may have been taken back since.
    fn check_tiers(&self, live: &LiveToken, claimed: &[String]) -> Result<(), Denial> {
        let granted = live.tier.granted(|tier| self.view.admits(&live.owner, tier));
        let granted = granted.ok_or(Refusal::TierNotGranted(live.tier))?;
        for group in claimed {
            if !granted.iter().any(|tier| tier.group() == group) {
                return Err(Denial::Mismatch);
            }
        }
        Ok(())
    }

    fn minted(&self) -> std::sync::MutexGuard<'_, Minted> {
        self.minted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rotated(refusal: Refusal) -> Denial {
    if refusal == Refusal::Signature { Denial::Rotated } else { Denial::Refused(refusal) }
}

fn not_for_nodes(action: &Action) -> Result<(), Denial> {
    let Action { verb, group, resource, subresource } = action;
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

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use daas_seal_token::{
        Claims, ClusterId, Expectation, NetworkId, Purpose, SigningKey, StakeId, StakeStatus, TokenView, WalletAddress,
        verify,
    };

    use super::*;

    pub(crate) const NOW: u64 = 1_000_000;

    /// A registry in a test's hands.
    #[derive(Clone, Default)]
    pub(crate) struct FakeView(Arc<FakeTables>);

    impl std::ops::Deref for FakeView {
        type Target = FakeTables;

        fn deref(&self) -> &FakeTables {
            &self.0
        }
    }

    #[derive(Default)]
    pub(crate) struct FakeTables {
        pub(crate) tokens: Mutex<HashMap<TokenId, LiveToken>>,
        pub(crate) grants: Mutex<Vec<Tier>>,
        pub(crate) stale: AtomicBool,
        pub(crate) grace: AtomicBool,
    }

    impl FakeView {
        pub(crate) fn edit(&self, token: u8, change: impl FnOnce(&mut LiveToken)) {
            change(self.tokens.lock().unwrap().get_mut(&TokenId([token; 32])).unwrap());
        }
    }

    impl TokenView for FakeView {
        fn check_fresh(&self, _now_ms: u64) -> Result<(), Stale> {
            let stale = self.stale.load(Ordering::SeqCst);
            if stale { Err(Stale { age_ms: 31_000, bound_ms: 30_000 }) } else { Ok(()) }
        }

        fn token(&self, id: &TokenId) -> Option<Arc<LiveToken>> {
            self.tokens.lock().unwrap().get(id).cloned().map(Arc::new)
        }

        fn admits(&self, _owner: &WalletAddress, tier: Tier) -> bool {
            self.grants.lock().unwrap().contains(&tier)
        }
    }

    impl RegistryView for FakeView {
        fn verify(&self, token: &SealToken, purpose: ExpectedPurpose<'_>, now_ms: u64) -> Result<Identity, Refusal> {
            let expected = Expectation { network: NetworkId([1; 32]), cluster: ClusterId([2; 32]), purpose };
            verify(token, &expected, self, now_ms)
        }

        fn verify_certificate(
            &self,
            token: &TokenId,
            key_generation: u64,
            now_ms: u64,
        ) -> Result<Arc<LiveToken>, Refusal> {
            self.check_fresh(now_ms)?;
            let live = self.token(token).ok_or(Refusal::Unknown)?;
            live.check_alive(now_ms)?;
            let grace = self.grace.load(Ordering::SeqCst) && key_generation + 1 == live.key_generation;
            if key_generation == live.key_generation || grace { Ok(live) } else { Err(Refusal::Signature) }
        }

        fn token_of(&self, node: &NodeName) -> Option<TokenId> {
            let tokens = self.tokens.lock().unwrap();
            tokens.values().find(|token| token.name == *node).map(|token| token.token)
        }
    }

    pub(crate) fn key(number: u8) -> SigningKey {
        SigningKey::from_bytes(&[number; 32])
    }

    pub(crate) fn bearer_of(number: u8, purpose: Purpose) -> SealToken {
        bearer_at(number, purpose, NOW)
    }

    pub(crate) fn bearer_at(number: u8, purpose: Purpose, now_ms: u64) -> SealToken {
        let id = TokenId([number; 32]);
        let (network, cluster) = (NetworkId([1; 32]), ClusterId([2; 32]));
        let claims = Claims::new(network, cluster, id, purpose, now_ms, 60_000, [4; 16]).unwrap();
        key(number).sign(&claims)
    }

    pub(crate) fn name(number: u8) -> NodeName {
        NodeName::new(&format!("worker-{number}").parse().unwrap(), &StakeId([number; 32]))
    }

    /// Token 6 is a worker's, token 7 an admin's, token 8 another worker's; everything is granted.
    pub(crate) fn world() -> (FakeView, Verdicts<FakeView>) {
        let live = |number: u8, tier| LiveToken {
            token: TokenId([number; 32]),
            cluster: ClusterId([2; 32]),
            owner: WalletAddress([number; 32]),
            stake: StakeId([number; 32]),
            name: name(number),
            session_key: Some(key(number).public()),
            key_generation: 3,
            tier,
            expires_at_ms: u64::MAX,
            revoked: false,
            stake_status: StakeStatus::Active,
            suspended: false,
            staked: 10,
            minimum_stake: 10,
        };
        let tokens = [live(6, Tier::Worker), live(7, Tier::Admin), live(8, Tier::Worker)];
        let view = FakeView(Arc::new(FakeTables {
            tokens: Mutex::new(tokens.map(|token| (token.token, token)).into()),
            grants: Mutex::new(Tier::ALL.to_vec()),
            ..FakeTables::default()
        }));
        (view.clone(), Verdicts::new(view))
    }

    pub(crate) fn node_subject(number: u8) -> Subject {
        Subject {
            user: format!("system:node:{}", name(number)),
            groups: vec![
                "system:nodes".to_owned(),
                format!("seal:node:{}", name(number)),
                format!("seal:token:{}", TokenId([number; 32])),
                "seal:key:3".to_owned(),
            ],
            extra: [(CREDENTIAL_EXTRA.to_owned(), vec!["X509SHA256=aa".to_owned()])].into(),
        }
    }

    pub(crate) fn user_subject(number: u8, tiers: &[Tier]) -> Subject {
        let mut groups = vec![format!("seal:token:{}", TokenId([number; 32])), "seal:key:3".to_owned()];
        groups.extend(tiers.iter().map(|tier| tier.group().to_owned()));
        Subject { user: format!("seal:{}", WalletAddress([number; 32])), groups, ..Subject::default() }
    }

    pub(crate) fn service_account(extra: &[(&str, &str)]) -> Subject {
        let extra = extra.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect();
        Subject { user: "system:serviceaccount:default:web".to_owned(), groups: Vec::new(), extra }
    }

    fn everybody() -> Vec<Subject> {
        let node = service_account(&[(NODE_NAME_EXTRA, name(6).as_str())]);
        let minted = service_account(&[(CREDENTIAL_EXTRA, "JTI=1")]);
        let proxy = Subject { user: "system:kube-proxy".to_owned(), ..node_subject(6) };
        vec![node_subject(6), user_subject(6, &[Tier::Worker]), proxy, node, minted]
    }

    fn with_minted() -> (FakeView, Verdicts<FakeView>) {
        let (view, verdicts) = world();
        let maker = verdicts.place(&user_subject(6, &[])).unwrap();
        verdicts.note_minted("JTI=1", maker, NOW);
        (view, verdicts)
    }

    #[test]
    fn whoever_lives_on_chain_is_left_to_kubernetes() {
        let (_, verdicts) = with_minted();
        for subject in everybody() {
            assert_eq!(verdicts.access(&subject, None, NOW), Ok(()), "{}", subject.user);
        }
        let bearer = verdicts.bearer(&bearer_of(7, Purpose::Api).to_bearer(), NOW).unwrap();
        assert_eq!(bearer.tiers, Tier::ALL);
        assert_eq!(verdicts.joining(&bearer_of(6, Purpose::Join), Some(&name(6)), NOW).unwrap().name, name(6));
    }

    #[test]
    fn whatever_ends_a_stake_or_token_ends_everybody_who_lives_by_it() {
        type End = (&'static str, fn(&mut LiveToken));
        let ends: [End; 7] = [
            ("slashed", |token| token.stake_status = StakeStatus::Slashed),
            ("unbonding", |token| token.stake_status = StakeStatus::Unbonding),
            ("withdrawn", |token| token.stake_status = StakeStatus::Withdrawn),
            ("suspended", |token| token.suspended = true),
            ("revoked", |token| token.revoked = true),
            ("expired", |token| token.expires_at_ms = NOW),
            ("too small", |token| token.staked = 9),
        ];
        for (what, end) in ends {
            let (view, verdicts) = with_minted();
            view.edit(6, end);
            for subject in everybody() {
                let verdict = verdicts.access(&subject, None, NOW);
                assert!(matches!(verdict, Err(Denial::Refused(_))), "{what}: {} {verdict:?}", subject.user);
            }
            assert!(verdicts.bearer(&bearer_of(6, Purpose::Api).to_bearer(), NOW).is_err(), "{what}");
            assert!(verdicts.joining(&bearer_of(6, Purpose::Join), None, NOW).is_err(), "{what}");
            // Nobody else.
            assert_eq!(verdicts.access(&node_subject(8), None, NOW), Ok(()));
        }
    }

    #[test]
    fn a_token_that_the_chain_does_not_know_ends_everybody_who_lived_by_it() {
        let (view, verdicts) = with_minted();
        view.tokens.lock().unwrap().remove(&TokenId([6; 32]));
        for subject in everybody() {
            assert!(verdicts.access(&subject, None, NOW).is_err(), "{}", subject.user);
        }
    }

    #[test]
    fn a_stale_registry_denies_everybody_but_the_control_plane_with_the_reason() {
        let (view, verdicts) = with_minted();
        view.stale.store(true, Ordering::SeqCst);
        for subject in everybody() {
            let denial = verdicts.access(&subject, None, NOW).unwrap_err();
            assert_eq!(
                denial.to_string(),
                "the view of the chain is 31000 ms old, 30000 ms are allowed",
                "{}",
                subject.user
            );
        }
        let control_plane = Subject { user: "system:kube-scheduler".to_owned(), ..Subject::default() };
        assert_eq!(verdicts.access(&control_plane, None, NOW), Ok(()));
        assert!(verdicts.bearer(&bearer_of(7, Purpose::Api).to_bearer(), NOW).is_err());
    }

    #[test]
    fn a_rotated_key_ends_bearers_at_once_and_certificates_after_their_grace() {
        let (view, verdicts) = world();
        view.edit(6, |token| token.key_generation = 4);
        view.grace.store(true, Ordering::SeqCst);
        assert_eq!(verdicts.access(&user_subject(6, &[]), None, NOW), Err(Denial::Rotated));
        assert_eq!(verdicts.access(&node_subject(6), None, NOW), Ok(()));
        view.grace.store(false, Ordering::SeqCst);
        assert_eq!(verdicts.access(&node_subject(6), None, NOW), Err(Denial::Rotated));
    }

    #[test]
    fn a_tier_that_was_taken_back_is_not_good_for_the_ten_seconds_that_a_review_is_remembered() {
        let (view, verdicts) = world();
        let admin = user_subject(7, &Tier::ALL);
        assert_eq!(verdicts.access(&admin, None, NOW), Ok(()));
        *view.grants.lock().unwrap() = vec![Tier::Reader, Tier::Worker];
        assert!(verdicts.access(&admin, None, NOW).is_err());
        // A worker keeps its tier, but not the reader's that it was granted on top.
        *view.grants.lock().unwrap() = Vec::new();
        assert_eq!(verdicts.access(&user_subject(6, &[Tier::Worker]), None, NOW), Ok(()));
        assert_eq!(verdicts.access(&user_subject(6, &[Tier::Reader, Tier::Worker]), None, NOW), Err(Denial::Mismatch));
        assert_eq!(verdicts.access(&user_subject(6, &[Tier::Admin]), None, NOW), Err(Denial::Mismatch));
    }

    #[test]
    fn users_and_nodes_that_borrow_a_token_are_refused() {
        let (_, verdicts) = world();
        let other_owner = Subject { user: user_subject(7, &[]).user, ..user_subject(6, &[]) };
        assert_eq!(verdicts.access(&other_owner, None, NOW), Err(Denial::Mismatch));
        let mut other_node = node_subject(6);
        other_node.user = format!("system:node:{}", name(8));
        other_node.groups[1] = format!("seal:node:{}", name(8));
        assert_eq!(verdicts.access(&other_node, None, NOW), Err(Denial::Mismatch));
        // An admin's token opens no node path, whatever certificate somebody made of it.
        assert_eq!(verdicts.access(&node_subject(7), None, NOW), Err(Denial::Mismatch));
        assert!(verdicts.joining(&bearer_of(7, Purpose::Join), None, NOW).is_err());
        assert_eq!(
            verdicts.access(&service_account(&[(NODE_NAME_EXTRA, name(7).as_str())]), None, NOW),
            Err(Denial::NodeGone)
        );
    }

    #[test]
    fn tokens_are_good_for_their_purpose_and_node_only() {
        let (_, verdicts) = world();
        assert!(verdicts.bearer(&bearer_of(6, Purpose::Join).to_bearer(), NOW).is_err());
        assert!(verdicts.joining(&bearer_of(6, Purpose::Api), None, NOW).is_err());
        assert!(verdicts.joining(&bearer_of(6, Purpose::Join), Some(&name(8)), NOW).is_err());
        assert!(matches!(verdicts.bearer("eyJhbGciOi", NOW), Err(Denial::Malformed(_))));
    }

    #[test]
    fn a_token_whose_maker_was_slashed_or_is_unknown_is_refused() {
        let (view, verdicts) = world();
        let maker = verdicts.place(&user_subject(7, &Tier::ALL)).unwrap();
        verdicts.note_minted("JTI=1", maker, NOW);
        let account = service_account(&[(CREDENTIAL_EXTRA, "JTI=1")]);
        assert_eq!(verdicts.access(&account, None, NOW), Ok(()));
        assert_eq!(
            verdicts.access(&service_account(&[(CREDENTIAL_EXTRA, "JTI=2")]), None, NOW),
            Err(Denial::MakerUnknown)
        );
        view.edit(7, |token| token.stake_status = StakeStatus::Slashed);
        assert!(verdicts.access(&account, None, NOW).is_err());
        verdicts.forget_minted_before(NOW + 1);
        assert_eq!(verdicts.access(&account, None, NOW), Err(Denial::MakerUnknown));
    }

    #[test]
    fn controllers_live_as_long_as_the_control_plane_that_made_their_tokens() {
        let (view, verdicts) = world();
        verdicts.note_minted("JTI=9", Standing::ControlPlane, NOW);
        view.stale.store(true, Ordering::SeqCst);
        assert_eq!(verdicts.access(&service_account(&[(CREDENTIAL_EXTRA, "JTI=9")]), None, NOW), Ok(()));
    }

    #[test]
    fn certificates_of_nobody_are_denied() {
        let (_, verdicts) = world();
        let csr_api = Subject {
            user: "system:node:worker-6-06060606".to_owned(),
            groups: vec!["system:nodes".to_owned()],
            extra: node_subject(6).extra,
        };
        assert_eq!(verdicts.access(&csr_api, None, NOW), Err(Denial::Unplaced(Unplaced::Stranger)));
    }

    #[test]
    fn nodes_create_no_nodes_pods_or_certificate_requests() {
        let (_, verdicts) = world();
        let action = |verb: &str, group: &str, resource: &str, subresource: &str| Action {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
        };
        let node = node_subject(6);
        for refused in [
            action("create", "", "nodes", ""),
            action("create", "", "pods", ""),
            action("create", "certificates.k8s.io", "certificatesigningrequests", ""),
        ] {
            assert!(matches!(verdicts.access(&node, Some(&refused), NOW), Err(Denial::NotForNodes(_))), "{refused:?}");
            assert_eq!(verdicts.access(&user_subject(7, &Tier::ALL), Some(&refused), NOW), Ok(()));
        }
        for left in [
            action("update", "", "nodes", "status"),
            action("create", "", "pods", "binding"),
            action("create", "", "events", ""),
            action("create", "", "serviceaccounts", "token"),
        ] {
            assert_eq!(verdicts.access(&node, Some(&left), NOW), Ok(()), "{left:?}");
        }
    }
}
