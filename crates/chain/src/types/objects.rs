//! Objects and dynamic fields of the package, parsed once at the edge.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sui_sdk_types::{Address, Object, StructTag, TypeTag};

use super::cluster::{AdminCap, Cluster, Grant, GrantKey};
use super::enclave::{InstanceKey, Registration};
use super::evidence::{EvidenceKey, EvidenceRecord};
use super::gateway::SealTokenObject;
use super::measurements::{Release, ReleaseKey};
use super::staking::{Member, MemberKey, NameKey, Stake};
use super::upgrade_lock::UpgradeLock;

/// Why an object is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// Of another type, or of the same name in another package.
    #[error("{object} is {actual}, not {expected}")]
    OtherType {
        /// The object.
        object: Address,
        /// The type asked for.
        expected: String,
        /// Its type.
        actual: String,
    },
    /// Written by a newer package than this program knows.
    #[error("{object} is of version {version}, this program knows {known}")]
    TooNew {
        /// The object.
        object: Address,
        /// Its version.
        version: u64,
        /// The newest that is known.
        known: u64,
    },
    /// The contents are not the type's.
    #[error("the contents of {object} are malformed: {reason}")]
    Malformed {
        /// The object.
        object: Address,
        /// What BCS says.
        reason: String,
    },
}

/// A top-level object of the package.
pub trait MoveObject: DeserializeOwned {
    /// Module.
    const MODULE: &'static str;
    /// Struct.
    const NAME: &'static str;

    /// The version of the object's data, where it has one.
    fn version(&self) -> Option<u64> {
        None
    }
}

macro_rules! move_objects {
    ($($type:ty: $module:literal $name:literal;)*) => {
        $(impl MoveObject for $type {
            const MODULE: &'static str = $module;
            const NAME: &'static str = $name;
        })*
    };
}

impl MoveObject for Cluster {
    const MODULE: &'static str = "cluster";
    const NAME: &'static str = "Cluster";

    fn version(&self) -> Option<u64> {
        Some(self.version)
    }
}

move_objects! {
    AdminCap: "cluster" "AdminCap";
    Stake: "staking" "Stake";
    SealTokenObject: "k8s_gateway" "SealToken";
    UpgradeLock: "upgrade_lock" "UpgradeLock";
}

/// Reads an object of the package, whose type is defined in `package`.
pub fn decode_object<T: MoveObject>(object: &Object, package: &Address) -> Result<T, ObjectError> {
    let id = object.object_id();
    let expected = || format!("{package}::{}::{}", T::MODULE, T::NAME);
    let Some(content) = object.as_struct() else {
        return Err(ObjectError::OtherType { object: id, expected: expected(), actual: "a package".to_owned() });
    };
    if !is_type(content.object_type(), package, T::MODULE, T::NAME) {
        let actual = content.object_type().to_string();
        return Err(ObjectError::OtherType { object: id, expected: expected(), actual });
    }
    let value: T = bcs::from_bytes(content.contents())
        .map_err(|error| ObjectError::Malformed { object: id, reason: error.to_string() })?;
    match value.version() {
        Some(version) if version > Cluster::KNOWN_VERSION => {
            Err(ObjectError::TooNew { object: id, version, known: Cluster::KNOWN_VERSION })
        }
        _ => Ok(value),
    }
}

/// Whether a struct is this one, of this very package, without type arguments.
pub(crate) fn is_type(tag: &StructTag, package: &Address, module: &str, name: &str) -> bool {
    tag.address() == package
        && tag.module().as_str() == module
        && tag.name().as_str() == name
        && tag.type_params().is_empty()
}

/// `0x2::dynamic_field::Field<K, V>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field<K, V> {
    /// Its id.
    pub id: Address,
    /// Its key.
    pub name: K,
    /// Its value.
    pub value: V,
}

/// Everything enumerable that hangs on a Cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterField {
    /// A wallet may stake for a tier.
    Grant(GrantKey, Grant),
    /// A stake that has not been withdrawn.
    Member(MemberKey, Member),
    /// A name that was ever used, and its stake.
    Name(NameKey, Address),
    /// A proof that has been used.
    Evidence(EvidenceKey, EvidenceRecord),
    /// A release.
    Release(ReleaseKey, Box<Release>),
    /// A registered instance.
    Registration(InstanceKey, Box<Registration>),
}

impl ClusterField {
    /// Reads a dynamic field of the Cluster from its object. A field of a kind that this version does not know is
    /// an error: nothing but the package can add one.
    pub fn decode(object: &Object, package: &Address) -> Result<Self, ObjectError> {
        let id = object.object_id();
        let other = |actual: String| ObjectError::OtherType {
            object: id,
            expected: format!("a dynamic field of {package}::cluster::Cluster"),
            actual,
        };
        let Some(content) = object.as_struct() else { return Err(other("a package".to_owned())) };
        let tag = content.object_type();
        if !is_dynamic_field(tag) {
            return Err(other(tag.to_string()));
        }
        let [TypeTag::Struct(key), _] = tag.type_params() else { return Err(other(tag.to_string())) };
        if key.address() != package || !key.type_params().is_empty() {
            return Err(other(tag.to_string()));
        }
        Self::decode_named(key.module().as_str(), key.name().as_str(), content.contents())
            .map_err(|reason| ObjectError::Malformed { object: id, reason })?
            .ok_or_else(|| other(tag.to_string()))
    }

    /// Reads the contents of a field by the names of its key; `None` for a key that this version does not know.
    pub fn decode_named(module: &str, name: &str, bytes: &[u8]) -> Result<Option<Self>, String> {
        Ok(Some(match (module, name) {
            ("cluster", "GrantKey") => field(bytes).map(|(key, value)| Self::Grant(key, value))?,
            ("staking", "MemberKey") => field(bytes).map(|(key, value)| Self::Member(key, value))?,
            ("staking", "NameKey") => field(bytes).map(|(key, value)| Self::Name(key, value))?,
            ("evidence", "EvidenceKey") => field(bytes).map(|(key, value)| Self::Evidence(key, value))?,
            ("measurements", "ReleaseKey") => field(bytes).map(|(key, value)| Self::Release(key, Box::new(value)))?,
            ("enclave", "InstanceKey") => field(bytes).map(|(key, value)| Self::Registration(key, Box::new(value)))?,
            _ => return Ok(None),
        }))
    }
}

fn is_dynamic_field(tag: &StructTag) -> bool {
    *tag.address() == Address::TWO && tag.module().as_str() == "dynamic_field" && tag.name().as_str() == "Field"
}

fn field<K: DeserializeOwned, V: DeserializeOwned>(bytes: &[u8]) -> Result<(K, V), String> {
    let field: Field<K, V> = bcs::from_bytes(bytes).map_err(|error| error.to_string())?;
    Ok((field.name, field.value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sui_sdk_types::{Digest, Identifier, MoveStruct, ObjectData, Owner};

    use super::*;
    use crate::registry::{State, StateError};
    use crate::types::{Event, events::Migrated};

    /// The Cluster of the contract's golden bytes, at a version.
    fn cluster_of_version(version: u8) -> Object {
        let golden: BTreeMap<String, String> =
            serde_json::from_str(include_str!("../../../../move/golden.json")).unwrap();
        let mut contents = hex::decode(&golden["cluster::Cluster"]).unwrap();
        contents[32] = version;
        let name = Identifier::from_static("Cluster");
        let tag = StructTag::new(Address::TWO, Identifier::from_static("cluster"), name, Vec::new());
        let content = MoveStruct::new(tag, false, 1, contents).unwrap();
        Object::new(ObjectData::Struct(content), Owner::Shared(1), Digest::ZERO, 0)
    }

    #[test]
    fn a_cluster_of_a_newer_version_is_refused() {
        let known: Cluster = decode_object(&cluster_of_version(1), &Address::TWO).unwrap();
        let newer = decode_object::<Cluster>(&cluster_of_version(2), &Address::TWO);
        assert_eq!(newer, Err(ObjectError::TooNew { object: known.id, version: 2, known: 1 }));

        let migrated = |version| Event::Migrated(Migrated { cluster: known.id, version });
        let mut state = State::load(known.clone(), Vec::new(), Vec::new(), Vec::new()).unwrap();
        assert!(state.apply(migrated(1), 1).is_ok());
        let followed = state.apply(migrated(2), 2);
        assert!(matches!(followed, Err(StateError::TooNew { version: 2, known: 1 })), "{followed:?}");
    }
}
