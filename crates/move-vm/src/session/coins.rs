//! Coins, as the commands of a transaction split and merge them.

use sui_sdk_types::Address;

use super::{Session, Slot};
use crate::{ExecutionError, Fault, Value, framework, interpreter::Machine, object_runtime::object_id, value::Repr};

impl Session<'_> {
    /// The balance of a `0x2::coin::Coin`.
    pub fn coin_value(&self, coin: &Value) -> Option<u64> {
        match (self.is_coin(&coin.0), coin.0.get(COIN_VALUE)) {
            (true, Some(Repr::U64(value))) => Some(*value),
            _ => None,
        }
    }

    /// Takes `amount` out of a coin into a new one; `None` when the balance is too small (the coin is unchanged).
    pub fn split_coin(&mut self, coin: Slot, amount: u64) -> Result<Option<Value>, ExecutionError> {
        let mut whole = self.take(coin)?;
        let Some(rest) = self.coin_value(&whole).map(|value| value.checked_sub(amount)) else {
            self.put(coin, whole)?;
            return Err(Fault::BadValue("not a coin").into());
        };
        let split = rest.map(|rest| {
            let part = whole.clone();
            set_coin(&mut whole.0, None, rest);
            part
        });
        self.put(coin, whole)?;
        let Some(mut part) = split else { return Ok(None) };
        let id = self.fresh_id()?;
        set_coin(&mut part.0, Some(id), amount);
        Ok(Some(part))
    }

    /// Adds a coin of the same type to another and deletes it. Overflow is `Fault::Arithmetic`.
    #[expect(clippy::needless_pass_by_value, reason = "the coin is gone afterwards")]
    pub fn join_coin(&mut self, coin: Slot, other: Value) -> Result<(), ExecutionError> {
        let mut whole = self.take(coin)?;
        if Machine::type_of(&whole.0) != Machine::type_of(&other.0) {
            return Err(Fault::BadValue("coins of two types").into());
        }
        let (Some(a), Some(b), Some(id)) = (self.coin_value(&whole), self.coin_value(&other), object_id(&other.0))
        else {
            return Err(Fault::BadValue("not a coin").into());
        };
        set_coin(&mut whole.0, None, a.checked_add(b).ok_or(Fault::Arithmetic)?);
        self.machine.objects.record_deleted(id);
        self.put(coin, whole)
    }

    fn is_coin(&self, value: &Repr) -> bool {
        let tag = self.machine.types.struct_tag(Machine::type_of(value));
        tag.is_ok_and(|tag| *tag.address() == framework::address(2) && tag.module() == "coin" && tag.name() == "Coin")
    }
}

/// `balance.value` of a coin.
const COIN_VALUE: &[u32] = &[1, 0];

fn set_coin(coin: &mut Repr, id: Option<Address>, value: u64) {
    if let Some(crate::value::PlaceMut::Value(place)) = crate::value::walk_mut(coin, COIN_VALUE) {
        *place = Repr::U64(value);
    }
    if let (Some(id), Some(crate::value::PlaceMut::Value(place))) = (id, crate::value::walk_mut(coin, &[0, 0, 0])) {
        *place = Repr::Address(id);
    }
}
