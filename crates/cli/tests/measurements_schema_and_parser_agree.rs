//! `attestation/measurements.schema.json` and the parser of `release publish` accept and refuse the same files.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::path::Path;

use daas_cli::measurements::Measurements;
use serde_json::{Value, json};

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../attestation/measurements.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn good(kind: &str) -> Value {
    let pcr = |digit: &str| digit.repeat(96);
    json!({
        "version": 1, "kind": kind,
        "pcrs": {"0": pcr("a"), "1": pcr("b"), "2": pcr("3"), "8": pcr("4")},
        "tpm_pcrs": {"4": pcr("5"), "11": pcr("6")},
        "artifact_sha256": "1".repeat(64),
        "source_revision": "0123456789abcdef0123456789abcdef01234567",
        "provider": "nix", "provider_lock_sha256": "2".repeat(64),
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut file = good("eif");
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    file.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.into(), value);
    file
}

fn without(kind: &str, pointer: &str) -> Value {
    let mut file = good(kind);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    file.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    file
}

#[test]
fn both_accept_every_good_file() {
    let files = [
        good("eif"),
        good("sandbox"),
        good("worker"),
        without("eif", "/tpm_pcrs"),
        without("eif", "/pcrs/8"),
        without("worker", "/pcrs/0"),
        with("/tpm_pcrs", json!({})),
        with("/provider", json!("~")),
        with("/source_revision", json!("x".repeat(128))),
        with("/pcrs/31", json!("7".repeat(96))),
        with("/tpm_pcrs/23", json!("7".repeat(96))),
    ];
    for file in files {
        assert_eq!(violation(&schema(), &schema(), &file), None, "schema: {file}");
        assert_eq!(Measurements::parse(&file.to_string()).err(), None, "parser: {file}");
    }
}

#[test]
fn both_refuse_every_bad_file() {
    let pcr = "a".repeat(96);
    let files = [
        json!([]),
        json!({}),
        with("/version", json!(2)),
        with("/version", json!("1")),
        with("/kind", json!("EIF")),
        with("/kind", json!(null)),
        with("/extra", json!(1)),
        with("/pcrs", json!([pcr])),
        with("/pcrs/0", json!("a".repeat(95))),
        with("/pcrs/0", json!("A".repeat(96))),
        with("/pcrs/0", json!("g".repeat(96))),
        with("/pcrs/0", json!("0".repeat(96))),
        with("/pcrs/0", json!(format!("{pcr}\n"))),
        with("/pcrs/00", json!(pcr)),
        with("/pcrs/32", json!(pcr)),
        with("/pcrs/+1", json!(pcr)),
        with("/pcrs/x", json!(pcr)),
        with("/tpm_pcrs/24", json!(pcr)),
        with("/tpm_pcrs/4", json!("0".repeat(96))),
        with("/artifact_sha256", json!("1".repeat(63))),
        with("/artifact_sha256", json!(1)),
        with("/provider_lock_sha256", json!("F".repeat(64))),
        with("/source_revision", json!("")),
        with("/source_revision", json!("x".repeat(129))),
        with("/source_revision", json!("a\nb")),
        with("/provider", json!("니")),
        without("eif", "/pcrs/2"),
        without("sandbox", "/pcrs/0"),
        without("worker", "/tpm_pcrs"),
        without("eif", "/pcrs"),
        without("eif", "/version"),
        without("eif", "/kind"),
        without("eif", "/artifact_sha256"),
        without("eif", "/source_revision"),
        without("eif", "/provider"),
        without("eif", "/provider_lock_sha256"),
    ];
    for file in files {
        assert!(violation(&schema(), &schema(), &file).is_some(), "schema accepts {file}");
        assert!(Measurements::parse(&file.to_string()).is_err(), "parser accepts {file}");
    }
}

/// The part of JSON Schema 2020-12 that the schema uses; any other keyword is an error, not a silent pass.
fn violation(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let schema = schema.as_object().unwrap();
    let members = || value.as_object().into_iter().flatten();
    let text = value.as_str();
    schema.iter().find_map(|(keyword, rule)| match keyword.as_str() {
        "$schema" | "$id" | "$defs" | "title" | "description" | "then" | "else" | "patternProperties" => None,
        "required" | "minProperties" if !value.is_object() => None,
        "const" => (value != rule).then(|| format!("{value} is not {rule}")),
        "enum" => (!rule.as_array().unwrap().contains(value)).then(|| format!("{value} is none of {rule}")),
        "type" => {
            let fits = match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "string" => value.is_string(),
                other => panic!("type {other}"),
            };
            (!fits).then(|| format!("{value} is not {rule}"))
        }
        "required" => {
            let missing = rule.as_array().unwrap().iter().find(|name| value.get(name.as_str().unwrap()).is_none());
            missing.map(|name| format!("lacks {name}"))
        }
        "minProperties" => (members().count() < 1).then(|| "empty".into()),
        "properties" => rule
            .as_object()
            .unwrap()
            .iter()
            .find_map(|(name, inner)| value.get(name).and_then(|value| violation(root, inner, value))),
        "additionalProperties" => members().find_map(|(name, value)| {
            assert_eq!(rule, &Value::Bool(false));
            if schema.get("properties").is_some_and(|known| known.get(name).is_some()) {
                return None;
            }
            let patterns = schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
            let Some((_, inner)) = patterns.into_iter().find(|(pattern, _)| matches(pattern, name)) else {
                return Some(format!("{name} is unknown"));
            };
            violation(root, inner, value)
        }),
        "pattern" => text.filter(|text| !matches(rule.as_str().unwrap(), text)).map(|text| format!("{text:?}: {rule}")),
        "not" => violation(root, rule, value).is_none().then(|| format!("{value} is forbidden")),
        "$ref" => violation(root, root.pointer(&rule.as_str().unwrap()[1..]).unwrap(), value),
        "allOf" => rule.as_array().unwrap().iter().find_map(|inner| violation(root, inner, value)),
        "if" => {
            let branch = if violation(root, rule, value).is_none() { "then" } else { "else" };
            schema.get(branch).and_then(|inner| violation(root, inner, value))
        }
        other => panic!("the schema uses {other}, which this test does not know"),
    })
}

/// The part of regular expressions that the schema uses: `^(a|b)$` or `^a$`, each a row of characters or classes, the
/// last of which may be repeated by `*`, `{n}` or `{m,n}`. Without backtracking, so nothing may follow a repetition.
fn matches(pattern: &str, text: &str) -> bool {
    let body = pattern.strip_prefix('^').unwrap().strip_suffix('$').unwrap();
    let body = body.strip_prefix('(').map_or(body, |rest| rest.strip_suffix(')').unwrap());
    body.split('|').any(|row| matches_row(row, text))
}

fn matches_row(row: &str, text: &str) -> bool {
    let (mut row, mut text) = (row, text);
    while !row.is_empty() {
        let (class, rest) = match row.strip_prefix('[') {
            Some(inner) => inner.split_once(']').unwrap(),
            None => row.split_at(1),
        };
        let (least, most, rest) = match rest.chars().next() {
            Some('*') => (0, usize::MAX, &rest[1..]),
            Some('{') => {
                let (bounds, rest) = rest[1..].split_once('}').unwrap();
                let (least, most) = bounds.split_once(',').unwrap_or((bounds, bounds));
                (least.parse().unwrap(), most.parse().unwrap(), rest)
            }
            _ => (1, 1, rest),
        };
        assert!(most == 1 || rest.is_empty(), "{row} needs a real regular expression");
        let count = text.chars().take(most).take_while(|c| in_class(class, *c)).count();
        if count < least {
            return false;
        }
        text = &text[count..];
        row = rest;
    }
    text.is_empty()
}

fn in_class(class: &str, c: char) -> bool {
    let class: Vec<_> = class.chars().collect();
    let mut at = 0;
    while at < class.len() {
        let is_range = class.get(at + 1) == Some(&'-') && at + 2 < class.len();
        let last = if is_range { class[at + 2] } else { class[at] };
        if (class[at]..=last).contains(&c) {
            return true;
        }
        at += if is_range { 3 } else { 1 };
    }
    false
}
