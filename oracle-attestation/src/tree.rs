//! CBOR as a tree that can be written in any form, also in those that no verifier should take.

/// An item and the form in which it is written.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    /// How many steps wider than needed the head is.
    pub(crate) wider: u8,
    /// Indefinite length, where the type has one.
    pub(crate) indefinite: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Unsigned(u64),
    Negative(u64),
    Bytes(Vec<u8>),
    Text(Vec<u8>),
    Array(Vec<Node>),
    /// Keys and values in turn.
    Map(Vec<Node>),
    Tag(u64, Box<Node>),
    /// A byte string that holds an item, and bytes after it.
    Embedded(Box<Node>, Vec<u8>),
    /// Bytes as they are: null, floats, nonsense.
    Raw(Vec<u8>),
}

impl Node {
    pub(crate) fn new(value: Value) -> Self {
        Self { value, wider: 0, indefinite: false }
    }

    /// The tree of a good document, with protected header and payload opened.
    pub(crate) fn of_document(bytes: &[u8]) -> Option<Self> {
        let mut root = read(&mut &*bytes)?;
        if let Value::Array(items) = &mut root.value {
            for place in [0, 2] {
                let Value::Bytes(inner) = &items.get(place)?.value else { return None };
                items[place].value = Value::Embedded(Box::new(read(&mut &inner[..])?), Vec::new());
            }
        }
        Some(root)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    /// This node and all below it.
    pub(crate) fn count(&self) -> usize {
        1 + self.children().map(Node::count).sum::<usize>()
    }

    /// The node with this number, counted from the top.
    pub(crate) fn at(&mut self, mut number: usize) -> Option<&mut Self> {
        if number == 0 {
            return Some(self);
        }
        number -= 1;
        for child in self.children_mut() {
            let count = child.count();
            if number < count {
                return child.at(number);
            }
            number -= count;
        }
        None
    }

    fn children(&self) -> impl Iterator<Item = &Self> {
        let (many, one) = match &self.value {
            Value::Array(items) | Value::Map(items) => (&items[..], None),
            Value::Tag(_, inner) | Value::Embedded(inner, _) => (&[][..], Some(&**inner)),
            _ => (&[][..], None),
        };
        many.iter().chain(one)
    }

    fn children_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        let (many, one) = match &mut self.value {
            Value::Array(items) | Value::Map(items) => (&mut items[..], None),
            Value::Tag(_, inner) | Value::Embedded(inner, _) => (&mut [][..], Some(&mut **inner)),
            _ => (&mut [][..], None),
        };
        many.iter_mut().chain(one)
    }

    fn write(&self, out: &mut Vec<u8>) {
        match &self.value {
            Value::Unsigned(value) => head(0, *value, self.wider, out),
            Value::Negative(value) => head(1, *value, self.wider, out),
            Value::Bytes(bytes) => self.write_string(2, bytes, out),
            Value::Text(bytes) => self.write_string(3, bytes, out),
            Value::Embedded(inner, after) => {
                let mut bytes = inner.encode();
                bytes.extend_from_slice(after);
                self.write_string(2, &bytes, out);
            }
            Value::Array(items) => self.write_items(4, items.len(), items, out),
            Value::Map(items) => self.write_items(5, items.len() / 2, items, out),
            Value::Tag(number, inner) => {
                head(6, *number, self.wider, out);
                inner.write(out);
            }
            Value::Raw(bytes) => out.extend_from_slice(bytes),
        }
    }

    fn write_string(&self, major: u8, bytes: &[u8], out: &mut Vec<u8>) {
        if self.indefinite {
            out.push(major << 5 | 31);
            let (left, right) = bytes.split_at(bytes.len() / 2);
            for part in [left, right] {
                head(major, part.len() as u64, self.wider, out);
                out.extend_from_slice(part);
            }
            out.push(0xff);
        } else {
            head(major, bytes.len() as u64, self.wider, out);
            out.extend_from_slice(bytes);
        }
    }

    fn write_items(&self, major: u8, count: usize, items: &[Self], out: &mut Vec<u8>) {
        if self.indefinite {
            out.push(major << 5 | 31);
        } else {
            head(major, count as u64, self.wider, out);
        }
        for item in items {
            item.write(out);
        }
        if self.indefinite {
            out.push(0xff);
        }
    }
}

fn head(major: u8, value: u64, wider: u8, out: &mut Vec<u8>) {
    let shortest = match value {
        0..24 => 0,
        24..0x100 => 1,
        0x100..0x1_0000 => 2,
        0x1_0000..0x1_0000_0000 => 3,
        _ => 4,
    };
    let bytes = value.to_be_bytes();
    match (shortest + wider).min(4) {
        0 => out.push(major << 5 | bytes[7]),
        step => {
            out.push(major << 5 | (23 + step));
            out.extend_from_slice(&bytes[8 - (1 << (step - 1))..]);
        }
    }
}

/// Reads the definite, shortest forms that the documents have.
fn read(rest: &mut &[u8]) -> Option<Node> {
    let (&first, mut tail) = rest.split_first()?;
    let length = match first & 0x1f {
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => 0,
    };
    let (extra, after) = tail.split_at_checked(length)?;
    tail = after;
    let argument = if length == 0 {
        u64::from(first & 0x1f)
    } else {
        extra.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
    };
    let count = usize::try_from(argument).ok()?;
    *rest = tail;
    let mut items = |count: usize| (0..count).map(|_| read(rest)).collect::<Option<Vec<_>>>();
    let value = match first >> 5 {
        0 => Value::Unsigned(argument),
        1 => Value::Negative(argument),
        4 => Value::Array(items(count)?),
        5 => Value::Map(items(2 * count)?),
        6 => Value::Tag(argument, Box::new(items(1)?.pop()?)),
        7 => Value::Raw(vec![first]),
        major => {
            let (bytes, after) = rest.split_at_checked(count)?;
            *rest = after;
            if major == 2 { Value::Bytes(bytes.to_vec()) } else { Value::Text(bytes.to_vec()) }
        }
    };
    Some(Node::new(value))
}
