use std::fmt;

use serde_json::{Value as Json, json};

use crate::origin::Origin;

/// All settings of a role with their values and origins, secrets masked: what `settings show` prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// In the order of the role's table.
    pub rows: Vec<Row>,
}

/// One setting of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The setting.
    pub name: &'static str,
    /// Its value, masked if it is a secret; `None` if an optional setting was not given.
    pub value: Option<String>,
    /// Where the value came from.
    pub origin: Origin,
}

impl Listing {
    /// The origin of a setting.
    pub fn origin(&self, name: &str) -> Option<&Origin> {
        self.rows.iter().find(|row| row.name == name).map(|row| &row.origin)
    }

    /// `{"name": {"value": .., "origin": ".."}, ..}`
    pub fn to_json(&self) -> Json {
        let rows = self.rows.iter();
        rows.map(|row| (row.name.to_owned(), json!({"value": row.value, "origin": row.origin.to_string()}))).collect()
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |row: &Row| row.value.clone().unwrap_or_else(|| "-".to_owned());
        let name_width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let value_width = self.rows.iter().map(|row| shown(row).chars().count()).max().unwrap_or(0);
        for row in &self.rows {
            writeln!(f, "{:name_width$}  {:value_width$}  {}", row.name, shown(row), row.origin)?;
        }
        Ok(())
    }
}
