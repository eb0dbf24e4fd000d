use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A `vector<u8>` whose length the contract checks when it is written: 32 for keys and hashes, 48 for a PCR, 144 for
/// PCR0‖PCR1‖PCR2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes<const N: usize>(pub [u8; N]);

/// A key or a hash.
pub type Bytes32 = Bytes<32>;
/// One PCR.
pub type Pcr = Bytes<48>;
/// PCR0‖PCR1‖PCR2: the name of a release.
pub type Pcrs = Bytes<144>;

impl<const N: usize> Bytes<N> {
    /// The bytes as the `vector<u8>` that a call takes.
    pub fn to_vec(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl<const N: usize> TryFrom<&[u8]> for Bytes<N> {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl<const N: usize> fmt::Display for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<const N: usize> fmt::Debug for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> Serialize for Bytes<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&self.to_string())
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de, const N: usize> Deserialize<'de> for Bytes<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            let mut bytes = [0; N];
            hex::decode_to_slice(text, &mut bytes).map_err(D::Error::custom)?;
            Ok(Self(bytes))
        } else {
            deserializer.deserialize_bytes(Exactly)
        }
    }
}

struct Exactly<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for Exactly<N> {
    type Value = Bytes<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exactly {N} bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Bytes::try_from(bytes).map_err(|_| E::invalid_length(bytes.len(), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut bytes = [0; N];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(index, &self))?;
        }
        match seq.next_element::<u8>()? {
            None => Ok(Bytes(bytes)),
            Some(_) => Err(A::Error::invalid_length(N + 1, &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_a_vector_and_the_length_is_checked() {
        let bytes = Bytes::<3>([1, 2, 3]);
        assert_eq!(bcs::to_bytes(&bytes).unwrap(), bcs::to_bytes(&vec![1_u8, 2, 3]).unwrap());
        assert_eq!(bcs::from_bytes::<Bytes<3>>(&[3, 1, 2, 3]).unwrap(), bytes);
        assert!(bcs::from_bytes::<Bytes<3>>(&[2, 1, 2]).is_err());
        assert!(bcs::from_bytes::<Bytes<3>>(&[4, 1, 2, 3, 4]).is_err());
        assert_eq!(serde_json::to_string(&bytes).unwrap(), "\"010203\"");
        assert_eq!(serde_json::from_str::<Bytes<3>>("\"010203\"").unwrap(), bytes);
    }
}
