use std::sync::Arc;

use daas_chain::registry::Registry;
use daas_seal_token::{Expectation, ExpectedPurpose, LiveToken, NodeName, Refusal, TokenId, TokenView};

/// What verdicts need to know of the chain. Every answer comes from memory.
pub trait RegistryView: TokenView + Send + Sync + 'static {
    /// What a token that is shown for this purpose must be for.
    fn expectation<'a>(&self, purpose: ExpectedPurpose<'a>) -> Expectation<'a>;
    /// The verdict on a certificate: its token must be alive, its key generation the present one or in its grace.
    fn verify_certificate(&self, token: &TokenId, key_generation: u64, now_ms: u64) -> Result<Arc<LiveToken>, Refusal>;
    /// The token of the stake that has this name.
    fn token_of(&self, node: &NodeName) -> Option<TokenId>;
    /// How old the newest checkpoint is; `None` before the first.
    fn age_ms(&self, now_ms: u64) -> Option<u64>;
}

impl RegistryView for Registry {
    fn expectation<'a>(&self, purpose: ExpectedPurpose<'a>) -> Expectation<'a> {
        Self::expectation(self, purpose)
    }

    fn verify_certificate(&self, token: &TokenId, key_generation: u64, now_ms: u64) -> Result<Arc<LiveToken>, Refusal> {
        Self::verify_certificate(self, token, key_generation, now_ms)
    }

    fn token_of(&self, node: &NodeName) -> Option<TokenId> {
        self.stake_of(node)?.token
    }

    fn age_ms(&self, now_ms: u64) -> Option<u64> {
        let health = self.health();
        health.ready.then(|| now_ms.saturating_sub(health.timestamp_ms))
    }
}
