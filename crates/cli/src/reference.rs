//! The page `docs/cli.md`, made from the command line itself.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use crate::arguments::Arguments;

const INTRODUCTION: &str = "\
# The command `daas`

Generated from `crates/cli/src/arguments`; rewrite it with `cargo run -p daas-cli --example cli-page`.

Exit status: 0 done or true, 1 refused or failed, 2 wrong usage. Answers go to stdout, progress, warnings and errors to stderr. With
`--output json` an answer is one JSON value and an error is `{\"error\": {\"code\", \"message\", \"cause\", \"next\", \"technical\"}}`
([errors.md](errors.md)). Values not given as options come from the environment, then from the settings file ([settings.md](settings.md)); in a
development setup `daas up` writes that file.

Amounts are `1SUI`, `0.5 SUI`, `1000 MIST` (a bare number is MIST); times are `30s`, `5m`, `12h`, `7d`. A node is named by its full name, by its node
id where only one fits, or by its stake's id; ids may be shortened to four digits or more where that is unambiguous. On any chain that is
not Sui mainnet or testnet every answer says DEVELOPMENT.

`daas kubeconfig` writes a kubeconfig after it has verified the enclave: the CA in it is the attested one, and kubectl asks `daas token` for credentials
(`ExecCredential` of `client.authentication.k8s.io/v1`; a token lives five minutes, and kubectl asks again by itself). By hand that is:

```yaml
users:
- name: seal
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: daas
      args: [token, --exec-credential, NODE]
      interactiveMode: Never
```

`daas up` does by itself what an operator does with `cluster create`, `release publish`, `cluster grant`, `stake --tier admin`, `cluster activate` and `kubeconfig`.
";

/// The page.
pub fn markdown() -> String {
    let mut command = Arguments::command();
    command.build();
    let mut out = String::from(INTRODUCTION);
    out.push_str("\n## Options of every command\n\n");
    options(&mut out, command.get_arguments().filter(|argument| argument.is_global_set()));
    out.push_str("\n## Commands\n");
    for sub in command.get_subcommands() {
        section(&mut out, "daas", sub);
    }
    out
}

fn section(out: &mut String, parent: &str, command: &Command) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let path = format!("{parent} {}", command.get_name());
    if command.has_subcommands() {
        for sub in command.get_subcommands() {
            section(out, &path, sub);
        }
        return;
    }
    // Writing to a String cannot fail.
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let positionals: Vec<_> = command.get_positionals().map(placeholder).collect();
    let _ = writeln!(out, "\n### `{}`\n\n{about}.\n", [vec![path], positionals].concat().join(" "));
    let own = |argument: &&Arg| !argument.is_global_set() && !matches!(argument.get_id().as_str(), "help" | "version");
    options(out, command.get_arguments().filter(own));
}

fn options<'a>(out: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    for argument in arguments {
        let name = match (argument.get_long(), argument.get_short()) {
            (Some(long), Some(short)) => format!("`-{short}`, `--{long}{}`", value(argument)),
            (Some(long), None) => format!("`--{long}{}`", value(argument)),
            _ => format!("`{}`", placeholder(argument)),
        };
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let choices: Vec<_> =
            argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
        let _ = write!(out, "- {name}: {help}");
        if argument.get_action().takes_values() && !choices.is_empty() {
            let _ = write!(out, " ({})", choices.join(", "));
        }
        if let [default, ..] = argument.get_default_values() {
            let _ = write!(out, " [default: {}]", default.to_string_lossy());
        }
        if let Some(variable) = argument.get_env() {
            let _ = write!(out, " [environment: {}]", variable.to_string_lossy());
        }
        out.push('\n');
    }
}

fn value(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let names = argument.get_value_names().into_iter().flatten().map(ToString::to_string);
    format!(" {}", names.collect::<Vec<_>>().join(" "))
}

fn placeholder(argument: &Arg) -> String {
    let name = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string).unwrap_or_default();
    if argument.is_required_set() { name } else { format!("[{name}]") }
}
