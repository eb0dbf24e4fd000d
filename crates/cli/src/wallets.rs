//! Which key signs.

use daas_chain::wallet::{Account, Keystore, open_key_file, open_sui_wallet};
use daas_diagnostics::{Diagnose as _, Diagnostic, codes};
use daas_settings::{AddressOrAlias, KeySource};

use crate::development::Record;
use crate::invocation::Invocation;
use crate::places::Role;

impl Invocation {
    /// The account for what this role does.
    ///
    /// A key, a keystore or a wallet that the settings name comes first. In the development setup, where they name none,
    /// operator and staker have a key each; `--address operator` and `--address staker` choose between them.
    pub fn account(&self, role: Role) -> Result<Account, Diagnostic> {
        let settings = &self.settings;
        let wanted = settings.address.as_ref().map(ToString::to_string);
        let told = |error: daas_chain::Error| error.diagnostic();
        match &settings.private_key {
            Some(KeySource::File(path)) => return open_key_file(path).map_err(told),
            Some(KeySource::Inline(secret)) => {
                return Account::from_text(secret.expose(), "DAAS_PRIVATE_KEY").map_err(told);
            }
            Some(KeySource::Kms(reference)) => {
                let reference = format!("kms:{reference}");
                return Err(Diagnostic::new(codes::KEY_REFERENCE_UNSUPPORTED).with("reference", reference));
            }
            Some(KeySource::Alias(alias)) => return self.in_keystore(Some(alias)),
            None => {}
        }
        if settings.keystore_path.is_some() {
            return self.in_keystore(wanted.as_deref());
        }
        // Read here and not earlier: `down` must work whatever the record has become.
        if self.is_development && !self.is_given("wallet_config") && Record::read(&self.places)?.is_some() {
            let chosen = match &settings.address {
                None => Some(role),
                Some(AddressOrAlias::Alias(alias)) if alias == "operator" => Some(Role::Operator),
                Some(AddressOrAlias::Alias(alias)) if alias == "staker" => Some(Role::Staker),
                Some(_) => None,
            };
            if let Some(role) = chosen {
                return open_key_file(&self.places.key_file(role)).map_err(told);
            }
        }
        open_sui_wallet(&settings.wallet_config, wanted.as_deref()).map_err(told)
    }

    fn in_keystore(&self, wanted: Option<&str>) -> Result<Account, Diagnostic> {
        let account = match &self.settings.keystore_path {
            Some(path) => Keystore::read(path).and_then(|keystore| match wanted {
                Some(wanted) => keystore.find(wanted),
                None => keystore.only(),
            }),
            None => open_sui_wallet(&self.settings.wallet_config, wanted),
        };
        account.map_err(|error| error.diagnostic())
    }
}
