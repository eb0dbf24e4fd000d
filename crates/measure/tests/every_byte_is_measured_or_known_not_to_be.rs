//! One changed byte in what is measured changes each register that covers it and no other; unmeasured bytes change none.

#![allow(clippy::unwrap_used)]

mod support;

use daas_measure::eif::{Contents, Eif, HEADER_BYTES, SectionKind};
use daas_measure::{Metadata, Registers};
use proptest::prelude::*;
use support::{certificate, content_range, sign, signed_image, unsigned_image, with_right_checksum};

/// Which of PCR 0, 1, 2 and 8 differ.
fn changed(before: &Registers, after: &Registers) -> [bool; 4] {
    [before.pcr0 != after.pcr0, before.pcr1 != after.pcr1, before.pcr2 != after.pcr2, before.pcr8 != after.pcr8]
}

/// From the definition of the registers (docs/eif.md), not from the code: the section's place in the file decides.
fn covered_by(index: usize) -> [bool; 4] {
    match index {
        0 | 1 | 3 => [true, true, false, false], // kernel, command line, first ramdisk
        4 | 5 => [true, false, true, false],     // the other ramdisks
        _ => [false; 4],                         // metadata
    }
}

#[test]
fn each_byte_of_each_section_of_a_small_image() {
    let image = unsigned_image();
    let eif = Eif::parse(&image).unwrap();
    let before = eif.registers();
    let mut tried = 0;
    for (index, section) in eif.sections().iter().enumerate() {
        for offset in content_range(&eif, index) {
            let mut other = image.clone();
            other[offset] ^= 1;
            let other = with_right_checksum(other);
            let after = Eif::parse(&other).unwrap().registers();
            assert_eq!(changed(&before, &after), covered_by(index), "{} byte {offset}", section.kind);
            tried += 1;
        }
    }
    assert!(tried > 1500, "{tried}");
}

#[test]
fn bytes_of_the_header_change_no_register_or_are_refused() {
    let image = signed_image();
    let before = Eif::parse(&image).unwrap().registers();
    let mut accepted = 0;
    for offset in 0..HEADER_BYTES - 4 {
        for bit in 0..8 {
            let mut other = image.clone();
            other[offset] ^= 1 << bit;
            if let Ok(eif) = Eif::parse(&with_right_checksum(other)) {
                assert_eq!(eif.registers(), before, "header byte {offset}");
                accepted += 1;
            }
        }
    }
    // Architecture, default memory and default processors: everything else has one value.
    assert_eq!(accepted, 1 + 8 * 8 + 8 * 8);
}

#[test]
fn every_bit_of_a_section_header_is_judged() {
    let image = signed_image();
    let eif = Eif::parse(&image).unwrap();
    for section in eif.sections() {
        let begin = section.offset as usize;
        for bit in 0..12 * 8 {
            let mut other = image.clone();
            other[begin + bit / 8] ^= 1 << (bit % 8);
            let other = with_right_checksum(other);
            let Ok(read) = Eif::parse(&other) else { continue };
            assert!(!(16..32).contains(&bit), "flags are zero");
            // A type may become another that is allowed there: then the registers tell, unless nothing measured changed place.
            let measured = |eif: &Eif<'_>| {
                eif.sections()
                    .iter()
                    .filter(|section| !matches!(section.kind, SectionKind::Metadata | SectionKind::Signature))
                    .map(|section| section.content.to_vec())
                    .collect::<Vec<_>>()
            };
            assert_eq!(measured(&read) == measured(&eif), read.registers().pcr0 == eif.registers().pcr0);
        }
    }
}

#[test]
fn the_signature_value_is_not_measured_and_the_certificate_is() {
    let parts: (&[u8], &[u8]) = (b"boot", b"application");
    let contents = || Contents::new(b"kernel", "quiet", vec![parts.0, parts.1]);
    let signed = |curve: &'static str| {
        contents().build_signed(certificate(curve), |message| sign(curve, message)).unwrap().to_bytes()
    };
    let (first, again, other) = (signed("secp384r1"), signed("secp384r1"), signed("prime256v1"));
    assert_ne!(first, again, "ECDSA signatures are random");
    let registers = |image: &[u8]| Eif::parse(image).unwrap().registers();
    assert_eq!(registers(&first), registers(&again));
    assert_eq!(changed(&registers(&first), &registers(&other)), [false, false, false, true]);
    let unsigned = contents().build().unwrap();
    assert_eq!(changed(unsigned.registers(), &registers(&first)), [false, false, false, true]);
}

#[test]
fn metadata_and_wishes_are_not_measured() {
    let base = Contents::new(b"kernel", "quiet", vec![b"boot"]);
    let mut other = base.clone();
    other.metadata = Metadata { image_name: "another".into(), ..Metadata::default() };
    (other.default_memory, other.default_cpus) = (1, 99);
    let (base, other) = (base.build().unwrap(), other.build().unwrap());
    assert_ne!(base.to_bytes(), other.to_bytes());
    assert_eq!(base.registers(), other.registers());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_byte_of_any_image(
        sections in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..400), 2..6),
        cmdline in "[ -~]{1,80}",
        place in any::<(prop::sample::Index, prop::sample::Index)>(),
        mask in 1_u8..,
    ) {
        let ramdisks = sections[1..].iter().map(Vec::as_slice).collect();
        let image = Contents::new(&sections[0], &cmdline, ramdisks).build().unwrap().to_bytes();
        let eif = Eif::parse(&image).unwrap();
        // Metadata (index 2) must stay JSON only for `describe`; it is changed here too.
        let index = place.0.index(eif.sections().len());
        let offset = content_range(&eif, index).start + place.1.index(content_range(&eif, index).len());
        let mut other = image.clone();
        other[offset] ^= mask;
        let other = with_right_checksum(other);
        let after = Eif::parse(&other).unwrap().registers();
        let covered = if index > 4 { covered_by(4) } else { covered_by(index) };
        prop_assert_eq!(changed(&eif.registers(), &after), covered);
    }
}
