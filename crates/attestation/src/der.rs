//! The lengths of DER (X.690 §8.1.3), before anything is read by them.
//!
//! The crate `der` makes room for as many bytes as an element promises, 256 MB at most, and only then looks whether they are there; as it
//! reads PEM (0.7.10, `PemReader`), it waits for ever for promised bytes that never come.

use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Error, ErrorKind, Tag, pem};

/// No certificate nests deeper; six levels are usual.
const MAX_DEPTH: usize = 32;
const CONSTRUCTED: u8 = 0x20;
const TAG_NUMBER: u8 = 0x1f;
const CLASS: u8 = 0xc0;

/// Whether every element fits into the one that holds it, and no tag or length has a form that certificates and requests do not have.
///
/// Elements of other classes than the universal one hold further elements there (RFC 5280 §4.1, RFC 2986 §4.1) and must say so (X.690
/// §8.14.3): the crate `der` looks into one that does not, where this would not. Unique identifiers (§4.1.2.8), the exception, are made by nobody.
pub fn lengths_fit(bytes: &[u8]) -> bool {
    let mut ends = vec![bytes.len()];
    let mut at = 0;
    while let Some(&end) = ends.last() {
        if at == end {
            ends.pop();
            continue;
        }
        let Some((is_constructed, header, length)) = header(&bytes[at..end]) else { return false };
        at += header;
        if length > end - at {
            return false;
        }
        if !is_constructed {
            at += length;
        } else if ends.len() < MAX_DEPTH {
            ends.push(at + length);
        } else {
            return false;
        }
    }
    true
}

/// Reads one PEM certificate (RFC 7468 §5) that nobody has vouched for yet.
pub fn certificate_from_pem(text: &[u8]) -> Result<Certificate, Error> {
    let (label, der) = pem::decode_vec(text)?;
    if label != "CERTIFICATE" {
        return Err(pem::Error::Label.into());
    }
    if !lengths_fit(&der) {
        return Err(ErrorKind::Length { tag: Tag::Sequence }.into());
    }
    Certificate::from_der(&der)
}

/// Whether an element is constructed, the length of its header, and that of its content.
fn header(bytes: &[u8]) -> Option<(bool, usize, usize)> {
    let [tag, first, rest @ ..] = bytes else { return None };
    if tag & TAG_NUMBER == TAG_NUMBER || tag & CLASS != 0 && tag & CONSTRUCTED == 0 {
        return None;
    }
    let (header, length) = match first {
        0..=0x7f => (2, usize::from(*first)),
        0x81..=0x84 => {
            let count = usize::from(first - 0x80);
            let bytes = rest.get(..count)?;
            (2 + count, bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
        }
        _ => return None,
    };
    Some((tag & CONSTRUCTED != 0, header, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pem_certificate_that_ends_too_early_is_an_error_at_once() {
        let good = include_bytes!("../../../attestation/aws-nitro-enclaves-root-g1.pem");
        assert!(certificate_from_pem(good).is_ok());
        // A sequence that promises 12 143 bytes and holds none.
        let short = b"-----BEGIN CERTIFICATE-----\nMIIv\n-----END CERTIFICATE-----\n";
        assert_eq!(certificate_from_pem(short).unwrap_err().kind(), ErrorKind::Length { tag: Tag::Sequence });
        let key = String::from_utf8_lossy(good).replace("CERTIFICATE", "PRIVATE KEY");
        assert!(certificate_from_pem(key.as_bytes()).is_err());
        assert!(certificate_from_pem(b"").is_err());
    }

    #[test]
    fn elements_fit_into_what_holds_them_or_do_not() {
        for good in
            [&[][..], &[4, 1, 7], &[0x30, 3, 4, 1, 7], &[0x30, 0, 4, 0], &[4, 0x81, 1, 7], &[4, 0x84, 0, 0, 0, 1, 7]]
        {
            assert!(lengths_fit(good), "{good:02x?}");
        }
        for bad in [
            &[4][..],
            &[4, 2, 7],
            &[4, 0x80],
            &[4, 0x81],
            &[4, 0x84, 0x0f, 0xff, 0xff, 0xff, 7],
            &[4, 0x85, 0, 0, 0, 0, 1, 7],
            &[0x1f, 1, 7],
            // A set of attributes that passes for a string.
            &[0x80, 2, 4, 0],
            // The inner one ends behind the outer one.
            &[0x30, 3, 4, 2, 7, 7],
        ] {
            assert!(!lengths_fit(bad), "{bad:02x?}");
        }
        let nested = |depth: usize| [0x30, 0x80].iter().copied().cycle().take(2 * depth).collect::<Vec<u8>>();
        assert!(!lengths_fit(&nested(500)));
        let mut deep = Vec::new();
        for _ in 0..MAX_DEPTH {
            let length = deep.len() as u8;
            deep.splice(0..0, [0x30, length]);
        }
        assert!(!lengths_fit(&deep));
        assert!(lengths_fit(&deep[2..]));
    }
}
