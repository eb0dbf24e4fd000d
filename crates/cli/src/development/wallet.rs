//! Keys of the development setup. They own play money only, and are kept like any other key all the same.

use std::path::Path;

use daas_diagnostics::{Diagnostic, codes};
use sui_crypto::ed25519::Ed25519PrivateKey;
use zeroize::Zeroizing;

use crate::places::{private_folder, write_private};
use crate::session_keys::random_secret;

/// Makes a private key in a file of its own, in the form that the sui command exports.
pub fn new_wallet(path: &Path) -> Result<(), Diagnostic> {
    path.parent().map_or(Ok(()), private_folder)?;
    let secret = random_secret()?;
    let text = Ed25519PrivateKey::new(*secret)
        .to_suiprivkey()
        .map(Zeroizing::new)
        // The error could tell of the key.
        .map_err(|_| Diagnostic::new(codes::INTERNAL).technical("a new key cannot be written as text"))?;
    write_private(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use daas_chain::wallet::open_key_file;

    use super::*;

    #[test]
    fn a_new_wallet_is_private_and_opens() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("a/key"), folder.path().join("b/key"));
        new_wallet(&one).unwrap();
        new_wallet(&two).unwrap();
        assert_eq!(std::fs::metadata(&one).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(open_key_file(&one).unwrap().address(), open_key_file(&two).unwrap().address());
    }
}
