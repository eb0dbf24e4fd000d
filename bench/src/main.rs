//! Measures what the project promises and prints each figure beside its goal or a peer measured in the same run.
//!
//! `cargo run --release -p daas-bench [NAME]...` runs all benchmarks, or those whose name contains a NAME.
#![allow(clippy::print_stdout)] // figures are this program's output

mod chain;
mod cpu;
mod eif;
mod latencies;
mod registry;
mod scene;
mod seal_token;
mod token_review;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    // The registry first: it measures memory, and memory that others freed would count as its own.
    let benchmarks: [(&str, fn()); 5] = [
        ("registry", registry::run),
        ("seal-token", seal_token::run),
        ("token-review", token_review::run),
        ("chain", chain::run),
        ("eif", eif::run),
    ];
    for (name, run) in benchmarks {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            println!("{name}");
            run();
        }
    }
}
