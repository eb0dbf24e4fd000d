//! Measures what the project promises and prints each figure beside its goal or a peer measured in the same run.
//!
//! `cargo run --release -p daas-bench [NAME]...` runs all benchmarks, or those whose name contains a NAME.
#![allow(clippy::print_stdout)] // figures are this program's output

mod latencies;
mod seal_token;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let benchmarks: [(&str, fn()); 1] = [("seal-token", seal_token::run)];
    for (name, run) in benchmarks {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            println!("{name}");
            run();
        }
    }
}
