//! What the enclave wants on chain. It owns no coins: it offers what it signed, and anyone submits it.
//!
//! [`wanted`] decides about documents, from what the chain says and the time alone; [`crate::evidence`] about evidence. The [`Herald`] makes
//! both and withdraws an offer when the registry shows that it was taken.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use daas_chain::registry::{Change, ClusterState};
use daas_chain::types::messages::RenewMessage;
use daas_chain::types::{Bytes32, Offence};
use daas_join::master_api::{Offered, RegistrationState, Submission};
use daas_seal_token::StakeId;
use tokio::time::Instant;

use crate::authenticator::Control;
use crate::chain::ChainView;
use crate::clock::now_ms;
use crate::device::{Device, Measured};
use crate::error::Result;
use crate::evidence::{Cases, Source, double_identity, silence};
use crate::instance::{Instance, sha256};
use crate::workers::Book;

/// How often the chain's word is looked at anew, beside every change of it.
const PERIOD: Duration = Duration::from_secs(1);
/// How often the chain's clock is looked at while it has not reached a document's time.
const SOON: Duration = Duration::from_millis(100);
/// How often offences are looked for.
const LOOK: Duration = Duration::from_secs(5);
/// Between two documents for the chain, whatever happens there.
const PAUSE_MS: u64 = 5_000;

/// What should be submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing.
    Nothing,
    /// A first registration, or one after the last has expired.
    Register,
    /// A newer document in a registration's place, signed.
    Renew,
    /// Something, but the contract would refuse it.
    Refused(&'static str),
}

/// What the contract would do with a document of this instance.
pub fn wanted(
    state: &ClusterState,
    instance: &Bytes32,
    measured: &Measured,
    config_sha256: &[u8; 32],
    now_ms: u64,
) -> Wanted {
    let settings = &state.cluster.settings;
    if settings.config_sha256.is_some_and(|pinned| pinned.0 != *config_sha256) {
        return Wanted::Refused("the cluster pins another runtime configuration");
    }
    let Some(release) = state.releases.get(&measured.pcrs) else {
        return Wanted::Refused("the chain lists no release with these measurements");
    };
    if !release.is_good(now_ms) {
        return Wanted::Refused("the release with these measurements is not active");
    }
    if release.pcr8.is_some_and(|signer| measured.pcr8 != Some(signer)) {
        return Wanted::Refused("the release names another signer of the image");
    }
    match state.registrations.get(instance) {
        None => Wanted::Register,
        Some(known) if now_ms > known.expires_at_ms => Wanted::Register,
        Some(known) => {
            // Half of its life, counted from the document as the contract does.
            let life = known.expires_at_ms.saturating_sub(known.document_at_ms);
            let half = known.document_at_ms.saturating_add(life / 2);
            if now_ms >= half { Wanted::Renew } else { Wanted::Nothing }
        }
    }
}

/// Where the instance is with the chain, and until when.
pub fn standing(state: Option<&ClusterState>, instance: &Bytes32, now_ms: u64) -> (RegistrationState, Option<u64>) {
    let Some(state) = state else { return (RegistrationState::Unknown, None) };
    let Some(known) = state.registrations.get(instance) else { return (RegistrationState::Unregistered, None) };
    let active = state.cluster.active.as_ref().is_some_and(|active| active.instance == *instance);
    let standing = match (now_ms > known.expires_at_ms, active) {
        (true, _) => RegistrationState::Expired,
        (false, true) => RegistrationState::Active,
        (false, false) => RegistrationState::Registered,
    };
    (standing, Some(known.expires_at_ms))
}

/// What is offered at the moment.
#[derive(Debug, Clone, Default)]
pub struct Offers(Arc<ArcSwap<Vec<Offered>>>);

impl Offers {
    /// All of them.
    pub fn all(&self) -> Arc<Vec<Offered>> {
        self.0.load_full()
    }

    fn set(&self, offered: Vec<Offered>) {
        self.0.store(Arc::new(offered));
    }
}

/// Keeps the offers.
pub struct Herald {
    /// Whose documents and evidence.
    pub instance: Instance,
    /// Where documents come from.
    pub device: Device,
    /// What the chain says.
    pub view: Arc<dyn ChainView>,
    /// What the authenticator has seen.
    pub control: Arc<Control>,
    /// Whose heartbeats stay away.
    pub book: Arc<Book>,
    /// What others see.
    pub offers: Offers,
}

/// A document that is offered, or will be, and why.
struct Draft {
    for_what: Wanted,
    document_at_ms: u64,
    /// Of a renewal.
    sequence: Option<u64>,
    offered: Offered,
}

impl Herald {
    /// Keeps offering until it is dropped. `changes` wakes it.
    pub async fn run(self, mut changes: daas_chain::registry::Changes) {
        let (mut draft, mut cases) = (None, Cases::default());
        let (mut said, mut looked) = (None, Instant::now());
        loop {
            match self.draft(&mut draft, &mut cases).await {
                Ok(Wanted::Refused(why)) => {
                    if said.replace(why) != Some(why) {
                        tracing::warn!(why, "the enclave cannot be registered");
                    }
                }
                Ok(_) => said = None,
                Err(error) => tracing::error!(%error, "no document for the chain"),
            }
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                self.look(&mut cases).await;
            }
            let holds = self.offer(draft.as_ref(), &mut cases);
            tokio::select! {
                next = changes.next() => match next {
                    None => return,
                    Some(change) => self.heed(&change, &mut cases).await,
                },
                () = tokio::time::sleep(if holds { SOON } else { PERIOD }) => {}
            }
        }
    }

    /// Makes the document that is wanted, unless it is there.
    async fn draft(&self, draft: &mut Option<Draft>, cases: &mut Cases) -> Result<Wanted> {
        let now = now_ms();
        let Some(state) = self.view.cluster() else { return Ok(Wanted::Nothing) };
        let instance = self.instance.public();
        if let Some(known) = state.registrations.get(&instance) {
            cases.seen(known.sequence);
        }
        let wanted = wanted(&state, &instance, &self.device.measured(), &self.instance.claims().config_sha256, now);
        if matches!(wanted, Wanted::Nothing | Wanted::Refused(_)) {
            *draft = None;
            return Ok(wanted);
        }
        // The contract takes documents up to an age; one that is offered must still have time to be submitted.
        let fresh_ms = (state.cluster.settings.document_max_age_ms / 2).max(PAUSE_MS);
        let good = |draft: &Draft| {
            let passed = draft.sequence.is_some_and(|sequence| !cases.is_above(sequence));
            draft.for_what == wanted && !passed && now.saturating_sub(draft.document_at_ms) < fresh_ms
        };
        if draft.as_ref().is_some_and(good) {
            return Ok(wanted);
        }
        let document = self.device.document(self.instance.request(None)).await?;
        let (document_at_ms, bytes) = (document.at_ms, document.bytes);
        let (sequence, submission) = if wanted == Wanted::Renew {
            let sequence = cases.next_sequence(now);
            let message = RenewMessage { cluster: state.cluster.id, instance, sequence, document_at_ms };
            let signature = self.instance.sign(&message);
            (Some(sequence), Submission::Renew { bytes, sequence, signature })
        } else {
            (None, Submission::Register { bytes })
        };
        let offered = Offered { id: identifier(&submission), instance: instance.0, submission };
        tracing::info!(kind = offered.submission.kind(), id = offered.id, "for the chain");
        *draft = Some(Draft { for_what: wanted, document_at_ms, sequence, offered });
        Ok(wanted)
    }

    /// Shows what there is. A document is held until the chain's clock has reached its time, because the contract refuses it
    /// before; says whether one is.
    fn offer(&self, draft: Option<&Draft>, cases: &mut Cases) -> bool {
        let held = draft.is_some_and(|draft| self.view.health().timestamp_ms < draft.document_at_ms);
        let mut offered: Vec<_> = draft.filter(|_| !held).map(|draft| draft.offered.clone()).into_iter().collect();
        if let Some(state) = self.view.cluster()
            && standing(Some(&state), &self.instance.public(), now_ms()).0 == RegistrationState::Active
        {
            let bonded = |stake: &StakeId| self.view.stake(stake).is_some();
            offered.extend(cases.offered(&self.instance, state.cluster.id, now_ms(), bonded));
        }
        self.offers.set(offered);
        held
    }

    /// Looks for offences.
    async fn look(&self, cases: &mut Cases) {
        let now = now_ms();
        for seen in self.control.offences().await.unwrap_or_default() {
            let name = seen["node"].as_str().and_then(|name| name.parse().ok());
            let stake = name.and_then(|name| self.view.stake_of(&name));
            match (double_identity(seen), stake) {
                (Some((number, proof)), Some(stake)) => {
                    cases.note(Source::Authenticator(number), stake.stake, Offence::DoubleIdentity, &proof, now);
                }
                (Some((number, _)), None) => self.settle(number).await,
                (None, _) => tracing::error!("the authenticator tells of an offence that is not known here"),
            }
        }
        let Some(state) = self.view.cluster() else { return };
        let limit_ms = state.cluster.settings.heartbeat_limit_ms;
        for view in self.book.views(now) {
            if let Some(stake) = self.view.stake_of(&view.name)
                && let Some(proof) = silence(&view, &stake, limit_ms, now)
            {
                cases.note(Source::Book, stake.stake, Offence::Silent, &proof, now);
            }
        }
    }

    async fn heed(&self, change: &Change, cases: &mut Cases) {
        if let Change::Evidence { instance, sequence, digest, .. } = change
            && *instance == self.instance.public()
        {
            tracing::info!(%digest, "evidence was counted");
            if let Some(Source::Authenticator(number)) = cases.counted(digest, *sequence) {
                self.settle(number).await;
            }
        }
    }

    async fn settle(&self, number: u64) {
        if let Err(error) = self.control.settle_offence(number).await {
            tracing::warn!(%error, number, "an offence could not be settled");
        }
    }
}

fn identifier(submission: &Submission) -> String {
    let (Submission::Register { bytes } | Submission::Renew { bytes, .. } | Submission::Evidence { bytes, .. }) =
        submission;
    format!("{}-{}", submission.kind(), hex::encode(&sha256(bytes)[..8]))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use daas_chain::types::cluster::{ActiveInstance, ByTier, Endpoints, ReleaseRules, Settings};
    use daas_chain::types::{Bytes, Cluster, Registration, Release, ReleaseStatus};
    use sui_sdk_types::Address;

    use super::*;

    const ME: Bytes32 = Bytes([1; 32]);
    const CONFIG: [u8; 32] = [7; 32];
    const MEASURED: Measured = Measured { pcrs: Bytes([2; 144]), pcr8: None };

    fn release() -> Release {
        Release {
            pcrs: MEASURED.pcrs,
            pcr8: None,
            worker_pcrs: Vec::new(),
            artifact_sha256: Bytes([0; 32]),
            source_revision: String::new(),
            proposed_at_ms: 0,
            active_from_ms: 10,
            threshold: 0,
            approvals: Vec::new(),
            status: ReleaseStatus::Listed,
            retiring_until_ms: 0,
            compromised: false,
        }
    }

    fn registration(document_at_ms: u64, expires_at_ms: u64) -> Registration {
        Registration {
            instance: ME,
            pcrs: MEASURED.pcrs,
            tls_spki_sha256: Bytes([0; 32]),
            server_ca_sha256: Bytes([0; 32]),
            config_sha256: Bytes(CONFIG),
            state_epoch: 0,
            document_at_ms,
            registered_at_ms: document_at_ms,
            expires_at_ms,
            sequence: 77,
        }
    }

    fn state(releases: Vec<Release>, registrations: Vec<Registration>) -> ClusterState {
        let settings = Settings {
            minimum_stakes: ByTier([1, 1, 1]),
            open_tiers: ByTier([false, true, false]),
            unbonding_ms: 0,
            max_workers: 1,
            slash_share_bps: 0,
            treasury: Address::ZERO,
            offences: Vec::new(),
            heartbeat_limit_ms: 120_000,
            document_max_age_ms: 300_000,
            registration_ms: 1000,
            config_sha256: None,
        };
        let cluster = Cluster {
            id: Address::ZERO,
            version: 1,
            name: String::new(),
            admin_cap: Address::ZERO,
            settings,
            endpoints: Endpoints { api: String::new(), join: String::new(), master: String::new() },
            release_rules: ReleaseRules { delay_ms: 0, auditors: Vec::new(), threshold: 0 },
            generation: 1,
            active: None,
            anchor: None,
            active_workers: 0,
        };
        let releases: BTreeMap<_, _> = releases.into_iter().map(|release| (release.pcrs, release)).collect();
        let registrations = registrations.into_iter().map(|known| (known.instance, known)).collect();
        ClusterState { cluster, releases, registrations, grants: HashSet::new() }
    }

    fn judge(state: &ClusterState, now_ms: u64) -> Wanted {
        wanted(state, &ME, &MEASURED, &CONFIG, now_ms)
    }

    #[test]
    fn a_document_is_offered_when_its_release_becomes_good_and_renewed_at_half_of_its_life() {
        assert!(matches!(judge(&state(Vec::new(), Vec::new()), 100), Wanted::Refused(_)));
        let listed = state(vec![release()], Vec::new());
        assert!(matches!(judge(&listed, 9), Wanted::Refused(_)));
        assert_eq!(judge(&listed, 10), Wanted::Register);
        let registered = state(vec![release()], vec![registration(100, 1100)]);
        for (now, expected) in [
            (100, Wanted::Nothing),
            (599, Wanted::Nothing),
            (600, Wanted::Renew),
            (1100, Wanted::Renew),
            (1101, Wanted::Register),
        ] {
            assert_eq!(judge(&registered, now), expected, "{now}");
        }
    }

    #[test]
    fn what_the_contract_would_refuse_is_not_offered() {
        let revoked = state(vec![Release { status: ReleaseStatus::Revoked, ..release() }], vec![registration(0, 10)]);
        assert!(matches!(judge(&revoked, 20), Wanted::Refused(_)));
        let signed = state(vec![Release { pcr8: Some(Bytes([9; 48])), ..release() }], Vec::new());
        assert!(matches!(judge(&signed, 20), Wanted::Refused(_)));
        let mut pinned = state(vec![release()], Vec::new());
        pinned.cluster.settings.config_sha256 = Some(Bytes([8; 32]));
        assert!(matches!(judge(&pinned, 20), Wanted::Refused(_)));
        pinned.cluster.settings.config_sha256 = Some(Bytes(CONFIG));
        assert_eq!(judge(&pinned, 20), Wanted::Register);
    }

    #[test]
    fn the_standing_is_the_chains_word() {
        let mut known = state(vec![release()], vec![registration(0, 100)]);
        assert_eq!(standing(None, &ME, 0).0, RegistrationState::Unknown);
        assert_eq!(standing(Some(&state(Vec::new(), Vec::new())), &ME, 0).0, RegistrationState::Unregistered);
        assert_eq!(standing(Some(&known), &ME, 100), (RegistrationState::Registered, Some(100)));
        known.cluster.active = Some(ActiveInstance {
            instance: ME,
            server_ca_sha256: Bytes([0; 32]),
            tls_spki_sha256: Bytes([0; 32]),
            successor_key: None,
            since_ms: 0,
            pcrs: MEASURED.pcrs,
        });
        assert_eq!(standing(Some(&known), &ME, 100).0, RegistrationState::Active);
        assert_eq!(standing(Some(&known), &ME, 101).0, RegistrationState::Expired);
    }
}
