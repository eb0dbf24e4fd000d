//! Every index of a module is checked once, so that nobody needs to check it again.

use super::{
    Instruction,
    tables::{Code, Tables},
};
use crate::LoadError;

type Result<T> = std::result::Result<T, LoadError>;

/// Checks the indices that could not be checked while reading.
pub(crate) fn check(t: &Tables) -> Result<()> {
    bound(t.self_module, t.modules.len(), "module")?;
    for (handle, signature) in &t.function_instances {
        bound(*handle, t.function_handles.len(), "function handle")?;
        bound(*signature, t.signatures.len(), "signature")?;
    }
    for instance in &t.struct_instances {
        bound(instance.definition, t.struct_count, "struct")?;
        bound(instance.arguments, t.signatures.len(), "signature")?;
    }
    for instance in &t.enum_instances {
        bound(instance.definition, t.datatypes.len(), "enum")?;
        bound(instance.arguments, t.signatures.len(), "signature")?;
    }
    for (definition, field) in &t.field_handles {
        bound(*definition, t.struct_count, "struct")?;
        bound(*field, t.datatypes[usize::from(*definition)].variants[0].fields.len(), "field")?;
    }
    for (handle, signature) in &t.field_instances {
        bound(*handle, t.field_handles.len(), "field handle")?;
        bound(*signature, t.signatures.len(), "signature")?;
    }
    for (definition, variant) in &t.variant_handles {
        bound(*definition, t.datatypes.len(), "enum")?;
        bound(*variant, t.datatypes[usize::from(*definition)].variants.len(), "variant")?;
    }
    for (instance, variant) in &t.variant_instances {
        bound(*instance, t.enum_instances.len(), "enum instance")?;
        let definition = t.enum_instances[usize::from(*instance)].definition;
        bound(*variant, t.datatypes[usize::from(definition)].variants.len(), "variant")?;
    }
    for datatype in &t.datatypes {
        if t.datatype_handles[usize::from(datatype.handle)].module != t.self_module {
            return Err(LoadError::Malformed("definition of another module's type"));
        }
    }
    for function in &t.functions {
        let handle = &t.function_handles[usize::from(function.handle)];
        if handle.module != t.self_module {
            return Err(LoadError::Malformed("definition of another module's function"));
        }
        let parameters = t.signatures[usize::from(handle.parameters)].len();
        if let Some(code) = &function.code {
            check_code(t, code, parameters)?;
        }
    }
    Ok(())
}

fn check_code(t: &Tables, code: &Code, parameters: usize) -> Result<()> {
    use Instruction as I;
    bound(code.locals, t.signatures.len(), "signature")?;
    let locals = parameters + t.signatures[usize::from(code.locals)].len();
    let length = code.instructions.len();
    if length == 0 {
        return Err(LoadError::Malformed("empty function"));
    }
    for table in &code.jump_tables {
        bound(table.head, t.datatypes.len(), "enum")?;
        if table.targets.len() != t.datatypes[usize::from(table.head)].variants.len() {
            return Err(LoadError::Malformed("jump table length"));
        }
        for target in &table.targets {
            bound(*target, length, "instruction")?;
        }
    }
    for instruction in &code.instructions {
        match instruction {
            I::BranchTrue(target) | I::BranchFalse(target) | I::Branch(target) => bound(*target, length, "instruction"),
            I::LoadConstant(index) => bound(*index, t.constants.len(), "constant"),
            I::CopyLocal(local) | I::MoveLocal(local) | I::StoreLocal(local) | I::BorrowLocal { local, .. } => {
                bound(u16::from(*local), locals, "local")
            }
            I::BorrowField { field, .. } => bound(*field, t.field_handles.len(), "field handle"),
            I::BorrowFieldGeneric { field, .. } => bound(*field, t.field_instances.len(), "field instance"),
            I::Call(index) => bound(*index, t.function_handles.len(), "function handle"),
            I::CallGeneric(index) => bound(*index, t.function_instances.len(), "function instance"),
            I::Pack(index) | I::Unpack(index) => bound(*index, t.struct_count, "struct"),
            I::PackGeneric(index) | I::UnpackGeneric(index) => {
                bound(*index, t.struct_instances.len(), "struct instance")
            }
            I::VectorPack(index, count) | I::VectorUnpack(index, count) => {
                if *count > u64::from(u16::MAX) {
                    return Err(LoadError::TooLarge("vector literal"));
                }
                element(t, *index)
            }
            I::VectorLength(index)
            | I::VectorBorrow { element: index, .. }
            | I::VectorPushBack(index)
            | I::VectorPopBack(index)
            | I::VectorSwap(index) => element(t, *index),
            I::PackVariant(index) | I::UnpackVariant(index) | I::UnpackVariantReference { variant: index, .. } => {
                bound(*index, t.variant_handles.len(), "variant handle")
            }
            I::PackVariantGeneric(index)
            | I::UnpackVariantGeneric(index)
            | I::UnpackVariantReferenceGeneric { variant: index, .. } => {
                bound(*index, t.variant_instances.len(), "variant instance")
            }
            I::VariantSwitch(index) => bound(*index, code.jump_tables.len(), "jump table"),
            _ => Ok(()),
        }?;
    }
    Ok(())
}

/// The signature of a vector instruction holds exactly the element type.
fn element(t: &Tables, signature: u16) -> Result<()> {
    bound(signature, t.signatures.len(), "signature")?;
    if t.signatures[usize::from(signature)].len() == 1 { Ok(()) } else { Err(LoadError::Malformed("element type")) }
}

pub(super) fn bound(index: u16, length: usize, table: &'static str) -> Result<()> {
    if usize::from(index) < length { Ok(()) } else { Err(LoadError::IndexOutOfBounds(table)) }
}
