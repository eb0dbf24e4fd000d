//! Errors as gRPC statuses, with the codes and words that clients of a Sui node expect.

use sui_rpc::{
    field::{FieldMask, FieldMaskTree, FieldMaskUtil, MessageFields},
    proto::{
        TryFromProtoError,
        google::rpc::{self, bad_request::FieldViolation},
        sui::rpc::v2::ErrorReason,
    },
};
use sui_sdk_types::Address;
use tonic::{Code, Status};

use crate::{Error, execution::Refused};

/// Characters of an answer's explanation.
const MAX_TEXT: usize = 500;

/// The answer to what this chain does not serve.
pub(super) fn unserved(what: &str) -> Status {
    Status::unimplemented(format!("daas-devnet is a development chain and does not serve {what}"))
}

/// A field of the request is missing or malformed.
pub(super) fn invalid(field: &str, description: impl std::fmt::Display) -> Status {
    violation(
        &FieldViolation::new(field).with_reason(ErrorReason::FieldInvalid).with_description(description.to_string()),
    )
}

/// A required field of the request is missing.
pub(super) fn missing(field: &str) -> Status {
    violation(
        &FieldViolation::new(field).with_reason(ErrorReason::FieldMissing).with_description(format!("missing {field}")),
    )
}

pub(super) fn from_proto_error(error: &TryFromProtoError) -> Status {
    violation(error.field_violation())
}

/// An address in a request.
pub(super) fn address(field: &str, text: Option<&str>) -> Result<Address, Status> {
    text.ok_or_else(|| missing(field))?.parse().map_err(|error| invalid(field, error))
}

/// The fields to answer with: the request's mask if it names fields of `M` only, else the method's default.
pub(super) fn read_mask<M: MessageFields>(mask: Option<FieldMask>, default: &str) -> Result<FieldMaskTree, Status> {
    let mask = mask.unwrap_or_else(|| FieldMask::from_str(default));
    mask.validate::<M>().map_err(|path| invalid("read_mask", format!("invalid read_mask path: {path}")))?;
    Ok(mask.into())
}

/// One status for each way in which the chain says no.
pub(super) fn from_error(error: Error) -> Status {
    match error {
        Error::Refused(refused) => from_refused(&refused),
        Error::UnsupportedSignature(_)
        | Error::InvalidSignature(_)
        | Error::SignatureCount { .. }
        | Error::MissingSigner { .. }
        | Error::TransactionTooLarge { .. }
        | Error::Faucet(_) => Status::invalid_argument(error.to_string()),
        Error::Stopped(_) => Status::unavailable(error.to_string()),
        Error::Busy(_) => Status::resource_exhausted(error.to_string()),
        _ => {
            tracing::error!(%error, "a request failed");
            Status::internal(error.to_string())
        }
    }
}

/// As a status inside a batch.
pub(super) fn in_batch(status: &Status) -> rpc::Status {
    rpc::Status { code: status.code().into(), message: status.message().to_owned(), details: Vec::new() }
}

/// Full nodes answer everything that is wrong with a transaction with `INVALID_ARGUMENT`; clients look at the text.
fn from_refused(refused: &Refused) -> Status {
    let code = match refused {
        Refused::Unsupported(_) => Code::Unimplemented,
        _ => Code::InvalidArgument,
    };
    let text = match refused {
        Refused::StaleVersion { id, named, live } => format!(
            "Transaction needs to be rebuilt because object {id} version {named:#x} is unavailable for consumption, \
             current version: {live:#x}"
        ),
        other => other.to_string(),
    };
    Status::new(code, format!("Error checking transaction input objects: {text}"))
}

fn violation(violation: &FieldViolation) -> Status {
    // It stands in a header, may quote the request, and a header that is too long ends the connection instead of explaining anything.
    let text = format!("{}: {}", violation.field, violation.description);
    Status::invalid_argument(text.chars().take(MAX_TEXT).collect::<String>())
}
