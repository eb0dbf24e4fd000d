use daas_seal_token::{NodeId, NodeName, StakeId, Tier};
use serde::Serialize;
use sui_sdk_types::{Address, Digest};

use super::tokens::{TokenRequest, is_live, put_token};
use crate::client::calls::staking as call;
use crate::client::ptb::Clock;
use crate::client::{Access, Ptb, Receipt, Session};
use crate::error::Error;
use crate::types::staking::Terms;
use crate::types::{ClusterField, Event, Stake, decode_object};

/// A worker's stake and Seal token, to be made in one transaction.
#[derive(Debug, Clone)]
pub struct StakeNode {
    /// The cluster.
    pub cluster: Address,
    /// What the staker calls the node.
    pub node_id: NodeId,
    /// MIST.
    pub amount: u64,
    /// What the staker has read and agrees to, see [`Terms::of`]. If the cluster has other terms when the transaction is executed, the
    /// contract takes nothing.
    pub agreed: Terms,
    /// Its Seal token.
    pub token: TokenRequest,
}

/// A reader's or admin's stake and Seal token, to be made in one transaction.
#[derive(Debug, Clone)]
pub struct AccessStake {
    /// The tier; a worker's stake is made by [`StakeNode`].
    pub tier: Tier,
    /// The rest.
    pub stake: StakeNode,
}

/// A stake with its Seal token.
#[derive(Debug, Clone, Serialize)]
pub struct StakedNode {
    /// The stake as it is on chain.
    pub stake: Stake,
    /// Its Seal token.
    pub token: Address,
    /// The transaction that made the stake just now; `None` if it was there already.
    pub digest: Option<Digest>,
}

impl Session {
    /// Stakes for a worker and makes its Seal token.
    ///
    /// Idempotent: if this wallet has a live stake for this node id in this cluster, that one is given back (and gets
    /// a Seal token if it has none); a crash at any point never leads to a second stake.
    pub async fn stake_node(&self, new: &StakeNode) -> Result<StakedNode, Error> {
        self.stake(Tier::Worker, new).await
    }

    /// Stakes for a reader or an admin and makes its Seal token. Idempotent like [`Self::stake_node`].
    pub async fn stake_access(&self, new: &AccessStake) -> Result<StakedNode, Error> {
        self.stake(new.tier, &new.stake).await
    }

    /// This wallet's live stakes for a node id and tier in a cluster.
    pub async fn find_stakes(&self, cluster: Address, node_id: &NodeId, tier: Tier) -> Result<Vec<Stake>, Error> {
        let mut candidates = Vec::new();
        for field in self.node.dynamic_fields(cluster).await? {
            if let ClusterField::Member(key, member) = ClusterField::decode(&field, &self.package.origin)? {
                let expected = NodeName::new(node_id, &StakeId(key.stake.into_inner()));
                if member.name == expected.as_str() {
                    candidates.push(key.stake);
                }
            }
        }
        let mut stakes = Vec::new();
        for object in self.node.objects(&candidates).await?.into_iter().flatten() {
            let stake: Stake = decode_object(&object, &self.package.origin)?;
            if stake.owner == self.address() && stake.cluster == cluster && stake.tier == tier && is_live(&stake) {
                stakes.push(stake);
            }
        }
        Ok(stakes)
    }

    /// Adds MIST to a stake.
    pub async fn top_up(&self, stake: &Stake, amount: u64) -> Result<Receipt, Error> {
        self.check_owner(stake)?;
        let work = format!("top up {} by {amount}", stake.id);
        let commands = || {
            let mut ptb = Ptb::new(self.package.id);
            let cluster = ptb.shared(stake.cluster, Access::Write);
            let object = ptb.shared(stake.id, Access::Write);
            let payment = ptb.payment(amount);
            call::top_up(&mut ptb, cluster, object, payment);
            ptb
        };
        self.run_once(&work, amount, commands, async || Ok(None), async |receipt| Ok(receipt)).await
    }

    /// Begins unbonding.
    pub async fn unstake(&self, stake: &Stake) -> Result<Receipt, Error> {
        self.check_owner(stake)?;
        self.run(0, || {
            let mut ptb = Ptb::new(self.package.id);
            let cluster = ptb.shared(stake.cluster, Access::Write);
            let object = ptb.shared(stake.id, Access::Write);
            call::unstake(&mut ptb, cluster, object, Clock);
            ptb
        })
        .await
    }

    /// Takes back what is left, to the wallet.
    pub async fn withdraw(&self, stake: &Stake) -> Result<Receipt, Error> {
        self.check_owner(stake)?;
        self.run(0, || {
            let mut ptb = Ptb::new(self.package.id);
            let cluster = ptb.shared(stake.cluster, Access::Write);
            let object = ptb.shared(stake.id, Access::Write);
            let coin = call::withdraw(&mut ptb, cluster, object, Clock);
            ptb.transfer(vec![coin], self.address());
            ptb
        })
        .await
    }

    /// Takes MIST from a stake and ends it, by the cluster's admin.
    pub async fn slash(&self, stake: &Stake, amount: u64, reason: &str) -> Result<Receipt, Error> {
        self.administer(stake.cluster, |ptb, cluster, cap| {
            let stake = ptb.shared(stake.id, Access::Write);
            call::slash(ptb, cluster, cap, stake, amount, reason, Clock);
        })
        .await
    }

    /// Keeps a stake out, by the cluster's admin.
    pub async fn suspend(&self, stake: &Stake) -> Result<Receipt, Error> {
        self.administer(stake.cluster, |ptb, cluster, cap| {
            let stake = ptb.shared(stake.id, Access::Write);
            call::suspend(ptb, cluster, cap, stake);
        })
        .await
    }

    /// Lets a stake in again, by the cluster's admin.
    pub async fn resume(&self, stake: &Stake) -> Result<Receipt, Error> {
        self.administer(stake.cluster, |ptb, cluster, cap| {
            let stake = ptb.shared(stake.id, Access::Write);
            call::resume(ptb, cluster, cap, stake);
        })
        .await
    }

    async fn stake(&self, tier: Tier, new: &StakeNode) -> Result<StakedNode, Error> {
        // Neither amount nor key: asking again with others must find what the first attempt made.
        let work = format!("stake {tier} {} in {} by {}", new.node_id, new.cluster, self.address());
        let agreed = bcs::to_bytes(&new.agreed).map_err(|error| Error::Build { reason: error.to_string() })?;
        let commands = || {
            let mut ptb = Ptb::new(self.package.id);
            let cluster = ptb.shared(new.cluster, Access::Write);
            let payment = ptb.payment(new.amount);
            let node_id = new.node_id.as_str();
            let stake = match tier {
                Tier::Worker => call::stake_for_node(&mut ptb, cluster, payment, node_id, &agreed, Clock),
                Tier::Reader | Tier::Admin => {
                    call::stake_for_access(&mut ptb, cluster, payment, tier, node_id, &agreed, Clock)
                }
            };
            put_token(&mut ptb, tier, cluster, stake, new.token);
            call::share(&mut ptb, stake);
            ptb
        };
        let resolve =
            async || Ok(self.find_stakes(new.cluster, &new.node_id, tier).await?.into_iter().next().map(Made::Before));
        let done = async |receipt: Receipt| {
            let staked = receipt.events.iter().find_map(|event| match event {
                Event::Staked(staked) => Some(staked.stake),
                _ => None,
            });
            let stake = staked.ok_or_else(|| self.node.invalid("the event of a new stake"))?;
            Ok(Made::Now(self.node.read(stake, &self.package.origin).await?, receipt.digest))
        };
        let (stake, digest) = match self.run_once(&work, new.amount, commands, resolve, done).await? {
            Made::Now(stake, digest) => (stake, Some(digest)),
            Made::Before(stake) => (stake, None),
        };
        match stake.token {
            Some(token) => Ok(StakedNode { stake, token: token.id, digest }),
            None => self.give_token(stake, new.token, digest).await,
        }
    }

    async fn give_token(
        &self,
        stake: Stake,
        request: TokenRequest,
        digest: Option<Digest>,
    ) -> Result<StakedNode, Error> {
        self.create_token(&stake, request).await?;
        let stake: Stake = self.node.read(stake.id, &self.package.origin).await?;
        let token = stake.token.ok_or(Error::NoToken { stake: stake.id })?.id;
        Ok(StakedNode { stake, token, digest })
    }

    /// The contract checks this too; here it costs no gas and names both addresses.
    fn check_owner(&self, stake: &Stake) -> Result<(), Error> {
        if stake.owner == self.address() {
            Ok(())
        } else {
            Err(Error::NotOwner { object: stake.id, owner: stake.owner, sender: self.address() })
        }
    }
}

enum Made {
    Now(Stake, Digest),
    Before(Stake),
}
