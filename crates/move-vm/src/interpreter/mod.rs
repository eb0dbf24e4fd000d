//! The interpreter: frames, calls and the bounds of a transaction.

mod borrow;
mod data;
mod frame;
mod operands;
mod resolve;
mod step;

use std::{collections::HashMap, rc::Rc};

use smallvec::SmallVec;
use sui_sdk_types::Identifier;

pub(crate) use frame::{Call, Function, Native, NativeResult, SlotCell, Stop};

use crate::{
    Ability, AttestationVerifier, ChildSource, ExecutionError, Fault, Limits, Location, ModuleId, ModuleSource,
    TxContext,
    object_runtime::ObjectRuntime,
    types::{Type, TypeId, Types, fixed},
    value::Repr,
};
use frame::{Frame, LocalCell};

/// Functions that a usual transaction runs: room for them is made at once.
const FEW: usize = 64;

/// Everything that one transaction's execution owns.
pub(crate) struct Machine<'a> {
    pub(crate) types: Types<'a>,
    pub(crate) children: &'a dyn ChildSource,
    pub(crate) verifier: Option<&'a dyn AttestationVerifier>,
    pub(crate) limits: Limits,
    pub(crate) objects: ObjectRuntime,
    pub(crate) steps: u64,
    pub(crate) value_bytes: u64,
    pub(crate) slots: Vec<SlotCell>,
    /// Number of the top-level call; references to slots hold it.
    pub(crate) call_number: u32,
    functions: Vec<Rc<Function>>,
    functions_by_key: HashMap<(u32, u16, Rc<[TypeId]>), u32>,
    /// By module and function handle: the function without type arguments, `UNRESOLVED` before its first call.
    functions_by_handle: Vec<Vec<u32>>,
    /// What the instructions of each function resolved to, one function after another: a type or a function.
    resolved: Vec<u32>,
    no_arguments: Rc<[TypeId]>,
    frames: Vec<Frame>,
    locals: Vec<LocalCell>,
    stack: Vec<Repr>,
    activation: u32,
    pc: usize,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(
        source: &'a dyn ModuleSource,
        children: &'a dyn ChildSource,
        context: TxContext,
        limits: Limits,
    ) -> Self {
        Self {
            types: Types::new(source, &limits),
            children,
            verifier: None,
            objects: ObjectRuntime::new(context),
            steps: 0,
            value_bytes: 0,
            slots: Vec::new(),
            call_number: 0,
            functions: Vec::with_capacity(FEW),
            functions_by_key: HashMap::with_capacity(FEW),
            functions_by_handle: Vec::new(),
            resolved: Vec::with_capacity(FEW * FEW),
            no_arguments: Rc::from([]),
            frames: Vec::new(),
            locals: Vec::new(),
            stack: Vec::new(),
            activation: 0,
            pc: 0,
            limits,
        }
    }

    /// Finds a function by name and applies type arguments.
    pub(crate) fn function(
        &mut self,
        module: &ModuleId,
        name: &Identifier,
        arguments: Rc<[TypeId]>,
    ) -> Result<Rc<Function>, Fault> {
        let index = self.types.module_index(module)?;
        let definition = self
            .types
            .module(index)
            .function_index(name)
            .ok_or_else(|| Fault::Missing(format!("function {module}::{name}")))?;
        let number = self.instantiate(index, definition, arguments)?;
        Ok(Rc::clone(&self.functions[number as usize]))
    }

    /// Runs a function to its end.
    pub(crate) fn run(&mut self, function: &Rc<Function>, arguments: Vec<Repr>) -> Result<Vec<Repr>, ExecutionError> {
        if arguments.len() != function.parameters.len() {
            return Err(Fault::Arity.into());
        }
        self.call_number += 1;
        self.objects.entry_module = Some(function.compiled.id().clone());
        self.stack.extend(arguments);
        let result = self.enter(function, None).and_then(|()| self.interpret());
        if let Err(stop) = result {
            let location = stop.at.or_else(|| self.location());
            self.frames.clear();
            self.locals.clear();
            self.stack.clear();
            return Err(ExecutionError { fault: stop.fault, location });
        }
        let results = std::mem::take(&mut self.stack);
        self.call_number += 1;
        Ok(results)
    }

    fn location(&self) -> Option<Box<Location>> {
        let frame = self.frames.last()?;
        let function = &frame.function;
        Some(Box::new(Location {
            module: function.compiled.id().clone(),
            function_index: function.definition,
            function: function.compiled.function_name(function.definition).clone(),
            instruction: self.pc as u16,
        }))
    }

    /// Uses up steps.
    pub(crate) fn spend(&mut self, steps: u64) -> Result<(), Fault> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > self.limits.steps { Err(Fault::OutOfSteps) } else { Ok(()) }
    }

    /// Accounts for new values, `weight` nodes of them.
    pub(crate) fn allocate(&mut self, weight: u64) -> Result<(), Fault> {
        self.value_bytes = self.value_bytes.saturating_add(weight.saturating_mul(size_of::<Repr>() as u64));
        if self.value_bytes > self.limits.value_bytes {
            return Err(Fault::Limit("memory of values"));
        }
        self.spend(weight / 4)
    }

    /// A copy of a value whose type has `copy`.
    pub(crate) fn copy(&mut self, value: &Repr) -> Result<Repr, Fault> {
        if !self.has(value, Ability::Copy) {
            return Err(Fault::Unverified("copy of a value without the ability"));
        }
        self.allocate(value.weight())?;
        Ok(value.clone())
    }

    /// Lets go of a value whose type has `drop`.
    pub(crate) fn discard(&self, value: &Repr) -> Result<(), Fault> {
        if self.has(value, Ability::Drop) {
            Ok(())
        } else {
            Err(Fault::Unverified("drop of a value without the ability"))
        }
    }

    pub(crate) fn has(&self, value: &Repr, ability: Ability) -> bool {
        match value {
            Repr::Vector(type_, _) | Repr::Struct(type_, ..) => self.types.abilities(*type_).has(ability),
            _ => matches!(ability, Ability::Copy | Ability::Drop),
        }
    }

    /// The type of a value that is not a reference (for a reference, of its referent).
    pub(crate) fn type_of(value: &Repr) -> TypeId {
        match value {
            Repr::Bool(_) => fixed::BOOL,
            Repr::U8(_) => fixed::U8,
            Repr::U16(_) => fixed::U16,
            Repr::U32(_) => fixed::U32,
            Repr::U64(_) => fixed::U64,
            Repr::U128(_) => fixed::U128,
            Repr::U256(_) => fixed::U256,
            Repr::Address(_) => fixed::ADDRESS,
            Repr::Bytes(_) => fixed::BYTES,
            Repr::Vector(type_, _) | Repr::Struct(type_, ..) => *type_,
            Repr::Reference(reference) => reference.type_,
        }
    }

    /// Whether a value is of a type. A mutable reference also fits where an immutable one is expected.
    pub(crate) fn fits(&self, value: &Repr, expected: TypeId) -> bool {
        if let Repr::Reference(reference) = value {
            match self.types.get(expected) {
                Type::Reference(inner) => *inner == reference.type_,
                Type::MutableReference(inner) => *inner == reference.type_ && reference.mutable,
                _ => false,
            }
        } else {
            Self::type_of(value) == expected
        }
    }

    /// Calls a function whose arguments lie on the stack; framework functions finish here, others get a frame.
    fn enter(&mut self, function: &Rc<Function>, caller: Option<u32>) -> Result<(), Stop> {
        let count = function.parameters.len();
        let base = self.frames.last().map_or(0, |f| f.stack_base);
        let Some(first) = self.stack.len().checked_sub(count).filter(|first| *first >= base) else {
            return Err(Fault::Unverified("operand stack underflow").into());
        };
        for (value, expected) in self.stack[first..].iter().zip(&function.parameters) {
            if !self.fits(value, *expected) {
                return Err(Fault::Unverified("argument is not of the parameter's type").into());
            }
        }
        if let Some(native) = function.native {
            let arguments: SmallVec<[Repr; 4]> = self.stack.drain(first..).collect();
            self.spend(10)?;
            let results = native(&mut Call { machine: self, function, caller, arguments }).map_err(|mut stop| {
                let own = || Location {
                    module: function.compiled.id().clone(),
                    function_index: function.definition,
                    function: function.compiled.function_name(function.definition).clone(),
                    instruction: 0,
                };
                stop.at.get_or_insert_with(|| Box::new(own()));
                stop
            })?;
            if results.len() != function.returns.len()
                || !results.iter().zip(&function.returns).all(|(v, t)| self.fits(v, *t))
            {
                return Err(Fault::Unverified("framework function broke its signature").into());
            }
            self.stack.extend(results);
            return Ok(());
        }
        if function.code().is_none() {
            return Err(Fault::MissingFramework(function.name()).into());
        }
        if self.frames.len() >= self.limits.call_depth {
            return Err(Fault::Limit("call depth").into());
        }
        self.activation = self.activation.checked_add(1).ok_or(Fault::OutOfSteps)?;
        let locals_base = self.locals.len();
        let activation = self.activation;
        self.locals.extend(self.stack.drain(first..).map(|v| LocalCell { activation, value: Some(v) }));
        let empty = function.locals.len() - count;
        self.locals.extend((0..empty).map(|_| LocalCell { activation, value: None }));
        if let Some(frame) = self.frames.last_mut() {
            frame.pc = self.pc + 1;
        }
        self.pc = 0;
        self.frames.push(Frame {
            function: Rc::clone(function),
            pc: 0,
            locals_base,
            activation,
            stack_base: self.stack.len(),
        });
        Ok(())
    }
}
