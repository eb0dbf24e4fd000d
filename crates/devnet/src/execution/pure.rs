//! Which values may come from the bytes of a pure input, and whether bytes are such a value
//! (`PrimitiveArgumentLayout`, sui-adapter/programmable_transactions/execution.rs).

use sui_sdk_types::{Address, StructTag, TypeTag};

/// The layout of a value without identity or invariant beyond its layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PureLayout {
    Bool,
    /// A fixed number of bytes, all of them valid.
    Bytes(usize),
    Ascii,
    Utf8,
    Option(Box<PureLayout>),
    Vector(Box<PureLayout>),
}

impl PureLayout {
    /// The layout of the type, if it may come from bytes: numbers, `bool`, `address`, `0x2::object::ID`, strings, and
    /// options and vectors of these.
    pub(super) fn of(type_: &TypeTag) -> Option<Self> {
        Some(match type_ {
            TypeTag::Bool => Self::Bool,
            TypeTag::U8 => Self::Bytes(1),
            TypeTag::U16 => Self::Bytes(2),
            TypeTag::U32 => Self::Bytes(4),
            TypeTag::U64 => Self::Bytes(8),
            TypeTag::U128 => Self::Bytes(16),
            TypeTag::U256 | TypeTag::Address => Self::Bytes(32),
            TypeTag::Signer => return None,
            TypeTag::Vector(inner) => Self::Vector(Box::new(Self::of(inner)?)),
            TypeTag::Struct(tag) => return Self::of_struct(tag),
        })
    }

    /// Whether the bytes are exactly one value of this layout.
    pub(super) fn accepts(&self, bytes: &[u8]) -> bool {
        self.read(bytes).is_some_and(<[u8]>::is_empty)
    }

    fn of_struct(tag: &StructTag) -> Option<Self> {
        let std = Address::from_static("0x1");
        match (tag.module().as_str(), tag.name().as_str(), tag.type_params()) {
            ("object", "ID", []) if *tag.address() == Address::TWO => Some(Self::Bytes(32)),
            ("string", "String", []) if *tag.address() == std => Some(Self::Utf8),
            ("ascii", "String", []) if *tag.address() == std => Some(Self::Ascii),
            ("option", "Option", [inner]) if *tag.address() == std => Some(Self::Option(Box::new(Self::of(inner)?))),
            _ => None,
        }
    }

    fn read<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Bool => match bytes.split_first()? {
                (0 | 1, rest) => Some(rest),
                _ => None,
            },
            Self::Bytes(length) => bytes.get(*length..),
            Self::Ascii => {
                let (text, rest) = read_bytes(bytes)?;
                text.is_ascii().then_some(rest)
            }
            Self::Utf8 => {
                let (text, rest) = read_bytes(bytes)?;
                std::str::from_utf8(text).ok().map(|_| rest)
            }
            Self::Option(inner) => match bytes.split_first()? {
                (0, rest) => Some(rest),
                (1, rest) => inner.read(rest),
                _ => None,
            },
            Self::Vector(inner) => {
                let (length, mut rest) = read_length(bytes)?;
                for _ in 0..length {
                    rest = inner.read(rest)?;
                }
                Some(rest)
            }
        }
    }
}

fn read_bytes(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = read_length(bytes)?;
    rest.split_at_checked(length as usize)
}

/// A ULEB128 length in its shortest form, at most 2³¹−1, as BCS has it.
fn read_length(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let shortest = index == 0 || *byte != 0;
            let length = u32::try_from(value).ok().filter(|length| shortest && i32::try_from(*length).is_ok())?;
            return Some((length, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(type_: &str, bytes: &[u8]) -> bool {
        PureLayout::of(&type_.parse().unwrap()).unwrap().accepts(bytes)
    }

    #[test]
    fn plain_values_need_exactly_their_bytes() {
        assert!(accepts("u64", &7u64.to_le_bytes()));
        assert!(!accepts("u64", &[0; 7]));
        assert!(!accepts("u64", &[0; 9]));
        assert!(accepts("bool", &[1]));
        assert!(!accepts("bool", &[2]));
        assert!(accepts("0x2::object::ID", &[9; 32]));
    }

    #[test]
    fn strings_must_be_valid_in_their_encoding() {
        assert!(accepts("0x1::string::String", &bcs::to_bytes("깃발").unwrap()));
        assert!(!accepts("0x1::string::String", &[2, 0xff, 0xfe]));
        assert!(accepts("0x1::ascii::String", &bcs::to_bytes("flag").unwrap()));
        assert!(!accepts("0x1::ascii::String", &bcs::to_bytes("깃발").unwrap()));
    }

    #[test]
    fn vectors_and_options_nest() {
        let nested = "vector<vector<0x1::option::Option<0x1::string::String>>>";
        let value = vec![vec![Some("a"), None], vec![]];
        assert!(accepts(nested, &bcs::to_bytes(&value).unwrap()));
        assert!(!accepts("0x1::option::Option<u8>", &[2, 0]));
        assert!(!accepts("vector<u8>", &[3, 0, 0]));
    }

    #[test]
    fn lengths_have_one_encoding() {
        assert!(accepts("vector<u8>", &[0]));
        assert!(!accepts("vector<u8>", &[0x80, 0x00]));
        assert!(!accepts("vector<u8>", &[0xff, 0xff, 0xff, 0xff, 0xff, 0x01]));
    }

    #[test]
    fn a_long_vector_of_little_is_refused_at_its_first_missing_byte() {
        assert!(!accepts("vector<vector<u8>>", &[0xff, 0xff, 0xff, 0xff, 0x07]));
    }

    #[test]
    fn objects_and_other_structs_never_come_from_bytes() {
        for type_ in ["0x2::coin::Coin<0x2::sui::SUI>", "0x2::object::UID", "signer", "vector<0x5::m::T>"] {
            assert_eq!(PureLayout::of(&type_.parse().unwrap()), None, "{type_}");
        }
    }
}
