use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::lang::Lang;

/// How a diagnostic is shown on a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// The language of the messages.
    pub lang: Lang,
    /// Whether ANSI colours are used.
    pub colour: bool,
}

impl Style {
    /// The style of a process: colours only on a terminal, never when `NO_COLOR` is set to anything
    /// (<https://no-color.org>) or the terminal is `dumb`. `env` looks one variable up.
    pub fn detect(explicit: Option<Lang>, is_terminal: bool, env: impl Fn(&str) -> Option<String>) -> Self {
        let no_color = env("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env("TERM").is_some_and(|term| term == "dumb");
        Self { lang: Lang::choose(explicit, &env), colour: is_terminal && !no_color && !dumb }
    }
}

struct Labels {
    error: &'static str,
    why: &'static str,
    next: &'static str,
    technical: &'static str,
}

const ENGLISH: Labels = Labels { error: "error", why: "why", next: "what to do", technical: "technical cause" };
const KOREAN: Labels = Labels { error: "오류", why: "원인", next: "해결 방법", technical: "기술 정보" };

impl Diagnostic {
    /// The text for a terminal; ends with a newline.
    pub fn render(&self, style: Style) -> String {
        let labels = match style.lang {
            Lang::English => &ENGLISH,
            Lang::Korean => &KOREAN,
        };
        let paint = |sgr: &str, text: &str| {
            if style.colour { format!("\u{1b}[{sgr}m{text}\u{1b}[0m") } else { text.to_owned() }
        };
        let mut out = format!(
            "{}: {}\n",
            paint("1;31", &format!("{}[{}]", labels.error, self.code())),
            paint("1", &self.message(style.lang))
        );
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {}: {}", paint("36", labels.why), indented(&self.cause(style.lang)));
        let steps = self.next_steps(style.lang);
        if !steps.is_empty() {
            let _ = writeln!(out, "  {}:", paint("32", labels.next));
            for step in steps {
                let _ = writeln!(out, "    - {}", indented(&step));
            }
        }
        if !self.technical_chain().is_empty() {
            let _ = writeln!(out, "  {}:", paint("2", labels.technical));
            for line in self.technical_chain() {
                let _ = writeln!(out, "    {}", paint("2", &indented(line)));
            }
        }
        out
    }

    /// The answer of `--output json`:
    /// `{"error": {"code", "message", "cause", "next": [..], "technical": [..]}}`.
    pub fn to_json(&self, lang: Lang) -> Value {
        json!({"error": {
            "code": self.code().to_string(),
            "message": self.message(lang),
            "cause": self.cause(lang),
            "next": self.next_steps(lang),
            "technical": self.technical_chain(),
        }})
    }
}

/// Continuation lines stay below the text they continue.
fn indented(text: &str) -> String {
    text.replace('\n', "\n      ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    fn sample() -> Diagnostic {
        Diagnostic::new(codes::UNKNOWN_NODE)
            .with("name", "worker-9")
            .with("cluster", "0x7")
            .with("nearest", "worker-1")
            .technical("no node object of that name")
    }

    #[test]
    fn the_terminal_text_has_code_cause_steps_and_technical_cause() {
        let text = sample().render(Style { lang: Lang::English, colour: false });
        assert!(text.starts_with("error[DAAS-1318]: "), "{text}");
        for part in ["\n  why: ", "\n  what to do:\n    - ", "worker-1", "\n  technical cause:\n    no node object"] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert!(!text.contains('\u{1b}'));
        let korean = sample().render(Style { lang: Lang::Korean, colour: false });
        for part in ["오류[DAAS-1318]: ", "\n  원인: ", "\n  해결 방법:", "no node object"] {
            assert!(korean.contains(part), "{part:?} in {korean}");
        }
    }

    #[test]
    fn colours_need_a_terminal_that_wants_them() {
        let env = |name: &'static str, value: &'static str| move |n: &str| (n == name).then(|| value.to_owned());
        assert!(Style::detect(None, true, |_| None).colour);
        assert!(!Style::detect(None, false, |_| None).colour);
        assert!(!Style::detect(None, true, env("NO_COLOR", "1")).colour);
        assert!(Style::detect(None, true, env("NO_COLOR", "")).colour);
        assert!(!Style::detect(None, true, env("TERM", "dumb")).colour);
        assert!(sample().render(Style { lang: Lang::English, colour: true }).contains("\u{1b}[1;31m"));
    }

    #[test]
    fn the_json_has_exactly_the_promised_fields() {
        let json = sample().to_json(Lang::Korean);
        let error = json["error"].as_object().unwrap();
        let mut keys: Vec<_> = error.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["cause", "code", "message", "next", "technical"]);
        assert_eq!(error["code"], "DAAS-1318");
        assert_eq!(error["technical"], json!(["no node object of that name"]));
        assert!(error["next"].as_array().is_some_and(|next| !next.is_empty()));
    }
}
