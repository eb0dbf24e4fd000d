//! Becomes another program that dies with its parent; see `daas_control_plane::supervise::launch`.

use std::process::ExitCode;

fn main() -> ExitCode {
    daas_control_plane::supervise::launch::main(std::env::args_os().skip(1))
}
