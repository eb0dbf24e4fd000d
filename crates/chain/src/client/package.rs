use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sui_sdk_types::{Address, Digest, ObjectData, StructTag};

use super::node::Node;
use crate::error::Error;

/// Modules that a package must have to be ours.
const MODULES: [&str; 5] = ["cluster", "measurements", "enclave", "staking", "k8s_gateway"];

/// The package on a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Where calls go: the newest version.
    pub id: Address,
    /// Where its types are defined: the first version. Objects and events are of these types.
    pub origin: Address,
}

impl Package {
    /// Reads the package object and checks that it is ours.
    pub async fn load(node: &Node, id: Address) -> Result<Self, Error> {
        let wrong = |reason: String| Error::WrongPackage { package: id, reason };
        let object = node.find_object(id).await?.ok_or_else(|| wrong("there is no such object".to_owned()))?;
        let ObjectData::Package(package) = object.data() else {
            return Err(wrong("it is an object, not a package".to_owned()));
        };
        for module in MODULES {
            if !package.modules.keys().any(|name| name.as_str() == module) {
                return Err(wrong(format!("it has no module {module}")));
            }
        }
        let origin = package
            .type_origin_table
            .iter()
            .find(|origin| origin.module_name.as_str() == "cluster" && origin.struct_name.as_str() == "Cluster")
            .ok_or_else(|| wrong("it does not define cluster::Cluster".to_owned()))?;
        Ok(Self { id, origin: origin.package })
    }

    /// The type `<origin>::<module>::<name>`.
    pub fn type_of(&self, module: &'static str, name: &'static str) -> StructTag {
        StructTag::new(
            self.origin,
            sui_sdk_types::Identifier::from_static(module),
            sui_sdk_types::Identifier::from_static(name),
            Vec::new(),
        )
    }
}

/// A package that was just published.
#[derive(Debug, Clone, Serialize)]
pub struct Published {
    /// The package.
    pub package: Package,
    /// Owned by the publisher; see `harden`.
    pub upgrade_cap: Address,
    /// The transaction.
    pub digest: Digest,
}

/// Compiled modules, as the Move build writes them to `move/bytecode/package.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytecode {
    /// Digest of the package, as an upgrade names it.
    pub digest: String,
    /// Packages that it calls.
    pub dependencies: Vec<Address>,
    /// The modules' bytes, in the order of publishing.
    pub modules: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
struct BytecodeFile {
    digest: String,
    #[serde(default = "framework")]
    dependencies: Vec<String>,
    modules: Vec<ModuleEntry>,
}

#[derive(Deserialize)]
struct ModuleEntry {
    name: String,
    bytes: String,
}

impl Bytecode {
    /// Reads the text of `package.json`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |reason: String| Error::BytecodeInvalid { reason };
        let file: BytecodeFile = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        let mut modules = Vec::with_capacity(file.modules.len());
        for module in file.modules {
            let bytes = STANDARD.decode(&module.bytes);
            modules.push(bytes.map_err(|error| invalid(format!("module {}: {error}", module.name)))?);
        }
        if modules.is_empty() {
            return Err(invalid("it has no modules".to_owned()));
        }
        let dependencies: Result<_, _> = file.dependencies.iter().map(|id| id.parse::<Address>()).collect();
        let dependencies = dependencies.map_err(|error| invalid(format!("a dependency: {error}")))?;
        Ok(Self { digest: file.digest, dependencies, modules })
    }
}

fn framework() -> Vec<String> {
    vec!["0x1".to_owned(), "0x2".to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_bytecode_is_read() {
        let bytecode = Bytecode::parse(include_str!("../../../../move/bytecode/package.json")).unwrap();
        assert!(bytecode.modules.len() >= MODULES.len());
        assert!(bytecode.modules.iter().all(|module| module.starts_with(&[0xa1, 0x1c, 0xeb, 0x0b])));
    }

    #[test]
    fn broken_files_are_refused() {
        for text in ["", "{}", r#"{"digest":"","modules":[]}"#, r#"{"digest":"","modules":[{"name":"a","bytes":"?"}]}"#]
        {
            assert!(matches!(Bytecode::parse(text), Err(Error::BytecodeInvalid { .. })), "{text}");
        }
    }
}
