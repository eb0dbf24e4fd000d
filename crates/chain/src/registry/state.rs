//! The pure core: a cluster's state, moved forward by events.
//!
//! Events carry whole values, never differences, so that replaying some that the loaded objects already reflect ends in
//! the same state.

use std::collections::HashSet;
use std::sync::Arc;

use daas_seal_token::{ClusterId, LiveToken, NodeName, StakeId, StakeStatus, TokenId, WalletAddress};
use sui_sdk_types::Address;

use super::changes::{Change, EndReason};
use super::tables::{ClusterState, StakeRecord, Tables};
use crate::types::cluster::GrantKey;
use crate::types::staking::Terms;
use crate::types::{Cluster, Event, Registration, ReleaseStatus};

/// What the chain says that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A stake whose name the contract cannot have given.
    #[error("the stake {stake} has an impossible name")]
    Name {
        /// The stake.
        stake: Address,
    },
    /// An object of another cluster.
    #[error("{object} belongs to another cluster")]
    OtherCluster {
        /// The object.
        object: Address,
    },
    /// A release or registration whose key on chain is not its own.
    #[error("a release or registration is listed under another one's key")]
    OtherKey,
    /// The cluster moved to a version that this program does not know: whatever it says from now on may mean something else.
    #[error("the cluster moved to version {version}, this program knows {known}")]
    TooNew {
        /// Its version.
        version: u64,
        /// The newest that is known.
        known: u64,
    },
    /// An event about a release that was never listed.
    #[error("an event speaks of a release that was never listed")]
    UnknownRelease,
}

/// The writing side of [`Tables`].
pub struct State {
    pub(super) id: Address,
    pub(super) tables: Arc<Tables>,
    /// Equal terms share one allocation.
    pub(super) terms: HashSet<Arc<Terms>>,
}

impl State {
    /// The reading side.
    pub fn tables(&self) -> Arc<Tables> {
        Arc::clone(&self.tables)
    }

    /// Moves the state past one event of this cluster. `at_ms` is the time of its checkpoint.
    #[expect(clippy::too_many_lines, reason = "one arm an event")]
    pub fn apply(&mut self, event: Event, at_ms: u64) -> Result<Vec<Change>, StateError> {
        let mut changes = Vec::new();
        match event {
            Event::EvidenceRecorded(event) => changes.push(Change::Evidence {
                stake: StakeId(event.stake.into_inner()),
                instance: event.instance,
                sequence: event.sequence,
                digest: event.digest,
            }),
            Event::ClusterCreated(_)
            | Event::Locked(_)
            | Event::Proposed(_)
            | Event::Authorized(_)
            | Event::Committed(_)
            | Event::Frozen(_) => {}
            Event::SettingsChanged(event) => {
                self.edit(|state| state.cluster.settings = event.settings);
                changes.push(Change::Settings);
            }
            Event::EndpointsChanged(event) => {
                self.edit(|state| state.cluster.endpoints = event.endpoints);
                changes.push(Change::Settings);
            }
            Event::ReleaseRulesChanged(event) => {
                self.edit(|state| state.cluster.release_rules = event.rules);
                changes.push(Change::Settings);
            }
            Event::Migrated(event) if event.version > Cluster::KNOWN_VERSION => {
                return Err(StateError::TooNew { version: event.version, known: Cluster::KNOWN_VERSION });
            }
            Event::Migrated(event) => self.edit(|state| state.cluster.version = event.version),
            Event::Granted(event) => {
                self.edit(|state| {
                    state.grants.insert(GrantKey { wallet: event.wallet, tier: event.tier });
                });
                let wallet = WalletAddress(event.wallet.into_inner());
                changes.push(Change::Grant { wallet, tier: event.tier, granted: true });
            }
            Event::Ungranted(event) => {
                self.edit(|state| {
                    state.grants.remove(&GrantKey { wallet: event.wallet, tier: event.tier });
                });
                let wallet = WalletAddress(event.wallet.into_inner());
                changes.push(Change::Grant { wallet, tier: event.tier, granted: false });
            }
            Event::InstanceActivated(event) => {
                let active = Some(event.active.instance);
                self.edit(|state| {
                    state.cluster.generation = event.generation;
                    state.cluster.active = Some(event.active);
                });
                changes.push(Change::Generation { generation: event.generation, active });
            }
            Event::InstanceDropped(event) => {
                self.edit(|state| {
                    state.cluster.generation = event.generation;
                    state.cluster.active = None;
                });
                changes.push(Change::Generation { generation: event.generation, active: None });
            }
            Event::Anchored(event) => {
                changes.push(Change::Anchored { epoch: event.anchor.epoch });
                self.edit(|state| state.cluster.anchor = Some(event.anchor));
            }
            Event::SuccessorNamed(event) => self.edit(|state| {
                if let Some(active) = state.cluster.active.as_mut().filter(|active| active.instance == event.instance) {
                    active.successor_key = Some(event.successor_key);
                }
            }),
            Event::ReleasePublished(event) => {
                changes.push(Change::Release { pcrs: event.release.pcrs });
                self.edit(|state| drop(state.releases.insert(event.release.pcrs, event.release)));
            }
            Event::ReleaseApproved(event) => {
                self.edit_release(event.pcrs, &mut changes, |release| {
                    if !release.approvals.contains(&event.auditor) {
                        release.approvals.push(event.auditor);
                    }
                })?;
            }
            Event::ReleaseRetiring(event) => {
                self.edit_release(event.pcrs, &mut changes, |release| {
                    release.status = ReleaseStatus::Retiring;
                    release.retiring_until_ms = event.until_ms;
                })?;
            }
            Event::ReleaseRevoked(event) => {
                self.edit_release(event.pcrs, &mut changes, |release| {
                    release.status = ReleaseStatus::Revoked;
                    release.compromised = event.compromised;
                })?;
                if event.compromised {
                    self.edit(|state| state.cluster.generation = event.generation);
                    let active = self.tables.cluster().cluster.active.as_ref().map(|active| active.instance);
                    changes.push(Change::Generation { generation: event.generation, active });
                }
            }
            Event::Registered(crate::types::events::Registered { registration, .. })
            | Event::Renewed(crate::types::events::Renewed { registration, .. }) => {
                changes.push(Change::Registration { instance: registration.instance });
                self.edit(|state| {
                    state.registrations.insert(registration.instance, kept(registration));
                });
            }
            Event::Forgotten(event) => {
                changes.push(Change::Registration { instance: event.instance });
                self.edit(|state| {
                    state.registrations.remove(&event.instance);
                });
            }
            Event::Staked(event) => {
                let name = node_name(&event.name, event.stake)?;
                let stake = StakeId(event.stake.into_inner());
                // A replayed event must not lose the token of a stake that was loaded later than it was made.
                let token = self.tables.stake(&stake).and_then(|known| known.token);
                changes.push(Change::Staked { stake, name: name.clone() });
                let terms = self.shared(event.terms);
                self.put(StakeRecord {
                    stake,
                    owner: WalletAddress(event.owner.into_inner()),
                    name,
                    tier: event.tier,
                    status: StakeStatus::Active,
                    suspended: false,
                    amount: event.amount,
                    terms,
                    staked_at_ms: event.at_ms,
                    releases_at_ms: 0,
                    token,
                });
            }
            Event::ToppedUp(event) => {
                self.edit_stake(event.stake, |stake| stake.amount = event.amount);
            }
            Event::Unstaked(event) => {
                let ended = self.edit_stake(event.stake, |stake| {
                    stake.status = StakeStatus::Unbonding;
                    stake.amount = event.amount;
                    stake.releases_at_ms = event.releases_at_ms;
                });
                changes.extend(ended.map(|stake| over(&stake, EndReason::Unstaked)));
            }
            Event::Slashed(event) => {
                let ended = self.edit_stake(event.stake, |stake| {
                    stake.status = StakeStatus::Slashed;
                    stake.amount = event.remaining;
                    stake.releases_at_ms = event.releases_at_ms;
                });
                changes.extend(ended.map(|stake| over(&stake, EndReason::Slashed(event.offence))));
            }
            Event::Suspended(event) => {
                let ended = self.edit_stake(event.stake, |stake| stake.suspended = true);
                changes.extend(ended.map(|stake| over(&stake, EndReason::Suspended(event.offence))));
            }
            Event::Resumed(event) => {
                let resumed = self.edit_stake(event.stake, |stake| stake.suspended = false);
                changes.extend(resumed.map(|stake| Change::Resumed { stake: stake.stake }));
            }
            Event::Withdrawn(event) => {
                if let Some(stake) = self.tables.stake(&StakeId(event.stake.into_inner())) {
                    self.tables.remove_stake(&stake);
                    changes.push(over(&stake, EndReason::Withdrawn));
                }
            }
            Event::TokenCreated(event) => {
                let (token, stake) = (TokenId(event.token.into_inner()), StakeId(event.stake.into_inner()));
                if let Some(stake) = self.tables.stake(&stake) {
                    if let Some(before) = stake.token.filter(|before| *before != token) {
                        self.tables.remove_token(&before);
                    }
                    let stake = StakeRecord { token: Some(token), ..StakeRecord::clone(&stake) };
                    self.tables.put_token(stake.live_token(
                        ClusterId(self.id.into_inner()),
                        token,
                        &event.session_key,
                        event.key_generation,
                        event.expires_at_ms,
                    ));
                    changes.push(Change::TokenCreated { token, stake: stake.stake });
                    self.tables.put_stake(stake);
                }
            }
            Event::SessionKeyRotated(event) => {
                let id = TokenId(event.token.into_inner());
                if self.edit_token(&id, |token| {
                    token.session_key = daas_seal_token::SessionKey::from_bytes(&event.session_key.0).ok();
                    token.key_generation = event.key_generation;
                }) {
                    self.tables.note_rotation(id, at_ms);
                    changes.push(Change::KeyRotated { token: id, key_generation: event.key_generation });
                }
            }
            Event::TokenExtended(event) => {
                let id = TokenId(event.token.into_inner());
                if self.edit_token(&id, |token| token.expires_at_ms = event.expires_at_ms) {
                    changes.push(Change::TokenExtended { token: id, expires_at_ms: event.expires_at_ms });
                }
            }
            Event::TokenRevoked(event) => {
                let id = TokenId(event.token.into_inner());
                if let Some(stake) = self.tables.token(&id).and_then(|token| self.tables.stake(&token.stake)) {
                    changes.push(over(&stake, EndReason::Revoked));
                    self.tables.put_stake(StakeRecord { token: None, ..StakeRecord::clone(&stake) });
                    self.tables.remove_token(&id);
                }
            }
        }
        Ok(changes)
    }

    fn edit(&mut self, change: impl FnOnce(&mut ClusterState)) {
        let mut copy = ClusterState::clone(&self.tables.cluster());
        change(&mut copy);
        self.tables.set_cluster(copy);
    }

    fn edit_release(
        &mut self,
        pcrs: crate::types::Pcrs,
        changes: &mut Vec<Change>,
        change: impl FnOnce(&mut crate::types::Release),
    ) -> Result<(), StateError> {
        let mut copy = ClusterState::clone(&self.tables.cluster());
        change(copy.releases.get_mut(&pcrs).ok_or(StateError::UnknownRelease)?);
        self.tables.set_cluster(copy);
        changes.push(Change::Release { pcrs });
        Ok(())
    }

    /// Changes a stake and what its token shows of it. A stake that is not known was withdrawn before the state was
    /// loaded; nobody is let in by it.
    fn edit_stake(&mut self, id: Address, change: impl FnOnce(&mut StakeRecord)) -> Option<StakeRecord> {
        let mut stake = StakeRecord::clone(&*self.tables.stake(&StakeId(id.into_inner()))?);
        change(&mut stake);
        self.put(stake.clone());
        Some(stake)
    }

    fn put(&mut self, stake: StakeRecord) {
        if let Some(token) = stake.token.and_then(|token| self.tables.token(&token)) {
            self.tables.put_token(LiveToken {
                stake_status: stake.status,
                suspended: stake.suspended,
                staked: stake.amount,
                minimum_stake: stake.terms.minimum_stake,
                ..LiveToken::clone(&token)
            });
        }
        self.tables.put_stake(stake);
    }

    fn edit_token(&mut self, id: &TokenId, change: impl FnOnce(&mut LiveToken)) -> bool {
        let Some(token) = self.tables.token(id) else { return false };
        let mut token = LiveToken::clone(&token);
        change(&mut token);
        self.tables.put_token(token);
        true
    }

    pub(super) fn shared(&mut self, terms: Terms) -> Arc<Terms> {
        if let Some(known) = self.terms.get(&terms) {
            return Arc::clone(known);
        }
        let terms = Arc::new(terms);
        self.terms.insert(Arc::clone(&terms));
        terms
    }
}

fn over(stake: &StakeRecord, reason: EndReason) -> Change {
    Change::Ended { token: stake.token, stake: stake.stake, name: stake.name.clone(), owner: stake.owner, reason }
}

/// The name that the contract gave to this stake's node.
pub(super) fn node_name(name: &str, stake: Address) -> Result<NodeName, StateError> {
    let parsed: Result<NodeName, _> = name.parse();
    parsed.ok().filter(|name| name.belongs_to(&StakeId(stake.into_inner()))).ok_or(StateError::Name { stake })
}

/// `sequence` rises without an event of its own.
pub(super) fn kept(mut registration: Registration) -> Registration {
    registration.sequence = 0;
    registration
}
