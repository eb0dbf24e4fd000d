//! The places of a transaction: what arguments name, and what is in each.

use daas_move_vm::{AbilitySet, Session, Slot};
use sui_sdk_types::{Address, CommandArgumentError, ExecutionError, Object, Owner, TypeTag};

use super::admission::CLOCK;
use super::cliques::Clique;
use super::failure::Failure;
use super::linkage::Packages;

/// A place that arguments name.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub content: Content,
    pub type_: TypeTag,
    pub abilities: AbilitySet,
    pub origin: Option<Origin>,
    pub clique: Clique,
    pub heats: bool,
    pub taken_as_copy: bool,
}

/// Where a value is now.
#[derive(Debug, Clone)]
pub(super) enum Content {
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

/// An argument after results were expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Location {
    Gas,
    Input(u16),
    Result(u16, u16),
}

impl Place {
    /// A place that holds only bytes; they get a type when they are used.
    pub(super) fn pure(bytes: Vec<u8>, clique: Clique) -> Self {
        Self {
            content: Content::Pure(bytes),
            type_: TypeTag::Signer,
            abilities: AbilitySet::default(),
            origin: None,
            clique,
            heats: false,
            taken_as_copy: false,
        }
    }

    /// A place that holds an input object, decoded into the session.
    pub(super) fn object(
        session: &mut Session<'_>,
        packages: &Packages<'_>,
        object: &Object,
        mutable: bool,
        now_ms: u64,
        clique: Clique,
    ) -> Result<Self, Failure> {
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
        Ok(Self { content, type_, abilities, origin: Some(origin), clique, heats: false, taken_as_copy: false })
    }

    /// Why the place cannot give an object.
    pub(super) fn why_no_object(&self) -> CommandArgumentError {
        match self.content {
            Content::Gone => CommandArgumentError::ArgumentWithoutValue,
            Content::Pure(_) => CommandArgumentError::InvalidUsageOfPureArgument,
            Content::Held(_) => CommandArgumentError::TypeMismatch,
        }
    }
}
