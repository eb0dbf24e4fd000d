//! What the maps of [`Tables`](super::Tables) hold: each entry is found by a part of itself, so that no key is kept twice.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use daas_seal_token::{LiveToken, NodeName, StakeId, TokenId, WalletAddress};

use super::tables::StakeRecord;

/// A token, by its id.
#[derive(Clone)]
pub(super) struct Token(pub(super) Arc<LiveToken>);

/// A stake, by its id.
#[derive(Clone)]
pub(super) struct Staked(pub(super) Arc<StakeRecord>);

/// A stake, by the name of its node.
#[derive(Clone)]
pub(super) struct Named(pub(super) Arc<StakeRecord>);

/// The stakes of a wallet, by its address.
#[derive(Clone)]
pub(super) struct Owned {
    pub(super) owner: WalletAddress,
    pub(super) stakes: Arc<[StakeId]>,
}

/// When a token got another session key, by the token's id.
#[derive(Clone)]
pub(super) struct Rotation {
    pub(super) token: TokenId,
    pub(super) since_ms: u64,
}

macro_rules! found_by {
    ($($entry:ty: $key:ty = |$this:ident| $part:expr;)*) => {$(
        impl Borrow<$key> for $entry {
            fn borrow(&self) -> &$key {
                let $this = self;
                &$part
            }
        }

        impl Hash for $entry {
            fn hash<H: Hasher>(&self, state: &mut H) {
                let key: &$key = self.borrow();
                key.hash(state);
            }
        }

        impl PartialEq for $entry {
            fn eq(&self, other: &Self) -> bool {
                let (left, right): (&$key, &$key) = (self.borrow(), other.borrow());
                left == right
            }
        }

        impl Eq for $entry {}
    )*};
}

found_by! {
    Token: TokenId = |this| this.0.token;
    Staked: StakeId = |this| this.0.stake;
    Named: NodeName = |this| this.0.name;
    Owned: WalletAddress = |this| this.owner;
    Rotation: TokenId = |this| this.token;
}
