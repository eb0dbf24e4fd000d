//! Changes of a document that mean something: of its structure, its values and its encoding, before any signature is looked at.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;

use crate::tree::{Node, Value};

const NUMBERS: [u64; 16] =
    [0, 1, 2, 7, 18, 23, 24, 31, 32, 34, 35, 255, 256, 1_708_930_921_439, u64::MAX / 2, u64::MAX];
const LENGTHS: [usize; 16] = [0, 1, 31, 32, 47, 48, 49, 64, 95, 96, 97, 512, 513, 1024, 1025, 16_384];
const TEXTS: [&[u8]; 14] = [
    b"",
    b"SHA384",
    b"SHA256",
    b"module_id",
    b"digest",
    b"timestamp",
    b"pcrs",
    b"nitrotpm_pcrs",
    b"certificate",
    b"cabundle",
    b"public_key",
    b"user_data",
    b"nonce",
    b"\xff\xfe",
];
/// null, undefined, true, a float, an unassigned simple value, a break, a reserved head.
const RAW: [&[u8]; 7] = [&[0xf6], &[0xf7], &[0xf5], &[0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0], &[0xe0], &[0xff], &[0x1c]];

/// One to three changes of the tree, now and then one of the bytes.
pub(crate) fn mutant(tree: Option<&Node>, document: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = match tree {
        Some(tree) if random.gen_ratio(9, 10) => {
            let mut tree = tree.clone();
            for _ in 0..random.gen_range(1..=3) {
                let number = pick(tree.count(), random);
                if let Some(node) = tree.at(number) {
                    change(node, random);
                }
            }
            tree.encode()
        }
        _ => document.to_vec(),
    };
    if random.gen_ratio(1, 10) {
        change_bytes(&mut bytes, random);
    }
    bytes
}

/// The first nodes (message, headers, fields) are few among many registers: they are chosen as often as all others.
fn pick(count: usize, random: &mut StdRng) -> usize {
    if random.r#gen() { random.gen_range(0..count.min(16)) } else { random.gen_range(0..count) }
}

fn change(node: &mut Node, random: &mut StdRng) {
    match random.gen_range(0..8) {
        0 => node.wider = random.gen_range(1..=3),
        1 => node.indefinite = !node.indefinite,
        2 => {
            let tag = *[18, 17, 24, 0, 98, 55_799].choose(random).unwrap_or(&18);
            let inner = std::mem::replace(node, Node::new(Value::Unsigned(0)));
            *node = Node::new(Value::Tag(tag, Box::new(inner)));
        }
        3 => *node = anything(random),
        _ => change_value(&mut node.value, random),
    }
}

fn change_value(value: &mut Value, random: &mut StdRng) {
    match value {
        Value::Unsigned(number) | Value::Negative(number) | Value::Tag(number, _) => {
            *number = *NUMBERS.choose(random).unwrap_or(&0);
        }
        Value::Bytes(bytes) if random.r#gen() || bytes.is_empty() => {
            bytes.resize(*LENGTHS.choose(random).unwrap_or(&0), 1);
        }
        Value::Bytes(bytes) => {
            let at = random.gen_range(0..bytes.len());
            bytes[at] ^= 1 << random.gen_range(0..8);
        }
        Value::Text(bytes) => *bytes = TEXTS.choose(random).unwrap_or(&TEXTS[0]).to_vec(),
        Value::Array(items) => change_list(items, 1, random),
        Value::Map(items) => change_list(items, 2, random),
        Value::Embedded(_, after) => after.push(random.r#gen()),
        Value::Raw(bytes) => *bytes = RAW.choose(random).unwrap_or(&RAW[0]).to_vec(),
    }
}

/// Removes, repeats, swaps or adds an element of `width` nodes.
fn change_list(items: &mut Vec<Node>, width: usize, random: &mut StdRng) {
    let count = items.len() / width;
    let mut element = || random.gen_range(0..count.max(1)) * width;
    let (one, other) = (element(), element());
    match random.gen_range(0..4) {
        0 if count > 0 => drop(items.drain(one..one + width)),
        1 if count > 0 => {
            let repeated = items[one..one + width].to_vec();
            items.splice(other..other, repeated);
        }
        2 if count > 1 => (0..width).for_each(|offset| items.swap(one + offset, other + offset)),
        _ => items.extend((0..width).map(|_| anything(random))),
    }
}

fn anything(random: &mut StdRng) -> Node {
    Node::new(match random.gen_range(0..7) {
        0 => Value::Unsigned(*NUMBERS.choose(random).unwrap_or(&0)),
        1 => Value::Negative(*NUMBERS.choose(random).unwrap_or(&0)),
        2 => Value::Bytes(vec![0; *LENGTHS.choose(random).unwrap_or(&0)]),
        3 => Value::Text(TEXTS.choose(random).unwrap_or(&TEXTS[0]).to_vec()),
        4 => Value::Array(Vec::new()),
        5 => Value::Map(Vec::new()),
        _ => Value::Raw(RAW.choose(random).unwrap_or(&RAW[0]).to_vec()),
    })
}

fn change_bytes(bytes: &mut Vec<u8>, random: &mut StdRng) {
    if bytes.is_empty() {
        return;
    }
    let at = random.gen_range(0..bytes.len());
    match random.gen_range(0..4) {
        0 => bytes.truncate(at),
        1 => bytes.push(random.r#gen()),
        2 => bytes.insert(at, random.r#gen()),
        _ => bytes[at] = random.r#gen(),
    }
}
