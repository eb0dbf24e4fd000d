use daas_diagnostics::Phrase;

use super::{Refusal, Value, text_form};

/// A Sui address or object id: 32 bytes, written `0x` and 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SuiAddress(pub [u8; 32]);

impl SuiAddress {
    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<SuiAddress> for [u8; 32] {
    fn from(address: SuiAddress) -> Self {
        address.0
    }
}

impl Value for SuiAddress {
    // Sui pads short forms with zeros; a paste that lost its end would then name something else.
    const FORM: Phrase = Phrase::new("`0x` and 64 hex digits", "`0x`와 16진수 64자리");

    fn parse(text: &str) -> Result<Self, Refusal> {
        address(text).map(Self).ok_or(Refusal::Expected(Self::FORM))
    }

    fn show(&self) -> String {
        self.0.iter().fold(String::from("0x"), |text, byte| text + &format!("{byte:02x}"))
    }
}

/// A key of a keystore: its address, or its alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressOrAlias {
    /// The address.
    Address(SuiAddress),
    /// The alias: a letter, then letters, digits, `-` and `_`, as the sui CLI makes them.
    Alias(String),
}

impl Value for AddressOrAlias {
    const FORM: Phrase = Phrase::new(
        "an address (`0x` and 64 hex digits) or an alias of the keystore",
        "주소(`0x`와 16진수 64자리) 또는 키스토어 별칭",
    );

    fn parse(text: &str) -> Result<Self, Refusal> {
        if let Some(bytes) = address(text) {
            return Ok(Self::Address(SuiAddress(bytes)));
        }
        if is_alias(text) { Ok(Self::Alias(text.to_owned())) } else { Err(Refusal::Expected(Self::FORM)) }
    }

    fn show(&self) -> String {
        match self {
            Self::Address(address) => address.show(),
            Self::Alias(alias) => alias.clone(),
        }
    }
}

text_form!(SuiAddress, AddressOrAlias);

pub(super) fn is_alias(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 128
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

fn address(text: &str) -> Option<[u8; 32]> {
    hex_32(text.strip_prefix("0x")?)
}

pub(super) fn hex_32(digits: &str) -> Option<[u8; 32]> {
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_addresses_pass() {
        let text = format!("0x{}2A", "0".repeat(62));
        let address: SuiAddress = text.parse().unwrap();
        assert_eq!(address.0[31], 0x2a);
        assert_eq!(address.to_string(), text.to_ascii_lowercase());
        let (short, long, bare, sign) = (
            format!("0x{}", "1".repeat(63)),
            format!("0x{}", "1".repeat(65)),
            "1".repeat(64),
            format!("0x+{}", "1".repeat(63)),
        );
        for bad in ["", "0x", "0x2", &short, &long, &bare, &sign, &format!("0x{}é", "1".repeat(62))] {
            assert!(bad.parse::<SuiAddress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn aliases_pass_beside_addresses() {
        assert_eq!("eloquent-emerald".parse(), Ok(AddressOrAlias::Alias("eloquent-emerald".into())));
        for bad in ["", "1abc", "-a", "a b", "a/b", "0x12"] {
            assert!(bad.parse::<AddressOrAlias>().is_err(), "{bad}");
        }
    }
}
