use std::str::FromStr;

/// The language of the messages for people. Technical causes are always English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English, also for every locale that has no texts of its own.
    #[default]
    English,
    /// Korean.
    Korean,
}

impl Lang {
    /// The language of a process: an explicit choice first, then `LC_ALL`, `LC_MESSAGES`, `LANG` in the order of
    /// POSIX (XBD §8.2: an empty variable counts as unset). `env` looks one variable up.
    pub fn choose(explicit: Option<Self>, env: impl Fn(&str) -> Option<String>) -> Self {
        explicit.unwrap_or_else(|| {
            ["LC_ALL", "LC_MESSAGES", "LANG"]
                .into_iter()
                .find_map(|name| env(name).filter(|value| !value.is_empty()))
                .map_or(Self::English, |locale| Self::of_locale(&locale))
        })
    }

    /// The language of a locale name such as `ko_KR.UTF-8`, `ko-KR` or `C`.
    pub fn of_locale(locale: &str) -> Self {
        let language: String = locale.chars().take_while(char::is_ascii_alphabetic).collect();
        match language.to_ascii_lowercase().as_str() {
            "ko" | "kor" | "korean" => Self::Korean,
            _ => Self::English,
        }
    }
}

/// For `--lang`: `ko` or `en`, or any locale name of these two.
impl FromStr for Lang {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let english = text.to_ascii_lowercase().starts_with("en");
        match Self::of_locale(text) {
            Self::English if !english => Err("expected ko or en".to_owned()),
            lang => Ok(lang),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vars: &[(&str, &str)]) -> Lang {
        Lang::choose(None, |name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn lc_all_beats_lc_messages_beats_lang() {
        assert_eq!(of(&[("LANG", "ko_KR.UTF-8")]), Lang::Korean);
        assert_eq!(of(&[("LANG", "ko_KR.UTF-8"), ("LC_MESSAGES", "C")]), Lang::English);
        assert_eq!(of(&[("LANG", "C"), ("LC_MESSAGES", "en_US"), ("LC_ALL", "ko")]), Lang::Korean);
        assert_eq!(of(&[("LC_ALL", ""), ("LANG", "ko")]), Lang::Korean);
        assert_eq!(of(&[]), Lang::English);
    }

    #[test]
    fn an_explicit_choice_wins() {
        assert_eq!(Lang::choose(Some(Lang::English), |_| Some("ko".into())), Lang::English);
    }

    #[test]
    fn only_korean_locales_are_korean() {
        for locale in ["ko", "ko_KR", "ko-KR", "KO_kr.eucKR", "ko@x", "korean"] {
            assert_eq!(Lang::of_locale(locale), Lang::Korean, "{locale}");
        }
        // `kok` is Konkani.
        for locale in ["kok_IN", "en_US.UTF-8", "C", "C.UTF-8", "", "ja_JP"] {
            assert_eq!(Lang::of_locale(locale), Lang::English, "{locale}");
        }
        assert!("fr".parse::<Lang>().is_err());
        assert_eq!("en".parse::<Lang>(), Ok(Lang::English));
    }
}
