//! Arbitrary bytes as a compiled module: an error or a module, never a panic, in bounded time.
#![no_main]

use daas_move_vm::CompiledModule;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = CompiledModule::parse(bytes);
});
