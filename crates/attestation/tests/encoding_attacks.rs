//! Messages and payloads in another form than the one that is accepted, signed correctly wherever a signature covers them
//! (docs/threat-model.md, 2 to 6 and 12).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod scene;

use daas_attestation::cbor::Reader;
use daas_attestation::{MAX_DOCUMENT_BYTES, Pcr, Refusal, Unverified};
use daas_nsm::Payload;
use scene::*;

/// The four elements of a message.
struct Parts {
    protected: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

fn parts(document: &[u8]) -> Parts {
    let mut reader = Reader::new(document);
    reader.array().unwrap();
    let protected = reader.bytes().unwrap().to_vec();
    reader.map().unwrap();
    Parts { protected, payload: reader.bytes().unwrap().to_vec(), signature: reader.bytes().unwrap().to_vec() }
}

fn bytes(value: &[u8]) -> Vec<u8> {
    encoded(|writer| {
        writer.bytes(value);
    })
}

/// A message of these encoded elements.
fn message(head: &[u8], elements: &[&[u8]]) -> Vec<u8> {
    [&[head], elements].concat().concat()
}

fn refused(document: &[u8]) -> Refusal {
    scene_judge(document)
}

fn scene_judge(document: &[u8]) -> Refusal {
    // No certificate is looked at before the form is right, so any scene's verifier will do.
    let scene = scene();
    scene.judge(document).unwrap_err()
}

#[test]
fn the_parts_of_a_good_message_make_a_good_message() {
    let scene = scene();
    let Parts { protected, payload, signature } = parts(&scene.document());
    let elements = [&bytes(&protected)[..], &[0xa0], &bytes(&payload), &bytes(&signature)];
    assert!(scene.judge(&message(&[0x84], &elements)).is_ok());
    assert!(scene.judge(&message(&[0xd2, 0x84], &elements)).is_ok(), "tag 18 is COSE_Sign1's own");
}

#[test]
fn only_es384_in_the_protected_header_is_accepted() {
    let scene = scene();
    let es256: &[u8] = &[0xa1, 0x01, 0x26];
    let es512: &[u8] = &[0xa1, 0x01, 0x38, 0x23];
    let eddsa: &[u8] = &[0xa1, 0x01, 0x27];
    for (header, alg) in [(es256, -7), (es512, -36), (eddsa, -8)] {
        assert_eq!(scene.judge(&scene.sign_with_header(header)), Err(Refusal::Algorithm { alg }));
    }
    let positive: &[u8] = &[0xa1, 0x01, 0x18, 0x23];
    assert_eq!(scene.judge(&scene.sign_with_header(positive)), Err(Refusal::Algorithm { alg: 35 }));
    let as_text: &[u8] = &[0xa1, 0x01, 0x65, b'E', b'S', b'3', b'8', b'4'];
    assert_eq!(scene.judge(&scene.sign_with_header(as_text)), Err(Refusal::WrongType { field: "protected" }));
}

#[test]
fn an_algorithm_that_only_the_unprotected_header_names_is_none() {
    let scene = scene();
    let Parts { payload, signature, .. } = parts(&scene.sign_with_header(&[0xa0]));
    let unprotected: &[u8] = &[0xa1, 0x01, 0x38, 0x22];
    let document = message(&[0x84], &[&bytes(&[0xa0]), unprotected, &bytes(&payload), &bytes(&signature)]);
    assert_eq!(scene.judge(&document), Err(Refusal::AlgorithmMissing));
    let Parts { payload, signature, .. } = parts(&scene.sign_with_header(&[]));
    let document = message(&[0x84], &[&[0x40], unprotected, &bytes(&payload), &bytes(&signature)]);
    assert_eq!(scene.judge(&document), Err(Refusal::Truncated { field: "protected" }));
}

#[test]
fn nothing_may_stand_in_the_unprotected_header() {
    let scene = scene();
    let Parts { protected, payload, signature } = parts(&scene.document());
    let document =
        message(&[0x84], &[&bytes(&protected), &[0xa1, 0x01, 0x38, 0x22], &bytes(&payload), &bytes(&signature)]);
    assert_eq!(scene.judge(&document), Err(Refusal::UnprotectedHeader { items: 1 }));
}

#[test]
fn critical_unknown_and_repeated_header_parameters_are_refused() {
    let scene = scene();
    let critical: &[u8] = &[0xa2, 0x01, 0x38, 0x22, 0x02, 0x81, 0x18, 0x2a];
    assert_eq!(scene.judge(&scene.sign_with_header(critical)), Err(Refusal::CriticalHeader));
    let content_type: &[u8] = &[0xa2, 0x01, 0x38, 0x22, 0x03, 0x00];
    assert_eq!(scene.judge(&scene.sign_with_header(content_type)), Err(Refusal::UnknownHeader { label: 3 }));
    let twice: &[u8] = &[0xa2, 0x01, 0x38, 0x22, 0x01, 0x38, 0x22];
    assert_eq!(scene.judge(&scene.sign_with_header(twice)), Err(Refusal::ProtectedHeaderRepeats { label: 1 }));
    let trailing: &[u8] = &[0xa1, 0x01, 0x38, 0x22, 0x00];
    assert_eq!(scene.judge(&scene.sign_with_header(trailing)), Err(Refusal::TrailingBytes { field: "protected" }));
}

#[test]
fn foreign_and_nested_tags_are_refused() {
    let document = scene().document();
    let tagged = |tags: &[u8]| refused(&[tags, &document].concat());
    assert_eq!(tagged(&[0xd1]), Refusal::CoseTag { tag: 17 });
    assert_eq!(tagged(&[0xd8, 0x62]), Refusal::CoseTag { tag: 98 });
    assert_eq!(tagged(&[0xd2, 0xd2]), Refusal::NestedTag);
    assert_eq!(tagged(&[0xd8, 0x12]), Refusal::NotShortest { field: "message" });
}

#[test]
fn bytes_after_the_message_or_the_payload_are_refused() {
    let scene = scene();
    let mut longer = scene.document();
    longer.push(0);
    assert_eq!(scene.judge(&longer), Err(Refusal::TrailingBytes { field: "message" }));
    let mut payload = scene.payload().encode();
    payload.push(0);
    assert_eq!(scene.judge(&scene.sign(&payload)), Err(Refusal::TrailingBytes { field: "payload" }));
}

#[test]
fn a_message_of_three_or_five_elements_is_refused() {
    let Parts { protected, payload, signature } = parts(&scene().document());
    let (protected, payload, signature) = (bytes(&protected), bytes(&payload), bytes(&signature));
    let three = message(&[0x83], &[&protected, &[0xa0], &payload]);
    assert_eq!(refused(&three), Refusal::CoseLength { items: 3 });
    let five = message(&[0x85], &[&protected, &[0xa0], &payload, &signature, &[0xf6]]);
    assert_eq!(refused(&five), Refusal::CoseLength { items: 5 });
}

#[test]
fn fields_that_are_repeated_missing_or_unknown_are_refused() {
    let scene = scene();
    for (name, field) in [
        ("module_id", "module_id"),
        ("digest", "digest"),
        ("timestamp", "timestamp"),
        ("pcrs", "pcrs"),
        ("certificate", "certificate"),
        ("cabundle", "cabundle"),
        ("public_key", "public_key"),
        ("user_data", "user_data"),
        ("nonce", "nonce"),
    ] {
        let fields = scene.fields();
        let repeated = [&fields[..], &[fields.iter().find(|pair| pair.0 == text(name)).unwrap().clone()]].concat();
        assert_eq!(scene.judge(&scene.sign_fields(&repeated)), Err(Refusal::RepeatedField { field }));
        if !["public_key", "user_data", "nonce"].contains(&name) {
            let document = scene.sign_fields(&without(fields, name));
            assert_eq!(scene.judge(&document), Err(Refusal::MissingField { field }));
        }
    }
    // A document is of an enclave or of a TPM.
    let mut fields = scene.fields();
    let pcrs = fields[3].1.clone();
    fields.push((text("nitrotpm_pcrs"), pcrs));
    assert_eq!(scene.judge(&scene.sign_fields(&fields)), Err(Refusal::RepeatedField { field: "pcrs" }));
    let mut fields = scene.fields();
    fields.push((text("future"), vec![0xf6]));
    assert_eq!(scene.judge(&scene.sign_fields(&fields)), Err(Refusal::UnknownField { name: "future".into() }));
}

#[test]
fn indefinite_lengths_are_refused_wherever_they_stand() {
    let scene = scene();
    let Parts { protected, payload, signature } = parts(&scene.document());
    let mut outer = message(&[0x9f], &[&bytes(&protected), &[0xa0], &bytes(&payload), &bytes(&signature)]);
    outer.push(0xff);
    assert_eq!(scene.judge(&outer), Err(Refusal::IndefiniteLength { field: "message" }));
    let mut map = payload.clone();
    map[0] = 0xbf;
    map.push(0xff);
    assert_eq!(scene.judge(&scene.sign(&map)), Err(Refusal::IndefiniteLength { field: "payload" }));
    let pcrs = [&[0xbf][..], &scene.fields()[3].1[1..], &[0xff]].concat();
    let document = scene.sign_fields(&with(scene.fields(), "pcrs", pcrs));
    assert_eq!(scene.judge(&document), Err(Refusal::IndefiniteLength { field: "pcrs" }));
    let chunked = [&[0x5f][..], &bytes(&CLAIMS.to_bytes()), &[0xff]].concat();
    let document = scene.sign_fields(&with(scene.fields(), "user_data", chunked));
    assert_eq!(scene.judge(&document), Err(Refusal::IndefiniteLength { field: "user_data" }));
}

#[test]
fn integers_and_lengths_have_one_form() {
    let scene = scene();
    let long_timestamp = [&[0x1b][..], &1_000_u64.to_be_bytes()].concat();
    let document = scene.sign_fields(&with(scene.fields(), "timestamp", long_timestamp));
    assert_eq!(scene.judge(&document), Err(Refusal::NotShortest { field: "timestamp" }));
    let long_length = [&[0x59, 0, 137][..], &CLAIMS.to_bytes()].concat();
    let document = scene.sign_fields(&with(scene.fields(), "user_data", long_length));
    assert_eq!(scene.judge(&document), Err(Refusal::NotShortest { field: "user_data" }));
}

#[test]
fn pcrs_of_another_count_index_or_length_are_refused() {
    let scene = scene();
    let judged = |pcrs: Vec<(u64, Pcr)>| scene.judge(&scene.sign(&Payload { pcrs, ..scene.payload() }.encode()));
    let good = scene.payload().pcrs;
    let and = |index| [&good[..], &[(index, PCRS[0])]].concat();
    assert_eq!(judged(and(32)), Err(Refusal::PcrIndex { index: 32 }));
    assert_eq!(judged(and(u64::MAX)), Err(Refusal::PcrIndex { index: u64::MAX }));
    assert_eq!(judged(and(0)), Err(Refusal::PcrRepeats { index: 0 }));
    assert_eq!(judged(Vec::new()), Err(Refusal::PcrCount { count: 0 }));
    assert_eq!(judged((0..33).map(|index| (index, PCRS[0])).collect()), Err(Refusal::PcrCount { count: 33 }));
    assert!(judged(and(31)).is_ok());
    for length in [0, 32, 47, 49, 64] {
        let pcrs = encoded(|writer| {
            writer.map(1).unsigned(0).bytes(&vec![1; length]);
        });
        let document = scene.sign_fields(&with(scene.fields(), "pcrs", pcrs));
        assert_eq!(scene.judge(&document), Err(Refusal::PcrLength { index: 0, length }));
    }
}

#[test]
fn fields_beyond_their_limits_are_refused() {
    let scene = scene();
    let judged = |payload: Payload| scene.judge(&scene.sign(&payload.encode()));
    let payload = || scene.payload();
    let long = |field, length, limit| Err(Refusal::FieldLength { field, length, limit });
    assert_eq!(judged(Payload { public_key: Some(vec![0; 1025]), ..payload() }), long("public_key", 1025, 1024));
    assert_eq!(judged(Payload { user_data: Some(vec![0; 513]), ..payload() }), long("user_data", 513, 512));
    assert_eq!(judged(Payload { nonce: Some(vec![0; 513]), ..payload() }), long("nonce", 513, 512));
    assert_eq!(judged(Payload { module_id: String::new(), ..payload() }), Err(Refusal::EmptyModuleId));
    let root = payload().cabundle[0].clone();
    assert_eq!(judged(Payload { cabundle: Vec::new(), ..payload() }), Err(Refusal::ChainLength { count: 0 }));
    assert_eq!(judged(Payload { cabundle: vec![root; 11], ..payload() }), Err(Refusal::ChainLength { count: 11 }));
    for length in [0, 1025] {
        let refusal = Err(Refusal::CertificateLength { certificate: "certificate".into(), length });
        assert_eq!(judged(Payload { certificate: vec![0; length], ..payload() }), refusal);
    }
    let document = scene.sign_fields(&with(scene.fields(), "timestamp", vec![0]));
    assert_eq!(scene.judge(&document), Err(Refusal::ZeroTimestamp));
    let document = scene.sign_fields(&with(scene.fields(), "digest", text("SHA256")));
    assert_eq!(scene.judge(&document), Err(Refusal::Digest));
    let document = scene.sign_fields(&with(scene.fields(), "user_data", text("claims")));
    assert_eq!(scene.judge(&document), Err(Refusal::WrongType { field: "user_data" }));
}

#[test]
fn a_signature_that_is_not_96_bytes_of_two_good_numbers_is_refused() {
    let scene = scene();
    let Parts { protected, payload, signature } = parts(&scene.document());
    let signed = |signature: &[u8]| {
        scene.judge(&message(&[0x84], &[&bytes(&protected), &[0xa0], &bytes(&payload), &bytes(signature)]))
    };
    assert!(signed(&signature).is_ok());
    for length in [0, 64, 95, 97] {
        let mut resized = signature.clone();
        resized.resize(length, 0);
        assert_eq!(signed(&resized), Err(Refusal::SignatureLength { length }));
    }
    let zero_r = [&[0; 48], &signature[48..]].concat();
    let zero_s = [&signature[..48], &[0; 48]].concat();
    let high_r = [&[0xff; 48], &signature[48..]].concat();
    let swapped = [&signature[48..], &signature[..48]].concat();
    for bad in [zero_r, zero_s, high_r, swapped, vec![0; 96]] {
        assert_eq!(signed(&bad), Err(Refusal::DocumentSignature));
    }
}

#[test]
fn a_signature_over_another_payload_is_refused() {
    let scene = scene();
    let Parts { protected, signature, .. } = parts(&scene.document());
    let payload = Payload { user_data: Some(vec![1; 137]), ..scene.payload() }.encode();
    let document = message(&[0x84], &[&bytes(&protected), &[0xa0], &bytes(&payload), &bytes(&signature)]);
    assert_eq!(scene.judge(&document), Err(Refusal::DocumentSignature));
}

#[test]
fn oversized_documents_are_refused_before_they_are_read() {
    let length = MAX_DOCUMENT_BYTES + 1;
    let refusal = Err(Refusal::TooLarge { length, limit: MAX_DOCUMENT_BYTES });
    assert_eq!(Unverified::parse(&vec![0; length]).map(drop), refusal);
    let megabyte = vec![0x9f; 1 << 20];
    assert!(matches!(Unverified::parse(&megabyte), Err(Refusal::TooLarge { .. })));
    // The longest payload fits into the limit.
    let scene = scene();
    let padded = with(scene.fields(), "nonce", bytes(&vec![0; 16_384 - scene.payload().encode().len() + 32]));
    assert!(matches!(scene.judge(&scene.sign_fields(&padded)), Err(Refusal::PayloadLength { .. })));
}

#[test]
fn nesting_costs_nothing() {
    for head in [0x81, 0x9f, 0xa1, 0xbf, 0xd2, 0x5f] {
        assert!(Unverified::parse(&vec![head; MAX_DOCUMENT_BYTES]).is_err());
    }
    let scene = scene();
    let deep = with(scene.fields(), "nonce", vec![0x81; 10_000]);
    assert_eq!(scene.judge(&scene.sign_fields(&deep)), Err(Refusal::WrongType { field: "nonce" }));
    // Lengths that promise more than there is.
    let promised = with(scene.fields(), "pcrs", vec![0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(scene.judge(&scene.sign_fields(&promised)), Err(Refusal::PcrCount { count: u64::MAX }));
    let promised = with(scene.fields(), "cabundle", vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(scene.judge(&scene.sign_fields(&promised)), Err(Refusal::ChainLength { count: u64::MAX }));
}
