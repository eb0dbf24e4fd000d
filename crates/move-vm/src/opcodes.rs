//! Every instruction once, in code put together by hand, with the result that the language gives it.

use std::collections::BTreeSet;

use sui_sdk_types::{Identifier, U256};

use crate::{
    Fault,
    format::{DatatypeInstance, Field, Instruction as I, JumpTable, Token, Variant, every_instruction},
    lab::Lab,
};

/// Handles of everything that code can point to; the numbers are those of `lab`.
const OPS: &str = "\
module 0x99::ops
struct Pair cd . a:u64 b:u64
struct Box cd - value:T0
struct Shape cd .
struct Maybe cd -
fun run public . -> u64
fun double public . u64 -> u64
fun same public - T0 -> T0
";
const M: &str = "0x99::ops";

/// A run: locals, code and what `run` gives back.
struct Run {
    locals: Vec<Token>,
    code: Vec<I>,
    result: Result<u64, Fault>,
}

fn gives(result: u64, locals: &[Token], code: &[I]) -> Run {
    Run { locals: locals.to_vec(), code: [code, &[I::Ret]].concat(), result: Ok(result) }
}

/// Code that leaves a bool: 1 if it is true.
fn says(truth: bool, code: &[I]) -> Run {
    let end = code.len() as u16;
    let branch = [I::BranchFalse(end + 3), I::LoadU64(1), I::Ret, I::LoadU64(0)];
    gives(u64::from(truth), &[], &[code, &branch].concat())
}

fn binary(left: u64, operator: I, right: u64, result: u64) -> Run {
    gives(result, &[], &[I::LoadU64(left), I::LoadU64(right), operator])
}

fn compare(left: u64, operator: I, right: u64, truth: bool) -> Run {
    says(truth, &[I::LoadU64(left), I::LoadU64(right), operator])
}

fn lab() -> Lab {
    let mut lab = Lab::new(OPS);
    let numbers = lab.signature(M, &[Token::U64]);
    assert_eq!(numbers, NUMBERS);
    let same = lab.generic_callee(M, "0x99::ops::same", &[Token::U64]);
    assert_eq!((same, lab.callee(M, "0x99::ops::double")), (0, DOUBLE));
    assert_eq!(lab.constant(M, Token::U64, &[9, 0, 0, 0, 0, 0, 0, 0]), 0);
    let tables = lab.tables(M);
    for (definition, field) in [(2, Token::U64), (3, Token::Parameter(0))] {
        let variant = |name: &str, fields| Variant { name: Identifier::new(name).unwrap(), fields };
        let value = Field { name: Identifier::new("value").unwrap(), type_: field };
        let datatype = &mut tables.datatypes[definition];
        datatype.is_enum = true;
        datatype.variants = vec![variant("Empty", vec![]), variant("Full", vec![value])];
    }
    tables.struct_count = 2;
    tables.field_handles = vec![(0, 1), (1, 0)];
    tables.field_instances = vec![(1, NUMBERS)];
    tables.struct_instances = vec![DatatypeInstance { definition: 1, arguments: NUMBERS }];
    tables.enum_instances = vec![DatatypeInstance { definition: 3, arguments: NUMBERS }];
    tables.variant_handles = vec![(2, 0), (2, 1)];
    tables.variant_instances = vec![(0, 0), (0, 1)];
    lab.code("0x99::ops::double", &[], &[I::CopyLocal(0), I::MoveLocal(0), I::Add, I::Ret]).code(
        "0x99::ops::same",
        &[],
        &[I::MoveLocal(0), I::Ret],
    )
}

/// The signature of one u64.
const NUMBERS: u16 = 6;
/// The handle of `double`.
const DOUBLE: u16 = 4;

#[expect(clippy::too_many_lines, reason = "a row an instruction")]
fn runs() -> Vec<Run> {
    let vector = Token::Vector(Box::new(Token::U64));
    let (pair, boxed) = (Token::Datatype(0, vec![]), Token::Datatype(1, vec![Token::U64]));
    let (shape, maybe) = (Token::Datatype(2, vec![]), Token::Datatype(3, vec![Token::U64]));
    let borrow = |mutable| I::BorrowLocal { local: 0, mutable };
    let element = |mutable| I::VectorBorrow { element: NUMBERS, mutable };
    // [5, 6] in local 0.
    let list = [I::LoadU64(5), I::LoadU64(6), I::VectorPack(NUMBERS, 2), I::StoreLocal(0)];
    let with_list = |result, code: &[I]| gives(result, std::slice::from_ref(&vector), &[&list, code].concat());
    let written = |make: &[I], type_: &Token, part: I, read: &[I]| {
        let write = [I::StoreLocal(0), I::LoadU64(8), borrow(true), part, I::WriteReference, I::MoveLocal(0)];
        gives(8, std::slice::from_ref(type_), &[make, &write, read].concat())
    };
    let read = |make: &[I], type_: &Token, part: I| {
        gives(
            3,
            std::slice::from_ref(type_),
            &[make, &[I::StoreLocal(0), borrow(false), part, I::ReadReference]].concat(),
        )
    };
    let make_pair = [I::LoadU64(2), I::LoadU64(3), I::Pack(0)];
    let make_box = [I::LoadU64(3), I::PackGeneric(0)];
    let full = [I::LoadU64(3), I::PackVariant(1)];
    let just = [I::LoadU64(3), I::PackVariantGeneric(1)];
    let fields = |mutable| I::UnpackVariantReference { variant: 1, mutable };
    let generic_fields = |mutable| I::UnpackVariantReferenceGeneric { variant: 1, mutable };
    vec![
        gives(1, &[], &[I::LoadU64(1), I::Nop, I::LoadU64(2), I::Pop]),
        gives(4, &[], &[I::Branch(2), I::Abort, I::LoadU64(4)]),
        gives(1, &[], &[I::LoadBool(true), I::BranchTrue(4), I::LoadU64(0), I::Ret, I::LoadU64(1)]),
        Run { locals: vec![], code: vec![I::LoadU64(9), I::Abort], result: Err(Fault::Abort(9)) },
        gives(9, &[], &[I::LoadConstant(0)]),
        gives(200, &[], &[I::LoadU8(200), I::CastU64]),
        gives(60_000, &[], &[I::LoadU16(60_000), I::CastU64]),
        gives(4_000_000_000, &[], &[I::LoadU32(4_000_000_000), I::CastU64]),
        gives(7, &[], &[I::LoadU128(Box::new(7)), I::CastU64]),
        gives(
            7,
            &[],
            &[
                I::LoadU256(Box::new(U256::from_digits([[7].as_slice(), &[0; 31]].concat().try_into().unwrap()))),
                I::CastU64,
            ],
        ),
        gives(99, &[], &[I::LoadU64(99), I::CastU8, I::CastU16, I::CastU32, I::CastU128, I::CastU256, I::CastU64]),
        Run { locals: vec![], code: vec![I::LoadU64(256), I::CastU8, I::Ret], result: Err(Fault::Arithmetic) },
        gives(10, &[Token::U64], &[I::LoadU64(5), I::StoreLocal(0), I::CopyLocal(0), I::MoveLocal(0), I::Add]),
        gives(
            6,
            &[Token::U64],
            &[
                I::LoadU64(5),
                I::StoreLocal(0),
                I::LoadU64(6),
                borrow(true),
                I::WriteReference,
                borrow(true),
                I::FreezeReference,
                I::ReadReference,
            ],
        ),
        gives(12, &[], &[I::LoadU64(6), I::Call(DOUBLE)]),
        gives(6, &[], &[I::LoadU64(6), I::CallGeneric(0)]),
        binary(7, I::Add, 5, 12),
        binary(7, I::Subtract, 5, 2),
        binary(7, I::Multiply, 5, 35),
        binary(7, I::Divide, 5, 1),
        binary(7, I::Modulo, 5, 2),
        binary(0b1100, I::BitOr, 0b1010, 0b1110),
        binary(0b1100, I::BitAnd, 0b1010, 0b1000),
        binary(0b1100, I::BitXor, 0b1010, 0b0110),
        gives(20, &[], &[I::LoadU64(5), I::LoadU8(2), I::ShiftLeft]),
        gives(1, &[], &[I::LoadU64(5), I::LoadU8(2), I::ShiftRight]),
        says(true, &[I::LoadBool(true), I::LoadBool(false), I::Or]),
        says(false, &[I::LoadBool(true), I::LoadBool(false), I::And]),
        says(true, &[I::LoadBool(false), I::Not]),
        compare(4, I::Equal, 4, true),
        compare(4, I::NotEqual, 4, false),
        compare(4, I::Less, 4, false),
        compare(4, I::Less, 5, true),
        compare(4, I::Greater, 4, false),
        compare(5, I::Greater, 4, true),
        compare(4, I::LessOrEqual, 4, true),
        compare(5, I::LessOrEqual, 4, false),
        compare(4, I::GreaterOrEqual, 4, true),
        compare(4, I::GreaterOrEqual, 5, false),
        with_list(2, &[borrow(false), I::VectorLength(NUMBERS)]),
        with_list(6, &[borrow(false), I::LoadU64(1), element(false), I::ReadReference]),
        with_list(
            8,
            &[
                I::LoadU64(8),
                borrow(true),
                I::LoadU64(0),
                element(true),
                I::WriteReference,
                borrow(false),
                I::LoadU64(0),
                element(false),
                I::ReadReference,
            ],
        ),
        with_list(
            3,
            &[borrow(true), I::LoadU64(7), I::VectorPushBack(NUMBERS), borrow(false), I::VectorLength(NUMBERS)],
        ),
        with_list(6, &[borrow(true), I::VectorPopBack(NUMBERS)]),
        with_list(
            5,
            &[
                borrow(true),
                I::LoadU64(0),
                I::LoadU64(1),
                I::VectorSwap(NUMBERS),
                borrow(true),
                I::VectorPopBack(NUMBERS),
            ],
        ),
        with_list(
            1,
            &[
                I::MoveLocal(0),
                I::VectorUnpack(NUMBERS, 2),
                I::Less,
                I::Branch(8),
                I::BranchFalse(11),
                I::LoadU64(1),
                I::Ret,
                I::LoadU64(0),
            ],
        ),
        gives(5, &[], &[&make_pair[..], &[I::Unpack(0), I::Add]].concat()),
        gives(3, &[], &[&make_box[..], &[I::UnpackGeneric(0)]].concat()),
        read(&make_pair, &pair, I::BorrowField { field: 0, mutable: false }),
        read(&make_box, &boxed, I::BorrowFieldGeneric { field: 0, mutable: false }),
        written(&make_box, &boxed, I::BorrowFieldGeneric { field: 0, mutable: true }, &[I::UnpackGeneric(0)]),
        gives(
            10,
            std::slice::from_ref(&pair),
            &[
                &make_pair[..],
                &[
                    I::StoreLocal(0),
                    I::LoadU64(8),
                    borrow(true),
                    I::BorrowField { field: 0, mutable: true },
                    I::WriteReference,
                    I::MoveLocal(0),
                    I::Unpack(0),
                    I::Add,
                ],
            ]
            .concat(),
        ),
        gives(3, &[], &[&full[..], &[I::UnpackVariant(1)]].concat()),
        gives(3, &[], &[&just[..], &[I::UnpackVariantGeneric(1)]].concat()),
        read(&full, &shape, fields(false)),
        read(&just, &maybe, generic_fields(false)),
        written(&full, &shape, fields(true), &[I::UnpackVariant(1)]),
        written(&just, &maybe, generic_fields(true), &[I::UnpackVariantGeneric(1)]),
        Run {
            locals: vec![],
            code: vec![I::PackVariant(0), I::UnpackVariant(1), I::Ret],
            result: Err(Fault::VariantMismatch),
        },
        gives(
            2,
            std::slice::from_ref(&shape),
            &[&full[..], &[I::StoreLocal(0), borrow(false), I::VariantSwitch(0), I::LoadU64(1), I::Ret, I::LoadU64(2)]]
                .concat(),
        ),
    ]
}

/// The instruction without its operands; borrowing for reading and for writing are two.
fn name(instruction: &I) -> String {
    let text = format!("{instruction:?}");
    let name = text.split([' ', '(']).next().unwrap().to_owned();
    match instruction {
        I::LoadBool(value) => format!("{name} {value}"),
        _ if text.contains("mutable: true") => name + " mutable",
        _ => name,
    }
}

#[test]
fn every_instruction_does_what_the_language_says() {
    let mut executed = BTreeSet::new();
    for run in runs() {
        executed.extend(run.code.iter().map(name));
        let mut lab = lab().code("0x99::ops::run", &run.locals, &run.code);
        let function = lab.tables(M).functions.iter_mut().find(|function| function.handle == 0).unwrap();
        if run.code.contains(&I::VariantSwitch(0)) {
            // Where it goes: Empty, Full.
            let targets = vec![run.code.len() as u16 - 4, run.code.len() as u16 - 2];
            function.code.as_mut().unwrap().jump_tables = vec![JumpTable { head: 2, targets }];
        }
        let result = lab.build().call("0x99::ops::run", &[], |_| Vec::new());
        let result = result.map(|values| values[0].as_u64().unwrap());
        assert_eq!(result, run.result, "{:?}", run.code);
    }
    let all: BTreeSet<String> = every_instruction().iter().map(name).collect();
    assert_eq!(all, executed, "instructions that no code here runs");
}
