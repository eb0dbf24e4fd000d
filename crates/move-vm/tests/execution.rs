//! Compiled Move runs as the language says.

mod world;

use daas_move_vm::{Fault, Limits};
use world::{World, bcs, call, fixtures, own, pure, tag};

fn number(function: &str, arguments: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Fault> {
    let world = World::new();
    pure(&mut world.session(), "numbers", function, &[], arguments).map_err(|e| e.fault)
}

#[test]
fn arithmetic_has_the_results_and_the_errors_of_the_language() {
    assert_eq!(number("sum_to", &[bcs(&1000_u64)]), Ok(vec![bcs(&500_500_u64)]));
    let (a, b) = (123_456_u64, 789_u64);
    let mixed = ((a * b + a - b) / b % 1000) | ((a & b) ^ ((a << 3) >> 1));
    assert_eq!(number("mix", &[bcs(&a), bcs(&b)]), Ok(vec![bcs(&mixed)]));
    assert_eq!(number("add8", &[bcs(&200_u8), bcs(&55_u8)]), Ok(vec![bcs(&255_u8)]));
    assert_eq!(number("add8", &[bcs(&200_u8), bcs(&56_u8)]), Err(Fault::Arithmetic));
    assert_eq!(number("sub16", &[bcs(&5_u16), bcs(&6_u16)]), Err(Fault::Arithmetic));
    assert_eq!(number("mul32", &[bcs(&65_536_u32), bcs(&65_536_u32)]), Err(Fault::Arithmetic));
    assert_eq!(number("mul32", &[bcs(&65_536_u32), bcs(&65_535_u32)]), Ok(vec![bcs(&4_294_901_760_u32)]));
    assert_eq!(number("div64", &[bcs(&7_u64), bcs(&0_u64)]), Err(Fault::Arithmetic));
    assert_eq!(number("mod128", &[bcs(&(u128::MAX)), bcs(&1000_u128)]), Ok(vec![bcs(&(u128::MAX % 1000))]));
    let mut one_shl_128 = [0_u8; 32];
    one_shl_128[16] = 1;
    let mut small = [0_u8; 32];
    small[0] = 3;
    let mut product = [0_u8; 32];
    product[16] = 3;
    let bytes = |v: [u8; 32]| v.to_vec();
    assert_eq!(number("mul256", &[bytes(one_shl_128), bytes(small)]), Ok(vec![bytes(product)]));
    assert_eq!(number("mul256", &[bytes(one_shl_128), bytes(one_shl_128)]), Err(Fault::Arithmetic));
    assert_eq!(number("shift", &[bcs(&1_u64), bcs(&63_u8)]), Ok(vec![bcs(&(1_u64 << 63))]));
    assert_eq!(number("shift", &[bcs(&1_u64), bcs(&64_u8)]), Err(Fault::Arithmetic));
    assert_eq!(
        number("shift256", &[bytes(small), bcs(&255_u8)]),
        Ok(vec![bytes({
            let mut v = [0; 32];
            v[0] = 1;
            v
        })])
    );
    assert_eq!(number("narrow", &[bcs(&255_u64)]), Ok(vec![bcs(&255_u8)]));
    assert_eq!(number("narrow", &[bcs(&256_u64)]), Err(Fault::Arithmetic));
    assert_eq!(
        number("widths", &[bcs(&9_u8)]),
        Ok(vec![{
            let mut v = vec![0; 32];
            v[0] = 9;
            v
        }])
    );
    let order = [true, false, true, false, false, true, true, true, true];
    assert_eq!(number("order", &[bcs(&1_u64), bcs(&2_u64)]), Ok(vec![bcs(&order.to_vec())]));
    let mut high = vec![0; 32];
    high[31] = 0x80;
    assert_eq!(number("big", &[]), Ok(vec![bcs(&u128::MAX), high, bcs(&u16::MAX), bcs(&u32::MAX)]));
}

#[test]
fn vectors_index_pop_swap_and_fail_with_their_sub_status() {
    let v = bcs(&vec![1_u64, 2, 3]);
    assert_eq!(number("at", &[v.clone(), bcs(&2_u64)]), Ok(vec![bcs(&3_u64)]));
    assert_eq!(number("at", &[v.clone(), bcs(&3_u64)]), Err(Fault::Vector(1)));
    assert_eq!(number("pop", &[bcs(&Vec::<u64>::new())]), Err(Fault::Vector(2)));
    assert_eq!(number("reversed", &[v]), Ok(vec![bcs(&vec![7_u64, 2, 1])]));
    assert_eq!(number("bytes", &[]), Ok(vec![bcs(&b"Constant!".to_vec())]));
    assert_eq!(number("pair", &[]), Ok(vec![bcs(&2_u64), bcs(&3_u64)]));
}

#[test]
fn aborts_carry_code_function_and_module() {
    let world = World::new();
    let error = pure(&mut world.session(), "numbers", "plain", &[], &[bcs(&77_u64)]).unwrap_err();
    let (location, code) = error.abort().unwrap();
    assert_eq!((code, location.function.as_str(), &location.module), (77, "plain", &world::id("numbers")));
    let error = pure(&mut world.session(), "numbers", "clever", &[], &[]).unwrap_err();
    // The highest bit marks a clever error.
    assert_eq!(error.abort().unwrap().1 >> 63, 1);
}

#[test]
fn structs_generics_references_and_enums_work() {
    let world = World::new();
    let mut session = world.session();
    let shapes = |session: &mut _, function: &str, types: &[_], arguments: &[Vec<u8>]| {
        pure(session, "shapes", function, types, arguments).map_err(|e| e.fault)
    };
    assert_eq!(shapes(&mut session, "nested", &[], &[bcs(&4_u64)]), Ok(vec![bcs(&7_u64)]));
    let point = bcs(&(3_u64, 4_u64));
    assert_eq!(shapes(&mut session, "equal", &[], &[point.clone(), point.clone()]), Ok(vec![bcs(&true)]));
    assert_eq!(shapes(&mut session, "equal", &[], &[point.clone(), bcs(&(3_u64, 5_u64))]), Ok(vec![bcs(&false)]));
    for (kind, area) in [(0_u8, 0_u64), (1, 3 * 6 * 6), (2, 10 * 4)] {
        let arguments = [bcs(&kind), bcs(&5_u64), bcs(&4_u64)];
        assert_eq!(shapes(&mut session, "area", &[], &arguments), Ok(vec![bcs(&area)]));
    }
    let types = [own("shapes", "Point")];
    let maybe = shapes(&mut session, "maybe", &types, &[point.clone(), bcs(&true)]).unwrap();
    assert_eq!(shapes(&mut session, "or", &types, &[maybe[0].clone(), bcs(&(0_u64, 0_u64))]), Ok(vec![point.clone()]));
    let boxed = shapes(&mut session, "boxed", &types, std::slice::from_ref(&point)).unwrap();
    assert_eq!(shapes(&mut session, "unbox", &types, &boxed), Ok(vec![point, bcs(&1_u8)]));
}

#[test]
fn lent_slots_are_changed_in_place_and_lent_mutably_once() {
    let world = World::new();
    let mut session = world.session();
    let value = session.decode(&own("shapes", "Point"), &bcs(&(1_u64, 2_u64))).unwrap();
    let slot = session.hold(value).unwrap();
    let lent = session.lend(slot, daas_move_vm::Passing::MutableReference).unwrap();
    assert!(session.lend(slot, daas_move_vm::Passing::Reference).is_err());
    call(&mut session, "shapes", "swap", &[], vec![lent.clone()]).unwrap();
    assert_eq!(session.encode_slot(slot).unwrap(), bcs(&(2_u64, 1_u64)));
    // A reference ends with its call.
    let stale = call(&mut session, "shapes", "swap", &[], vec![lent]).unwrap_err();
    assert!(matches!(stale.fault, Fault::Unverified(_)), "{stale}");
}

#[test]
fn an_immutable_reference_is_not_taken_for_a_mutable_one() {
    let world = World::new();
    let mut session = world.session();
    let value = session.decode(&own("shapes", "Point"), &bcs(&(1_u64, 2_u64))).unwrap();
    let slot = session.hold(value).unwrap();
    let lent = session.lend(slot, daas_move_vm::Passing::Reference).unwrap();
    assert!(matches!(call(&mut session, "shapes", "swap", &[], vec![lent]).unwrap_err().fault, Fault::Unverified(_)));
}

#[test]
fn endless_loops_recursion_and_growth_end_in_errors() {
    let world = World::new();
    let limits = Limits { steps: 100_000, ..Limits::default() };
    let fault = |function: &str, arguments: &[Vec<u8>]| {
        pure(&mut world.session_with(limits.clone()), "numbers", function, &[], arguments).unwrap_err().fault
    };
    assert_eq!(fault("spin", &[]), Fault::OutOfSteps);
    assert_eq!(fault("deep", &[bcs(&1_000_u64)]), Fault::Limit("call depth"));
    let grown = fault("grow", &[]);
    assert!(matches!(grown, Fault::OutOfSteps | Fault::Limit("memory of values")), "{grown}");
    let wide = Limits { steps: u64::MAX, ..Limits::default() };
    let grown = pure(&mut world.session_with(wide), "numbers", "grow", &[], &[]).unwrap_err().fault;
    assert_eq!(grown, Fault::Limit("memory of values"));
}

#[test]
fn wrong_arguments_are_refused_before_anything_runs() {
    let world = World::new();
    let mut session = world.session();
    assert_eq!(call(&mut session, "numbers", "sum_to", &[], vec![]).unwrap_err().fault, Fault::Arity);
    let wrong = vec![daas_move_vm::Value::bool(true)];
    assert!(matches!(call(&mut session, "numbers", "sum_to", &[], wrong).unwrap_err().fault, Fault::Unverified(_)));
    assert_eq!(call(&mut session, "shapes", "boxed", &[], vec![]).unwrap_err().fault, Fault::TypeArity);
    let hot = [own("shapes", "Hot")];
    assert_eq!(call(&mut session, "shapes", "replace", &hot, vec![]).unwrap_err().fault, Fault::Constraint(0));
    assert!(matches!(call(&mut session, "numbers", "nothing", &[], vec![]).unwrap_err().fault, Fault::Missing(_)));
}

#[test]
fn decoding_accepts_exactly_the_bytes_of_a_value() {
    let world = World::new();
    let mut session = world.session();
    for (type_, bytes) in [
        ("bool", vec![2]),
        ("u64", vec![0; 7]),
        ("u64", vec![0; 9]),
        ("vector<u8>", vec![0x81, 0x00, 0]),
        ("vector<u64>", vec![0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("0x1::option::Option<u64>", vec![1, 0]),
        ("signer", vec![0; 32]),
    ] {
        assert!(session.decode(&tag(type_), &bytes).is_err(), "{type_} {bytes:?}");
    }
    assert!(session.decode(&own("shapes", "Shape"), &[3]).is_err());
}

#[test]
fn a_package_links_against_the_framework_and_missing_functions_are_named() {
    let modules: Vec<_> = World::new().modules.into_values().collect();
    let deps = World::default();
    assert_eq!(daas_move_vm::check_publishable(&modules, &deps), Ok(()));
    // The name of a framework function, replaced by one of the same length that does not exist.
    let bytes = fixtures().remove(0);
    let at = bytes.windows(10).position(|w| w == b"from_balan").unwrap();
    let mut renamed = bytes;
    renamed[at..at + 10].copy_from_slice(b"from_balam");
    let module = daas_move_vm::CompiledModule::with_self_address(&renamed, world::PACKAGE).unwrap().0;
    let error = daas_move_vm::check_publishable(&[std::sync::Arc::new(module)], &deps).unwrap_err();
    assert_eq!(error.to_string(), "0x2::coin::from_balamce is not available on the development chain");
}
