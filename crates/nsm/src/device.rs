//! `/dev/nsm`, through AWS' library.

use aws_nitro_enclaves_nsm_api::api::{ErrorCode, Request as Call, Response};
use aws_nitro_enclaves_nsm_api::driver::{nsm_exit, nsm_init, nsm_process_request};
use daas_attestation::Pcr;

use crate::{Description, Error, Register, Request};

/// The open device.
#[derive(Debug)]
pub struct Device {
    descriptor: i32,
}

impl Device {
    /// Opens it.
    pub fn open() -> Result<Self, Error> {
        match nsm_init() {
            descriptor if descriptor >= 0 => Ok(Self { descriptor }),
            _ => Err(Error::Unavailable),
        }
    }

    pub(crate) fn describe(&self) -> Result<Description, Error> {
        match self.call("describe", Call::DescribeNSM)? {
            Response::DescribeNSM {
                version_major,
                version_minor,
                version_patch,
                module_id,
                max_pcrs,
                locked_pcrs,
                ..
            } => Ok(Description {
                version: (version_major, version_minor, version_patch),
                module_id,
                max_pcrs,
                locked_pcrs: locked_pcrs.into_iter().collect(),
            }),
            _ => Err(Error::Failed { operation: "describe" }),
        }
    }

    pub(crate) fn register(&self, index: u16) -> Result<Register, Error> {
        match self.call("describe a register", Call::DescribePCR { index })? {
            Response::DescribePCR { lock, data } => {
                Ok(Register { value: pcr(&data, "describe a register")?, is_locked: lock })
            }
            _ => Err(Error::Failed { operation: "describe a register" }),
        }
    }

    pub(crate) fn extend(&self, index: u16, data: &[u8]) -> Result<Pcr, Error> {
        match self.call("extend", Call::ExtendPCR { index, data: data.to_vec() })? {
            Response::ExtendPCR { data } => pcr(&data, "extend"),
            _ => Err(Error::Failed { operation: "extend" }),
        }
    }

    pub(crate) fn lock(&self, index: u16) -> Result<(), Error> {
        match self.call("lock", Call::LockPCR { index })? {
            Response::LockPCR => Ok(()),
            _ => Err(Error::Failed { operation: "lock" }),
        }
    }

    pub(crate) fn lock_below(&self, end: u16) -> Result<(), Error> {
        match self.call("lock", Call::LockPCRs { range: end })? {
            Response::LockPCRs => Ok(()),
            _ => Err(Error::Failed { operation: "lock" }),
        }
    }

    pub(crate) fn attest(&self, request: &Request) -> Result<Vec<u8>, Error> {
        let Request { public_key, user_data, nonce } = request.clone();
        let call = Call::Attestation {
            user_data: user_data.map(Into::into),
            nonce: nonce.map(Into::into),
            public_key: public_key.map(Into::into),
        };
        match self.call("attest", call)? {
            Response::Attestation { document } => Ok(document),
            _ => Err(Error::Failed { operation: "attest" }),
        }
    }

    pub(crate) fn random(&self) -> Result<Vec<u8>, Error> {
        match self.call("random", Call::GetRandom)? {
            Response::GetRandom { random } => Ok(random),
            _ => Err(Error::Failed { operation: "random" }),
        }
    }

    fn call(&self, operation: &'static str, call: Call) -> Result<Response, Error> {
        match nsm_process_request(self.descriptor, call) {
            Response::Error(code) => Err(error(operation, &code)),
            response => Ok(response),
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        nsm_exit(self.descriptor);
    }
}

fn error(operation: &'static str, code: &ErrorCode) -> Error {
    match code {
        ErrorCode::InvalidArgument => Error::InvalidArgument { operation },
        ErrorCode::InvalidIndex => Error::InvalidIndex,
        ErrorCode::ReadOnlyIndex => Error::ReadOnlyIndex,
        ErrorCode::InvalidOperation => Error::InvalidOperation { operation },
        ErrorCode::InputTooLarge => Error::InputTooLarge { operation },
        ErrorCode::Success | ErrorCode::InvalidResponse | ErrorCode::BufferTooSmall | ErrorCode::InternalError => {
            Error::Failed { operation }
        }
    }
}

fn pcr(bytes: &[u8], operation: &'static str) -> Result<Pcr, Error> {
    Pcr::try_from(bytes).map_err(|_| Error::Failed { operation })
}
