//! Strict CBOR: what attestation documents are made of, and nothing else.
//!
//! Of RFC 8949 only definite lengths and the shortest form of every head are read (§4.2.1), and only integers, byte and text
//! strings, arrays, maps, tags and null. Nothing recurses: the caller reads item by item what it expects, so nesting costs
//! no memory. Keys of maps are checked for repetition by the caller, who knows them; their order is free, as AWS' is.

/// What is wrong with an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The bytes end inside an item.
    Truncated,
    /// Indefinite length (additional information 31).
    IndefiniteLength,
    /// A length or integer that has a shorter form.
    NotShortest,
    /// Additional information 28 to 30.
    Reserved,
    /// Another type than the one that belongs here.
    WrongType,
    /// Text that is not UTF-8.
    NotUtf8,
    /// Bytes after the last item.
    TrailingBytes,
}

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const NULL: u8 = 0xf6;

/// Reads items from a slice.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// An unsigned integer.
    pub fn unsigned(&mut self) -> Result<u64, Fault> {
        self.head(UNSIGNED)
    }

    /// An integer of either sign.
    pub fn integer(&mut self) -> Result<i128, Fault> {
        match self.major()? {
            NEGATIVE => Ok(-1 - i128::from(self.head(NEGATIVE)?)),
            _ => Ok(i128::from(self.head(UNSIGNED)?)),
        }
    }

    /// A byte string.
    pub fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.head(BYTES)?;
        self.take(length)
    }

    /// A byte string or null.
    pub fn bytes_or_null(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        match self.rest.split_first() {
            Some((&NULL, rest)) => {
                self.rest = rest;
                Ok(None)
            }
            _ => self.bytes().map(Some),
        }
    }

    /// A text string.
    pub fn text(&mut self) -> Result<&'a str, Fault> {
        let length = self.head(TEXT)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Fault::NotUtf8)
    }

    /// The head of an array: how many items follow.
    pub fn array(&mut self) -> Result<u64, Fault> {
        self.head(ARRAY)
    }

    /// The head of a map: how many pairs follow.
    pub fn map(&mut self) -> Result<u64, Fault> {
        self.head(MAP)
    }

    /// The number of a tag, if one stands here; its content follows.
    pub fn tag(&mut self) -> Result<Option<u64>, Fault> {
        if self.major()? == TAG { self.head(TAG).map(Some) } else { Ok(None) }
    }

    /// Nothing may follow.
    pub fn finish(self) -> Result<(), Fault> {
        if self.rest.is_empty() { Ok(()) } else { Err(Fault::TrailingBytes) }
    }

    fn major(&self) -> Result<u8, Fault> {
        self.rest.first().map(|byte| byte >> 5).ok_or(Fault::Truncated)
    }

    /// The argument of an item's head (RFC 8949 §3), if the item has this major type.
    fn head(&mut self, major: u8) -> Result<u64, Fault> {
        if self.major()? != major {
            return Err(Fault::WrongType);
        }
        let information = self.take(1)?[0] & 0x1f;
        let (value, shortest_from) = match information {
            0..24 => return Ok(u64::from(information)),
            24 => (u64::from(self.take(1)?[0]), 24),
            25 => (self.big_endian(2)?, 1 << 8),
            26 => (self.big_endian(4)?, 1 << 16),
            27 => (self.big_endian(8)?, 1 << 32),
            31 => return Err(Fault::IndefiniteLength),
            _ => return Err(Fault::Reserved),
        };
        if value < shortest_from { Err(Fault::NotShortest) } else { Ok(value) }
    }

    fn big_endian(&mut self, length: u64) -> Result<u64, Fault> {
        Ok(self.take(length)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Fault> {
        let length = usize::try_from(length).map_err(|_| Fault::Truncated)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Fault::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Writes items in their shortest form.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An integer of either sign.
    pub fn integer(&mut self, value: i64) -> &mut Self {
        match u64::try_from(value) {
            Ok(value) => self.head(UNSIGNED, value),
            Err(_) => self.head(NEGATIVE, (-1 - value).unsigned_abs()),
        }
    }

    /// An unsigned integer.
    pub fn unsigned(&mut self, value: u64) -> &mut Self {
        self.head(UNSIGNED, value)
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.head(BYTES, value.len() as u64).raw(value)
    }

    /// A byte string, or null.
    pub fn bytes_or_null(&mut self, value: Option<&[u8]>) -> &mut Self {
        match value {
            Some(value) => self.bytes(value),
            None => self.raw(&[NULL]),
        }
    }

    /// A text string.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.head(TEXT, value.len() as u64).raw(value.as_bytes())
    }

    /// The head of an array of `count` items, which the caller writes next.
    pub fn array(&mut self, count: u64) -> &mut Self {
        self.head(ARRAY, count)
    }

    /// The head of a map of `count` pairs, which the caller writes next.
    pub fn map(&mut self, count: u64) -> &mut Self {
        self.head(MAP, count)
    }

    /// A tag, whose content the caller writes next.
    pub fn tag(&mut self, number: u64) -> &mut Self {
        self.head(TAG, number)
    }

    /// What has been written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    #[expect(clippy::cast_possible_truncation, reason = "each arm's range fits")]
    fn head(&mut self, major: u8, value: u64) -> &mut Self {
        let major = major << 5;
        match value {
            0..24 => self.raw(&[major | value as u8]),
            24..0x100 => self.raw(&[major | 0x18, value as u8]),
            0x100..0x1_0000 => self.raw(&[major | 0x19]).raw(&(value as u16).to_be_bytes()),
            0x1_0000..0x1_0000_0000 => self.raw(&[major | 0x1a]).raw(&(value as u32).to_be_bytes()),
            _ => self.raw(&[major | 0x1b]).raw(&value.to_be_bytes()),
        }
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsigned(bytes: &[u8]) -> Result<u64, Fault> {
        Reader::new(bytes).unsigned()
    }

    /// RFC 8949 Appendix A.
    #[test]
    fn the_examples_of_the_standard_are_read() {
        assert_eq!(unsigned(&[0x17]), Ok(23));
        assert_eq!(unsigned(&[0x18, 0x18]), Ok(24));
        assert_eq!(unsigned(&[0x19, 0x03, 0xe8]), Ok(1000));
        assert_eq!(unsigned(&[0x1a, 0x00, 0x0f, 0x42, 0x40]), Ok(1_000_000));
        assert_eq!(unsigned(&[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Ok(u64::MAX));
        assert_eq!(Reader::new(&[0x38, 0x63]).integer(), Ok(-100));
        assert_eq!(Reader::new(&[0x44, 1, 2, 3, 4]).bytes(), Ok(&[1, 2, 3, 4][..]));
        assert_eq!(Reader::new(&[0x62, 0xc3, 0xbc]).text(), Ok("\u{fc}"));
        assert_eq!(Reader::new(&[0xc1, 0x00]).tag(), Ok(Some(1)));
        assert_eq!(Reader::new(&[0xf6]).bytes_or_null(), Ok(None));
    }

    #[test]
    fn every_head_has_one_form() {
        for (bytes, fault) in [
            (&[0x18, 0x17][..], Fault::NotShortest),
            (&[0x19, 0x00, 0xff], Fault::NotShortest),
            (&[0x1a, 0, 0, 0xff, 0xff], Fault::NotShortest),
            (&[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], Fault::NotShortest),
            (&[0x1f], Fault::IndefiniteLength),
            (&[0x1c], Fault::Reserved),
            (&[0x19, 0x01], Fault::Truncated),
            (&[], Fault::Truncated),
            (&[0x40], Fault::WrongType),
        ] {
            assert_eq!(unsigned(bytes), Err(fault), "{bytes:02x?}");
        }
        assert_eq!(Reader::new(&[0x5f, 0x41, 0, 0xff]).bytes(), Err(Fault::IndefiniteLength));
        assert_eq!(Reader::new(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).bytes(), Err(Fault::Truncated));
        assert_eq!(Reader::new(&[0]).finish(), Err(Fault::TrailingBytes));
        assert_eq!(Reader::new(&[0x61, 0xff]).text(), Err(Fault::NotUtf8));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for value in
            [0, 23, 24, 255, 256, 65_535, 65_536, 0xffff_ffff, 0x1_0000_0000, i64::MAX, -1, -24, -25, -35, i64::MIN]
        {
            let mut writer = Writer::default();
            writer.integer(value);
            assert_eq!(Reader::new(&writer.into_bytes()).integer(), Ok(i128::from(value)));
        }
    }
}
