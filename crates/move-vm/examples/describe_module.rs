//! Prints what a compiled module declares, in the format of `src/framework/declarations.txt`; with `--code`, its code.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use daas_move_vm::{Ability, AbilitySet, CompiledModule, TypeSignature, Visibility};

fn main() {
    let code = std::env::args().any(|a| a == "--code");
    for path in std::env::args().skip(1).filter(|a| !a.starts_with("--")) {
        let module = match CompiledModule::parse(&std::fs::read(&path).unwrap()) {
            Ok(module) => module,
            Err(error) => {
                println!("# {path}: {error}");
                continue;
            }
        };
        println!("module {}", module.id());
        if code {
            println!("{}", module.listing());
            continue;
        }
        for item in module.structs() {
            let parameters = item
                .type_parameters
                .iter()
                .map(|p| format!("{}{}", if p.phantom { "!" } else { "" }, letters(p.constraints)));
            let fields = item.fields.iter().fold(String::new(), |out, f| out + " " + &f.name + ":" + &text(&f.type_));
            let kind = if item.variants.is_some() { "enum" } else { "struct" };
            println!("{kind} {} {} {}{}", item.name, letters(item.abilities), list(parameters), fields);
        }
        for function in module.functions() {
            let visibility = match function.visibility {
                Visibility::Private => "private",
                Visibility::Friend => "friend",
                Visibility::Public => "public",
            };
            let entry = if function.is_entry { "+entry" } else { "" };
            let types = |list: &[TypeSignature]| list.iter().fold(String::new(), |out, t| out + " " + &text(t));
            println!(
                "fun {} {visibility}{entry} {}{} ->{}",
                function.name,
                list(function.type_parameters.iter().map(|p| letters(p.constraints))),
                types(&function.parameters),
                types(&function.returns),
            );
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    if items.is_empty() { ".".to_owned() } else { items.join(",") }
}

fn letters(set: AbilitySet) -> String {
    let all = [(Ability::Copy, 'c'), (Ability::Drop, 'd'), (Ability::Store, 's'), (Ability::Key, 'k')];
    let text: String = all.iter().filter(|a| set.has(a.0)).map(|a| a.1).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}

fn text(type_: &TypeSignature) -> String {
    match type_ {
        TypeSignature::Vector(element) => format!("vector<{}>", text(element)),
        TypeSignature::Reference(inner) => format!("&{}", text(inner)),
        TypeSignature::MutableReference(inner) => format!("&!{}", text(inner)),
        TypeSignature::Parameter(index) => format!("T{index}"),
        TypeSignature::Datatype(module, name, arguments) if arguments.is_empty() => format!("{module}::{name}"),
        TypeSignature::Datatype(module, name, arguments) => {
            format!("{module}::{name}<{}>", arguments.iter().map(text).collect::<Vec<_>>().join(","))
        }
        plain => format!("{plain:?}").to_lowercase(),
    }
}
