//! Every code with its words in both languages.
//!
//! One file per area; a number is never given a second meaning. A template names its values in braces; what an entry
//! needs is listed as required, what it can do without as optional (only next steps may use those).

mod attestation;
mod chain;
mod contract;
mod devchain;
mod internal;
mod packages;
mod settings;
mod table;
mod tokens;
mod wallet;
mod worker;

use std::fmt;

use crate::lang::Lang;

pub use table::markdown;

/// All codes as constants.
pub mod codes {
    pub use super::attestation::codes::*;
    pub use super::chain::codes::*;
    pub use super::contract::codes::*;
    pub use super::devchain::codes::*;
    pub use super::internal::codes::*;
    pub use super::packages::codes::*;
    pub use super::settings::codes::*;
    pub use super::tokens::codes::*;
    pub use super::wallet::codes::*;
    pub use super::worker::codes::*;
}

/// The number of an error, printed as `DAAS-1042`. Only the catalogue makes codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl Code {
    /// The bare number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The entry of this code.
    pub fn entry(self) -> &'static Entry {
        let area = AREAS.iter().find(|area| area.range == self.0 / 100);
        area.and_then(|area| area.entries.iter().find(|entry| entry.code == self)).unwrap_or(&internal::ENTRIES[0])
    }

    /// The exit status of a command that ends with this error: 2 for a wrong use of settings, else 1.
    pub const fn exit_status(self) -> u8 {
        if self.0 / 100 == 10 { 2 } else { 1 }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DAAS-{}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the catalogue knows of one code.
#[derive(Debug)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// The name of its constant.
    pub name: &'static str,
    /// Placeholders that always get a value.
    pub required: &'static [&'static str],
    /// Placeholders that may stay empty; next steps that use them are then left out.
    pub optional: &'static [&'static str],
    english: Text,
    korean: Text,
}

impl Entry {
    /// The words in one language.
    pub const fn text(&self, lang: Lang) -> &Text {
        match lang {
            Lang::English => &self.english,
            Lang::Korean => &self.korean,
        }
    }
}

/// The words of one code in one language, with placeholders in braces.
#[derive(Debug)]
pub struct Text {
    /// What happened.
    pub title: &'static str,
    /// Why.
    pub cause: &'static str,
    /// What to do, most likely step first.
    pub next: &'static [&'static str],
}

/// One range of a hundred numbers.
#[derive(Debug)]
pub struct Area {
    /// The hundreds: 10 stands for 1000 to 1099.
    pub range: u16,
    /// Its English heading.
    pub english: &'static str,
    /// Its Korean heading.
    pub korean: &'static str,
    /// Its entries, in ascending order.
    pub entries: &'static [Entry],
}

/// The whole catalogue, in ascending order.
pub static AREAS: [Area; 10] = [
    Area { range: 10, english: "Settings", korean: "설정", entries: settings::ENTRIES },
    Area { range: 11, english: "Wallet and keys", korean: "지갑과 키", entries: wallet::ENTRIES },
    Area { range: 12, english: "Connection to the chain", korean: "체인 연결", entries: chain::ENTRIES },
    Area {
        range: 13, english: "Refusals by the contract", korean: "컨트랙트의 거부", entries: contract::ENTRIES
    },
    Area { range: 14, english: "Seal tokens", korean: "Seal 토큰", entries: tokens::ENTRIES },
    Area { range: 15, english: "Development chain", korean: "개발용 체인", entries: devchain::ENTRIES },
    Area { range: 16, english: "Packages and builds", korean: "패키지와 빌드", entries: packages::ENTRIES },
    Area { range: 17, english: "Attestation documents", korean: "증명 문서", entries: attestation::ENTRIES },
    Area { range: 18, english: "Workers", korean: "워커", entries: worker::ENTRIES },
    Area { range: 19, english: "Internal", korean: "내부", entries: internal::ENTRIES },
];

/// Numbers ascend inside their range, so none is given twice: checked when the crate is compiled.
const fn is_ordered(range: u16, entries: &[Entry]) -> bool {
    let mut index = 0;
    while index < entries.len() {
        let number = entries[index].code.0;
        if number / 100 != range || (index > 0 && entries[index - 1].code.0 >= number) {
            return false;
        }
        index += 1;
    }
    true
}

/// Writes the entries of one area and a constant for each code.
macro_rules! entries {
    (range $range:literal; $(
        $number:literal $name:ident [$($required:literal),*] [$($optional:literal),*]
        en { $en_title:literal $en_cause:literal $([$en_next:literal])* }
        ko { $ko_title:literal $ko_cause:literal $([$ko_next:literal])* }
    )*) => {
        pub(super) const ENTRIES: &[super::Entry] = &[$(super::Entry {
            code: super::Code($number),
            name: stringify!($name),
            required: &[$($required),*],
            optional: &[$($optional),*],
            english: super::Text { title: $en_title, cause: $en_cause, next: &[$($en_next),*] },
            korean: super::Text { title: $ko_title, cause: $ko_cause, next: &[$($ko_next),*] },
        }),*];

        const _: () = assert!(super::is_ordered($range, ENTRIES), "codes must ascend inside their range");

        pub(super) mod codes {
            use super::super::Code;
            $(
                #[doc = concat!("DAAS-", $number, ": ", $en_title)]
                pub const $name: Code = Code($number);
            )*
        }
    };
}
use entries;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::diagnostic::placeholders;

    fn all() -> impl Iterator<Item = &'static Entry> {
        AREAS.iter().flat_map(|area| area.entries)
    }

    fn names(texts: &[&'static str]) -> BTreeSet<&'static str> {
        texts.iter().flat_map(|text| placeholders(text)).collect()
    }

    #[test]
    fn both_languages_speak_of_the_same_values() {
        for entry in all() {
            let (en, ko) = (entry.text(Lang::English), entry.text(Lang::Korean));
            let required: BTreeSet<_> = entry.required.iter().copied().collect();
            let optional: BTreeSet<_> = entry.optional.iter().copied().collect();
            assert!(required.is_disjoint(&optional), "{}", entry.name);
            for text in [en, ko] {
                let sentence = names(&[text.title, text.cause]);
                assert!(sentence.is_subset(&required), "{}: only steps may use optional values", entry.name);
                let used: BTreeSet<_> = sentence.union(&names(text.next)).copied().collect();
                assert_eq!(used, required.union(&optional).copied().collect(), "{}: {}", entry.name, text.title);
            }
            assert_eq!(names(&[en.title]), names(&[ko.title]), "{}", entry.name);
            assert_eq!(names(&[en.cause]), names(&[ko.cause]), "{}", entry.name);
            assert_eq!(en.next.len(), ko.next.len(), "{}", entry.name);
            for (e, k) in en.next.iter().zip(ko.next) {
                assert_eq!(names(&[e]), names(&[k]), "{}: {e}", entry.name);
            }
        }
    }

    #[test]
    fn every_code_says_what_why_and_what_to_do_in_its_language() {
        let hangul = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
        for entry in all() {
            let (en, ko) = (entry.text(Lang::English), entry.text(Lang::Korean));
            assert!(!en.next.is_empty(), "{}", entry.name);
            for text in [en.title, en.cause].iter().chain(en.next) {
                assert!(!text.trim().is_empty() && !hangul(text), "{}: {text}", entry.name);
            }
            for text in [ko.title, ko.cause].iter().chain(ko.next) {
                assert!(hangul(text), "{}: {text}", entry.name);
            }
        }
    }

    #[test]
    fn numbers_and_names_are_unique_and_found_again() {
        let numbers: BTreeSet<_> = all().map(|entry| entry.code).collect();
        let names: BTreeSet<_> = all().map(|entry| entry.name).collect();
        assert_eq!(numbers.len(), all().count());
        assert_eq!(names.len(), all().count());
        for entry in all() {
            assert_eq!(entry.code.entry().name, entry.name);
        }
        assert!(AREAS.is_sorted_by_key(|area| area.range));
    }

    #[test]
    fn codes_print_with_their_prefix() {
        assert_eq!(codes::UNKNOWN_SETTING.to_string(), "DAAS-1001");
        assert_eq!(codes::UNKNOWN_SETTING.exit_status(), 2);
        assert_eq!(codes::STAKE_TOO_SMALL.exit_status(), 1);
    }
}
