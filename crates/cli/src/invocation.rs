//! What a command works with: places, settings, screen.

use std::path::PathBuf;

use daas_diagnostics::{Diagnose as _, Diagnostic, Lang};
use daas_settings::{ClientSettings, Environment, Flags, Listing, Origin, OutputFormat, Sources};

use crate::arguments::Global;
use crate::output::{Format, Screen};
use crate::places::Places;

/// Everything that is known before a command begins.
#[derive(Debug)]
pub struct Invocation {
    /// The options that were given.
    global: Global,
    /// Where answers go.
    pub screen: Screen,
    /// Where files are.
    pub places: Places,
    /// The settings of `daas`.
    pub settings: ClientSettings,
    /// Where each setting came from.
    pub listing: Listing,
    /// Whether the settings are those that `daas up` wrote.
    pub is_development: bool,
    /// The settings file that was named, or that `daas up` wrote; none where the user's own is read.
    pub config: Option<PathBuf>,
    /// Whether the state folder was named, by option or environment.
    pub is_placed: bool,
    /// Whether other commands find this state folder only if it is named again.
    pub needs_state_dir: bool,
}

impl Invocation {
    /// Reads flags, environment and file.
    pub fn open(global: &Global, screen: Screen) -> Result<Self, Diagnostic> {
        let environment = Environment::collect();
        let places = Places::choose(global.state_dir.as_deref(), &environment)?;
        let config = config_file(global, &places, &environment);
        let of_environment = || environment.get("DAAS_CONFIG").map(PathBuf::from);
        let named = config.clone().or_else(of_environment).and_then(|file| std::path::absolute(file).ok());
        let is_development = config.as_deref() == Some(&places.client_settings());
        let sources = Sources { flags: flags(global, &places), environment, config };
        let loaded = ClientSettings::load(&sources).map_err(|error| error.diagnostic())?;
        let format = match loaded.settings.output {
            OutputFormat::Json => Format::Json,
            OutputFormat::Text => Format::Human,
        };
        Ok(Self {
            screen: screen.in_format(format),
            global: global.clone(),
            needs_state_dir: global.state_dir.is_some() && std::env::var_os("DAAS_STATE_DIR").is_none(),
            is_development,
            config: named,
            is_placed: global.state_dir.is_some(),
            places,
            settings: loaded.settings,
            listing: loaded.listing,
        })
    }

    /// With the settings that `daas up` has just written, whatever the caller's own say.
    pub fn in_development(&self) -> Result<Self, Diagnostic> {
        let config = Some(self.places.client_settings());
        let global = Global { config, rpc: None, chain_id: None, package: None, cluster: None, ..self.global.clone() };
        Self::open(&global, self.screen)
    }

    /// Whether a setting was given by anybody.
    pub fn is_given(&self, name: &str) -> bool {
        self.listing.rows.iter().any(|row| row.name == name && row.value.is_some() && row.origin != Origin::Default)
    }

    /// Whether a setting comes from this very call: an option or the environment.
    pub fn is_given_now(&self, name: &str) -> bool {
        let origin = self.listing.origin(name);
        origin.is_some_and(|origin| !matches!(origin, Origin::Default | Origin::File { .. }))
    }
}

/// The screen before settings are read: for errors of the settings themselves.
pub fn first_screen(global: &Global) -> Screen {
    let chosen: Option<Lang> = global.lang;
    let json = std::env::var("DAAS_OUTPUT").is_ok_and(|form| form == "json");
    let format = global.output.unwrap_or(if json { Format::Json } else { Format::Human });
    Screen::of_process(format, chosen)
}

/// `--config`, `DAAS_CONFIG`, the user's own file; where there is none of these, what `daas up` wrote. A state folder that
/// was named goes before the user's file: whoever names it means the setup inside.
fn config_file(global: &Global, places: &Places, environment: &Environment) -> Option<PathBuf> {
    if global.config.is_some() || environment.get("DAAS_CONFIG").is_some() {
        return global.config.clone();
    }
    let users = environment.expand("{config}/config.toml").map(PathBuf::from);
    let has_own = users.is_some_and(|path| !matches!(path.try_exists(), Ok(false)));
    let development = places.client_settings();
    ((global.state_dir.is_some() || !has_own) && development.exists()).then_some(development)
}

fn flags(global: &Global, places: &Places) -> Flags {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let output = global.output.map(|format| match format {
        Format::Human => "text",
        Format::Json => "json",
    });
    // DAAS_STATE_DIR means the root of all roles here, as --state-dir does.
    let state = global.state_dir.is_some().then(|| places.of(crate::places::Role::Client).display().to_string());
    Flags::new()
        .set("output", output)
        .set("state_dir", state)
        .set("rpc", global.rpc.clone())
        .set("chain_id", global.chain_id.clone())
        .set("package", global.package.clone())
        .set("cluster", global.cluster.clone())
        .set("address", global.address.clone())
        .set("keystore_path", path(&global.keystore_path))
        .set("private_key", global.private_key.clone())
        .set("gas_budget", global.gas_budget.clone())
        .set("timeout", global.timeout.clone())
}
