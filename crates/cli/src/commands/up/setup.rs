//! The steps that both setups share. Each looks first for what an earlier run made: in the record, then on the chain.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use daas_chain::client::{Bytecode, Journal, NewCluster, Node, NodeOptions, Package, Session, SettingChange};
use daas_chain::types::cluster::{AdminCap, Endpoints};
use daas_chain::types::decode_object;
use daas_chain::wallet::{Account, open_key_file};
use daas_devnet::ControlClient;
use daas_diagnostics::{Diagnostic, codes};
use daas_settings::Mist;
use sui_sdk_types::Address;

use crate::commands::cluster::upgrade_caps;
use crate::connection::{ClusterLink, told};
use crate::development::{DEFAULT_LISTEN, Devnet, Record, new_wallet};
use crate::invocation::Invocation;
use crate::places::{Places, Role};
use crate::sheet::Network;

/// The package as this program was built with it.
const BYTECODE: &str = include_str!("../../../../../move/bytecode/package.json");
/// What operator and staker get when they hold less: two coins each, one to spend and one for gas.
const GIFT: [u64; 2] = [100 * Mist::SUI.0, 100 * Mist::SUI.0];
/// Short enough to see a withdrawal.
const UNBONDING_MS: u64 = 10 * 60 * 1000;
/// A year: a development cluster should not stop over a weekend.
pub(super) const TOKEN_LIFE_MS: u64 = 365 * 86_400_000;

/// A chain that runs, and what has been made on it.
pub(super) struct Setup<'a> {
    pub(super) places: &'a Places,
    pub(super) record: Record,
    pub(super) node: Node,
    pub(super) invocation: &'a Invocation,
}

impl<'a> Setup<'a> {
    /// Starts the chain, or takes the running one.
    pub(super) async fn on_chain(
        invocation: &'a Invocation,
        listen: Option<SocketAddr>,
        roots: &[PathBuf],
    ) -> Result<(Self, Devnet), Diagnostic> {
        let places = &invocation.places;
        let before = Record::read(places)?;
        let running = Devnet::running(places)?.map(|devnet| devnet.address);
        if let (Some(asked), Some(address)) = (listen, running)
            && asked.port() != 0
            && asked != address
        {
            return Err(Diagnostic::new(codes::DEVCHAIN_ALREADY_RUNNING).with("address", address));
        }
        let listen = listen.or(before.as_ref().map(|record| record.listen)).unwrap_or(DEFAULT_LISTEN);
        let devnet = Devnet::start(places, listen, roots).await?;
        // Things on another chain are gone with it.
        let same_chain = before.filter(|record| record.chain_id == devnet.chain_id);
        let mut record = same_chain.unwrap_or_else(|| Record::of_chain(&devnet.chain_id, devnet.address));
        record.listen = devnet.address;
        let node = Node::connect(&format!("http://{}", devnet.address), None, NodeOptions::default()).await;
        let setup = Self { places, record, node: node.map_err(told)?, invocation };
        setup.keep()?;
        Ok((setup, devnet))
    }

    /// The cluster, as other commands see it.
    pub(super) fn link(&self, package: Package, cluster: Address) -> ClusterLink {
        ClusterLink { node: self.node.clone(), network: Network::Development, package, cluster }
    }

    /// Keeps what has been made so far.
    pub(super) fn keep(&self) -> Result<(), Diagnostic> {
        self.record.write(self.places)?;
        self.record.write_client_settings(self.places)
    }

    /// A key with money.
    pub(super) async fn wallet(&self, role: Role) -> Result<Account, Diagnostic> {
        self.wallet_in(&self.places.key_file(role)).await
    }

    /// A key in this file, with money.
    pub(super) async fn wallet_in(&self, path: &Path) -> Result<Account, Diagnostic> {
        if !path.exists() {
            new_wallet(path)?;
        }
        let account = open_key_file(path).map_err(told)?;
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

    pub(super) async fn package(&mut self, operator: &Account) -> Result<Package, Diagnostic> {
        let bytecode = Bytecode::parse(BYTECODE).map_err(told)?;
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
            let published = Session::publish(self.node.clone(), operator.clone(), &bytecode).await.map_err(told)?;
            published.1.package
        };
        self.record.package = Some(package.id.to_string());
        self.record.bytecode = Some(bytecode.digest.clone());
        self.keep()?;
        Ok(package)
    }

    pub(super) async fn cluster(
        &mut self,
        operator: &Account,
        package: Package,
        endpoints: Endpoints,
    ) -> Result<Address, Diagnostic> {
        if let Some(id) = &self.record.cluster {
            return parse(id);
        }
        let _step = self.invocation.screen.step("creating the cluster", "클러스터를 만드는 중");
        let caps = self.node.owned(operator.address(), &package.type_of("cluster", "AdminCap")).await.map_err(told)?;
        let found = caps.first().map(|cap| decode_object::<AdminCap>(cap, &package.origin)).transpose();
        let cluster = if let Some(cap) = found.map_err(|error| told(error.into()))? {
            cap.cluster
        } else {
            let new = NewCluster {
                name: "development".to_owned(),
                endpoints,
                treasury: operator.address(),
                settings: vec![SettingChange::Unbonding(UNBONDING_MS)],
            };
            self.session(operator, package)?.create_cluster(&new).await.map_err(told)?.cluster
        };
        self.record.cluster = Some(cluster.to_string());
        self.keep()?;
        Ok(cluster)
    }

    pub(super) fn session(&self, account: &Account, package: Package) -> Result<Session, Diagnostic> {
        let journal = Journal::open(self.places.of(Role::Client).join("journal")).map_err(told)?;
        Ok(Session::new(self.node.clone(), package, account.clone()).with_journal(journal))
    }
}

/// The three ports at one host.
pub(super) fn endpoints(host: &str) -> Endpoints {
    let at = |port: u16| format!("{host}:{port}");
    Endpoints { api: at(6443), join: at(9345), master: at(8443) }
}

pub(super) fn parse(id: &str) -> Result<Address, Diagnostic> {
    id.parse().map_err(|error| Diagnostic::new(codes::INTERNAL).technical(format!("{id}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_package_is_whole() {
        assert!(Bytecode::parse(BYTECODE).is_ok_and(|bytecode| !bytecode.digest.is_empty()));
    }
}
