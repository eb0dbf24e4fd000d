//! Attempts to use more time, memory or types than the limits.

use super::{NO_ARGUMENTS, T, TOWN};
use crate::{
    Fault, Limits,
    format::{Instruction as I, Token},
    lab::Lab,
};

#[test]
fn instantiation_without_end_is_stopped() {
    let types = |arguments: &dyn Fn() -> Token| {
        let mut lab = Lab::new(TOWN);
        let grow = lab.generic_callee(T, "0x99::thief::grow", &[arguments()]);
        let world = lab.code("0x99::thief::grow", &[], &[I::CallGeneric(grow), I::Ret]).build();
        world.call("0x99::thief::grow", &["u8"], NO_ARGUMENTS).map(|_| ())
    };
    let deeper = types(&|| Token::Vector(Box::new(Token::Parameter(0))));
    assert_eq!(deeper, Err(Fault::Limit("depth of a type")));
    // The same type again and again: frames end it.
    assert_eq!(types(&|| Token::Parameter(0)), Err(Fault::Limit("call depth")));
}

#[test]
fn types_that_double_are_stopped() {
    let text = "\
module 0x99::thief
struct Pair cd -,- a:T0 b:T1
fun grow public - ->
";
    let mut lab = Lab::new(text);
    let Token::Datatype(pair, _) = lab.type_(T, "Pair") else { unreachable!() };
    let twice = Token::Datatype(pair, vec![Token::Parameter(0), Token::Parameter(0)]);
    let grow = lab.generic_callee(T, "0x99::thief::grow", &[twice]);
    let world = lab.code("0x99::thief::grow", &[], &[I::CallGeneric(grow), I::Ret]).build();
    assert_eq!(world.call("0x99::thief::grow", &["u8"], NO_ARGUMENTS).map(|_| ()), Err(Fault::Limit("size of a type")));
}

#[test]
fn steps_frames_and_stack_are_bounded() {
    let limits = || Limits { steps: 100_000, ..Limits::default() };
    let within = |lab: Lab| {
        let result = lab.build().call_within(limits(), "0x99::thief::nothing", &[], NO_ARGUMENTS);
        result.map(|_| ()).map_err(|error| error.fault)
    };
    let endless = Lab::new(TOWN).code("0x99::thief::nothing", &[], &[I::Branch(0)]);
    assert_eq!(within(endless), Err(Fault::OutOfSteps));
    let pushing = Lab::new(TOWN).code("0x99::thief::nothing", &[], &[I::LoadU64(1), I::Branch(0)]);
    assert_eq!(within(pushing), Err(Fault::Limit("operand stack")));
    let mut lab = Lab::new(TOWN);
    let again = lab.callee(T, "0x99::thief::nothing");
    let recursive = lab.code("0x99::thief::nothing", &[], &[I::Call(again), I::Ret]);
    assert_eq!(within(recursive), Err(Fault::Limit("call depth")));
}

#[test]
fn a_vector_that_doubles_does_not_take_the_machines_memory() {
    let mut lab = Lab::new(TOWN);
    let append = lab.generic_callee(T, "0x1::vector::append", &[Token::U64]);
    let element = lab.signature(T, &[Token::U64]);
    let numbers = Token::Vector(Box::new(Token::U64));
    let code = [
        I::LoadU64(1),
        I::VectorPack(element, 1),
        I::StoreLocal(0),
        I::BorrowLocal { local: 0, mutable: true },
        I::CopyLocal(0),
        I::CallGeneric(append),
        I::Branch(3),
    ];
    let world = lab.code("0x99::thief::nothing", &[numbers], &code).build();
    let limits = Limits { steps: u64::MAX, ..Limits::default() };
    let fault = world.call_within(limits, "0x99::thief::nothing", &[], NO_ARGUMENTS).unwrap_err().fault;
    assert_eq!(fault, Fault::Limit("memory of values"));
    // Nor does nesting copies of a copy.
    let fault = world.call("0x99::thief::nothing", &[], NO_ARGUMENTS).unwrap_err();
    assert!(matches!(fault, Fault::OutOfSteps | Fault::Limit("memory of values")), "{fault}");
}

#[test]
fn a_flood_of_events_is_stopped() {
    let text = "\
module 0x99::thief
struct Noise cd . n:u64
struct Loud cd . bytes:vector<u8>
fun nothing public . ->
fun loud public . 0x99::thief::Loud ->
";
    let mut lab = Lab::new(text);
    let type_ = lab.type_(T, "Noise");
    let emit = lab.generic_callee(T, "0x2::event::emit", &[type_]);
    let type_ = lab.type_(T, "Loud");
    let shout = lab.generic_callee(T, "0x2::event::emit", &[type_]);
    let world = lab
        .code("0x99::thief::nothing", &[], &[I::LoadU64(1), I::Pack(0), I::CallGeneric(emit), I::Branch(0)])
        .code("0x99::thief::loud", &[], &[I::MoveLocal(0), I::CallGeneric(shout), I::Ret])
        .build();
    assert_eq!(
        world.call("0x99::thief::nothing", &[], NO_ARGUMENTS).map(|_| ()),
        Err(Fault::Limit("number of events"))
    );
    let loud = |length: usize| {
        world.call("0x99::thief::loud", &[], |session| {
            let mut bytes = vec![];
            let mut rest = length;
            while rest >= 0x80 {
                bytes.push((rest % 0x80) as u8 | 0x80);
                rest /= 0x80;
            }
            bytes.push(rest as u8);
            bytes.resize(bytes.len() + length, 7);
            vec![session.decode(&"0x99::thief::Loud".parse().unwrap(), &bytes).unwrap()]
        })
    };
    assert!(loud(Limits::default().event_bytes - 10).is_ok());
    assert!(matches!(loud(Limits::default().event_bytes), Err(Fault::Limit(_))));
}
