//! Layered configuration: a flag beats the environment, the environment beats the file, the file beats the default.
//!
//! Each role has one struct whose declaration is also its documentation (`docs/settings.md` is generated from it):
//! [`StakerSettings`], [`ClientSettings`], [`DevnetSettings`]. Nothing here reads global state: environment and flags
//! are passed in.
//!
//! ```
//! use daas_settings::{ClientSettings, Environment, Flags, Mist, Sources};
//!
//! let sources = Sources {
//!     flags: Flags::new().set("gas_budget", Some("0.05 SUI")),
//!     environment: Environment::of([("HOME", "/home/ann"), ("DAAS_RPC", "https://node.example:443")]),
//!     config: None,
//! };
//! let loaded = ClientSettings::load(&sources)?;
//! assert_eq!(loaded.settings.gas_budget, Some(Mist(50_000_000)));
//! assert_eq!(loaded.settings.rpc[0].to_string(), "https://node.example:443");
//! # Ok::<(), daas_settings::SettingsError>(())
//! ```

mod environment;
mod error;
mod file;
mod layers;
mod listing;
mod origin;
mod page;
mod roles;
mod secret;
mod table;
mod values;

pub use daas_seal_token::NodeId;
pub use environment::Environment;
pub use error::SettingsError;
pub use layers::{Flags, Sources};
pub use listing::{Listing, Row};
pub use origin::Origin;
pub use page::markdown;
pub use roles::{ClientSettings, DevnetSettings, StakerSettings};
pub use secret::{Secret, SecretString};
pub use table::{Loaded, Setting, Table};
pub use values::{
    AddressOrAlias, ChainId, ContainerRuntime, CriEndpoint, Endpoint, KeySource, LogLevel, Mist, OutputFormat,
    ParseError, PodNetwork, ProxyMode, RuntimeKind, SuiAddress, TrustMode, Value, format_duration, parse_duration,
    parse_node_id,
};
