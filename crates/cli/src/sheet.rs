//! Answers made of fields and tables, with their JSON beside them.

use serde_json::{Value, json};

use crate::output::{Page, Paint, Report};

/// Whether a network's word counts outside development.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Sui mainnet or testnet.
    Production,
    /// Any other.
    Development,
}

/// One answer.
#[derive(Debug)]
pub struct Sheet {
    network: Network,
    json: Value,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Line(Paint, String),
    Words(Paint, &'static str, &'static str),
    Fields(Vec<(&'static str, String)>),
    Table(&'static [&'static str], Vec<Vec<String>>),
}

impl Sheet {
    /// An answer of this network; `json` is an object, to which `"development"` is added.
    pub fn new(network: Network, mut json: Value) -> Self {
        if let Some(object) = json.as_object_mut() {
            object.insert("development".to_owned(), json!(network == Network::Development));
        }
        Self { network, json, parts: Vec::new() }
    }

    /// A line of what is the same in every language.
    #[must_use]
    pub fn line(mut self, paint: Paint, text: impl Into<String>) -> Self {
        self.parts.push(Part::Line(paint, text.into()));
        self
    }

    /// A line of words: English, Korean.
    #[must_use]
    pub fn words(mut self, paint: Paint, english: &'static str, korean: &'static str) -> Self {
        self.parts.push(Part::Words(paint, english, korean));
        self
    }

    /// Names and values.
    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.parts.push(Part::Fields(fields.into_iter().collect()));
        self
    }

    /// A table.
    #[must_use]
    pub fn table(mut self, heads: &'static [&'static str], rows: Vec<Vec<String>>) -> Self {
        self.parts.push(Part::Table(heads, rows));
        self
    }
}

impl Report for Sheet {
    fn json(&self) -> Value {
        self.json.clone()
    }

    fn human(&self, page: &mut Page) {
        page.development_banner(self.network == Network::Production);
        self.without_banner(page);
    }
}

impl Sheet {
    /// The parts alone, for a page whose banner stands elsewhere.
    pub fn without_banner(&self, page: &mut Page) {
        for part in &self.parts {
            match part {
                Part::Line(paint, text) => page.painted(*paint, text),
                Part::Words(paint, english, korean) => {
                    let text = page.pick(english, korean).to_owned();
                    page.painted(*paint, text);
                }
                Part::Fields(fields) => page.fields(fields.iter().map(|(name, value)| (*name, value.clone()))),
                Part::Table(heads, rows) => page.table(heads, rows),
            }
        }
    }
}
