//! Bad magic, sizes, offsets, checksums and counts: an error that names the fault, never a panic.

#![allow(clippy::unwrap_used)]

mod support;

use daas_measure::cpio::Archive;
use daas_measure::diff::Meaning;
use daas_measure::eif::{Contents, Eif, HEADER_BYTES};
use daas_measure::{CpioFault, Description, Error, diff, unpack};
use support::{application, boot, content_range, signed_image, unsigned_image, with_right_checksum};

/// The header's table of offsets and of sizes.
const OFFSETS: usize = 28;
const SIZES: usize = OFFSETS + 32 * 8;

fn refusal(change: impl FnOnce(&mut Vec<u8>)) -> Error {
    let mut image = signed_image();
    change(&mut image);
    Eif::parse(&with_right_checksum(image)).unwrap_err()
}

#[test]
fn each_fault_has_its_own_error() {
    assert!(matches!(refusal(|image| image[0] = b'E'), Error::Magic));
    assert!(matches!(refusal(|image| image[5] = 3), Error::Version { found: 3 }));
    assert!(matches!(refusal(|image| image[6] = 0x80), Error::Flags { found: 0x8000, .. }));
    assert!(matches!(refusal(|image| image[24] = 1), Error::NotZero { field: "reserved" }));
    assert!(matches!(refusal(|image| image[543] = 1), Error::NotZero { field: "unused" }));
    assert!(matches!(refusal(|image| image[27] = 200), Error::SectionCount { found: 200 }));
    assert!(matches!(refusal(|image| image[27] = 0), Error::SectionCount { found: 0 }));
    assert!(matches!(refusal(|image| image[27] += 1), Error::SectionOffset { index: 7, .. }));
    assert!(matches!(refusal(|image| image[27] -= 1), Error::NotZero { .. }));
    assert!(matches!(refusal(|image| image[OFFSETS + 15] += 1), Error::SectionOffset { index: 1, .. }));
    assert!(matches!(refusal(|image| image[OFFSETS] = 0xff), Error::SectionOffset { index: 0, .. }));
    assert!(matches!(refusal(|image| image[SIZES + 7] += 1), Error::SectionSize { index: 0, .. }));
    assert!(matches!(refusal(|image| image[HEADER_BYTES + 1] = 6), Error::SectionType { index: 0, found: 6 }));
    assert!(matches!(refusal(|image| image[HEADER_BYTES + 1] = 0), Error::SectionType { index: 0, found: 0 }));
    assert!(matches!(refusal(|image| image[HEADER_BYTES + 3] = 1), Error::Flags { found: 1, .. }));
    assert!(matches!(refusal(|image| image[HEADER_BYTES + 1] = 2), Error::SectionOrder { index: 0, .. }));
    assert!(matches!(refusal(|image| image.push(0)), Error::TrailingBytes { found: 1 }));
    assert!(matches!(refusal(|image| image.truncate(image.len() - 1)), Error::SectionTruncated { index: 6 }));
    // The same huge size in both places.
    let huge = refusal(|image| {
        image[SIZES] = 0xff;
        image[HEADER_BYTES + 4] = 0xff;
    });
    assert!(matches!(huge, Error::SectionTruncated { index: 0 }));
    let mut damaged = signed_image();
    let last = damaged.len() - 1;
    damaged[HEADER_BYTES + 20] ^= 1;
    assert!(matches!(Eif::parse(&damaged), Err(Error::Crc { .. })));
    damaged[HEADER_BYTES + 20] ^= 1;
    damaged[last] ^= 1;
    assert!(matches!(Eif::parse(&damaged), Err(Error::Crc { .. })));
}

#[test]
fn sections_come_once_and_in_their_order() {
    let image = unsigned_image();
    let eif = Eif::parse(&image).unwrap();
    let with_kinds = |kinds: [u8; 6]| {
        let mut other = image.clone();
        for (section, kind) in eif.sections().iter().zip(kinds) {
            other[section.offset as usize + 1] = kind;
        }
        Eif::parse(&with_right_checksum(other)).map(|_| ()).unwrap_err()
    };
    assert!(matches!(with_kinds([1, 1, 5, 3, 3, 3]), Error::SectionOrder { index: 1, .. }));
    assert!(matches!(with_kinds([2, 1, 5, 3, 3, 3]), Error::SectionOrder { index: 0, .. }));
    assert!(matches!(with_kinds([1, 2, 5, 5, 3, 3]), Error::SectionOrder { index: 3, .. }));
    assert!(matches!(with_kinds([1, 2, 5, 3, 3, 1]), Error::SectionOrder { index: 5, .. }));
    assert!(matches!(with_kinds([1, 2, 5, 3, 3, 2]), Error::SectionOrder { index: 5, .. }));
    assert!(matches!(with_kinds([1, 3, 5, 3, 3, 3]), Error::SectionOrder { index: 1, .. }));
    assert!(matches!(with_kinds([1, 2, 5, 3, 3, 4]), Error::Signature(_)));
}

#[test]
fn inputs_that_make_no_image_are_refused() {
    let build = |kernel, cmdline, ramdisks: &[&'static [u8]]| {
        Contents::new(kernel, cmdline, ramdisks.to_vec()).build().map(|_| ()).unwrap_err()
    };
    assert!(matches!(build(b"", "", &[b"r"]), Error::Unwritable { what: "the kernel", .. }));
    assert!(matches!(build(b"k3s-daas-sandbox and more", "", &[b"r"]), Error::Sandbox));
    assert!(matches!(build(b"k3s-daas-", "sandbox", &[b"r"]), Error::Sandbox));
    assert!(matches!(build(b"k3s", "-daas", &[b"-sand", b"box"]), Error::Sandbox));
    assert!(matches!(build(b"k", "a\0b", &[b"r"]), Error::Unwritable { what: "the command line", .. }));
    assert!(matches!(build(b"k", "a\n", &[b"r"]), Error::Unwritable { .. }));
    assert!(matches!(build(b"k", "", &[]), Error::NoRamdisk));
    assert!(matches!(build(b"k", "", &[&b"r"[..]; 29]), Error::Unwritable { what: "the ramdisks", .. }));
    let long = "x".repeat(2048);
    assert!(matches!(Contents::new(b"k", &long, vec![b"r"]).build(), Err(Error::Unwritable { .. })));
}

/// Registers see joined bytes: these images would have a sandbox's.
#[test]
fn an_image_whose_joined_bytes_begin_like_a_sandbox_is_refused() {
    for (kernel, cmdline) in
        [(&b"k3s-daas-"[..], "SANDBOX"), (b"K3S-DAAS-SANDBOX", ""), (b"k", "3S-DAAS-SANDBOX quiet")]
    {
        let mut image = Contents::new(kernel, cmdline, vec![b"boot"]).build().unwrap().to_bytes();
        let eif = Eif::parse(&image).unwrap();
        for range in [content_range(&eif, 0), content_range(&eif, 1)] {
            image[range].make_ascii_lowercase();
        }
        assert!(matches!(Eif::parse(&with_right_checksum(image)), Err(Error::Sandbox)), "{cmdline}");
    }
}

/// Each map of seven bytes takes some hundred bytes of memory.
#[test]
fn metadata_is_read_up_to_64_kilobytes() {
    let image = unsigned_image();
    let eif = Eif::parse(&image).unwrap();
    let (boot, application) = (boot().to_archive(), application().to_archive());
    let with_metadata = |length: usize| {
        let maps = r#"[{"":0}"#.to_owned() + &r#",{"":0}"#.repeat(length / 8 - 2) + "]";
        let metadata = maps + &" ".repeat(length);
        let parts: [(u16, &[u8]); 5] =
            [(1, eif.kernel()), (2, eif.cmdline()), (5, &metadata.as_bytes()[..length]), (3, &boot), (3, &application)];
        let mut image = image[..HEADER_BYTES].to_vec();
        image[OFFSETS..HEADER_BYTES].fill(0);
        image[27] = 5;
        for (index, (kind, content)) in parts.into_iter().enumerate() {
            let (offset, size) = (image.len() as u64, (content.len() as u64).to_be_bytes());
            image[OFFSETS + 8 * index..][..8].copy_from_slice(&offset.to_be_bytes());
            image[SIZES + 8 * index..][..8].copy_from_slice(&size);
            image.extend([&kind.to_be_bytes()[..], &[0; 2], &size, content].concat());
        }
        with_right_checksum(image)
    };
    let good = with_metadata(64 << 10);
    assert!(Description::of(&Eif::parse(&good).unwrap()).unwrap().metadata.is_some());
    let refused = Eif::parse(&with_metadata((64 << 10) + 1)).map(|_| ());
    assert!(matches!(refused, Err(Error::SectionTooLarge { limit: 65_536, .. })), "{refused:?}");
}

#[test]
fn a_hundred_thousand_mutated_images_never_panic() {
    let good = [signed_image(), unsigned_image()];
    let reference = Eif::parse(&good[0]).unwrap();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut accepted = 0;
    for round in 0..100_000 {
        let mut image = good[round % 2].clone();
        mutate(&mut image, &mut random);
        // Three of four get a right checksum, so that what lies behind it is reached.
        if round % 4 != 0 && image.len() >= HEADER_BYTES {
            image = with_right_checksum_by_table(image);
        }
        if let Ok(eif) = Eif::parse(&image) {
            accepted += 1;
            let _ = Description::of(&eif);
            if accepted % 4 == 0 {
                let same = diff(&reference, &eif, 1 << 20).meaning == Meaning::Identical;
                assert_eq!(same, image == good[0]);
            }
        }
    }
    assert!(accepted > 1000, "the mutations that change content only are images still: {accepted}");
}

#[test]
fn a_hundred_thousand_mutated_archives_never_panic() {
    let good = [boot().to_archive(), application().to_archive()];
    let mut random = Random(42);
    let mut refused = 0;
    for round in 0..100_000 {
        let mut archive = good[round % 2].clone();
        mutate(&mut archive, &mut random);
        if let Ok(packed) = unpack(&archive, 1 << 20) {
            refused += usize::from(Archive::parse(&packed).is_err());
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn each_fault_of_an_archive_has_its_own_name() {
    let good = boot().to_archive();
    let fault = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut archive = good.clone();
        change(&mut archive);
        match Archive::parse(&archive) {
            Err(Error::Cpio { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(fault(&|archive| archive[5] = b'7'), CpioFault::Magic);
    assert_eq!(fault(&|archive| archive[6] = b'g'), CpioFault::Number);
    assert_eq!(fault(&|archive| archive[6] = b'+'), CpioFault::Number);
    assert_eq!(fault(&|archive| archive[94..102].copy_from_slice(b"00000000")), CpioFault::Name);
    assert_eq!(fault(&|archive| archive[94..102].copy_from_slice(b"00001001")), CpioFault::Name);
    assert_eq!(fault(&|archive| archive[94..102].copy_from_slice(b"00000004")), CpioFault::Name);
    assert_eq!(fault(&|archive| archive[54..62].copy_from_slice(b"FFFFFFFF")), CpioFault::Truncated);
    let empty_link = |archive: &mut Vec<u8>| {
        archive[14..22].copy_from_slice(b"0000A1FF");
        archive[54..62].copy_from_slice(b"00000000");
    };
    assert_eq!(fault(&empty_link), CpioFault::Link);
    assert_eq!(fault(&|archive| archive.truncate(0)), CpioFault::NoTrailer);
    assert_eq!(fault(&|archive| archive.truncate(110 + 6 + 12)), CpioFault::NoTrailer);
    assert_eq!(fault(&|archive| archive.truncate(50)), CpioFault::Truncated);
    assert_eq!(fault(&|archive| archive.extend(*b"\0junk")), CpioFault::Magic);
}

#[test]
fn damaged_content_stays_an_image_with_other_registers() {
    let image = unsigned_image();
    let eif = Eif::parse(&image).unwrap();
    let mut other = image.clone();
    other[content_range(&eif, 3).start] ^= 0xff;
    let other = with_right_checksum(other);
    let other = Eif::parse(&other).unwrap();
    assert_ne!(other.registers().pcr1, eif.registers().pcr1);
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const NUMBERS: [u64; 8] = [0, 1, 0x7f, 0xff, 0xffff, 0xffff_ffff, i64::MAX as u64, u64::MAX];
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        // Half of the time in the header, where most rules are.
        let at = if random.below(2) == 0 { at % HEADER_BYTES.min(bytes.len()) } else { at };
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => {
                let number = NUMBERS[random.below(NUMBERS.len())].to_be_bytes();
                let end = (at + 8).min(bytes.len());
                bytes[at..end].copy_from_slice(&number[..end - at]);
            }
            3 => bytes.truncate(at + 1),
            4 => {
                let end = (at + random.below(64)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => drop(bytes.drain(at..(at + random.below(16)).min(bytes.len() - 1).max(at))),
        }
    }
}

/// The same checksum as `with_right_checksum`, fast enough for many images.
fn with_right_checksum_by_table(mut image: Vec<u8>) -> Vec<u8> {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&image[..HEADER_BYTES - 4]);
    crc.update(&image[HEADER_BYTES..]);
    image[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&crc.finalize().to_be_bytes());
    image
}

/// xorshift64: the same mutations in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}
