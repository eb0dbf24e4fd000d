//! The state of one programmable transaction while its commands run: the interpreter's session, and a place for each
//! input, the gas coin and each result.

use daas_move_vm::{Ability, AbilitySet, ChildSource, Session, StoredObject};
use sui_sdk_types::{Address, Argument, ExecutionError, MovePackage, Object, ProgrammableTransaction, TypeTag};

use super::admission::Admitted;
use super::cliques::{Clique, Cliques};
use super::failure::{Failure, narrow};
use super::linkage::Packages;
use super::places::{Content, Location, Place};
use super::{Checks, CommandOutput, Limits, ObjectReader, OutputValue};

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
    pub results: Vec<Vec<Place>>,
    pub outputs: Option<Vec<CommandOutput>>,
    pub mutated: Vec<Location>,
    pub cliques: Cliques,
    pub met: Vec<(usize, Clique)>,
    pub consumed_shared: bool,
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
        let gas = Place::object(&mut session, packages, gas, true, now_ms, cliques.alone())?;
        let inputs = inputs
            .iter()
            .map(|input| match input {
                Admitted::Pure(bytes) => Ok(Place::pure(bytes.clone(), cliques.alone())),
                Admitted::Object { object, mutable } => {
                    Place::object(&mut session, packages, object, *mutable, now_ms, cliques.alone())
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
