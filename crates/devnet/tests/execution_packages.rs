//! Publishing and upgrading packages.

#![allow(clippy::unwrap_used)]

mod execution_chain;

use daas_devnet::execution::{Refused, package_digest};
use daas_move_vm::CompiledModule;
use execution_chain::{ALICE, Asked, BOB, Chain, Ptb, STD, modules};
use sui_sdk_types::{
    Address, Command, ExecutionError, IdOperation, Identifier, MovePackage, ObjectData, ObjectIn, ObjectOut, Owner,
    PackageUpgradeError, Publish,
};

const COMPATIBLE: u8 = 0;
const ADDITIVE: u8 = 128;
const DEPENDENCIES_ONLY: u8 = 192;

/// A chain with `story` published, the id of the package and of its UpgradeCap.
fn with_story() -> (Chain, Address, Address) {
    let mut chain = Chain::new();
    let (executed, package) = chain.publish("story_v1");
    assert_eq!(executed.failure, None);
    (chain, package, executed.created("package::UpgradeCap")[0])
}

fn package_at(chain: &Chain, id: Address) -> &MovePackage {
    match chain.get(id).data() {
        ObjectData::Package(package) => package,
        ObjectData::Struct(_) => panic!("{id} is no package"),
    }
}

fn incompatible() -> ExecutionError {
    ExecutionError::PackageUpgradeError { kind: PackageUpgradeError::IncompatibleUpgrade }
}

/// Upgrades to a fixture; gives the id of the new version.
fn upgrade(chain: &mut Chain, cap: Address, package: Address, to: &str, policy: u8) -> Address {
    let mut ptb = Ptb::default();
    ptb.upgrade(chain, cap, package, modules(to), policy);
    let executed = chain.succeed(ALICE, ptb);
    executed.written.iter().find(|object| object.as_struct().is_none()).unwrap().object_id()
}

fn refuse_upgrade(chain: &mut Chain, cap: Address, package: Address, to: &str, policy: u8) -> ExecutionError {
    let mut ptb = Ptb::default();
    ptb.upgrade(chain, cap, package, modules(to), policy);
    let (error, command) = chain.fail(ALICE, ptb);
    assert_eq!(command, Some(1));
    error
}

#[test]
fn publishing_makes_an_immutable_package_with_its_tables() {
    let mut chain = Chain::new();
    let (executed, id) = chain.publish("story_v1");
    let package = package_at(&chain, id);
    assert_eq!(id, Address::derive_id(executed.v2().transaction_digest, 0));
    assert_eq!(*chain.get(id).owner(), Owner::Immutable);
    assert_eq!((package.id, package.version), (id, 1));
    assert_eq!(package.modules.keys().map(Identifier::as_str).collect::<Vec<_>>(), ["tale"]);
    assert_eq!(package.type_origin_table.len(), 1);
    assert_eq!(package.type_origin_table[0].package, id);
    assert_eq!(package.linkage_table.keys().copied().collect::<Vec<_>>(), [STD, Address::TWO]);
    assert!(package.modules.values().all(|bytes| bytes.windows(32).any(|window| window == id.as_bytes())));
    let change = executed.change(id);
    assert_eq!((&change.input_state, change.id_operation), (&ObjectIn::NotExist, IdOperation::Created));
    assert!(matches!(change.output_state, ObjectOut::PackageWrite { version: 1, .. }));
}

#[test]
fn publishing_gives_an_upgrade_cap_of_the_compatible_policy() {
    let (chain, package, cap) = with_story();
    let mut expected = [cap.as_bytes(), package.as_bytes(), 1u64.to_le_bytes().as_slice()].concat();
    expected.push(COMPATIBLE);
    assert_eq!(execution_chain::contents(chain.get(cap)), expected);
    assert_eq!(*chain.get(cap).owner(), Owner::Address(ALICE));
}

#[test]
fn publishing_runs_init_with_the_witness() {
    let mut chain = Chain::new();
    let (executed, package) = chain.publish("rules");
    let root = executed.created("start::Root")[0];
    assert!(matches!(chain.get(root).owner(), Owner::Shared(_)));
    let admin = executed.created("start::AdminCap")[0];
    assert_eq!(*chain.get(admin).owner(), Owner::Address(ALICE));
    let events = executed.events();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].package_id, events[0].module.as_str()), (package, "start"));
    assert_eq!(events[0].contents, ALICE.as_bytes());
}

#[test]
fn an_upgrade_cap_cannot_be_left_over() {
    let mut chain = Chain::new();
    let mut ptb = Ptb::default();
    ptb.publish("story_v1");
    let error = ExecutionError::UnusedValueWithoutDrop { result: 0, subresult: 0 };
    assert_eq!(chain.fail(ALICE, ptb), (error, None));
}

#[test]
fn the_digest_of_a_package_is_the_one_that_the_compiler_prints() {
    let dependencies = [STD, Address::TWO];
    for (package, digest) in [
        ("rules", "03ec64b1a78c2bf090f529b79ac2584c524ea1fef7b540d7ca5be0ac64a7293d"),
        ("story_v1", "5edac49b009179e8f63dacaace388b87bad08ee38e67d5aa78dab920b3b2bf19"),
        ("story_with_init", "ddb355c602ff0b757623dc5b09a9ed455a00e1affb8be7e644f6b3533409c3b4"),
    ] {
        let computed = package_digest(&modules(package), &dependencies);
        assert_eq!(Address::new(computed.into_inner()).to_hex().trim_start_matches("0x"), digest, "{package}");
    }
}

#[test]
fn modules_that_do_not_parse_carry_an_address_or_repeat_are_not_published() {
    let mut chain = Chain::new();
    let malformed = ExecutionError::VmVerificationOrDeserializationError;
    let good = modules("story_v1");
    let (_, addressed) = CompiledModule::with_self_address(&good[0], Address::from_static("0x9")).unwrap();
    for (bytes, error) in [
        (vec![b"no module".to_vec()], malformed.clone()),
        (vec![good[0][..good[0].len() / 2].to_vec()], malformed.clone()),
        (vec![good[0].clone(), good[0].clone()], malformed),
        (vec![addressed], ExecutionError::PublishErrorNonZeroAddress),
    ] {
        let mut ptb = Ptb::default();
        ptb.command(Command::Publish(Publish { modules: bytes, dependencies: vec![STD, Address::TWO] }));
        assert_eq!(chain.fail(ALICE, ptb), (error, Some(0)));
    }
}

#[test]
fn an_import_must_be_a_declared_dependency() {
    let mut chain = Chain::new();
    let mut ptb = Ptb::default();
    ptb.command(Command::Publish(Publish { modules: modules("rules"), dependencies: vec![STD] }));
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::PublishUpgradeMissingDependency, Some(0)));
}

#[test]
fn a_package_that_is_too_large_is_not_published() {
    let mut chain = Chain::new();
    chain.environment.limits.package_bytes = 100;
    let mut ptb = Ptb::default();
    ptb.publish("story_v1");
    let (error, _) = chain.fail(ALICE, ptb);
    assert!(matches!(error, ExecutionError::PackageTooBig { max_object_size: 100, .. }), "{error:?}");
}

#[test]
fn a_compatible_upgrade_changes_code_and_keeps_types_and_objects() {
    let (mut chain, v1, cap) = with_story();
    let mut ptb = Ptb::default();
    let hero = ptb.call(v1, "tale::hero", vec![]);
    ptb.transfer(vec![hero], ALICE);
    let hero = chain.succeed(ALICE, ptb).created("tale::Hero")[0];

    let v2 = upgrade(&mut chain, cap, v1, "story_compatible", COMPATIBLE);
    assert_ne!(v1, v2);
    let package = package_at(&chain, v2);
    assert_eq!(package.version, 2);
    let origins: Vec<_> =
        package.type_origin_table.iter().map(|origin| (origin.struct_name.as_str(), origin.package)).collect();
    assert_eq!(origins, [("Hero", v1), ("Sword", v2)]);
    assert!(execution_chain::contents(chain.get(cap))[32..64] == *v2.as_bytes());

    // The same object means one level to the old version and another to the new one.
    for (version, level) in [(v1, 1u64), (v2, 1001)] {
        let mut ptb = Ptb::default();
        let argument = ptb.object(&chain, hero);
        ptb.call(version, "tale::level", vec![argument]);
        let transaction = chain.transaction(ALICE, ptb);
        let simulated = chain.simulate(&transaction, daas_devnet::execution::Checks::Enabled).unwrap();
        assert_eq!(simulated.failure, None);
        assert_eq!(simulated.command_outputs[0].return_values[0].bcs, level.to_le_bytes());
    }
    // A new object of an old type carries the old id, of a new type the new one.
    let mut ptb = Ptb::default();
    let hero = ptb.call(v2, "tale::hero", vec![]);
    let sword = ptb.call(v2, "tale::sword", vec![]);
    ptb.call(v2, "tale::edge", vec![sword]);
    ptb.transfer(vec![hero, sword], ALICE);
    let executed = chain.succeed(ALICE, ptb);
    assert_eq!(executed.created(&format!("{v1}::tale::Hero")).len(), 1);
    let sword = executed.created(&format!("{v2}::tale::Sword"))[0];
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, sword);
    ptb.call(v2, "tale::edge", vec![argument]);
    chain.succeed(ALICE, ptb);
}

#[test]
fn the_old_version_stays_callable_and_has_no_new_functions() {
    let (mut chain, v1, cap) = with_story();
    let v2 = upgrade(&mut chain, cap, v1, "story_additive", ADDITIVE);
    for (package, expected) in [(v1, false), (v2, true)] {
        let mut ptb = Ptb::default();
        let hero = ptb.call(package, "tale::hero", vec![]);
        ptb.call(package, "tale::shout", vec![hero]);
        ptb.transfer(vec![hero], ALICE);
        let executed = chain.run(ALICE, ptb);
        assert_eq!(executed.failure.is_none(), expected, "{:?}", executed.failure);
    }
}

#[test]
fn one_transaction_cannot_call_two_versions_of_a_package() {
    let (mut chain, v1, cap) = with_story();
    let v2 = upgrade(&mut chain, cap, v1, "story_compatible", COMPATIBLE);
    let mut ptb = Ptb::default();
    ptb.call(v1, "tale::version", vec![]);
    ptb.call(v2, "tale::version", vec![]);
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::InvalidLinkage, None));
}

#[test]
fn upgrades_that_break_users_are_refused() {
    let (mut chain, v1, cap) = with_story();
    for to in ["story_incompatible_struct", "story_incompatible_signature", "story_missing_function"] {
        assert_eq!(refuse_upgrade(&mut chain, cap, v1, to, COMPATIBLE), incompatible(), "{to}");
    }
    let error = refuse_upgrade(&mut chain, cap, v1, "story_with_init", COMPATIBLE);
    assert_eq!(error, ExecutionError::FeatureNotYetSupported);
}

#[test]
fn stricter_policies_refuse_what_is_merely_compatible() {
    let (mut chain, v1, cap) = with_story();
    // `story_compatible` drops a package function, which the additive policy keeps.
    assert_eq!(refuse_upgrade(&mut chain, cap, v1, "story_compatible", ADDITIVE), incompatible());
    assert_eq!(refuse_upgrade(&mut chain, cap, v1, "story_additive", DEPENDENCIES_ONLY), incompatible());
    upgrade(&mut chain, cap, v1, "story_v1", DEPENDENCIES_ONLY);
}

#[test]
fn a_cap_that_was_made_stricter_stays_so() {
    let (mut chain, v1, cap) = with_story();
    let mut ptb = Ptb::default();
    let argument = ptb.object(&chain, cap);
    ptb.call(Address::TWO, "package::only_additive_upgrades", vec![argument]);
    chain.succeed(ALICE, ptb);
    let mut ptb = Ptb::default();
    ptb.upgrade(&chain, cap, v1, modules("story_additive"), COMPATIBLE);
    let (error, command) = chain.fail(ALICE, ptb);
    assert!(matches!(error, ExecutionError::MoveAbort { .. }), "{error:?}");
    assert_eq!(command, Some(0));
    upgrade(&mut chain, cap, v1, "story_additive", ADDITIVE);
}

#[test]
fn an_upgrade_must_be_of_the_bytes_that_were_authorized() {
    let (mut chain, v1, cap) = with_story();
    let mut ptb = Ptb::default();
    ptb.upgrade_with_digest(&chain, cap, v1, modules("story_compatible"), COMPATIBLE, &[0; 32]);
    let digest = package_digest(&modules("story_compatible"), &[STD, Address::TWO]);
    let error = ExecutionError::PackageUpgradeError { kind: PackageUpgradeError::DigestDoesNotMatch { digest } };
    assert_eq!(chain.fail(ALICE, ptb), (error, Some(1)));
}

#[test]
fn a_ticket_is_good_for_its_package_only() {
    let (mut chain, v1, cap) = with_story();
    let (_, other) = chain.publish("story_v1");
    let mut ptb = Ptb::default();
    ptb.upgrade(&chain, cap, other, modules("story_compatible"), COMPATIBLE);
    let kind = PackageUpgradeError::PackageIdDoesNotMatch { package_id: other, ticket_id: v1 };
    assert_eq!(chain.fail(ALICE, ptb), (ExecutionError::PackageUpgradeError { kind }, Some(1)));
}

#[test]
fn only_the_owner_of_the_cap_upgrades_and_only_the_newest_version() {
    let (mut chain, v1, cap) = with_story();
    let mut ptb = Ptb::default();
    ptb.upgrade(&chain, cap, v1, modules("story_compatible"), COMPATIBLE);
    let transaction = chain.transaction(BOB, ptb);
    assert!(matches!(chain.refuse(&transaction), Refused::WrongOwner { .. }));

    let v2 = upgrade(&mut chain, cap, v1, "story_compatible", COMPATIBLE);
    let mut ptb = Ptb::default();
    ptb.upgrade(&chain, cap, v1, modules("story_compatible"), COMPATIBLE);
    let (error, _) = chain.fail(ALICE, ptb);
    let kind = PackageUpgradeError::PackageIdDoesNotMatch { package_id: v1, ticket_id: v2 };
    assert_eq!(error, ExecutionError::PackageUpgradeError { kind });
    let v3 = upgrade(&mut chain, cap, v2, "story_compatible", COMPATIBLE);
    assert_eq!(package_at(&chain, v3).version, 3);
}
