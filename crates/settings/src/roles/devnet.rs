use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use daas_diagnostics::Phrase;

use crate::error::SettingsError;
use crate::listing::Listing;
use crate::origin::Origin;
use crate::table::settings;
use crate::values::{LogLevel, Mist, format_duration};

settings! {
    /// The development chain. It is not a Sui network.
    pub struct DevnetSettings: "daas-devnet",
        file "DAAS_DEVNET_CONFIG" or None, prefix "DAAS_DEVNET_"
    {
        /// Where the chain is stored.
        data_dir: PathBuf, env ["DAAS_DEVNET_DATA_DIR"], default Some("{state}/devnet");
        /// Where the gRPC API listens; anything but loopback lets others use the faucet.
        listen: SocketAddr, env ["DAAS_DEVNET_LISTEN"], default Some("127.0.0.1:9000");
        /// The longest time between a transaction and its checkpoint, at most 250 ms.
        checkpoint_interval: Duration, env ["DAAS_DEVNET_CHECKPOINT_INTERVAL"], default Some("100ms");
        /// How long an epoch lasts.
        epoch_duration: Duration, env ["DAAS_DEVNET_EPOCH_DURATION"], default Some("24h");
        /// A certificate whose attestation documents are accepted besides those of AWS, for simulated hardware.
        attestation_root: Option<PathBuf>, env ["DAAS_DEVNET_ATTESTATION_ROOT"], default None;
        /// What the faucet gives at a time.
        faucet_amount: Mist, env ["DAAS_DEVNET_FAUCET_AMOUNT"], default Some("100 SUI");
        /// How much is logged.
        log_level: LogLevel, env ["DAAS_DEVNET_LOG_LEVEL"], default Some("info");
    }
}

/// Clients of the development chain rely on seeing a transaction this soon.
const MAX_CHECKPOINT_INTERVAL: Duration = Duration::from_millis(250);

impl DevnetSettings {
    fn check(&self, listing: &Listing) -> Result<(), SettingsError> {
        let bad = |name, value, expected| {
            let origin = listing.origin(name).cloned().unwrap_or(Origin::Default);
            Err(SettingsError::BadValue { name, origin, value: format_duration(value), expected })
        };
        let interval = self.checkpoint_interval;
        if interval.is_zero() || interval > MAX_CHECKPOINT_INTERVAL {
            return bad("checkpoint_interval", interval, Phrase::new("1ms to 250ms", "1ms에서 250ms 사이"));
        }
        if self.epoch_duration < Duration::from_secs(1) {
            return bad("epoch_duration", self.epoch_duration, Phrase::new("1s or more", "1s 이상"));
        }
        Ok(())
    }
}
