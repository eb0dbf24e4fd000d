//! Every framework function that the README lists is called, and does what the framework's source says.
#![allow(clippy::unwrap_used)]

mod world;

use std::collections::BTreeSet;

use daas_move_vm::{ExecutionError, Fault, ModuleId, Passing, Session, Slot, Value};
use sui_sdk_types::{Address, Digest, Identifier, TypeTag};
use world::{World, address, bcs, tag};

/// Calls, and which functions were called.
struct Calls<'a> {
    session: Session<'a>,
    called: &'a mut BTreeSet<String>,
}

/// An argument: bytes of a value, the transaction's context, or an object that several calls share.
#[derive(Clone)]
enum Argument {
    Bytes(Vec<u8>),
    Context,
    Object(Slot),
}

/// What a call gave: results (`None` for a reference), and its mutable arguments afterwards.
type Given = (Vec<Option<Vec<u8>>>, Vec<Vec<u8>>);

impl Calls<'_> {
    fn call(&mut self, path: &str, types: &[TypeTag], arguments: &[Argument]) -> Result<Given, ExecutionError> {
        let (values, returns, changed) = self.values(path, types, arguments)?;
        let mut results = Vec::new();
        for (value, returned) in values.iter().zip(&returns) {
            results.push(match returned {
                Some(tag) => Some(self.session.encode(value, tag)?),
                None => None,
            });
        }
        let changed = changed.into_iter().map(|slot| self.session.encode_slot(slot)).collect::<Result<_, _>>()?;
        Ok((results, changed))
    }

    #[expect(clippy::type_complexity)]
    fn values(
        &mut self,
        path: &str,
        types: &[TypeTag],
        arguments: &[Argument],
    ) -> Result<(Vec<Value>, Vec<Option<TypeTag>>, Vec<Slot>), ExecutionError> {
        self.called.insert(path.to_owned());
        let (module, function) = path.rsplit_once("::").unwrap();
        let (package, module) = module.split_once("::").unwrap();
        let package = address(package.trim_start_matches("0x").parse().unwrap());
        let module = ModuleId::new(package, Identifier::new(module).unwrap());
        let function = Identifier::new(function).unwrap();
        let signature = self.session.signature(&module, &function, types)?;
        assert_eq!(signature.parameters.len(), arguments.len(), "{path}");
        let (mut values, mut changed) = (Vec::new(), Vec::new());
        for (parameter, argument) in signature.parameters.iter().zip(arguments) {
            values.push(match argument {
                Argument::Context => self.session.tx_context(parameter.passing)?,
                Argument::Object(slot) if parameter.passing == Passing::Value => self.session.take(*slot)?,
                Argument::Object(slot) => self.session.lend(*slot, parameter.passing)?,
                Argument::Bytes(bytes) => {
                    let value = self.session.decode(&parameter.type_, bytes)?;
                    if parameter.passing == Passing::Value {
                        value
                    } else {
                        let slot = self.session.hold(value)?;
                        changed.extend((parameter.passing == Passing::MutableReference).then_some(slot));
                        self.session.lend(slot, parameter.passing)?
                    }
                }
            });
        }
        let values = self.session.call(&module, &function, types, values)?;
        let returns = signature.returns.into_iter().map(|r| (r.passing == Passing::Value).then_some(r.type_)).collect();
        Ok((values, returns, changed))
    }

    /// An object that a call makes, to be used by others.
    fn make(&mut self, path: &str, types: &[TypeTag]) -> Argument {
        let value = self.values(path, types, &[Argument::Context]).unwrap().0.remove(0);
        Argument::Object(self.session.hold(value).unwrap())
    }

    /// The one result.
    #[track_caller]
    fn one(&mut self, path: &str, types: &[TypeTag], arguments: &[Argument]) -> Vec<u8> {
        self.call(path, types, arguments).unwrap().0.remove(0).unwrap()
    }

    #[track_caller]
    fn abort(&mut self, path: &str, types: &[TypeTag], arguments: &[Argument]) -> u64 {
        self.call(path, types, arguments).unwrap_err().abort().unwrap().1
    }
}

fn fresh(called: &mut BTreeSet<String>, run: impl FnOnce(&mut Calls<'_>)) {
    let world = World::new();
    run(&mut Calls { session: world.session(), called });
}

fn value<T: serde::Serialize>(value: T) -> Argument {
    Argument::Bytes(bcs(&value))
}

/// The number `text` in `bits` bits.
fn number(text: &str, bits: usize) -> Vec<u8> {
    let mut bytes = if text == "max" { vec![0xff; 32] } else { text.parse::<u128>().unwrap().to_le_bytes().to_vec() };
    bytes.resize(bits / 8, 0);
    bytes
}

/// Reads one literal off the text.
fn literal(text: &mut &str) -> Vec<u8> {
    let sequence = |text: &mut &str, end: char| {
        let (mut parts, mut count) = (Vec::new(), 0);
        *text = &text[1..];
        while !text.starts_with(end) {
            parts.extend(literal(text));
            count += 1;
            *text = text.strip_prefix(',').unwrap_or(text);
        }
        *text = &text[1..];
        (parts, count)
    };
    match text.chars().next().unwrap() {
        '[' => {
            let (parts, count) = sequence(text, ']');
            [vec![count], parts].concat()
        }
        '{' => sequence(text, '}').0,
        '"' => bcs(&quoted(text, "\"")),
        'x' => bcs(&hex::decode(quoted(text, "x\"")).unwrap()),
        _ => {
            let end = text.find([',', ']', '}']).unwrap_or(text.len());
            let word = &text[..end];
            *text = &text[end..];
            match word {
                "true" => vec![1],
                "false" => vec![0],
                "id0" => bcs(&Address::derive_id(Digest::new([7; 32]), 0)),
                _ => {
                    if let Some(low) = word.strip_prefix('@') {
                        bcs(&address(low.parse().unwrap()))
                    } else {
                        let (digits, bits) = word.rsplit_once('u').unwrap();
                        number(digits, bits.parse().unwrap())
                    }
                }
            }
        }
    }
}

/// What stands between `prefix` and the next quote.
fn quoted<'t>(text: &mut &'t str, prefix: &str) -> &'t str {
    let (inner, rest) = text[prefix.len()..].split_once('"').unwrap();
    *text = rest;
    inner
}

fn whole(word: &str) -> Vec<u8> {
    let mut text = word;
    let bytes = literal(&mut text);
    assert_eq!(text, "", "{word}");
    bytes
}

fn check(line: &str, called: &mut BTreeSet<String>) {
    let (call, expected) = line.split_once(" ->").unwrap();
    let mut words = call.split(' ');
    let path = words.next().unwrap();
    let (path, types) = path.split_once('<').map_or((path, ""), |(path, types)| (path, &types[..types.len() - 1]));
    let types: Vec<TypeTag> = types.split(',').filter(|type_| !type_.is_empty()).map(tag).collect();
    let argument = |word| if word == "ctx" { Argument::Context } else { Argument::Bytes(whole(word)) };
    let arguments: Vec<Argument> = words.map(argument).collect();
    let (results, changed) = expected.split_once('|').unwrap_or((expected, ""));
    fresh(called, |calls| {
        let given = calls.call(path, &types, &arguments);
        if let Some(code) = results.strip_prefix(" abort ") {
            assert_eq!(given.unwrap_err().abort().unwrap().1, code.parse::<u64>().unwrap(), "{line}");
        } else if results == " refused" {
            let fault = given.unwrap_err().fault;
            assert!(matches!(fault, Fault::Unverified(_) | Fault::NoAttestationVerifier), "{line}: {fault}");
        } else {
            let bytes = |text: &str| -> Vec<Option<Vec<u8>>> {
                let words = text.split(' ').filter(|word| !word.is_empty());
                words.map(|word| (word != "_").then(|| whole(word))).collect()
            };
            let (results, changed) = (bytes(results), bytes(changed));
            let given = given.unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(given, (results, changed.into_iter().flatten().collect()), "{line}");
        }
    });
}

/// `peel_` of one type: the bytes that are left are kept in reverse.
fn peel(name: &str, written: &[u8], called: &mut BTreeSet<String>) {
    let reversed: Vec<u8> = written.iter().rev().copied().collect();
    let left = [b"rest".as_slice(), &reversed].concat();
    fresh(called, |calls| {
        let given = calls.call(&format!("0x2::bcs::peel_{name}"), &[], &[value(left)]).unwrap();
        assert_eq!(given, (vec![Some(written.to_vec())], vec![bcs(&b"rest".to_vec())]), "{name}");
        let short = calls.abort(&format!("0x2::bcs::peel_{name}"), &[], &[value(&reversed[1..])]);
        assert!(short <= 2, "{name}");
    });
}

fn peels(called: &mut BTreeSet<String>) {
    let number = |bits: usize| number("7", bits);
    for bits in [8, 16, 32, 64, 128, 256] {
        peel(&format!("u{bits}"), &number(bits), called);
        peel(&format!("vec_u{bits}"), &[vec![2], number(bits), number(bits)].concat(), called);
        peel(&format!("option_u{bits}"), &[vec![1], number(bits)].concat(), called);
    }
    for (name, item) in [("address", vec![9; 32]), ("bool", vec![1])] {
        peel(name, &item, called);
        peel(&format!("vec_{name}"), &[vec![2], item.clone(), item.clone()].concat(), called);
        peel(&format!("option_{name}"), &[vec![1], item].concat(), called);
    }
    peel("vec_vec_u8", &bcs(&vec![vec![1_u8, 2], vec![3]]), called);
}

fn tables_and_bags(called: &mut BTreeSet<String>) {
    fresh(called, |calls| {
        let types = [TypeTag::U64, TypeTag::Bool];
        let (key, other) = (value(4_u64), value(5_u64));
        for (module, of, of_key) in [("table", &types[..], &types[..]), ("bag", &[], &types[..1])] {
            let f = |name: &str| format!("0x2::{module}::{name}");
            let it = calls.make(&f("new"), of);
            let with = |arguments: &[Argument]| [std::slice::from_ref(&it), arguments].concat();
            assert_eq!(calls.one(&f("is_empty"), of, &with(&[])), bcs(&true));
            assert_eq!(calls.abort(&f("borrow"), &types, &with(std::slice::from_ref(&key))), 1);
            calls.call(&f("add"), &types, &with(&[key.clone(), value(true)])).unwrap();
            assert_eq!(calls.abort(&f("add"), &types, &with(&[key.clone(), value(true)])), 0);
            calls.call(&f("borrow"), &types, &with(std::slice::from_ref(&key))).unwrap();
            calls.call(&f("borrow_mut"), &types, &with(std::slice::from_ref(&key))).unwrap();
            assert_eq!(calls.one(&f("contains"), of_key, &with(std::slice::from_ref(&key))), bcs(&true));
            assert_eq!(calls.one(&f("contains"), of_key, &with(std::slice::from_ref(&other))), bcs(&false));
            assert_eq!(calls.one(&f("length"), of, &with(&[])), bcs(&1_u64));
            if module == "bag" {
                for (tag, held) in [(TypeTag::Bool, true), (TypeTag::U8, false)] {
                    let holds =
                        calls.one(&f("contains_with_type"), &[TypeTag::U64, tag], &with(std::slice::from_ref(&key)));
                    assert_eq!(holds, bcs(&held));
                }
            }
            assert_eq!(calls.one(&f("remove"), &types, &with(std::slice::from_ref(&key))), bcs(&true));
            calls.call(&f("destroy_empty"), of, &with(&[])).unwrap();
        }
        let table = calls.make("0x2::table::new", &types);
        calls.call("0x2::table::add", &types, &[table.clone(), key, value(true)]).unwrap();
        calls.call("0x2::table::drop", &types, std::slice::from_ref(&table)).unwrap();
        let table = calls.make("0x2::table::new", &types);
        calls.call("0x2::table::add", &types, &[table.clone(), other, value(true)]).unwrap();
        assert_eq!(calls.abort("0x2::table::destroy_empty", &types, &[table]), 0);
    });
}

fn dynamic_fields(called: &mut BTreeSet<String>) {
    fresh(called, |calls| {
        let (types, name) = ([TypeTag::U64, TypeTag::Bool], value(4_u64));
        let f = |name: &str| format!("0x2::dynamic_field::{name}");
        let parent = calls.make("0x2::object::new", &[]);
        let at = |arguments: &[Argument]| [&[parent.clone(), name.clone()], arguments].concat();
        assert_eq!(calls.one(&f("remove_if_exists"), &types, &at(&[])), vec![0]);
        assert_eq!(calls.one(&f("remove_opt"), &types, &at(&[])), vec![0]);
        calls.call(&f("add"), &types, &at(&[value(true)])).unwrap();
        assert_eq!(calls.abort(&f("add"), &types, &at(&[value(true)])), 0);
        calls.call(&f("borrow"), &types, &at(&[])).unwrap();
        calls.call(&f("borrow_mut"), &types, &at(&[])).unwrap();
        for exists in ["exists_", "exists"] {
            assert_eq!(calls.one(&f(exists), &types[..1], &at(&[])), bcs(&true));
        }
        assert_eq!(calls.one(&f("exists_with_type"), &types, &at(&[])), bcs(&true));
        assert_eq!(calls.one(&f("exists_with_type"), &[TypeTag::U64, TypeTag::U8], &at(&[])), bcs(&false));
        assert_eq!(calls.abort(&f("borrow"), &[TypeTag::U64, TypeTag::U8], &at(&[])), 2);
        assert_eq!(calls.one(&f("remove"), &types, &at(&[])), bcs(&true));
        assert_eq!(calls.abort(&f("remove"), &types, &at(&[])), 1);
        for remove in ["remove_if_exists", "remove_opt"] {
            calls.call(&f("add"), &types, &at(&[value(false)])).unwrap();
            assert_eq!(calls.one(&f(remove), &types, &at(&[])), vec![1, 0]);
        }
    });
}

fn dynamic_object_fields(called: &mut BTreeSet<String>) {
    fresh(called, |calls| {
        let coin = tag("0x2::coin::Coin<u8>");
        let (types, name) = ([TypeTag::U64, coin], value(4_u64));
        let f = |name: &str| format!("0x2::dynamic_object_field::{name}");
        let parent = calls.make("0x2::object::new", &[]);
        let at = |arguments: &[Argument]| [&[parent.clone(), name.clone()], arguments].concat();
        let kept = (address(9), 5_u64);
        assert_eq!(calls.one(&f("id"), &types[..1], &at(&[])), vec![0]);
        calls.call(&f("add"), &types, &at(&[value(kept)])).unwrap();
        calls.call(&f("borrow"), &types, &at(&[])).unwrap();
        calls.call(&f("borrow_mut"), &types, &at(&[])).unwrap();
        for exists in ["exists_", "exists"] {
            assert_eq!(calls.one(&f(exists), &types[..1], &at(&[])), bcs(&true));
        }
        assert_eq!(calls.one(&f("exists_with_type"), &types, &at(&[])), bcs(&true));
        assert_eq!(calls.one(&f("id"), &types[..1], &at(&[])), bcs(&Some(address(9))));
        assert_eq!(calls.one(&f("remove"), &types, &at(&[])), bcs(&kept));
        assert_eq!(calls.abort(&f("remove"), &types, &at(&[])), 1);
    });
}

/// `module::function` of everything that the README lists.
fn listed() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for line in include_str!("../README.md").lines() {
        if let Some((module, functions)) = line.strip_prefix("- `0x").and_then(|line| line.split_once("`: ")) {
            all.extend(functions.split(", ").map(|function| format!("0x{module}::{function}")));
        }
    }
    all
}

#[test]
fn every_listed_function_does_what_the_framework_does() {
    let mut called = BTreeSet::new();
    for line in include_str!("framework_cases/cases.txt").lines().filter(|line| !line.starts_with('#')) {
        if line.contains("uW") {
            for bits in ["8", "16", "32", "64", "128", "256"] {
                check(&line.replace("uW", &format!("u{bits}")), &mut called);
            }
        } else {
            check(line, &mut called);
        }
    }
    peels(&mut called);
    tables_and_bags(&mut called);
    dynamic_fields(&mut called);
    dynamic_object_fields(&mut called);
    let listed = listed();
    assert!(listed.len() > 300, "the README's list was not found");
    let missing: Vec<_> = listed.difference(&called).collect();
    assert!(missing.is_empty(), "listed and never called: {missing:?}");
}
