//! `diff` names section, file and kind of change, and explains equal registers over different bytes.

#![allow(clippy::unwrap_used)]

mod support;

use daas_measure::cpio::{Node, Tree};
use daas_measure::diff::{ChangeKind, Meaning};
use daas_measure::eif::{Contents, Eif};
use daas_measure::{Difference, Metadata, Packing, diff, pack};
use support::{application, boot, certificate, file, sign};

fn compare(before: &Contents<'_>, after: &Contents<'_>) -> Difference {
    let (before, after) = (before.clone().build().unwrap().to_bytes(), after.clone().build().unwrap().to_bytes());
    diff(&Eif::parse(&before).unwrap(), &Eif::parse(&after).unwrap(), 1 << 20)
}

/// Section, file, kind of each change.
fn changes(difference: &Difference) -> Vec<(String, Option<String>, ChangeKind)> {
    difference.changes.iter().map(|change| (change.section.clone(), change.file.clone(), change.kind)).collect()
}

fn in_application(change: impl FnOnce(&mut Tree)) -> Difference {
    let (boot, before) = (boot().to_archive(), application().to_archive());
    let mut tree = Tree::default();
    change(&mut tree);
    let after = tree.to_archive();
    compare(
        &Contents::new(b"kernel", "quiet", vec![&boot, &before]),
        &Contents::new(b"kernel", "quiet", vec![&boot, &after]),
    )
}

#[test]
fn files_of_a_ramdisk_are_named() {
    let difference = in_application(|tree| {
        tree.insert("rootfs/bin/sh", file(b"\x7fELF shell", false)).unwrap();
        tree.insert("rootfs/etc/hosts", file(b"127.0.0.1 localhorst", false)).unwrap();
        tree.insert("rootfs/lib", Node::Link(b"usr/lib64".to_vec())).unwrap();
        tree.insert("rootfs/new", file(b"", false)).unwrap();
    });
    let at = |file: &str, kind| ("ramdisk 1".to_owned(), Some(file.to_owned()), kind);
    assert_eq!(
        changes(&difference),
        [
            at("rootfs/bin/sh", ChangeKind::Mode),
            at("rootfs/etc/hosts", ChangeKind::Content),
            at("rootfs/lib", ChangeKind::LinkTarget),
            at("rootfs/new", ChangeKind::Added),
        ]
    );
    assert_eq!(difference.changes[0].detail, "0755 → 0644");
    assert_eq!(difference.changes[1].detail, "20 → 20 bytes, first difference at byte 17");
    assert_eq!(difference.changes[2].detail, r#""usr/lib" → "usr/lib64""#);
    assert_eq!(difference.meaning, Meaning::Measured);
    assert_eq!(difference.pcrs.iter().map(|change| change.index).collect::<Vec<_>>(), [0, 2]);
    assert!(difference.changes.iter().all(|change| change.measured_by == [0, 2]));
}

#[test]
fn removed_files_and_other_types_are_named() {
    let difference = in_application(|tree| {
        tree.insert("rootfs/bin", Node::Link(b"usr/bin".to_vec())).unwrap();
        tree.insert("rootfs/etc/hosts", file(b"127.0.0.1 localhost\n", false)).unwrap();
        tree.insert("rootfs/lib", Node::Link(b"usr/lib".to_vec())).unwrap();
    });
    let at = |file: &str, kind| ("ramdisk 1".to_owned(), Some(file.to_owned()), kind);
    assert_eq!(
        changes(&difference),
        [at("rootfs/bin", ChangeKind::FileType), at("rootfs/bin/sh", ChangeKind::Removed)]
    );
}

#[test]
fn owners_and_times_of_foreign_archives_are_named() {
    let good = boot().to_archive();
    // Owner and time of the first entry ("init"): fields 3 and 6, eight digits each after the magic.
    let mut other = good.clone();
    other[22..30].copy_from_slice(b"000003E8");
    other[46..54].copy_from_slice(b"65000000");
    let difference =
        compare(&Contents::new(b"kernel", "quiet", vec![&good]), &Contents::new(b"kernel", "quiet", vec![&other]));
    let at = |kind| ("ramdisk 0".to_owned(), Some("init".to_owned()), kind);
    assert_eq!(changes(&difference), [at(ChangeKind::Owner), at(ChangeKind::Time)]);
    assert_eq!(difference.changes[0].detail, "0:0 → 1000:0");
}

#[test]
fn other_packing_of_the_same_files_is_told() {
    let (plain, packed) = (boot().to_archive(), pack(&boot(), Packing::Gzip).unwrap());
    let difference =
        compare(&Contents::new(b"kernel", "quiet", vec![&plain]), &Contents::new(b"kernel", "quiet", vec![&packed]));
    assert_eq!(changes(&difference), [("ramdisk 0".to_owned(), None, ChangeKind::Packing)]);
    assert_eq!(difference.meaning, Meaning::Measured);
}

#[test]
fn unmeasured_bytes_are_explained() {
    let base = Contents::new(b"kernel", "quiet", vec![b"boot"]);
    let mut other = base.clone();
    other.default_memory = 7;
    other.metadata = Metadata { image_version: "2".into(), ..Metadata::default() };
    let difference = compare(&base, &other);
    assert_eq!(
        changes(&difference),
        [("header".to_owned(), None, ChangeKind::Content), ("metadata".to_owned(), None, ChangeKind::Content)]
    );
    assert_eq!((difference.meaning, difference.pcrs.len()), (Meaning::Unmeasured, 0));
    assert_eq!(compare(&base, &base).meaning, Meaning::Identical);
}

#[test]
fn another_signature_by_the_same_key_is_not_measured() {
    let image = || {
        Contents::new(b"kernel", "quiet", vec![b"boot"])
            .build_signed(certificate("secp384r1"), |message| sign("secp384r1", message))
            .unwrap()
            .to_bytes()
    };
    let (before, after) = (image(), image());
    let difference = diff(&Eif::parse(&before).unwrap(), &Eif::parse(&after).unwrap(), 0);
    assert_eq!(changes(&difference), [("signature".to_owned(), None, ChangeKind::Content)]);
    assert_eq!(difference.meaning, Meaning::Unmeasured);
}

#[test]
fn a_moved_boundary_leaves_the_registers_equal_and_is_told() {
    let difference =
        compare(&Contents::new(b"kernel", "quiet", vec![b"boot"]), &Contents::new(b"kernelq", "uiet", vec![b"boot"]));
    assert_eq!(difference.pcrs, []);
    assert_eq!(difference.meaning, Meaning::BoundaryMoved);
}
