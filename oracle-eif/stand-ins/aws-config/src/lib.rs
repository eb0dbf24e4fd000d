//! Loads a configuration without content.

use aws_types::{SdkConfig, region::Region};

/// A version that nothing depends on.
pub struct BehaviorVersion;

impl BehaviorVersion {
    /// The only one.
    pub fn latest() -> Self {
        Self
    }
}

/// Loads nothing.
pub struct ConfigLoader;

/// A loader.
pub fn defaults(_version: BehaviorVersion) -> ConfigLoader {
    ConfigLoader
}

impl ConfigLoader {
    /// Forgets the region.
    #[must_use]
    pub fn region(self, _region: Region) -> Self {
        self
    }

    /// No configuration.
    pub async fn load(self) -> SdkConfig {
        SdkConfig
    }
}
