//! Why a document is refused: one variant a rule, with the field that broke it and where the rule comes from.

use thiserror::Error;

/// How far verification came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The bytes are not an attestation document.
    Parse,
    /// The document is not signed by hardware under a trusted root at this time.
    Authenticity,
    /// The document is genuine, and not what the caller expects.
    Policy,
}

/// A rule of `docs/attestation.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Stable name of the refusal.
    pub code: &'static str,
    /// When it is checked.
    pub stage: Stage,
    /// Who made it.
    pub source: &'static str,
}

macro_rules! refusals {
    ($(
        $stage:ident $name:ident $({ $($field:ident: $type:ty),+ })? $code:literal $message:literal $source:literal;
    )+) => {
        /// Why a document is refused.
        #[derive(Debug, Clone, PartialEq, Eq, Error)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "the message is the documentation")]
        pub enum Refusal {
            $(
                #[doc = $message]
                #[error($message)]
                $name $({ $($field: $type),+ })?,
            )+
        }

        impl Refusal {
            /// Every rule.
            pub const RULES: &'static [Rule] =
                &[$(Rule { code: $code, stage: Stage::$stage, source: $source },)+];

            /// The rule that the document broke.
            pub fn rule(&self) -> Rule {
                match self {
                    $(Self::$name { .. } => Rule { code: $code, stage: Stage::$stage, source: $source },)+
                }
            }
        }
    };
}

refusals! {
    // Encoding. `field` is a path into the document, such as `payload.pcrs`.
    Parse TooLarge { length: usize, limit: usize } "too-large" "the document is {length} bytes long, the limit is {limit}" "AWS attestation_process.md §3.1: payload below 16384 bytes";
    Parse Truncated { field: &'static str } "truncated" "{field}: the bytes end inside an item" "RFC 8949 §5.1";
    Parse IndefiniteLength { field: &'static str } "indefinite-length" "{field}: indefinite length; one encoding per document" "RFC 8949 §4.2.1";
    Parse NotShortest { field: &'static str } "not-shortest" "{field}: an integer or length is not in its shortest form" "RFC 8949 §4.2.1";
    Parse ReservedEncoding { field: &'static str } "reserved-encoding" "{field}: reserved additional information" "RFC 8949 §3";
    Parse WrongType { field: &'static str } "wrong-type" "{field}: another CBOR type than the field's" "AWS attestation_process.md §2.2";
    Parse NotUtf8 { field: &'static str } "not-utf8" "{field}: the text is not UTF-8" "RFC 8949 §3.1";
    Parse TrailingBytes { field: &'static str } "trailing-bytes" "{field}: bytes follow after the end" "RFC 8949 §5.1";

    // COSE_Sign1.
    Parse CoseTag { tag: u64 } "cose-tag" "the message has CBOR tag {tag}; a COSE_Sign1 has 18 or none" "RFC 9052 §2";
    Parse NestedTag "nested-tag" "the message is tagged twice" "RFC 9052 §2";
    Parse CoseLength { items: u64 } "cose-length" "the message has {items} elements, a COSE_Sign1 has 4" "RFC 9052 §4.2";
    Parse ProtectedHeaderRepeats { label: i128 } "header-repeats" "the protected header has the label {label} twice" "RFC 9052 §3";
    Parse CriticalHeader "header-critical" "the protected header names critical parameters (crit), none of which is known here" "RFC 9052 §3.1";
    Parse UnknownHeader { label: i128 } "header-unknown" "the protected header has the parameter {label}; only alg (1) belongs there" "AWS attestation_process.md §3.1";
    Parse AlgorithmMissing "alg-missing" "the protected header names no algorithm" "RFC 9052 §3.1; AWS attestation_process.md §3.1";
    Parse Algorithm { alg: i128 } "alg" "the algorithm is {alg}; only ES384 (-35) is accepted" "RFC 9053 §2.1; AWS attestation_process.md §3.1";
    Parse UnprotectedHeader { items: u64 } "header-unprotected" "the unprotected header has {items} parameters and must be empty: nobody signs it" "AWS attestation_process.md §3.1";
    Parse PayloadLength { length: usize } "payload-length" "the payload is {length} bytes long, 1 to 16383 are allowed" "AWS attestation_process.md §3.1";
    Parse SignatureLength { length: usize } "signature-length" "the signature is {length} bytes long, ES384's has 96" "RFC 9053 §2.1";

    // Attestation document.
    Parse UnknownField { name: String } "field-unknown" "the document has an unknown field {name:?}" "AWS attestation_process.md §3.2.2.1: allowed fields";
    Parse RepeatedField { field: &'static str } "field-repeats" "the document has {field} twice" "RFC 8949 §5.6";
    Parse MissingField { field: &'static str } "field-missing" "the document has no {field}" "AWS attestation_process.md §3.2.2.1";
    Parse EmptyModuleId "module-id" "module_id is empty" "AWS attestation_process.md §3.2.2.2";
    Parse Digest "digest" "digest is not SHA384" "AWS attestation_process.md §3.2.2.2";
    Parse ZeroTimestamp "timestamp" "timestamp is zero" "AWS attestation_process.md §3.2.2.2";
    Parse PcrCount { count: u64 } "pcr-count" "pcrs has {count} registers, 1 to 32 are allowed" "AWS attestation_process.md §3.2.2.2";
    Parse PcrIndex { index: u64 } "pcr-index" "pcrs has the index {index}; the highest is 31" "AWS attestation_process.md §3.2.2.2";
    Parse PcrRepeats { index: u64 } "pcr-repeats" "pcrs has the index {index} twice" "RFC 8949 §5.6";
    Parse PcrLength { index: u64, length: usize } "pcr-length" "PCR{index} is {length} bytes long, a SHA-384 digest has 48" "AWS attestation_process.md §2.2: digest is SHA384";
    Parse FieldLength { field: &'static str, length: usize, limit: usize } "field-length" "{field} is {length} bytes long, the limit is {limit}" "AWS attestation_process.md §3.2.2.2";
    Parse CertificateLength { certificate: String, length: usize } "certificate-length" "{certificate} is {length} bytes long, 1 to 1024 are allowed" "AWS attestation_process.md §3.2.2.2";
    Parse ChainLength { count: u64 } "chain-length" "cabundle has {count} certificates, 1 to 10 are allowed" "Sui fastcrypto nitro_attestation.rs: MAX_CERT_CHAIN_LENGTH";

    // Certificates.
    Authenticity UnknownRoot "root-unknown" "cabundle[0] is not a trusted root certificate" "AWS attestation_process.md §3.2.3: the root comes first, and is pinned";
    Authenticity CertificateEncoding { certificate: String } "certificate-encoding" "{certificate} is not a DER certificate" "RFC 5280 §4.1; X.690 §10";
    Authenticity CertificateVersion { certificate: String } "certificate-version" "{certificate} is not of X.509 version 3, or has unique identifiers" "RFC 5280 §4.1.2.1, §4.1.2.8";
    Authenticity CertificateAlgorithm { certificate: String } "certificate-alg" "{certificate} is not signed with ecdsa-with-SHA384, inside and outside" "RFC 5280 §4.1.1.2; RFC 5758 §3.2";
    Authenticity CertificateKey { certificate: String } "certificate-key" "the key of {certificate} is not an uncompressed point on P-384" "RFC 5480 §2.2; AWS' certificates";
    Authenticity ExtensionRepeats { certificate: String } "extension-repeats" "{certificate} has an extension twice" "RFC 5280 §4.2";
    Authenticity CriticalExtension { certificate: String, oid: String } "extension-critical" "{certificate} has the unknown critical extension {oid}" "RFC 5280 §4.2";
    Authenticity NotAuthority { certificate: String } "not-ca" "{certificate} is not a certificate authority: basicConstraints must be critical and say CA" "RFC 5280 §4.2.1.9; AWS attestation_process.md §3.2.3.2";
    Authenticity LeafIsAuthority "leaf-is-ca" "the signing certificate is a certificate authority" "RFC 5280 §4.2.1.9";
    Authenticity PathLength { certificate: String, allowed: u64, found: u64 } "path-length" "{certificate} allows {allowed} authorities below itself, {found} follow" "RFC 5280 §4.2.1.9";
    Authenticity KeyUsage { certificate: String, required: &'static str } "key-usage" "keyUsage of {certificate} does not allow {required}" "RFC 5280 §4.2.1.3; AWS attestation_process.md §3.2.3.3";
    Authenticity IssuerMismatch { certificate: String } "issuer" "{certificate} names another issuer than the certificate before it" "RFC 5280 §6.1.3 (a)(4)";
    Authenticity RepeatedSubject { certificate: String } "chain-loop" "{certificate} has the subject of an earlier one: the chain loops" "RFC 5280 §6.1: each certificate once";
    Authenticity NotYetValid { certificate: String, not_before: u64, now: u64 } "not-yet-valid" "{certificate} is valid from {not_before}, the time is {now}" "RFC 5280 §4.1.2.5, §6.1.3 (a)(2)";
    Authenticity Expired { certificate: String, not_after: u64, now: u64 } "expired" "{certificate} was valid until {not_after}, the time is {now}" "RFC 5280 §4.1.2.5, §6.1.3 (a)(2)";
    Authenticity CertificateSignature { certificate: String } "certificate-signature" "the signature of {certificate} is not its issuer's" "RFC 5280 §6.1.3 (a)(1)";
    Authenticity DocumentSignature "signature" "the signature is not that of the document's certificate" "RFC 9052 §4.4";

    // Policy.
    Policy NotAnEnclave "not-an-enclave" "the document is a NitroTPM's, not an enclave's" "docs/attestation.md";
    Policy NotATpm "not-a-tpm" "the document is an enclave's, not a NitroTPM's" "docs/attestation.md";
    Policy DebugMode { index: u8 } "debug-mode" "PCR{index} is zero: the enclave runs in debug mode, its memory can be read" "AWS set-up-attestation: PCRs of debug enclaves are zeros";
    Policy PcrMissing { index: u8 } "pcr-missing" "the document does not show PCR{index}" "docs/attestation.md";
    Policy NoReleases "no-releases" "no release is expected: nothing can be accepted" "docs/attestation.md: fail closed";
    Policy ZeroMeasurement { index: u8 } "measurement-zero" "the expected PCR{index} is zero: no release measures so" "docs/attestation.md: fail closed";
    Policy Measurement { index: u8, expected: String, found: String } "measurement" "PCR{index} is {found}, expected {expected}" "docs/attestation.md: PCRs of a release";
    Policy UnknownRelease { pcr0: String } "release-unknown" "no release has these PCRs (PCR0 is {pcr0})" "docs/attestation.md: PCRs of a release";
    Policy ReleaseNotActive "release-not-active" "the release is not active yet" "contract: measurements::Release";
    Policy ReleaseRetired { until_ms: u64 } "release-retired" "the release was retired at {until_ms} ms" "contract: measurements::Release";
    Policy ReleaseRevoked "release-revoked" "the release is revoked" "contract: measurements::Release";
    Policy NonceMissing "nonce-missing" "the document has no nonce: it may be an old one" "docs/attestation.md: Freshness";
    Policy NonceMismatch "nonce" "the nonce is not the caller's: the document answers somebody else, or an earlier question" "docs/attestation.md: Freshness";
    Policy NonceUnexpected "nonce-unexpected" "the document answers a nonce that the caller did not ask with" "docs/attestation.md: Freshness";
    Policy TooOld { age_ms: u64, limit_ms: u64 } "too-old" "the document is {age_ms} ms old, the limit is {limit_ms}" "docs/attestation.md: Freshness";
    Policy FromTheFuture { ahead_ms: u64 } "from-the-future" "the document is {ahead_ms} ms ahead of the clock" "docs/attestation.md: Freshness, 5 s between clocks";
    Policy ClaimsMissing "claims-missing" "the document has no user_data, so it claims nothing" "docs/attestation.md: Claims";
    Policy ClaimsLength { length: usize } "claims-length" "user_data is {length} bytes long, claims are 137" "docs/attestation.md: Claims";
    Policy ClaimsVersion { version: u8 } "claims-version" "the claims are of version {version}, this verifier knows 1" "docs/attestation.md: Claims";
    Policy OtherCluster "claims-cluster" "the claims name another cluster" "docs/attestation.md: Claims";
    Policy OtherTlsKey "claims-tls-key" "the TLS peer has another key than the claims: somebody is in between" "docs/attestation.md: Claims";
    Policy OtherServerCa "claims-server-ca" "the claims name another server CA than the cluster's active instance" "docs/attestation.md: Which enclave";
    Policy OtherConfiguration "claims-config" "the claims name another runtime configuration than the cluster pins" "docs/attestation.md: Claims";
    Policy InstanceKeyMissing "instance-key" "public_key is not an instance key of 32 bytes" "docs/attestation.md: Claims";
    Policy OtherInstance "instance-other" "the instance key is not the cluster's active instance's" "docs/attestation.md: Which enclave";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_names_one_rule() {
        let mut codes: Vec<_> = Refusal::RULES.iter().map(|rule| rule.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Refusal::RULES.len());
    }

    #[test]
    fn the_table_in_the_documentation_has_every_rule_once() {
        let table = include_str!("../../../docs/attestation.md");
        for rule in Refusal::RULES {
            let row = format!("| `{}` |", rule.code);
            assert_eq!(table.matches(&row).count(), 1, "{row}");
            assert!(table.contains(rule.source), "{}", rule.source);
        }
    }
}
