//! How a failing command becomes an execution status.

use daas_move_vm::{Fault, Location};
use sui_sdk_types::{CommandArgumentError, ExecutionError, MoveLocation, TypeArgumentError};

use super::linkage::Packages;

/// Why execution stopped, as it will stand in the effects, with an account for humans.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub error: Box<ExecutionError>,
    pub account: String,
}

impl Failure {
    pub(super) fn new(error: ExecutionError, account: impl Into<String>) -> Self {
        Self { error: Box::new(error), account: account.into() }
    }

    /// Something is wrong with one argument of the command.
    pub(super) fn argument(index: usize, kind: CommandArgumentError) -> Self {
        let account = format!("argument {index}: {kind:?}");
        Self::new(ExecutionError::CommandArgumentError { argument: narrow(index), kind }, account)
    }

    /// Something is wrong with one type argument of the command.
    pub(super) fn type_argument(index: usize, kind: TypeArgumentError) -> Self {
        let account = format!("type argument {index}: {kind:?}");
        Self::new(ExecutionError::TypeArgumentError { type_argument: narrow(index), kind }, account)
    }

    /// What the interpreter said, with its location on the version that was executed.
    pub(super) fn of_interpreter(error: &daas_move_vm::ExecutionError, packages: &Packages<'_>) -> Self {
        let account = error.to_string();
        let location = error.location.as_deref().map(|location| relocate(location, packages));
        let error = match (&error.fault, location) {
            (Fault::Abort(code), Some(location)) => ExecutionError::MoveAbort { location, code: *code },
            (Fault::OutOfSteps, _) => ExecutionError::InsufficientGas,
            (Fault::Arithmetic | Fault::Vector(_) | Fault::VariantMismatch | Fault::Limit(_), location) => {
                ExecutionError::MovePrimitiveRuntimeError { location }
            }
            (Fault::Constraint(index), _) => ExecutionError::TypeArgumentError {
                type_argument: narrow(*index),
                kind: TypeArgumentError::ConstraintNotSatisfied,
            },
            (Fault::TypeArity, _) => ExecutionError::TypeArityMismatch,
            (Fault::Arity, _) => ExecutionError::ArityMismatch,
            (Fault::Missing(_) | Fault::MissingFramework(_), None) => ExecutionError::FunctionNotFound,
            (Fault::Missing(_) | Fault::MissingFramework(_), Some(_)) => {
                ExecutionError::VmVerificationOrDeserializationError
            }
            (Fault::NoAttestationVerifier, _) => ExecutionError::FeatureNotYetSupported,
            _ => ExecutionError::VmInvariantViolation,
        };
        Self::new(error, account)
    }
}

/// Indices of the effects are 16 bits wide; the bounds on commands keep real ones below that.
pub(super) fn narrow(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}

fn relocate(location: &Location, packages: &Packages<'_>) -> MoveLocation {
    MoveLocation {
        package: packages.storage_id(&location.module.address),
        module: location.module.name.clone(),
        function: location.function_index,
        instruction: location.instruction,
        function_name: Some(location.function.clone()),
    }
}
