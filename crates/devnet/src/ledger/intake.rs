//! What a transaction must show before it is executed: its size and its signers' signatures.
//!
//! Everything that depends on objects (versions, owners, gas) is checked by execution, on the state of that moment.

use sui_crypto::{SuiVerifier, UserSignatureVerifier};
use sui_sdk_types::{Address, Digest, MultisigMemberSignature, SignatureScheme, Transaction, UserSignature};

use crate::Error;

/// Sui's `max_tx_size_bytes`.
const MAX_TRANSACTION_BYTES: usize = 128 * 1024;

/// A transaction that carries valid signatures of exactly its signers.
#[derive(Debug, Clone)]
pub struct VerifiedTransaction {
    pub(crate) transaction: Transaction,
    pub(crate) signatures: Vec<UserSignature>,
    pub(crate) digest: Digest,
}

impl VerifiedTransaction {
    /// Checks size and signatures.
    pub fn check(transaction: Transaction, signatures: Vec<UserSignature>) -> Result<Self, Error> {
        let size =
            bcs::serialized_size(&transaction).map_err(|source| Error::Malformed { what: "transaction", source })?;
        if size > MAX_TRANSACTION_BYTES {
            return Err(Error::TransactionTooLarge { found: size, limit: MAX_TRANSACTION_BYTES });
        }
        let signers = signers(&transaction);
        if signatures.len() != signers.len() {
            return Err(Error::SignatureCount { expected: signers.len(), found: signatures.len() });
        }
        let verifier = UserSignatureVerifier::new();
        for signature in &signatures {
            supported(signature)?;
            verifier
                .verify_transaction(&transaction, signature)
                .map_err(|error| Error::InvalidSignature(error.to_string()))?;
        }
        for signer in signers {
            if !signatures.iter().any(|signature| signature.derive_addresses().any(|address| address == signer)) {
                return Err(Error::MissingSigner { signer });
            }
        }
        let digest = transaction.digest();
        Ok(Self { transaction, signatures, digest })
    }

    /// The transaction's digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// The sender, and the gas owner where that is somebody else.
fn signers(transaction: &Transaction) -> Vec<Address> {
    let mut signers = vec![transaction.sender];
    if transaction.gas_payment.owner != transaction.sender {
        signers.push(transaction.gas_payment.owner);
    }
    signers
}

/// zkLogin needs the providers' keys on chain, passkeys need WebAuthn: neither exists here.
fn supported(signature: &UserSignature) -> Result<(), Error> {
    match signature {
        UserSignature::Simple(_) => Ok(()),
        UserSignature::Multisig(multisig) => {
            for member in multisig.signatures() {
                match member {
                    MultisigMemberSignature::ZkLogin(_) => return Err(Error::UnsupportedSignature("zkLogin")),
                    MultisigMemberSignature::Passkey(_) => return Err(Error::UnsupportedSignature("passkey")),
                    _ => {}
                }
            }
            Ok(())
        }
        other => Err(Error::UnsupportedSignature(match other.scheme() {
            SignatureScheme::ZkLogin => "zkLogin",
            SignatureScheme::Passkey => "passkey",
            _ => "this kind of",
        })),
    }
}
