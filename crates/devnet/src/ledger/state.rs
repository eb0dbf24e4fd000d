//! The live objects in memory, with the indexes that questions need: by owner and type, by parent.
//!
//! All of it is rebuilt from the store at start, so it can never disagree with what is durable.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use sui_sdk_types::{Address, Object, ObjectType, Owner, StructTag, TypeTag, framework::Coin};

/// Every live object.
#[derive(Debug, Default)]
pub(crate) struct LiveState {
    objects: HashMap<Address, Arc<Object>>,
    owned: HashMap<Address, BTreeSet<OwnedKey>>,
    children: HashMap<Address, BTreeSet<Address>>,
}

/// Place of an object in the list of its owner: by type, coins from the largest to the smallest, then by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct OwnedKey {
    type_: StructTag,
    inverted_balance: u64,
    id: Address,
}

/// Which of an owner's objects are asked for.
#[derive(Debug, Clone)]
pub(crate) enum TypeFilter {
    /// All of them.
    Any,
    /// One type with its parameters.
    Exact(StructTag),
    /// One type with whatever parameters.
    AnyParameters(StructTag),
}

impl TypeFilter {
    /// As the API defines it: a type without parameters matches every instance of it.
    pub(crate) fn new(filter: StructTag) -> Self {
        if filter.type_params().is_empty() { Self::AnyParameters(filter) } else { Self::Exact(filter) }
    }

    fn matches(&self, candidate: &StructTag) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(tag) => tag == candidate,
            Self::AnyParameters(tag) => {
                (tag.address(), tag.module(), tag.name()) == (candidate.address(), candidate.module(), candidate.name())
            }
        }
    }

    /// Types sort by address, module, name, parameters: what matches is one range.
    fn start(&self) -> Bound<OwnedKey> {
        match self {
            Self::Any => Bound::Unbounded,
            Self::Exact(tag) | Self::AnyParameters(tag) => {
                Bound::Included(OwnedKey { type_: tag.clone(), inverted_balance: 0, id: Address::ZERO })
            }
        }
    }
}

impl LiveState {
    /// The live object with this id.
    pub(crate) fn object(&self, id: &Address) -> Option<&Arc<Object>> {
        self.objects.get(id)
    }

    /// Adds an object or replaces its previous version.
    pub(crate) fn insert(&mut self, object: Arc<Object>) {
        let id = object.object_id();
        self.remove(&id);
        match place(&object) {
            Place::Owned(owner, key) => {
                self.owned.entry(owner).or_default().insert(key);
            }
            Place::Child(parent) => {
                self.children.entry(parent).or_default().insert(id);
            }
            Place::Nowhere => {}
        }
        self.objects.insert(id, object);
    }

    /// Removes an object that was deleted or wrapped.
    pub(crate) fn remove(&mut self, id: &Address) {
        let Some(object) = self.objects.remove(id) else { return };
        match place(&object) {
            Place::Owned(owner, key) => {
                if let Some(keys) = self.owned.get_mut(&owner) {
                    keys.remove(&key);
                    if keys.is_empty() {
                        self.owned.remove(&owner);
                    }
                }
            }
            Place::Child(parent) => {
                if let Some(children) = self.children.get_mut(&parent) {
                    children.remove(id);
                    if children.is_empty() {
                        self.children.remove(&parent);
                    }
                }
            }
            Place::Nowhere => {}
        }
    }

    /// Up to `limit` of an owner's objects after the key `after`, and the last one's key if more follow.
    pub(crate) fn owned(
        &self,
        owner: &Address,
        filter: &TypeFilter,
        after: Option<OwnedKey>,
        limit: usize,
    ) -> (Vec<Arc<Object>>, Option<OwnedKey>) {
        let Some(keys) = self.owned.get(owner) else { return (Vec::new(), None) };
        let start = after.map_or_else(|| filter.start(), Bound::Excluded);
        let mut matching =
            keys.range((start, Bound::Unbounded)).take_while(|key| filter.matches(&key.type_)).peekable();
        let mut page = Vec::new();
        let mut last = None;
        while page.len() < limit {
            let Some(key) = matching.next() else { return (page, None) };
            page.extend(self.objects.get(&key.id).cloned());
            last = Some(key);
        }
        let next = matching.peek().and(last.cloned());
        (page, next)
    }

    /// Sum of an owner's coins per coin type, types in order.
    pub(crate) fn balances(&self, owner: &Address) -> BTreeMap<TypeTag, u64> {
        let mut balances = BTreeMap::new();
        let coins = TypeFilter::AnyParameters(coin_without_parameters());
        let keys = self.owned.get(owner).into_iter().flat_map(|keys| keys.range((coins.start(), Bound::Unbounded)));
        for key in keys.take_while(|key| coins.matches(&key.type_)) {
            if let Some(coin_type) = key.type_.is_coin() {
                let sum: &mut u64 = balances.entry(coin_type.clone()).or_default();
                *sum = sum.saturating_add(u64::MAX - key.inverted_balance);
            }
        }
        balances
    }

    /// Up to `limit` objects owned by the object `parent` after the id `after`, and the last id if more follow.
    pub(crate) fn children(
        &self,
        parent: &Address,
        after: Option<Address>,
        limit: usize,
    ) -> (Vec<Arc<Object>>, Option<Address>) {
        let Some(children) = self.children.get(parent) else { return (Vec::new(), None) };
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = children.range((start, Bound::Unbounded)).peekable();
        let mut page = Vec::new();
        let mut last = None;
        while page.len() < limit {
            let Some(id) = rest.next() else { return (page, None) };
            page.extend(self.objects.get(id).cloned());
            last = Some(*id);
        }
        let next = rest.peek().and(last);
        (page, next)
    }
}

/// The coin's balance, if the object is a coin.
pub(crate) fn coin_balance(object: &Object) -> Option<u64> {
    Coin::try_from_object(object).map(|coin| coin.balance())
}

enum Place {
    Owned(Address, OwnedKey),
    Child(Address),
    Nowhere,
}

fn place(object: &Object) -> Place {
    let owner = match object.owner() {
        Owner::Address(owner) | Owner::ConsensusAddress { owner, .. } => *owner,
        Owner::Object(parent) => return Place::Child(*parent),
        _ => return Place::Nowhere,
    };
    let ObjectType::Struct(type_) = object.object_type() else { return Place::Nowhere };
    let inverted_balance = u64::MAX - coin_balance(object).unwrap_or(0);
    Place::Owned(owner, OwnedKey { type_, inverted_balance, id: object.object_id() })
}

fn coin_without_parameters() -> StructTag {
    let coin = StructTag::gas_coin();
    StructTag::new(*coin.address(), coin.module().clone(), coin.name().clone(), Vec::new())
}

#[cfg(test)]
mod tests {
    use sui_sdk_types::{Digest, Identifier, MoveStruct, ObjectData};

    use super::*;

    fn address(byte: u8) -> Address {
        Address::new([byte; 32])
    }

    fn coin(id: u8, owner: Address, coin_type: TypeTag, balance: u64) -> Arc<Object> {
        let mut contents = address(id).as_bytes().to_vec();
        contents.extend(balance.to_le_bytes());
        let data = MoveStruct::new(StructTag::coin(coin_type), true, 1, contents).unwrap();
        Arc::new(Object::new(ObjectData::Struct(data), Owner::Address(owner), Digest::ZERO, 0))
    }

    fn gold() -> TypeTag {
        let identifier = Identifier::from_static("gold");
        StructTag::new(address(9), identifier.clone(), identifier, Vec::new()).into()
    }

    fn sui() -> TypeTag {
        StructTag::sui().into()
    }

    #[test]
    fn an_owner_s_coins_come_by_type_largest_first_and_in_pages() {
        let owner = address(7);
        let mut state = LiveState::default();
        for (id, coin_type, balance) in [(1, sui(), 5), (2, gold(), 70), (3, sui(), 50), (4, sui(), 50)] {
            state.insert(coin(id, owner, coin_type, balance));
        }
        let filter = TypeFilter::new(StructTag::gas_coin());
        let (first, next) = state.owned(&owner, &filter, None, 2);
        let (second, end) = state.owned(&owner, &filter, next, 2);
        let ids: Vec<_> = first.iter().chain(&second).map(|object| object.object_id()).collect();
        assert_eq!(ids, [3, 4, 1].map(address));
        assert!(end.is_none());
        let any_coin = TypeFilter::new(coin_without_parameters());
        assert_eq!(state.owned(&owner, &any_coin, None, 10).0.len(), 4);
        assert_eq!(state.balances(&owner), BTreeMap::from([(sui(), 105), (gold(), 70)]));
    }

    #[test]
    fn an_object_that_moves_leaves_nothing_behind() {
        let (alice, bob) = (address(7), address(8));
        let mut state = LiveState::default();
        state.insert(coin(1, alice, sui(), 5));
        state.insert(coin(1, bob, sui(), 6));
        assert!(state.owned(&alice, &TypeFilter::Any, None, 10).0.is_empty());
        assert_eq!(state.balances(&bob), BTreeMap::from([(sui(), 6)]));
        state.remove(&address(1));
        assert!(state.owned.is_empty() && state.objects.is_empty());
    }
}
