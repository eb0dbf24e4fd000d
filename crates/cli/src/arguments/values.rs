//! Values of options.

use std::time::Duration;

use daas_seal_token::Tier;

pub(super) fn tier(text: &str) -> Result<Tier, String> {
    text.parse().map_err(|error: daas_seal_token::UnknownTier| error.to_string())
}

/// Long enough to mean something, short enough for the contract's milliseconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_hours(10 * 366 * 24);
    let duration = daas_settings::parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() || duration > longest { Err("a time from 1s to ten years".to_owned()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_do_not_overflow() {
        assert_eq!(duration("12h").unwrap().as_secs(), 43_200);
        for wrong in ["", "5", "h", "-1h", "0s", "1.5h", "99999999999999999999d", "4000d", "5일"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
