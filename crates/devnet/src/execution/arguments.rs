//! How commands use arguments: which places they name, and moving, copying and lending what is there.

use std::collections::HashMap;

use daas_move_vm::{Ability, Passing, Slot, Value};
use sui_sdk_types::{Argument, CommandArgumentError, Owner, TypeTag};

use super::Checks;
use super::failure::{Failure, narrow};
use super::machine::Machine;
use super::places::{Content, Location, Place};
use super::pure::PureLayout;

/// Loans of one command: location, and whether it is mutable.
pub(super) type Loans = HashMap<Location, bool>;

/// Which commands may move the gas coin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum GasCoin {
    May,
    Stays,
}

impl Machine<'_> {
    /// Expands results: `Result(i)` stands for all values of command `i`.
    pub(super) fn expand(&self, first: usize, arguments: &[Argument]) -> Result<Vec<Location>, Failure> {
        let mut locations = Vec::with_capacity(arguments.len());
        for (index, argument) in (first..).zip(arguments) {
            let out_of_bounds = |i: u16| Failure::argument(index, CommandArgumentError::IndexOutOfBounds { index: i });
            match *argument {
                Argument::Gas => locations.push(Location::Gas),
                Argument::Input(i) if usize::from(i) < self.inputs.len() => locations.push(Location::Input(i)),
                Argument::Input(i) => return Err(out_of_bounds(i)),
                Argument::Result(i) => {
                    let results = self.results.get(usize::from(i)).ok_or_else(|| out_of_bounds(i))?;
                    locations.extend((0..narrow(results.len())).map(|j| Location::Result(i, j)));
                }
                Argument::NestedResult(i, j) => {
                    let results = self.results.get(usize::from(i)).ok_or_else(|| out_of_bounds(i))?;
                    if usize::from(j) >= results.len() {
                        let kind = CommandArgumentError::SecondaryIndexOutOfBounds { result: i, subresult: j };
                        return Err(Failure::argument(index, kind));
                    }
                    locations.push(Location::Result(i, j));
                }
            }
        }
        Ok(locations)
    }

    /// The one value that the argument stands for.
    pub(super) fn single(&self, index: usize, argument: Argument) -> Result<Location, Failure> {
        match self.expand(index, &[argument])?.as_slice() {
            [location] => Ok(*location),
            _ => Err(Failure::argument(index, CommandArgumentError::InvalidArgumentArity)),
        }
    }

    /// Moves or copies a value of the type out of its place.
    pub(super) fn take(
        &mut self,
        index: usize,
        location: Location,
        type_: &TypeTag,
        gas_coin: GasCoin,
        loans: &Loans,
    ) -> Result<Value, Failure> {
        if loans.contains_key(&location) && !self.is_copyable(location) {
            return Err(Failure::argument(index, CommandArgumentError::CannotMoveBorrowedValue));
        }
        if location == Location::Gas && gas_coin == GasCoin::Stays {
            return Err(Failure::argument(index, CommandArgumentError::InvalidGasCoinUsage));
        }
        let place = self.place(location).clone();
        if place.origin.is_some_and(|origin| !origin.mutable) {
            return Err(Failure::argument(index, CommandArgumentError::InvalidObjectByValue));
        }
        self.met.push((index, place.clique));
        match place.content {
            Content::Gone => Err(Failure::argument(index, CommandArgumentError::ArgumentWithoutValue)),
            Content::Pure(bytes) => self.from_pure(index, type_, &bytes),
            Content::Held(_) if place.type_ != *type_ => {
                Err(Failure::argument(index, CommandArgumentError::TypeMismatch))
            }
            Content::Held(slot) if place.abilities.has(Ability::Copy) => {
                self.place_mut(location).taken_as_copy = true;
                self.session.copy(slot).map_err(|error| self.failure(&error))
            }
            Content::Held(slot) => {
                self.place_mut(location).content = Content::Gone;
                self.consumed_shared |= place.origin.is_some_and(|origin| matches!(origin.owner, Owner::Shared(_)));
                if place.heats {
                    self.cliques.cool(place.clique);
                }
                self.session.take(slot).map_err(|error| self.failure(&error))
            }
        }
    }

    /// Lends a value of the type by reference for the next call.
    pub(super) fn lend(
        &mut self,
        index: usize,
        location: Location,
        type_: &TypeTag,
        passing: Passing,
        loans: &mut Loans,
    ) -> Result<Value, Failure> {
        let mutable = passing == Passing::MutableReference;
        let slot = self.borrow(index, location, type_, mutable, loans)?;
        self.session.lend(slot, passing).map_err(|error| self.failure(&error))
    }

    /// Notes the loan and gives the slot with the value. A pure value that is lent mutably gets its type for good.
    pub(super) fn borrow(
        &mut self,
        index: usize,
        location: Location,
        type_: &TypeTag,
        mutable: bool,
        loans: &mut Loans,
    ) -> Result<Slot, Failure> {
        if loans.get(&location).is_some_and(|lent_mutably| mutable || *lent_mutably) {
            return Err(Failure::argument(index, CommandArgumentError::InvalidReferenceArgument));
        }
        let place = self.place(location).clone();
        if mutable && place.origin.is_some_and(|origin| !origin.mutable) {
            return Err(Failure::argument(index, CommandArgumentError::InvalidObjectByMutRef));
        }
        self.met.push((index, place.clique));
        let slot = match place.content {
            Content::Gone => return Err(Failure::argument(index, CommandArgumentError::ArgumentWithoutValue)),
            Content::Held(_) if place.type_ != *type_ => {
                return Err(Failure::argument(index, CommandArgumentError::TypeMismatch));
            }
            Content::Held(slot) => slot,
            Content::Pure(bytes) => {
                let value = self.from_pure(index, type_, &bytes)?;
                let slot = self.hold(value)?;
                if mutable {
                    let abilities = self.abilities(type_)?;
                    let place = self.place_mut(location);
                    place.content = Content::Held(slot);
                    place.type_ = type_.clone();
                    place.abilities = abilities;
                }
                slot
            }
        };
        loans.insert(location, mutable);
        if mutable {
            self.mutated.push(location);
        }
        Ok(slot)
    }

    /// Puts a value in a new place.
    pub(super) fn keep(&mut self, value: Value, type_: TypeTag) -> Result<Place, Failure> {
        let abilities = self.abilities(&type_)?;
        let content = Content::Held(self.hold(value)?);
        let clique = self.cliques.alone();
        Ok(Place { content, type_, abilities, origin: None, clique, heats: false, taken_as_copy: false })
    }

    /// The first argument of this command that may still be under the influence of a hot potato.
    pub(super) fn hot_argument(&self) -> Option<usize> {
        self.met.iter().find(|(_, clique)| self.cliques.is_hot(*clique)).map(|(index, _)| *index)
    }

    fn hold(&mut self, value: Value) -> Result<Slot, Failure> {
        self.session.hold(value).map_err(|error| self.failure(&error))
    }

    fn is_copyable(&self, location: Location) -> bool {
        let place = self.place(location);
        matches!(place.content, Content::Pure(_)) || place.abilities.has(Ability::Copy)
    }

    #[allow(clippy::wrong_self_convention)]
    fn from_pure(&mut self, index: usize, type_: &TypeTag, bytes: &[u8]) -> Result<Value, Failure> {
        if self.checks == Checks::Enabled {
            let Some(layout) = PureLayout::of(type_) else {
                return Err(Failure::argument(index, CommandArgumentError::InvalidUsageOfPureArgument));
            };
            if !layout.accepts(bytes) {
                return Err(Failure::argument(index, CommandArgumentError::InvalidBcsBytes));
            }
        }
        self.session.decode(type_, bytes).map_err(|_| Failure::argument(index, CommandArgumentError::InvalidBcsBytes))
    }
}
