//! The life of a stake: `daas stake`, `top-up`, `unstake`, `withdraw`, `slash`.

use std::time::Duration;

use daas_chain::Error;
use daas_chain::client::{AccessStake, Receipt, Session, StakeNode, StakedNode, TokenRequest};
use daas_chain::types::staking::Terms;
use daas_chain::types::{Bytes, Stake};
use daas_diagnostics::{Diagnostic, codes};
use daas_seal_token::{NodeId, StakeStatus, Tier};
use daas_settings::Mist;
use serde_json::json;
use sui_sdk_types::Address;

use super::Answer;
use super::cluster::operate;
use super::confirm::confirm;
use super::receipt::receipt_sheet;
use crate::arguments::{self, NodeRef, Slash, TopUp};
use crate::connection::{ClusterLink, told};
use crate::invocation::Invocation;
use crate::moment;
use crate::output::Paint;
use crate::places::Role;
use crate::session_keys::SessionKeys;
use crate::sheet::Sheet;
use crate::views;

pub(super) async fn stake(invocation: &Invocation, arguments: &arguments::Stake) -> Answer {
    let node_id = node_id(&arguments.node)?;
    let amount = amount(&arguments.amount)?;
    let link = invocation.connect_cluster().await?;
    let network = link.network;
    let agreed = Terms::of(&link.read().await?.settings, arguments.tier);
    let minimum = Mist(agreed.minimum_stake);
    let account = invocation.account(Role::Staker)?;
    if amount < minimum {
        return Err(Diagnostic::new(codes::STAKE_TOO_SMALL).with("amount", amount).with("minimum", minimum));
    }
    let [english, korean] = terms_in_words(&agreed);
    invocation.screen.note(&english, &korean);
    let step = invocation.screen.step("staking", "스테이킹하는 중");
    let lifetime_ms = u64::try_from(arguments.lifetime.as_millis()).unwrap_or(u64::MAX);
    let cluster = link.cluster;
    let session = invocation.sign_with(account, link.node, link.package)?;
    let wanted = Wanted { cluster, node_id, amount, tier: arguments.tier, agreed, lifetime_ms };
    let staked = wanted.make(&session, &SessionKeys::below(&invocation.settings.state_dir)).await?;
    drop(step);

    let made = staked.digest.is_some();
    let json = json!({
        "name": staked.stake.name,
        "stake": staked.stake.id.to_string(),
        "token": staked.token.to_string(),
        "balance_mist": staked.stake.balance,
        "terms": views::terms_json(&staked.stake.terms),
        "created": made,
        "transaction": staked.digest.map(|digest| digest.to_string()),
    });
    let sheet = Sheet::new(network, json);
    let sheet = if made {
        sheet.words(Paint::Good, "staked; the node has a Seal token", "스테이킹했습니다. 노드에 Seal 토큰이 있습니다")
    } else {
        sheet.words(
            Paint::Good,
            "this node had a stake already; nothing was paid again",
            "이미 스테이크가 있는 노드입니다. 다시 지불하지 않았습니다",
        )
    };
    Ok(Box::new(sheet.fields([
        ("node", staked.stake.name.clone()),
        ("stake", staked.stake.id.to_string()),
        ("amount", Mist(staked.stake.balance).to_string()),
        ("seal token", staked.token.to_string()),
        ("transaction", staked.digest.map(|digest| digest.to_string()).unwrap_or_default()),
    ])))
}

/// A stake that is to exist.
pub(super) struct Wanted {
    pub(super) cluster: Address,
    pub(super) node_id: NodeId,
    pub(super) amount: Mist,
    pub(super) tier: Tier,
    /// What the staker was shown.
    pub(super) agreed: Terms,
    pub(super) lifetime_ms: u64,
}

impl Wanted {
    /// Sees to it that the stake and its Seal token exist, and that this machine has the session key. Done again, it
    /// changes nothing.
    pub(super) async fn make(&self, session: &Session, keys: &SessionKeys) -> Result<StakedNode, Diagnostic> {
        let purpose = format!("{}-{}-{}-{}", self.tier, self.node_id, session.address(), self.cluster);
        let session_key = Bytes(keys.draft(&purpose)?.public().to_bytes());
        let token = TokenRequest { session_key, lifetime_ms: self.lifetime_ms };
        let (cluster, node_id, agreed) = (self.cluster, self.node_id.clone(), self.agreed.clone());
        let stake = StakeNode { cluster, node_id, amount: self.amount.0, agreed, token };
        let staked = match self.tier {
            Tier::Worker => session.stake_node(&stake).await,
            tier => session.stake_access(&AccessStake { tier, stake }).await,
        };
        let staked = staked.map_err(|error| self.explain(error, session.address()))?;
        let object = session
            .node()
            .read::<daas_chain::types::SealTokenObject>(staked.token, &session.package().origin)
            .await
            .map_err(told)?;
        if object.session_key == session_key {
            keys.adopt(&purpose, &staked.stake.id.to_string())?;
        } else {
            keys.discard(&purpose);
        }
        Ok(staked)
    }

    fn explain(&self, error: Error, address: Address) -> Diagnostic {
        let Error::Aborted(abort) = &error else { return told(error) };
        let diagnostic = match (abort.module.as_str(), abort.constant()) {
            ("staking", Some("ETierClosed")) | ("k8s_gateway", Some("ENotGranted")) => {
                Diagnostic::new(codes::GRANT_MISSING).with("tier", self.tier).with("address", address)
            }
            ("staking", Some("EOtherTerms")) => Diagnostic::new(codes::TERMS_CHANGED).with("cluster", self.cluster),
            _ => return told(error),
        };
        diagnostic.caused_by(&error)
    }
}

pub(super) async fn top_up(invocation: &Invocation, arguments: &TopUp) -> Answer {
    let amount = amount(&arguments.amount)?;
    let (link, stake) = find(invocation, &arguments.node).await?;
    let network = link.network;
    let session = invocation.sign_with(invocation.account(Role::Staker)?, link.node, link.package)?;
    let _step = invocation.screen.step("adding to the stake", "스테이크에 더하는 중");
    let receipt = session.top_up(&stake, amount.0).await.map_err(|error| explain(error, &stake))?;
    answer(network, &session, &stake, &receipt, "the stake has grown", "스테이크를 늘렸습니다").await
}

pub(super) async fn unstake(invocation: &Invocation, node: &NodeRef) -> Answer {
    let (link, stake) = find_on_the_way_out(invocation, &node.node).await?;
    let network = link.network;
    let session = invocation.sign_with(invocation.account(Role::Staker)?, link.node, link.package)?;
    let _step = invocation.screen.step("unstaking", "스테이크를 해제하는 중");
    let receipt = session.unstake(&stake).await.map_err(|error| explain(error, &stake))?;
    let (english, korean) =
        ("unbonding has begun; the Seal token is void", "해제 대기가 시작되었습니다. Seal 토큰은 무효입니다");
    answer(network, &session, &stake, &receipt, english, korean).await
}

pub(super) async fn withdraw(invocation: &Invocation, node: &NodeRef) -> Answer {
    let (link, stake) = find_on_the_way_out(invocation, &node.node).await?;
    let network = link.network;
    let session = invocation.sign_with(invocation.account(Role::Staker)?, link.node, link.package)?;
    let _step = invocation.screen.step("withdrawing", "출금하는 중");
    let receipt = session.withdraw(&stake).await.map_err(|error| explain(error, &stake))?;
    let (english, korean) = ("the money is back in the wallet", "돈이 지갑으로 돌아왔습니다");
    answer(network, &session, &stake, &receipt, english, korean).await
}

pub(super) async fn slash(invocation: &Invocation, arguments: &Slash) -> Answer {
    let amount = amount(&arguments.amount)?;
    let (link, stake) = find(invocation, &arguments.node).await?;
    let network = link.network;
    let english = format!("{} loses {amount} and its place, for good", stake.name);
    let korean = format!("{} 노드가 {amount}과 자리를 영구히 잃습니다", stake.name);
    confirm(invocation, arguments.yes, &english, &korean)?;
    let (session, _) = operate(invocation, link)?;
    let _step = invocation.screen.step("slashing", "슬래싱하는 중");
    let receipt = session.slash(&stake, amount.0, &arguments.reason).await.map_err(|error| explain(error, &stake))?;
    answer(network, &session, &stake, &receipt, "the stake is slashed", "스테이크를 슬래싱했습니다").await
}

pub(super) async fn find(invocation: &Invocation, node: &str) -> Result<(ClusterLink, Stake), Diagnostic> {
    let link = invocation.connect_cluster().await?;
    link.read().await?;
    let stake = link.stake(node).await?;
    Ok((link, stake))
}

/// The money's way out works whatever version the cluster is at, so a newer one is no reason to refuse.
async fn find_on_the_way_out(invocation: &Invocation, node: &str) -> Result<(ClusterLink, Stake), Diagnostic> {
    let link = invocation.connect_cluster().await?;
    match link.read().await {
        Err(error) if error.code() != codes::CLUSTER_TOO_NEW => return Err(error),
        _ => {}
    }
    let stake = link.stake(node).await?;
    Ok((link, stake))
}

/// The stake as it is after the transaction.
pub(super) async fn answer(
    network: crate::sheet::Network,
    session: &Session,
    stake: &Stake,
    receipt: &Receipt,
    english: &'static str,
    korean: &'static str,
) -> Answer {
    let stake: Stake = session.node().read(stake.id, &session.package().origin).await.map_err(told)?;
    let releases = (stake.releases_at_ms > 0).then_some(stake.releases_at_ms);
    let more = json!({
        "name": stake.name,
        "stake": stake.id.to_string(),
        "status": views::status(&stake),
        "balance_mist": stake.balance,
        "slashed_mist": stake.slashed,
        "releases_at_ms": releases,
    });
    let is_over = stake.status == StakeStatus::Withdrawn;
    let until = releases.filter(|_| !is_over).map(moment::show).unwrap_or_default();
    Ok(Box::new(receipt_sheet(network, receipt, english, korean, more).fields([
        ("node", stake.name.clone()),
        ("status", views::status(&stake).to_owned()),
        ("amount", Mist(stake.balance).to_string()),
        ("slashed", if stake.slashed > 0 { Mist(stake.slashed).to_string() } else { String::new() }),
        ("withdrawable", until),
    ])))
}

/// The contract's refusals in the words of this stake.
pub(super) fn explain(error: Error, stake: &Stake) -> Diagnostic {
    let Error::Aborted(abort) = &error else { return told(error) };
    let constant = if abort.module == "staking" { abort.constant() } else { None };
    let diagnostic = match constant {
        Some("EStillUnbonding") => Diagnostic::new(codes::STILL_UNBONDING)
            .with("stake", stake.id)
            .with("until", moment::show(stake.releases_at_ms)),
        Some("EWithdrawnBefore") => Diagnostic::new(codes::ALREADY_WITHDRAWN).with("stake", stake.id),
        Some("ENotActive") if stake.status == StakeStatus::Slashed => {
            Diagnostic::new(codes::STAKE_SLASHED).with("stake", stake.id)
        }
        Some("ENotActive" | "ESuspended") => {
            Diagnostic::new(codes::STAKE_NOT_ACTIVE).with("stake", stake.id).with("state", views::status(stake))
        }
        _ => return told(error),
    };
    diagnostic.caused_by(&error)
}

/// What a staker agrees to by staking, said before the money moves.
fn terms_in_words(terms: &Terms) -> [String; 2] {
    let unbonding = daas_settings::format_duration(Duration::from_millis(terms.unbonding_ms));
    let (share, treasury) = (views::share(terms.slash_share_bps), terms.treasury);
    let consequence = |offence: usize| terms.offences.get(offence).map(views::consequence).unwrap_or_default();
    let [double, forged, silent] = [0, 1, 2].map(consequence);
    [
        format!(
            "the terms: {unbonding} from unstake to withdraw; slashes may take {share} in all, to {treasury}; \
             a double identity: {double}, a forged statement: {forged}, silence: {silent}"
        ),
        format!(
            "조건: 해제 뒤 {unbonding} 대기, 슬래싱은 모두 합쳐 최대 {share}({treasury} 금고로). \
             이중 신원: {double}, 위조 진술: {forged}, 무응답: {silent}"
        ),
    ]
}

fn amount(text: &str) -> Result<Mist, Diagnostic> {
    text.parse::<Mist>().map_err(|error| {
        Diagnostic::new(codes::BAD_VALUE)
            .with("name", "amount")
            .with("origin", "--amount")
            .with("value", format!("\"{text}\""))
            .with_phrase("expected", error.phrase())
    })
}

pub(super) fn node_id(text: &str) -> Result<NodeId, Diagnostic> {
    daas_settings::parse_node_id(text)
        .map_err(|rule| Diagnostic::new(codes::INVALID_NODE_NAME).with("name", text).with_phrase("reason", rule))
}
