//! Play money for whoever asks, within bounds.
//!
//! Each gift is an ordinary transaction of the faucet's key. The faucet has several coins, so several gifts can be in
//! the chain's queue at once.

use std::sync::{Arc, Mutex, PoisonError};

use sui_crypto::SuiSigner;
use sui_sdk_types::{
    Address, Argument, Command, Digest, GasPayment, Input, ObjectOut, ObjectReference, Owner, ProgrammableTransaction,
    SplitCoins, StructTag, Transaction, TransactionEffects, TransactionExpiration, TransactionKind, TransferObjects,
};
use tokio::sync::Semaphore;

use crate::{
    Error,
    ledger::{Ledger, REFERENCE_GAS_PRICE, TypeFilter, VerifiedTransaction, coin_balance},
};

/// Coins of one gift.
const MAX_COINS: usize = 256;
/// MIST of one gift: a million SUI.
const MAX_MIST: u64 = 1_000_000_000_000_000;
/// Gifts that may wait; more are refused.
const MAX_WAITING: usize = 256;
/// More than 256 new coins cost.
const GAS_BUDGET: u64 = 5_000_000_000;

/// Gives SUI to addresses.
#[derive(Clone)]
pub struct Faucet {
    ledger: Ledger,
    /// Coins that no gift uses at the moment.
    idle: Arc<Mutex<Vec<Address>>>,
    idle_count: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// What the faucet gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gift {
    /// The transaction.
    pub transaction: Digest,
    /// The new coins and what each holds in MIST, in the order that was asked for.
    pub coins: Vec<(Address, u64)>,
}

impl Faucet {
    /// The faucet of this chain.
    pub(crate) fn new(ledger: Ledger) -> Self {
        let address = ledger.faucet_key().public_key().derive_address();
        let (coins, _) = ledger.owned(&address, &TypeFilter::new(StructTag::gas_coin()), None, MAX_COINS);
        let idle: Vec<_> = coins.iter().map(|coin| coin.object_id()).collect();
        Self {
            idle_count: Arc::new(Semaphore::new(idle.len())),
            idle: Arc::new(Mutex::new(idle)),
            places: Arc::new(Semaphore::new(MAX_WAITING)),
            ledger,
        }
    }

    /// Gives `recipient` one coin per amount (MIST); when this returns the coins are there for good.
    pub async fn fund(&self, recipient: Address, amounts: &[u64]) -> Result<Gift, Error> {
        check(amounts)?;
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| Error::Busy("too many people ask the faucet; try again in a second"))?;
        let (faucet, amounts) = (self.clone(), amounts.to_vec());
        // A task of its own: a client that hangs up must not leave a coin behind in nobody's hands.
        let gift = tokio::spawn(async move {
            let _place = place;
            let turn = faucet.idle_count.acquire().await;
            let coin = faucet.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let (Ok(_turn), Some(coin)) = (turn, coin) else {
                return Err(Error::Faucet("it has no coins left".to_owned()));
            };
            let gift = faucet.give(coin, recipient, &amounts).await;
            faucet.idle.lock().unwrap_or_else(PoisonError::into_inner).push(coin);
            gift
        });
        gift.await.map_err(|error| Error::Stopped(error.to_string()))?
    }

    async fn give(&self, coin: Address, recipient: Address, amounts: &[u64]) -> Result<Gift, Error> {
        let coin = self.ledger.object(&coin).ok_or_else(|| Error::Faucet("its coin is gone".to_owned()))?;
        let total: u64 = amounts.iter().sum();
        if coin_balance(&coin).unwrap_or(0) < total.saturating_add(GAS_BUDGET) {
            return Err(Error::Faucet("it has too little left; start a new chain".to_owned()));
        }
        let key = self.ledger.faucet_key();
        let gas = ObjectReference::new(coin.object_id(), coin.version(), coin.digest());
        let transaction = gift_transaction(key.public_key().derive_address(), gas, recipient, amounts);
        let signature =
            key.sign_transaction(&transaction).map_err(|error| Error::InvalidSignature(error.to_string()))?;
        let submitted = self.ledger.submit(VerifiedTransaction::check(transaction, vec![signature])?).await?;

        let record = &submitted.executed.record;
        let sui_sdk_types::ExecutionStatus::Success = record.effects.status() else {
            return Err(Error::Faucet(format!("its transaction failed: {:?}", record.effects.status())));
        };
        Ok(Gift { transaction: record.digest(), coins: new_coins(&record.effects, record.digest(), amounts) })
    }
}

fn check(amounts: &[u64]) -> Result<(), Error> {
    let total = amounts.iter().try_fold(0u64, |sum, amount| sum.checked_add(*amount));
    match total {
        _ if amounts.is_empty() || amounts.contains(&0) => {
            Err(Error::Faucet("ask for at least one coin, and for at least 1 MIST in each".to_owned()))
        }
        _ if amounts.len() > MAX_COINS => {
            Err(Error::Faucet(format!("{} coins at once, at most {MAX_COINS} are given", amounts.len())))
        }
        Some(total) if total <= MAX_MIST => Ok(()),
        _ => Err(Error::Faucet(format!("at most {MAX_MIST} MIST are given at once"))),
    }
}

fn gift_transaction(faucet: Address, gas: ObjectReference, recipient: Address, amounts: &[u64]) -> Transaction {
    let mut inputs = vec![Input::Pure(recipient.as_bytes().to_vec())];
    inputs.extend(amounts.iter().map(|amount| Input::Pure(amount.to_le_bytes().to_vec())));
    let count = amounts.len() as u16;
    let split = SplitCoins { coin: Argument::Gas, amounts: (1..=count).map(Argument::Input).collect() };
    let transfer = TransferObjects {
        objects: (0..count).map(|coin| Argument::NestedResult(0, coin)).collect(),
        address: Argument::Input(0),
    };
    let commands = vec![Command::SplitCoins(split), Command::TransferObjects(transfer)];
    Transaction {
        kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction { inputs, commands }),
        sender: faucet,
        gas_payment: GasPayment { objects: vec![gas], owner: faucet, price: REFERENCE_GAS_PRICE, budget: GAS_BUDGET },
        expiration: TransactionExpiration::None,
    }
}

/// The coins that the gift created, in the order of the amounts: ids are derived from digest and counter.
fn new_coins(effects: &TransactionEffects, digest: Digest, amounts: &[u64]) -> Vec<(Address, u64)> {
    let TransactionEffects::V2(effects) = effects else { return Vec::new() };
    let created = |id: &Address| {
        effects.changed_objects.iter().any(|change| {
            change.object_id == *id
                && matches!(change.output_state, ObjectOut::ObjectWrite { owner: Owner::Address(_), .. })
        })
    };
    (0u64..)
        .zip(amounts)
        .map(|(count, amount)| (Address::derive_id(digest, count), *amount))
        .filter(|(id, _)| created(id))
        .collect()
}
