//! A configuration without content.

/// No configuration.
#[derive(Debug, Clone)]
pub struct SdkConfig;

impl SdkConfig {
    /// None.
    pub fn region(&self) -> Option<&region::Region> {
        None
    }
}

/// Names of regions.
pub mod region {
    /// A region's name, which nothing reads.
    #[derive(Debug, Clone)]
    pub struct Region;

    impl Region {
        /// Forgets the name.
        pub fn new(_name: String) -> Self {
            Self
        }
    }
}
