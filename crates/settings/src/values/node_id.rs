use daas_diagnostics::Phrase;
use daas_seal_token::{NameError, NodeId};

use super::{Refusal, Value};

impl Value for NodeId {
    const FORM: Phrase = Phrase::new(
        "1 to 54 lower-case letters, digits and `-`, for example `worker-1`",
        "영문 소문자, 숫자, `-`로 1~54자. 예: `worker-1`",
    );

    fn parse(text: &str) -> Result<Self, Refusal> {
        parse_node_id(text).map_err(Refusal::NodeName)
    }

    fn show(&self) -> String {
        self.as_str().to_owned()
    }
}

/// Reads a name for a new node, or says in both languages which rule it breaks: those of the contract, and one more: `0x…` is an address to
/// inet_aton(3).
pub fn parse_node_id(text: &str) -> Result<NodeId, Phrase> {
    let node_id: NodeId = text.parse().map_err(|error| rule(text, error))?;
    let is_hex = |digits: &str| !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
    if text.strip_prefix("0x").is_some_and(is_hex) { Err(ADDRESS) } else { Ok(node_id) }
}

const ADDRESS: Phrase = Phrase::new("It could be taken for a network address", "네트워크 주소로 오해될 수 있습니다");

fn rule(text: &str, error: NameError) -> Phrase {
    match error {
        NameError::Length if text.is_empty() => Phrase::new("It is empty", "이름이 비어 있습니다"),
        NameError::Length => Phrase::new(
            "It is longer than 54 characters; nine more are appended, and DNS labels end at 63",
            "54자를 넘습니다. 아홉 자가 덧붙고 DNS 레이블은 63자까지입니다",
        ),
        NameError::Dash => Phrase::new("It begins or ends with '-'", "'-'로 시작하거나 끝납니다"),
        NameError::Localhost => Phrase::new("localhost means the machine itself", "localhost는 컴퓨터 자신을 뜻합니다"),
        NameError::NoLetter => ADDRESS,
        _ => Phrase::new("Only a-z, 0-9 and '-' may stand in it", "a-z, 0-9, '-'만 쓸 수 있습니다"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_labels_pass() {
        for name in ["a", "worker-1", "1a", "w--1", "ip-10-0-0-1", "0xworker", &"a".repeat(54)] {
            assert_eq!(parse_node_id(name).unwrap().as_str(), name);
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
            assert!(parse_node_id(name).is_err(), "{name:?}");
        }
    }
}
