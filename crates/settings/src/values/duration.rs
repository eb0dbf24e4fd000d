use std::time::Duration;

use daas_diagnostics::Phrase;

use super::{ParseError, Refusal, Value};

/// Units with their milliseconds, the largest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads `250ms`, `30s`, `5m`, `3h`, `7d`.
pub fn parse_duration(text: &str) -> Result<Duration, ParseError> {
    Duration::parse(text).map_err(ParseError)
}

/// Writes a duration in the largest unit that holds it exactly; what is finer than a millisecond is dropped.
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let (unit, size) = UNITS
        .into_iter()
        .find(|(_, size)| millis > 0 && millis.is_multiple_of(u128::from(*size)))
        .unwrap_or(("s", 1000));
    format!("{}{unit}", millis / u128::from(size))
}

impl Value for Duration {
    const FORM: Phrase =
        Phrase::new("a duration: `250ms`, `30s`, `5m`, `3h`, `7d`", "기간: `250ms`, `30s`, `5m`, `3h`, `7d`");

    fn parse(text: &str) -> Result<Self, Refusal> {
        duration(text.trim()).ok_or(Refusal::Expected(Self::FORM))
    }

    fn show(&self) -> String {
        format_duration(*self)
    }
}

fn duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let (_, size) = UNITS.into_iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(size).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_are_needed_and_understood() {
        for (text, millis) in
            [("250ms", 250), ("30s", 30_000), ("5 m", 300_000), ("3h", 10_800_000), ("1d", 86_400_000), ("0s", 0)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "30", "s", "-1s", "1.5s", "1 month", "1s1s", "99999999999999999999s", "18446744073709551615d"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(millis in 0..u64::MAX) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
    }
}
