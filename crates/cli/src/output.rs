//! What a command shows: answers on stdout, progress and errors on stderr.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use daas_diagnostics::{Diagnostic, Lang, Style};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

/// The form of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    #[value(alias = "text")]
    Human,
    /// For programs: one JSON value with stable field names
    Json,
}

/// The answer of a command.
pub trait Report {
    /// For programs. Field names stay as they are.
    fn json(&self) -> Value;
    /// For people.
    fn human(&self, page: &mut Page);
    /// Whether the answer is yes (exit status 0) or no (1).
    fn holds(&self) -> bool {
        true
    }
}

/// Where and how a command speaks.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// The form of answers and errors.
    pub format: Format,
    /// The language of texts for people.
    pub lang: Lang,
    colour_out: bool,
    colour_err: bool,
    progress: bool,
}

impl Screen {
    /// The screen of this process.
    pub fn of_process(format: Format, lang: Option<Lang>) -> Self {
        let env = |name: &str| std::env::var(name).ok();
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let style = |terminal| Style::detect(lang, terminal, env);
        Self {
            format,
            lang: style(err).lang,
            colour_out: style(out).colour,
            colour_err: style(err).colour,
            progress: err && format == Format::Human && env("TERM").is_none_or(|term| term != "dumb"),
        }
    }

    /// The same screen with another form of answers.
    #[must_use]
    pub fn in_format(self, format: Format) -> Self {
        Self { format, progress: self.progress && format == Format::Human, ..self }
    }

    /// Whether answers go to a terminal.
    pub fn answers_a_terminal(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Prints an answer. A reader that went away early (`daas node list | head`) is no error.
    pub fn answer(&self, report: &dyn Report) {
        let text = match self.format {
            Format::Json => format!("{:#}\n", report.json()),
            Format::Human => {
                let mut page = Page::new(self.lang, self.colour_out);
                report.human(&mut page);
                page.text
            }
        };
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }

    /// Prints an error: on stderr in both forms, so that stdout holds answers only.
    pub fn error(&self, diagnostic: &Diagnostic) {
        let text = match self.format {
            Format::Json => format!("{:#}\n", diagnostic.to_json(self.lang)),
            Format::Human => diagnostic.render(Style { lang: self.lang, colour: self.colour_err }),
        };
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    /// Prints a warning on stderr, in the human form only.
    pub fn warn(&self, english: &str, korean: &str) {
        if self.format == Format::Human {
            let (word, text) = match self.lang {
                Lang::English => ("warning", english),
                Lang::Korean => ("주의", korean),
            };
            let word = if self.colour_err { format!("\u{1b}[1;33m{word}\u{1b}[0m") } else { word.to_owned() };
            let _ = writeln!(std::io::stderr().lock(), "{word}: {text}");
        }
    }

    /// Says something on stderr before a command goes on, in the human form only.
    pub fn note(&self, english: &str, korean: &str) {
        if self.format == Format::Human {
            let _ = writeln!(std::io::stderr().lock(), "{}", self.pick(english, korean));
        }
    }

    /// A long step. Shown while it lasts, on a terminal only.
    pub fn step(&self, english: &str, korean: &str) -> Step {
        if !self.progress {
            return Step(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(self.pick(english, korean).to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Step(bar)
    }

    /// A step of a long command: shown while it lasts, and kept as a line with its time when it is done.
    pub fn stage(&self, english: &'static str, korean: &'static str) -> Stage {
        Stage { step: self.step(english, korean), screen: *self, began: Instant::now(), words: (english, korean) }
    }

    fn pick<'a>(self, english: &'a str, korean: &'a str) -> &'a str {
        match self.lang {
            Lang::English => english,
            Lang::Korean => korean,
        }
    }
}

/// A long step; its line disappears when this is dropped.
#[derive(Debug)]
pub struct Step(ProgressBar);

impl Drop for Step {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A step whose end is told.
#[derive(Debug)]
pub struct Stage {
    step: Step,
    screen: Screen,
    began: Instant,
    words: (&'static str, &'static str),
}

impl Stage {
    /// How far it is.
    pub fn say(&self, detail: &str) {
        self.step.0.set_message(format!("{}: {detail}", self.screen.pick(self.words.0, self.words.1)));
    }

    /// It went well.
    pub fn done(self) {
        let Self { step, screen, began, words: (english, korean) } = self;
        drop(step);
        let seconds = began.elapsed().as_secs_f32();
        screen.note(&format!("{english}: {seconds:.1} s"), &format!("{korean}: {seconds:.1}초"));
    }
}

/// Text for people under construction.
#[derive(Debug)]
pub struct Page {
    lang: Lang,
    colour: bool,
    text: String,
}

/// A colour with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// As it is.
    Plain,
    /// All is well.
    Good,
    /// Needs attention.
    Bad,
    /// Stands out.
    Strong,
    /// Of less weight.
    Faint,
}

impl Page {
    /// An empty page.
    pub fn new(lang: Lang, colour: bool) -> Self {
        Self { lang, colour, text: String::new() }
    }

    /// One of two texts, by the page's language.
    pub fn pick<'a>(&self, english: &'a str, korean: &'a str) -> &'a str {
        match self.lang {
            Lang::English => english,
            Lang::Korean => korean,
        }
    }

    /// What an error says, in the page's language.
    pub fn of(&self, error: &Diagnostic) -> String {
        format!("{}: {}", error.code(), error.message(self.lang))
    }

    /// A line.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.painted(Paint::Plain, text);
    }

    /// A line in one colour.
    pub fn painted(&mut self, paint: Paint, text: impl AsRef<str>) {
        let text = self.paint(paint, &daas_diagnostics::redact(text.as_ref()));
        self.text.push_str(&text);
        self.text.push('\n');
    }

    /// A credential that was asked for. The only text that is not masked.
    pub fn secret(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Names and values, the values aligned. Empty values are left out.
    pub fn fields<'a>(&mut self, fields: impl IntoIterator<Item = (&'a str, String)>) {
        let fields: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let width = fields.iter().map(|(name, _)| columns(name)).max().unwrap_or(0);
        for (name, value) in fields {
            let gap = " ".repeat(width - columns(name) + 2);
            let name = self.paint(Paint::Faint, name);
            // Values come from the chain: anybody may have written them.
            let value = daas_diagnostics::redact_line(&value);
            self.text.extend([name.as_str(), &gap, &value, "\n"]);
        }
    }

    /// A table with aligned columns.
    pub fn table(&mut self, heads: &[&str], rows: &[Vec<String>]) {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| daas_diagnostics::redact_line(cell)).collect()).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell));
            cells.chain([columns(heads[column])]).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..heads.len()).map(width).collect();
        let row = |cells: &mut dyn Iterator<Item = &str>| {
            let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - columns(cell))));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let head = row(&mut heads.iter().copied());
        self.painted(Paint::Strong, head);
        for cells in &rows {
            let line = row(&mut cells.iter().map(String::as_str));
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }

    /// What every verdict on a network that is not Sui mainnet or testnet begins with.
    pub fn development_banner(&mut self, is_production: bool) {
        if !is_production {
            let text = self.pick(
                "DEVELOPMENT: this chain is not Sui mainnet or testnet",
                "DEVELOPMENT(개발용): Sui 메인넷이나 테스트넷이 아닌 체인입니다",
            );
            let text = text.to_owned();
            self.painted(Paint::Bad, text);
        }
    }

    /// The text so far.
    pub fn into_text(self) -> String {
        self.text
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        let sgr = match paint {
            Paint::Good => "32",
            Paint::Bad => "33",
            Paint::Strong => "1",
            Paint::Faint => "2",
            Paint::Plain => return text.to_owned(),
        };
        if self.colour { format!("\u{1b}[{sgr}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Columns of a terminal: Hangul and other wide characters take two.
fn columns(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ff60}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_with_hangul_too() {
        let mut page = Page::new(Lang::Korean, false);
        page.table(&["NAME", "B"], &[vec!["노드".into(), "x".into()], vec!["abcdef".into(), "y".into()]]);
        assert_eq!(page.into_text(), "NAME    B\n노드    x\nabcdef  y\n");
    }

    #[test]
    fn text_of_the_chain_cannot_steer_the_terminal() {
        let mut page = Page::new(Lang::English, false);
        page.fields([("name", "a\u{1b}[2Jb".to_owned()), ("empty", String::new())]);
        page.table(&["X"], &[vec!["\u{202e}z".into()]]);
        assert_eq!(page.into_text(), "name  a\\u{1b}[2Jb\nX\n\\u{202e}z\n");
    }

    #[test]
    fn only_production_networks_go_without_the_banner() {
        let banner = |production| {
            let mut page = Page::new(Lang::English, false);
            page.development_banner(production);
            page.into_text()
        };
        assert!(banner(false).starts_with("DEVELOPMENT"));
        assert_eq!(banner(true), "");
    }
}
