//! The state of one programmable transaction while its commands run: the interpreter's session, and a place for each
//! input, the gas coin and each result.

use std::collections::HashMap;

use daas_move_vm::{Ability, AbilitySet, ChildSource, Passing, Session, Slot, StoredObject, Value};
use sui_sdk_types::{
    Address, Argument, CommandArgumentError, ExecutionError, MovePackage, Object, Owner, ProgrammableTransaction,
    TypeTag,
};

use super::admission::{Admitted, CLOCK};
use super::cliques::{Clique, Cliques};
use super::failure::{Failure, narrow};
use super::linkage::Packages;
use super::pure::PureLayout;
use super::{Checks, CommandOutput, Limits, ObjectReader, OutputValue};

/// What happened: where a value is now.
#[derive(Debug, Clone)]
enum Content {
    /// Bytes that become a value of whatever type they are used as.
    Pure(Vec<u8>),
    /// A value of the session.
    Held(Slot),
    /// Moved away.
    Gone,
}

/// What an input object was when the transaction began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub id: Address,
    pub owner: Owner,
    pub mutable: bool,
}

/// A place that arguments name.
#[derive(Debug, Clone)]
pub(super) struct Place {
    content: Content,
    type_: TypeTag,
    abilities: AbilitySet,
    pub origin: Option<Origin>,
    clique: Clique,
    heats: bool,
    taken_as_copy: bool,
}

/// An argument after results were expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Location {
    Gas,
    Input(u16),
    Result(u16, u16),
}

/// Loans of one command: location, and whether it is mutable.
pub(super) type Loans = HashMap<Location, bool>;

/// Which commands may move the gas coin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum GasCoin {
    May,
    Stays,
}

/// The running transaction.
pub(super) struct Machine<'a> {
    pub session: Session<'a>,
    pub packages: &'a Packages<'a>,
    pub limits: &'a Limits,
    pub checks: Checks,
    pub published: Vec<MovePackage>,
    pub published_bytes: u64,
    pub missing_framework: Option<String>,
    pub gas: Place,
    pub inputs: Vec<Place>,
    results: Vec<Vec<Place>>,
    pub outputs: Option<Vec<CommandOutput>>,
    mutated: Vec<Location>,
    cliques: Cliques,
    met: Vec<(usize, Clique)>,
    consumed_shared: bool,
}

/// The interpreter's view of child objects.
pub(super) struct Children<'a>(pub &'a dyn ObjectReader);

impl ChildSource for Children<'_> {
    fn child(&self, parent: Address, id: Address) -> Result<Option<StoredObject>, String> {
        let Some(object) = self.0.child(&parent, &id) else { return Ok(None) };
        let Some(stored) = object.as_struct() else { return Ok(None) };
        Ok(Some(StoredObject {
            version: stored.version(),
            type_: stored.object_type().clone(),
            contents: stored.contents().to_vec(),
        }))
    }
}

impl<'a> Machine<'a> {
    /// Puts gas coin and inputs in their places. `gas` is the coin as the commands see it: smashed, less the budget.
    pub(super) fn new(
        mut session: Session<'a>,
        packages: &'a Packages<'a>,
        limits: &'a Limits,
        checks: Checks,
        gas: &Object,
        inputs: &[Admitted],
        now_ms: u64,
    ) -> Result<Self, Failure> {
        let mut cliques = Cliques::default();
        let gas = object_place(&mut session, packages, gas, true, now_ms, cliques.alone())?;
        let inputs = inputs
            .iter()
            .map(|input| match input {
                Admitted::Pure(bytes) => Ok(Place {
                    content: Content::Pure(bytes.clone()),
                    type_: TypeTag::Signer,
                    abilities: AbilitySet::default(),
                    origin: None,
                    clique: cliques.alone(),
                    heats: false,
                    taken_as_copy: false,
                }),
                Admitted::Object { object, mutable } => {
                    object_place(&mut session, packages, object, *mutable, now_ms, cliques.alone())
                }
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Self {
            session,
            packages,
            limits,
            checks,
            published: Vec::new(),
            published_bytes: 0,
            missing_framework: None,
            gas,
            inputs,
            results: Vec::new(),
            outputs: None,
            mutated: Vec::new(),
            cliques,
            met: Vec::new(),
            consumed_shared: false,
        })
    }

    /// Runs the commands in order; a failure carries the index of its command, if it belongs to one.
    pub(super) fn run(&mut self, transaction: &ProgrammableTransaction) -> Result<(), (Failure, Option<u64>)> {
        for (index, command) in transaction.commands.iter().enumerate() {
            let mut results = self.command(command).map_err(|failure| (failure, Some(index as u64)))?;
            self.entangle(&mut results);
            self.record(&results).map_err(|failure| (failure, Some(index as u64)))?;
            self.results.push(results);
        }
        if self.checks == Checks::Enabled { self.check_unused().map_err(|failure| (failure, None)) } else { Ok(()) }
    }

    /// A failure of the interpreter.
    pub(super) fn failure(&self, error: &daas_move_vm::ExecutionError) -> Failure {
        Failure::of_interpreter(error, self.packages)
    }

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

    /// The place itself. Locations come from [`Machine::expand`] and stay in bounds.
    pub(super) fn place(&self, location: Location) -> &Place {
        match location {
            Location::Gas => &self.gas,
            Location::Input(i) => &self.inputs[usize::from(i)],
            Location::Result(i, j) => &self.results[usize::from(i)][usize::from(j)],
        }
    }

    pub(super) fn place_mut(&mut self, location: Location) -> &mut Place {
        match location {
            Location::Gas => &mut self.gas,
            Location::Input(i) => &mut self.inputs[usize::from(i)],
            Location::Result(i, j) => &mut self.results[usize::from(i)][usize::from(j)],
        }
    }

    /// The type of the object in the place, if it holds one.
    pub(super) fn object_type(&self, location: Location) -> Option<&TypeTag> {
        let place = self.place(location);
        (matches!(place.content, Content::Held(_)) && place.abilities.has(Ability::Key)).then_some(&place.type_)
    }

    /// The type's abilities.
    pub(super) fn abilities(&mut self, type_: &TypeTag) -> Result<AbilitySet, Failure> {
        self.session.abilities(type_).map_err(|error| self.failure(&error))
    }

    /// The id of the next new object.
    pub(super) fn fresh_id(&mut self) -> Result<Address, Failure> {
        self.session.fresh_id().map_err(|error| self.failure(&error))
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

    /// Arguments and results of a command belong together from now on.
    fn entangle(&mut self, results: &mut [Place]) {
        let met: Vec<Clique> = self.met.drain(..).map(|(_, clique)| clique).collect();
        let clique = self.cliques.merge(&met);
        if std::mem::take(&mut self.consumed_shared) {
            self.cliques.heat_for_good(clique);
        }
        for place in results {
            place.clique = clique;
            place.heats = !place.abilities.has(Ability::Drop) && !place.abilities.has(Ability::Store);
            if place.heats {
                self.cliques.heat(clique);
            }
        }
    }

    /// The BCS of the value that is still in the place, with its type.
    pub(super) fn encode(&mut self, place: &Place) -> Result<Option<(TypeTag, Vec<u8>)>, Failure> {
        let Content::Held(slot) = place.content else { return Ok(None) };
        let bytes = self.session.encode_slot(slot).map_err(|error| self.failure(&error))?;
        Ok(Some((place.type_.clone(), bytes)))
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

    /// Every result without `drop` must have been used up; one with `copy` at least once by value.
    fn check_unused(&self) -> Result<(), Failure> {
        for (i, results) in self.results.iter().enumerate() {
            for (j, place) in results.iter().enumerate() {
                let used_up = matches!(place.content, Content::Gone)
                    || place.abilities.has(Ability::Drop)
                    || (place.abilities.has(Ability::Copy) && place.taken_as_copy);
                if !used_up {
                    let error = ExecutionError::UnusedValueWithoutDrop { result: narrow(i), subresult: narrow(j) };
                    let account = format!("result {j} of command {i}, a {}, is left over", place.type_);
                    return Err(Failure::new(error, account));
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, results: &[Place]) -> Result<(), Failure> {
        let mutated = std::mem::take(&mut self.mutated);
        if self.outputs.is_none() {
            return Ok(());
        }
        let mut output = CommandOutput::default();
        for place in results {
            if let Some((type_tag, bcs)) = self.encode(place)? {
                output.return_values.push(OutputValue { type_tag, bcs });
            }
        }
        for location in mutated {
            let argument = match location {
                Location::Gas => Argument::Gas,
                Location::Input(i) => Argument::Input(i),
                Location::Result(i, j) => Argument::NestedResult(i, j),
            };
            let place = self.place(location).clone();
            if let Some((type_tag, bcs)) = self.encode(&place)? {
                output.mutated.push((argument, OutputValue { type_tag, bcs }));
            }
        }
        self.outputs.get_or_insert_default().push(output);
        Ok(())
    }
}

impl Place {
    /// Why the place cannot give an object.
    pub(super) fn why_no_object(&self) -> CommandArgumentError {
        match self.content {
            Content::Gone => CommandArgumentError::ArgumentWithoutValue,
            Content::Pure(_) => CommandArgumentError::InvalidUsageOfPureArgument,
            Content::Held(_) => CommandArgumentError::TypeMismatch,
        }
    }
}

fn object_place(
    session: &mut Session<'_>,
    packages: &Packages<'_>,
    object: &Object,
    mutable: bool,
    now_ms: u64,
    clique: Clique,
) -> Result<Place, Failure> {
    let Some(stored) = object.as_struct() else {
        return Err(Failure::new(ExecutionError::InvariantViolation, "a package is no input"));
    };
    let type_ = TypeTag::from(stored.object_type().clone());
    let id = object.object_id();
    let time;
    let contents = if id == CLOCK {
        time = [id.as_bytes(), now_ms.to_le_bytes().as_slice()].concat();
        &time
    } else {
        stored.contents()
    };
    let value = session.decode(&type_, contents).map_err(|error| Failure::of_interpreter(&error, packages))?;
    let abilities = session.abilities(&type_).map_err(|error| Failure::of_interpreter(&error, packages))?;
    if let Owner::Shared(_) = object.owner() {
        session.record_shared(id);
    }
    let origin = Origin { id, owner: *object.owner(), mutable };
    let slot = session.hold(value).map_err(|error| Failure::of_interpreter(&error, packages))?;
    let content = Content::Held(slot);
    Ok(Place { content, type_, abilities, origin: Some(origin), clique, heats: false, taken_as_copy: false })
}
