//! Bytes to tables.

use sui_sdk_types::{Address, Identifier};

use super::{
    Instruction,
    code::instruction,
    reader::Reader,
    tables::{
        Code, Datatype, DatatypeHandle, DatatypeInstance, Field, FunctionDefinition, FunctionHandle, JumpTable, Tables,
        Token, Variant,
    },
};
use crate::{AbilitySet, LoadError, ModuleId, TypeParameter, Visibility};

const MAGIC: [u8; 4] = [0xa1, 0x1c, 0xeb, 0x0b];
/// From version 7 the top byte of the version is the flavour, 5 for Sui (`file_format_common.rs`, `BinaryFlavor`).
const SUI_FLAVOUR: u32 = 0x0500_0000;
/// Sui's `max_move_package_size` is 100 KiB; a module is never larger.
const MODULE_BYTES: usize = 256 * 1024;
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

/// Where each table is.
pub(super) struct Layout<'a> {
    pub(super) version: u32,
    /// Kind, offset of the first byte in the module, contents.
    pub(super) tables: Vec<(u8, usize, &'a [u8])>,
    pub(super) self_module: u16,
}

impl<'a> Layout<'a> {
    pub(super) fn table(&self, kind: u8) -> (usize, &'a [u8]) {
        self.tables.iter().find(|t| t.0 == kind).map_or((0, &[]), |t| (t.1, t.2))
    }
}

/// Reads the header. Tables must fill the body without gaps or overlaps, as the real loader demands.
pub(super) fn layout(bytes: &[u8]) -> Result<Layout<'_>> {
    if bytes.len() > MODULE_BYTES {
        return Err(LoadError::TooLarge("module bytes"));
    }
    let mut r = Reader::new(bytes);
    if r.array::<4>()? != MAGIC {
        return Err(LoadError::Malformed("magic"));
    }
    let raw = u32::from_le_bytes(r.array()?);
    let version = if raw & SUI_FLAVOUR == SUI_FLAVOUR { raw & !SUI_FLAVOUR } else { raw };
    if !(5..=7).contains(&version) {
        return Err(LoadError::UnsupportedVersion(raw));
    }
    let count = r.small()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let entry = (r.byte()?, r.size()?, r.size()?);
        if entries.iter().any(|e: &(u8, usize, usize)| e.0 == entry.0) {
            return Err(LoadError::Malformed("duplicate table"));
        }
        if !matches!(entry.0, 0x01..=0x08 | 0x0a..=0x14) {
            return Err(LoadError::Malformed("unknown table"));
        }
        entries.push(entry);
    }
    entries.sort_by_key(|e| e.1);
    let start = r.position();
    let mut end = 0_usize;
    for entry in &entries {
        if entry.1 != end || entry.2 == 0 {
            return Err(LoadError::Malformed("tables overlap or leave gaps"));
        }
        end = end.checked_add(entry.2).ok_or(LoadError::Malformed("table size"))?;
    }
    let body = r.take(end)?;
    let self_module = r.index()?;
    if !r.is_empty() {
        return Err(LoadError::Malformed("trailing bytes"));
    }
    let tables = entries.iter().map(|e| (e.0, start + e.1, &body[e.1..e.1 + e.2])).collect();
    Ok(Layout { version, tables, self_module })
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

fn bound(index: u16, length: usize, table: &'static str) -> Result<()> {
    if usize::from(index) < length { Ok(()) } else { Err(LoadError::IndexOutOfBounds(table)) }
}

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
