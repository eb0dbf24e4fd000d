use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use daas_join::NodeSubject;
use daas_seal_token::{
    Bearer, ExpectedPurpose, Identity, LiveToken, NodeIdentity, NodeName, Refusal, SealToken, Tier, TokenId, verify,
};

use super::action::Action;
use super::denial::Denial;
use super::minted::Minted;
use super::signatures::{Remembering, Signatures};
use super::subject::{Standing, Subject};
use super::tally::{Question, Tally};
use super::view::RegistryView;

/// Users of the control plane's own certificates, which no Seal token stands behind.
pub const CONTROL_PLANE_USERS: [&str; 5] = [
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "daas:master",
    "daas:kube-apiserver",
];

/// Decides by what the registry says now.
pub struct Verdicts<V> {
    view: V,
    minted: Mutex<Minted>,
    signatures: Signatures,
    tally: Tally,
}

impl<V: RegistryView> Verdicts<V> {
    /// Verdicts by this view; nobody is known yet to have had service-account tokens made.
    pub fn new(view: V) -> Self {
        Self { view, minted: Mutex::default(), signatures: Signatures::default(), tally: Tally::default() }
    }

    /// The registry.
    pub fn view(&self) -> &V {
        &self.view
    }

    /// What was checked and what was known again.
    pub fn signatures(&self) -> &Signatures {
        &self.signatures
    }

    /// What was asked and what came out.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// A bearer token at the Kubernetes API.
    pub fn bearer(&self, text: &str, now_ms: u64) -> Result<Bearer, Denial> {
        let judge = || match self.verify(&SealToken::parse(text)?, ExpectedPurpose::Api, now_ms)? {
            Identity::Bearer(bearer) => Ok(bearer),
            Identity::Node(_) => Err(Denial::Mismatch),
        };
        self.tally.noted(Question::Token, judge())
    }

    /// A Seal token at the join gateway; `node` is the name that the request gives itself, where the path asks for one.
    pub fn joining(&self, token: &SealToken, node: Option<&NodeName>, now_ms: u64) -> Result<NodeIdentity, Denial> {
        let purpose = ExpectedPurpose::Join { node: node.map(NodeName::as_str) };
        let judge = || match self.verify(token, purpose, now_ms)? {
            Identity::Node(node) => Ok(node),
            Identity::Bearer(_) => Err(Denial::Mismatch),
        };
        self.tally.noted(Question::Join, judge())
    }

    /// A node's certificate whose chain has been verified.
    pub fn certificate(&self, subject: &NodeSubject, now_ms: u64) -> Result<NodeIdentity, Denial> {
        self.tally.noted(Question::Certificate, self.node(subject, now_ms))
    }

    /// Whether somebody may go on. `Ok` is no permission: Kubernetes' own authorizers decide what is allowed.
    pub fn access(&self, subject: &Subject, action: Option<&Action>, now_ms: u64) -> Result<(), Denial> {
        let judge = || {
            let standing = self.place(subject)?;
            self.standing(&standing, now_ms)?;
            match (&standing, action) {
                (Standing::Node(_), Some(action)) => action.check_node(),
                _ => Ok(()),
            }
        };
        self.tally.noted(Question::Access, judge())
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
            Standing::Node(subject) => self.node(subject, now_ms).map(drop),
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

    /// Notes who had a service-account token made; who answers for it, if it was not known yet.
    pub fn note_minted(&self, credential: &str, maker: Standing, now_ms: u64) -> Option<Standing> {
        self.minted().note(credential, maker, now_ms)
    }

    /// The service-account tokens whose makers are known, the oldest first, with the time of each.
    pub fn all_minted(&self) -> Vec<(String, Standing, u64)> {
        self.minted().all()
    }

    /// How many service-account tokens' makers are known.
    pub fn makers(&self) -> usize {
        self.minted().len()
    }

    /// Forgets service-account tokens that have expired by now.
    pub fn forget_minted_before(&self, time_ms: u64) {
        self.minted().forget_before(time_ms);
    }

    fn node(&self, subject: &NodeSubject, now_ms: u64) -> Result<NodeIdentity, Denial> {
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

    fn verify(&self, token: &SealToken, purpose: ExpectedPurpose<'_>, now_ms: u64) -> Result<Identity, Refusal> {
        let view = Remembering { view: &self.view, signatures: &self.signatures, now_ms };
        verify(token, &self.view.expectation(purpose), &view, now_ms)
    }

    fn live(&self, token: &TokenId, now_ms: u64) -> Result<Arc<LiveToken>, Denial> {
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

    fn minted(&self) -> MutexGuard<'_, Minted> {
        self.minted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rotated(refusal: Refusal) -> Denial {
    if refusal == Refusal::Signature { Denial::Rotated } else { Denial::Refused(refusal) }
}
