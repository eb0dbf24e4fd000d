//! The administrator: a wallet with the operator's grant and a stake of tier admin.

use daas_chain::client::Package;
use daas_chain::types::staking::Terms;
use daas_chain::types::{ClusterField, Stake};
use daas_chain::wallet::Account;
use daas_diagnostics::{Diagnostic, codes};
use daas_seal_token::{NodeId, StakeStatus, Tier};
use daas_settings::Mist;
use sui_sdk_types::Address;

use super::setup::{Setup, TOKEN_LIFE_MS, parse};
use crate::commands::stake::Wanted;
use crate::connection::told;
use crate::places::Role;
use crate::session_keys::SessionKeys;

const NAME: &str = "admin";

impl Setup<'_> {
    /// The administrator's stake: `daas cluster grant` and `daas stake --tier admin`, each once. One that is over is replaced.
    pub(super) async fn admin(
        &mut self,
        operator: &Account,
        package: Package,
        cluster: Address,
    ) -> Result<Stake, Diagnostic> {
        let admin = self.wallet(Role::Admin).await?;
        if let Some(id) = &self.record.admin {
            let stake: Stake = self.node.read(parse(id)?, &package.origin).await.map_err(told)?;
            if stake.status == StakeStatus::Active {
                return Ok(stake);
            }
        }
        let link = self.link(package, cluster);
        let is_granted = link.fields().await?.iter().any(|field| {
            matches!(field, ClusterField::Grant(key, _) if key.wallet == admin.address() && key.tier == Tier::Admin)
        });
        if !is_granted {
            let operator = self.session(operator, package)?;
            operator.grant(cluster, admin.address(), Tier::Admin).await.map_err(told)?;
        }
        let agreed = Terms::of(&link.read().await?.settings, Tier::Admin);
        let node_id: NodeId = daas_settings::parse_node_id(NAME).map_err(|_| Diagnostic::new(codes::INTERNAL))?;
        let amount = Mist(agreed.minimum_stake);
        let wanted = Wanted { cluster, node_id, amount, tier: Tier::Admin, agreed, lifetime_ms: TOKEN_LIFE_MS };
        let keys = SessionKeys::below(&self.places.of(Role::Client));
        let made = wanted.make(&self.session(&admin, package)?, &keys).await?;
        self.record.admin = Some(made.stake.id.to_string());
        self.keep()?;
        Ok(made.stake)
    }
}
