use std::borrow::Cow;

/// Prefixes of strings that are secrets as a whole: Sui private keys (bech32, `suiprivkey1…`) and Seal tokens.
const SECRET_PREFIXES: [&str; 2] = ["suiprivkey1", "seal1."];

/// What stands in the place of a secret.
const MASK: &str = "***";

/// Makes outside text safe to print: whatever looks like a Sui private key or a Seal token becomes `***`, control
/// characters (terminal escapes above all) are escaped, and very long text is cut.
///
/// This is the second line of defence; the first is that secrets live in types that do not print.
pub fn redact(text: &str) -> String {
    // What is cut off costs nothing, however long it is.
    let (text, is_cut) = match text.char_indices().nth(4 * MAX_CHARS) {
        Some((end, _)) => (&text[..end], true),
        None => (text, false),
    };
    let masked = mask(text);
    let mut out = String::with_capacity(masked.len());
    let is_cut = is_cut || masked.chars().nth(MAX_CHARS).is_some();
    for c in masked.chars().take(MAX_CHARS) {
        // Bidirectional overrides reorder what a terminal shows.
        if (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    if is_cut {
        out.push('…');
    }
    out
}

/// As [`redact`], for a place of one line: line breaks are escaped, so that a value cannot write lines of its own.
pub fn redact_line(text: &str) -> String {
    redact(text).replace('\n', "\\n")
}

/// More than the longest command line of a kernel (2047).
const MAX_CHARS: usize = 2100;

fn mask(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((at, prefix)) = first_secret(rest) {
        let (before, secret) = rest.split_at(at);
        let body = &secret[prefix.len()..];
        let end = body.find(|c: char| !is_secret_char(c)).unwrap_or(body.len());
        out.push_str(before);
        out.push_str(if end == 0 { prefix } else { MASK });
        rest = &body[end..];
    }
    if out.is_empty() && rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn first_secret(text: &str) -> Option<(usize, &'static str)> {
    let lower = text.to_ascii_lowercase();
    SECRET_PREFIXES.into_iter().filter_map(|prefix| Some((lower.find(prefix)?, prefix))).min()
}

fn is_secret_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_tokens_are_masked_wherever_they_stand() {
        let text = "key=suiprivkey1qzabc0 K10aa::node:seal1.AbC-_.x, SUIPRIVKEY1QQ";
        assert_eq!(redact(text), "key=*** K10aa::node:***, ***");
        assert_eq!(redact("a seal1. form"), "a seal1. form");
    }

    #[test]
    fn terminal_escapes_do_not_pass() {
        assert_eq!(redact("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(redact("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(redact("가나\n다"), "가나\n다");
        assert_eq!(redact_line("x\nACCEPTED"), "x\\nACCEPTED");
    }

    proptest::proptest! {
        #[test]
        fn no_secret_and_no_escape_survives(before in ".{0,20}", body in "[a-zA-Z0-9._-]{8,80}", after in ".{0,20}") {
            for prefix in SECRET_PREFIXES {
                let shown = redact(&format!("{before}{prefix}{body} {after}"));
                proptest::prop_assert!(!shown.contains(&body));
                proptest::prop_assert!(!shown.contains(|c: char| c.is_control() && c != '\n'));
            }
        }
    }

    #[test]
    fn endless_text_is_cut() {
        assert_eq!(redact(&"a".repeat(100_000)).chars().count(), MAX_CHARS + 1);
        let secrets = redact(&"seal1.x ".repeat(100_000));
        assert!(secrets.ends_with('…') && !secrets.contains("seal1.x"), "{secrets}");
    }
}
