//! Where two images differ, down to the file in a ramdisk, and whether a register tells.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cpio::{Archive, File, FileType, Unpacked};
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
    /// Which other names the file has: hard links.
    Links,
    /// A file that the kernel leaves out in one of the images, or an order of entries from which it may make other files.
    Order,
    /// The same files in other bytes: inode numbers, padding, compression, or an order that means nothing.
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
        changes.ramdisk(index, &ours, &theirs, unpack_limit);
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

    fn ramdisk(&mut self, index: usize, all_before: &[&[u8]], all_after: &[&[u8]], limit: usize) {
        let measured_by = measured_by(SectionKind::Ramdisk, index);
        let section = format!("ramdisk {index}");
        let (before, after) = match (all_before.get(index).copied(), all_after.get(index).copied()) {
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
        let (old, new) = (Unpacked::of(&old), Unpacked::of(&new));
        let (old_links, new_links) = (old.hard_links(), new.hard_links());
        for path in old.paths().chain(new.paths()).collect::<BTreeSet<_>>() {
            let mut add = |kind, detail: String| {
                let file = Some(String::from_utf8_lossy(path).into_owned());
                self.0.push(Change { section: section.clone(), file, kind, detail, measured_by });
            };
            match (old.file(path), new.file(path)) {
                (Some((old, is_there)), Some((new, will_be_there))) => {
                    compare(old, new, &mut add);
                    if is_there != will_be_there {
                        let word = |unpacked| if unpacked { "unpacked" } else { "left out by the kernel" };
                        add(ChangeKind::Order, format!("{} → {}", word(is_there), word(will_be_there)));
                    }
                    let (old, new) = (old_links.get(path), new_links.get(path));
                    if old != new {
                        add(ChangeKind::Links, format!("{} → {}", link(old), link(new)));
                    }
                }
                (Some(_), None) => add(ChangeKind::Removed, String::new()),
                _ => add(ChangeKind::Added, String::new()),
            }
        }
        if self.0.len() > found {
            return;
        }
        let mut earlier = all_before[..index].iter().chain(&all_after[..index]);
        let alone = !earlier.any(|ramdisk| may_leave_links(ramdisk, limit));
        if old.same_outcome(&new, alone) {
            self.add(&section, measured_by, ChangeKind::Packing, "the same files in other bytes");
        } else {
            self.add(&section, measured_by, ChangeKind::Order, "entries in another order, or names that stand twice");
        }
    }
}

fn link(first: Option<&&[u8]>) -> String {
    first.map_or("a file of its own".to_owned(), |first| format!("hard link of {:?}", String::from_utf8_lossy(first)))
}

/// Whether a ramdisk leaves files with several names for the next ones to write through, or cannot be read.
fn may_leave_links(ramdisk: &[u8], limit: usize) -> bool {
    let Ok(unpacked) = unpack(ramdisk, limit) else { return true };
    Archive::parse(&unpacked).map_or(true, |archive| Unpacked::of(&archive).has_links())
}

fn compare(old: &File<'_>, new: &File<'_>, add: &mut impl FnMut(ChangeKind, String)) {
    let (kind, new_kind) = (FileType::of_mode(old.mode), FileType::of_mode(new.mode));
    if kind != new_kind {
        // What else differs follows from it.
        return add(ChangeKind::FileType, format!("{kind:?} → {new_kind:?}"));
    }
    if old.mode != new.mode {
        add(ChangeKind::Mode, format!("{:04o} → {:04o}", old.mode & 0o7777, new.mode & 0o7777));
    }
    if old.owner != new.owner {
        let owner = |file: &File<'_>| format!("{}:{}", file.owner.0, file.owner.1);
        add(ChangeKind::Owner, format!("{} → {}", owner(old), owner(new)));
    }
    if old.device != new.device {
        let device = |file: &File<'_>| format!("{}:{}", file.device.0, file.device.1);
        add(ChangeKind::Device, format!("{} → {}", device(old), device(new)));
    }
    if old.modified != new.modified {
        add(ChangeKind::Time, format!("{} → {}", old.modified, new.modified));
    }
    if kind == FileType::SymbolicLink && old.content != new.content {
        let target = |file: &File<'_>| String::from_utf8_lossy(file.content).into_owned();
        add(ChangeKind::LinkTarget, format!("{:?} → {:?}", target(old), target(new)));
    } else if let Some(detail) = first_difference(old.content, new.content) {
        add(ChangeKind::Content, detail);
    }
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
