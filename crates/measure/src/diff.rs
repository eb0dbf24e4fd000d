//! Where two images differ, down to the file in a ramdisk, and whether a register tells.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cpio::{Archive, Entry};
use crate::describe::measured_by;
use crate::eif::{Eif, SectionKind};
use crate::ramdisk::unpack;
use crate::registers::Register;

/// The difference between two images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Each change, in the order of the file.
    pub changes: Vec<Change>,
    /// The registers that differ.
    pub pcrs: Vec<RegisterChange>,
    /// What the registers say about the changes.
    pub meaning: Meaning,
}

/// One change, from the first image to the second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where: `header`, `kernel`, `cmdline`, `metadata`, `signature`, or `ramdisk 0` and so on.
    pub section: String,
    /// The file in the ramdisk, from its root.
    pub file: Option<String>,
    /// What changed about it.
    pub kind: ChangeKind,
    /// How: before and after, or where the first byte differs.
    pub detail: String,
    /// The registers that measure the place.
    pub measured_by: &'static [u8],
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Bytes.
    Content,
    /// Permissions.
    Mode,
    /// User or group.
    Owner,
    /// A symbolic link's target.
    LinkTarget,
    /// The kind of file.
    FileType,
    /// A device's numbers.
    Device,
    /// The time of the last change.
    Time,
    /// It is in the second image only.
    Added,
    /// It is in the first image only.
    Removed,
    /// The same files in other bytes: order, inode numbers, padding or compression.
    Packing,
}

/// A register that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegisterChange {
    /// Which one.
    pub index: u8,
    /// In the first image; none if it has no such register.
    pub before: Option<Register>,
    /// In the second image.
    pub after: Option<Register>,
}

/// What the registers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// The files are the same, byte for byte.
    Identical,
    /// The files differ only in bytes that no register measures: header, metadata, signature value. The enclaves are the same.
    Unmeasured,
    /// The measured sections differ but their bytes one after another do not: a byte moved from one section's end to the next
    /// one's beginning. Registers measure the joined bytes and not where a section ends.
    BoundaryMoved,
    /// A register differs: these are two different enclaves.
    Measured,
}

/// Compares two images. Compressed ramdisks are unpacked to at most `unpack_limit` bytes each; what cannot be unpacked is
/// compared as bytes.
pub fn diff(before: &Eif<'_>, after: &Eif<'_>, unpack_limit: usize) -> Difference {
    let mut changes = Changes::default();
    changes.header(before, after);
    changes.bytes("kernel", measured_by(SectionKind::Kernel, 0), before.kernel(), after.kernel());
    changes.cmdline(before.cmdline(), after.cmdline());
    changes.metadata(before, after);
    let (ours, theirs): (Vec<_>, Vec<_>) = (before.ramdisks().collect(), after.ramdisks().collect());
    for index in 0..ours.len().max(theirs.len()) {
        changes.ramdisk(index, ours.get(index).copied(), theirs.get(index).copied(), unpack_limit);
    }
    changes.signature(before, after);

    let pcrs = registers(before, after);
    let touches_measured = changes.0.iter().any(|change| !change.measured_by.is_empty());
    let meaning = match (changes.0.is_empty(), pcrs.is_empty()) {
        (true, true) => Meaning::Identical,
        (_, false) => Meaning::Measured,
        (false, true) if touches_measured => Meaning::BoundaryMoved,
        (false, true) => Meaning::Unmeasured,
    };
    Difference { changes: changes.0, pcrs, meaning }
}

#[derive(Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn add(&mut self, section: &str, measured_by: &'static [u8], kind: ChangeKind, detail: impl Into<String>) {
        let (section, detail) = (section.to_owned(), detail.into());
        self.0.push(Change { section, file: None, kind, detail, measured_by });
    }

    fn bytes(&mut self, section: &str, measured_by: &'static [u8], before: &[u8], after: &[u8]) {
        if let Some(detail) = first_difference(before, after) {
            self.add(section, measured_by, ChangeKind::Content, detail);
        }
    }

    fn header(&mut self, before: &Eif<'_>, after: &Eif<'_>) {
        let mut field = |name: &str, before: String, after: String| {
            if before != after {
                self.add("header", &[], ChangeKind::Content, format!("{name}: {before} → {after}"));
            }
        };
        let architecture = |eif: &Eif<'_>| format!("{:?}", eif.architecture());
        field("architecture", architecture(before), architecture(after));
        field("default memory", before.default_memory().to_string(), after.default_memory().to_string());
        field("default processors", before.default_cpus().to_string(), after.default_cpus().to_string());
        let order = |eif: &Eif<'_>| {
            let kinds: Vec<_> = eif.sections().iter().map(|section| section.kind.to_string()).collect();
            kinds.join(", ")
        };
        let kinds = |eif: &Eif<'_>| {
            let mut kinds: Vec<_> = eif.sections().iter().map(|section| section.kind).collect();
            kinds.sort_unstable();
            kinds
        };
        // Sections that were added or removed are named where they stand.
        if kinds(before) == kinds(after) {
            field("order of sections", order(before), order(after));
        }
    }

    fn cmdline(&mut self, before: &[u8], after: &[u8]) {
        if before != after {
            let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
            let measured_by = measured_by(SectionKind::Cmdline, 0);
            self.add("cmdline", measured_by, ChangeKind::Content, format!("{before:?} → {after:?}"));
        }
    }

    fn metadata(&mut self, before: &Eif<'_>, after: &Eif<'_>) {
        match (before.metadata_bytes(), after.metadata_bytes()) {
            (None, None) => {}
            (Some(_), None) => self.add("metadata", &[], ChangeKind::Removed, ""),
            (None, Some(_)) => self.add("metadata", &[], ChangeKind::Added, ""),
            (Some(before), Some(after)) => self.bytes("metadata", &[], before, after),
        }
    }

    fn signature(&mut self, before: &Eif<'_>, after: &Eif<'_>) {
        let measured = measured_by(SectionKind::Signature, 0);
        match (before.signature(), after.signature()) {
            (None, None) => {}
            (Some(_), None) => self.add("signature", measured, ChangeKind::Removed, ""),
            (None, Some(_)) => self.add("signature", measured, ChangeKind::Added, ""),
            (Some(before), Some(after)) => {
                let (old, new) = (before.certificate(), after.certificate());
                if old.der() != new.der() {
                    let detail = format!("certificate: {:?} → {:?}", old.subject(), new.subject());
                    self.add("signature", measured, ChangeKind::Content, detail);
                } else if old != new {
                    self.add("signature", &[], ChangeKind::Packing, "text around the same certificate");
                }
                if before.cose() != after.cose() {
                    self.add("signature", &[], ChangeKind::Content, "signature value");
                }
            }
        }
    }

    fn ramdisk(&mut self, index: usize, before: Option<&[u8]>, after: Option<&[u8]>, limit: usize) {
        let measured_by = measured_by(SectionKind::Ramdisk, index);
        let section = format!("ramdisk {index}");
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) if before != after => (before, after),
            (Some(_), None) => return self.add(&section, measured_by, ChangeKind::Removed, ""),
            (None, Some(_)) => return self.add(&section, measured_by, ChangeKind::Added, ""),
            _ => return,
        };
        let (Ok(old), Ok(new)) = (unpack(before, limit), unpack(after, limit)) else {
            return self.bytes(&section, measured_by, before, after);
        };
        let (Ok(old), Ok(new)) = (Archive::parse(&old), Archive::parse(&new)) else {
            return self.bytes(&section, measured_by, before, after);
        };
        let found = self.0.len();
        let (old, new) = (by_path(&old), by_path(&new));
        for path in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let mut add = |kind, detail: String| {
                let file = Some(String::from_utf8_lossy(path).into_owned());
                self.0.push(Change { section: section.clone(), file, kind, detail, measured_by });
            };
            match (old.get(path), new.get(path)) {
                (Some(old), Some(new)) => compare(old, new, &mut add),
                (Some(_), None) => add(ChangeKind::Removed, String::new()),
                _ => add(ChangeKind::Added, String::new()),
            }
        }
        if self.0.len() == found {
            self.add(&section, measured_by, ChangeKind::Packing, "the same files in other bytes");
        }
    }
}

fn compare(old: &Entry<'_>, new: &Entry<'_>, add: &mut impl FnMut(ChangeKind, String)) {
    use crate::cpio::FileType;
    if old.file_type() != new.file_type() {
        // What else differs follows from it.
        return add(ChangeKind::FileType, format!("{:?} → {:?}", old.file_type(), new.file_type()));
    }
    if old.mode != new.mode {
        add(ChangeKind::Mode, format!("{:04o} → {:04o}", old.mode & 0o7777, new.mode & 0o7777));
    }
    if old.owner != new.owner {
        let owner = |entry: &Entry<'_>| format!("{}:{}", entry.owner.0, entry.owner.1);
        add(ChangeKind::Owner, format!("{} → {}", owner(old), owner(new)));
    }
    if old.device != new.device {
        let device = |entry: &Entry<'_>| format!("{}:{}", entry.device.0, entry.device.1);
        add(ChangeKind::Device, format!("{} → {}", device(old), device(new)));
    }
    if old.modified != new.modified {
        add(ChangeKind::Time, format!("{} → {}", old.modified, new.modified));
    }
    if old.file_type() == FileType::SymbolicLink && old.content != new.content {
        let target = |entry: &Entry<'_>| String::from_utf8_lossy(entry.content).into_owned();
        add(ChangeKind::LinkTarget, format!("{:?} → {:?}", target(old), target(new)));
    } else if let Some(detail) = first_difference(old.content, new.content) {
        add(ChangeKind::Content, detail);
    }
}

/// A later entry replaces an earlier one of the same path, as when the kernel unpacks them.
fn by_path<'a, 'b>(archive: &'b Archive<'a>) -> BTreeMap<&'b [u8], &'b Entry<'a>> {
    archive.entries().iter().map(|entry| (entry.path_from_root(), entry)).collect()
}

fn first_difference(before: &[u8], after: &[u8]) -> Option<String> {
    if before == after {
        return None;
    }
    let same = before.iter().zip(after).take_while(|(before, after)| before == after).count();
    Some(format!("{} → {} bytes, first difference at byte {same}", before.len(), after.len()))
}

fn registers(before: &Eif<'_>, after: &Eif<'_>) -> Vec<RegisterChange> {
    let (before, after) = (before.registers().by_index(), after.registers().by_index());
    let indexes: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
    let value = |registers: &BTreeMap<u8, Register>, index| registers.get(&index).copied();
    indexes
        .into_iter()
        .map(|index| RegisterChange { index, before: value(&before, index), after: value(&after, index) })
        .filter(|change| change.before != change.after)
        .collect()
}
