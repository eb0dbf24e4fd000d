//! Becomes another program that dies with its parent; see `daas_supervise::launch`.

use std::process::ExitCode;

fn main() -> ExitCode {
    daas_supervise::launch::main(std::env::args_os().skip(1))
}
