//! Puts the layers on top of each other and hands out typed values.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::SettingsError;
use crate::file::{self, Content};
use crate::listing::{Listing, Row};
use crate::origin::Origin;
use crate::secret::SecretString;
use crate::table::{Setting, Table};

/// Values of the command line, by setting name.
#[derive(Clone, Debug, Default)]
pub struct Flags(BTreeMap<String, Content>);

impl Flags {
    /// No flags.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a flag, if it was given. `name` is the setting's name: `node_id` for `--node-id`.
    #[must_use]
    pub fn set(mut self, name: &str, value: Option<impl Into<String>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), Content::One(SecretString::from(value.into())));
        }
        self
    }

    /// Sets a flag that may be repeated, if it was given at all.
    #[must_use]
    pub fn set_all<V: Into<String>>(mut self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values: Vec<_> = values.into_iter().map(|value| SecretString::from(value.into())).collect();
        if !values.is_empty() {
            self.0.insert(name.to_owned(), Content::List(values));
        }
        self
    }
}

/// Everything that settings are made of, besides the defaults.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The command line.
    pub flags: Flags,
    /// The environment.
    pub environment: Environment,
    /// The file of `--config`; else the environment names one, else the role's default file is read if it exists.
    pub config: Option<PathBuf>,
}

/// A value as one layer gives it.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) content: Content,
    pub(crate) origin: Origin,
}

/// The layers of one role, checked for unknown names.
pub(crate) struct Layers<'a> {
    table: &'static Table,
    pub(crate) environment: &'a Environment,
    file: BTreeMap<&'static str, Raw>,
    flags: &'a Flags,
    rows: Vec<Row>,
}

impl<'a> Layers<'a> {
    pub(crate) fn of(table: &'static Table, sources: &'a Sources) -> Result<Self, SettingsError> {
        let environment = &sources.environment;
        if environment.get("MOCK_MODE").is_some_and(|value| !matches!(value, "0" | "false")) {
            return Err(SettingsError::MockMode);
        }
        for name in sources.flags.0.keys() {
            known(table, name, || Origin::Flag(name.clone()))?;
        }
        refuse_misspelt_variables(table, environment)?;
        let mut file = BTreeMap::new();
        if let Some(path) = config_file(table, sources) {
            for entry in file::read(&path)? {
                let origin = Origin::File { path: path.clone(), line: entry.line };
                let setting = known(table, &entry.key, || origin.clone())?;
                file.insert(setting.name, Raw { content: entry.content, origin });
            }
        }
        Ok(Self { table, environment, file, flags: &sources.flags, rows: Vec::new() })
    }

    /// All values of a setting, the one that counts first.
    pub(crate) fn raw(&self, setting: &'static Setting) -> Vec<Raw> {
        let one = |text: &str| Content::One(SecretString::from(text));
        let flag = self
            .flags
            .0
            .get(setting.name)
            .map(|content| Raw { content: content.clone(), origin: Origin::Flag(setting.name.to_owned()) });
        let variables = setting.env.iter().filter_map(|name| {
            let text = self.environment.get(name)?;
            Some(Raw { content: one(text), origin: Origin::Environment((*name).to_owned()) })
        });
        let file = self.file.get(setting.name).cloned();
        let default = setting.default.map(|text| Raw { content: one(text), origin: Origin::Default });
        flag.into_iter().chain(variables).chain(file).chain(default).collect()
    }

    pub(crate) fn setting(&self, name: &str) -> Option<&'static Setting> {
        self.table.settings.iter().find(|setting| setting.name == name)
    }

    pub(crate) fn note(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(crate) fn into_listing(self) -> Listing {
        Listing { rows: self.rows }
    }
}

fn known(
    table: &'static Table,
    name: &str,
    origin: impl FnOnce() -> Origin,
) -> Result<&'static Setting, SettingsError> {
    table.settings.iter().find(|setting| setting.name == name).ok_or_else(|| SettingsError::Unknown {
        name: name.to_owned(),
        origin: origin(),
        nearest: nearest(name, table.settings.iter().map(|setting| setting.name)),
    })
}

fn config_file(table: &Table, sources: &Sources) -> Option<PathBuf> {
    let environment = &sources.environment;
    if let Some(path) = &sources.config {
        return Some(path.clone());
    }
    if let Some(path) = environment.get(table.file_env) {
        return Some(PathBuf::from(environment.expand(path).unwrap_or_else(|| path.to_owned())));
    }
    let default = PathBuf::from(environment.expand(table.default_file?)?);
    // Only a file that is certainly absent is passed over: one that cannot be read may hold settings.
    matches!(Path::new(&default).try_exists(), Ok(true) | Err(_)).then_some(default)
}

/// Other programs own other variables, so an unknown variable is refused only if it looks like a misspelt one of ours.
fn refuse_misspelt_variables(table: &'static Table, environment: &Environment) -> Result<(), SettingsError> {
    let ours = || crate::roles::TABLES.iter().flat_map(|table| table.variables());
    for name in environment.names() {
        let Some(suffix) = name.strip_prefix(table.env_prefix) else { continue };
        if ours().any(|known| known == name) {
            continue;
        }
        let similar = |known: &&'static str| {
            let known = known.strip_prefix(table.env_prefix).unwrap_or(known);
            strsim::damerau_levenshtein(suffix, known) <= (known.len() / 4).max(1)
        };
        if let Some(nearest) = table.variables().find(similar) {
            let origin = Origin::Environment(name.to_owned());
            return Err(SettingsError::Unknown { name: name.to_owned(), origin, nearest: Some(nearest) });
        }
    }
    Ok(())
}

/// The most similar name, if one is similar at all.
fn nearest(name: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // The comparison costs the product of both lengths.
    let name: String = name.chars().take(64).collect::<String>().to_ascii_lowercase().replace('-', "_");
    candidates
        .map(|candidate| (strsim::jaro_winkler(&name, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
