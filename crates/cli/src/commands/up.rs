//! `daas up`: chain, package, cluster and one staker, each made once, however often and however rudely this is run.

use std::path::Path;

use daas_chain::client::{Bytecode, Journal, NewCluster, Node, NodeOptions, Package, Session, SettingChange};
use daas_chain::types::cluster::{AdminCap, Endpoints};
use daas_chain::types::staking::Terms;
use daas_chain::types::{Stake, decode_object};
use daas_chain::wallet::{Account, open_key_file};
use daas_devnet::ControlClient;
use daas_diagnostics::{Diagnostic, codes};
use daas_seal_token::{NodeId, Tier};
use daas_settings::Mist;
use serde_json::{Value, json};
use sui_sdk_types::Address;

use super::Answer;
use super::cluster::upgrade_caps;
use super::stake::{Wanted, node_id};
use crate::arguments::Up;
use crate::connection::told;
use crate::development::{DEFAULT_LISTEN, Devnet, Lock, Record, new_wallet};
use crate::invocation::Invocation;
use crate::output::{Page, Paint, Report};
use crate::places::{Places, Role};
use crate::session_keys::SessionKeys;
use crate::views;

/// The package as this program was built with it.
const BYTECODE: &str = include_str!("../../../../move/bytecode/package.json");
/// What operator and staker get when they hold less: two coins each, one to spend and one for gas.
const GIFT: [u64; 2] = [100 * Mist::SUI.0, 100 * Mist::SUI.0];
/// Short enough to see a withdrawal.
const UNBONDING_MS: u64 = 10 * 60 * 1000;
/// A year: a development cluster should not stop over a weekend.
const TOKEN_LIFE_MS: u64 = 365 * 86_400_000;

pub(super) async fn run(invocation: Invocation, arguments: Up) -> Answer {
    let name = node_id(&arguments.node)?;
    let places = &invocation.places;
    let bytecode = Bytecode::parse(BYTECODE).map_err(told)?;
    let _lock = Lock::take(places).await?;
    let before = Record::read(places)?;

    let step = invocation.screen.step("starting the development chain", "개발용 체인을 시작하는 중");
    let running = Devnet::running(places)?.map(|devnet| devnet.address);
    if let (Some(asked), Some(address)) = (arguments.listen, running)
        && asked.port() != 0
        && asked != address
    {
        return Err(Diagnostic::new(codes::DEVCHAIN_ALREADY_RUNNING).with("address", address));
    }
    let listen = arguments.listen.or(before.as_ref().map(|record| record.listen)).unwrap_or(DEFAULT_LISTEN);
    let devnet = Devnet::start(places, listen, &arguments.attestation_roots).await?;
    drop(step);

    // Things on another chain are gone with it.
    let same_chain = before.filter(|record| record.chain_id == devnet.chain_id);
    let mut record = same_chain.unwrap_or_else(|| Record::of_chain(&devnet.chain_id, devnet.address));
    record.listen = devnet.address;
    let mut setup = Setup { places, record, node: connect(&devnet).await?, invocation: &invocation };
    setup.keep()?;
    let operator = setup.wallet(Role::Operator).await?;
    let staker = setup.wallet(Role::Staker).await?;
    let package = setup.package(&operator, &bytecode).await?;
    let cluster = setup.cluster(&operator, package).await?;
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

async fn connect(devnet: &Devnet) -> Result<Node, Diagnostic> {
    Node::connect(&format!("http://{}", devnet.address), None, NodeOptions::default()).await.map_err(told)
}

/// The steps. Each looks first for what an earlier run made: in the record, then on the chain.
struct Setup<'a> {
    places: &'a Places,
    record: Record,
    node: Node,
    invocation: &'a Invocation,
}

impl Setup<'_> {
    /// Keeps what has been made so far.
    fn keep(&self) -> Result<(), Diagnostic> {
        self.record.write(self.places)?;
        self.record.write_client_settings(self.places)
    }

    /// A key with money.
    async fn wallet(&self, role: Role) -> Result<Account, Diagnostic> {
        let path = self.places.key_file(role);
        if !path.exists() {
            new_wallet(&path)?;
        }
        let account = open_key_file(&path).map_err(told)?;
        if self.node.balance(account.address()).await.map_err(told)? < GIFT[0] / 2 {
            let _step = self.invocation.screen.step("asking the faucet", "수도꼭지(faucet)에서 받는 중");
            let refused = |error: daas_devnet::Error| {
                Diagnostic::new(codes::FAUCET_REFUSED)
                    .with_words("reason", "the development chain refused", "개발용 체인이 거부했습니다")
                    .caused_by(&error)
            };
            let mut faucet = ControlClient::connect(self.node.endpoint()).await.map_err(refused)?;
            faucet.fund(account.address(), &GIFT).await.map_err(refused)?;
        }
        Ok(account)
    }

    async fn package(&mut self, operator: &Account, bytecode: &Bytecode) -> Result<Package, Diagnostic> {
        if let Some(id) = &self.record.package {
            if self.record.bytecode.as_ref() != Some(&bytecode.digest) {
                self.invocation.screen.warn(
                    "this chain holds another version of the package; to start anew: daas down --purge, daas up",
                    "이 체인에는 다른 버전의 패키지가 있습니다. 새로 시작하려면: daas down --purge, daas up",
                );
            }
            return Package::load(&self.node, parse(id)?).await.map_err(told);
        }
        let _step = self.invocation.screen.step("publishing the package", "패키지를 배포하는 중");
        let mut found = None;
        for (_, cap) in upgrade_caps(&self.node, operator.address()).await? {
            if let Ok(package) = Package::load(&self.node, cap.package).await {
                found = Some(package);
            }
        }
        let package = if let Some(package) = found {
            package
        } else {
            let published = Session::publish(self.node.clone(), operator.clone(), bytecode).await.map_err(told)?;
            published.1.package
        };
        self.record.package = Some(package.id.to_string());
        self.record.bytecode = Some(bytecode.digest.clone());
        self.keep()?;
        Ok(package)
    }

    async fn cluster(&mut self, operator: &Account, package: Package) -> Result<Address, Diagnostic> {
        if let Some(id) = &self.record.cluster {
            return parse(id);
        }
        let _step = self.invocation.screen.step("creating the cluster", "클러스터를 만드는 중");
        let caps = self.node.owned(operator.address(), &package.type_of("cluster", "AdminCap")).await.map_err(told)?;
        let found = caps.first().map(|cap| decode_object::<AdminCap>(cap, &package.origin)).transpose();
        let cluster = if let Some(cap) = found.map_err(|error| told(error.into()))? {
            cap.cluster
        } else {
            let loopback = |port: u16| format!("127.0.0.1:{port}");
            let new = NewCluster {
                name: "development".to_owned(),
                endpoints: Endpoints { api: loopback(6443), join: loopback(9345), master: loopback(8443) },
                treasury: operator.address(),
                settings: vec![SettingChange::Unbonding(UNBONDING_MS)],
            };
            self.session(operator, package)?.create_cluster(&new).await.map_err(told)?.cluster
        };
        self.record.cluster = Some(cluster.to_string());
        self.keep()?;
        Ok(cluster)
    }

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

    fn session(&self, account: &Account, package: Package) -> Result<Session, Diagnostic> {
        let journal = Journal::open(self.places.of(Role::Client).join("journal")).map_err(told)?;
        Ok(Session::new(self.node.clone(), package, account.clone()).with_journal(journal))
    }
}

/// What to type next, in words that work in this very shell.
fn next_steps(invocation: &Invocation, node: &str) -> Vec<(String, &'static str, &'static str)> {
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

fn parse(id: &str) -> Result<Address, Diagnostic> {
    id.parse().map_err(|error| Diagnostic::new(codes::INTERNAL).technical(format!("{id}: {error}")))
}

impl Invocation {
    /// How `daas` is called with this state folder: by name if that finds this very program, else by its path.
    pub(crate) fn how_to_call(&self) -> String {
        let own = std::env::current_exe().unwrap_or_default();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let by_name = std::env::split_paths(&path).map(|folder| folder.join("daas")).find(|file| file.is_file());
        let is_own = by_name.is_some_and(|found| found.canonicalize().ok() == own.canonicalize().ok());
        let here = std::env::current_dir().unwrap_or_default();
        let relative = own.strip_prefix(&here).unwrap_or(&own);
        let mut call = if is_own { "daas".to_owned() } else { shell_word(relative) };
        if self.needs_state_dir {
            call = format!("{call} --state-dir {}", shell_word(self.places.state()));
        }
        call
    }
}

/// Quoted where a shell would take it apart.
pub(super) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | '@' | ':' | ',');
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
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
    next: Vec<(String, &'static str, &'static str)>,
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
        page.line("");
        let title = page.pick("what to type next:", "이제 이렇게 해 보세요:").to_owned();
        page.painted(Paint::Strong, title);
        let width = self.next.iter().map(|(command, ..)| command.len()).max().unwrap_or(0);
        for (command, english, korean) in &self.next {
            let line = format!("  {command:<width$}  {}", page.pick(english, korean));
            page.line(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_type_next_survives_a_shell() {
        assert_eq!(shell_word(Path::new("/a/b-1.c")), "/a/b-1.c");
        assert_eq!(shell_word(Path::new("/a b/it's")), r"'/a b/it'\''s'");
        assert_eq!(shell_word(Path::new("/a;b")), "'/a;b'");
    }

    #[test]
    fn the_embedded_package_is_whole() {
        assert!(Bytecode::parse(BYTECODE).is_ok_and(|bytecode| !bytecode.digest.is_empty()));
    }
}
