//! Errors that people can act on.
//!
//! Every error that a user meets has a code (`DAAS-1042`), says what happened, why, and what to do next, in Korean or
//! English, and carries its technical cause in English below. All texts stand in one [catalogue]; other crates
//! implement [`Diagnose`] for their error enums and fill in the blanks:
//!
//! ```
//! use daas_diagnostics::{Diagnostic, Lang, Style, codes};
//!
//! let diagnostic = Diagnostic::new(codes::STAKE_TOO_SMALL).with("amount", "10000 MIST").with("minimum", "1 SUI");
//! let text = diagnostic.render(Style { lang: Lang::English, colour: false });
//! assert!(text.starts_with("error[DAAS-1301]: The stake is too small"));
//! ```

pub mod catalogue;
mod diagnostic;
mod lang;
mod phrase;
mod redact;
mod render;

pub use catalogue::{Code, codes};
pub use diagnostic::{Diagnose, Diagnostic};
pub use lang::Lang;
pub use phrase::Phrase;
pub use redact::{redact, redact_line};
pub use render::Style;
