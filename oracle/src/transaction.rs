//! A programmable transaction in a form that both machines understand.

use serde::Serialize;
use sui_sdk_types::{
    Address, Argument, Command, Identifier, Input, MergeCoins, MoveCall, Object, Owner, ProgrammableTransaction,
    SharedInput, SplitCoins, StructTag, TransferObjects, TypeTag,
};

use crate::world::{CLOCK, World};

/// An argument of a call.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// An object by value or by `&mut`.
    Mut(Address),
    /// An object by `&`.
    Ref(Address),
    /// The Clock.
    Clock,
    /// BCS of a value without identity.
    Pure(Vec<u8>),
    /// What an earlier command gave: command, value.
    Result(usize, usize),
}

/// BCS of a value.
pub(crate) fn pure<T: Serialize + ?Sized>(value: &T) -> Value {
    Value::Pure(bcs::to_bytes(value).expect("a plain value has a BCS form"))
}

/// A place of the transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Input(usize),
    Result(usize, usize),
}

/// One input.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Pure(Vec<u8>),
    Object { id: Address, mutable: bool },
}

/// One command. The judge gets those other than calls as calls of the framework functions that do the same.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Call { module: &'static str, function: &'static str, arguments: Vec<Place> },
    Transfer { object: Place, type_: StructTag, to: Place },
    Split { coin: Place, amount: Place },
    Merge { into: Place, from: Place },
}

/// A transaction on the package under test.
#[derive(Clone, Debug)]
pub(crate) struct Transaction {
    pub(crate) sender: Address,
    pub(crate) inputs: Vec<Given>,
    pub(crate) steps: Vec<Step>,
    /// Whether the Ed25519 signatures in it verify: the judge is told.
    pub(crate) genuine: bool,
    /// Whether inputs may be values that only the framework makes, as attestation documents; both machines then take
    /// them as bytes.
    pub(crate) unchecked: bool,
}

impl Transaction {
    pub(crate) fn new(sender: Address) -> Self {
        Self { sender, inputs: Vec::new(), steps: Vec::new(), genuine: true, unchecked: false }
    }

    /// Calls a function of the package.
    #[must_use]
    pub(crate) fn call(
        mut self,
        module: &'static str,
        function: &'static str,
        arguments: impl IntoIterator<Item = Value>,
    ) -> Self {
        let arguments = arguments.into_iter().map(|value| self.place(value)).collect();
        self.steps.push(Step::Call { module, function, arguments });
        self
    }

    #[must_use]
    pub(crate) fn transfer(mut self, object: Value, type_: StructTag, to: Address) -> Self {
        let (object, to) = (self.place(object), self.place(pure(&to)));
        self.steps.push(Step::Transfer { object, type_, to });
        self
    }

    #[must_use]
    pub(crate) fn split(mut self, coin: Value, amount: u64) -> Self {
        let (coin, amount) = (self.place(coin), self.place(pure(&amount)));
        self.steps.push(Step::Split { coin, amount });
        self
    }

    #[must_use]
    pub(crate) fn merge(mut self, into: Value, from: Value) -> Self {
        let (into, from) = (self.place(into), self.place(from));
        self.steps.push(Step::Merge { into, from });
        self
    }

    /// No signature in it verifies.
    #[must_use]
    pub(crate) fn forged(mut self) -> Self {
        self.genuine = false;
        self
    }

    /// Values of any type may come as bytes.
    #[must_use]
    pub(crate) fn unchecked(mut self) -> Self {
        self.unchecked = true;
        self
    }

    /// Objects among the inputs.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (usize, Address, bool)> + '_ {
        self.inputs.iter().enumerate().filter_map(|(index, given)| match given {
            Given::Object { id, mutable } => Some((index, *id, *mutable)),
            Given::Pure(_) => None,
        })
    }

    /// As the development chain takes it.
    pub(crate) fn programmable(&self, world: &World) -> ProgrammableTransaction {
        let inputs = self
            .inputs
            .iter()
            .map(|given| match given {
                Given::Pure(bytes) => Input::Pure(bytes.clone()),
                Given::Object { id, mutable } => object_input(&world.expect(id), *mutable),
            })
            .collect();
        let commands = self.steps.iter().map(|step| command(step, world.package)).collect();
        ProgrammableTransaction { inputs, commands }
    }

    fn place(&mut self, value: Value) -> Place {
        let given = match value {
            Value::Result(command, value) => return Place::Result(command, value),
            Value::Pure(bytes) => Given::Pure(bytes),
            Value::Clock => Given::Object { id: CLOCK, mutable: false },
            Value::Ref(id) => Given::Object { id, mutable: false },
            Value::Mut(id) => Given::Object { id, mutable: true },
        };
        if let Given::Object { id, mutable } = given {
            let known = self.inputs.iter_mut().enumerate().find_map(|(index, input)| match input {
                Given::Object { id: known, mutable } if *known == id => Some((index, mutable)),
                _ => None,
            });
            if let Some((index, known)) = known {
                *known |= mutable;
                return Place::Input(index);
            }
        }
        self.inputs.push(given);
        Place::Input(self.inputs.len() - 1)
    }
}

fn object_input(object: &Object, mutable: bool) -> Input {
    match object.owner() {
        Owner::Shared(since) => Input::Shared(SharedInput::new(object.object_id(), *since, mutable)),
        _ => Input::ImmutableOrOwned(sui_sdk_types::ObjectReference::new(
            object.object_id(),
            object.version(),
            object.digest(),
        )),
    }
}

fn command(step: &Step, package: Address) -> Command {
    match step {
        Step::Call { module, function, arguments } => Command::MoveCall(MoveCall {
            package,
            module: Identifier::from_static(module),
            function: Identifier::from_static(function),
            type_arguments: Vec::<TypeTag>::new(),
            arguments: arguments.iter().map(|place| argument(*place)).collect(),
        }),
        Step::Transfer { object, to, .. } => {
            Command::TransferObjects(TransferObjects { objects: vec![argument(*object)], address: argument(*to) })
        }
        Step::Split { coin, amount } => {
            Command::SplitCoins(SplitCoins { coin: argument(*coin), amounts: vec![argument(*amount)] })
        }
        Step::Merge { into, from } => {
            Command::MergeCoins(MergeCoins { coin: argument(*into), coins_to_merge: vec![argument(*from)] })
        }
    }
}

fn argument(place: Place) -> Argument {
    let narrow = |index: usize| u16::try_from(index).expect("a case is small");
    match place {
        Place::Input(index) => Argument::Input(narrow(index)),
        Place::Result(command, value) => Argument::NestedResult(narrow(command), narrow(value)),
    }
}
