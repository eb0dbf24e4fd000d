use daas_diagnostics::Phrase;

use super::{Refusal, Value, text_form};

/// The name that a staker gives to a node: a DNS label that cannot be taken for an address.
///
/// The contract appends `-` and eight hex digits, and the whole is a label of at most 63 characters (RFC 1035 §2.3.4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(String);

impl NodeId {
    /// The longest name.
    pub const MAX_LEN: usize = 63 - 9;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for NodeId {
    const FORM: Phrase = Phrase::new(
        "1 to 54 lower-case letters, digits and `-`, for example `worker-1`",
        "영문 소문자, 숫자, `-`로 1~54자. 예: `worker-1`",
    );

    fn parse(text: &str) -> Result<Self, Refusal> {
        match broken_rule(text) {
            None => Ok(Self(text.to_owned())),
            Some(rule) => Err(Refusal::NodeName(rule)),
        }
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

text_form!(NodeId);

fn broken_rule(text: &str) -> Option<Phrase> {
    let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    Some(if text.is_empty() {
        Phrase::new("It is empty", "이름이 비어 있습니다")
    } else if !text.chars().all(is_label) {
        Phrase::new("Only a-z, 0-9 and '-' may stand in it", "a-z, 0-9, '-'만 쓸 수 있습니다")
    } else if text.len() > NodeId::MAX_LEN {
        Phrase::new(
            "It is longer than 54 characters; nine more are appended, and DNS labels end at 63",
            "54자를 넘습니다. 아홉 자가 덧붙고 DNS 레이블은 63자까지입니다",
        )
    } else if text.starts_with('-') || text.ends_with('-') {
        Phrase::new("It begins or ends with '-'", "'-'로 시작하거나 끝납니다")
    } else if text == "localhost" {
        Phrase::new("localhost means the machine itself", "localhost는 컴퓨터 자신을 뜻합니다")
    } else if looks_like_address(text) {
        Phrase::new("It could be taken for a network address", "네트워크 주소로 오해될 수 있습니다")
    } else {
        return None;
    })
}

/// Digits and dashes alone read like an IPv4 address; `0x…` is one to inet_aton(3).
fn looks_like_address(text: &str) -> bool {
    let is_hex = |digits: &str| !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
    !text.contains(|c: char| c.is_ascii_lowercase()) || text.strip_prefix("0x").is_some_and(is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_labels_pass() {
        for name in ["a", "worker-1", "1a", "w--1", "ip-10-0-0-1", "0xworker", &"a".repeat(54)] {
            assert_eq!(name.parse::<NodeId>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_look_like_addresses_or_break_dns_do_not_pass() {
        let long = "a".repeat(55);
        for name in [
            "",
            "-a",
            "a-",
            "-",
            "A",
            "worker_1",
            "worker.1",
            "노드",
            "a b",
            "a\n",
            "10.42.3.7",
            "10-42-3-7",
            "123",
            "localhost",
            "0x7f000001",
            "::1",
            "fe80::1",
            "a\u{0}",
            &long,
        ] {
            assert!(name.parse::<NodeId>().is_err(), "{name:?}");
        }
    }
}
