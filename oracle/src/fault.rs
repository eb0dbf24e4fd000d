//! Where and why a transaction failed.

use sui_sdk_types::{ExecutionError, MoveLocation};

use crate::judge::JudgedLocation;
use crate::world::World;

/// Where and why a transaction failed, as far as both machines can say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    kind: &'static str,
    code: Option<u64>,
    module: String,
    /// Index and instruction; only of the package's own functions, those of the framework have no bytecode with us.
    position: Option<(u16, u16)>,
    function: Option<String>,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code.map(|code| format!(" {code}")).unwrap_or_default();
        write!(f, "{} {}{code}", self.kind, self.module)
    }
}

impl Fault {
    pub(crate) fn of(error: &ExecutionError, world: &World) -> Self {
        match error {
            ExecutionError::MoveAbort { location, code } => Self::at("abort", Some(*code), location, world),
            ExecutionError::MovePrimitiveRuntimeError { location: Some(location) } => {
                Self::at("primitive", None, location, world)
            }
            error => Self { kind: "other", code: None, module: format!("{error:?}"), position: None, function: None },
        }
    }

    fn at(kind: &'static str, code: Option<u64>, location: &MoveLocation, world: &World) -> Self {
        let own = location.package == world.package;
        Self {
            kind,
            code,
            module: location.module.to_string(),
            position: own.then_some((location.function, location.instruction)),
            function: location.function_name.as_ref().map(ToString::to_string),
        }
    }

    /// Without the function's name where the machine does not name it either; the package's own are told by their index.
    pub(crate) fn known_to(self, theirs: &Self) -> Self {
        Self { function: self.function.filter(|_| theirs.function.is_some()), ..self }
    }

    pub(crate) fn judged(
        status: &str,
        sub_status: Option<u64>,
        location: Option<&JudgedLocation>,
        world: &World,
    ) -> Self {
        let kind = match status {
            "ABORTED" => "abort",
            "ARITHMETIC_ERROR" | "VECTOR_OPERATION_ERROR" => "primitive",
            _ => "other",
        };
        let Some(location) = location.filter(|_| kind != "other") else {
            return Self { kind, code: sub_status, module: status.to_owned(), position: None, function: None };
        };
        let own = location.address.parse() == Ok(world.package);
        Self {
            kind,
            code: sub_status.filter(|_| kind == "abort"),
            module: location.module.clone(),
            position: own.then_some((location.function, location.instruction)),
            function: location.function_name.clone(),
        }
    }
}
