//! Bytes to tables.

use sui_sdk_types::{Address, Identifier};

use super::{
    bounds::{bound, check},
    code::instruction,
    layout::{Layout, layout},
    reader::Reader,
    tables::{
        Code, Datatype, DatatypeHandle, DatatypeInstance, Field, FunctionDefinition, FunctionHandle, JumpTable, Tables,
        Token, Variant,
    },
};
use crate::{AbilitySet, LoadError, ModuleId, TypeParameter, Visibility};

/// Nesting of a signature token (`SIGNATURE_TOKEN_DEPTH_MAX` is 256; verified code stays far below).
const TOKEN_DEPTH: usize = 24;

type Result<T> = std::result::Result<T, LoadError>;

/// Parses a module.
pub(crate) fn parse(bytes: &[u8]) -> Result<Tables> {
    let layout = layout(bytes)?;
    let mut tables = Parser { layout: &layout, tables: Tables::default() }.run()?;
    tables.self_module = layout.self_module;
    check(&tables)?;
    Ok(tables)
}

struct Parser<'a> {
    layout: &'a Layout<'a>,
    tables: Tables,
}

impl Parser<'_> {
    fn run(mut self) -> Result<Tables> {
        self.tables.identifiers = self.entries(0x07, identifier)?;
        self.tables.addresses = self.entries(0x08, |r| Ok(Address::new(r.array()?)))?;
        self.tables.modules = self.entries_with(0x01, Self::module_id)?;
        self.tables.datatype_handles = self.entries_with(0x02, Self::datatype_handle)?;
        self.tables.signatures = self.entries_with(0x05, Self::signature)?;
        self.tables.function_handles = self.entries_with(0x03, Self::function_handle)?;
        self.tables.function_instances = self.entries(0x04, pair)?;
        self.tables.constants = self.entries_with(0x06, |p, r| {
            let type_ = p.token(r, 0)?;
            // A constant of a struct type would be a value that its module never made.
            if !is_constant_type(&type_) {
                return Err(LoadError::Malformed("type of a constant"));
            }
            let length = r.size()?;
            Ok((type_, r.take(length)?.to_vec()))
        })?;
        self.tables.datatypes = self.entries_with(0x0a, Self::struct_definition)?;
        self.tables.struct_count = self.tables.datatypes.len();
        let enums = self.entries_with(0x11, Self::enum_definition)?;
        self.tables.datatypes.extend(enums);
        self.tables.struct_instances = self.entries(0x0b, instance)?;
        self.tables.enum_instances = self.entries_with(0x12, |p, r| {
            let (definition, arguments) = pair(r)?;
            Ok(DatatypeInstance { definition: p.enum_index(definition)?, arguments })
        })?;
        self.tables.field_handles = self.entries(0x0d, pair)?;
        self.tables.field_instances = self.entries(0x0e, pair)?;
        self.tables.variant_handles = self.entries_with(0x13, |p, r| {
            let (definition, variant) = pair(r)?;
            Ok((p.enum_index(definition)?, variant))
        })?;
        self.tables.variant_instances = self.entries(0x14, pair)?;
        self.tables.friends = self.entries_with(0x0f, Self::module_id)?;
        self.tables.functions = self.entries_with(0x0c, Self::function_definition)?;
        self.entries(0x10, |r| {
            for _ in 0..2 {
                let length = r.size()?;
                r.take(length)?;
            }
            Ok(())
        })?;
        Ok(self.tables)
    }

    fn entries<T>(&self, kind: u8, mut read: impl FnMut(&mut Reader<'_>) -> Result<T>) -> Result<Vec<T>> {
        self.entries_with(kind, |_, r| read(r))
    }

    /// Every entry takes at least one byte, so the table's size bounds the work.
    fn entries_with<T>(&self, kind: u8, mut read: impl FnMut(&Self, &mut Reader<'_>) -> Result<T>) -> Result<Vec<T>> {
        let mut r = Reader::new(self.layout.table(kind).1);
        let mut entries = Vec::new();
        while !r.is_empty() {
            entries.push(read(self, &mut r)?);
            if entries.len() > usize::from(u16::MAX) {
                return Err(LoadError::TooLarge("table entries"));
            }
        }
        Ok(entries)
    }

    fn enum_index(&self, definition: u16) -> Result<u16> {
        u16::try_from(self.tables.struct_count + usize::from(definition)).map_err(|_| LoadError::TooLarge("datatypes"))
    }

    fn name(&self, r: &mut Reader<'_>) -> Result<Identifier> {
        let index = r.index()?;
        self.tables.identifiers.get(usize::from(index)).cloned().ok_or(LoadError::IndexOutOfBounds("identifier"))
    }

    fn module_id(&self, r: &mut Reader<'_>) -> Result<ModuleId> {
        let index = r.index()?;
        let address =
            self.tables.addresses.get(usize::from(index)).copied().ok_or(LoadError::IndexOutOfBounds("address"))?;
        Ok(ModuleId::new(address, self.name(r)?))
    }

    fn datatype_handle(&self, r: &mut Reader<'_>) -> Result<DatatypeHandle> {
        let module = r.index()?;
        bound(module, self.tables.modules.len(), "module")?;
        let name = self.name(r)?;
        let abilities = abilities(r)?;
        let count = r.small()?;
        let mut parameters = Vec::new();
        for _ in 0..count {
            parameters.push(TypeParameter { constraints: self::abilities(r)?, phantom: r.small()? != 0 });
        }
        Ok(DatatypeHandle { module, name, abilities, parameters })
    }

    fn function_handle(&self, r: &mut Reader<'_>) -> Result<FunctionHandle> {
        let module = r.index()?;
        bound(module, self.tables.modules.len(), "module")?;
        let name = self.name(r)?;
        let (parameters, returns) = pair(r)?;
        bound(parameters, self.tables.signatures.len(), "signature")?;
        bound(returns, self.tables.signatures.len(), "signature")?;
        let count = r.small()?;
        let mut type_parameters = Vec::new();
        for _ in 0..count {
            type_parameters.push(abilities(r)?);
        }
        Ok(FunctionHandle { module, name, parameters, returns, type_parameters })
    }

    fn signature(&self, r: &mut Reader<'_>) -> Result<Vec<Token>> {
        let count = r.small()?;
        let mut tokens = Vec::new();
        for _ in 0..count {
            tokens.push(self.token(r, 0)?);
        }
        Ok(tokens)
    }

    /// Recursion is bounded by `TOKEN_DEPTH`.
    fn token(&self, r: &mut Reader<'_>, depth: usize) -> Result<Token> {
        if depth > TOKEN_DEPTH {
            return Err(LoadError::TooLarge("depth of a type"));
        }
        let reference = |inner: Token| match inner {
            Token::Reference(_) | Token::MutableReference(_) => Err(LoadError::Malformed("reference to a reference")),
            other => Ok(Box::new(other)),
        };
        Ok(match r.byte()? {
            0x01 => Token::Bool,
            0x02 => Token::U8,
            0x03 => Token::U64,
            0x04 => Token::U128,
            0x05 => Token::Address,
            0x06 => Token::Reference(reference(self.token(r, depth + 1)?)?),
            0x07 => Token::MutableReference(reference(self.token(r, depth + 1)?)?),
            0x08 => Token::Datatype(self.datatype_index(r, 0)?, Vec::new()),
            0x09 => Token::Parameter(r.index()?),
            0x0a => Token::Vector(reference(self.token(r, depth + 1)?)?),
            0x0b => {
                let mut probe = r.clone();
                probe.index()?;
                let count = probe.small()?;
                let index = self.datatype_index(r, count)?;
                r.small()?;
                let mut arguments = Vec::new();
                for _ in 0..count {
                    arguments.push(*reference(self.token(r, depth + 1)?)?);
                }
                Token::Datatype(index, arguments)
            }
            0x0c => Token::Signer,
            0x0d => Token::U16,
            0x0e => Token::U32,
            0x0f => Token::U256,
            _ => return Err(LoadError::Malformed("type")),
        })
    }

    fn datatype_index(&self, r: &mut Reader<'_>, arguments: u8) -> Result<u16> {
        let index = r.index()?;
        let handle = self
            .tables
            .datatype_handles
            .get(usize::from(index))
            .ok_or(LoadError::IndexOutOfBounds("datatype handle"))?;
        if handle.parameters.len() != usize::from(arguments) {
            return Err(LoadError::Malformed("number of type arguments"));
        }
        Ok(index)
    }

    fn fields(&self, r: &mut Reader<'_>) -> Result<Vec<Field>> {
        let count = r.small()?;
        let mut fields = Vec::new();
        for _ in 0..count {
            let name = self.name(r)?;
            let type_ = self.token(r, 0)?;
            if matches!(type_, Token::Reference(_) | Token::MutableReference(_)) {
                return Err(LoadError::Malformed("field is a reference"));
            }
            fields.push(Field { name, type_ });
        }
        Ok(fields)
    }

    fn struct_definition(&self, r: &mut Reader<'_>) -> Result<Datatype> {
        let handle = r.index()?;
        bound(handle, self.tables.datatype_handles.len(), "datatype handle")?;
        if r.byte()? != 0x02 {
            return Err(LoadError::Malformed("native struct"));
        }
        let name = self.tables.datatype_handles[usize::from(handle)].name.clone();
        Ok(Datatype { handle, is_enum: false, variants: vec![Variant { name, fields: self.fields(r)? }] })
    }

    fn enum_definition(&self, r: &mut Reader<'_>) -> Result<Datatype> {
        if self.layout.version < 7 {
            return Err(LoadError::Malformed("enum before version 7"));
        }
        let handle = r.index()?;
        bound(handle, self.tables.datatype_handles.len(), "datatype handle")?;
        if r.byte()? != 0x02 {
            return Err(LoadError::Malformed("enum"));
        }
        let count = r.small()?;
        if count == 0 || count > 127 {
            return Err(LoadError::Malformed("number of variants"));
        }
        let mut variants = Vec::new();
        for _ in 0..count {
            variants.push(Variant { name: self.name(r)?, fields: self.fields(r)? });
        }
        Ok(Datatype { handle, is_enum: true, variants })
    }

    fn function_definition(&self, r: &mut Reader<'_>) -> Result<FunctionDefinition> {
        let handle = r.index()?;
        bound(handle, self.tables.function_handles.len(), "function handle")?;
        let visibility = match r.byte()? {
            0 => Visibility::Private,
            1 => Visibility::Public,
            3 => Visibility::Friend,
            _ => return Err(LoadError::Malformed("visibility")),
        };
        let flags = r.byte()?;
        if flags & !0x06 != 0 {
            return Err(LoadError::Malformed("function flags"));
        }
        for _ in 0..r.small()? {
            r.index()?;
        }
        let code = if flags & 0x02 == 0 { Some(self.code(r)?) } else { None };
        Ok(FunctionDefinition { handle, visibility, is_entry: flags & 0x04 != 0, code })
    }

    fn code(&self, r: &mut Reader<'_>) -> Result<Code> {
        let locals = r.index()?;
        let count = r.index()?;
        let mut instructions = Vec::new();
        for _ in 0..count {
            instructions.push(instruction(r)?);
        }
        let mut jump_tables = Vec::new();
        if self.layout.version >= 7 {
            for _ in 0..r.small()? {
                let head = self.enum_index(r.index()?)?;
                let branches = r.uleb()?;
                if r.byte()? != 0x01 {
                    return Err(LoadError::Malformed("jump table"));
                }
                let mut targets = Vec::new();
                for _ in 0..branches {
                    targets.push(r.index()?);
                }
                jump_tables.push(JumpTable { head, targets });
            }
        }
        Ok(Code { locals, instructions, jump_tables })
    }
}

fn is_constant_type(token: &Token) -> bool {
    match token {
        Token::Vector(element) => is_constant_type(element),
        Token::Datatype(..)
        | Token::Parameter(_)
        | Token::Signer
        | Token::Reference(_)
        | Token::MutableReference(_) => false,
        _ => true,
    }
}

fn identifier(r: &mut Reader<'_>) -> Result<Identifier> {
    let length = r.size()?;
    let text = std::str::from_utf8(r.take(length)?).map_err(|_| LoadError::Malformed("identifier"))?;
    // `<SELF>` names the module of a script and never occurs in published modules.
    Identifier::new(text).map_err(|_| LoadError::Malformed("identifier"))
}

fn pair(r: &mut Reader<'_>) -> Result<(u16, u16)> {
    Ok((r.index()?, r.index()?))
}

fn instance(r: &mut Reader<'_>) -> Result<DatatypeInstance> {
    let (definition, arguments) = pair(r)?;
    Ok(DatatypeInstance { definition, arguments })
}

fn abilities(r: &mut Reader<'_>) -> Result<AbilitySet> {
    match r.small()? {
        set @ 0..=15 => Ok(AbilitySet(set)),
        _ => Err(LoadError::Malformed("abilities")),
    }
}
