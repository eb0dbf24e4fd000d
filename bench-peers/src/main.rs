//! Benchmarks beside peers that are heavy to build: `cargo run --release -p daas-bench-peers`.
#![allow(clippy::print_stdout, reason = "figures are this program's output")]
#![allow(clippy::expect_used, reason = "a benchmark of what fails means nothing")]

mod contest;
mod documents;
mod libraries;

fn main() {
    documents::run();
    libraries::run();
}
