//! All cases, one after the other.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::Options;
use crate::cases::{self, Case};
use crate::compare::compare;
use crate::judge::{Judge, Judges};
use crate::report::{self, Judged};
use crate::sequences;
use crate::stage::{OPERATOR, Stage};
use crate::world::World;

/// Whether every case passed and the table is up to date.
pub(crate) fn run(options: &Options) -> io::Result<bool> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let judges = Judges { python: &options.python, home };
    let world = World::with_package(package(&home.join("../move/bytecode/package.json"))?, OPERATOR);
    let mut judge = judges.start(&world)?;

    let cases = cases::all();
    let chosen: Vec<&Case> =
        cases.iter().filter(|case| case.module.contains(&options.only) || case.name.contains(&options.only)).collect();
    let mut failed = 0;
    let mut results = Vec::with_capacity(chosen.len());
    for case in &chosen {
        let (differences, unseen_fields) = verdict(case, &world, &mut judge)?;
        results.push(Judged { case, unseen_fields });
        if !differences.is_empty() {
            failed += 1;
            println!("FAILED {}: {}", case.module, case.name);
            for difference in differences {
                println!("  {difference}");
            }
        }
    }
    let (steps, differing) = sequences::compare_all(&world, &judges, options.sequences)?;
    let passed = chosen.len() - failed;
    println!("oracle: {passed} passed, {failed} failed; {steps} steps of random sequences, {differing} differ");
    let page_holds =
        !options.only.is_empty() || report::settle(&results, &home.join("../docs/oracle.md"), options.write)?;
    Ok(failed + differing == 0 && page_holds)
}

/// What is wrong with the case, nothing if it passes; and how many changed fields the judge could not see.
fn verdict(case: &Case, world: &World, judge: &mut Judge) -> io::Result<(Vec<String>, usize)> {
    let mut stage = Stage::new(world.clone());
    // A preparation that fails says why on standard error; the other cases go on.
    let Ok(transaction) = panic::catch_unwind(AssertUnwindSafe(|| (case.prepare)(&mut stage))) else {
        return Ok((vec!["its state could not be prepared".to_owned()], 0));
    };
    let verdict = compare(&mut stage.world, &transaction, judge)?;
    let mut differences = verdict.differences;
    let found = verdict.failure.unwrap_or_else(|| "ok".to_owned());
    if found != case.expected {
        differences.push(format!("expected {}, found {found}", case.expected));
    }
    Ok((differences, verdict.unseen_fields))
}

fn package(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    #[derive(Deserialize)]
    struct Package {
        modules: Vec<Module>,
    }
    #[derive(Deserialize)]
    struct Module {
        bytes: String,
    }
    let package: Package = serde_json::from_slice(&std::fs::read(path)?)?;
    package.modules.iter().map(|module| STANDARD.decode(&module.bytes).map_err(io::Error::other)).collect()
}
