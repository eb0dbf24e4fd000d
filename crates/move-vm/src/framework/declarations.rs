//! Reads `declarations.txt`: the types and signatures of the framework modules, in the order of the real modules so
//! that function numbers in abort locations agree.
//!
//! One item a line. Abilities are letters of `cdsk` (or `-`); types are written without spaces, `&` and `&!` are the
//! references, `T0` a type parameter:
//! ```text
//! module 0x2::balance
//! struct Balance s !- value:u64
//! fun split public - &!0x2::balance::Balance<T0> u64 -> 0x2::balance::Balance<T0>
//! ```
//! A struct lists abilities, type parameters (`.` for none, `!` for phantom) and fields; a function lists visibility,
//! type parameters and parameters.

use std::collections::HashMap;

use sui_sdk_types::{Address, Identifier};

use crate::{
    AbilitySet, CompiledModule, ModuleId, TypeParameter, Visibility,
    format::{Datatype, DatatypeHandle, Field, FunctionDefinition, FunctionHandle, Tables, Token, Variant},
    interpreter::Native,
};

/// Abilities and type parameters of a datatype.
type Shape = (AbilitySet, Vec<TypeParameter>);

/// Parses the list. The text is part of the program; a line that does not parse is left out, which the tests notice.
pub(super) fn parse(text: &str, native: &dyn Fn(&ModuleId, &str) -> Option<Native>) -> Vec<CompiledModule> {
    let mut shapes = HashMap::new();
    let mut current = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match (words.as_slice(), &current) {
            (["module", id], _) => current = module_id(id),
            (["struct", name, abilities, parameters, ..], Some(id)) => {
                shapes.insert(format!("{id}::{name}"), (ability_set(abilities), type_parameters(parameters)));
            }
            _ => {}
        }
    }
    let mut modules = Vec::new();
    let mut builder: Option<Builder<'_>> = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["module", id] = words.as_slice() {
            modules.extend(builder.take().and_then(Builder::finish));
            builder = module_id(id).map(|id| Builder::new(id, &shapes));
        } else if let Some(builder) = &mut builder {
            let _ = builder.item(&words, native);
        }
    }
    modules.extend(builder.take().and_then(Builder::finish));
    modules
}

struct Builder<'a> {
    shapes: &'a HashMap<String, Shape>,
    tables: Tables,
    natives: Vec<Option<Native>>,
}

impl<'a> Builder<'a> {
    fn new(id: ModuleId, shapes: &'a HashMap<String, Shape>) -> Self {
        Self { shapes, tables: Tables { modules: vec![id], ..Tables::default() }, natives: Vec::new() }
    }

    fn finish(self) -> Option<CompiledModule> {
        CompiledModule::from_tables(self.tables, self.natives).ok()
    }

    fn item(&mut self, words: &[&str], native: &dyn Fn(&ModuleId, &str) -> Option<Native>) -> Option<()> {
        let own = self.tables.modules[0].clone();
        match words {
            ["struct", name, _, _, fields @ ..] => {
                let handle = self.handle(&own, name)?;
                let mut parsed = Vec::new();
                for field in fields {
                    let (field, type_) = field.split_once(':')?;
                    parsed.push(Field { name: Identifier::new(field).ok()?, type_: self.token(&mut &*type_)? });
                }
                let variant = Variant { name: Identifier::new(name).ok()?, fields: parsed };
                self.tables.datatypes.push(Datatype { handle, is_enum: false, variants: vec![variant] });
                self.tables.struct_count += 1;
            }
            ["fun", name, visibility, constraints, rest @ ..] => {
                let arrow = rest.iter().position(|w| *w == "->")?;
                let parameters = self.signature(&rest[..arrow])?;
                let returns = self.signature(&rest[arrow + 1..])?;
                let (visibility, is_entry) = match *visibility {
                    "public" => (Visibility::Public, false),
                    "public+entry" => (Visibility::Public, true),
                    "private+entry" => (Visibility::Private, true),
                    "friend" => (Visibility::Friend, false),
                    _ => (Visibility::Private, false),
                };
                let handle = FunctionHandle {
                    module: 0,
                    name: Identifier::new(name).ok()?,
                    parameters,
                    returns,
                    type_parameters: type_parameters(constraints).iter().map(|p| p.constraints).collect(),
                };
                let number = self.tables.function_handles.len() as u16;
                self.tables.function_handles.push(handle);
                self.tables.functions.push(FunctionDefinition { handle: number, visibility, is_entry, code: None });
                self.natives.push(native(&own, name));
            }
            _ => return None,
        }
        Some(())
    }

    fn signature(&mut self, words: &[&str]) -> Option<u16> {
        let tokens = words.iter().map(|word| self.token(&mut &**word)).collect::<Option<Vec<_>>>()?;
        self.tables.signatures.push(tokens);
        Some(self.tables.signatures.len() as u16 - 1)
    }

    fn handle(&mut self, module: &ModuleId, name: &str) -> Option<u16> {
        let module_index = self.tables.modules.iter().position(|m| m == module).unwrap_or_else(|| {
            self.tables.modules.push(module.clone());
            self.tables.modules.len() - 1
        }) as u16;
        let same = |h: &DatatypeHandle| h.module == module_index && h.name.as_str() == name;
        if let Some(found) = self.tables.datatype_handles.iter().position(same) {
            return Some(found as u16);
        }
        // A type of a module that is not in the list has no shape; using it fails when it is instantiated.
        let (abilities, parameters) = self.shapes.get(&format!("{module}::{name}")).cloned().unwrap_or_default();
        let name = Identifier::new(name).ok()?;
        self.tables.datatype_handles.push(DatatypeHandle { module: module_index, name, abilities, parameters });
        Some(self.tables.datatype_handles.len() as u16 - 1)
    }

    fn token(&mut self, text: &mut &str) -> Option<Token> {
        if let Some(rest) = text.strip_prefix("&!") {
            *text = rest;
            return Some(Token::MutableReference(Box::new(self.token(text)?)));
        }
        if let Some(rest) = text.strip_prefix('&') {
            *text = rest;
            return Some(Token::Reference(Box::new(self.token(text)?)));
        }
        let end = text.find(['<', '>', ',']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        *text = rest;
        let mut arguments = Vec::new();
        if let Some(rest) = text.strip_prefix('<') {
            *text = rest;
            loop {
                arguments.push(self.token(text)?);
                let more = text.starts_with(',');
                *text = text.get(1..)?;
                if !more {
                    break;
                }
            }
        }
        Some(match name {
            "bool" => Token::Bool,
            "u8" => Token::U8,
            "u16" => Token::U16,
            "u32" => Token::U32,
            "u64" => Token::U64,
            "u128" => Token::U128,
            "u256" => Token::U256,
            "address" => Token::Address,
            "signer" => Token::Signer,
            "vector" => Token::Vector(Box::new(arguments.pop()?)),
            _ => match name.rsplit_once("::") {
                Some((module, name)) => Token::Datatype(self.handle(&module_id(module)?, name)?, arguments),
                None => Token::Parameter(name.strip_prefix('T')?.parse().ok()?),
            },
        })
    }
}

fn module_id(text: &str) -> Option<ModuleId> {
    let (address, name) = text.split_once("::")?;
    let hex = address.strip_prefix("0x")?;
    Some(ModuleId::new(Address::from_hex(format!("0x{hex:0>64}")).ok()?, Identifier::new(name).ok()?))
}

fn ability_set(letters: &str) -> AbilitySet {
    let bit = |c| match c {
        'c' => 1,
        'd' => 2,
        's' => 4,
        'k' => 8,
        _ => 0,
    };
    AbilitySet(letters.chars().map(bit).sum())
}

fn type_parameters(text: &str) -> Vec<TypeParameter> {
    if text == "." {
        return Vec::new();
    }
    let parameter = |p: &str| TypeParameter { constraints: ability_set(p), phantom: p.starts_with('!') };
    text.split(',').map(parameter).collect()
}
