//! The declarative description of settings, and the macro that makes it a struct and a table at once.

use daas_diagnostics::Phrase;

use crate::error::SettingsError;
use crate::file::Content;
use crate::layers::{Layers, Raw};
use crate::listing::{Listing, Row};
use crate::origin::{Origin, flag_of};
use crate::secret::MASK;
use crate::values::{KeySource, Refusal, Value};

/// The settings of one role.
#[derive(Debug)]
pub struct Table {
    /// The program.
    pub role: &'static str,
    /// What the program does.
    pub doc: &'static str,
    /// The variable that names the file.
    pub file_env: &'static str,
    /// The file that is read if none is named and it exists.
    pub default_file: Option<&'static str>,
    /// What all variables of the role begin with.
    pub env_prefix: &'static str,
    /// The settings.
    pub settings: &'static [Setting],
}

impl Table {
    /// All variables of the role, that of the file included.
    pub(crate) fn variables(&'static self) -> impl Iterator<Item = &'static str> {
        self.settings.iter().flat_map(|setting| setting.env.iter().copied()).chain([self.file_env])
    }
}

/// The description of one setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name in files; the flag is the same with dashes.
    pub name: &'static str,
    /// Its environment variables, the one that counts first.
    pub env: &'static [&'static str],
    /// The form of its value, units included.
    pub form: Phrase,
    /// The default, written as a user would.
    pub default: Option<&'static str>,
    /// Whether it must be given.
    pub required: bool,
    /// Whether its value can be a secret.
    pub secret: bool,
    /// What it means.
    pub doc: &'static str,
}

/// Settings together with where each value came from.
#[derive(Clone, Debug)]
pub struct Loaded<T> {
    /// The typed values.
    pub settings: T,
    /// The same values as text with their origins, secrets masked.
    pub listing: Listing,
}

/// What can be the type of a field: a [`Value`], or an `Option` of one.
pub(crate) trait Field: Sized {
    const OPTIONAL: bool;
    const FORM: Phrase;
    const SECRET: bool;
    fn read(layers: &mut Layers<'_>, setting: &'static Setting) -> Result<Self, SettingsError>;
}

impl<T: Value> Field for T {
    const OPTIONAL: bool = false;
    const FORM: Phrase = T::FORM;
    const SECRET: bool = T::SECRET;

    fn read(layers: &mut Layers<'_>, setting: &'static Setting) -> Result<Self, SettingsError> {
        Option::<T>::read(layers, setting)?
            .ok_or_else(|| SettingsError::Missing { name: setting.name, how: how_to_give(setting) })
    }
}

impl<T: Value> Field for Option<T> {
    const OPTIONAL: bool = true;
    const FORM: Phrase = T::FORM;
    const SECRET: bool = T::SECRET;

    fn read(layers: &mut Layers<'_>, setting: &'static Setting) -> Result<Self, SettingsError> {
        let raws = layers.raw(setting);
        if T::SECRET {
            // A key in a file is exposed, even where the environment has a better one.
            for raw in &raws {
                parse::<T>(layers, setting, raw)?;
            }
        }
        let Some(raw) = raws.first() else {
            layers.note(Row { name: setting.name, value: None, origin: Origin::Default });
            return Ok(None);
        };
        let value = parse::<T>(layers, setting, raw)?;
        layers.note(Row { name: setting.name, value: Some(value.show()), origin: raw.origin.clone() });
        Ok(Some(value))
    }
}

/// Reads one field; the macro calls it with the field's own name.
pub(crate) fn field<T: Field>(layers: &mut Layers<'_>, name: &'static str) -> Result<T, SettingsError> {
    let missing = || SettingsError::Missing { name, how: flag_of(name) };
    let setting = layers.setting(name).ok_or_else(missing)?;
    T::read(layers, setting)
}

fn parse<T: Value>(layers: &Layers<'_>, setting: &'static Setting, raw: &Raw) -> Result<T, SettingsError> {
    let bad = |value: String, expected| SettingsError::BadValue {
        name: setting.name,
        origin: raw.origin.clone(),
        value,
        expected,
    };
    let text = match &raw.content {
        Content::One(text) => text.clone(),
        Content::List(items) if T::LIST || items.len() == 1 => {
            items.iter().map(|item| item.expose().as_str()).collect::<Vec<_>>().join(",").into()
        }
        Content::List(_) => return Err(bad("[…]".to_owned(), T::FORM)),
        Content::Other => return Err(bad("{…}".to_owned(), T::FORM)),
    };
    let text = if T::PATH {
        let home =
            Phrase::new("a path, or HOME set so that ~ has a meaning", "경로. ~를 쓰려면 HOME 변수가 있어야 합니다");
        layers.environment.expand(text.expose()).ok_or_else(|| bad(shown::<T>(text.expose()), home))?.into()
    } else {
        text
    };
    let inline = || SettingsError::SecretInline {
        name: setting.name,
        origin: raw.origin.clone(),
        env: setting.env.first().copied().unwrap_or_default(),
    };
    let value = T::parse(text.expose()).map_err(|refusal| match refusal {
        Refusal::Expected(expected) => bad(shown::<T>(text.expose()), expected),
        Refusal::NodeName(reason) => SettingsError::NodeName { name: shown::<T>(text.expose()), reason },
        Refusal::Docker => SettingsError::DockerRuntime { origin: raw.origin.clone() },
    })?;
    if value.is_exposed() && !matches!(raw.origin, Origin::Environment(_)) {
        return Err(inline());
    }
    Ok(value)
}

/// A bad value as an error may show it: not at all where it could be a key or hold a password.
fn shown<T: Value>(text: &str) -> String {
    let has_password = text.contains('@') && text.contains("//");
    if T::SECRET || has_password || KeySource::looks_like_key(text) {
        return MASK.to_owned();
    }
    let mut out: String = text.chars().take(80).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

fn how_to_give(setting: &Setting) -> String {
    let mut ways = vec![flag_of(setting.name)];
    ways.extend(setting.env.iter().map(|name| (*name).to_owned()));
    ways.push(format!("\"{}\" (JSON, TOML)", setting.name));
    ways.join(", ")
}

/// Declares a role: the struct, its table, and `load`.
macro_rules! settings {
    (
        $(#[doc = $role_doc:literal])+
        pub struct $Name:ident: $role:literal, file $file_env:literal or $default_file:expr, prefix $prefix:literal {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $ty:ty, env [$($env:literal),+], default $default:expr;
            )+
        }
    ) => {
        $(#[doc = $role_doc])+
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub struct $Name {
            $( $(#[doc = $doc])+ pub $field: $ty, )+
        }

        impl $Name {
            /// The description of these settings.
            pub const TABLE: &'static $crate::table::Table = &$crate::table::Table {
                role: $role,
                doc: concat!($($role_doc),+),
                file_env: $file_env,
                default_file: $default_file,
                env_prefix: $prefix,
                settings: &[$( $crate::table::Setting {
                    name: stringify!($field),
                    env: &[$($env),+],
                    form: <$ty as $crate::table::Field>::FORM,
                    default: $default,
                    required: !<$ty as $crate::table::Field>::OPTIONAL && { let default: Option<&str> = $default; default.is_none() },
                    secret: <$ty as $crate::table::Field>::SECRET,
                    doc: concat!($($doc),+),
                } ),+],
            };

            /// Reads flags, environment and file; anything unknown, missing or malformed is an error.
            pub fn load(
                sources: &$crate::layers::Sources,
            ) -> Result<$crate::table::Loaded<Self>, $crate::error::SettingsError> {
                let mut layers = $crate::layers::Layers::of(Self::TABLE, sources)?;
                let settings = Self {
                    $( $field: $crate::table::field(&mut layers, stringify!($field))?, )+
                };
                let listing = layers.into_listing();
                settings.check(&listing)?;
                Ok($crate::table::Loaded { settings, listing })
            }
        }
    };
}
pub(crate) use settings;
