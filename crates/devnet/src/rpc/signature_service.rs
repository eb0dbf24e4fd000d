//! `SignatureVerificationService`: is this the signature of that message?

use sui_crypto::{SuiVerifier, UserSignatureVerifier};
use sui_rpc::proto::sui::rpc::v2::{self as pb, signature_verification_service_server::SignatureVerificationService};
use sui_sdk_types::{PersonalMessage, Transaction, UserSignature};
use tonic::{Request, Response, Status};

use super::{Api, status};

#[tonic::async_trait]
impl SignatureVerificationService for Api {
    async fn verify_signature(
        &self,
        request: Request<pb::VerifySignatureRequest>,
    ) -> Result<Response<pb::VerifySignatureResponse>, Status> {
        let request = request.into_inner();
        let message = request.message.ok_or_else(|| status::missing("message"))?;
        let signature = request.signature.as_ref().ok_or_else(|| status::missing("signature"))?;
        let signature = UserSignature::try_from(signature).map_err(|error| status::from_proto_error(&error))?;

        let verifier = UserSignatureVerifier::new();
        let verdict = match message.name() {
            "PersonalMessage" => {
                let bytes: Vec<u8> = message.deserialize().map_err(|error| status::invalid("message", error))?;
                verifier.verify_personal_message(&PersonalMessage(bytes.into()), &signature)
            }
            "TransactionData" => {
                let transaction: Transaction =
                    message.deserialize().map_err(|error| status::invalid("message", error))?;
                verifier.verify_transaction(&transaction, &signature)
            }
            _ => return Err(status::invalid("message.name", "must be PersonalMessage or TransactionData")),
        };
        let mut reason = verdict.err().map(|error| error.to_string());
        if let Some(address) = &request.address {
            let address = status::address("address", Some(address))?;
            if reason.is_none() && !signature.derive_addresses().any(|derived| derived == address) {
                reason = Some(format!("the signature is not that of {address}"));
            }
        }
        let mut response = pb::VerifySignatureResponse::default();
        response.is_valid = Some(reason.is_none());
        response.reason = reason;
        Ok(Response::new(response))
    }
}
