use std::fmt::Write as _;

use crate::origin::flag_of;
use crate::roles::TABLES;
use crate::table::{Setting, Table};

/// All settings as the page `docs/settings.md`.
pub fn markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    for table in TABLES {
        role(&mut out, table);
    }
    out
}

const INTRODUCTION: &str = "\
# Settings

Generated from the tables in `crates/settings`; rewrite it with
`cargo run -p daas-settings --example settings-table`.

A flag beats an environment variable, a variable beats the file, the file beats the default. Files are flat; names that
end in `.json` are JSON, all others TOML. Unknown names are refused. An empty variable counts as not set. `{state}` is
`/var/lib/k3s-daas` for root, else `${XDG_STATE_HOME:-~/.local/state}/k3s-daas`; `{config}` is
`${XDG_CONFIG_HOME:-~/.config}/k3s-daas`. A relative path starts at the working directory.
";

fn role(out: &mut String, table: &Table) {
    let doc = table.doc.trim();
    let file = match table.default_file {
        Some(default) => format!("The file is `{default}` if it exists, or the one that `{}` names.", table.file_env),
        None => format!("A file is read if `{}` names one.", table.file_env),
    };
    // Writing to a String cannot fail.
    let _ = write!(out, "\n## {}\n\n{doc} {file}\n\n", table.role);
    out.push_str(
        "| setting | flag | environment | form | default | meaning |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for setting in table.settings {
        row(out, setting);
    }
}

fn row(out: &mut String, setting: &Setting) {
    let env: Vec<_> = setting.env.iter().map(|name| format!("`{name}`")).collect();
    let default = match setting.default {
        Some(default) => format!("`{default}`"),
        None if setting.required => "required".to_owned(),
        None => "none".to_owned(),
    };
    let _ = writeln!(
        out,
        "| `{}` | `{}` | {} | {} | {default} | {} |",
        setting.name,
        flag_of(setting.name),
        env.join(", "),
        setting.form.english.replace('|', "\\|"),
        setting.doc.trim().replace('|', "\\|"),
    );
}
