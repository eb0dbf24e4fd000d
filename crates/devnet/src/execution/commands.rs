//! The commands of a programmable transaction (sui-adapter/programmable_transactions/execution.rs).

use daas_move_vm::{Ability, CallSignature, Fault, ModuleId, ModuleSource, Passing, Recipient, Visibility};
use sui_sdk_types::{
    Address, Command, CommandArgumentError, ExecutionError, Identifier, MakeMoveVector, MergeCoins, MoveCall,
    SplitCoins, StructTag, TransferObjects, TypeArgumentError, TypeTag,
};

use super::Checks;
use super::arguments::{GasCoin, Loans};
use super::failure::{Failure, narrow};
use super::linkage::is_framework;
use super::machine::Machine;
use super::places::{Location, Place};

/// Functions of `0x2::transfer` that only the module of the type may call (`PRIVATE_TRANSFER_FUNCTIONS`, sui-verifier).
const PRIVATE_TRANSFERS: [&str; 5] = ["transfer", "freeze_object", "share_object", "receive", "party_transfer"];

impl Machine<'_> {
    /// Runs one command and gives its results.
    pub(super) fn command(&mut self, command: &Command) -> Result<Vec<Place>, Failure> {
        match command {
            Command::MoveCall(call) => self.move_call(call),
            Command::TransferObjects(transfer) => self.transfer_objects(transfer),
            Command::SplitCoins(split) => self.split_coins(split),
            Command::MergeCoins(merge) => self.merge_coins(merge),
            Command::MakeMoveVector(vector) => self.make_vector(vector),
            Command::Publish(publish) => self.publish(&publish.modules, &publish.dependencies),
            Command::Upgrade(upgrade) => self.upgrade(upgrade),
            _ => Err(Failure::new(ExecutionError::FeatureNotYetSupported, "unknown command")),
        }
    }

    fn transfer_objects(&mut self, transfer: &TransferObjects) -> Result<Vec<Place>, Failure> {
        let objects = self.expand(0, &transfer.objects)?;
        let loans = Loans::new();
        let mut values = Vec::with_capacity(objects.len());
        for (index, location) in objects.into_iter().enumerate() {
            let type_ = self.expect_object(index, location)?;
            let value = self.take(index, location, &type_, GasCoin::May, &loans)?;
            if !self.abilities(&type_)?.has(Ability::Store) {
                return Err(Failure::argument(index, CommandArgumentError::InvalidTransferObject));
            }
            values.push(value);
        }
        let index = transfer.objects.len();
        let recipient = self.single(index, transfer.address)?;
        let value = self.take(index, recipient, &TypeTag::Address, GasCoin::Stays, &loans)?;
        let Some(recipient) = value.as_address() else {
            return Err(Failure::argument(index, CommandArgumentError::TypeMismatch));
        };
        for value in values {
            let result = self.session.transfer(value, Recipient::Address(recipient));
            result.map_err(|error| self.failure(&error))?;
        }
        Ok(Vec::new())
    }

    fn split_coins(&mut self, split: &SplitCoins) -> Result<Vec<Place>, Failure> {
        let mut loans = Loans::new();
        let coin = self.single(0, split.coin)?;
        let amounts = self.expand(1, &split.amounts)?;
        let type_ = self.expect_coin(0, coin)?;
        let slot = self.borrow(0, coin, &type_, true, &mut loans)?;
        let mut coins = Vec::with_capacity(amounts.len());
        for (index, location) in (1..).zip(amounts) {
            let amount = self.take(index, location, &TypeTag::U64, GasCoin::Stays, &loans)?;
            let Some(amount) = amount.as_u64() else {
                return Err(Failure::argument(index, CommandArgumentError::TypeMismatch));
            };
            let part = self.session.split_coin(slot, amount).map_err(|error| self.failure(&error))?;
            let Some(part) = part else {
                return Err(Failure::new(
                    ExecutionError::InsufficientCoinBalance,
                    format!("the coin holds less than {amount}"),
                ));
            };
            coins.push(self.keep(part, type_.clone())?);
        }
        Ok(coins)
    }

    fn merge_coins(&mut self, merge: &MergeCoins) -> Result<Vec<Place>, Failure> {
        let mut loans = Loans::new();
        let target = self.single(0, merge.coin)?;
        let others = self.expand(1, &merge.coins_to_merge)?;
        let type_ = self.expect_coin(0, target)?;
        let slot = self.borrow(0, target, &type_, true, &mut loans)?;
        for (index, location) in (1..).zip(others) {
            self.expect_object(index, location)?;
            let other = self.take(index, location, &type_, GasCoin::Stays, &loans)?;
            self.session.join_coin(slot, other).map_err(|error| match error.fault {
                Fault::Arithmetic => {
                    Failure::new(ExecutionError::CoinBalanceOverflow, "the merged coin would exceed u64")
                }
                _ => self.failure(&error),
            })?;
        }
        Ok(Vec::new())
    }

    fn make_vector(&mut self, vector: &MakeMoveVector) -> Result<Vec<Place>, Failure> {
        let elements = self.expand(0, &vector.elements)?;
        let element = match (&vector.type_, elements.first()) {
            (Some(type_), _) => self.type_argument(0, type_)?,
            (None, Some(first)) => self
                .object_type(*first)
                .cloned()
                .ok_or_else(|| Failure::argument(0, CommandArgumentError::InvalidMakeMoveVecNonObjectArgument))?,
            (None, None) => return Err(Failure::argument(0, CommandArgumentError::InvalidArgumentArity)),
        };
        let loans = Loans::new();
        let mut values = Vec::with_capacity(elements.len());
        for (index, location) in elements.into_iter().enumerate() {
            values.push(self.take(index, location, &element, GasCoin::Stays, &loans)?);
        }
        let value = self.session.make_vector(&element, values).map_err(|error| self.failure(&error))?;
        Ok(vec![self.keep(value, TypeTag::Vector(Box::new(element)))?])
    }

    fn move_call(&mut self, call: &MoveCall) -> Result<Vec<Place>, Failure> {
        let arguments = self.expand(0, &call.arguments)?;
        let module = ModuleId::new(self.packages.original_id(call.package), call.module.clone());
        if !is_framework(&call.package) && self.packages.module(&module).is_none() {
            let account = format!("package {} has no module {}", call.package, call.module);
            return Err(Failure::new(ExecutionError::VmVerificationOrDeserializationError, account));
        }
        let type_arguments = (0..)
            .zip(&call.type_arguments)
            .map(|(index, type_)| self.type_argument(index, type_))
            .collect::<Result<Vec<_>, _>>()?;
        let signature =
            self.session.signature(&module, &call.function, &type_arguments).map_err(|error| self.failure(&error))?;
        self.check_callable(&module, &call.function, &signature)?;
        self.call(&module, &call.function, &type_arguments, &signature, &arguments)
    }

    fn call(
        &mut self,
        module: &ModuleId,
        function: &Identifier,
        type_arguments: &[TypeTag],
        signature: &CallSignature,
        arguments: &[Location],
    ) -> Result<Vec<Place>, Failure> {
        let private_entry = signature.is_entry && signature.visibility != Visibility::Public;
        let context = signature
            .parameters
            .last()
            .filter(|parameter| parameter.passing != Passing::Value && is_tx_context(&parameter.type_))
            .map(|parameter| parameter.passing);
        let expected = signature.parameters.len() - usize::from(context.is_some());
        if arguments.len() != expected {
            let account = format!("{module}::{function} takes {expected} arguments, not {}", arguments.len());
            return Err(Failure::new(ExecutionError::ArityMismatch, account));
        }
        let mut loans = Loans::new();
        let mut values = Vec::with_capacity(signature.parameters.len());
        for (index, (location, parameter)) in arguments.iter().zip(&signature.parameters).enumerate() {
            values.push(match parameter.passing {
                Passing::Value => self.take(index, *location, &parameter.type_, GasCoin::Stays, &loans)?,
                passing => self.lend(index, *location, &parameter.type_, passing, &mut loans)?,
            });
        }
        if private_entry
            && self.checks == Checks::Enabled
            && let Some(index) = self.hot_argument()
        {
            return Err(Failure::argument(index, CommandArgumentError::InvalidArgumentToPrivateEntryFunction));
        }
        if let Some(passing) = context {
            values.push(self.session.tx_context(passing).map_err(|error| self.failure(&error))?);
        }
        let results =
            self.session.call(module, function, type_arguments, values).map_err(|error| self.failure(&error))?;
        results
            .into_iter()
            .zip(&signature.returns)
            .map(|(value, returned)| self.keep(value, returned.type_.clone()))
            .collect()
    }

    fn check_callable(
        &self,
        module: &ModuleId,
        function: &Identifier,
        signature: &CallSignature,
    ) -> Result<(), Failure> {
        let refuse = |why: &str| {
            Err(Failure::new(ExecutionError::NonEntryFunctionInvoked, format!("{module}::{function}: {why}")))
        };
        if function.as_str() == "init" && !is_framework(&module.address) {
            return refuse("init runs at publishing only");
        }
        if !signature.is_entry && signature.visibility != Visibility::Public && self.checks == Checks::Enabled {
            return refuse("only public and entry functions can be called");
        }
        if module.address == Address::TWO {
            if module.name.as_str() == "event" {
                return refuse("events are emitted by the module of their type");
            }
            if module.name.as_str() == "transfer" && PRIVATE_TRANSFERS.contains(&function.as_str()) {
                return refuse("only the module of the type may call it; use the public_ variant");
            }
        }
        match signature.returns.iter().position(|returned| returned.passing != Passing::Value) {
            Some(index) => Err(Failure::new(
                ExecutionError::InvalidPublicFunctionReturnType { index: narrow(index) },
                format!("{module}::{function} returns a reference"),
            )),
            None => Ok(()),
        }
    }

    fn type_argument(&mut self, index: usize, type_: &TypeTag) -> Result<TypeTag, Failure> {
        let unknown = || Failure::type_argument(index, TypeArgumentError::TypeNotFound);
        let canonical = self.packages.canonical(type_).ok_or_else(unknown)?;
        self.session.abilities(&canonical).map_err(|_| unknown())?;
        Ok(canonical)
    }

    fn expect_object(&self, index: usize, location: Location) -> Result<TypeTag, Failure> {
        let place = self.place(location);
        if let Some(type_) = self.object_type(location) {
            return Ok(type_.clone());
        }
        Err(Failure::argument(index, place.why_no_object()))
    }

    fn expect_coin(&self, index: usize, location: Location) -> Result<TypeTag, Failure> {
        let type_ = self.expect_object(index, location)?;
        match &type_ {
            TypeTag::Struct(tag) if tag.is_coin().is_some() => Ok(type_),
            _ => Err(Failure::argument(index, CommandArgumentError::TypeMismatch)),
        }
    }
}

fn is_tx_context(type_: &TypeTag) -> bool {
    let TypeTag::Struct(tag) = type_ else { return false };
    is_type(tag, "tx_context", "TxContext")
}

/// Whether the type is this one of the framework.
pub(super) fn is_type(tag: &StructTag, module: &str, name: &str) -> bool {
    *tag.address() == Address::TWO && tag.module().as_str() == module && tag.name().as_str() == name
}
