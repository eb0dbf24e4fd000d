use daas_diagnostics::Phrase;

use super::endpoint::CriEndpoint;
use super::{Refusal, Value, text_form};

/// Declares a setting that is one of a few words.
macro_rules! choice {
    ($(#[$meta:meta])+ $Name:ident { $( $(#[$doc:meta])+ $Variant:ident = $word:literal ),+ $(,)? }) => {
        $(#[$meta])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $Name { $( $(#[$doc])+ $Variant ),+ }

        impl $Name {
            /// The word of this choice.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$Variant => $word ),+ }
            }

            fn of_word(word: &str) -> Option<Self> {
                match word { $( $word => Some(Self::$Variant), )+ _ => None }
            }
        }

        text_form!($Name);
    };
}

/// A choice without special cases.
macro_rules! plain_choice {
    ($Name:ident, $form:literal) => {
        impl Value for $Name {
            const FORM: Phrase = Phrase::new($form, $form);

            fn parse(text: &str) -> Result<Self, Refusal> {
                Self::of_word(text).ok_or(Refusal::Expected(Self::FORM))
            }

            fn show(&self) -> String {
                self.as_str().to_owned()
            }
        }
    };
}

choice! {
    /// How much is logged.
    LogLevel {
        /// What failed.
        Error = "error",
        /// What may fail soon.
        Warn = "warn",
        /// What happened.
        Info = "info",
        /// How it happened.
        Debug = "debug",
        /// Every step.
        Trace = "trace",
    }
}
plain_choice!(LogLevel, "`error`, `warn`, `info`, `debug`, `trace`");

choice! {
    /// How far a single Sui node is believed.
    TrustMode {
        /// One node is believed.
        Rpc = "rpc",
        /// Several nodes must agree.
        Quorum = "quorum",
    }
}
plain_choice!(TrustMode, "`rpc`, `quorum`");

choice! {
    /// What commands print.
    OutputFormat {
        /// Text for people.
        Text = "text",
        /// JSON for programs.
        Json = "json",
    }
}
plain_choice!(OutputFormat, "`text`, `json`");

choice! {
    /// How pods reach those of other workers.
    PodNetwork {
        /// A VXLAN device that the worker keeps.
        Vxlan = "vxlan",
        /// Not by the worker's doing: the cluster brings a CNI of its own.
        None = "none",
    }
}
plain_choice!(PodNetwork, "`vxlan`, `none`");

choice! {
    /// How services are made on a worker.
    ProxyMode {
        /// By nftables, which needs the program `nft`.
        Nftables = "nftables",
        /// By iptables, for kernels without nftables.
        Iptables = "iptables",
    }
}
plain_choice!(ProxyMode, "`nftables`, `iptables`");

choice! {
    /// The kind of container runtime.
    RuntimeKind {
        /// The containerd that the worker brings.
        Containerd = "containerd",
        /// Another runtime that speaks CRI.
        Cri = "cri",
    }
}

impl Value for RuntimeKind {
    const FORM: Phrase = Phrase::new("`containerd`, `cri`", "`containerd`, `cri`");

    fn parse(text: &str) -> Result<Self, Refusal> {
        if text.eq_ignore_ascii_case("docker") {
            return Err(Refusal::Docker);
        }
        Self::of_word(text).ok_or(Refusal::Expected(Self::FORM))
    }

    fn show(&self) -> String {
        self.as_str().to_owned()
    }
}

/// The container runtime with what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerRuntime {
    /// The containerd that the worker brings.
    Containerd,
    /// Another runtime, at its CRI socket.
    Cri(CriEndpoint),
}
