use daas_seal_token::{StakeStatus, Tier};

use crate::client::calls::{Argument, k8s_gateway as gateway};
use crate::client::ptb::Clock;
use crate::client::{Access, Ptb, Receipt, Session};
use crate::error::Error;
use crate::types::{Bytes32, Stake};

/// A Seal token to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRequest {
    /// Public half of a session key that the caller has stored already.
    pub session_key: Bytes32,
    /// Life on chain, at most 366 days.
    pub lifetime_ms: u64,
}

impl Session {
    /// Makes the Seal token of a stake that has none.
    pub async fn create_token(&self, stake: &Stake, request: TokenRequest) -> Result<Receipt, Error> {
        self.run(0, || {
            let mut ptb = Ptb::new(self.package.id);
            let cluster = ptb.shared(stake.cluster, Access::Write);
            let object = ptb.shared(stake.id, Access::Write);
            put_token(&mut ptb, stake.tier, cluster, object, request);
            ptb
        })
        .await
    }

    /// Gives a token another session key: bearer sessions under the old one end at once.
    pub async fn rotate_session_key(&self, stake: &Stake, session_key: &Bytes32) -> Result<Receipt, Error> {
        self.with_token(stake, |ptb, cluster, stake, token| {
            gateway::rotate_session_key(ptb, cluster, stake, token, session_key, Clock);
        })
        .await
    }

    /// Lets a token live until `lifetime_ms` from now.
    pub async fn extend_token(&self, stake: &Stake, lifetime_ms: u64) -> Result<Receipt, Error> {
        self.with_token(stake, |ptb, cluster, stake, token| {
            gateway::extend(ptb, cluster, stake, token, lifetime_ms, Clock);
        })
        .await
    }

    /// Ends a token, by its owner.
    pub async fn revoke_token(&self, stake: &Stake) -> Result<Receipt, Error> {
        self.with_token(stake, |ptb, cluster, stake, token| {
            gateway::revoke(ptb, cluster, stake, token);
        })
        .await
    }

    /// Ends a token, by the cluster's admin.
    pub async fn revoke_token_by_admin(&self, stake: &Stake) -> Result<Receipt, Error> {
        let token = stake.token.ok_or(Error::NoToken { stake: stake.id })?.id;
        self.administer(stake.cluster, |ptb, cluster, cap| {
            let stake = ptb.shared(stake.id, Access::Write);
            let token = ptb.shared(token, Access::Write);
            gateway::revoke_by_admin(ptb, cluster, cap, stake, token);
        })
        .await
    }

    async fn with_token(
        &self,
        stake: &Stake,
        commands: impl Fn(&mut Ptb, Argument, Argument, Argument),
    ) -> Result<Receipt, Error> {
        let token = stake.token.ok_or(Error::NoToken { stake: stake.id })?.id;
        self.run(0, || {
            let mut ptb = Ptb::new(self.package.id);
            let cluster = ptb.shared(stake.cluster, Access::Read);
            let object = ptb.shared(stake.id, Access::Write);
            let token = ptb.shared(token, Access::Write);
            commands(&mut ptb, cluster, object, token);
            ptb
        })
        .await
    }
}

/// Worker tokens and access tokens are made by different functions.
pub(super) fn put_token(ptb: &mut Ptb, tier: Tier, cluster: Argument, stake: Argument, request: TokenRequest) {
    let TokenRequest { session_key, lifetime_ms } = request;
    match tier {
        Tier::Worker => gateway::create_worker_seal_token(ptb, cluster, stake, &session_key, lifetime_ms, Clock),
        Tier::Reader | Tier::Admin => {
            gateway::create_access_seal_token(ptb, cluster, stake, &session_key, lifetime_ms, Clock)
        }
    };
}

/// Whether the stake still earns its place.
pub(super) fn is_live(stake: &Stake) -> bool {
    stake.status == StakeStatus::Active
}
