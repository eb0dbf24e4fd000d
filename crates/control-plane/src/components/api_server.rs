use daas_settings::LogLevel;

use super::flags::{CommandLine, Composed, Flags};
use super::{AuthenticatorWebhooks, Layout, Settings, TlsMinimum, Webhooks, ports};
use crate::components::ComponentName;
use crate::pki::{AuthorityName, CertificateFiles, Keeper, LeafName};

/// The suite of the first control plane first; Go's HTTP/2 server refuses to start without the second (RFC 9113 §9.2.2).
const TLS12_SUITES: &str = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";

pub(super) fn command_line(settings: &Settings, layout: &Layout, webhooks: &Webhooks) -> CommandLine {
    let component = ComponentName::ApiServer;
    let flags = Flags::of(component);
    let flags = reached_at(flags, settings);
    let flags = store(flags, layout);
    let flags = certificates(flags, layout);
    let flags = service_accounts(flags, settings, layout);
    let flags = who_may(flags, layout, webhooks);
    let flags = audited(flags, layout, webhooks);
    let flags = tls(flags, settings.tls_minimum)
        .set("enable-admission-plugins", "NodeRestriction,EventRateLimit")
        .set("admission-control-config-file", layout.config("admission.json"))
        // Services are resolved here, so that the gateway sees pods' addresses only.
        .set("enable-aggregator-routing", true)
        // A node's other addresses are its own word.
        .set("kubelet-preferred-address-types", "Hostname")
        .set("egress-selector-config-file", layout.config("egress.json"))
        .set("allow-privileged", true)
        .set("profiling", false);
    logs(flags, settings.log_level).into_command_line(component, go_environment(settings, component))
}

fn reached_at(flags: Flags, settings: &Settings) -> Flags {
    flags
        .set("bind-address", settings.bind_address)
        .set("secure-port", settings.https_port)
        .set("advertise-address", settings.advertise_address)
        .set("endpoint-reconciler-type", "lease")
        .set("service-cluster-ip-range", settings.service_cidr.clone())
}

fn store(flags: Flags, layout: &Layout) -> Flags {
    let pki = layout.pki();
    let client = pki.certificate(LeafName::ApiServerToEtcd);
    flags
        .set("etcd-servers", Composed(format!("https://127.0.0.1:{}", ports::ETCD)))
        .set("etcd-cafile", pki.trust(Keeper::ApiServer, AuthorityName::Etcd))
        .set("etcd-certfile", client.path())
        .set("etcd-keyfile", client.path())
        .set("encryption-provider-config", layout.config("encryption.json"))
        .set("encryption-provider-config-automatic-reload", true)
}

fn certificates(flags: Flags, layout: &Layout) -> Flags {
    let pki = layout.pki();
    let trust = |authority| pki.trust(Keeper::ApiServer, authority);
    let [serving, kubelet, proxy]: [CertificateFiles; 3] =
        [LeafName::ApiServerServing, LeafName::ApiServerToKubelet, LeafName::ApiServerProxy]
            .map(|name| pki.certificate(name));
    flags
        .set("tls-cert-file", serving.path())
        .set("tls-private-key-file", serving.path())
        .set("client-ca-file", trust(AuthorityName::Client))
        .set("kubelet-client-certificate", kubelet.path())
        .set("kubelet-client-key", kubelet.path())
        .set("kubelet-certificate-authority", trust(AuthorityName::KubeletServing))
        .set("requestheader-client-ca-file", trust(AuthorityName::FrontProxy))
        .set("requestheader-allowed-names", LeafName::ApiServerProxy.common_name())
        .set("requestheader-username-headers", "X-Remote-User")
        .set("requestheader-group-headers", "X-Remote-Group")
        .set("requestheader-extra-headers-prefix", "X-Remote-Extra-")
        .set("proxy-client-cert-file", proxy.path())
        .set("proxy-client-key-file", proxy.path())
}

fn service_accounts(flags: Flags, settings: &Settings, layout: &Layout) -> Flags {
    let pki = layout.pki();
    flags
        .set("service-account-issuer", Composed(format!("https://kubernetes.default.svc.{}", settings.cluster_domain)))
        .set("service-account-signing-key-file", pki.service_account_key())
        .set("service-account-key-file", pki.service_account_public())
        // Extended tokens live a year, whatever was asked for.
        .set("service-account-extend-token-expiration", false)
        .set("service-account-max-token-expiration", "24h")
}

fn who_may(flags: Flags, layout: &Layout, webhooks: &Webhooks) -> Flags {
    let flags = flags
        .set("anonymous-auth", false)
        .set("feature-gates", feature_gates(webhooks))
        .set("authorization-config", layout.config("authorization.json"));
    match webhooks {
        Webhooks::None => flags,
        Webhooks::Authenticator(_) => flags
            .set("authentication-token-webhook-version", "v1")
            .set("authentication-token-webhook-cache-ttl", "1s")
            .set("authentication-token-webhook-config-file", layout.config("token.kubeconfig")),
    }
}

/// Constrained impersonation caches its verdicts for ten seconds: longer than a slashed identity may last. Webhooks from manifests are
/// what no administrator can delete (alpha in 1.36).
fn feature_gates(webhooks: &Webhooks) -> &'static str {
    match webhooks {
        Webhooks::Authenticator(AuthenticatorWebhooks { admission_port: Some(_), .. }) => {
            "ConstrainedImpersonation=false,ManifestBasedAdmissionControlConfig=true"
        }
        _ => "ConstrainedImpersonation=false",
    }
}

/// The log is three files of at most 8 MiB; the webhook is told before the answer begins, or a stream could outrun it.
fn audited(flags: Flags, layout: &Layout, webhooks: &Webhooks) -> Flags {
    let flags = flags
        .set("audit-policy-file", layout.config("audit.json"))
        .set("audit-log-path", layout.audit_log())
        .set("audit-log-maxsize", 8_u8)
        .set("audit-log-maxbackup", 2_u8)
        .set("audit-log-truncate-enabled", true);
    match webhooks {
        Webhooks::None => flags,
        Webhooks::Authenticator(_) => flags
            .set("audit-webhook-config-file", layout.config("audit.kubeconfig"))
            .set("audit-webhook-mode", "blocking")
            .set("audit-webhook-truncate-enabled", true)
            // Headers of a megabyte, each byte six in JSON: an event that is dropped for its length hides a stream (docs/join.md).
            .set("audit-webhook-truncate-max-event-size", 8_388_608_u32)
            .set("audit-webhook-truncate-max-batch-size", 16_777_216_u32)
            // The default of ten seconds would hold every watch for as long when the webhook restarts.
            .set("audit-webhook-initial-backoff", "50ms"),
    }
}

pub(super) fn tls(flags: Flags, minimum: TlsMinimum) -> Flags {
    match minimum {
        TlsMinimum::V13 => flags.set("tls-min-version", "VersionTLS13"),
        TlsMinimum::V12 => flags.set("tls-min-version", "VersionTLS12").set("tls-cipher-suites", TLS12_SUITES),
    }
}

/// Never above 6: from 8 on, client-go logs headers and bodies, and with them Secrets.
pub(super) fn logs(flags: Flags, level: LogLevel) -> Flags {
    let verbosity: u8 = match level {
        LogLevel::Error | LogLevel::Warn => 0,
        LogLevel::Info => 1,
        LogLevel::Debug => 4,
        LogLevel::Trace => 6,
    };
    flags.set("logging-format", "json").set("v", verbosity)
}

/// The whole environment of a program: where Go's collector begins to work harder, and no proxy that somebody may have set.
pub(super) fn go_environment(settings: &Settings, component: ComponentName) -> Vec<(&'static str, String)> {
    vec![
        ("GOMEMLIMIT", format!("{}MiB", settings.memory_limit(component).soft_mib())),
        // A crash prints one goroutine, not the stacks (and arguments) of thousands.
        ("GOTRACEBACK", "single".into()),
        ("HOME", "/nonexistent".into()),
        ("PATH", "/nonexistent".into()),
    ]
}
