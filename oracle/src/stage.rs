//! What cases begin with: clusters, stakes, tokens, releases and instances, made by transactions on our own execution.

use daas_devnet::execution::Executed;
use ed25519_dalek::{Signer, SigningKey};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sui_sdk_types::{Address, ObjectData, StructTag};

use crate::transaction::{Transaction, Value, pure};
use crate::world::{World, failure};
use Value::{Clock, Mut, Ref};

pub(crate) const OPERATOR: Address = Address::from_static("0x0a11");
pub(crate) const ALICE: Address = Address::from_static("0x0a12");
pub(crate) const BOB: Address = Address::from_static("0x0a13");
pub(crate) const TREASURY: Address = Address::from_static("0x0a14");
pub(crate) const SUI: u64 = 1_000_000_000;
pub(crate) const HOUR: u64 = 3_600_000;
pub(crate) const DAY: u64 = 24 * HOUR;

/// A world of its own for one case.
pub(crate) struct Stage {
    pub(crate) world: World,
}

/// A shared cluster and its cap, which the operator owns.
#[derive(Clone, Copy)]
pub(crate) struct Cluster {
    pub(crate) id: Address,
    pub(crate) cap: Address,
}

/// A shared stake.
#[derive(Clone, Copy)]
pub(crate) struct Stake {
    pub(crate) id: Address,
    pub(crate) owner: Address,
}

/// A registered instance of the control plane.
#[derive(Clone)]
pub(crate) struct Instance {
    pub(crate) key: SigningKey,
    pub(crate) release: u8,
}

#[allow(
    clippy::unused_self,
    reason = "a case asks its stage for every transaction, whether it depends on the state or not"
)]
impl Stage {
    pub(crate) fn new(world: World) -> Self {
        Self { world }
    }

    /// Executes on our side, and keeps what it did.
    pub(crate) fn run(&mut self, transaction: &Transaction) -> Executed {
        let (_, executed) = self.world.execute(transaction);
        let executed = executed.unwrap_or_else(|refused| panic!("a step of the preparation was refused: {refused}"));
        assert!(failure(&executed).is_none(), "a step of the preparation failed: {:?}", executed.failure);
        self.world.apply(&executed);
        executed
    }

    pub(crate) fn wait(&mut self, ms: u64) {
        self.world.set_time(self.world.now_ms() + ms);
    }

    pub(crate) fn type_of(&self, module: &'static str, name: &'static str) -> StructTag {
        use sui_sdk_types::Identifier;
        StructTag::new(self.world.package, Identifier::from_static(module), Identifier::from_static(name), Vec::new())
    }

    pub(crate) fn new_cluster(&self, name: &str) -> Transaction {
        let text = [name, "api.example:6443", "join.example:6444", "[2001:db8::1]:9345"].map(pure);
        Transaction::new(OPERATOR)
            .call("cluster", "new", text.into_iter().chain([pure(&TREASURY)]))
            .call("cluster", "share", [Value::Result(0, 0)])
            .transfer(Value::Result(0, 1), self.type_of("cluster", "AdminCap"), OPERATOR)
    }

    pub(crate) fn cluster(&mut self) -> Cluster {
        let executed = self.run(&self.new_cluster("fleet"));
        Cluster { id: created(&executed, "Cluster"), cap: created(&executed, "AdminCap") }
    }

    /// A call that the operator makes with the cluster and its cap.
    pub(crate) fn admin(
        &self,
        cluster: &Cluster,
        module: &'static str,
        function: &'static str,
        rest: impl IntoIterator<Item = Value>,
    ) -> Transaction {
        let arguments = [Mut(cluster.id), Ref(cluster.cap)].into_iter().chain(rest);
        Transaction::new(OPERATOR).call(module, function, arguments)
    }

    pub(crate) fn set(&mut self, cluster: &Cluster, function: &'static str, rest: impl IntoIterator<Item = Value>) {
        let transaction = self.admin(cluster, "cluster", function, rest);
        self.run(&transaction);
    }

    /// The transaction that makes a worker's stake.
    pub(crate) fn stake_for_node(
        &mut self,
        cluster: &Cluster,
        owner: Address,
        node_id: &str,
        mist: u64,
    ) -> Transaction {
        let payment = self.world.coin(owner, mist);
        let agreed = self.terms(cluster, 1);
        Transaction::new(owner)
            .call("staking", "stake_for_node", [Mut(cluster.id), Mut(payment), pure(node_id), agreed, Clock])
            .call("staking", "share", [Value::Result(0, 0)])
    }

    /// The terms that somebody agrees to who stakes for this tier now: read from the bytes of the Cluster, as the contract page has them.
    pub(crate) fn terms(&self, cluster: &Cluster, tier: u8) -> Value {
        let object = self.world.expect(&cluster.id);
        let contents = object.as_struct().map(sui_sdk_types::MoveStruct::contents).unwrap_or_default();
        // id, version, name (its length is one byte), admin cap.
        let settings = &contents[32 + 8 + 1 + usize::from(contents[40]) + 32..];
        // Three minimum stakes and three open tiers stand before, max_workers between.
        let minimum = settings[1..25].chunks(8).nth(usize::from(tier)).unwrap_or_default();
        let (unbonding, slash_share, treasury_and_offences) =
            (&settings[29..37], &settings[45..53], &settings[53..113]);
        pure(&[minimum, unbonding, slash_share, treasury_and_offences].concat())
    }

    /// The transaction that makes a reader's or admin's stake.
    pub(crate) fn stake_for_access(
        &mut self,
        cluster: &Cluster,
        owner: Address,
        tier: u8,
        node_id: &str,
        mist: u64,
    ) -> Transaction {
        let payment = self.world.coin(owner, mist);
        let arguments = [Mut(cluster.id), Mut(payment), pure(&tier), pure(node_id), self.terms(cluster, tier), Clock];
        Transaction::new(owner).call("staking", "stake_for_access", arguments).call(
            "staking",
            "share",
            [Value::Result(0, 0)],
        )
    }

    /// A worker's stake of 2 SUI.
    pub(crate) fn worker(&mut self, cluster: &Cluster, owner: Address, node_id: &str) -> Stake {
        let transaction = self.stake_for_node(cluster, owner, node_id, 2 * SUI);
        Stake { id: created(&self.run(&transaction), "Stake"), owner }
    }

    /// A reader's stake, with its grant.
    pub(crate) fn reader(&mut self, cluster: &Cluster, owner: Address, node_id: &str) -> Stake {
        self.set(cluster, "grant", [pure(&owner), pure(&0u8), Clock]);
        let transaction = self.stake_for_access(cluster, owner, 0, node_id, SUI);
        Stake { id: created(&self.run(&transaction), "Stake"), owner }
    }

    pub(crate) fn unstake(&self, cluster: &Cluster, stake: &Stake) -> Transaction {
        Transaction::new(stake.owner).call("staking", "unstake", [Mut(cluster.id), Mut(stake.id), Clock])
    }

    pub(crate) fn withdraw(&self, cluster: &Cluster, stake: &Stake) -> Transaction {
        Transaction::new(stake.owner).call("staking", "withdraw", [Mut(cluster.id), Mut(stake.id), Clock]).transfer(
            Value::Result(0, 0),
            StructTag::gas_coin(),
            stake.owner,
        )
    }

    pub(crate) fn slash(&self, cluster: &Cluster, stake: &Stake, mist: u64) -> Transaction {
        self.admin(cluster, "staking", "slash", [Mut(stake.id), pure(&mist), pure("silent for a day"), Clock])
    }

    pub(crate) fn suspend(&self, cluster: &Cluster, stake: &Stake) -> Transaction {
        let arguments = [Ref(cluster.id), Ref(cluster.cap), Mut(stake.id)];
        Transaction::new(OPERATOR).call("staking", "suspend", arguments)
    }

    pub(crate) fn create_token(
        &self,
        cluster: &Cluster,
        stake: &Stake,
        kind: &'static str,
        lifetime_ms: u64,
    ) -> Transaction {
        let key = session_key(1).verifying_key().to_bytes().to_vec();
        let arguments = [Ref(cluster.id), Mut(stake.id), pure(&key), pure(&lifetime_ms), Clock];
        Transaction::new(stake.owner).call("k8s_gateway", kind, arguments)
    }

    /// A worker's Seal token that lives for a day.
    pub(crate) fn token(&mut self, cluster: &Cluster, stake: &Stake) -> Address {
        let transaction = self.create_token(cluster, stake, "create_worker_seal_token", DAY);
        created(&self.run(&transaction), "SealToken")
    }

    pub(crate) fn publish_release(&self, cluster: &Cluster, seed: u8) -> Transaction {
        let [pcr0, pcr1, pcr2] = pcrs(seed);
        let worker_values = vec![vec![7u8; 32], vec![8u8; 48]];
        self.admin(
            cluster,
            "measurements",
            "publish",
            [
                pure(&pcr0),
                pure(&pcr1),
                pure(&pcr2),
                pure(&Some(vec![9u8; 48])),
                pure(&vec![4u8, 11]),
                pure(&worker_values),
                pure(&vec![3u8; 32]),
                pure("v1.0.0-3-gabcdef"),
                Clock,
            ],
        )
    }

    pub(crate) fn release(&mut self, cluster: &Cluster, seed: u8) {
        let transaction = self.publish_release(cluster, seed);
        self.run(&transaction);
    }

    pub(crate) fn register(&self, cluster: &Cluster, document: &Document) -> Transaction {
        Transaction::new(ALICE).call("enclave", "register", [Mut(cluster.id), pure(document), Clock]).unchecked()
    }

    /// Registers an instance of this release, published before.
    pub(crate) fn instance(&mut self, cluster: &Cluster, seed: u8, release: u8) -> Instance {
        let instance = Instance { key: session_key(seed), release };
        let document = self.document(cluster, &instance);
        let transaction = self.register(cluster, &document);
        self.run(&transaction);
        instance
    }

    /// A cluster's active instance, with its release.
    pub(crate) fn active_instance(&mut self, cluster: &Cluster) -> Instance {
        self.release(cluster, 1);
        let instance = self.instance(cluster, 40, 1);
        let transaction = self.admin(cluster, "enclave", "activate", [pure(&instance.id()), Clock]);
        self.run(&transaction);
        instance
    }

    /// The document that the instance would show now.
    pub(crate) fn document(&self, cluster: &Cluster, instance: &Instance) -> Document {
        let mut claims = vec![1u8];
        claims.extend(cluster.id.as_bytes());
        for part in [0x51u8, 0x52, 0x53] {
            claims.extend([part; 32]);
        }
        claims.extend(17u64.to_le_bytes());
        let [pcr0, pcr1, pcr2] = pcrs(instance.release);
        Document {
            module_id: b"i-0123-enc4567".to_vec(),
            timestamp: self.world.now_ms(),
            digest: b"SHA384".to_vec(),
            pcrs: vec![(0, pcr0), (1, pcr1), (2, pcr2), (3, vec![0; 48]), (8, vec![9; 48])],
            public_key: Some(instance.id()),
            user_data: Some(claims),
            nonce: None,
        }
    }
}

impl Instance {
    /// Its public key.
    pub(crate) fn id(&self) -> Vec<u8> {
        self.key.verifying_key().to_bytes().to_vec()
    }

    pub(crate) fn sign<T: Serialize>(&self, kind: &str, message: &T) -> Vec<u8> {
        sign(&self.key, kind, message)
    }
}

/// `0x2::nitro_attestation::NitroAttestationDocument`.
#[derive(Clone, Serialize)]
pub(crate) struct Document {
    pub(crate) module_id: Vec<u8>,
    pub(crate) timestamp: u64,
    pub(crate) digest: Vec<u8>,
    pub(crate) pcrs: Vec<(u8, Vec<u8>)>,
    pub(crate) public_key: Option<Vec<u8>>,
    pub(crate) user_data: Option<Vec<u8>>,
    pub(crate) nonce: Option<Vec<u8>>,
}

/// The one object of this type that the transaction created or wrote.
pub(crate) fn created(executed: &Executed, type_name: &str) -> Address {
    let mut found = executed.written.iter().filter_map(|object| match object.data() {
        ObjectData::Struct(data) if data.object_type().name().as_str() == type_name => Some(data.object_id()),
        _ => None,
    });
    found.next().unwrap_or_else(|| panic!("the transaction wrote no {type_name}"))
}

pub(crate) fn session_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// Ed25519 over `"k3s-daas/<kind>/v1\0" ‖ BCS(message)`, as docs/contract.md says.
pub(crate) fn sign<T: Serialize>(key: &SigningKey, kind: &str, message: &T) -> Vec<u8> {
    let mut bytes = format!("k3s-daas/{kind}/v1\0").into_bytes();
    bytes.extend(bcs::to_bytes(message).expect("messages have a BCS form"));
    key.sign(&bytes).to_bytes().to_vec()
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// PCR0, PCR1 and PCR2 of a made-up image.
pub(crate) fn pcrs(seed: u8) -> [Vec<u8>; 3] {
    [0u8, 1, 2].map(|index| vec![seed.wrapping_mul(16).wrapping_add(index + 1); 48])
}

/// PCR0 ‖ PCR1 ‖ PCR2, as releases are called.
pub(crate) fn release_id(seed: u8) -> Vec<u8> {
    pcrs(seed).concat()
}
