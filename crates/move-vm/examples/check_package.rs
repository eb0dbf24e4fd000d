//! Says whether the compiled modules named on the command line could be published on the development chain.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::sync::Arc;

use daas_move_vm::{CompiledModule, ModuleId, ModuleSource, check_publishable};
use sui_sdk_types::Address;

struct Nothing;

impl ModuleSource for Nothing {
    fn module(&self, _id: &ModuleId) -> Option<Arc<CompiledModule>> {
        None
    }
}

fn main() {
    let package = Address::new([0xda; 32]);
    let modules: Vec<_> = std::env::args()
        .skip(1)
        .map(|path| Arc::new(CompiledModule::with_self_address(&std::fs::read(path).unwrap(), package).unwrap().0))
        .collect();
    match check_publishable(&modules, &Nothing) {
        Ok(()) => println!("{} modules can be published", modules.len()),
        Err(error) => println!("{error}"),
    }
}
