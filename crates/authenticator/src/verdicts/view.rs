use std::sync::Arc;

use daas_chain::registry::Registry;
use daas_seal_token::{ExpectedPurpose, Identity, LiveToken, NodeName, Refusal, SealToken, TokenId, TokenView};

/// What verdicts need to know of the chain. Every answer comes from memory.
pub trait RegistryView: TokenView + Send + Sync + 'static {
    /// The verdict on a Seal token.
    fn verify(&self, token: &SealToken, purpose: ExpectedPurpose<'_>, now_ms: u64) -> Result<Identity, Refusal>;
    /// The verdict on a certificate: its token must be alive, its key generation the present one or in its grace.
    fn verify_certificate(&self, token: &TokenId, key_generation: u64, now_ms: u64) -> Result<Arc<LiveToken>, Refusal>;
    /// The token of the stake that has this name.
    fn token_of(&self, node: &NodeName) -> Option<TokenId>;
}

impl RegistryView for Registry {
    fn verify(&self, token: &SealToken, purpose: ExpectedPurpose<'_>, now_ms: u64) -> Result<Identity, Refusal> {
        Self::verify(self, token, purpose, now_ms)
    }

    fn verify_certificate(&self, token: &TokenId, key_generation: u64, now_ms: u64) -> Result<Arc<LiveToken>, Refusal> {
        Self::verify_certificate(self, token, key_generation, now_ms)
    }

    fn token_of(&self, node: &NodeName) -> Option<TokenId> {
        self.stake_of(node)?.token
    }
}
