use std::fmt;
use std::path::PathBuf;

use daas_diagnostics::Lang;

/// Where the value of a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line, by setting name.
    Flag(String),
    /// An environment variable.
    Environment(String),
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The default.
    Default,
}

impl Origin {
    /// The origin in words.
    pub fn describe(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Flag(name), Lang::English) => format!("flag {}", flag_of(name)),
            (Self::Flag(name), Lang::Korean) => format!("플래그 {}", flag_of(name)),
            (Self::Environment(name), Lang::English) => format!("environment variable {name}"),
            (Self::Environment(name), Lang::Korean) => format!("환경 변수 {name}"),
            (Self::File { path, line }, Lang::English) => format!("{}, line {line}", path.display()),
            (Self::File { path, line }, Lang::Korean) => format!("{} 파일 {line}번째 줄", path.display()),
            (Self::Default, Lang::English) => "the default".to_owned(),
            (Self::Default, Lang::Korean) => "기본값".to_owned(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe(Lang::English))
    }
}

/// The flag of a setting: `--node-id` for `node_id`.
pub(crate) fn flag_of(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}
