//! What must hold before a transaction enters the chain (sui-types/src/transaction.rs `validity_check`,
//! sui-transaction-checks): shape, expiration, gas payment, and that every named object is the live one and may be used.

use std::collections::HashSet;
use std::sync::Arc;

use sui_sdk_types::{
    Address, Command, Input, Mutability, Object, ObjectData, ObjectReference, Owner, ProgrammableTransaction,
    StructTag, Transaction, TransactionExpiration, TransactionKind, TypeTag, Version,
};

use super::{Environment, Limits, ObjectReader, Refused};

/// The Clock.
pub(super) const CLOCK: Address = Address::from_static("0x6");
const AUTHENTICATOR_STATE: Address = Address::from_static("0x7");
const RANDOMNESS: Address = Address::from_static("0x8");

/// Gas units that the smallest transaction costs; the least budget pays for them (`base_tx_cost_fixed`).
pub(super) const MINIMUM_UNITS: u64 = 1_000;

/// An input with the object that it names.
#[derive(Debug, Clone)]
pub(super) enum Admitted {
    /// Bytes of a value without identity.
    Pure(Vec<u8>),
    /// An object, and whether the transaction may change it.
    Object { object: Arc<Object>, mutable: bool },
}

/// Who pays and with what.
#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub coins: Vec<Arc<Object>>,
    pub owner: Address,
    pub price: u64,
    pub budget: u64,
}

/// The programmable part of the transaction; the other kinds are the system's.
pub(super) fn programmable(transaction: &Transaction) -> Result<&ProgrammableTransaction, Refused> {
    match &transaction.kind {
        TransactionKind::ProgrammableTransaction(programmable) => Ok(programmable),
        TransactionKind::ProgrammableSystemTransaction(_) => Err(Refused::SystemOnly("ProgrammableSystemTransaction")),
        TransactionKind::ChangeEpoch(_) | TransactionKind::EndOfEpoch(_) => Err(Refused::SystemOnly("change of epoch")),
        TransactionKind::Genesis(_) => Err(Refused::SystemOnly("Genesis")),
        TransactionKind::ConsensusCommitPrologue(_)
        | TransactionKind::ConsensusCommitPrologueV2(_)
        | TransactionKind::ConsensusCommitPrologueV3(_)
        | TransactionKind::ConsensusCommitPrologueV4(_) => Err(Refused::SystemOnly("ConsensusCommitPrologue")),
        _ => Err(Refused::SystemOnly("system transaction")),
    }
}

/// Checks the shape of the transaction: sizes and commands that could never succeed.
pub(super) fn check_shape(transaction: &ProgrammableTransaction, limits: &Limits) -> Result<(), Refused> {
    at_most("commands", transaction.commands.len(), limits.commands)?;
    at_most("inputs", transaction.inputs.len(), limits.inputs)?;
    for input in &transaction.inputs {
        if let Input::Pure(bytes) = input {
            at_most("bytes of a pure input", bytes.len(), limits.pure_bytes)?;
        }
    }
    for (index, command) in transaction.commands.iter().enumerate() {
        let arguments = match command {
            Command::MoveCall(call) => {
                at_most("type arguments", call.type_arguments.len(), 16)?;
                call.type_arguments.iter().try_for_each(check_depth)?;
                call.arguments.len()
            }
            Command::TransferObjects(transfer) => not_empty(index, "TransferObjects", transfer.objects.len())?,
            Command::SplitCoins(split) => not_empty(index, "SplitCoins", split.amounts.len())?,
            Command::MergeCoins(merge) => not_empty(index, "MergeCoins", merge.coins_to_merge.len())?,
            Command::MakeMoveVector(vector) => match &vector.type_ {
                Some(type_) => check_depth(type_).map(|()| vector.elements.len())?,
                None => not_empty(index, "MakeMoveVector without a type", vector.elements.len())?,
            },
            Command::Publish(publish) => {
                at_most("modules", publish.modules.len(), limits.modules)?;
                at_most("dependencies", publish.dependencies.len(), 32)?;
                not_empty(index, "Publish", publish.modules.len())?
            }
            Command::Upgrade(upgrade) => {
                at_most("modules", upgrade.modules.len(), limits.modules)?;
                at_most("dependencies", upgrade.dependencies.len(), 32)?;
                not_empty(index, "Upgrade", upgrade.modules.len())?
            }
            _ => return Err(Refused::Unsupported("an unknown command")),
        };
        at_most("arguments of a command", arguments, limits.arguments)?;
    }
    Ok(())
}

/// Checks that the transaction is valid on this chain and now.
pub(super) fn check_expiration(transaction: &Transaction, environment: &Environment) -> Result<(), Refused> {
    let (min_epoch, max_epoch, min_timestamp, max_timestamp, chain) = match &transaction.expiration {
        TransactionExpiration::None => return Ok(()),
        TransactionExpiration::Epoch(last) => (None, Some(*last), None, None, None),
        TransactionExpiration::ValidDuring { min_epoch, max_epoch, min_timestamp, max_timestamp, chain, .. }
        | TransactionExpiration::Validity { min_epoch, max_epoch, min_timestamp, max_timestamp, chain, .. } => {
            (*min_epoch, *max_epoch, *min_timestamp, *max_timestamp, Some(*chain))
        }
        _ => return Err(Refused::Unsupported("an unknown kind of expiration")),
    };
    if let Some(chain) = chain
        && chain != environment.chain
    {
        return Err(Refused::Expired(format!("it is for chain {chain}, this is {}", environment.chain)));
    }
    let outside = |what: &str, min: Option<u64>, max: Option<u64>, now: u64| {
        if min.is_some_and(|min| now < min) || max.is_some_and(|max| now > max) {
            return Err(Refused::Expired(format!("{what} is {now}, valid from {min:?} to {max:?}")));
        }
        Ok(())
    };
    outside("the epoch", min_epoch, max_epoch, environment.epoch)?;
    outside("the time", min_timestamp, max_timestamp, environment.now_ms)
}

/// Checks price and budget.
pub(super) fn check_gas(price: u64, budget: u64, environment: &Environment) -> Result<(), Refused> {
    let (min, max) = (environment.reference_gas_price, environment.limits.gas_price);
    if price < min || price > max {
        return Err(Refused::GasPrice { price, min, max });
    }
    let (min, max) = (price.saturating_mul(MINIMUM_UNITS), environment.limits.gas_budget);
    if budget < min || budget > max {
        return Err(Refused::GasBudget { budget, min, max });
    }
    Ok(())
}

/// Loads the coins that pay, and checks that they suffice.
pub(super) fn admit_payment(
    transaction: &Transaction,
    objects: &dyn ObjectReader,
    limits: &Limits,
) -> Result<Payment, Refused> {
    let gas = &transaction.gas_payment;
    if gas.objects.is_empty() {
        return Err(Refused::NoGasPayment);
    }
    at_most("gas coins", gas.objects.len(), limits.gas_coins)?;
    let mut balance = 0u64;
    let mut coins = Vec::with_capacity(gas.objects.len());
    for reference in &gas.objects {
        let object = live(reference, objects)?;
        let value = gas_balance(&object).ok_or(Refused::NotAGasCoin { id: object.object_id() })?;
        owned_by(&object, gas.owner)?;
        balance = balance.checked_add(value).ok_or_else(|| Refused::Malformed("gas coins overflow u64".into()))?;
        coins.push(object);
    }
    if balance < gas.budget {
        return Err(Refused::GasTooPoor { balance, budget: gas.budget });
    }
    Ok(Payment { coins, owner: gas.owner, price: gas.price, budget: gas.budget })
}

/// Loads the inputs, and checks that the sender may use them.
pub(super) fn admit_inputs(
    transaction: &ProgrammableTransaction,
    sender: Address,
    gas: &[Arc<Object>],
    objects: &dyn ObjectReader,
) -> Result<Vec<Admitted>, Refused> {
    let mut seen: HashSet<Address> = HashSet::new();
    for id in gas.iter().map(|coin| coin.object_id()) {
        if !seen.insert(id) {
            return Err(Refused::DuplicateInput { id });
        }
    }
    let mut once = |id: Address| if seen.insert(id) { Ok(()) } else { Err(Refused::DuplicateInput { id }) };
    transaction
        .inputs
        .iter()
        .map(|input| match input {
            Input::Pure(bytes) => Ok(Admitted::Pure(bytes.clone())),
            Input::ImmutableOrOwned(reference) => {
                once(*reference.object_id())?;
                let object = live(reference, objects)?;
                let mutable = *object.owner() != Owner::Immutable;
                if mutable {
                    owned_by(&object, sender)?;
                }
                Ok(Admitted::Object { object, mutable })
            }
            Input::Shared(shared) => {
                let id = shared.object_id();
                once(id)?;
                let mutable = match shared.mutability() {
                    Mutability::Immutable => false,
                    Mutability::Mutable => true,
                    Mutability::NonExclusiveWrite => return Err(Refused::Unsupported("non-exclusive writes")),
                };
                if id == AUTHENTICATOR_STATE || (mutable && (id == CLOCK || id == RANDOMNESS)) {
                    return Err(Refused::ImmutableSystemObject { id });
                }
                let object = admit_shared(id, shared.version(), objects)?;
                Ok(Admitted::Object { object, mutable })
            }
            Input::Receiving(_) => Err(Refused::Unsupported("receiving objects (transfer to object)")),
            Input::FundsWithdrawal(_) => Err(Refused::Unsupported("withdrawals from address balances")),
            _ => Err(Refused::Unsupported("an unknown kind of input")),
        })
        .collect()
}

/// The SUI in a coin owned by an address, which is what pays for gas.
pub(super) fn gas_balance(object: &Object) -> Option<u64> {
    let coin = object.as_struct()?;
    if coin.object_type() != &StructTag::gas_coin() || !matches!(object.owner(), Owner::Address(_)) {
        return None;
    }
    coin_balance(coin.contents())
}

/// Balance of the BCS of a `0x2::coin::Coin`: the id, then the balance.
pub(super) fn coin_balance(contents: &[u8]) -> Option<u64> {
    let bytes: [u8; 8] = contents.get(Address::LENGTH..)?.try_into().ok()?;
    Some(u64::from_le_bytes(bytes))
}

fn admit_shared(id: Address, named: Version, objects: &dyn ObjectReader) -> Result<Arc<Object>, Refused> {
    let object = objects.object(&id).ok_or(Refused::MissingObject { id })?;
    not_a_package(&object)?;
    match object.owner() {
        Owner::Shared(actual) if *actual == named => Ok(object),
        Owner::Shared(actual) => Err(Refused::WrongInitialSharedVersion { id, actual: *actual, named }),
        owner => Err(Refused::WrongInputKind { id, actual: kind(*owner), named: "shared" }),
    }
}

fn live(reference: &ObjectReference, objects: &dyn ObjectReader) -> Result<Arc<Object>, Refused> {
    let id = *reference.object_id();
    let object = objects.object(&id).ok_or(Refused::MissingObject { id })?;
    not_a_package(&object)?;
    if let Owner::Shared(_) | Owner::ConsensusAddress { .. } = object.owner() {
        return Err(Refused::WrongInputKind { id, actual: kind(*object.owner()), named: "owned or immutable" });
    }
    if object.version() != reference.version() {
        return Err(Refused::StaleVersion { id, named: reference.version(), live: object.version() });
    }
    let digest = object.digest();
    if digest != *reference.digest() {
        return Err(Refused::WrongDigest { id, version: object.version(), named: *reference.digest(), live: digest });
    }
    Ok(object)
}

fn owned_by(object: &Object, signer: Address) -> Result<(), Refused> {
    let id = object.object_id();
    match object.owner() {
        Owner::Address(owner) if *owner == signer => Ok(()),
        Owner::Address(owner) => Err(Refused::WrongOwner { id, owner: *owner, signer }),
        Owner::Object(parent) => Err(Refused::ChildObject { id, parent: *parent }),
        owner => Err(Refused::WrongInputKind { id, actual: kind(*owner), named: "owned" }),
    }
}

fn not_a_package(object: &Object) -> Result<(), Refused> {
    match object.data() {
        ObjectData::Package(package) => Err(Refused::PackageAsObject { id: package.id }),
        ObjectData::Struct(_) => Ok(()),
    }
}

fn kind(owner: Owner) -> &'static str {
    match owner {
        Owner::Address(_) => "owned by an address",
        Owner::Object(_) => "owned by an object",
        Owner::Shared(_) => "shared",
        Owner::Immutable => "immutable",
        Owner::ConsensusAddress { .. } => "owned by an address through consensus",
        _ => "owned in an unknown way",
    }
}

/// Bounds the nesting of a type argument (`max_type_argument_depth`).
fn check_depth(type_: &TypeTag) -> Result<(), Refused> {
    fn depth(type_: &TypeTag) -> usize {
        match type_ {
            TypeTag::Vector(inner) => 1 + depth(inner),
            TypeTag::Struct(tag) => 1 + tag.type_params().iter().map(depth).max().unwrap_or(0),
            _ => 1,
        }
    }
    at_most("depth of a type argument", depth(type_), 16)
}

fn at_most(what: &'static str, found: usize, limit: usize) -> Result<(), Refused> {
    if found > limit {
        return Err(Refused::TooLarge { what, found: found as u64, limit: limit as u64 });
    }
    Ok(())
}

fn not_empty(index: usize, what: &str, count: usize) -> Result<usize, Refused> {
    if count == 0 {
        return Err(Refused::Malformed(format!("command {index}: {what} of nothing")));
    }
    Ok(count)
}
