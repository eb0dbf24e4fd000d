//! The page docs/oracle.md, which is made from the cases and from what the judge could see of them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::Path;

use crate::cases::Case;

/// Why something of the package is not judged, or only in part.
const LIMITS: &[(&str, &str, &str)] = &[
    (
        "`0x2::ed25519::ed25519_verify`",
        "not judged",
        "the machine's native takes values where it gets references and fails. The harness makes real signatures, our side \
         verifies them, and the judge is told the answer; what surrounds the call is judged.",
    ),
    (
        "`0x2::nitro_attestation::load_nitro_attestation`",
        "not judged",
        "the machine lacks the native and therefore cannot load its module. Documents are passed as bytes on both sides (an \
         unchecked execution with us), and what the package does with them is judged.",
    ),
    (
        "commands `Publish` and `Upgrade`",
        "not judged",
        "the machine skips them when it replays. Tickets are left over and receipts passed as bytes, so that \
         `upgrade_lock::authorize` and `commit` are judged all the same.",
    ),
    (
        "commands `SplitCoins`, `MergeCoins`, `TransferObjects`",
        "judged as calls",
        "the machine imitates them outside of its interpreter. It gets `coin::split`, `coin::join` and \
         `transfer::public_transfer` instead, which do the same in the framework's bytecode.",
    ),
    (
        "values of dynamic fields that are changed in place",
        "not judged",
        "the machine forgets what is written through `dynamic_field::borrow_mut` when the call ends, before anything can \
         read it. Status, events, objects and all other fields of these cases are judged.",
    ),
    (
        "who may use which object, versions, gas",
        "not judged",
        "the machine does not check owners and meters gas in its own way; tests of `crates/devnet` do.",
    ),
];

/// A case and how many changed fields the judge could not see.
pub(crate) struct Judged<'a> {
    pub(crate) case: &'a Case,
    pub(crate) unseen_fields: usize,
}

/// Writes the page, or says whether it is up to date.
pub(crate) fn settle(cases: &[Judged<'_>], path: &Path, write: bool) -> io::Result<bool> {
    let page = page(cases);
    if write {
        std::fs::write(path, page)?;
        return Ok(true);
    }
    if std::fs::read_to_string(path).unwrap_or_default() == page {
        return Ok(true);
    }
    println!("oracle: docs/oracle.md is out of date: run `scripts/oracle --write`");
    Ok(false)
}

fn page(cases: &[Judged<'_>]) -> String {
    let mut modules: BTreeMap<&str, Vec<&Judged<'_>>> = BTreeMap::new();
    for judged in cases {
        modules.entry(judged.case.module).or_default().push(judged);
    }
    let mut page = String::from(HEAD);
    page.push_str("\n## Cases\n\n| module | cases | succeed | abort | judged |\n| --- | ---: | ---: | ---: | --- |\n");
    let row = |page: &mut String, name: &str, cases: &[&Judged<'_>]| {
        let succeed = cases.iter().filter(|judged| judged.case.expected == "ok").count();
        let partly = cases.iter().filter(|judged| judged.unseen_fields > 0).count();
        let verdict =
            if partly == 0 { "all".to_owned() } else { format!("all; {partly} without a field changed in place") };
        let _ = writeln!(page, "| {name} | {} | {succeed} | {} | {verdict} |", cases.len(), cases.len() - succeed);
    };
    for (module, cases) in &modules {
        row(&mut page, &format!("`{module}`"), cases);
    }
    row(&mut page, "together", &cases.iter().collect::<Vec<_>>());

    page.push_str("\n## What the machine cannot judge\n\n| what | verdict | why |\n| --- | --- | --- |\n");
    for (what, verdict, why) in LIMITS {
        let _ = writeln!(page, "| {what} | {verdict} | {why} |");
    }

    page.push_str("\n## The cases by name\n");
    for (module, cases) in &modules {
        let _ = writeln!(page, "\n`{module}`\n");
        for judged in cases {
            let how = if judged.case.expected == "ok" { "succeeds" } else { judged.case.expected };
            let unseen = if judged.unseen_fields > 0 { " (the changed field is not judged)" } else { "" };
            let _ = writeln!(page, "- {}: {how}{unseen}", judged.case.name);
        }
    }
    page
}

const HEAD: &str = "# The independent judge of the development chain

The development chain executes the package in an interpreter of our own, with the framework written in Rust. Whether it does
what a Sui network would do is not for its own tests to say: `scripts/oracle` (part of `make test`) executes the same
transaction on the same state in the real Move VM, with the real bytecode of `0x1` and `0x2`, as the PyPI package
`sui-sandbox` has them (version and hash: `oracle/requirements.txt`), and compares

- the status; for a failure the abort code, the command, and the place: module, function and instruction (of framework
  functions, which are not bytecode with us, the module, and the function where the machine names it),
- events: order, type and bytes,
- objects that were created, transferred, shared or frozen: id, type, contents and new owner,
- the state of every object that was passed by `&mut`, and the dynamic fields of the cluster that were added, kept or removed,
- the ids of new dynamic fields, which the machine derives on its own.

States are prepared by transactions on our own execution and handed to both; transactions have the same digest on both
sides, so that ids need no translation. A case also says how it must end: two machines that fail for the wrong reason do not
pass. Beyond the named cases, sequences of random calls on one cluster (fixed seeds) are compared step by step.

The machine reports ids of created objects and little else of what a transaction did. Stand-ins for five framework modules
(`oracle/probe`) help: `event` and `transfer` do as the real ones and also note what passes, `derived_object` sends the notes
out as object ids, `ed25519` gives the answer that it is told, `nitro_attestation` has the accessors without the native.
";
