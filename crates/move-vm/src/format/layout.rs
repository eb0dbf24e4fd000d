//! The header of a module: its version, and where each table is.

use super::reader::Reader;
use crate::LoadError;

const MAGIC: [u8; 4] = [0xa1, 0x1c, 0xeb, 0x0b];
/// From version 7 the top byte of the version is the flavour, 5 for Sui (`file_format_common.rs`, `BinaryFlavor`).
const SUI_FLAVOUR: u32 = 0x0500_0000;
/// Sui's `max_move_package_size` is 100 KiB; a module is never larger.
const MODULE_BYTES: usize = 256 * 1024;
type Result<T> = std::result::Result<T, LoadError>;

/// Where each table is.
pub(super) struct Layout<'a> {
    pub(super) version: u32,
    /// Kind, offset of the first byte in the module, contents.
    pub(super) tables: Vec<(u8, usize, &'a [u8])>,
    pub(super) self_module: u16,
}

impl<'a> Layout<'a> {
    pub(super) fn table(&self, kind: u8) -> (usize, &'a [u8]) {
        self.tables.iter().find(|t| t.0 == kind).map_or((0, &[]), |t| (t.1, t.2))
    }
}

/// Reads the header. Tables must fill the body without gaps or overlaps, as the real loader demands.
pub(super) fn layout(bytes: &[u8]) -> Result<Layout<'_>> {
    if bytes.len() > MODULE_BYTES {
        return Err(LoadError::TooLarge("module bytes"));
    }
    let mut r = Reader::new(bytes);
    if r.array::<4>()? != MAGIC {
        return Err(LoadError::Malformed("magic"));
    }
    let raw = u32::from_le_bytes(r.array()?);
    let version = if raw & SUI_FLAVOUR == SUI_FLAVOUR { raw & !SUI_FLAVOUR } else { raw };
    if !(5..=7).contains(&version) {
        return Err(LoadError::UnsupportedVersion(raw));
    }
    let count = r.small()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let entry = (r.byte()?, r.size()?, r.size()?);
        if entries.iter().any(|e: &(u8, usize, usize)| e.0 == entry.0) {
            return Err(LoadError::Malformed("duplicate table"));
        }
        if !matches!(entry.0, 0x01..=0x08 | 0x0a..=0x14) {
            return Err(LoadError::Malformed("unknown table"));
        }
        entries.push(entry);
    }
    entries.sort_by_key(|e| e.1);
    let start = r.position();
    let mut end = 0_usize;
    for entry in &entries {
        if entry.1 != end || entry.2 == 0 {
            return Err(LoadError::Malformed("tables overlap or leave gaps"));
        }
        end = end.checked_add(entry.2).ok_or(LoadError::Malformed("table size"))?;
    }
    let body = r.take(end)?;
    let self_module = r.index()?;
    if !r.is_empty() {
        return Err(LoadError::Malformed("trailing bytes"));
    }
    let tables = entries.iter().map(|e| (e.0, start + e.1, &body[e.1..e.1 + e.2])).collect();
    Ok(Layout { version, tables, self_module })
}
