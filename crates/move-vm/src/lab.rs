//! Modules put together by hand, as no compiler would.

use std::{collections::HashMap, sync::Arc};

use sui_sdk_types::{Address, Digest, Identifier, StructTag, TypeTag};

use crate::{
    ChildSource, CompiledModule, ExecutionError, Fault, Limits, LoadError, ModuleId, ModuleSource, Session,
    StoredObject, TxContext, Value,
    format::{Code, FunctionHandle, Instruction, Tables, Token, check},
    framework::declared,
};

/// Declarations (in the language of `framework/declarations.txt`) with code added.
pub(crate) struct Lab {
    modules: Vec<Tables>,
}

impl Lab {
    pub(crate) fn new(text: &str) -> Self {
        Self { modules: declared(text).iter().map(|module| module.tables().clone()).collect() }
    }

    /// Gives a function its code. `locals` are those after the parameters.
    pub(crate) fn code(mut self, path: &str, locals: &[Token], instructions: &[Instruction]) -> Self {
        let (tables, name) = self.find(path);
        let locals = add_signature(tables, locals.to_vec());
        let code = Code { locals, instructions: instructions.to_vec(), jump_tables: Vec::new() };
        let function = tables
            .functions
            .iter_mut()
            .find(|function| tables.function_handles[usize::from(function.handle)].name.as_str() == name);
        function.unwrap().code = Some(code);
        self
    }

    /// The handle of a function of another module (or its own), for `Call`. The interpreter takes the signature from
    /// the function itself, so the handle's is left empty.
    pub(crate) fn callee(&mut self, module: &str, target: &str) -> u16 {
        let (owner, name) = target.rsplit_once("::").unwrap();
        let owner = module_id(owner);
        let (tables, _) = self.find(&format!("{module}::"));
        let empty = add_signature(tables, Vec::new());
        let position = tables.modules.iter().position(|id| *id == owner).unwrap_or_else(|| {
            tables.modules.push(owner);
            tables.modules.len() - 1
        });
        tables.function_handles.push(FunctionHandle {
            module: position as u16,
            name: Identifier::new(name).unwrap(),
            parameters: empty,
            returns: empty,
            type_parameters: Vec::new(),
        });
        tables.function_handles.len() as u16 - 1
    }

    /// The same with type arguments, for `CallGeneric`.
    pub(crate) fn generic_callee(&mut self, module: &str, target: &str, arguments: &[Token]) -> u16 {
        let handle = self.callee(module, target);
        let (tables, _) = self.find(&format!("{module}::"));
        let arguments = add_signature(tables, arguments.to_vec());
        tables.function_instances.push((handle, arguments));
        tables.function_instances.len() as u16 - 1
    }

    /// The tables of a module, for what has no method here.
    pub(crate) fn tables(&mut self, module: &str) -> &mut Tables {
        self.find(&format!("{module}::")).0
    }

    pub(crate) fn signature(&mut self, module: &str, tokens: &[Token]) -> u16 {
        add_signature(self.find(&format!("{module}::")).0, tokens.to_vec())
    }

    pub(crate) fn constant(&mut self, module: &str, type_: Token, bytes: &[u8]) -> u16 {
        let (tables, _) = self.find(&format!("{module}::"));
        tables.constants.push((type_, bytes.to_vec()));
        tables.constants.len() as u16 - 1
    }

    /// A field of a struct, for the borrowing instructions.
    pub(crate) fn field(&mut self, module: &str, definition: u16, number: u16) -> u16 {
        let (tables, _) = self.find(&format!("{module}::"));
        tables.field_handles.push((definition, number));
        tables.field_handles.len() as u16 - 1
    }

    /// The handle of a type that the module's declarations mention.
    pub(crate) fn type_(&mut self, module: &str, name: &str) -> Token {
        let (tables, _) = self.find(&format!("{module}::"));
        let position = tables.datatype_handles.iter().position(|handle| handle.name.as_str() == name);
        Token::Datatype(position.unwrap() as u16, Vec::new())
    }

    /// What the loader says about the first module.
    pub(crate) fn load(&self) -> Result<(), LoadError> {
        check(&self.modules[0])
    }

    /// The modules, which the loader must accept: what these tests attack is the interpreter.
    pub(crate) fn build(self) -> World {
        let mut modules = HashMap::new();
        for mut tables in self.modules {
            // Functions that a test gives no code to end at once.
            for function in &mut tables.functions {
                let nothing = Code { locals: 0, instructions: vec![Instruction::Nop], jump_tables: Vec::new() };
                function.code.get_or_insert(nothing);
            }
            check(&tables).unwrap();
            let module = CompiledModule::from_tables(tables, Vec::new()).unwrap();
            modules.insert(module.id().clone(), Arc::new(module));
        }
        World { modules }
    }

    fn find<'p>(&mut self, path: &'p str) -> (&mut Tables, &'p str) {
        let (module, name) = path.rsplit_once("::").unwrap();
        let id = module_id(module);
        let tables = self.modules.iter_mut().find(|tables| tables.modules[usize::from(tables.self_module)] == id);
        (tables.unwrap(), name)
    }
}

/// The modules, published.
pub(crate) struct World {
    modules: HashMap<ModuleId, Arc<CompiledModule>>,
}

impl World {
    pub(crate) fn session(&self, limits: Limits) -> Session<'_> {
        let context = TxContext {
            sender: Address::new([0xa; 32]),
            digest: Digest::new([7; 32]),
            epoch: 0,
            epoch_timestamp_ms: 0,
            reference_gas_price: 1,
            gas_price: 1,
            gas_budget: 1,
            sponsor: None,
        };
        Session::new(self, self, context, limits)
    }

    /// Calls a function with values made by `arguments`.
    pub(crate) fn call(
        &self,
        path: &str,
        types: &[&str],
        arguments: impl FnOnce(&mut Session<'_>) -> Vec<Value>,
    ) -> Result<Vec<Value>, Fault> {
        self.call_within(Limits::default(), path, types, arguments).map_err(|error| error.fault)
    }

    pub(crate) fn call_within(
        &self,
        limits: Limits,
        path: &str,
        types: &[&str],
        arguments: impl FnOnce(&mut Session<'_>) -> Vec<Value>,
    ) -> Result<Vec<Value>, ExecutionError> {
        let mut session = self.session(limits);
        let (module, name) = path.rsplit_once("::").unwrap();
        let types: Vec<TypeTag> = types.iter().map(|type_| type_.parse().unwrap()).collect();
        let arguments = arguments(&mut session);
        session.call(&module_id(module), &Identifier::new(name).unwrap(), &types, arguments)
    }
}

impl ModuleSource for World {
    fn module(&self, id: &ModuleId) -> Option<Arc<CompiledModule>> {
        self.modules.get(id).cloned()
    }
}

impl ChildSource for World {
    fn child(&self, _parent: Address, _id: Address) -> Result<Option<StoredObject>, String> {
        Ok(None)
    }
}

fn add_signature(tables: &mut Tables, tokens: Vec<Token>) -> u16 {
    tables.signatures.push(tokens);
    tables.signatures.len() as u16 - 1
}

fn module_id(text: &str) -> ModuleId {
    let tag: StructTag = format!("{text}::X").parse().unwrap();
    ModuleId::new(*tag.address(), tag.module().clone())
}
