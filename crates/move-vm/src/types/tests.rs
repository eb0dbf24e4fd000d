use sui_sdk_types::TypeTag;

use super::*;
use crate::framework::declared;

struct Declared(Vec<Arc<CompiledModule>>);

impl ModuleSource for Declared {
    fn module(&self, id: &ModuleId) -> Option<Arc<CompiledModule>> {
        self.0.iter().find(|m| m.id() == id).cloned()
    }
}

fn interned(declaration: &str, tag: &str) -> Result<AbilitySet, Fault> {
    let text = format!("module 0x99::m\n{declaration}\n");
    let source = Declared(declared(&text).into_iter().map(Arc::new).collect());
    let mut types = Types::new(&source, &Limits::default());
    let id = types.resolve(&tag.parse().unwrap())?;
    Ok(types.abilities(id))
}

#[test]
fn a_phantom_parameter_that_is_stored_gives_no_abilities() {
    let coin = "0x99::m::Wrap<0x2::coin::Coin<0x2::sui::SUI>>";
    assert_eq!(interned("struct Wrap cds !- value:T0", coin), Ok(AbilitySet(Ability::Store as u8)));
    assert_eq!(interned("struct Wrap cds !- value:u64", coin), Ok(PRIMITIVE));
}

#[test]
fn an_object_begins_with_a_uid() {
    let bad = interned(
        "struct Id s . bytes:address\nstruct Uid s . id:0x99::m::Id\nstruct O k . id:0x99::m::Uid",
        "0x99::m::O",
    );
    assert_eq!(bad, Err(Fault::Unverified("type with key does not begin with a UID")));
    assert_eq!(interned("struct O k . id:0x2::object::UID", "0x99::m::O"), Ok(AbilitySet(Ability::Key as u8)));
}

#[test]
fn types_without_end_are_refused() {
    let recursive = interned("struct A cd . a:vector<0x99::m::A>", "0x99::m::A");
    assert_eq!(recursive, Err(Fault::Unverified("type contains itself")));
    let growing = interned("struct G cd - a:vector<0x99::m::G<vector<T0>>>", "0x99::m::G<u8>");
    assert!(matches!(growing, Err(Fault::Limit(_))), "{growing:?}");
    let exploding = "struct G cd -,- a:0x99::m::G<0x99::m::G<T0,T1>,0x99::m::G<T1,T0>>";
    assert!(interned(exploding, "0x99::m::G<u8,u16>").is_err());
}

#[test]
fn tags_survive_interning() {
    let source = Declared(Vec::new());
    let mut types = Types::new(&source, &Limits::default());
    for text in ["u256", "vector<vector<bool>>", "0x2::table::Table<address, 0x1::option::Option<0x2::object::ID>>"] {
        let tag: TypeTag = text.parse().unwrap();
        let id = types.resolve(&tag).unwrap();
        assert_eq!(types.tag(id), Ok(tag));
    }
}
