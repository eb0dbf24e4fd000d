use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sui_crypto::SuiSigner as _;
use sui_crypto::ed25519::Ed25519PrivateKey;
use sui_crypto::simple::SimpleKeypair;
use sui_sdk_types::{Address, Transaction, UserSignature};
use zeroize::Zeroizing;

use crate::error::Error;

/// A key that signs transactions, with its address.
#[derive(Clone)]
pub struct Account {
    keypair: SimpleKeypair,
    address: Address,
}

impl Account {
    /// An Ed25519 account from its 32 secret bytes.
    pub fn from_ed25519(secret: [u8; 32]) -> Self {
        Self::new(SimpleKeypair::from(Ed25519PrivateKey::new(secret)))
    }

    /// Reads a private key: `suiprivkey1…`, base64 of a scheme flag and 32 bytes (a keystore's entry), or hex of 32
    /// bytes (Ed25519). `origin` says in errors where the text came from.
    pub fn from_text(text: &str, origin: &str) -> Result<Self, Error> {
        let text = text.trim();
        let malformed = || Error::KeyMalformed { origin: origin.to_owned() };
        if text.starts_with("suiprivkey") {
            return SimpleKeypair::from_suiprivkey(text).map(Self::new).map_err(|_| malformed());
        }
        let digits = text.strip_prefix("0x").unwrap_or(text);
        if digits.len() == 64 {
            let mut secret = Zeroizing::new([0; 32]);
            hex::decode_to_slice(digits, secret.as_mut_slice()).map_err(|_| malformed())?;
            return Ok(Self::from_ed25519(*secret));
        }
        SimpleKeypair::from_base64(text).map(Self::new).map_err(|_| malformed())
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Signs a transaction.
    pub fn sign(&self, transaction: &Transaction) -> Result<UserSignature, Error> {
        self.keypair.sign_transaction(transaction).map_err(|error| Error::Build { reason: error.to_string() })
    }

    /// As the `sui` program's aliases file names keys: base64 of scheme flag and public key.
    pub(super) fn public_key_base64(&self) -> String {
        use sui_sdk_types::MultisigMemberPublicKey as Key;
        let key = self.keypair.public_key();
        let (flag, bytes): (u8, &[u8]) = match &key {
            Key::Ed25519(key) => (0, key.as_bytes()),
            Key::Secp256k1(key) => (1, key.as_bytes()),
            Key::Secp256r1(key) => (2, key.as_bytes()),
            _ => return String::new(),
        };
        STANDARD.encode([&[flag], bytes].concat())
    }

    pub(super) fn has_public_key(&self, base64: &str) -> bool {
        !base64.is_empty() && self.public_key_base64() == base64
    }

    fn new(keypair: SimpleKeypair) -> Self {
        let address = keypair.verifying_key().derive_address();
        Self { keypair, address }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_in_every_spelling_is_one_account() {
        let expected = Account::from_ed25519([7; 32]);
        let flagged = [&[0_u8][..], &[7; 32]].concat();
        let bech32 = expected.keypair.to_suiprivkey().unwrap();
        for text in [hex::encode([7; 32]), format!("0x{}\n", hex::encode([7; 32])), STANDARD.encode(flagged), bech32] {
            assert_eq!(Account::from_text(&text, "test").unwrap().address(), expected.address(), "{text}");
        }
    }

    #[test]
    fn all_three_schemes_are_read() {
        let addresses: Vec<_> = (0..3_u8)
            .map(|flag| STANDARD.encode([&[flag][..], &[7; 32]].concat()))
            .map(|text| Account::from_text(&text, "test").unwrap().address())
            .collect();
        assert!(addresses[0] != addresses[1] && addresses[1] != addresses[2]);
    }

    #[test]
    fn errors_and_debug_show_no_key() {
        for text in ["", "suiprivkey1qqqqqqqqsecret", &"z".repeat(64), "c2VjcmV0"] {
            let error = Account::from_text(text, "the file").unwrap_err();
            assert!(matches!(error, Error::KeyMalformed { .. }));
            assert!(text.is_empty() || !format!("{error} {error:?}").contains(text));
        }
        assert!(!format!("{:?}", Account::from_ed25519([7; 32])).contains("0707"));
    }
}
