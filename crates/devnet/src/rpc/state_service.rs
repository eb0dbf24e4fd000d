//! `StateService`: what an address owns, what hangs on an object, balances.

use std::str::FromStr;

use sui_rpc::{
    field::FieldMaskTree,
    proto::sui::rpc::v2::{self as pb, state_service_server::StateService},
};
use sui_sdk_types::{Address, Identifier, Object, ObjectType, StructTag, TypeTag};
use tonic::{Request, Response, Status};

use super::{
    Api,
    paging::{next_token, page_size, parse_token},
    render, status,
};
use crate::ledger::{Ledger, OwnedKey, TypeFilter};

/// The longest name of a dynamic field that is told apart from its value.
const MAX_NAME_BYTES: usize = 4096;

#[tonic::async_trait]
impl StateService for Api {
    async fn list_owned_objects(
        &self,
        request: Request<pb::ListOwnedObjectsRequest>,
    ) -> Result<Response<pb::ListOwnedObjectsResponse>, Status> {
        let request = request.into_inner();
        let mask = status::read_mask::<pb::Object>(request.read_mask, "object_id,version,object_type")?;
        let owner = status::address("owner", request.owner.as_deref())?;
        let object_type = request
            .object_type
            .map(|text| StructTag::from_str(&text).map_err(|error| status::invalid("object_type", error)))
            .transpose()?;
        let question = (owner, object_type.clone());
        let after: Option<OwnedKey> = parse_token(&question, request.page_token.as_ref())?;
        let filter = object_type.map_or(TypeFilter::Any, TypeFilter::new);

        let (objects, last) = self.ledger.owned(&owner, &filter, after, page_size(request.page_size));
        let mut response = pb::ListOwnedObjectsResponse::default();
        response.objects = objects.iter().map(|object| render::object(object, &mask)).collect();
        response.next_page_token = next_token(question, last)?;
        Ok(Response::new(response))
    }

    async fn list_dynamic_fields(
        &self,
        request: Request<pb::ListDynamicFieldsRequest>,
    ) -> Result<Response<pb::ListDynamicFieldsResponse>, Status> {
        let request = request.into_inner();
        let mask = status::read_mask::<pb::DynamicField>(request.read_mask, "parent,field_id")?;
        let parent = status::address("parent", request.parent.as_deref())?;
        let after: Option<Address> = parse_token(&parent, request.page_token.as_ref())?;

        let (fields, last) = self.ledger.children(&parent, after, page_size(request.page_size));
        let mut response = pb::ListDynamicFieldsResponse::default();
        // Telling long names from their values takes a thousand hashes a field.
        response.dynamic_fields = self
            .blocking(move |ledger| {
                Ok(fields.iter().filter_map(|field| dynamic_field(ledger, &parent, field, &mask)).collect())
            })
            .await?;
        response.next_page_token = next_token(parent, last)?;
        Ok(Response::new(response))
    }

    async fn get_balance(
        &self,
        request: Request<pb::GetBalanceRequest>,
    ) -> Result<Response<pb::GetBalanceResponse>, Status> {
        let request = request.into_inner();
        let owner = status::address("owner", request.owner.as_deref())?;
        let coin_type = coin_type(request.coin_type.as_deref())?;
        let sum = self.ledger.balances(&owner).get(&coin_type).copied().unwrap_or(0);
        let mut response = pb::GetBalanceResponse::default();
        response.balance = Some(balance(&coin_type, sum));
        Ok(Response::new(response))
    }

    async fn list_balances(
        &self,
        request: Request<pb::ListBalancesRequest>,
    ) -> Result<Response<pb::ListBalancesResponse>, Status> {
        let request = request.into_inner();
        let owner = status::address("owner", request.owner.as_deref())?;
        let after: Option<TypeTag> = parse_token(&owner, request.page_token.as_ref())?;
        let limit = page_size(request.page_size);

        let balances = self.ledger.balances(&owner);
        let mut rest = balances.iter().filter(|(coin_type, _)| after.as_ref().is_none_or(|after| *coin_type > after));
        let page: Vec<_> = rest.by_ref().take(limit).collect();
        let last = rest.next().and(page.last().map(|(coin_type, _)| (*coin_type).clone()));
        let mut response = pb::ListBalancesResponse::default();
        response.balances = page.into_iter().map(|(coin_type, sum)| balance(coin_type, *sum)).collect();
        response.next_page_token = next_token(owner, last)?;
        Ok(Response::new(response))
    }

    async fn get_coin_info(
        &self,
        request: Request<pb::GetCoinInfoRequest>,
    ) -> Result<Response<pb::GetCoinInfoResponse>, Status> {
        let coin_type = coin_type(request.into_inner().coin_type.as_deref())?;
        if coin_type != TypeTag::from(StructTag::sui()) {
            return Err(Status::not_found(format!(
                "nothing is known about {coin_type}: the development chain describes SUI only"
            )));
        }
        let mut metadata = pb::CoinMetadata::default();
        metadata.decimals = Some(9);
        metadata.name = Some("Sui (development)".to_owned());
        metadata.symbol = Some("SUI".to_owned());
        metadata.description = Some("Worthless money of a development chain".to_owned());
        let mut response = pb::GetCoinInfoResponse::default();
        response.coin_type = Some(coin_type.to_string());
        response.metadata = Some(metadata);
        Ok(Response::new(response))
    }
}

fn coin_type(text: Option<&str>) -> Result<TypeTag, Status> {
    let text = text.ok_or_else(|| status::missing("coin_type"))?;
    let tag = StructTag::from_str(text).map_err(|error| status::invalid("coin_type", error))?;
    Ok(tag.into())
}

/// All balances are in coins: the chain has no address balances.
fn balance(coin_type: &TypeTag, sum: u64) -> pb::Balance {
    let mut balance = pb::Balance::default();
    balance.coin_type = Some(coin_type.to_string());
    balance.balance = Some(sum);
    balance.address_balance = Some(0);
    balance.coin_balance = Some(sum);
    balance
}

/// The child as a dynamic field; `None` when it is another kind of child.
fn dynamic_field(ledger: &Ledger, parent: &Address, field: &Object, mask: &FieldMaskTree) -> Option<pb::DynamicField> {
    let parsed = Field::parse(parent, field, mask.contains("name") || mask.contains("value"))?;
    let kind = if parsed.is_object {
        pb::dynamic_field::DynamicFieldKind::Object
    } else {
        pb::dynamic_field::DynamicFieldKind::Field
    };
    let child = parsed.child.and_then(|id| ledger.object(&id));

    let mut message = pb::DynamicField::default();
    if mask.contains("kind") {
        message.kind = Some(kind.into());
    }
    if mask.contains("parent") {
        message.parent = Some(parent.to_string());
    }
    if mask.contains("field_id") {
        message.field_id = Some(field.object_id().to_string());
    }
    if let Some(mask) = mask.subtree("field_object") {
        message.field_object = Some(render::object(field, &mask));
    }
    if mask.contains("name") {
        message.name = parsed.name.map(|bytes| bcs_value(&parsed.name_type, bytes));
    }
    if mask.contains("value") {
        message.value = parsed.value.map(|bytes| bcs_value(&parsed.value_type, bytes));
    }
    if mask.contains("value_type") {
        message.value_type = match child.as_ref().map(|child| child.object_type()) {
            Some(ObjectType::Struct(tag)) => Some(tag.to_string()),
            _ => Some(parsed.value_type.to_string()),
        };
    }
    if mask.contains("child_id") {
        message.child_id = parsed.child.map(|id| id.to_string());
    }
    if let Some(mask) = mask.subtree("child_object") {
        message.child_object = child.map(|child| render::object(&child, &mask));
    }
    Some(message)
}

fn bcs_value(type_: &TypeTag, bytes: &[u8]) -> pb::Bcs {
    let mut value = pb::Bcs::from(bytes.to_vec());
    value.name = Some(type_.to_string());
    value
}

/// `0x2::dynamic_field::Field<Name, Value> { id, name, value }` taken apart.
struct Field<'a> {
    name_type: TypeTag,
    value_type: TypeTag,
    name: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    is_object: bool,
    child: Option<Address>,
}

impl<'a> Field<'a> {
    /// Name and value are told apart if that is wanted, and where the value is the id of a child.
    fn parse(parent: &Address, field: &'a Object, apart: bool) -> Option<Self> {
        let object = field.as_struct()?;
        let tag = object.object_type();
        let (dynamic_field, dynamic_object_field) =
            (Identifier::from_static("dynamic_field"), Identifier::from_static("dynamic_object_field"));
        if *tag.address() != Address::TWO || *tag.module() != dynamic_field || tag.name().as_str() != "Field" {
            return None;
        }
        let [key_type, value_type] = tag.type_params() else { return None };
        // The name of a dynamic object field is wrapped, its value is the child's id.
        let wrapped = match key_type {
            TypeTag::Struct(tag) if *tag.address() == Address::TWO && *tag.module() == dynamic_object_field => {
                tag.type_params().first().cloned()
            }
            _ => None,
        };
        let is_object = wrapped.is_some();
        let bytes = object.contents().get(Address::LENGTH..)?;
        // A field's id is the hash of parent, name and the name's type. The length at which the hash fits is where the
        // name ends, whatever its layout.
        let id = field.object_id();
        let mut ends = (0..=bytes.len().min(MAX_NAME_BYTES)).filter(|_| apart || is_object);
        let end = ends.find(|end| parent.derive_dynamic_child_id(key_type, &bytes[..*end]) == id);
        let (name, value) = end.map(|end| bytes.split_at(end)).unzip();
        let child = value.filter(|_| is_object).and_then(|bytes| Address::from_bytes(bytes).ok());
        Some(Self {
            name_type: wrapped.unwrap_or_else(|| key_type.clone()),
            value_type: value_type.clone(),
            name,
            value,
            is_object,
            child,
        })
    }
}
