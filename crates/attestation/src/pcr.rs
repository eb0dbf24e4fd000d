//! Platform configuration registers.

use std::fmt;

/// The value of a register: a SHA-384 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pcr(pub [u8; 48]);

impl Pcr {
    /// Never extended; for PCR0 to 2: the enclave runs in debug mode.
    pub const ZERO: Self = Self([0; 48]);

    /// Whether every byte is zero.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl TryFrom<&[u8]> for Pcr {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

/// Lower-case hexadecimal, as `nitro-cli describe-eif` prints it.
impl fmt::Display for Pcr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Pcr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The registers of a document, by index.
#[derive(Clone, PartialEq, Eq)]
pub struct Pcrs(Box<[Option<Pcr>; Self::COUNT]>);

impl Pcrs {
    /// How many a device has (AWS, `attestation_process.md` §3.2.2.2).
    pub const COUNT: usize = 32;

    /// The register at `index`, if the document shows it.
    pub fn get(&self, index: u8) -> Option<&Pcr> {
        self.0.get(usize::from(index))?.as_ref()
    }

    /// All that the document shows, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &Pcr)> {
        (0..).zip(self.0.iter()).filter_map(|(index, value)| Some((index, value.as_ref()?)))
    }

    pub(crate) fn empty() -> Self {
        Self(Box::new([None; Self::COUNT]))
    }

    /// The place of `index`, if there is one.
    pub(crate) fn slot(&mut self, index: u64) -> Option<&mut Option<Pcr>> {
        self.0.get_mut(usize::try_from(index).ok()?)
    }
}

impl fmt::Debug for Pcrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
