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

/// An entry of a foreign archive: path, mode, inode, links, content.
type Written<'a> = (&'a str, u32, u32, u32, &'a [u8]);

const FILE: u32 = 0o100_755;
const FOLDER: u32 = 0o040_755;

fn archive(entries: &[Written<'_>]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (path, mode, inode, links, content) in entries.iter().chain(&[("TRAILER!!!", 0, 0, 1, &b""[..])]) {
        let (name, size) = (path.len() + 1, content.len());
        let fields = format!("070701{inode:08x}{mode:08x}{0:08x}{0:08x}{links:08x}{0:08x}{size:08x}", 0);
        archive.extend(format!("{fields}{0:08x}{0:08x}{0:08x}{0:08x}{name:08x}{0:08x}{path}\0", 0).bytes());
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend(*content);
        archive.resize(archive.len().next_multiple_of(4), 0);
    }
    archive
}

/// File, kind and detail of what differs between two boot ramdisks.
fn in_boot(before: &[Written<'_>], after: &[Written<'_>]) -> Vec<(Option<String>, ChangeKind, String)> {
    let (before, after) = (archive(before), archive(after));
    let difference = compare(&Contents::new(b"kernel", "", vec![&before]), &Contents::new(b"kernel", "", vec![&after]));
    difference.changes.into_iter().map(|change| (change.file, change.kind, change.detail)).collect()
}

#[test]
fn an_empty_entry_that_becomes_a_hard_link_of_a_program_is_named() {
    let shell = ("sh", FILE, 1, 2, &b"shell"[..]);
    let changes = in_boot(&[shell, ("su", FILE, 2, 1, b"")], &[shell, ("su", FILE, 1, 2, b"")]);
    let su = || Some("su".to_owned());
    assert_eq!(
        changes,
        [
            (su(), ChangeKind::Content, "0 → 5 bytes, first difference at byte 0".to_owned()),
            (su(), ChangeKind::Links, "a file of its own → hard link of \"sh\"".to_owned()),
        ]
    );
}

#[test]
fn hard_links_have_the_bytes_of_their_inode_wherever_these_stand() {
    let (first, last) = (("a", FILE, 7, 2, &b"text"[..]), ("b", FILE, 7, 2, &b"text"[..]));
    let empty = |(path, mode, inode, links, _): Written<'static>| (path, mode, inode, links, &b""[..]);
    let moved = in_boot(&[first, empty(last)], &[empty(first), last]);
    assert_eq!(moved.iter().map(|change| change.1).collect::<Vec<_>>(), [ChangeKind::Packing]);
    // The same bytes in two files are not one file.
    let split = in_boot(&[first, empty(last)], &[first, ("b", FILE, 8, 1, b"text")]);
    assert_eq!(split.iter().map(|change| change.1).collect::<Vec<_>>(), [ChangeKind::Links]);
    // Another inode number is another number only.
    let renamed = in_boot(&[first, empty(last)], &[("a", FILE, 9, 2, b"text"), ("b", FILE, 9, 2, b"")]);
    assert_eq!(renamed.iter().map(|change| change.1).collect::<Vec<_>>(), [ChangeKind::Packing]);
}

#[test]
fn an_entry_before_its_folder_is_left_out_and_named() {
    let (folder, guard, other) =
        (("etc", FOLDER, 1, 2, &b""[..]), ("etc/guard", FILE, 2, 1, &b"x"[..]), ("a", FILE, 3, 1, &b""[..]));
    let changes = in_boot(&[folder, guard, other], &[guard, folder, other]);
    let expected = "unpacked → left out by the kernel".to_owned();
    assert_eq!(changes, [(Some("etc/guard".to_owned()), ChangeKind::Order, expected)]);
    // What depends on nothing may stand anywhere.
    assert_eq!(in_boot(&[folder, guard, other], &[other, folder, guard])[0].1, ChangeKind::Packing);
}

#[test]
fn an_earlier_entry_of_the_same_name_is_told() {
    let (early, late) = (("init", FILE, 1, 1, &b"early"[..]), ("init", FILE, 2, 1, &b"late"[..]));
    let link = ("hidden", FILE, 1, 2, &b""[..]);
    // The early one stays reachable under a second name, and the late one is written into it.
    let linked = ("init", FILE, 1, 2, &b"early"[..]);
    let changes = in_boot(&[late, ("hidden", FILE, 3, 1, b"late")], &[linked, link, late]);
    assert_eq!(changes.iter().map(|change| change.1).collect::<Vec<_>>(), [ChangeKind::Links]);
    let swapped = in_boot(&[early, late], &[late, early]);
    assert_eq!(swapped.iter().map(|change| change.1).collect::<Vec<_>>(), [ChangeKind::Content]);
    // A name that is first a link to elsewhere, then a file: nobody follows what became of it.
    let detour = ("init", 0o120_777, 5, 1, &b"/elsewhere"[..]);
    assert_eq!(in_boot(&[late], &[detour, late])[0].1, ChangeKind::Order);
}
