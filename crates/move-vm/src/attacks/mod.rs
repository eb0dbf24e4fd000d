//! Bytecode that the real verifier would refuse, and that the interpreter must stop: each test is an attempt to make,
//! copy, lose or take something that the module may not.

mod bounds;

use crate::{
    Fault, LoadError, Passing, Session, Value,
    format::{Instruction as I, Token},
    lab::Lab,
};

const NO_ARGUMENTS: fn(&mut Session<'_>) -> Vec<Value> = |_| Vec::new();

/// Thief and victim. `Gold` has no ability, so it can be neither copied nor dropped; `Deed` is an object.
const TOWN: &str = "\
module 0x99::thief
struct Fool - . n:u64
struct Claim k . id:0x2::object::UID n:u64
struct Other k . id:0x2::object::UID n:u64
struct Coin s . value:u64
fun take public . 0x98::victim::Gold ->
fun two public . 0x98::victim::Gold -> 0x98::victim::Gold 0x98::victim::Gold
fun look public . &0x98::victim::Gold -> 0x98::victim::Gold
fun put public . &!0x98::victim::Gold 0x98::victim::Gold ->
fun number public . -> u64
fun same public . 0x98::victim::Gold 0x98::victim::Gold -> bool
fun deed public . 0x98::victim::Deed ->
fun emit public . 0x98::victim::News ->
fun claim public . 0x99::thief::Claim -> 0x99::thief::Other
fun launder public k T0 ->
fun borrowed public . -> &u64
fun read public . &u64 -> u64
fun peek public . u64 &u64 -> u64
fun write public . &u64 ->
fun nothing public . ->
fun grow public - ->
module 0x98::victim
struct Gold - . n:u64
struct Deed ks . id:0x2::object::UID
struct News cd . n:u64
fun secret private . -> u64
fun friendly friend . -> u64
fun accept public . 0x98::victim::Gold -> u64
fun steal_stack public . -> u64
";

const T: &str = "0x99::thief";

fn gold(session: &mut Session<'_>) -> Value {
    session.decode(&"0x98::victim::Gold".parse().unwrap(), &7_u64.to_le_bytes()).unwrap()
}

fn one_gold(session: &mut Session<'_>) -> Vec<Value> {
    vec![gold(session)]
}

fn lent_gold(session: &mut Session<'_>, passing: Passing) -> Value {
    let value = gold(session);
    let slot = session.hold(value).unwrap();
    session.lend(slot, passing).unwrap()
}

fn object(session: &mut Session<'_>, type_: &str, more: &[u8]) -> Value {
    session.decode(&type_.parse().unwrap(), &[&[5; 32], more].concat()).unwrap()
}

/// Runs one function of the thief with this code.
fn run(
    function: &str,
    locals: &[Token],
    code: &[I],
    arguments: impl FnOnce(&mut Session<'_>) -> Vec<Value>,
) -> Result<Vec<Value>, Fault> {
    let path = format!("{T}::{function}");
    Lab::new(TOWN).code(&path, locals, code).build().call(&path, &[], arguments)
}

#[track_caller]
fn unverified(result: Result<Vec<Value>, Fault>, why: &'static str) {
    assert_eq!(result.map(|_| "it ran"), Err(Fault::Unverified(why)));
}

#[test]
fn what_cannot_be_copied_is_not_copied() {
    let copy = "copy of a value without the ability";
    unverified(run("two", &[], &[I::CopyLocal(0), I::MoveLocal(0), I::Ret], one_gold), copy);
    let look = |session: &mut Session<'_>| vec![lent_gold(session, Passing::Reference)];
    unverified(run("look", &[], &[I::MoveLocal(0), I::ReadReference, I::Ret], look), copy);
    // A vector of it is no more copyable than it is itself.
    let mut lab = Lab::new(TOWN);
    let type_ = lab.type_(T, "Gold");
    let element = lab.signature(T, std::slice::from_ref(&type_));
    let code = [
        I::MoveLocal(0),
        I::VectorPack(element, 1),
        I::StoreLocal(1),
        I::CopyLocal(1),
        I::VectorUnpack(element, 1),
        I::MoveLocal(1),
        I::VectorUnpack(element, 1),
        I::Ret,
    ];
    let world = lab.code("0x99::thief::two", &[Token::Vector(Box::new(type_))], &code).build();
    unverified(world.call("0x99::thief::two", &[], one_gold), copy);
}

#[test]
fn what_cannot_be_dropped_is_not_dropped() {
    let drop = "drop of a value without the ability";
    unverified(run("take", &[], &[I::MoveLocal(0), I::Pop, I::Ret], one_gold), drop);
    unverified(run("take", &[], &[I::Ret], one_gold), drop);
    let two = |session: &mut Session<'_>| vec![gold(session), gold(session)];
    unverified(run("same", &[], &[I::MoveLocal(0), I::MoveLocal(1), I::Equal, I::Ret], two), drop);
    unverified(run("same", &[], &[I::MoveLocal(0), I::StoreLocal(1), I::LoadBool(true), I::Ret], two), drop);
    let put = |session: &mut Session<'_>| vec![lent_gold(session, Passing::MutableReference), gold(session)];
    unverified(run("put", &[], &[I::MoveLocal(1), I::MoveLocal(0), I::WriteReference, I::Ret], put), drop);
}

#[test]
fn what_another_module_defines_is_neither_made_nor_opened() {
    // Definitions are the module's own by the format, so the only way is a type that looks the same.
    let mut lab = Lab::new(TOWN);
    let accept = lab.callee(T, "0x98::victim::accept");
    let code = [I::LoadU64(1_000), I::Pack(0), I::Call(accept), I::Ret];
    let world = lab.code("0x99::thief::number", &[], &code).build();
    unverified(world.call("0x99::thief::number", &[], NO_ARGUMENTS), "argument is not of the parameter's type");
    unverified(run("number", &[], &[I::LoadU64(1), I::Pack(0), I::Ret], NO_ARGUMENTS), "result is not of its type");
    unverified(run("take", &[], &[I::MoveLocal(0), I::Unpack(0), I::Pop, I::Ret], one_gold), "unpack of another type");
    let mut lab = Lab::new(TOWN);
    let field = lab.field(T, 0, 0);
    let code = [I::MoveLocal(0), I::BorrowField { field, mutable: true }, I::Pop, I::Ret];
    let world = lab.code("0x99::thief::put", &[], &code).build();
    let put = |session: &mut Session<'_>| vec![lent_gold(session, Passing::MutableReference), gold(session)];
    unverified(world.call("0x99::thief::put", &[], put), "borrow of a field of another type");
    // A coin that is not Coin: same name, same field, other module.
    let mut lab = Lab::new(TOWN);
    let sui = lab.generic_callee(T, "0x2::balance::value", &[Token::U8]);
    let code = [
        I::LoadU64(9),
        I::Pack(3),
        I::StoreLocal(0),
        I::BorrowLocal { local: 0, mutable: false },
        I::CallGeneric(sui),
        I::Ret,
    ];
    let coin = lab.type_(T, "Coin");
    let world = lab.code("0x99::thief::number", &[coin], &code).build();
    unverified(world.call("0x99::thief::number", &[], NO_ARGUMENTS), "argument is not of the parameter's type");
}

#[test]
fn an_object_keeps_its_id() {
    // The id of a Claim becomes that of an Other, whose number the thief chose.
    let code = [I::MoveLocal(0), I::Unpack(1), I::Pop, I::LoadU64(1_000_000), I::Pack(2), I::Ret];
    let claim = |session: &mut Session<'_>| vec![object(session, "0x99::thief::Claim", &[0; 8])];
    unverified(run("claim", &[], &code, claim), "object packed with the UID of another one");
    // A UID made of thin air: an ID can be had, but it is no UID, and UID cannot be packed outside its module.
    let mut lab = Lab::new(TOWN);
    let from = lab.callee(T, "0x2::object::id_from_address");
    let address = lab.constant(T, Token::Address, &[5; 32]);
    let code = [I::LoadConstant(address), I::Call(from), I::LoadU64(1), I::Pack(1), I::Ret];
    let world = lab.code("0x99::thief::nothing", &[], &code).build();
    unverified(world.call("0x99::thief::nothing", &[], NO_ARGUMENTS), "field of another type");
}

#[test]
fn private_and_friend_functions_of_others_are_not_called() {
    for secret in ["secret", "friendly"] {
        let mut lab = Lab::new(TOWN);
        let secret = lab.callee(T, &format!("0x98::victim::{secret}"));
        let world = lab.code("0x99::thief::number", &[], &[I::Call(secret), I::Ret]).build();
        unverified(world.call("0x99::thief::number", &[], NO_ARGUMENTS), "call of a function that is not visible");
    }
}

#[test]
fn events_and_transfers_of_a_foreign_type_are_refused() {
    let only = "only the module that defines the type may call this function";
    let deed = |session: &mut Session<'_>| vec![object(session, "0x98::victim::Deed", &[])];
    for function in ["share_object", "freeze_object", "transfer"] {
        let mut lab = Lab::new(TOWN);
        let type_ = lab.type_(T, "Deed");
        let callee = lab.generic_callee(T, &format!("0x2::transfer::{function}"), &[type_]);
        let address = lab.constant(T, Token::Address, &[1; 32]);
        let mut code = vec![I::MoveLocal(0)];
        code.extend((function == "transfer").then_some(I::LoadConstant(address)));
        code.extend([I::CallGeneric(callee), I::Ret]);
        let world = lab.code("0x99::thief::deed", &[], &code).build();
        unverified(world.call("0x99::thief::deed", &[], deed), only);
    }
    // Through a type parameter, where no type of another module is written down.
    let mut lab = Lab::new(TOWN);
    let share = lab.generic_callee(T, "0x2::transfer::share_object", &[Token::Parameter(0)]);
    let world = lab.code("0x99::thief::launder", &[], &[I::MoveLocal(0), I::CallGeneric(share), I::Ret]).build();
    unverified(world.call("0x99::thief::launder", &["0x98::victim::Deed"], deed), only);

    let mut lab = Lab::new(TOWN);
    let type_ = lab.type_(T, "News");
    let emit = lab.generic_callee(T, "0x2::event::emit", &[type_]);
    let world = lab.code("0x99::thief::emit", &[], &[I::MoveLocal(0), I::CallGeneric(emit), I::Ret]).build();
    let news =
        |session: &mut Session<'_>| vec![session.decode(&"0x98::victim::News".parse().unwrap(), &[0; 8]).unwrap()];
    unverified(world.call("0x99::thief::emit", &[], news), only);
}

#[test]
fn constants_are_values_of_their_type() {
    for (type_, bytes, fault) in [
        (Token::U64, vec![1], Fault::BadValue("unexpected end")),
        (Token::U64, vec![0; 9], Fault::BadValue("trailing bytes")),
        (Token::Bool, vec![2], Fault::BadValue("bool")),
        (Token::U8, vec![1], Fault::Unverified("result is not of its type")),
    ] {
        let mut lab = Lab::new(TOWN);
        let constant = lab.constant(T, type_.clone(), &bytes);
        let world = lab.code("0x99::thief::number", &[], &[I::LoadConstant(constant), I::Ret]).build();
        let result = world.call("0x99::thief::number", &[], NO_ARGUMENTS).map(|_| ());
        assert_eq!(result, Err(fault), "{type_:?} {bytes:?}");
    }
}

#[test]
fn types_are_not_confused() {
    let number = |code: &[I]| run("number", &[Token::U64], code, NO_ARGUMENTS);
    unverified(number(&[I::LoadBool(true), I::StoreLocal(0), I::LoadU64(1), I::Ret]), "store of another type");
    unverified(number(&[I::LoadBool(true), I::Ret]), "result is not of its type");
    unverified(number(&[I::LoadBool(true), I::Pack(0), I::Ret]), "field of another type");
    unverified(number(&[I::LoadU64(1), I::BranchTrue(0), I::Ret]), "operand is not a bool");
    unverified(number(&[I::LoadU64(1), I::ReadReference, I::Ret]), "operand is not a reference");
    unverified(number(&[I::LoadU8(1), I::Abort]), "abort code is not a u64");
    unverified(number(&[I::LoadU64(1), I::LoadU8(1), I::Equal, I::Ret]), "comparison of two types");
    assert!(matches!(number(&[I::LoadU64(1), I::LoadU8(1), I::Add, I::Ret]), Err(Fault::Unverified(_))));
    unverified(number(&[I::CopyLocal(0), I::Ret]), "use of an empty local");
}

#[test]
fn the_stack_of_the_caller_is_out_of_reach() {
    let underflow = "operand stack underflow";
    unverified(run("number", &[], &[I::Ret], NO_ARGUMENTS), "operand stack does not hold just the results");
    let two = [I::LoadU64(1), I::LoadU64(2), I::Ret];
    unverified(run("number", &[], &two, NO_ARGUMENTS), "operand stack does not hold just the results");
    unverified(run("number", &[], &[I::Add, I::Ret], NO_ARGUMENTS), underflow);
    let mut lab = Lab::new(TOWN);
    let steal = lab.callee(T, "0x98::victim::steal_stack");
    let world = lab
        .code("0x99::thief::number", &[], &[I::LoadU64(1), I::Call(steal), I::Add, I::Ret])
        .code("0x98::victim::steal_stack", &[], &[I::Pop, I::LoadU64(5), I::Ret])
        .build();
    unverified(world.call("0x99::thief::number", &[], NO_ARGUMENTS), underflow);
    unverified(run("nothing", &[], &[I::Nop], NO_ARGUMENTS), "ran past the end of a function");
}

#[test]
fn references_end_with_what_they_refer_to() {
    let gone = "reference to a place that is gone";
    // A reference to a local of a function that has returned.
    let mut lab = Lab::new(TOWN);
    let borrowed = lab.callee(T, "0x99::thief::borrowed");
    let world = lab
        .code(
            "0x99::thief::borrowed",
            &[Token::U64],
            &[I::LoadU64(1), I::StoreLocal(0), I::BorrowLocal { local: 0, mutable: false }, I::Ret],
        )
        .code(
            "0x99::thief::number",
            &[Token::U64],
            &[I::LoadU64(2), I::StoreLocal(0), I::Call(borrowed), I::ReadReference, I::Ret],
        )
        .build();
    unverified(world.call("0x99::thief::number", &[], NO_ARGUMENTS), gone);
    // The same when another call has a local of that type in its place.
    let mut lab = Lab::new(TOWN);
    let (borrowed, peek) = (lab.callee(T, "0x99::thief::borrowed"), lab.callee(T, "0x99::thief::peek"));
    let borrow = [I::LoadU64(1), I::StoreLocal(0), I::BorrowLocal { local: 0, mutable: false }, I::Ret];
    let world = lab
        .code("0x99::thief::borrowed", &[Token::U64], &borrow)
        .code("0x99::thief::peek", &[], &[I::MoveLocal(1), I::ReadReference, I::Ret])
        .code("0x99::thief::number", &[], &[I::LoadU64(2), I::Call(borrowed), I::Call(peek), I::Ret])
        .build();
    unverified(world.call("0x99::thief::number", &[], NO_ARGUMENTS), gone);
    // A value that was moved away after it was borrowed.
    let moved = [
        I::LoadU64(1),
        I::StoreLocal(0),
        I::BorrowLocal { local: 0, mutable: false },
        I::MoveLocal(0),
        I::Pop,
        I::ReadReference,
        I::Ret,
    ];
    unverified(run("number", &[Token::U64], &moved, NO_ARGUMENTS), gone);
    // An element of a vector that got shorter.
    let mut lab = Lab::new(TOWN);
    let element = lab.signature(T, &[Token::U64]);
    let numbers = Token::Vector(Box::new(Token::U64));
    let shorter = [
        I::LoadU64(1),
        I::VectorPack(element, 1),
        I::StoreLocal(0),
        I::BorrowLocal { local: 0, mutable: true },
        I::StoreLocal(1),
        I::CopyLocal(1),
        I::LoadU64(0),
        I::VectorBorrow { element, mutable: false },
        I::CopyLocal(1),
        I::VectorPopBack(element),
        I::Pop,
        I::ReadReference,
        I::Ret,
    ];
    let locals = [numbers.clone(), Token::MutableReference(Box::new(numbers))];
    let world = lab.code("0x99::thief::number", &locals, &shorter).build();
    unverified(world.call("0x99::thief::number", &[], NO_ARGUMENTS), gone);
}

#[test]
fn what_is_lent_to_read_is_not_written() {
    let lent = |session: &mut Session<'_>| {
        let slot = session.hold(Value::u64(1)).unwrap();
        vec![session.lend(slot, Passing::Reference).unwrap()]
    };
    let code = [I::LoadU64(2), I::MoveLocal(0), I::WriteReference, I::Ret];
    unverified(run("write", &[], &code, lent), "write through an immutable reference");
    let frozen = [
        I::LoadU64(1),
        I::StoreLocal(0),
        I::LoadU64(2),
        I::BorrowLocal { local: 0, mutable: true },
        I::FreezeReference,
        I::WriteReference,
        I::LoadU64(0),
        I::Ret,
    ];
    unverified(run("number", &[Token::U64], &frozen, NO_ARGUMENTS), "write through an immutable reference");
    let nested = [I::BorrowLocal { local: 0, mutable: true }, I::Pop, I::LoadU64(0), I::Ret];
    unverified(run("read", &[], &nested, lent), "reference to a reference");
}

#[test]
fn indices_out_of_range_are_refused_by_the_loader() {
    let far = u16::MAX;
    for (instruction, table) in [
        (I::Branch(far), "instruction"),
        (I::BranchTrue(far), "instruction"),
        (I::BranchFalse(far), "instruction"),
        (I::LoadConstant(far), "constant"),
        (I::CopyLocal(200), "local"),
        (I::MoveLocal(200), "local"),
        (I::StoreLocal(200), "local"),
        (I::BorrowLocal { local: 200, mutable: true }, "local"),
        (I::BorrowField { field: far, mutable: true }, "field handle"),
        (I::BorrowFieldGeneric { field: far, mutable: true }, "field instance"),
        (I::Call(far), "function handle"),
        (I::CallGeneric(far), "function instance"),
        (I::Pack(far), "struct"),
        (I::Unpack(far), "struct"),
        (I::PackGeneric(far), "struct instance"),
        (I::UnpackGeneric(far), "struct instance"),
        (I::VectorPack(far, 1), "signature"),
        (I::VectorUnpack(far, 1), "signature"),
        (I::VectorLength(far), "signature"),
        (I::VectorBorrow { element: far, mutable: true }, "signature"),
        (I::VectorPushBack(far), "signature"),
        (I::VectorPopBack(far), "signature"),
        (I::VectorSwap(far), "signature"),
        (I::PackVariant(far), "variant handle"),
        (I::UnpackVariant(far), "variant handle"),
        (I::UnpackVariantReference { variant: far, mutable: true }, "variant handle"),
        (I::PackVariantGeneric(far), "variant instance"),
        (I::UnpackVariantGeneric(far), "variant instance"),
        (I::UnpackVariantReferenceGeneric { variant: far, mutable: true }, "variant instance"),
        (I::VariantSwitch(far), "jump table"),
    ] {
        let lab = Lab::new(TOWN).code("0x99::thief::nothing", &[], &[instruction.clone(), I::Ret]);
        assert_eq!(lab.load(), Err(LoadError::IndexOutOfBounds(table)), "{instruction:?}");
    }
}
