use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use crate::claims::{CLAIMS_LENGTH, Claims};
use crate::key::SessionKey;

/// The kind in the signature's domain.
pub(crate) const KIND: &str = "seal-token";

const PREFIX: &str = "seal1.";
const SIGNATURE_LENGTH: usize = 64;
/// 129 bytes are 43 groups of three.
const CLAIMS_TEXT: usize = CLAIMS_LENGTH / 3 * 4;
/// 64 bytes without padding.
const SIGNATURE_TEXT: usize = 86;

/// Every bearer string is exactly this long.
pub const BEARER_LENGTH: usize = PREFIX.len() + CLAIMS_TEXT + 1 + SIGNATURE_TEXT;

/// Why a string is no Seal token. Never quotes the string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Any other length than that of a Seal token.
    #[error("a Seal token is {BEARER_LENGTH} characters long")]
    Length,
    /// The version prefix.
    #[error("a Seal token begins with seal1.")]
    Prefix,
    /// The two parts are not where they must be.
    #[error("a Seal token has two parts with a dot between them")]
    Parts,
    /// A part is not base64url without padding, or not in its canonical form.
    #[error("a Seal token's parts are base64url without padding")]
    Base64,
    /// The claims are not the BCS of claims.
    #[error("the claims of the Seal token are malformed")]
    Claims,
}

/// A well-formed Seal token, not yet verified. Its `Debug` and `Display` are masked.
#[derive(Clone, PartialEq, Eq)]
pub struct SealToken {
    claims: Claims,
    signature: [u8; SIGNATURE_LENGTH],
}

impl SealToken {
    pub(crate) fn new(claims: Claims, signature: [u8; SIGNATURE_LENGTH]) -> Self {
        Self { claims, signature }
    }

    /// Reads the bearer string. One token has one spelling: nothing but that is taken.
    pub fn parse(bearer: &str) -> Result<Self, ParseError> {
        if bearer.len() != BEARER_LENGTH {
            return Err(ParseError::Length);
        }
        let rest = bearer.strip_prefix(PREFIX).ok_or(ParseError::Prefix)?;
        let (claims, signature) = rest.split_once('.').ok_or(ParseError::Parts)?;
        if claims.len() != CLAIMS_TEXT {
            return Err(ParseError::Parts);
        }
        let claims: [u8; CLAIMS_LENGTH] = decode(claims)?;
        let signature = decode(signature)?;
        // BCS has one encoding a value; `from_bytes` refuses trailing bytes and unknown variants.
        let claims = bcs::from_bytes(&claims).map_err(|_| ParseError::Claims)?;
        Ok(Self { claims, signature })
    }

    /// What the token says of itself: nothing to act on before [`crate::verify`].
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The bearer string. A secret: for the one who shows it, never for a log.
    pub fn to_bearer(&self) -> String {
        let mut text = String::with_capacity(BEARER_LENGTH);
        text.push_str(PREFIX);
        BASE64.encode_string(self.claims.encode(), &mut text);
        text.push('.');
        BASE64.encode_string(self.signature, &mut text);
        text
    }

    /// Whether this key signed it.
    pub fn is_signed_by(&self, key: &SessionKey) -> bool {
        key.verifies(KIND, &self.claims.encode(), &self.signature)
    }
}

impl FromStr for SealToken {
    type Err = ParseError;

    fn from_str(bearer: &str) -> Result<Self, ParseError> {
        Self::parse(bearer)
    }
}

/// Always `seal1.…`.
impl fmt::Display for SealToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seal1.…")
    }
}

impl fmt::Debug for SealToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], ParseError> {
    let mut bytes = [0; N];
    // The engine refuses padding, foreign characters and non-zero trailing bits.
    match BASE64.decode_slice(text, &mut bytes) {
        Ok(length) if length == N => Ok(bytes),
        _ => Err(ParseError::Base64),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ClusterId, NetworkId, Purpose, SigningKey, TokenId};

    fn bearer() -> String {
        let ids = (NetworkId([1; 32]), ClusterId([2; 32]), TokenId([3; 32]));
        let claims = Claims::new(ids.0, ids.1, ids.2, Purpose::Api, 1_000_000, 60_000, [9; 16]).unwrap();
        SigningKey::from_bytes(&[7; 32]).sign(&claims).to_bearer()
    }

    #[test]
    fn a_bearer_string_has_one_spelling() {
        let good = bearer();
        assert_eq!(good.len(), BEARER_LENGTH);
        assert_eq!(SealToken::parse(&good).unwrap().to_bearer(), good);
        let body = &good[PREFIX.len()..];
        let other_last = if good.ends_with('B') { 'C' } else { 'B' };
        let cases = [
            (String::new(), ParseError::Length),
            (format!("{good} "), ParseError::Length),
            (format!("{good}=="), ParseError::Length),
            (format!("{good}\n"), ParseError::Length),
            (format!("SEAL1.{body}"), ParseError::Prefix),
            (format!("seal2.{body}"), ParseError::Prefix),
            (good.replace("seal1.", "seal1").replacen('.', "..", 1), ParseError::Prefix),
            (format!("{PREFIX}{}", body.replace('.', "A")), ParseError::Parts),
            (format!("{PREFIX}A.{}", &body.replace('.', "A")[2..]), ParseError::Parts),
            (format!("{}+", &good[..good.len() - 1]), ParseError::Base64),
            (format!("{}=", &good[..good.len() - 1]), ParseError::Base64),
            (format!("{PREFIX}é{}", &body[2..]), ParseError::Base64),
            // The last character holds four bits that must be zero: only A, Q, g and w may stand there.
            (format!("{}{other_last}", &good[..good.len() - 1]), ParseError::Base64),
        ];
        for (text, error) in cases {
            assert_eq!(SealToken::parse(&text), Err(error), "{text}");
        }
    }

    #[test]
    fn an_unknown_purpose_is_refused() {
        for purpose in [2, 0x7f, 0x80, 0xff] {
            let mut claims = SealToken::parse(&bearer()).unwrap().claims.encode();
            claims[96] = purpose;
            let text = format!("{PREFIX}{}.{}", BASE64.encode(claims), BASE64.encode([0; 64]));
            assert_eq!(SealToken::parse(&text), Err(ParseError::Claims));
        }
    }

    #[test]
    fn a_token_prints_masked() {
        let token = SealToken::parse(&bearer()).unwrap();
        assert_eq!(format!("{token} {token:?}"), "seal1.… seal1.…");
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_an_error_or_a_token(text in "\\PC{0,300}") {
            if let Ok(token) = SealToken::parse(&text) {
                prop_assert_eq!(token.to_bearer(), text);
            }
        }

        #[test]
        fn arbitrary_bytes_in_the_right_shape_have_one_spelling(claims: [u8; 32], rest: [u8; 32], signature: [u8; 32]) {
            let mut bytes = [0; CLAIMS_LENGTH];
            bytes[64..96].copy_from_slice(&claims);
            bytes[97..].copy_from_slice(&rest);
            let text = format!("{PREFIX}{}.{}", BASE64.encode(bytes), BASE64.encode([signature, signature].concat()));
            prop_assert_eq!(SealToken::parse(&text).unwrap().to_bearer(), text);
        }
    }
}
