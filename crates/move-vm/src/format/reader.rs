//! A cursor over untrusted bytes.

use crate::LoadError;

/// Reads items off the front of a slice.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn is_empty(&self) -> bool {
        self.position >= self.bytes.len()
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], LoadError> {
        let end = self.position.checked_add(length).ok_or(LoadError::Malformed("length"))?;
        let slice = self.bytes.get(self.position..end).ok_or(LoadError::Malformed("unexpected end"))?;
        self.position = end;
        Ok(slice)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        let slice = self.take(N)?;
        let mut array = [0; N];
        array.copy_from_slice(slice);
        Ok(array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, LoadError> {
        Ok(self.array::<1>()?[0])
    }

    /// Canonical ULEB128, at most 64 bits.
    pub(super) fn uleb(&mut self) -> Result<u64, LoadError> {
        let mut value: u64 = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return Err(LoadError::Malformed("ULEB128 too large"));
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                if shift > 0 && part == 0 {
                    return Err(LoadError::Malformed("ULEB128 not canonical"));
                }
                return Ok(value);
            }
        }
        Err(LoadError::Malformed("ULEB128 too long"))
    }

    /// ULEB128 that fits 16 bits: every table index.
    pub(super) fn index(&mut self) -> Result<u16, LoadError> {
        u16::try_from(self.uleb()?).map_err(|_| LoadError::Malformed("index too large"))
    }

    /// ULEB128 that fits 8 bits: local indices, counts of fields and type parameters.
    pub(super) fn small(&mut self) -> Result<u8, LoadError> {
        u8::try_from(self.uleb()?).map_err(|_| LoadError::Malformed("count too large"))
    }

    /// ULEB128 that fits 32 bits: table offsets and sizes.
    pub(super) fn size(&mut self) -> Result<usize, LoadError> {
        let value = u32::try_from(self.uleb()?).map_err(|_| LoadError::Malformed("size too large"))?;
        usize::try_from(value).map_err(|_| LoadError::Malformed("size too large"))
    }
}
