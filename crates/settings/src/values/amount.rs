use daas_diagnostics::Phrase;

use super::{Refusal, Value, text_form};

/// An amount of money in MIST, 10⁻⁹ SUI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mist(pub u64);

impl Mist {
    /// One SUI.
    pub const SUI: Self = Self(1_000_000_000);
}

impl Value for Mist {
    const FORM: Phrase = Phrase::new(
        "an amount: MIST without a unit, or `1 SUI`, `1.5SUI`, `10000 MIST`",
        "금액. 단위가 없으면 MIST이고 `1 SUI`, `1.5SUI`, `10000 MIST`처럼 쓸 수 있습니다",
    );

    fn parse(text: &str) -> Result<Self, Refusal> {
        amount(text.trim()).map(Self).ok_or(Refusal::Expected(Self::FORM))
    }

    /// In SUI from a thousandth upwards, exactly; else in MIST.
    fn show(&self) -> String {
        let (sui, mist) = (self.0 / Self::SUI.0, self.0 % Self::SUI.0);
        if mist == 0 && sui > 0 {
            format!("{sui} SUI")
        } else if self.0 >= Self::SUI.0 / 1000 {
            format!("{sui}.{} SUI", format!("{mist:09}").trim_end_matches('0'))
        } else {
            format!("{} MIST", self.0)
        }
    }
}

text_form!(Mist);

fn amount(text: &str) -> Option<u64> {
    let unit_at = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    match unit.trim_start().to_ascii_uppercase().as_str() {
        "" | "MIST" => digits(number)?.parse().ok(),
        "SUI" => {
            let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
            if fraction.len() > 9 {
                return None;
            }
            let whole: u64 = digits(whole)?.parse().ok()?;
            let fraction: u64 = format!("{:0<9}", digits(fraction)?).parse().ok()?;
            whole.checked_mul(Mist::SUI.0)?.checked_add(fraction)
        }
        _ => None,
    }
}

/// `str::parse` would take a sign.
fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_are_understood() {
        for (text, mist) in [
            ("1000000000", 1_000_000_000),
            ("1 SUI", 1_000_000_000),
            ("1.5SUI", 1_500_000_000),
            ("10000 MIST", 10_000),
            ("0.000000001 sui", 1),
            ("18446744073709551615", u64::MAX),
            ("18446744073.709551615 SUI", u64::MAX),
            ("0", 0),
        ] {
            assert_eq!(text.parse::<Mist>(), Ok(Mist(mist)), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_exact_amount_is_refused() {
        for text in [
            "",
            "SUI",
            "1.5",
            "1.5 MIST",
            "-1",
            "+1",
            "1e9",
            "1 ETH",
            "1..5 SUI",
            ".5 SUI",
            "1. SUI",
            "1 2 SUI",
            "0.0000000001 SUI",
            "18446744073709551616",
            "18446744073.709551616 SUI",
            "99999999999999999999 SUI",
            "١ SUI",
        ] {
            assert!(text.parse::<Mist>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(mist: u64) {
            prop_assert_eq!(Mist(mist).to_string().parse::<Mist>(), Ok(Mist(mist)));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<Mist>();
        }
    }
}
