//! `MovePackageService`: packages as they were published.

use std::str::FromStr;

use sui_rpc::{
    field::FieldMaskTree,
    merge::Merge,
    proto::sui::rpc::v2::{self as pb, move_package_service_server::MovePackageService},
};
use sui_sdk_types::{Address, ObjectData};
use tonic::{Request, Response, Status};

use super::{Api, status};

#[tonic::async_trait]
impl MovePackageService for Api {
    async fn get_package(
        &self,
        request: Request<pb::GetPackageRequest>,
    ) -> Result<Response<pb::GetPackageResponse>, Status> {
        let id = request.into_inner().package_id.ok_or_else(|| status::missing("package_id"))?;
        let id = Address::from_str(&id).map_err(|error| status::invalid("package_id", error))?;
        let object = self.ledger.object(&id);
        let Some(ObjectData::Package(package)) = object.as_deref().map(sui_sdk_types::Object::data) else {
            return Err(Status::not_found(format!("Package {id} not found")));
        };
        let message = pb::Object::merge_from(package, &FieldMaskTree::from_str("package").unwrap_or_default());
        let mut message = message.package.unwrap_or_default();
        message.storage_id = Some(id.to_string());
        message.version = Some(package.version);
        // An upgrade keeps the address of its first version inside the bytecode; only that of a first version is known here.
        message.original_id = (package.version == 1).then(|| id.to_string());
        let mut response = pb::GetPackageResponse::default();
        response.package = Some(message);
        Ok(Response::new(response))
    }

    async fn get_datatype(
        &self,
        _: Request<pb::GetDatatypeRequest>,
    ) -> Result<Response<pb::GetDatatypeResponse>, Status> {
        Err(status::unserved("descriptions of Move types; get the package and read its bytecode"))
    }

    async fn get_function(
        &self,
        _: Request<pb::GetFunctionRequest>,
    ) -> Result<Response<pb::GetFunctionResponse>, Status> {
        Err(status::unserved("descriptions of Move functions; get the package and read its bytecode"))
    }

    async fn list_package_versions(
        &self,
        _: Request<pb::ListPackageVersionsRequest>,
    ) -> Result<Response<pb::ListPackageVersionsResponse>, Status> {
        Err(status::unserved("lists of package versions"))
    }
}
