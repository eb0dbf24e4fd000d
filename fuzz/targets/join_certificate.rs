//! Arbitrary bytes as a certificate request and as a kubelet's certificate.
#![no_main]

mod bounded;

use std::time::Duration;

use daas_join::{CertificateRequest, MAX_REQUEST_BYTES, NodeSubject};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|der: &[u8]| {
    bounded::run(der, Duration::from_millis(10), |der| {
        if CertificateRequest::parse(der).is_ok() {
            assert!(der.len() <= MAX_REQUEST_BYTES);
        }
        if let Ok(subject) = NodeSubject::of_kubelet(der) {
            assert_eq!(subject.name.to_string().parse(), Ok(subject.name));
        }
    });
});
