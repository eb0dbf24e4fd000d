//! Arbitrary bytes as a certificate request and as a kubelet's certificate.
#![no_main]

use daas_join::{CertificateRequest, MAX_REQUEST_BYTES, NodeSubject};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|der: &[u8]| {
    if CertificateRequest::parse(der).is_ok() {
        assert!(der.len() <= MAX_REQUEST_BYTES);
    }
    if let Ok(subject) = NodeSubject::of_kubelet(der) {
        assert_eq!(subject.name.to_string().parse(), Ok(subject.name));
    }
});
