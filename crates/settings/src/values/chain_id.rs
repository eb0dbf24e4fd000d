use daas_diagnostics::Phrase;

use super::{Refusal, Value, text_form};

/// The identifier of a chain: the digest of its genesis checkpoint, whole or its first four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChainId {
    /// All 32 bytes, written in base58.
    Digest([u8; 32]),
    /// The first four bytes, written as eight hex digits, as JSON-RPC and `sui client chain-identifier` show it.
    Short([u8; 4]),
}

impl ChainId {
    /// Sui mainnet.
    pub const MAINNET: Self = Self::Short([0x35, 0x83, 0x4a, 0x8a]);
    /// Sui testnet.
    pub const TESTNET: Self = Self::Short([0x4c, 0x78, 0xad, 0xac]);

    /// Whether this names a chain of production, Sui mainnet or testnet, in whichever form.
    pub fn is_production(&self) -> bool {
        let known = [Self::MAINNET, Self::TESTNET];
        match self {
            Self::Digest(digest) => known.iter().any(|chain| chain.matches(digest)),
            Self::Short(_) => known.contains(self),
        }
    }

    /// Whether a chain with this genesis digest is the one that is meant.
    pub fn matches(&self, digest: &[u8; 32]) -> bool {
        match self {
            Self::Digest(own) => own == digest,
            Self::Short(start) => digest.starts_with(start),
        }
    }
}

impl Value for ChainId {
    const FORM: Phrase = Phrase::new(
        "a chain identifier (base58 of 32 bytes, or eight hex digits), `mainnet` or `testnet`",
        "체인 식별자(32바이트의 base58 또는 16진수 8자리), `mainnet` 또는 `testnet`",
    );

    fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "mainnet" => return Ok(Self::MAINNET),
            "testnet" => return Ok(Self::TESTNET),
            _ => {}
        }
        let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if text.len() == 8 && is_hex(text) {
            let number = u32::from_str_radix(text, 16).map_err(|_| Refusal::Expected(Self::FORM))?;
            return Ok(Self::Short(number.to_be_bytes()));
        }
        let mut digest = [0; 32];
        match bs58::decode(text).onto(&mut digest[..]) {
            Ok(32) => Ok(Self::Digest(digest)),
            _ => Err(Refusal::Expected(Self::FORM)),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Digest(digest) => bs58::encode(digest).into_string(),
            Self::Short(start) => format!("{:08x}", u32::from_be_bytes(*start)),
        }
    }
}

text_form!(ChainId);

#[cfg(test)]
mod tests {
    use super::*;

    // The genesis digests of the public networks: sui-types/src/digests.rs.
    const MAINNET: &str = "4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S";
    const TESTNET: &str = "69WiPg3DAQiwdxfncX6wYQ2siKwAe6L9BZthQea3JNMD";

    #[test]
    fn names_short_forms_and_digests_agree() {
        for (name, short, whole) in [("mainnet", "35834a8a", MAINNET), ("testnet", "4c78adac", TESTNET)] {
            let Ok(ChainId::Digest(digest)) = whole.parse() else { panic!("{whole}") };
            assert!(name.parse::<ChainId>().unwrap().matches(&digest));
            assert!(short.parse::<ChainId>().unwrap().matches(&digest));
            assert_eq!(ChainId::Digest(digest).to_string(), whole);
            assert!([name, short, whole].iter().all(|text| text.parse::<ChainId>().unwrap().is_production()));
            assert_eq!(name.parse::<ChainId>().unwrap().to_string(), short);
        }
        let Ok(ChainId::Digest(testnet)) = TESTNET.parse() else { panic!() };
        assert!(!ChainId::MAINNET.matches(&testnet));
        for other in [ChainId::Short([0; 4]), ChainId::Digest([7; 32])] {
            assert!(!other.is_production());
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in ["", "35834a8", "35834a8g", "Mainnet", &MAINNET[..30], &format!("{MAINNET}11"), "0OIl"] {
            assert!(bad.parse::<ChainId>().is_err(), "{bad}");
        }
    }
}
