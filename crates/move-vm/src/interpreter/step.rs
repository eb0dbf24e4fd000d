//! The instructions.

use std::{cmp::Ordering, rc::Rc};

use smallvec::SmallVec;

use super::{Function, Machine, Stop};
use crate::{
    Fault,
    codec::decode_constant,
    format::{Code, Instruction as I},
    types::Type,
    value::{Reference, Repr, Root, number},
};

/// What comes after an instruction.
enum Next {
    Step,
    Jump(u16),
    Call,
    Return,
}

impl Machine<'_> {
    /// Runs until the outermost frame returns.
    pub(super) fn interpret(&mut self) -> Result<(), Stop> {
        while let Some(frame) = self.frames.last() {
            let function = Rc::clone(&frame.function);
            let (base, locals, activation) = (frame.stack_base, frame.locals_base, frame.activation);
            let Some(code) = function.code() else { return Err(Fault::Unverified("function without code").into()) };
            loop {
                let Some(instruction) = code.instructions.get(self.pc) else {
                    return Err(Fault::Unverified("ran past the end of a function").into());
                };
                self.spend(1)?;
                let site = Site { function: &function, code, base, locals, activation };
                match self.step(instruction, &site)? {
                    Next::Step => self.pc += 1,
                    Next::Jump(target) => self.pc = usize::from(target),
                    Next::Call => break,
                    Next::Return => {
                        self.leave(&site)?;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Ends the frame: results are checked, leftover locals must have `drop`.
    fn leave(&mut self, site: &Site<'_>) -> Result<(), Fault> {
        let returns = &site.function.returns;
        if self.stack.len() != site.base + returns.len() {
            return Err(Fault::Unverified("operand stack does not hold just the results"));
        }
        for (value, expected) in self.stack[site.base..].iter().zip(returns) {
            if !self.fits(value, *expected) {
                return Err(Fault::Unverified("result is not of its type"));
            }
        }
        for cell in &self.locals[site.locals..] {
            if let Some(value) = &cell.value {
                self.discard(value)?;
            }
        }
        self.locals.truncate(site.locals);
        self.frames.pop();
        if let Some(frame) = self.frames.last() {
            self.pc = frame.pc;
        }
        Ok(())
    }

    #[expect(clippy::too_many_lines, reason = "one arm an instruction")]
    fn step(&mut self, instruction: &I, site: &Site<'_>) -> Result<Next, Stop> {
        match instruction {
            I::Nop => {}
            I::Pop => {
                let value = self.pop(site)?;
                self.discard(&value)?;
            }
            I::Ret => return Ok(Next::Return),
            I::Branch(target) => return Ok(Next::Jump(*target)),
            I::BranchTrue(target) => {
                if self.pop_bool(site)? {
                    return Ok(Next::Jump(*target));
                }
            }
            I::BranchFalse(target) => {
                if !self.pop_bool(site)? {
                    return Ok(Next::Jump(*target));
                }
            }
            I::LoadBool(value) => self.push(Repr::Bool(*value))?,
            I::LoadU8(value) => self.push(Repr::U8(*value))?,
            I::LoadU16(value) => self.push(Repr::U16(*value))?,
            I::LoadU32(value) => self.push(Repr::U32(*value))?,
            I::LoadU64(value) => self.push(Repr::U64(*value))?,
            I::LoadU128(value) => self.push(Repr::U128(**value))?,
            I::LoadU256(value) => self.push(Repr::U256(Box::new(number::from_bytes(value.digits()))))?,
            I::LoadConstant(index) => {
                let compiled = Rc::clone(site.function);
                let (type_, bytes) = &compiled.compiled.tables().constants[usize::from(*index)];
                let type_ = self.cached_type(site, |m, f| m.types.instantiate(f.module, type_, &[]))?;
                let value = decode_constant(self, type_, bytes)?;
                self.push(value)?;
            }
            I::CopyLocal(local) => {
                let index = site.locals + usize::from(*local);
                let Some(value) = self.locals[index].value.take() else { return Err(EMPTY.into()) };
                let copy = self.copy(&value);
                self.locals[index].value = Some(value);
                self.push(copy?)?;
            }
            I::MoveLocal(local) => {
                let cell = &mut self.locals[site.locals + usize::from(*local)];
                let value = cell.value.take().ok_or(EMPTY)?;
                self.push(value)?;
            }
            I::StoreLocal(local) => {
                let value = self.pop(site)?;
                if !self.fits(&value, site.function.locals[usize::from(*local)]) {
                    return Err(Fault::Unverified("store of another type").into());
                }
                let index = site.locals + usize::from(*local);
                if let Some(old) = &self.locals[index].value {
                    self.discard(old)?;
                }
                self.locals[index].value = Some(value);
            }
            I::BorrowLocal { local, mutable } => {
                let index = site.locals + usize::from(*local);
                let type_ = match &self.locals[index].value {
                    Some(Repr::Reference(_)) => return Err(Fault::Unverified("reference to a reference").into()),
                    Some(value) => Self::type_of(value),
                    None => return Err(EMPTY.into()),
                };
                let root = Root::Local { index: index as u32, activation: site.activation };
                self.push_reference(Reference { root, mutable: *mutable, type_, path: SmallVec::new() })?;
            }
            I::BorrowField { field, mutable } => {
                let (definition, number) = site.tables().field_handles[usize::from(*field)];
                let owner = self.cached_type(site, |m, f| m.own_type(f, definition, None))?;
                self.borrow_field(site, owner, number, *mutable)?;
            }
            I::BorrowFieldGeneric { field, mutable } => {
                let (handle, arguments) = site.tables().field_instances[usize::from(*field)];
                let (definition, number) = site.tables().field_handles[usize::from(handle)];
                let owner = self.cached_type(site, |m, f| m.own_type(f, definition, Some(arguments)))?;
                self.borrow_field(site, owner, number, *mutable)?;
            }
            I::Call(handle) => {
                let function = self.cached_function(site, *handle, None)?;
                return self.call(site, &function);
            }
            I::CallGeneric(instance) => {
                let (handle, arguments) = site.tables().function_instances[usize::from(*instance)];
                let function = self.cached_function(site, handle, Some(arguments))?;
                return self.call(site, &function);
            }
            I::Pack(definition) => {
                let type_ = self.cached_type(site, |m, f| m.own_type(f, *definition, None))?;
                self.pack(site, type_, 0)?;
            }
            I::PackGeneric(instance) => {
                let instance = site.tables().struct_instances[usize::from(*instance)];
                let type_ =
                    self.cached_type(site, |m, f| m.own_type(f, instance.definition, Some(instance.arguments)))?;
                self.pack(site, type_, 0)?;
            }
            I::Unpack(definition) => {
                let type_ = self.cached_type(site, |m, f| m.own_type(f, *definition, None))?;
                self.unpack(site, type_, 0)?;
            }
            I::UnpackGeneric(instance) => {
                let instance = site.tables().struct_instances[usize::from(*instance)];
                let type_ =
                    self.cached_type(site, |m, f| m.own_type(f, instance.definition, Some(instance.arguments)))?;
                self.unpack(site, type_, 0)?;
            }
            I::PackVariant(handle) | I::UnpackVariant(handle) => {
                let (definition, variant) = site.tables().variant_handles[usize::from(*handle)];
                let type_ = self.cached_type(site, |m, f| m.own_type(f, definition, None))?;
                if matches!(instruction, I::PackVariant(_)) {
                    self.pack(site, type_, variant)?;
                } else {
                    self.unpack(site, type_, variant)?;
                }
            }
            I::PackVariantGeneric(handle) | I::UnpackVariantGeneric(handle) => {
                let (type_, variant) = self.variant_instance(site, *handle)?;
                if matches!(instruction, I::PackVariantGeneric(_)) {
                    self.pack(site, type_, variant)?;
                } else {
                    self.unpack(site, type_, variant)?;
                }
            }
            I::UnpackVariantReference { variant: handle, mutable } => {
                let (definition, variant) = site.tables().variant_handles[usize::from(*handle)];
                let type_ = self.cached_type(site, |m, f| m.own_type(f, definition, None))?;
                self.unpack_reference(site, type_, variant, *mutable)?;
            }
            I::UnpackVariantReferenceGeneric { variant: handle, mutable } => {
                let (type_, variant) = self.variant_instance(site, *handle)?;
                self.unpack_reference(site, type_, variant, *mutable)?;
            }
            I::VariantSwitch(table) => {
                let table = &site.code.jump_tables[usize::from(*table)];
                let reference = self.pop_reference(site)?;
                let value = self.referent(&reference)?;
                let Repr::Struct(type_, variant, _) = value else {
                    return Err(Fault::Unverified("switch on a value that is no enum").into());
                };
                let right = matches!(self.types.get(*type_), Type::Datatype { module, definition, .. }
                    if *module == site.function.module && *definition == table.head);
                let target = table.targets.get(usize::from(*variant));
                let (true, Some(target)) = (right, target) else {
                    return Err(Fault::Unverified("switch on another enum").into());
                };
                return Ok(Next::Jump(*target));
            }
            I::ReadReference => {
                let reference = self.pop_reference(site)?;
                let value = self.read(&reference)?;
                self.push(value)?;
            }
            I::WriteReference => {
                let reference = self.pop_reference(site)?;
                let value = self.pop(site)?;
                self.write(&reference, value)?;
            }
            I::FreezeReference => {
                let mut reference = self.pop_reference(site)?;
                reference.mutable = false;
                self.push(Repr::Reference(reference))?;
            }
            I::Add | I::Subtract | I::Multiply | I::Modulo | I::Divide | I::BitOr | I::BitAnd | I::BitXor => {
                let right = self.pop(site)?;
                let left = self.pop(site)?;
                self.push(number::arithmetic(instruction, left, right)?)?;
            }
            I::ShiftLeft | I::ShiftRight => {
                let by = self.pop(site)?;
                let value = self.pop(site)?;
                self.push(number::shift(matches!(instruction, I::ShiftLeft), value, &by)?)?;
            }
            I::Less | I::Greater | I::LessOrEqual | I::GreaterOrEqual => {
                let right = self.pop(site)?;
                let left = self.pop(site)?;
                let order = number::compare(&left, &right)?;
                self.push(Repr::Bool(match instruction {
                    I::Less => order == Ordering::Less,
                    I::Greater => order == Ordering::Greater,
                    I::LessOrEqual => order != Ordering::Greater,
                    _ => order != Ordering::Less,
                }))?;
            }
            I::Or | I::And => {
                let right = self.pop_bool(site)?;
                let left = self.pop_bool(site)?;
                self.push(Repr::Bool(if matches!(instruction, I::Or) { left | right } else { left & right }))?;
            }
            I::Not => {
                let value = self.pop_bool(site)?;
                self.push(Repr::Bool(!value))?;
            }
            I::Equal | I::NotEqual => {
                let right = self.pop(site)?;
                let left = self.pop(site)?;
                let equal = self.equal(&left, &right)?;
                self.push(Repr::Bool(equal == matches!(instruction, I::Equal)))?;
            }
            I::CastU8 | I::CastU16 | I::CastU32 | I::CastU64 | I::CastU128 | I::CastU256 => {
                let value = self.pop(site)?;
                self.push(number::cast(instruction, &value)?)?;
            }
            I::Abort => {
                let Repr::U64(code) = self.pop(site)? else {
                    return Err(Fault::Unverified("abort code is not a u64").into());
                };
                return Err(Fault::Abort(code).into());
            }
            I::VectorPack(signature, count) => {
                let vector = self.cached_vector(site, *signature)?;
                let values = self.pop_many(site, *count as usize)?;
                let value = self.make_vector(vector, values)?;
                self.push(value)?;
            }
            I::VectorLength(signature) => {
                let vector = self.cached_vector(site, *signature)?;
                let reference = self.pop_vector(site, vector, false)?;
                let length = self.length(&reference)? as u64;
                self.push(Repr::U64(length))?;
            }
            I::VectorBorrow { element: signature, mutable } => {
                let vector = self.cached_vector(site, *signature)?;
                let index = self.pop_u64(site)?;
                let reference = self.pop_vector(site, vector, *mutable)?;
                let element = self.types.element(vector)?;
                let reference = self.element(&reference, index, element, *mutable)?;
                self.push_reference(reference)?;
            }
            I::VectorPushBack(signature) => {
                let vector = self.cached_vector(site, *signature)?;
                let value = self.pop(site)?;
                let reference = self.pop_vector(site, vector, true)?;
                self.push_back(&reference, value)?;
            }
            I::VectorPopBack(signature) => {
                let vector = self.cached_vector(site, *signature)?;
                let reference = self.pop_vector(site, vector, true)?;
                let popped = match self.referent_mut(&reference)? {
                    Repr::Bytes(bytes) => bytes.pop().map(Repr::U8),
                    Repr::Vector(_, items) => items.pop(),
                    _ => None,
                };
                self.push(popped.ok_or(Fault::Vector(2))?)?;
            }
            I::VectorUnpack(signature, count) => {
                let vector = self.cached_vector(site, *signature)?;
                let value = self.pop(site)?;
                if !self.fits(&value, vector) {
                    return Err(Fault::Unverified("unpack of another vector").into());
                }
                let items: Vec<Repr> = match value {
                    Repr::Bytes(bytes) => bytes.into_iter().map(Repr::U8).collect(),
                    Repr::Vector(_, items) => items,
                    _ => Vec::new(),
                };
                if items.len() as u64 != *count {
                    return Err(Fault::Vector(3).into());
                }
                for item in items {
                    self.push(item)?;
                }
            }
            I::VectorSwap(signature) => {
                let vector = self.cached_vector(site, *signature)?;
                let right = self.pop_u64(site)?;
                let left = self.pop_u64(site)?;
                let reference = self.pop_vector(site, vector, true)?;
                self.swap(&reference, left, right)?;
            }
        }
        Ok(Next::Step)
    }

    fn call(&mut self, site: &Site<'_>, function: &Rc<Function>) -> Result<Next, Stop> {
        self.enter(function, Some(site.function.module))?;
        Ok(if function.native.is_some() { Next::Step } else { Next::Call })
    }
}

const EMPTY: Fault = Fault::Unverified("use of an empty local");

/// The frame that an instruction runs in.
pub(super) struct Site<'a> {
    pub(super) function: &'a Rc<Function>,
    pub(super) code: &'a Code,
    pub(super) base: usize,
    pub(super) locals: usize,
    pub(super) activation: u32,
}

impl Site<'_> {
    pub(super) fn tables(&self) -> &crate::format::Tables {
        self.function.compiled.tables()
    }
}
