//! Objects of the chain as answers: one place for names of JSON fields and for columns.

use daas_chain::types::cluster::Consequence;
use daas_chain::types::staking::Terms;
use daas_chain::types::{ActionKind, Cluster, Registration, Release, ReleaseStatus, SealTokenObject, Stake};
use daas_seal_token::{StakeStatus, Tier};
use daas_settings::{Mist, format_duration};
use serde_json::{Value, json};
use std::time::Duration;

use crate::moment;
use crate::output::Paint;
use crate::sheet::{Network, Sheet};

/// Columns of a list of nodes.
pub(crate) const NODE_HEADS: &[&str] = &["NAME", "TIER", "STATUS", "STAKED", "SLASHED", "SEAL TOKEN", "OWNER"];
/// Columns of a list of releases.
pub(crate) const RELEASE_HEADS: &[&str] = &["PCR0", "STATE", "APPROVALS", "SOURCE", "PUBLISHED"];

/// The word for a stake's state.
pub(crate) fn status(stake: &Stake) -> &'static str {
    match stake.status {
        StakeStatus::Active if stake.suspended => "suspended",
        StakeStatus::Active => "active",
        StakeStatus::Unbonding => "unbonding",
        StakeStatus::Withdrawn => "withdrawn",
        StakeStatus::Slashed => "slashed",
    }
}

/// One row of [`NODE_HEADS`].
pub(crate) fn node_row(stake: &Stake, now_ms: u64) -> Vec<String> {
    vec![
        stake.name.clone(),
        stake.tier.to_string(),
        status(stake).to_owned(),
        Mist(stake.balance).to_string(),
        if stake.slashed == 0 { "-".to_owned() } else { Mist(stake.slashed).to_string() },
        token_state(stake, now_ms).to_owned(),
        shorten(&stake.owner.to_string()),
    ]
}

fn token_state(stake: &Stake, now_ms: u64) -> &'static str {
    match &stake.token {
        None => "none",
        Some(token) if token.expires_at_ms <= now_ms => "expired",
        Some(_) if stake.status != StakeStatus::Active || stake.suspended => "void",
        Some(_) => "valid",
    }
}

/// A stake.
pub(crate) fn node_json(stake: &Stake, now_ms: u64) -> Value {
    json!({
        "name": stake.name,
        "node_id": stake.node_id,
        "stake": stake.id.to_string(),
        "cluster": stake.cluster.to_string(),
        "owner": stake.owner.to_string(),
        "tier": stake.tier.name(),
        "status": status(stake),
        "balance_mist": stake.balance,
        "principal_mist": stake.principal,
        "slashed_mist": stake.slashed,
        "staked_at_ms": stake.staked_at_ms,
        "releases_at_ms": (stake.releases_at_ms > 0).then_some(stake.releases_at_ms),
        "token": stake.token.map(|token| json!({ "id": token.id.to_string(), "expires_at_ms": token.expires_at_ms })),
        "token_state": token_state(stake, now_ms),
        "terms": terms_json(&stake.terms),
    })
}

/// What staker and operator agreed on.
pub(crate) fn terms_json(terms: &Terms) -> Value {
    json!({
        "minimum_stake_mist": terms.minimum_stake,
        "unbonding_ms": terms.unbonding_ms,
        "slash_share_bps": terms.slash_share_bps,
        "treasury": terms.treasury.to_string(),
        "consequences": terms.offences.iter().map(consequence).collect::<Vec<_>>(),
    })
}

/// `observe`, `eject` or `slash 5.00 %`.
pub(crate) fn consequence(of: &Consequence) -> String {
    match of.action {
        ActionKind::Observe => "observe".to_owned(),
        ActionKind::Eject => "eject".to_owned(),
        ActionKind::Slash => format!("slash {}", share(of.share_bps)),
    }
}

/// One node in full.
pub(crate) fn node_sheet(network: Network, stake: &Stake, token: Option<&SealTokenObject>, now_ms: u64) -> Sheet {
    let mut json = node_json(stake, now_ms);
    json["session_key"] = json!(token.map(|token| token.session_key.to_string()));
    json["key_generation"] = json!(token.map(|token| token.key_generation));
    let release = if stake.releases_at_ms > 0 { moment::show(stake.releases_at_ms) } else { String::new() };
    let mut fields = vec![
        ("name", stake.name.clone()),
        ("status", status(stake).to_owned()),
        ("tier", stake.tier.to_string()),
        ("stake", stake.id.to_string()),
        ("owner", stake.owner.to_string()),
        ("staked", format!("{} of {}", Mist(stake.balance), Mist(stake.principal))),
        ("slashed", if stake.slashed == 0 { String::new() } else { Mist(stake.slashed).to_string() }),
        ("since", moment::show(stake.staked_at_ms)),
        ("withdrawable", release),
        ("seal token", token_state(stake, now_ms).to_owned()),
        ("unbonding", time(stake.terms.unbonding_ms)),
        ("slashable", share(stake.terms.slash_share_bps)),
    ];
    if let Some(token) = token {
        fields.push(("token id", token.id.to_string()));
        fields.push(("token until", moment::show(token.expires_at_ms)));
        fields.push(("session key", format!("{} (generation {})", token.session_key, token.key_generation)));
    }
    Sheet::new(network, json).fields(fields)
}

/// A cluster with its registered instances.
pub(crate) fn cluster_sheet(network: Network, chain: &str, cluster: &Cluster, instances: &[Registration]) -> Sheet {
    let settings = &cluster.settings;
    let tiers: Vec<_> = Tier::ALL
        .into_iter()
        .map(|tier| json!({ "tier": tier.name(), "minimum_stake_mist": settings.minimum_stake(tier), "open": settings.is_open(tier) }))
        .collect();
    let json = json!({
        "id": cluster.id.to_string(),
        "name": cluster.name,
        "chain_id": chain,
        "admin_cap": cluster.admin_cap.to_string(),
        "endpoints": cluster.endpoints,
        "tiers": tiers,
        "unbonding_ms": settings.unbonding_ms,
        "max_workers": settings.max_workers,
        "active_workers": cluster.active_workers,
        "slash_share_bps": settings.slash_share_bps,
        "treasury": settings.treasury.to_string(),
        "heartbeat_limit_ms": settings.heartbeat_limit_ms,
        "document_max_age_ms": settings.document_max_age_ms,
        "registration_ms": settings.registration_ms,
        "config_sha256": settings.config_sha256,
        "release_delay_ms": cluster.release_rules.delay_ms,
        "auditors": cluster.release_rules.auditors,
        "auditor_threshold": cluster.release_rules.threshold,
        "generation": cluster.generation,
        "active": cluster.active.as_ref().map(|active| json!({
            "instance": active.instance,
            "server_ca_sha256": active.server_ca_sha256,
            "tls_spki_sha256": active.tls_spki_sha256,
            "since_ms": active.since_ms,
        })),
        "anchor": cluster.anchor,
        "instances": instances.iter().map(|known| json!({
            "instance": known.instance, "pcrs": known.pcrs, "expires_at_ms": known.expires_at_ms,
        })).collect::<Vec<_>>(),
    });
    let active = cluster.active.as_ref().map_or_else(
        || "none".to_owned(),
        |active| format!("{} since {}", active.instance, moment::show(active.since_ms)),
    );
    let rows = Tier::ALL.into_iter().map(|tier| {
        let open = if settings.is_open(tier) { "open to stake alone" } else { "needs a grant" };
        vec![tier.to_string(), Mist(settings.minimum_stake(tier)).to_string(), open.to_owned()]
    });
    let mut sheet = Sheet::new(network, json)
        .fields([
            ("cluster", cluster.id.to_string()),
            ("name", cluster.name.clone()),
            ("chain", chain.to_owned()),
            ("api", cluster.endpoints.api.clone()),
            ("join", cluster.endpoints.join.clone()),
            ("master", cluster.endpoints.master.clone()),
            ("workers", format!("{} of {}", cluster.active_workers, settings.max_workers)),
            ("unbonding", time(settings.unbonding_ms)),
            ("slashable", share(settings.slash_share_bps)),
            ("treasury", settings.treasury.to_string()),
            ("release delay", time(cluster.release_rules.delay_ms)),
            ("auditors", format!("{} of {}", cluster.release_rules.threshold, cluster.release_rules.auditors.len())),
            ("active instance", active),
            ("generation", cluster.generation.to_string()),
        ])
        .line(Paint::Plain, "")
        .table(&["TIER", "MINIMUM STAKE", "ACCESS"], rows.collect());
    if [Tier::Reader, Tier::Admin].into_iter().any(|tier| settings.is_open(tier)) {
        sheet = sheet.words(
            Paint::Bad,
            "warning: reader or admin is open to stake alone: a refundable deposit buys everybody's Secrets",
            "주의: reader나 admin 등급이 스테이크만으로 열려 있습니다. 돌려받는 보증금만으로 모든 Secret을 볼 수 있습니다",
        );
    }
    sheet
}

/// The word for a release's state at a time.
pub(crate) fn release_state(release: &Release, now_ms: u64) -> &'static str {
    match release.status {
        ReleaseStatus::Listed if release.is_active(now_ms) => "active",
        ReleaseStatus::Listed => "pending",
        ReleaseStatus::Retiring if release.is_good(now_ms) => "retiring",
        ReleaseStatus::Retiring => "retired",
        ReleaseStatus::Revoked if release.compromised => "compromised",
        ReleaseStatus::Revoked => "revoked",
    }
}

/// One row of [`RELEASE_HEADS`].
pub(crate) fn release_row(release: &Release, now_ms: u64) -> Vec<String> {
    let state = match release.status {
        ReleaseStatus::Retiring => {
            format!("{} until {}", release_state(release, now_ms), moment::show(release.retiring_until_ms))
        }
        _ => release_state(release, now_ms).to_owned(),
    };
    vec![
        release.pcrs.to_string().chars().take(16).collect(),
        state,
        format!("{} of {}", release.approvals.len(), release.threshold),
        release.source_revision.chars().take(16).collect(),
        moment::show(release.proposed_at_ms),
    ]
}

/// A release.
pub(crate) fn release_json(release: &Release, now_ms: u64) -> Value {
    let pcrs = release.pcrs.to_string();
    // 144 bytes: three registers of 96 digits.
    let register = |index: usize| pcrs.get(index * 96..(index + 1) * 96).unwrap_or_default().to_owned();
    let workers: serde_json::Map<_, _> = release
        .worker_pcrs
        .iter()
        .map(|worker| (worker.index.to_string(), Value::from(hex::encode(&worker.value))))
        .collect();
    json!({
        "pcrs": { "0": register(0), "1": register(1), "2": register(2), "8": release.pcr8 },
        "tpm_pcrs": workers,
        "artifact_sha256": release.artifact_sha256,
        "source_revision": release.source_revision,
        "state": release_state(release, now_ms),
        "proposed_at_ms": release.proposed_at_ms,
        "active_from_ms": release.active_from_ms,
        "approvals": release.approvals,
        "threshold": release.threshold,
        "retiring_until_ms": (release.retiring_until_ms > 0).then_some(release.retiring_until_ms),
        "compromised": release.compromised,
    })
}

/// `0x12345678…abcd`.
pub(crate) fn shorten(id: &str) -> String {
    match (id.get(..10), id.get(id.len().saturating_sub(4)..)) {
        (Some(head), Some(tail)) if id.len() > 16 => format!("{head}…{tail}"),
        _ => id.to_owned(),
    }
}

fn time(ms: u64) -> String {
    format_duration(Duration::from_millis(ms))
}

pub(crate) fn share(bps: u64) -> String {
    format!("{}.{:02} %", bps / 100, bps % 100)
}
