use std::path::PathBuf;

use daas_diagnostics::Phrase;

use super::address::is_alias;
use super::{Refusal, Value};
use crate::secret::{MASK, SecretString};

/// Where a private key is. Its `Debug` and its text never show a key.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// In a file of its own.
    File(PathBuf),
    /// In the sui keystore, under this alias.
    Alias(String),
    /// In a key management service; the text behind `kms:`.
    Kms(String),
    /// Here: the key itself, in whatever form. Only the environment may give it.
    Inline(SecretString),
}

impl KeySource {
    /// Whether a text has the form of a private key: bech32, hex, base64 or a mnemonic. Errs towards yes.
    pub fn looks_like_key(text: &str) -> bool {
        let text = text.trim();
        let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        text.to_ascii_lowercase().contains("suiprivkey")
            || (hex.len() >= 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            || is_base64_key(text)
            || text.split_whitespace().count() >= 12
    }
}

impl Value for KeySource {
    const FORM: Phrase = Phrase::new(
        "a path (with a `/`), an alias of the sui keystore, or `kms:…`; the key itself only in the environment",
        "경로(`/` 포함), sui 키스토어 별칭, 또는 `kms:…`. 키 자체는 환경 변수에만 적을 수 있습니다",
    );
    const SECRET: bool = true;
    const PATH: bool = true;

    fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        if Self::looks_like_key(text) {
            return Ok(Self::Inline(SecretString::from(text)));
        }
        match text.strip_prefix("kms:") {
            Some("") => Err(Refusal::Expected(Self::FORM)),
            Some(reference) => Ok(Self::Kms(reference.to_owned())),
            None if text.contains('/') && !text.contains(char::is_control) => Ok(Self::File(PathBuf::from(text))),
            None if is_alias(text) => Ok(Self::Alias(text.to_owned())),
            None => Err(Refusal::Expected(Self::FORM)),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Alias(alias) => alias.clone(),
            Self::Kms(reference) => format!("kms:{reference}"),
            Self::Inline(_) => MASK.to_owned(),
        }
    }

    fn is_exposed(&self) -> bool {
        matches!(self, Self::Inline(_))
    }
}

/// 32 or 33 bytes in base64 are 43 or 44 characters. An absolute path of that length is told apart by its first
/// character: a keystore entry starts with a scheme flag, thus with `A`; other keys of 32 bytes end with `=`.
fn is_base64_key(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    (43..=44).contains(&text.len()) && text.bytes().all(is_base64) && (text.ends_with('=') || !text.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_from_keys() {
        assert!(matches!(KeySource::parse("/etc/k3s-daas/key"), Ok(KeySource::File(_))));
        assert!(matches!(KeySource::parse("./key"), Ok(KeySource::File(_))));
        assert!(matches!(KeySource::parse(&format!("/{}", "a".repeat(43))), Ok(KeySource::File(_))));
        assert!(matches!(KeySource::parse("eloquent-emerald"), Ok(KeySource::Alias(_))));
        assert!(matches!(KeySource::parse("kms:arn:aws:kms:eu-west-1:1:key/2"), Ok(KeySource::Kms(_))));
        for bad in ["", "kms:", "9lives", "a b", "a\u{0}/b"] {
            assert!(KeySource::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_form_of_a_key_is_seen_as_one() {
        let words = "abandon ability able about above absent absorb abstract absurd abuse access accident";
        for key in [
            "suiprivkey1qzabcdef",
            " SUIPRIVKEY1QZABCDEF",
            &"ab".repeat(32),
            &format!("0x{}", "AB".repeat(32)),
            words,
            "AKZvZ2Z1Q0x5Zkk2cXl5Y2J0aGVxdWlja2Jyb3duZm94",
            "c2VjcmV0IGtleSBvZiAzMiBieXRlcyBpcyBoZXJlISE=",
        ] {
            let source = KeySource::parse(key).unwrap();
            assert!(source.is_exposed(), "{key}");
            assert_eq!(source.show(), "***");
            assert!(!format!("{source:?}").contains(&key[..8]), "{key}");
        }
    }
}
