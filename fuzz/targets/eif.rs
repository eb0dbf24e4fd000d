//! Arbitrary bytes as an enclave image: read, described, and compared with a good one in both directions, within 16 MB. The checksum is put
//! right first, so that what lies behind it is reached.
#![no_main]

mod bounded;

use std::time::Duration;

use daas_measure::eif::{Eif, HEADER_BYTES};
use daas_measure::{Description, diff, diff::Meaning};
use libfuzzer_sys::fuzz_target;

/// Compressed ramdisks are unpacked to this; whoever allows more pays for it with memory.
const UNPACK_LIMIT: usize = 1 << 20;
/// An image with ramdisks that can be unpacked.
const GOOD: &[u8] = include_bytes!("../seeds/eif/unsigned");
const TIME: Duration = Duration::from_secs(1);

fuzz_target!(|bytes: &[u8]| {
    let _ = Eif::parse(bytes);
    let mut file = bytes.to_vec();
    if file.len() >= HEADER_BYTES {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&file[..HEADER_BYTES - 4]);
        crc.update(&file[HEADER_BYTES..]);
        file[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&crc.finalize().to_be_bytes());
    }
    bounded::run(&file, TIME, |file| {
        let Ok(eif) = Eif::parse(file) else { return };
        let _ = Description::of(&eif);
        let good = Eif::parse(GOOD).expect("a good image");
        for (before, after) in [(&good, &eif), (&eif, &good)] {
            let same = diff(before, after, UNPACK_LIMIT).meaning == Meaning::Identical;
            assert_eq!(same, file == GOOD, "the files are the same or a change is named");
        }
        // What is accepted is what it says: the sections, written one after another, are the file.
        let sections: usize = eif.sections().iter().map(|section| section.content.len() + 12).sum();
        assert_eq!(HEADER_BYTES + sections, file.len());
    });
});
