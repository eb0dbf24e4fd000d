use sui_sdk_types::{Address, Identifier, Transaction};
use sui_transaction_builder::{Argument, Function, ObjectInput, TransactionBuilder};

use super::gas::GasPlan;
use crate::error::Error;
use crate::types::{Bytes, Bytes32, Pcr};

/// How a transaction uses a shared object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// `&T`.
    Read,
    /// `&mut T`.
    Write,
}

/// A programmable transaction in the making.
///
/// Objects are named by id; their versions are filled in when the transaction is built, so that the same commands can
/// be built again on newer versions.
pub struct Ptb {
    builder: TransactionBuilder,
    package: Address,
    objects: Vec<(Address, Use)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Shared(Access),
    Owned,
}

/// An object with what a transaction needs to name it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Resolved {
    Shared { initial_version: u64, access: Access },
    Owned { version: u64, digest: sui_sdk_types::Digest },
}

impl Ptb {
    /// An empty transaction whose calls go to `package`.
    pub fn new(package: Address) -> Self {
        Self { builder: TransactionBuilder::new(), package, objects: Vec::new() }
    }

    /// A shared object.
    pub fn shared(&mut self, id: Address, access: Access) -> Argument {
        self.objects.push((id, Use::Shared(access)));
        self.builder.object(ObjectInput::new(id).as_shared().with_mutable(access == Access::Write))
    }

    /// An object that the sender owns.
    pub fn owned(&mut self, id: Address) -> Argument {
        self.objects.push((id, Use::Owned));
        self.builder.object(ObjectInput::new(id).as_owned())
    }

    /// A coin of `mist`, split from the gas coin.
    pub fn payment(&mut self, mist: u64) -> Argument {
        let gas = self.builder.gas();
        let amount = self.builder.pure(&mist);
        // One amount in, one coin out.
        self.builder.split_coins(gas, vec![amount]).remove(0)
    }

    /// A value, such as one that a typed call cannot hold.
    pub fn pure<T: serde::Serialize>(&mut self, value: &T) -> Argument {
        self.builder.pure(value)
    }

    /// A call of the package.
    pub fn call(&mut self, module: &'static str, function: &'static str, arguments: Vec<Argument>) -> Argument {
        self.call_of(self.package, module, function, arguments)
    }

    /// A call of any package.
    pub fn call_of(
        &mut self,
        package: Address,
        module: &'static str,
        function: &'static str,
        arguments: Vec<Argument>,
    ) -> Argument {
        let function = Function::new(package, Identifier::from_static(module), Identifier::from_static(function));
        self.builder.move_call(function, arguments)
    }

    /// Gives objects to an address.
    pub fn transfer(&mut self, objects: Vec<Argument>, to: Address) {
        let to = self.builder.pure(&to);
        self.builder.transfer_objects(objects, to);
    }

    /// The chain's clock.
    pub fn clock(&mut self) -> Argument {
        self.shared(CLOCK, Access::Read)
    }

    pub(super) fn builder(&mut self) -> &mut TransactionBuilder {
        &mut self.builder
    }

    pub(super) fn objects(&self) -> &[(Address, Use)] {
        &self.objects
    }

    pub(super) fn build(
        mut self,
        sender: Address,
        resolved: &[(Address, Resolved)],
        gas: &GasPlan,
    ) -> Result<Transaction, Error> {
        for (id, object) in resolved {
            self.builder.object(match *object {
                Resolved::Shared { initial_version, access } => {
                    ObjectInput::shared(*id, initial_version, access == Access::Write)
                }
                Resolved::Owned { version, digest } => ObjectInput::owned(*id, version, digest),
            });
        }
        self.builder.set_sender(sender);
        self.builder.set_gas_price(gas.price);
        self.builder.set_gas_budget(gas.budget);
        self.builder
            .add_gas_objects(gas.coins.iter().map(|coin| ObjectInput::owned(coin.id, coin.version, coin.digest)));
        self.builder.try_build().map_err(|error| Error::Build { reason: error.to_string() })
    }
}

/// `0x6`.
pub(super) const CLOCK: Address = Address::from_static("0x6");

/// What can be an argument of a call.
pub(super) trait Value {
    /// Puts it into the transaction.
    fn put(self, ptb: &mut Ptb) -> Argument;
}

/// Stands for the chain's clock in calls.
#[derive(Debug, Clone, Copy)]
pub struct Clock;

impl Value for Argument {
    fn put(self, _: &mut Ptb) -> Argument {
        self
    }
}

impl Value for Clock {
    fn put(self, ptb: &mut Ptb) -> Argument {
        ptb.clock()
    }
}

impl Value for daas_seal_token::Tier {
    fn put(self, ptb: &mut Ptb) -> Argument {
        ptb.builder.pure(&u8::from(self))
    }
}

impl<const N: usize> Value for &Bytes<N> {
    fn put(self, ptb: &mut Ptb) -> Argument {
        ptb.builder.pure(self)
    }
}

macro_rules! pure_values {
    ($($type:ty),*) => {
        $(impl Value for $type {
            fn put(self, ptb: &mut Ptb) -> Argument {
                ptb.builder.pure(&self)
            }
        })*
    };
}

pure_values!(
    u8,
    u64,
    bool,
    &str,
    &[u8],
    Address,
    Option<Bytes32>,
    Option<Pcr>,
    &[Bytes32],
    &[Vec<u8>],
    crate::types::Offence,
    crate::types::ActionKind
);
