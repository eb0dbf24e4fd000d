use std::path::PathBuf;
use std::time::Duration;

use daas_diagnostics::Phrase;

use crate::error::SettingsError;
use crate::listing::Listing;
use crate::origin::Origin;
use crate::table::settings;
use crate::values::{
    AddressOrAlias, ChainId, Endpoint, KeySource, LogLevel, Mist, OutputFormat, SuiAddress, TrustMode,
};

settings! {
    /// The command that operators, stakers and users type.
    pub struct ClientSettings: "daas",
        file "DAAS_CONFIG" or Some("{config}/config.toml"), prefix "DAAS_"
    {
        /// The Sui nodes to ask, by gRPC.
        rpc: Vec<Endpoint>, env ["DAAS_RPC"], default Some("http://127.0.0.1:9000");
        /// The chain that these nodes must serve; without it the first answer is trusted.
        chain_id: Option<ChainId>, env ["DAAS_CHAIN_ID"], default None;
        /// The published K3s-DaaS package.
        package: Option<SuiAddress>, env ["DAAS_PACKAGE"], default None;
        /// The cluster that commands are about: the id of its Cluster object.
        cluster: Option<SuiAddress>, env ["DAAS_CLUSTER"], default None;
        /// How far a single Sui node is believed.
        trust: TrustMode, env ["DAAS_TRUST"], default Some("rpc");
        /// How many Sui nodes must agree with trust `quorum`; without it, more than half of them.
        quorum: Option<u32>, env ["DAAS_QUORUM"], default None;
        /// The sui CLI's wallet, which names a keystore and an active address.
        wallet_config: PathBuf, env ["DAAS_WALLET_CONFIG"], default Some("~/.sui/sui_config/client.yaml");
        /// The keystore, if it is not the wallet's.
        keystore_path: Option<PathBuf>, env ["DAAS_KEYSTORE_PATH"], default None;
        /// Which key of the keystore signs, if it is not the wallet's active address.
        address: Option<AddressOrAlias>, env ["DAAS_ADDRESS"], default None;
        /// A private key to use instead of wallet and keystore, or rather where to find it.
        private_key: Option<KeySource>, env ["DAAS_PRIVATE_KEY"], default None;
        /// The most gas that one transaction may cost; without it the cost is estimated.
        gas_budget: Option<Mist>, env ["DAAS_GAS_BUDGET"], default None;
        /// How long one question to the chain may take.
        timeout: Duration, env ["DAAS_TIMEOUT"], default Some("30s");
        /// Where session keys and unfinished work are kept.
        state_dir: PathBuf, env ["DAAS_STATE_DIR"], default Some("{state}/client");
        /// What commands print.
        output: OutputFormat, env ["DAAS_OUTPUT"], default Some("text");
        /// How much is logged to standard error.
        log_level: LogLevel, env ["DAAS_LOG_LEVEL"], default Some("warn");
    }
}

impl ClientSettings {
    fn check(&self, listing: &Listing) -> Result<(), SettingsError> {
        if self.timeout.is_zero() {
            return Err(SettingsError::BadValue {
                name: "timeout",
                origin: listing.origin("timeout").cloned().unwrap_or(Origin::Default),
                value: "0".to_owned(),
                expected: Phrase::new("more than zero", "0보다 큰 값"),
            });
        }
        check_quorum("rpc", &self.rpc, self.trust, self.quorum)
    }
}

/// A quorum of k needs n ≥ k different nodes, and more than half of them: two disjoint quorums could contradict.
pub(super) fn check_quorum(
    nodes: &'static str,
    endpoints: &[Endpoint],
    trust: TrustMode,
    quorum: Option<u32>,
) -> Result<(), SettingsError> {
    let conflict = |first, second, english, korean| {
        Err(SettingsError::Conflict { first, second, reason: Phrase::new(english, korean) })
    };
    match (trust, quorum) {
        (TrustMode::Rpc, Some(_)) => conflict(
            "quorum",
            "trust",
            "a quorum counts only with trust \"quorum\"",
            "정족수는 trust가 \"quorum\"일 때만 의미가 있습니다",
        ),
        (TrustMode::Quorum, _) if endpoints.len() < 2 => {
            conflict("trust", nodes, "a quorum needs two Sui nodes or more", "정족수에는 Sui 노드가 둘 이상 필요합니다")
        }
        (TrustMode::Quorum, Some(needed)) => {
            let (needed, total) = (needed as usize, endpoints.len());
            if needed > total {
                conflict(
                    "quorum",
                    nodes,
                    "there are fewer Sui nodes than must agree",
                    "동의해야 하는 수보다 Sui 노드가 적습니다",
                )
            } else if needed * 2 <= total {
                conflict(
                    "quorum",
                    nodes,
                    "more than half of the Sui nodes must agree",
                    "Sui 노드의 절반보다 많이 동의해야 합니다",
                )
            } else {
                Ok(())
            }
        }
        (TrustMode::Rpc | TrustMode::Quorum, None) => Ok(()),
    }
}
