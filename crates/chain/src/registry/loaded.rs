//! The state that a node's objects make.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use daas_seal_token::{ClusterId, StakeId, StakeStatus, TokenId, WalletAddress};

use super::state::{State, StateError, kept, node_name};
use super::tables::{ClusterState, StakeRecord, Tables};
use crate::types::{Cluster, ClusterField, SealTokenObject, Stake};

impl State {
    /// A state from loaded objects.
    pub fn load(
        mut cluster: Cluster,
        fields: Vec<ClusterField>,
        stakes: Vec<Stake>,
        tokens: Vec<SealTokenObject>,
    ) -> Result<Self, StateError> {
        let id = cluster.id;
        cluster.active_workers = 0;
        let mut state =
            ClusterState { cluster, releases: BTreeMap::new(), registrations: BTreeMap::new(), grants: HashSet::new() };
        for field in fields {
            match field {
                ClusterField::Grant(key, _) => {
                    state.grants.insert(key);
                }
                // The contract stores each under its own name. A node that does not must not be the one that is taken.
                ClusterField::Release(key, release) if key.pcrs == release.pcrs => {
                    state.releases.insert(key.pcrs, *release);
                }
                ClusterField::Registration(key, registration) if key.instance == registration.instance => {
                    state.registrations.insert(key.instance, kept(*registration));
                }
                ClusterField::Release(..) | ClusterField::Registration(..) => return Err(StateError::OtherKey),
                // Members are loaded as stakes; names and evidence decide nothing here.
                ClusterField::Member(..) | ClusterField::Name(..) | ClusterField::Evidence(..) => {}
            }
        }
        let mut this = Self { id, tables: Arc::new(Tables::new(state)), terms: HashSet::new() };
        this.load_more(stakes, tokens)?;
        Ok(this)
    }

    /// Adds loaded stakes with their tokens.
    pub fn load_more(&mut self, stakes: Vec<Stake>, tokens: Vec<SealTokenObject>) -> Result<(), StateError> {
        for stake in stakes {
            self.load_stake(stake)?;
        }
        for token in tokens {
            self.load_token(&token)?;
        }
        Ok(())
    }

    fn load_stake(&mut self, stake: Stake) -> Result<(), StateError> {
        if stake.cluster != self.id {
            return Err(StateError::OtherCluster { object: stake.id });
        }
        let gone = stake.status == StakeStatus::Withdrawn;
        if gone {
            return Ok(());
        }
        let name = node_name(&stake.name, stake.id)?;
        let terms = self.shared(stake.terms);
        self.tables.put_stake(StakeRecord {
            stake: StakeId(stake.id.into_inner()),
            owner: WalletAddress(stake.owner.into_inner()),
            name,
            tier: stake.tier,
            status: stake.status,
            suspended: stake.suspended,
            amount: stake.balance,
            terms,
            staked_at_ms: stake.staked_at_ms,
            releases_at_ms: stake.releases_at_ms,
            token: stake.token.map(|token| TokenId(token.id.into_inner())),
        });
        Ok(())
    }

    fn load_token(&mut self, token: &SealTokenObject) -> Result<(), StateError> {
        if token.cluster != self.id {
            return Err(StateError::OtherCluster { object: token.id });
        }
        let Some(stake) = self.tables.stake(&StakeId(token.stake.into_inner())) else { return Ok(()) };
        let id = TokenId(token.id.into_inner());
        if stake.token != Some(id) {
            return Ok(());
        }
        if token.revoked {
            // It was revoked after the stake was read. Its event comes too late to be seen here.
            self.tables.put_stake(StakeRecord { token: None, ..StakeRecord::clone(&stake) });
            return Ok(());
        }
        let cluster = ClusterId(self.id.into_inner());
        let live = stake.live_token(cluster, id, &token.session_key, token.key_generation, token.expires_at_ms);
        self.tables.put_token(live);
        Ok(())
    }
}
