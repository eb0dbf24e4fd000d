//! A development chain in a temporary folder with the published contract, one cluster and wallets that stake.

use std::error::Error;

use daas_chain::client::{Bytecode, NewCluster, Node, NodeOptions, Package, Session, SettingChange};
use daas_chain::types::cluster::Endpoints;
use daas_chain::types::staking::Terms;
use daas_chain::types::{Cluster, decode_object};
use daas_chain::wallet::Account;
use daas_devnet::ledger::{Ledger, REFERENCE_GAS_PRICE, VerifiedTransaction};
use daas_devnet::{Config, Devnet};
use daas_seal_token::{SigningKey, Tier};
use sui_sdk_types::{
    Address, Argument, Command, ExecutionStatus, GasPayment, Identifier, Input, MoveCall, ObjectOut, ObjectReference,
    Owner, ProgrammableTransaction, SharedInput, SplitCoins, Transaction, TransactionEffects, TransactionExpiration,
    TransactionKind, UserSignature,
};
use tokio::runtime::Handle;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const SUI: u64 = 1_000_000_000;
const CLOCK: Address = Address::from_static("0x6");
const DAY_MS: u64 = 86_400_000;

/// The chain and what was set up on it.
pub(crate) struct Scene {
    pub(crate) devnet: Devnet,
    pub(crate) package: Package,
    pub(crate) cluster: Address,
    cluster_version: u64,
    admin_cap: Address,
    operator: Account,
    wallets: u8,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// The chain runs on threads of its own: what it uses is not what its clients use.
    pub(crate) async fn new(server: &Handle) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let config = Config::new(folder.path().join("chain"));
        let devnet = server.spawn(Devnet::start(config)).await??;
        let node = Node::connect(&devnet.url(), Some(devnet.chain_id()), NodeOptions::default()).await?;
        let operator = Account::from_ed25519([1; 32]);
        devnet.faucet(operator.address(), &[500 * SUI, 500 * SUI]).await?;
        let bytecode = Bytecode::parse(include_str!("../../move/bytecode/package.json"))?;
        let (session, published) = Session::publish(node, operator.clone(), &bytecode).await?;
        let address = |host: &str| format!("{host}:8443");
        let created = session
            .create_cluster(&NewCluster {
                name: "bench".to_owned(),
                endpoints: Endpoints { api: address("api"), join: address("join"), master: address("master") },
                treasury: operator.address(),
                settings: vec![SettingChange::MaxWorkers(1_000_000)],
            })
            .await?;
        let cluster = devnet.ledger().object(&created.cluster).ok_or("the cluster is gone")?;
        let Owner::Shared(cluster_version) = *cluster.owner() else { return Err("the cluster is not shared".into()) };
        let (package, admin_cap) = (published.package, session.admin_cap(created.cluster).await?);
        let cluster = created.cluster;
        Ok(Self { devnet, package, cluster, cluster_version, admin_cap, operator, wallets: 1, _folder: folder })
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        self.devnet.ledger()
    }

    /// A wallet of its own with one large coin.
    pub(crate) async fn wallet(&mut self) -> Outcome<Wallet> {
        self.wallets += 1;
        self.wallet_of(Account::from_ed25519([self.wallets; 32])).await
    }

    /// The cluster's administrator, with one large coin.
    pub(crate) async fn administrator(&self) -> Outcome<Wallet> {
        self.wallet_of(self.operator.clone()).await
    }

    async fn wallet_of(&self, account: Account) -> Outcome<Wallet> {
        let gift = self.devnet.faucet(account.address(), &[5_000 * SUI]).await?;
        let (coin, _) = gift.coins.first().ok_or("the faucet gave nothing")?;
        let coin = self.ledger().object(coin).ok_or("the coin is gone")?;
        let cluster = self.ledger().object(&self.cluster).ok_or("the cluster is gone")?;
        let cluster: Cluster = decode_object(&cluster, &self.package.origin)?;
        let session_key = SigningKey::from_bytes(account.address().inner()).public().to_bytes();
        Ok(Wallet {
            gas: ObjectReference::new(coin.object_id(), coin.version(), coin.digest()),
            package: self.package.id,
            cluster: SharedInput::new(self.cluster, self.cluster_version, true),
            session_key: session_key.to_vec(),
            terms: bcs::to_bytes(&Terms::of(&cluster.settings, Tier::Worker))?,
            account,
            made: 0,
        })
    }

    /// Takes one MIST from a stake, by the administrator.
    pub(crate) fn slash(&self, administrator: &Wallet, stake: Address) -> Outcome<Transaction> {
        let object = self.ledger().object(&stake).ok_or("the stake is gone")?;
        let Owner::Shared(version) = *object.owner() else { return Err("the stake is not shared".into()) };
        let cap = self.ledger().object(&self.admin_cap).ok_or("the admin cap is gone")?;
        let inputs = vec![
            Input::Shared(administrator.cluster.clone()),
            Input::ImmutableOrOwned(ObjectReference::new(cap.object_id(), cap.version(), cap.digest())),
            Input::Shared(SharedInput::new(stake, version, true)),
            Input::Pure(bcs::to_bytes(&1_u64)?),
            Input::Pure(bcs::to_bytes("measured")?),
            Input::Shared(SharedInput::new(CLOCK, 1, false)),
        ];
        let slash = administrator.call("staking", "slash", (0..6).map(Argument::Input).collect());
        Ok(administrator.transaction(inputs, vec![slash]))
    }
}

/// Somebody who stakes: a key and the one coin that pays for everything.
pub(crate) struct Wallet {
    account: Account,
    gas: ObjectReference,
    package: Address,
    cluster: SharedInput,
    session_key: Vec<u8>,
    /// BCS of the terms that a worker agrees to.
    terms: Vec<u8>,
    made: u32,
}

impl Wallet {
    /// A worker's stake with its Seal token, as `daas stake` makes them: one transaction, both shared.
    pub(crate) fn stake(&mut self) -> Outcome<Transaction> {
        self.made += 1;
        let inputs = vec![
            Input::Shared(self.cluster.clone()),
            Input::Pure(bcs::to_bytes(&SUI)?),
            Input::Pure(bcs::to_bytes(&format!("worker-{}", self.made))?),
            Input::Pure(bcs::to_bytes(&self.session_key)?),
            Input::Pure(bcs::to_bytes(&(30 * DAY_MS))?),
            Input::Shared(SharedInput::new(CLOCK, 1, false)),
            Input::Pure(bcs::to_bytes(&self.terms)?),
        ];
        let [cluster, amount, name, key, lifetime, clock, terms] = [0, 1, 2, 3, 4, 5, 6].map(Argument::Input);
        let (coin, stake) = (Argument::NestedResult(0, 0), Argument::NestedResult(1, 0));
        let commands = vec![
            Command::SplitCoins(SplitCoins { coin: Argument::Gas, amounts: vec![amount] }),
            self.call("staking", "stake_for_node", vec![cluster, coin, name, terms, clock]),
            self.call("k8s_gateway", "create_worker_seal_token", vec![cluster, stake, key, lifetime, clock]),
            self.call("staking", "share", vec![stake]),
        ];
        Ok(self.transaction(inputs, commands))
    }

    pub(crate) fn sign(&self, transaction: &Transaction) -> Outcome<UserSignature> {
        Ok(self.account.sign(transaction)?)
    }

    /// A stake, signed and checked.
    pub(crate) fn verified_stake(&mut self) -> Outcome<VerifiedTransaction> {
        let transaction = self.stake()?;
        let signature = self.sign(&transaction)?;
        Ok(VerifiedTransaction::check(transaction, vec![signature])?)
    }

    /// What happened must be a success; the gas coin has a new version.
    pub(crate) fn accept(&mut self, effects: &TransactionEffects) -> Outcome<()> {
        let TransactionEffects::V2(effects) = effects else { return Err("effects of another version".into()) };
        if effects.status != ExecutionStatus::Success {
            return Err(format!("the transaction failed: {:?}", effects.status).into());
        }
        let index = effects.gas_object_index.and_then(|index| usize::try_from(index).ok()).ok_or("no gas object")?;
        let ObjectOut::ObjectWrite { digest, .. } = effects.changed_objects.get(index).ok_or("no gas")?.output_state
        else {
            return Err("the gas coin is gone".into());
        };
        self.gas = ObjectReference::new(*self.gas.object_id(), effects.lamport_version, digest);
        Ok(())
    }

    fn call(&self, module: &'static str, function: &'static str, arguments: Vec<Argument>) -> Command {
        Command::MoveCall(MoveCall {
            package: self.package,
            module: Identifier::from_static(module),
            function: Identifier::from_static(function),
            type_arguments: Vec::new(),
            arguments,
        })
    }

    fn transaction(&self, inputs: Vec<Input>, commands: Vec<Command>) -> Transaction {
        let owner = self.account.address();
        Transaction {
            kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction { inputs, commands }),
            sender: owner,
            gas_payment: GasPayment {
                objects: vec![self.gas.clone()],
                owner,
                price: REFERENCE_GAS_PRICE,
                budget: SUI / 2,
            },
            expiration: TransactionExpiration::None,
        }
    }
}
