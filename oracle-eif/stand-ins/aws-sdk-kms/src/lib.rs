//! A key service that cannot be reached.

use std::marker::PhantomData;

use error::SdkError;
use operation::{get_public_key, sign, verify};
use primitives::Blob;
use types::{MessageType, SigningAlgorithmSpec};

/// Asks nobody.
pub struct Client;

impl Client {
    /// A client.
    pub fn new(_config: &aws_types::SdkConfig) -> Self {
        Self
    }

    /// Fails when it is sent.
    pub fn get_public_key(&self) -> Request<get_public_key::GetPublicKeyOutput, get_public_key::GetPublicKeyError> {
        Request(PhantomData)
    }

    /// Fails when it is sent.
    pub fn sign(&self) -> Request<sign::SignOutput, sign::SignError> {
        Request(PhantomData)
    }

    /// Fails when it is sent.
    pub fn verify(&self) -> Request<verify::VerifyOutput, verify::VerifyError> {
        Request(PhantomData)
    }
}

/// A request that forgets what it is given.
#[must_use]
pub struct Request<Output, Error>(PhantomData<(Output, Error)>);

impl<Output, Error> Request<Output, Error> {
    /// Forgets the key.
    pub fn key_id(self, _key: String) -> Self {
        self
    }

    /// Forgets the message.
    pub fn message(self, _message: Blob) -> Self {
        self
    }

    /// Forgets the type.
    pub fn message_type(self, _type: MessageType) -> Self {
        self
    }

    /// Forgets the algorithm.
    pub fn signing_algorithm(self, _algorithm: SigningAlgorithmSpec) -> Self {
        self
    }

    /// Forgets the signature.
    pub fn signature(self, _signature: Blob) -> Self {
        self
    }

    /// Fails.
    pub async fn send(self) -> Result<Output, SdkError<Error>> {
        Err(SdkError::Unreachable)
    }
}

/// Errors.
pub mod error {
    use std::fmt;

    /// Why a request failed.
    #[derive(Debug)]
    pub enum SdkError<E> {
        /// The service says so; never.
        ServiceError(ServiceError<E>),
        /// There is no service.
        Unreachable,
    }

    /// What the service says.
    #[derive(Debug)]
    pub struct ServiceError<E>(E);

    impl<E> ServiceError<E> {
        /// Its error.
        pub fn err(&self) -> &E {
            &self.0
        }
    }

    impl<E> fmt::Display for SdkError<E> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("there is no key service in the judge")
        }
    }

    impl<E: fmt::Debug> std::error::Error for SdkError<E> {}

    /// Code and text of an error.
    pub trait ProvideErrorMetadata {
        /// None.
        fn code(&self) -> Option<&str> {
            None
        }

        /// None.
        fn message(&self) -> Option<&str> {
            None
        }
    }

    impl<E> ProvideErrorMetadata for SdkError<E> {}
}

/// What requests give back.
pub mod operation {
    /// The public key.
    pub mod get_public_key {
        /// Never given.
        #[derive(Debug)]
        pub struct GetPublicKeyOutput {
            /// DER.
            pub public_key: Option<crate::primitives::Blob>,
        }

        /// Never given.
        #[derive(Debug)]
        pub struct GetPublicKeyError;
    }

    /// A signature.
    pub mod sign {
        /// Never given.
        #[derive(Debug)]
        pub struct SignOutput {
            /// DER.
            pub signature: Option<crate::primitives::Blob>,
        }

        /// Never given.
        #[derive(Debug)]
        pub struct SignError;
    }

    /// A verdict.
    pub mod verify {
        /// Never given.
        #[derive(Debug)]
        pub struct VerifyOutput {
            /// The verdict.
            pub signature_valid: bool,
        }

        /// Never given.
        #[derive(Debug)]
        pub struct VerifyError;

        impl VerifyError {
            /// No.
            pub fn is_kms_invalid_signature_exception(&self) -> bool {
                false
            }
        }
    }
}

/// Bytes.
pub mod primitives {
    /// Bytes.
    #[derive(Debug)]
    pub struct Blob(Vec<u8>);

    impl Blob {
        /// These bytes.
        pub fn new(bytes: Vec<u8>) -> Self {
            Self(bytes)
        }
    }

    impl AsRef<[u8]> for Blob {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
}

/// Words of requests.
pub mod types {
    /// What is signed.
    pub enum MessageType {
        /// A digest.
        Digest,
    }

    /// How it is signed.
    pub enum SigningAlgorithmSpec {
        /// P-256.
        EcdsaSha256,
        /// P-384.
        EcdsaSha384,
        /// P-521.
        EcdsaSha512,
    }
}

/// Another path to the client.
pub mod client {
    pub use super::Client;
}
