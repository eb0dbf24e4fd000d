//! Values made of others: structs, enums and vectors.

use std::rc::Rc;

use super::{Machine, step::Site};
use crate::{
    Ability, Fault,
    object_runtime::object_id,
    types::{TypeId, fixed},
    value::{Reference, Repr},
};

impl Machine<'_> {
    /// Deep equality; comparing drops both values. References compare their referents.
    pub(crate) fn equal(&mut self, left: &Repr, right: &Repr) -> Result<bool, Fault> {
        if Self::type_of(left) != Self::type_of(right) {
            return Err(Fault::Unverified("comparison of two types"));
        }
        if let (Repr::Reference(a), Repr::Reference(b)) = (left, right) {
            if a.type_ == fixed::U8 {
                return Ok(self.read(a)? == self.read(b)?);
            }
            let (a, b) = (self.referent(a)?, self.referent(b)?);
            let (weight, equal) = (a.weight(), a == b);
            self.spend(weight / 4)?;
            return Ok(equal);
        }
        self.discard(left)?;
        self.discard(right)?;
        self.spend(left.weight() / 4)?;
        Ok(left == right)
    }

    /// A vector of values that are all of its element type.
    pub(crate) fn make_vector(&self, vector: TypeId, values: Vec<Repr>) -> Result<Repr, Fault> {
        let element = self.types.element(vector)?;
        if values.iter().any(|v| matches!(v, Repr::Reference(_)) || Self::type_of(v) != element) {
            return Err(Fault::Unverified("element of another type"));
        }
        if vector == fixed::BYTES {
            let byte = |v: &Repr| if let Repr::U8(byte) = v { *byte } else { 0 };
            return Ok(Repr::Bytes(values.iter().map(byte).collect()));
        }
        Ok(Repr::Vector(vector, values))
    }

    /// Appends to the vector referred to.
    pub(crate) fn push_back(&mut self, vector: &Reference, value: Repr) -> Result<(), Fault> {
        let element = self.types.element(vector.type_)?;
        if matches!(value, Repr::Reference(_)) || Self::type_of(&value) != element {
            return Err(Fault::Unverified("element of another type"));
        }
        self.allocate(1)?;
        match (self.referent_mut(vector)?, value) {
            (Repr::Bytes(bytes), Repr::U8(byte)) => bytes.push(byte),
            (Repr::Vector(_, items), value) => items.push(value),
            _ => return Err(Fault::Unverified("not a vector")),
        }
        Ok(())
    }

    /// Exchanges two elements of the vector referred to.
    pub(crate) fn swap(&mut self, vector: &Reference, left: u64, right: u64) -> Result<(), Fault> {
        let length = self.length(vector)? as u64;
        if left >= length || right >= length {
            return Err(Fault::Vector(1));
        }
        match self.referent_mut(vector)? {
            Repr::Bytes(bytes) => bytes.swap(left as usize, right as usize),
            Repr::Vector(_, items) => items.swap(left as usize, right as usize),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn pack(&mut self, site: &Site<'_>, type_: TypeId, variant: u16) -> Result<(), Fault> {
        let layout = Rc::clone(self.types.layout(type_)?);
        let fields = layout.variants.get(usize::from(variant)).ok_or(Fault::Unverified("no such variant"))?;
        let values = self.pop_many(site, fields.len())?;
        let fit = values.iter().zip(fields).all(|(v, t)| !matches!(v, Repr::Reference(_)) && Self::type_of(v) == *t);
        if !fit {
            return Err(Fault::Unverified("field of another type"));
        }
        let object = Repr::Struct(type_, variant, values.into());
        // The id of an object is its own for good (`id_leak_verifier.rs`): only a new one may be packed.
        if self.type_has(type_, Ability::Key) && !object_id(&object).is_some_and(|id| self.objects.is_created(&id)) {
            return Err(Fault::Unverified("object packed with the UID of another one"));
        }
        self.push(object)
    }

    pub(super) fn unpack(&mut self, site: &Site<'_>, type_: TypeId, variant: u16) -> Result<(), Fault> {
        match self.pop(site)? {
            Repr::Struct(actual, tag, fields) if actual == type_ => {
                if tag != variant {
                    return Err(Fault::VariantMismatch);
                }
                for field in fields {
                    self.push(field)?;
                }
                Ok(())
            }
            _ => Err(Fault::Unverified("unpack of another type")),
        }
    }

    pub(super) fn unpack_reference(
        &mut self,
        site: &Site<'_>,
        type_: TypeId,
        variant: u16,
        mutable: bool,
    ) -> Result<(), Fault> {
        let reference = self.pop_reference(site)?;
        if reference.type_ != type_ || (mutable && !reference.mutable) {
            return Err(Fault::Unverified("unpack of another type"));
        }
        match self.referent(&reference)? {
            Repr::Struct(_, tag, _) if *tag == variant => {}
            _ => return Err(Fault::VariantMismatch),
        }
        let layout = Rc::clone(self.types.layout(type_)?);
        for (number, field) in layout.variants[usize::from(variant)].iter().enumerate() {
            self.push_reference(reference.part(number as u32, *field, mutable))?;
        }
        Ok(())
    }

    pub(super) fn borrow_field(
        &mut self,
        site: &Site<'_>,
        owner: TypeId,
        number: u16,
        mutable: bool,
    ) -> Result<(), Fault> {
        let mut reference = self.pop_reference(site)?;
        if reference.type_ != owner || (mutable && !reference.mutable) {
            return Err(Fault::Unverified("borrow of a field of another type"));
        }
        reference.type_ = self.types.field(owner, usize::from(number))?;
        reference.mutable = mutable;
        reference.path.push(u32::from(number));
        self.push(Repr::Reference(reference))
    }

    /// Whether a type could be dropped; used where the interpreter itself lets go of parts.
    pub(crate) fn type_has(&self, type_: TypeId, ability: Ability) -> bool {
        self.types.abilities(type_).has(ability)
    }
}
