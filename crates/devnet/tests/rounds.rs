//! What is executed while the round before it is still on its way to the disk.

#![allow(clippy::unwrap_used)]

mod scene;

use std::{cell::RefCell, sync::Arc};

use daas_devnet::{
    execution::{Environment, Limits, ModuleCache, ObjectReader, execute},
    ledger::{Ledger, REFERENCE_GAS_PRICE, VerifiedTransaction},
};
use futures::future::maybe_done;
use scene::{Person, SUI, Scene, transfer};
use sui_sdk_types::{Address, Object, ObjectReference, Transaction, TransactionEffects};
use tokio::task::coop::unconstrained;

/// So many that they do not fit into one round.
const TRANSACTIONS: u64 = 600;

/// The chain's objects with the coin as it will be.
struct Ahead<'a> {
    ledger: &'a Ledger,
    coin: RefCell<Arc<Object>>,
}

impl ObjectReader for Ahead<'_> {
    fn object(&self, id: &Address) -> Option<Arc<Object>> {
        let coin = self.coin.borrow();
        if *id == coin.object_id() { Some(coin.clone()) } else { self.ledger.object(id) }
    }

    fn child(&self, _: &Address, _: &Address) -> Option<Arc<Object>> {
        None
    }
}

/// Transfers that each spend what the one before it leaves, with the effects that each must have.
fn dependent_transfers(ledger: &Ledger, person: &Person, coin: Arc<Object>) -> Vec<(Transaction, TransactionEffects)> {
    let (epoch, epoch_start_ms) = ledger.epoch();
    let environment = Environment {
        epoch,
        epoch_start_ms,
        now_ms: ledger.now_ms(),
        reference_gas_price: REFERENCE_GAS_PRICE,
        chain: ledger.chain_id(),
        limits: Limits::default(),
        attestation: None,
    };
    let (modules, ahead) = (ModuleCache::new(), Ahead { ledger, coin: RefCell::new(coin) });
    (0..TRANSACTIONS)
        .map(|_| {
            let coin = ahead.coin.borrow().clone();
            let gas = ObjectReference::new(coin.object_id(), coin.version(), coin.digest());
            let transaction = transfer(person.address, &gas, Address::TWO, 1);
            let executed = execute(&transaction, &ahead, &modules, &environment).unwrap();
            let rest = executed.written.into_iter().find(|object| object.object_id() == coin.object_id());
            ahead.coin.replace(Arc::new(rest.unwrap()));
            (transaction, executed.effects)
        })
        .collect()
}

#[tokio::test]
async fn a_transaction_builds_on_one_that_is_not_durable_yet_and_a_repeated_one_happens_once() {
    let scene = Scene::new().await;
    let alice = scene.person(&[100 * SUI]).await;
    let ledger = scene.devnet.ledger();
    let coin = scene.coins(alice.address).await.remove(0);
    let transfers = dependent_transfers(ledger, &alice, ledger.object(coin.object_id()).unwrap());

    let verified = |transaction: &Transaction| {
        VerifiedTransaction::check(transaction.clone(), vec![alice.sign(transaction)]).unwrap()
    };
    // Each is sent twice, in order, and nobody waits for an answer before the next is sent.
    let sent: Vec<_> =
        transfers.iter().flat_map(|(transaction, _)| [verified(transaction), verified(transaction)]).collect();
    let mut waiting = Vec::new();
    for transaction in sent {
        let mut answer = Box::pin(maybe_done(unconstrained(ledger.submit(transaction))));
        let _ = futures::poll!(&mut answer);
        waiting.push(answer);
    }
    let mut answers = Vec::new();
    for mut answer in waiting {
        answer.as_mut().await;
        answers.push(answer.as_mut().take_output().unwrap());
    }

    for (pair, (_, effects)) in answers.chunks(2).zip(&transfers) {
        for answer in pair {
            assert_eq!(&answer.as_ref().unwrap().executed.record.effects, effects);
        }
    }
    assert_eq!(scene.balance(Address::TWO).await, TRANSACTIONS);
    // What was acknowledged is what a restart finds.
    for (transaction, effects) in &transfers {
        let (stored, _) =
            ledger.transaction(&transaction.digest(), daas_devnet::ledger::Detail::Transactions).unwrap().unwrap();
        assert_eq!(&stored.record.effects, effects);
    }
}
