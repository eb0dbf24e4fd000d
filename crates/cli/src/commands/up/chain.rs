//! `daas up --chain-only`: chain, package, cluster and one staker. Needs no rights.

use daas_chain::client::Package;
use daas_chain::types::Stake;
use daas_chain::types::staking::Terms;
use daas_chain::wallet::Account;
use daas_diagnostics::Diagnostic;
use daas_seal_token::{NodeId, Tier};
use daas_settings::Mist;
use serde_json::{Value, json};
use sui_sdk_types::Address;

use super::NextStep;
use super::setup::{Setup, TOKEN_LIFE_MS, endpoints, parse};
use crate::arguments::Up;
use crate::commands::Answer;
use crate::commands::stake::{Wanted, node_id};
use crate::connection::told;
use crate::development::{Lock, Record};
use crate::invocation::Invocation;
use crate::output::{Page, Paint, Report};
use crate::places::Role;
use crate::session_keys::SessionKeys;
use crate::views;

pub(super) async fn run(invocation: Invocation, arguments: Up) -> Answer {
    let name = node_id(&arguments.node)?;
    let places = &invocation.places;
    let _lock = Lock::take(places).await?;
    let step = invocation.screen.step("starting the development chain", "개발용 체인을 시작하는 중");
    let (mut setup, devnet) = Setup::on_chain(&invocation, arguments.listen, &arguments.attestation_roots).await?;
    drop(step);
    let operator = setup.wallet(Role::Operator).await?;
    let staker = setup.wallet(Role::Staker).await?;
    let package = setup.package(&operator).await?;
    let cluster = setup.cluster(&operator, package, endpoints("127.0.0.1")).await?;
    let stake = setup.stake(&staker, package, cluster, name).await?;

    Ok(Box::new(Ready {
        next: next_steps(&invocation, &stake.name),
        settings: places.client_settings().display().to_string(),
        record: setup.record,
        log: places.log_file(Role::Devnet).display().to_string(),
        pid: devnet.process.pid,
        operator: operator.address(),
        staker: staker.address(),
        stake,
    }))
}

impl Setup<'_> {
    /// One stake is made; what becomes of it afterwards is the user's business.
    async fn stake(
        &mut self,
        staker: &Account,
        package: Package,
        cluster: Address,
        node_id: NodeId,
    ) -> Result<Stake, Diagnostic> {
        if let Some(id) = &self.record.stake {
            return self.node.read(parse(id)?, &package.origin).await.map_err(told);
        }
        let _step = self.invocation.screen.step("staking", "스테이킹하는 중");
        let found = self.node.read::<daas_chain::types::Cluster>(cluster, &package.origin).await.map_err(told)?;
        let agreed = Terms::of(&found.settings, Tier::Worker);
        let amount = Mist(agreed.minimum_stake);
        let wanted = Wanted { cluster, node_id, amount, tier: Tier::Worker, agreed, lifetime_ms: TOKEN_LIFE_MS };
        let keys = SessionKeys::below(&self.places.of(Role::Client));
        let made = wanted.make(&self.session(staker, package)?, &keys).await?;
        self.record.stake = Some(made.stake.id.to_string());
        self.keep()?;
        Ok(made.stake)
    }
}

/// What to type next, in words that work in this very shell.
fn next_steps(invocation: &Invocation, node: &str) -> Vec<NextStep> {
    let daas = invocation.how_to_call();
    [
        (format!("{daas} status"), "what runs, stakes and Seal tokens", "실행 상태, 스테이크, Seal 토큰"),
        (format!("{daas} node list"), "the cluster's nodes", "클러스터의 노드"),
        (format!("{daas} token --purpose join {node}"), "a Seal token to join with", "참여용 Seal 토큰"),
        (format!("{daas} stake worker-2 --amount 1SUI"), "one more node", "노드 하나 더"),
        (format!("{daas} down"), "stop; the state stays", "멈추기(상태는 남음)"),
    ]
    .into()
}

/// The finished setup.
struct Ready {
    record: Record,
    pid: i32,
    log: String,
    operator: Address,
    staker: Address,
    stake: Stake,
    settings: String,
    next: Vec<NextStep>,
}

impl Report for Ready {
    fn json(&self) -> Value {
        json!({
            "development": true,
            "chain": { "id": self.record.chain_id, "address": self.record.listen.to_string(), "pid": self.pid, "log": self.log },
            "package": self.record.package,
            "cluster": self.record.cluster,
            "operator": self.operator.to_string(),
            "staker": self.staker.to_string(),
            "node": self.stake.name,
            "stake": self.stake.id.to_string(),
            "token": self.stake.token.map(|token| token.id.to_string()),
            "status": views::status(&self.stake),
            "settings": self.settings,
            "next": self.next.iter().map(|(command, ..)| command).collect::<Vec<_>>(),
        })
    }

    fn human(&self, page: &mut Page) {
        page.development_banner(false);
        let title = page.pick("the development setup runs", "개발 환경이 실행 중입니다").to_owned();
        page.painted(Paint::Good, title);
        page.fields([
            ("chain", format!("{} at http://{} (pid {})", self.record.chain_id, self.record.listen, self.pid)),
            ("package", self.record.package.clone().unwrap_or_default()),
            ("cluster", self.record.cluster.clone().unwrap_or_default()),
            ("operator", self.operator.to_string()),
            ("staker", self.staker.to_string()),
            ("node", format!("{} ({})", self.stake.name, views::status(&self.stake))),
            ("settings", self.settings.clone()),
            ("log", self.log.clone()),
        ]);
        super::report::next_steps(page, &self.next);
    }
}
