use std::error::Error;
use std::fmt::{self, Display};
use std::io;

use crate::catalogue::{Code, Entry, Text};
use crate::lang::Lang;
use crate::phrase::Phrase;
use crate::redact::redact;

/// Gives an error its code and its words. Error enums that reach a user implement it.
pub trait Diagnose {
    /// What to tell the user.
    fn diagnostic(&self) -> Diagnostic;
}

impl<T: Diagnose + ?Sized> Diagnose for &T {
    fn diagnostic(&self) -> Diagnostic {
        (**self).diagnostic()
    }
}

impl<T: Diagnose + ?Sized> Diagnose for Box<T> {
    fn diagnostic(&self) -> Diagnostic {
        (**self).diagnostic()
    }
}

/// One error, ready to be shown: a code of the catalogue, the values of its placeholders, the technical cause.
///
/// Values and causes pass [`redact`] on their way in, so neither secrets nor terminal escapes get further.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnostic {
    code: Code,
    values: Vec<(&'static str, Words)>,
    technical: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic whose placeholders are still empty.
    pub fn new(code: Code) -> Self {
        Self { code, values: Vec::new(), technical: Vec::new() }
    }

    /// Fills one placeholder with a value that reads the same in both languages. The last value of a name counts.
    #[must_use]
    pub fn with(self, name: &'static str, value: impl Display) -> Self {
        self.fill_in(name, Words { english: redact(&value.to_string()), korean: None })
    }

    /// Fills one placeholder with words of each language.
    #[must_use]
    pub fn with_words(self, name: &'static str, english: impl Display, korean: impl Display) -> Self {
        let [english, korean] = [english.to_string(), korean.to_string()].map(|text| redact(&text));
        self.fill_in(name, Words { english, korean: Some(korean) })
    }

    /// Fills one placeholder with a fixed phrase.
    #[must_use]
    pub fn with_phrase(self, name: &'static str, phrase: Phrase) -> Self {
        self.with_words(name, phrase.english, phrase.korean)
    }

    /// Fills one placeholder with what went wrong with a file or socket, and keeps the error as technical cause.
    #[must_use]
    pub fn with_io(self, name: &'static str, error: &io::Error) -> Self {
        match Phrase::of_io(error) {
            Some(phrase) => self.with_phrase(name, phrase),
            None => self.with(name, error),
        }
        .caused_by(error)
    }

    /// Fills a placeholder if there is something to fill it with.
    #[must_use]
    pub fn with_opt(self, name: &'static str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds an error and its whole chain of sources as the technical cause.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self = self.technical(error);
            next = error.source();
        }
        self
    }

    /// Adds one line of technical cause, in English. A line that the one before it ends with is left out: many
    /// errors print their source themselves.
    #[must_use]
    pub fn technical(mut self, line: impl Display) -> Self {
        let line = redact(&line.to_string());
        if !line.is_empty() && !self.technical.last().is_some_and(|last| last.ends_with(&line)) {
            self.technical.push(line);
        }
        self
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What happened, in one sentence.
    pub fn message(&self, lang: Lang) -> String {
        self.fill(self.text(lang).title, lang)
    }

    /// Why it happened.
    pub fn cause(&self, lang: Lang) -> String {
        self.fill(self.text(lang).cause, lang)
    }

    /// What to do next. A step that needs an optional value which is not there is left out.
    pub fn next_steps(&self, lang: Lang) -> Vec<String> {
        self.text(lang)
            .next
            .iter()
            .filter(|step| {
                placeholders(step).all(|name| self.value(name).is_some() || !self.entry().optional.contains(&name))
            })
            .map(|step| self.fill(step, lang))
            .collect()
    }

    /// The technical cause, outermost first, in English.
    pub fn technical_chain(&self) -> &[String] {
        &self.technical
    }

    /// The required placeholders that got no value: tests of the crates that make diagnostics ask for none.
    pub fn unfilled(&self) -> Vec<&'static str> {
        self.entry().required.iter().copied().filter(|name| self.value(name).is_none()).collect()
    }

    /// Values whose name is no placeholder of this code.
    pub fn unused(&self) -> Vec<&'static str> {
        let entry = self.entry();
        let known = |name: &&str| entry.required.contains(name) || entry.optional.contains(name);
        self.values.iter().map(|(name, _)| *name).filter(|name| !known(name)).collect()
    }

    fn entry(&self) -> &'static Entry {
        self.code.entry()
    }

    fn text(&self, lang: Lang) -> &'static Text {
        self.entry().text(lang)
    }

    fn value(&self, name: &str) -> Option<&Words> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, words)| words)
    }

    fn fill_in(mut self, name: &'static str, words: Words) -> Self {
        match self.values.iter_mut().find(|(known, _)| *known == name) {
            Some(slot) => slot.1 = words,
            None => self.values.push((name, words)),
        }
        self
    }

    fn fill(&self, template: &str, lang: Lang) -> String {
        let unknown = match lang {
            Lang::English => "(unknown)",
            Lang::Korean => "(알 수 없음)",
        };
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, name, after)) = next_placeholder(rest) {
            out.push_str(before);
            out.push_str(self.value(name).map_or(unknown, |words| words.of(lang)));
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

/// The value of a placeholder; `korean` where it differs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Words {
    english: String,
    korean: Option<String>,
}

impl Words {
    fn of(&self, lang: Lang) -> &str {
        match (lang, &self.korean) {
            (Lang::Korean, Some(korean)) => korean,
            _ => &self.english,
        }
    }
}

/// The English sentence with its code and technical cause, for logs.
impl Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message(Lang::English))?;
        self.technical.iter().try_for_each(|line| write!(f, ": {line}"))
    }
}

impl fmt::Debug for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diagnostic")
            .field("code", &self.code)
            .field("values", &self.values)
            .field("technical", &self.technical)
            .finish()
    }
}

impl Error for Diagnostic {}

impl Diagnose for Diagnostic {
    fn diagnostic(&self) -> Diagnostic {
        self.clone()
    }
}

/// The names between braces in a template, in order.
pub(crate) fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    let mut rest = template;
    std::iter::from_fn(move || {
        let (_, name, after) = next_placeholder(rest)?;
        rest = after;
        Some(name)
    })
}

fn next_placeholder(template: &str) -> Option<(&str, &str, &str)> {
    let (before, tail) = template.split_once('{')?;
    let (name, after) = tail.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn a_step_with_an_absent_optional_value_is_left_out() {
        let bare = Diagnostic::new(codes::UNKNOWN_SETTING).with("name", "nod_id").with("origin", "flag");
        let hinted = bare.clone().with("nearest", "node_id");
        for lang in [Lang::English, Lang::Korean] {
            assert_eq!(bare.next_steps(lang).len() + 1, hinted.next_steps(lang).len());
            assert!(hinted.next_steps(lang)[0].contains("node_id"));
        }
    }

    #[test]
    fn the_chain_of_sources_is_kept_without_repetition() {
        #[derive(Debug, thiserror::Error)]
        #[error("reading the keystore: {0}")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("disk on fire"));
        let diagnostic = Diagnostic::new(codes::INTERNAL).caused_by(&error);
        assert_eq!(diagnostic.technical_chain(), ["reading the keystore: disk on fire"]);
    }

    #[test]
    fn values_cannot_smuggle_placeholders_or_secrets() {
        let diagnostic = Diagnostic::new(codes::UNKNOWN_SETTING)
            .with("name", "{origin} suiprivkey1qqq")
            .with("origin", "x")
            .technical("token seal1.aa.bb");
        assert!(diagnostic.message(Lang::English).contains("{origin} ***"));
        assert!(!format!("{diagnostic:?} {diagnostic}").contains("seal1.aa"));
    }

    #[test]
    fn words_follow_the_language() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let diagnostic = Diagnostic::new(codes::FILE_UNREADABLE).with("path", "/x").with_io("reason", &missing);
        assert!(diagnostic.cause(Lang::English).contains("no such file"));
        assert!(diagnostic.cause(Lang::Korean).contains("없습니다"));
        assert_eq!(diagnostic.technical_chain(), ["entity not found"]);
    }

    #[test]
    fn unfilled_and_unused_names_are_told() {
        let diagnostic = Diagnostic::new(codes::UNKNOWN_SETTING).with("name", "a").with("colour", "red");
        assert_eq!(diagnostic.unfilled(), ["origin"]);
        assert_eq!(diagnostic.unused(), ["colour"]);
    }
}
