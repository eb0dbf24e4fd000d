//! `daas cluster`.

use std::time::Duration;

use daas_chain::client::{NewCluster, Session, SettingChange};
use daas_chain::types::cluster::Endpoints;
use daas_chain::types::upgrade_lock::UpgradeCap;
use daas_chain::types::{Bytes32, Registration};
use daas_diagnostics::{Diagnostic, codes};
use daas_seal_token::Tier;
use daas_settings::{SuiAddress, format_duration};
use serde_json::json;
use sui_sdk_types::{Address, Identifier, StructTag};

use super::Answer;
use super::confirm::confirm;
use super::receipt::receipt_sheet;
use crate::arguments::{self, Activate, Cluster, ClusterCreate, Grant, Harden};
use crate::connection::{ClusterLink, Connection, told};
use crate::invocation::Invocation;
use crate::nodes::is_short_for;
use crate::output::Paint;
use crate::places::Role;
use crate::sheet::Sheet;
use crate::views::cluster_sheet;

pub(super) async fn run(invocation: &Invocation, command: Cluster) -> Answer {
    match command {
        Cluster::Create(arguments) => create(invocation, arguments).await,
        Cluster::Show => show(invocation).await,
        Cluster::Endpoints(arguments) => endpoints(invocation, arguments).await,
        Cluster::Grant(arguments) => grant(invocation, &arguments).await,
        Cluster::Activate(arguments) => activate(invocation, &arguments).await,
        Cluster::Harden(arguments) => harden(invocation, &arguments).await,
    }
}

async fn create(invocation: &Invocation, arguments: ClusterCreate) -> Answer {
    let endpoints = whole(&arguments.endpoints)?;
    let treasury = arguments.treasury.map(|text| parse_address("treasury", &text)).transpose()?;
    let account = invocation.account(Role::Operator)?;
    let (Connection { node, network }, package) = invocation.connect_package().await?;
    let _step = invocation.screen.step("creating the cluster", "클러스터를 만드는 중");
    let treasury = treasury.unwrap_or_else(|| account.address());
    let session = invocation.sign_with(account, node, package)?;
    let new = NewCluster { name: arguments.name.clone(), endpoints, treasury, settings: Vec::new() };
    let created = session.create_cluster(&new).await.map_err(told)?;
    let json = json!({
        "cluster": created.cluster.to_string(),
        "admin_cap": created.admin_cap.to_string(),
        "name": arguments.name,
        "transaction": created.digest.to_string(),
    });
    Ok(Box::new(
        Sheet::new(network, json)
            .words(
                Paint::Good,
                "the cluster is made; this wallet is its operator",
                "클러스터를 만들었습니다. 이 지갑이 운영자입니다",
            )
            .fields([
                ("cluster", created.cluster.to_string()),
                ("admin cap", created.admin_cap.to_string()),
                ("transaction", created.digest.to_string()),
            ])
            .words(
                Paint::Faint,
                "put the cluster into the settings: cluster = \"0x…\", or DAAS_CLUSTER",
                "설정에 클러스터를 적으세요: cluster = \"0x…\" 또는 DAAS_CLUSTER",
            ),
    ))
}

async fn show(invocation: &Invocation) -> Answer {
    let link = invocation.connect_cluster().await?;
    let cluster = link.read().await?;
    let instances = link.instances().await?;
    Ok(Box::new(cluster_sheet(link.network, &link.node.chain().to_string(), &cluster, &instances)))
}

async fn endpoints(invocation: &Invocation, change: arguments::Endpoints) -> Answer {
    let link = invocation.connect_cluster().await?;
    let present = link.read().await?.endpoints;
    let arguments::Endpoints { api, join, master } = change;
    let asked = [&api, &join, &master].into_iter().any(Option::is_some);
    let wanted = Endpoints {
        api: api.unwrap_or_else(|| present.api.clone()),
        join: join.unwrap_or_else(|| present.join.clone()),
        master: master.unwrap_or_else(|| present.master.clone()),
    };
    let fields = || [("api", wanted.api.clone()), ("join", wanted.join.clone()), ("master", wanted.master.clone())];
    if !asked {
        return Ok(Box::new(Sheet::new(link.network, json!({ "endpoints": wanted })).fields(fields())));
    }
    let network = link.network;
    let (session, cluster) = operate(invocation, link)?;
    let change = SettingChange::Endpoints(wanted.clone());
    let receipt = session.change_settings(cluster, &[change]).await.map_err(told)?;
    let (english, korean) = ("the endpoints have changed", "엔드포인트를 바꾸었습니다");
    Ok(Box::new(receipt_sheet(network, &receipt, english, korean, json!({ "endpoints": wanted })).fields(fields())))
}

async fn grant(invocation: &Invocation, arguments: &Grant) -> Answer {
    let wallet = parse_address("wallet", &arguments.wallet)?;
    let tier = if arguments.tier == "admin" { Tier::Admin } else { Tier::Reader };
    let link = invocation.connect_cluster().await?;
    let network = link.network;
    link.read().await?;
    let (session, cluster) = operate(invocation, link)?;
    let (receipt, english, korean) = if arguments.remove {
        let receipt = session.ungrant(cluster, wallet, tier).await.map_err(told)?;
        (receipt, "the grant is taken back", "권한을 거두었습니다")
    } else {
        let receipt = session.grant(cluster, wallet, tier).await.map_err(told)?;
        (receipt, "the wallet may now stake for this tier", "이 지갑은 이제 이 등급으로 스테이킹할 수 있습니다")
    };
    let more = json!({ "wallet": wallet.to_string(), "tier": tier.name(), "granted": !arguments.remove });
    Ok(Box::new(receipt_sheet(network, &receipt, english, korean, more)))
}

async fn activate(invocation: &Invocation, arguments: &Activate) -> Answer {
    let link = invocation.connect_cluster().await?;
    let network = link.network;
    link.read().await?;
    let instance = registered(&arguments.instance, &link.instances().await?)?;
    let (session, cluster) = operate(invocation, link)?;
    let receipt = session.activate(cluster, &instance).await.map_err(told)?;
    let (english, korean) = ("the instance speaks for the cluster now", "이제 이 인스턴스가 클러스터를 대표합니다");
    Ok(Box::new(receipt_sheet(network, &receipt, english, korean, json!({ "instance": instance }))))
}

async fn harden(invocation: &Invocation, arguments: &Harden) -> Answer {
    let (Connection { node, network }, package) = invocation.connect_package().await?;
    let session = invocation.sign_with(invocation.account(Role::Operator)?, node, package)?;
    let cap = upgrade_cap(&session).await?;
    let Some(delay) = arguments.delay else {
        confirm(
            invocation,
            arguments.yes,
            "the package can never be upgraded again",
            "패키지를 다시는 업그레이드할 수 없습니다",
        )?;
        let receipt = session.make_immutable(cap).await.map_err(told)?;
        let (english, korean) = ("no upgrade is possible any more", "이제 업그레이드할 수 없습니다");
        return Ok(Box::new(receipt_sheet(network, &receipt, english, korean, json!({ "upgrades": "frozen" }))));
    };
    let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    if let Some(cluster) = invocation.settings.cluster {
        check_delay(&session, crate::connection::address(cluster), delay_ms).await?;
    }
    confirm(invocation, arguments.yes, "the delay can never be shortened", "대기 시간은 다시 줄일 수 없습니다")?;
    let receipt = session.lock_upgrades(cap, delay_ms).await.map_err(told)?;
    let (english, korean) = ("upgrades are locked behind the delay", "업그레이드에 대기 시간을 걸었습니다");
    let more = json!({ "upgrades": "locked", "delay_ms": delay_ms });
    Ok(Box::new(receipt_sheet(network, &receipt, english, korean, more)))
}

/// Whoever sees an upgrade announced can be out with his money before it takes effect: the delay is not shorter than unbonding takes.
async fn check_delay(session: &Session, cluster: Address, delay_ms: u64) -> Result<(), Diagnostic> {
    let cluster: daas_chain::types::Cluster =
        session.node().read(cluster, &session.package().origin).await.map_err(told)?;
    let show = |ms| format_duration(Duration::from_millis(ms));
    let unbonding_ms = cluster.settings.unbonding_ms;
    if delay_ms >= unbonding_ms {
        return Ok(());
    }
    Err(Diagnostic::new(codes::BAD_VALUE)
        .with("name", "delay")
        .with("origin", "--delay")
        .with("value", show(delay_ms))
        .with_words(
            "expected",
            format!(
                "at least {}, the cluster's unbonding time: whoever sees an upgrade coming can leave before it",
                show(unbonding_ms)
            ),
            format!(
                "클러스터의 해제 대기 시간({}) 이상: 예고된 업그레이드가 싫은 사람이 그 전에 나갈 수 있어야 합니다",
                show(unbonding_ms)
            ),
        ))
}

/// The wallet's UpgradeCap of the package.
pub(super) async fn upgrade_cap(session: &Session) -> Result<Address, Diagnostic> {
    let package = session.package();
    for (id, cap) in upgrade_caps(session.node(), session.address()).await? {
        if cap.package == package.id {
            return Ok(id);
        }
    }
    Err(Diagnostic::new(codes::OBJECT_NOT_FOUND)
        .with_words("kind", "UpgradeCap of the package", "패키지의 UpgradeCap")
        .with("object", package.id))
}

/// All UpgradeCaps of a wallet.
pub(super) async fn upgrade_caps(
    node: &daas_chain::client::Node,
    owner: Address,
) -> Result<Vec<(Address, UpgradeCap)>, Diagnostic> {
    let module = Identifier::from_static("package");
    let type_ = StructTag::new(Address::TWO, module, Identifier::from_static("UpgradeCap"), Vec::new());
    let objects = node.owned(owner, &type_).await.map_err(told)?;
    // What cannot be read is no cap of a package that anybody could want to harden.
    let caps = objects.iter().filter_map(|object| {
        let cap = bcs::from_bytes::<UpgradeCap>(object.as_struct()?.contents()).ok()?;
        Some((object.object_id(), cap))
    });
    Ok(caps.collect())
}

/// The operator at work on the cluster of the link.
pub(super) fn operate(invocation: &Invocation, link: ClusterLink) -> Result<(Session, Address), Diagnostic> {
    let account = invocation.account(Role::Operator)?;
    Ok((invocation.sign_with(account, link.node, link.package)?, link.cluster))
}

fn registered(wanted: &str, known: &[Registration]) -> Result<Bytes32, Diagnostic> {
    let fitting: Vec<_> = known.iter().filter(|one| is_short_for(wanted, &one.instance.to_string())).collect();
    match fitting.as_slice() {
        [one] => Ok(one.instance),
        _ => Err(Diagnostic::new(codes::OBJECT_NOT_FOUND)
            .with_words("kind", "registered instance", "등록된 인스턴스")
            .with("object", wanted)),
    }
}

/// A new cluster needs all three.
fn whole(endpoints: &arguments::Endpoints) -> Result<Endpoints, Diagnostic> {
    let one = |name: &'static str, value: &Option<String>| {
        value
            .clone()
            .ok_or_else(|| Diagnostic::new(codes::MISSING_SETTING).with("name", name).with("how", format!("--{name}")))
    };
    Ok(Endpoints {
        api: one("api", &endpoints.api)?,
        join: one("join", &endpoints.join)?,
        master: one("master", &endpoints.master)?,
    })
}

fn parse_address(name: &'static str, text: &str) -> Result<Address, Diagnostic> {
    text.parse::<SuiAddress>().map(crate::connection::address).map_err(|error| {
        Diagnostic::new(codes::BAD_VALUE)
            .with("name", name)
            .with_words("origin", "the command line", "명령줄")
            .with("value", format!("\"{text}\""))
            .with_phrase("expected", error.phrase())
    })
}
