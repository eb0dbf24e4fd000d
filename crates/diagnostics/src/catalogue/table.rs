use std::fmt::Write as _;

use super::{AREAS, Entry, Text};
use crate::lang::Lang;

/// The catalogue as the page `docs/errors.md`.
pub fn markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    for area in &AREAS {
        // Writing to a String cannot fail.
        let _ = write!(out, "\n## {}00–{}99 {} · {}\n", area.range, area.range, area.english, area.korean);
        for entry in area.entries {
            section(&mut out, entry);
        }
    }
    out
}

const INTRODUCTION: &str = "\
# Errors · 오류

Generated from the catalogue in `crates/diagnostics`; rewrite it with
`cargo run -p daas-diagnostics --example errors-table`.

An error says what happened, why, and what to do, in Korean or English: `LC_ALL`, then `LC_MESSAGES`, then `LANG`
decide (`ko…` is Korean). The technical cause below it is always English. With `--output json` it is
`{\"error\": {\"code\", \"message\", \"cause\", \"next\": [..], \"technical\": [..]}}`. Words in braces are filled in.
The exit status is 2 for 10xx, else 1.
";

fn section(out: &mut String, entry: &Entry) {
    let _ = writeln!(out, "\n### {} {}\n", entry.code, entry.name);
    for lang in [Lang::English, Lang::Korean] {
        let Text { title, cause, next } = entry.text(lang);
        let _ = writeln!(out, "**{}** {}\n", literal(title), literal(cause));
        for step in *next {
            let _ = writeln!(out, "- {}", literal(step));
        }
        if lang == Lang::English {
            out.push('\n');
        }
    }
}

/// `<` would start an HTML tag.
fn literal(text: &str) -> String {
    text.replace('<', "&lt;").replace('*', "\\*")
}
