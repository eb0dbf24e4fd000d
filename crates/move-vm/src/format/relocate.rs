//! Giving a module its package's address before it is published.

use sui_sdk_types::Address;

use super::{layout::layout, reader::Reader};
use crate::LoadError;

/// Replaces the module's own address, 0x0 as compiled, by the package id, as Sui does when publishing
/// (`sui-execution`, `substitute_package_id`). A module compiled at another address is refused.
pub(crate) fn with_self_address(bytes: &[u8], package: Address) -> Result<Vec<u8>, LoadError> {
    let layout = layout(bytes)?;
    let mut handles = Reader::new(layout.table(0x01).1);
    for _ in 0..layout.self_module {
        handles.index()?;
        handles.index()?;
    }
    let address = usize::from(handles.index()?);
    let (start, table) = layout.table(0x08);
    let offset = address * Address::LENGTH;
    let own = table.get(offset..offset + Address::LENGTH).ok_or(LoadError::IndexOutOfBounds("address"))?;
    if own != Address::ZERO.as_bytes() {
        return Err(LoadError::Malformed("module was compiled with an address other than 0x0"));
    }
    let mut out = bytes.to_vec();
    out[start + offset..start + offset + Address::LENGTH].copy_from_slice(package.as_bytes());
    Ok(out)
}
