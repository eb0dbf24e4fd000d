//! Settings files: JSON for names that end in `.json`, TOML for all others. Both are flat.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use daas_diagnostics::Phrase;
use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};

use crate::error::SettingsError;
use crate::secret::SecretString;

/// One key of a file with its line.
#[derive(Debug)]
pub(crate) struct FileEntry {
    pub(crate) key: String,
    pub(crate) line: usize,
    pub(crate) content: Content,
}

/// What a file says of a key. It may be a secret, whatever the key is.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    One(SecretString),
    List(Vec<SecretString>),
    /// A table, `null`, a nested list: no setting has such a value.
    Other,
}

/// No settings file is larger; `/dev/zero` is.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a file. Errors never quote its content.
pub(crate) fn read(path: &Path) -> Result<Vec<FileEntry>, SettingsError> {
    let unreadable = |source| SettingsError::FileUnreadable { path: path.to_owned(), source };
    let text = read_text(path).map_err(unreadable)?;
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let parsed = if is_json { parse_json(text.expose()) } else { parse_toml(text.expose()) };
    parsed.map_err(|Malformed { line, reason, detail }| SettingsError::FileMalformed {
        path: path.to_owned(),
        line,
        reason,
        detail,
    })
}

fn read_text(path: &Path) -> io::Result<SecretString> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))?;
    Ok(SecretString::from(text))
}

#[derive(Debug)]
struct Malformed {
    line: usize,
    reason: Phrase,
    detail: String,
}

const NOT_TOML: Phrase = Phrase::new("this is not valid TOML", "올바른 TOML이 아닙니다");
const NOT_JSON: Phrase = Phrase::new("this is not valid JSON", "올바른 JSON이 아닙니다");
const ENDS_EARLY: Phrase = Phrase::new("the file ends too early", "파일이 중간에서 끝났습니다");
const NOT_AN_OBJECT: Phrase = Phrase::new("the file must hold one JSON object", "JSON 객체 하나가 있어야 합니다");
const GIVEN_TWICE: Phrase = Phrase::new("a key is given twice", "같은 키가 두 번 나옵니다");

fn parse_toml(text: &str) -> Result<Vec<FileEntry>, Malformed> {
    // Only `message`: the full text of a TOML error quotes the line.
    let table = DeTable::parse(text).map_err(|error| {
        let line = line_at(text, error.span().map_or(0, |span| span.start));
        Malformed { line, reason: NOT_TOML, detail: error.message().to_owned() }
    })?;
    let entries = table.get_ref().iter().map(|(key, value)| FileEntry {
        key: key.get_ref().to_string(),
        line: line_at(text, key.span().start),
        content: match value.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .map(|item| toml_scalar(item.get_ref()))
                .collect::<Option<_>>()
                .map_or(Content::Other, Content::List),
            scalar => toml_scalar(scalar).map_or(Content::Other, Content::One),
        },
    });
    Ok(entries.collect())
}

fn toml_scalar(value: &DeValue<'_>) -> Option<SecretString> {
    Some(SecretString::from(match value {
        DeValue::String(text) => text.to_string(),
        // Hexadecimal and octal notation mean nothing for amounts.
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        _ => return None,
    }))
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn parse_json(text: &str) -> Result<Vec<FileEntry>, Malformed> {
    let json: Json = serde_json::from_str(text).map_err(|error| json_malformed(&error))?;
    let Json::Object(object) = json else {
        return Err(malformed(1, NOT_AN_OBJECT));
    };
    let keys = json_key_lines(text);
    for (index, (key, line)) in keys.iter().enumerate() {
        // serde_json keeps the last of two equal keys; which one was meant is unknown.
        if keys[..index].iter().any(|(earlier, _)| earlier == key) {
            return Err(Malformed { line: *line, reason: GIVEN_TWICE, detail: format!("duplicate key \"{key}\"") });
        }
    }
    let entries = object.into_iter().map(|(key, value)| {
        let line = keys.iter().find(|(known, _)| *known == key).map_or(1, |(_, line)| *line);
        let content = match value {
            Json::Array(items) => {
                items.into_iter().map(json_scalar).collect::<Option<_>>().map_or(Content::Other, Content::List)
            }
            scalar => json_scalar(scalar).map_or(Content::Other, Content::One),
        };
        FileEntry { key, line, content }
    });
    Ok(entries.collect())
}

/// The text of the error is left out: some of serde_json's messages quote the input.
fn json_malformed(error: &serde_json::Error) -> Malformed {
    malformed(error.line().max(1), if error.is_eof() { ENDS_EARLY } else { NOT_JSON })
}

fn malformed(line: usize, reason: Phrase) -> Malformed {
    Malformed { line, reason, detail: reason.english.to_owned() }
}

fn json_scalar(value: Json) -> Option<SecretString> {
    Some(SecretString::from(match value {
        Json::String(text) => text,
        Json::Number(number) => number.to_string(),
        Json::Bool(flag) => flag.to_string(),
        _ => return None,
    }))
}

/// The keys of the outermost object with their lines, in order, repeated ones too. `text` is valid JSON.
fn json_key_lines(text: &str) -> Vec<(String, usize)> {
    let bytes = text.as_bytes();
    let mut keys = Vec::new();
    let (mut at, mut line, mut depth) = (0, 1, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'\n' => line += 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = string_end(bytes, at);
                let is_key = text[end..].trim_start().starts_with(':');
                if let (1, true, Ok(key)) = (depth, is_key, serde_json::from_str(&text[at..end])) {
                    keys.push((key, line));
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    keys
}

/// The offset behind the closing quote of the string that opens at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(entries: &[FileEntry]) -> Vec<(&str, usize)> {
        let mut found: Vec<_> = entries.iter().map(|entry| (entry.key.as_str(), entry.line)).collect();
        found.sort_by_key(|(_, line)| *line);
        found
    }

    fn text(entry: &FileEntry) -> Option<&str> {
        match &entry.content {
            Content::One(text) => Some(text.expose()),
            _ => None,
        }
    }

    #[test]
    fn json_keys_know_their_lines() {
        let entries = parse_json(
            "{\n \"a\": \"x: \\\"b\\\"\",\n\n \"n\": 18446744073709551615,\n \"o\": {\"q\": 1},\n \"l\": [\"1\", \"2\"]}",
        );
        let entries = entries.unwrap();
        assert_eq!(lines(&entries), [("a", 2), ("n", 4), ("o", 5), ("l", 6)]);
        let n = entries.iter().find(|entry| entry.key == "n").unwrap();
        assert_eq!(text(n), Some("18446744073709551615"));
        assert!(entries.iter().any(|entry| entry.key == "o" && matches!(entry.content, Content::Other)));
    }

    #[test]
    fn toml_keys_know_their_lines() {
        let entries = parse_toml("# c\na = \"x\"\n\nb = 5\nl = [\n \"1\",\n]\n[t]\nx = 1\n").unwrap();
        assert_eq!(lines(&entries), [("a", 2), ("b", 4), ("l", 5), ("t", 8)]);
    }

    #[test]
    fn a_key_given_twice_is_refused_with_its_line() {
        assert_eq!(parse_json("{\"a\": 1,\n\"a\": 2}").unwrap_err().line, 2);
        assert_eq!(parse_json("{\"a\": 1,\n\"\\u0061\": 2}").unwrap_err().line, 2);
        assert_eq!(parse_toml("a = 1\na = 2\n").unwrap_err().line, 2);
    }

    #[test]
    fn broken_files_are_errors_that_quote_nothing() {
        for broken in ["", "[1]", "{\"k\": hunter2}", "{\"k\": \"hunter2", "nul"] {
            let error = parse_json(broken).unwrap_err();
            assert!(error.line > 0 && !error.detail.contains("hunter2"), "{error:?}");
        }
        for broken in ["k = hunter2", "k = \"hunter2", "= hunter2", "k hunter2"] {
            let error = parse_toml(broken).unwrap_err();
            assert!(error.line > 0 && !error.detail.contains("hunter2"), "{error:?}");
        }
    }
}
