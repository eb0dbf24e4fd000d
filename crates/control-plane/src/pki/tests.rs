use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use x509_cert::Certificate;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, DecodePem};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName, name::GeneralName};

use super::*;

const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

fn pki() -> Pki {
    let names = ServingNames { dns: vec!["kubernetes".into()], addresses: vec!["10.43.0.1".parse().unwrap()] };
    Pki::create(names, Lifetimes::default(), now()).unwrap()
}

fn extension<'a, T: AssociatedOid + Decode<'a>>(certificate: &'a Certificate) -> Option<(bool, T)> {
    certificate.tbs_certificate.get::<T>().unwrap()
}

fn purposes(certificate: &Certificate) -> Vec<String> {
    let (_, usage) = extension::<ExtendedKeyUsage>(certificate).unwrap();
    usage.0.iter().map(ToString::to_string).collect()
}

#[test]
fn authorities_sign_end_entities_only() {
    let pki = pki();
    for name in AuthorityName::ALL {
        let certificate = Certificate::from_der(pki.authority(name).der()).unwrap();
        let (critical, constraints) = extension::<BasicConstraints>(&certificate).unwrap();
        assert!(critical && constraints.ca && constraints.path_len_constraint == Some(0), "{name:?}");
        let (critical, usage) = extension::<KeyUsage>(&certificate).unwrap();
        assert!(critical && usage.key_cert_sign() && !usage.key_encipherment(), "{name:?}");
    }
}

#[test]
fn every_certificate_has_the_purposes_of_its_program_and_no_others() {
    let pki = pki();
    for name in LeafName::ALL {
        let certificate = Certificate::from_der(pki.leaf(name).der()).unwrap();
        let issuer = Certificate::from_der(pki.authority(name.authority()).der()).unwrap();
        assert_eq!(certificate.tbs_certificate.issuer, issuer.tbs_certificate.subject, "{name:?}");
        let constraints = extension::<BasicConstraints>(&certificate);
        assert!(constraints.is_none_or(|(_, constraints)| !constraints.ca), "{name:?}");
        let (critical, usage) = extension::<KeyUsage>(&certificate).unwrap();
        assert!(critical && usage.digital_signature() && !usage.key_cert_sign(), "{name:?}");
        let expected: &[&str] = match name {
            LeafName::EtcdPeer => &[SERVER_AUTH, CLIENT_AUTH],
            LeafName::ApiServerToEtcd
            | LeafName::ApiServerToKubelet
            | LeafName::ApiServerToWebhooks
            | LeafName::ApiServerProxy
            | LeafName::ControllerManagerClient
            | LeafName::SchedulerClient
            | LeafName::MasterClient
            | LeafName::MasterToEtcd => &[CLIENT_AUTH],
            _ => &[SERVER_AUTH],
        };
        assert_eq!(purposes(&certificate), expected, "{name:?}");
    }
}

#[test]
fn nobody_is_in_a_group_of_kubernetes() {
    let pki = pki();
    for name in LeafName::ALL {
        let certificate = Certificate::from_der(pki.leaf(name).der()).unwrap();
        let subject = certificate.tbs_certificate.subject.to_string();
        assert_eq!(subject, format!("CN={}", name.common_name()), "an organization would be a group");
    }
}

#[test]
fn the_api_server_answers_to_its_names_and_etcd_to_loopback_only() {
    let pki = pki();
    let names = |name| {
        let certificate = Certificate::from_der(pki.leaf(name).der()).unwrap();
        let (_, names) = extension::<SubjectAltName>(&certificate).unwrap();
        names.0
    };
    let api = names(LeafName::ApiServerServing);
    assert_eq!(api.len(), 2);
    assert!(matches!(&api[0], GeneralName::DnsName(name) if name.as_str() == "kubernetes"));
    assert!(matches!(&api[1], GeneralName::IpAddress(address) if address.as_bytes() == [10, 43, 0, 1]));
    let etcd = names(LeafName::EtcdServing);
    assert!(
        etcd.iter().any(|name| matches!(name, GeneralName::IpAddress(address) if address.as_bytes() == [127, 0, 0, 1]))
    );
    assert!(
        !etcd
            .iter()
            .any(|name| matches!(name, GeneralName::IpAddress(address) if address.as_bytes() == [10, 43, 0, 1]))
    );
}

#[test]
fn renewal_gives_a_new_key_and_serial_but_for_the_key_that_is_attested() {
    let mut pki = pki();
    let look = |pki: &Pki, name| {
        let certificate = Certificate::from_der(pki.leaf(name).der()).unwrap();
        let tbs = certificate.tbs_certificate;
        (tbs.serial_number.to_string(), tbs.subject_public_key_info)
    };
    for name in [LeafName::ApiServerServing, LeafName::MasterServing] {
        let (serial, key) = look(&pki, name);
        let id = pki.leaf(name).credential_id();
        let renewed = pki.renewed(name, now() + Duration::from_mins(1)).unwrap();
        pki.install(name, renewed);
        let (fresh_serial, fresh_key) = look(&pki, name);
        assert_ne!(serial, fresh_serial);
        assert_ne!(id, pki.leaf(name).credential_id());
        assert_eq!(key == fresh_key, name == LeafName::MasterServing);
    }
}

#[test]
fn no_certificate_outlives_its_authority() {
    let lifetimes = Lifetimes { authority: Duration::from_hours(1), ..Lifetimes::default() };
    let pki = Pki::create(ServingNames::loopback(), lifetimes, now()).unwrap();
    for name in LeafName::ALL {
        assert_eq!(pki.leaf(name).window().not_after, pki.authority(name.authority()).window().not_after);
    }
}

#[test]
fn a_replaced_service_account_key_verifies_until_its_tokens_have_ended() {
    let mut pki = pki();
    let first = pki.service_account().verifying_pem();
    let rotated = pki.rotated_service_account_keys(now()).unwrap();
    pki.install_service_account_keys(rotated);
    assert!(pki.service_account().verifying_pem().ends_with(&first));
    assert_ne!(pki.service_account().signing().public_pem(), first);
    let rotated = pki.rotated_service_account_keys(now() + Duration::from_hours(25)).unwrap();
    pki.install_service_account_keys(rotated);
    assert!(!pki.service_account().verifying_pem().contains(&first));
    assert_eq!(pki.service_account().verifying_pem().matches("BEGIN PUBLIC KEY").count(), 2);
}

#[test]
fn only_what_programs_read_is_written_and_only_for_its_owner() {
    let pki = pki();
    let root = tempfile::tempdir().unwrap();
    let folder = PkiFolder::at(root.path().join("pki"));
    folder.write(&pki).unwrap();
    folder.write(&pki).unwrap(); // over itself
    let mut keys = Vec::new();
    let mut visit = vec![root.path().join("pki")];
    while let Some(path) = visit.pop() {
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            visit.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        assert_eq!(mode, 0o600, "{}", path.display());
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("PRIVATE KEY") {
            keys.push(path);
        }
    }
    let written = |needle: &str| keys.iter().any(|path| std::fs::read_to_string(path).unwrap().contains(needle));
    for name in LeafName::ALL {
        let key = pki.leaf(name).key().to_pem();
        assert_eq!(written(&key), matches!(name.place(), Place::Files(_)), "{name:?}");
    }
    for name in AuthorityName::ALL {
        let handed_out = matches!(name, AuthorityName::Client | AuthorityName::KubeletServing);
        assert_eq!(written(&pki.authority(name).key().to_pem()), handed_out, "{name:?}");
    }
    // The signing authorities' keys are the authenticator's alone.
    for keeper in [Keeper::Etcd, Keeper::ApiServer, Keeper::ControllerManager, Keeper::Scheduler] {
        let folder = root.path().join("pki").join(keeper.folder());
        let signing = |path: &Path| {
            path.extension().is_some_and(|end| end == "key")
                && path.file_stem().is_some_and(|stem| stem != "service-account")
        };
        assert!(!folder.read_dir().unwrap().any(|entry| signing(&entry.unwrap().path())), "{keeper:?}");
    }
}

#[test]
fn certificate_and_key_of_one_file_belong_together() {
    let pki = pki();
    let root = tempfile::tempdir().unwrap();
    let folder = PkiFolder::at(root.path());
    folder.write(&pki).unwrap();
    let text = std::fs::read(folder.certificate(LeafName::EtcdServing).path()).unwrap();
    let text = String::from_utf8(text).unwrap();
    let certificate =
        Certificate::from_pem(text.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap()).unwrap();
    assert_eq!(certificate, Certificate::from_der(pki.leaf(LeafName::EtcdServing).der()).unwrap());
    assert!(text.ends_with(pki.leaf(LeafName::EtcdServing).key().to_pem().as_str()));
}

#[test]
fn keys_do_not_print() {
    let pki = pki();
    let key = pki.leaf(LeafName::MasterClient).key();
    let printed = format!("{key:?} {pki:?} {:?}", Identity::of(&pki, LeafName::MasterClient));
    assert!(printed.contains("PrivateKey(…)") && !printed.contains("BEGIN") && printed.len() < 4000, "{printed}");
}
