//! The project's own contract, as it is compiled, on the executor: from publishing to a withdrawn stake.

#![allow(clippy::unwrap_used)]

mod execution_chain;

use daas_devnet::execution::package_digest;
use execution_chain::{ALICE, Asked, BOB, CLOCK, Chain, Ptb, STD, SUI, sui_inside};
use serde::Deserialize;
use sui_sdk_types::{Address, Argument, Command, ExecutionError, ObjectData, Owner, Publish};

#[derive(Deserialize)]
struct Bytecode {
    digest: String,
    modules: Vec<Module>,
}

#[derive(Deserialize)]
struct Module {
    bytes: String,
}

fn bytecode() -> (Vec<Vec<u8>>, String) {
    use base64::Engine;
    let path = format!("{}/../../move/bytecode/package.json", env!("CARGO_MANIFEST_DIR"));
    let bytecode: Bytecode = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let engine = base64::engine::general_purpose::STANDARD;
    (bytecode.modules.iter().map(|module| engine.decode(&module.bytes).unwrap()).collect(), bytecode.digest)
}

/// Alice's published contract and cluster.
struct Scene {
    chain: Chain,
    package: Address,
    cluster: Address,
    cap: Address,
}

fn scene() -> Scene {
    let mut chain = Chain::new();
    let (modules, _) = bytecode();
    let mut ptb = Ptb::default();
    let cap = ptb.command(Command::Publish(Publish { modules, dependencies: vec![STD, Address::TWO] }));
    ptb.transfer(vec![cap], ALICE);
    let executed = chain.succeed(ALICE, ptb);
    let is_package = |object: &&sui_sdk_types::Object| matches!(object.data(), ObjectData::Package(_));
    let package = executed.written.iter().find(is_package).unwrap().object_id();

    let mut ptb = Ptb::default();
    let texts = ["lab", "api.example:8443", "join.example:9345", "master.example:8443"];
    let mut arguments: Vec<Argument> = texts.iter().map(|text| ptb.pure(text)).collect();
    arguments.push(ptb.pure(&ALICE));
    let new = ptb.call(package, "cluster::new", arguments);
    ptb.call(package, "cluster::share", vec![new.nested(0).unwrap()]);
    ptb.transfer(vec![new.nested(1).unwrap()], ALICE);
    let executed = chain.succeed(ALICE, ptb);
    let (cluster, cap) = (executed.created("cluster::Cluster")[0], executed.created("cluster::AdminCap")[0]);
    Scene { chain, package, cluster, cap }
}

impl Scene {
    fn stake(&mut self, name: &str, amount: u64) -> Ptb {
        let mut ptb = Ptb::default();
        let coin = ptb.split(Argument::Gas, &[amount]);
        // Terms of a new cluster: minimum, unbonding time, slash share, treasury, every offence observed.
        let terms =
            bcs::to_bytes(&(1_000_000_000_u64, 604_800_000_u64, 10_000_u64, ALICE, vec![(0_u8, 0_u64); 3])).unwrap();
        let (cluster, name, terms) = (ptb.object(&self.chain, self.cluster), ptb.pure(&name), ptb.pure(&terms));
        let arguments = vec![cluster, coin, name, terms, ptb.read(&self.chain, CLOCK)];
        let stake = ptb.call(self.package, "staking::stake_for_node", arguments);
        ptb.call(self.package, "staking::share", vec![stake]);
        ptb
    }

    fn staked(&mut self, name: &str, amount: u64) -> Address {
        let ptb = self.stake(name, amount);
        self.chain.succeed(BOB, ptb).created("staking::Stake")[0]
    }

    fn call_on_stake(&mut self, function: &str, stake: Address) -> (Ptb, Argument) {
        let mut ptb = Ptb::default();
        let arguments =
            vec![ptb.object(&self.chain, self.cluster), ptb.object(&self.chain, stake), ptb.read(&self.chain, CLOCK)];
        let result = ptb.call(self.package, function, arguments);
        (ptb, result)
    }
}

#[test]
fn the_contracts_digest_is_the_one_that_was_committed() {
    let (modules, digest) = bytecode();
    let computed = package_digest(&modules, &[STD, Address::TWO]);
    assert_eq!(Address::new(computed.into_inner()).to_hex().trim_start_matches("0x"), digest);
}

#[test]
fn a_stake_is_shared_holds_its_sui_and_is_a_field_of_the_cluster() {
    let mut scene = scene();
    let before = scene.chain.value(scene.chain.gas_of(BOB));
    let ptb = scene.stake("worker-1", 2 * SUI);
    let executed = scene.chain.succeed(BOB, ptb);
    let stake = executed.created("staking::Stake")[0];
    assert!(matches!(scene.chain.get(stake).owner(), Owner::Shared(_)));
    assert_eq!(sui_inside(scene.chain.get(stake)), 2 * SUI);
    let cost = u64::try_from(executed.v2().gas_used.net_gas_usage()).unwrap();
    assert_eq!(scene.chain.value(scene.chain.gas_of(BOB)), before - 2 * SUI - cost);
    let children =
        scene.chain.objects.values().filter(|object| *object.owner() == Owner::Object(scene.cluster)).count();
    assert!(children > 0);
    assert_eq!(executed.events()[0].type_.name().as_str(), "Staked");
}

#[test]
fn too_small_a_stake_aborts_in_the_contract() {
    let mut scene = scene();
    let ptb = scene.stake("worker-1", 1);
    let (error, command) = scene.chain.fail(BOB, ptb);
    let ExecutionError::MoveAbort { location, .. } = error else { panic!("{error:?}") };
    assert_eq!((location.package, location.module.as_str(), command), (scene.package, "staking", Some(1)));
}

#[test]
fn a_stake_lives_from_token_to_withdrawal() {
    let mut scene = scene();
    let stake = scene.staked("worker-1", 2 * SUI);

    let mut ptb = Ptb::default();
    let arguments = vec![
        ptb.read(&scene.chain, scene.cluster),
        ptb.object(&scene.chain, stake),
        ptb.pure(&vec![9u8; 32]),
        ptb.pure(&3_600_000u64),
        ptb.read(&scene.chain, CLOCK),
    ];
    ptb.call(scene.package, "k8s_gateway::create_worker_seal_token", arguments);
    let executed = scene.chain.succeed(BOB, ptb);
    assert_eq!(executed.created("k8s_gateway::SealToken").len(), 1);

    let (ptb, _) = scene.call_on_stake("staking::unstake", stake);
    scene.chain.succeed(BOB, ptb);
    let (mut ptb, coin) = scene.call_on_stake("staking::withdraw", stake);
    ptb.transfer(vec![coin], BOB);
    let (error, _) = scene.chain.fail(BOB, ptb.clone());
    assert!(matches!(error, ExecutionError::MoveAbort { .. }), "still unbonding: {error:?}");

    scene.chain.environment.now_ms += 8 * 24 * 3_600_000;
    let (mut ptb, coin) = scene.call_on_stake("staking::withdraw", stake);
    ptb.transfer(vec![coin], BOB);
    let executed = scene.chain.succeed(BOB, ptb);
    let paid_out = executed
        .written
        .iter()
        .find(|object| *object.owner() == Owner::Address(BOB) && object.object_id() != scene.chain.gas_of(BOB));
    assert_eq!(sui_inside(paid_out.unwrap()), 2 * SUI);
    assert_eq!(sui_inside(scene.chain.get(stake)), 0);
}

#[test]
fn a_slash_by_the_admin_moves_sui_to_the_treasury() {
    let mut scene = scene();
    let stake = scene.staked("worker-1", 2 * SUI);
    let mut ptb = Ptb::default();
    let arguments = vec![
        ptb.object(&scene.chain, scene.cluster),
        ptb.object(&scene.chain, scene.cap),
        ptb.object(&scene.chain, stake),
        ptb.pure(&SUI),
        ptb.pure(&"lied"),
        ptb.read(&scene.chain, CLOCK),
    ];
    ptb.call(scene.package, "staking::slash", arguments);
    let executed = scene.chain.succeed(ALICE, ptb);
    assert_eq!(sui_inside(scene.chain.get(stake)), SUI);
    let gas = scene.chain.gas_of(ALICE);
    let treasury: u64 = executed
        .written
        .iter()
        .filter(|object| *object.owner() == Owner::Address(ALICE) && object.object_id() != gas)
        .map(sui_inside)
        .sum();
    assert_eq!(treasury, SUI);
}
