//! What an enclave answers to a challenge: `GET /api/v1/attestation?nonce=<64 hex digits>`.
//!
//! ```json
//! {"document": "<base64>", "nonce_path": {"index": 0, "count": 1, "siblings": []}}
//! ```
//!
//! `document` is the attestation document in base64 (RFC 4648 §4, with padding). `nonce_path` leads from the caller's nonce to the
//! document's ([`merkle::Path`]); siblings are 64 hex digits each. Unknown fields are refused: what is not understood is not
//! judged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::merkle::{MAX_DEPTH, NONCE_LENGTH, Path};
use crate::{MAX_DOCUMENT_BYTES, NonceRule};

/// A document with the way from the caller's nonce to the document's. Nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The attestation document.
    pub document: Vec<u8>,
    /// The caller's place among those that it answers.
    pub nonce_path: Path,
}

/// Why bytes are no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Longer than any answer.
    #[error("the answer is {length} bytes long, the limit is {}", Answer::MAX_BYTES)]
    TooLarge {
        /// What there is.
        length: usize,
    },
    /// Not JSON of this form.
    #[error("the answer is not of the form {{\"document\": .., \"nonce_path\": ..}}: {0}")]
    Form(#[source] serde_json::Error),
    /// Not base64, or too much of it.
    #[error("`document` is not base64 of at most {MAX_DOCUMENT_BYTES} bytes")]
    Document,
    /// No tree is so deep, or a hash is not one.
    #[error("`nonce_path` has more than {MAX_DEPTH} siblings, or one that is not 64 hex digits")]
    NoncePath,
}

impl Answer {
    /// No answer is longer: a document in base64, 32 hashes, and room for spaces.
    pub const MAX_BYTES: usize = 32 * 1024;

    /// Reads an answer.
    pub fn from_json(json: &[u8]) -> Result<Self, AnswerError> {
        if json.len() > Self::MAX_BYTES {
            return Err(AnswerError::TooLarge { length: json.len() });
        }
        let wire: Wire = serde_json::from_slice(json).map_err(AnswerError::Form)?;
        let document = STANDARD.decode(wire.document).map_err(|_| AnswerError::Document)?;
        if document.len() > MAX_DOCUMENT_BYTES {
            return Err(AnswerError::Document);
        }
        let WirePath { index, count, siblings } = wire.nonce_path;
        if siblings.len() > MAX_DEPTH {
            return Err(AnswerError::NoncePath);
        }
        let siblings = siblings.iter().map(|digits| hash(digits)).collect::<Option<_>>();
        let siblings = siblings.ok_or(AnswerError::NoncePath)?;
        Ok(Self { document, nonce_path: Path { index, count, siblings } })
    }

    /// Writes it.
    pub fn to_json(&self) -> String {
        let Path { index, count, siblings } = &self.nonce_path;
        let siblings = siblings.iter().map(hex::encode).collect();
        let nonce_path = WirePath { index: *index, count: *count, siblings };
        let wire = Wire { document: STANDARD.encode(&self.document), nonce_path };
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// The rule for a document that comes with a path: it answers this nonce.
    pub fn nonce_rule<'a>(&'a self, nonce: &'a [u8; NONCE_LENGTH]) -> NonceRule<'a> {
        NonceRule::Batched { nonce, path: &self.nonce_path }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    document: String,
    nonce_path: WirePath,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePath {
    index: u64,
    count: u64,
    siblings: Vec<String>,
}

fn hash(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).ok().map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle;

    fn answer() -> Answer {
        let nonces = [[1; 32], [2; 32], [3; 32]];
        Answer { document: vec![0xd2, 0x84], nonce_path: merkle::path(&nonces, 2).unwrap() }
    }

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let json = answer().to_json();
        let sibling = hex::encode(answer().nonce_path.siblings[0]);
        let expected =
            format!(r#"{{"document":"0oQ=","nonce_path":{{"index":2,"count":3,"siblings":["{sibling}"]}}}}"#);
        assert_eq!(json, expected);
        assert_eq!(Answer::from_json(json.as_bytes()).unwrap(), answer());
    }

    #[test]
    fn what_has_another_form_or_no_bound_is_refused() {
        let path = r#""nonce_path":{"index":0,"count":1,"siblings":[]}"#;
        let reason = |json: &str| Answer::from_json(json.as_bytes()).unwrap_err();
        for json in ["", "{}", "[]", r#"{"document":"0oQ="}"#, &format!(r#"{{"document":"0oQ=",{path},"more":1}}"#)] {
            assert!(matches!(reason(json), AnswerError::Form(_)), "{json}");
        }
        for document in ["0oQ", "0oQ=\\n", "é"] {
            let json = format!(r#"{{"document":"{document}",{path}}}"#);
            assert!(matches!(reason(&json), AnswerError::Document), "{json}");
        }
        let large = STANDARD.encode(vec![0; MAX_DOCUMENT_BYTES + 1]);
        assert!(matches!(reason(&format!(r#"{{"document":"{large}",{path}}}"#)), AnswerError::Document));
        for siblings in [vec!["00".to_owned()], vec!["00".repeat(32); MAX_DEPTH + 1], vec!["zz".repeat(32)]] {
            let siblings = serde_json::to_string(&siblings).unwrap();
            let json = format!(r#"{{"document":"0oQ=","nonce_path":{{"index":0,"count":1,"siblings":{siblings}}}}}"#);
            assert!(matches!(reason(&json), AnswerError::NoncePath), "{json}");
        }
        let long = " ".repeat(Answer::MAX_BYTES + 1);
        assert!(matches!(reason(&long), AnswerError::TooLarge { .. }));
        // The largest answer that there can be fits.
        let largest = Answer {
            document: vec![0; MAX_DOCUMENT_BYTES],
            nonce_path: Path { index: u64::MAX, count: u64::MAX, siblings: vec![[0xff; 32]; MAX_DEPTH] },
        };
        assert_eq!(Answer::from_json(largest.to_json().as_bytes()).unwrap(), largest);
    }
}
