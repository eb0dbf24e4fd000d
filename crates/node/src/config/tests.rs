use std::path::Path;

use daas_supervise::Launcher;
use serde_json::Value;

use super::*;
use crate::{Programs, ProxyMode};

fn plan() -> Plan {
    Plan {
        name: "worker-1-0a1b2c3d".parse().unwrap(),
        address: [172, 30, 0, 11].into(),
        pod_cidr: "10.42.1.0/24".parse().unwrap(),
        cluster_cidr: "10.42.0.0/16".parse().unwrap(),
        service_cidr: "10.43.0.0/16".parse().unwrap(),
        cluster_dns: [10, 43, 0, 10].into(),
        cluster_domain: "cluster.local".parse().unwrap(),
        api: ([127, 0, 0, 1], 6443).into(),
        server_ca: "SERVER CA\n".into(),
        client_ca: "CLIENT CA\n".into(),
        kubelet_client: "/keys/kubelet-client.pem".into(),
        kubelet_serving: "/keys/kubelet-serving.pem".into(),
        kube_proxy: "/keys/kube-proxy.pem".into(),
        programs: Programs::in_folders("/p", "/p", "/p", "/p/cni", Launcher::at("/p/daas-launch")),
        images: None,
        registries: None,
        state_dir: "/var/lib/k3s-daas/worker-1".parse().unwrap(),
        run_dir: "/run/k3s-daas/worker-1".parse().unwrap(),
        kubelet_dir: "/var/lib/kubelet".parse().unwrap(),
        cgroup_root: "/k3s-daas/worker-1".parse().unwrap(),
        pod_network: PodNetwork::Vxlan,
        proxy_mode: ProxyMode::Nftables,
        resolv_conf: "/etc/resolv.conf".into(),
    }
}

fn machine() -> Machine {
    Machine { may_lower_oom_score: true, resolv_conf: "/etc/resolv.conf".into() }
}

fn file<'a>(configuration: &'a Configuration, name: &str) -> &'a str {
    let found = configuration.files.iter().find(|file| file.path.ends_with(name));
    &found.unwrap_or_else(|| panic!("no {name}")).content
}

fn json(configuration: &Configuration, name: &str) -> Value {
    serde_json::from_str(file(configuration, name)).unwrap()
}

fn toml(configuration: &Configuration) -> toml::Table {
    file(configuration, "containerd.toml").parse().unwrap()
}

#[test]
fn files_of_a_worker() {
    let configuration = Configuration::of(&plan(), &machine());
    let text = configuration.files.iter().map(|file| {
        let content = match serde_json::from_str::<Value>(&file.content) {
            Ok(json) => serde_json::to_string_pretty(&json).unwrap(),
            Err(_) => file.content.clone(),
        };
        format!("== {}\n{content}\n", file.path.display())
    });
    insta::assert_snapshot!(text.collect::<String>());
}

#[test]
fn command_lines_of_a_worker() {
    let Configuration { containerd, kubelet, kube_proxy, .. } = Configuration::of(&plan(), &machine());
    let text = |name: &str, arguments: &[String]| format!("{name}\n  {}\n", arguments.join("\n  "));
    insta::assert_snapshot!(
        [text("containerd", &containerd), text("kubelet", &kubelet), text("kube-proxy", &kube_proxy)].concat()
    );
}

#[test]
fn a_machine_without_cap_sys_resource_lowers_no_oom_score() {
    let restricted = |may| {
        let configuration = Configuration::of(&plan(), &Machine { may_lower_oom_score: may, ..machine() });
        toml(&configuration)["plugins"]["io.containerd.cri.v1.runtime"]["restrict_oom_score_adj"].as_bool()
    };
    assert_eq!((restricted(true), restricted(false)), (Some(false), Some(true)));
}

#[test]
fn nodes_run_no_pods_of_their_own_and_answer_nobody_unknown() {
    let kubelet = json(&Configuration::of(&plan(), &machine()), "kubelet.json");
    assert_eq!((&kubelet["staticPodPath"], &kubelet["staticPodURL"]), (&Value::from(""), &Value::from("")));
    assert_eq!(kubelet["authentication"]["anonymous"]["enabled"], false);
    assert_eq!(kubelet["authorization"]["mode"], "Webhook");
    assert_eq!(kubelet["readOnlyPort"], 0);
    assert_eq!(kubelet["healthzBindAddress"], "127.0.0.1");
    assert_eq!(kubelet["tlsMinVersion"], "VersionTLS13");
}

#[test]
fn odd_paths_and_urls_stay_values() {
    let mut plan = plan();
    let odd = "/p q/\"x\"\n[plugins] = '$(id)'";
    plan.programs.runc = odd.into();
    plan.registries = Some(odd.into());
    plan.kubelet_serving = odd.into();
    let configuration = Configuration::of(&plan, &machine());
    let toml = toml(&configuration);
    let cri = &toml["plugins"]["io.containerd.cri.v1.runtime"];
    assert_eq!(cri["containerd"]["runtimes"]["runc"]["options"]["BinaryName"].as_str(), Some(odd));
    assert_eq!(toml["plugins"].as_table().unwrap().len(), 2);
    let images = &toml["plugins"]["io.containerd.cri.v1.images"];
    assert_eq!(images["registry"]["config_path"].as_str(), Some(odd));
    assert_eq!(json(&configuration, "kubelet.json")["tlsCertFile"], odd);
}

#[test]
fn iptables_and_an_own_cni_are_taken_where_asked_for() {
    let iptables = Plan { proxy_mode: ProxyMode::Iptables, ..plan() };
    let configuration = Configuration::of(&iptables, &machine());
    assert_eq!(json(&configuration, "kube-proxy.json")["mode"], "iptables");
    assert_eq!(json(&configuration, "10-daas.conflist")["plugins"][1]["backend"], "iptables");
    assert_eq!(json(&configuration, "kubelet.json")["makeIPTablesUtilChains"], true);

    let own = Plan { pod_network: PodNetwork::None, ..plan() };
    let configuration = Configuration::of(&own, &machine());
    assert!(!configuration.files.iter().any(|file| file.path.ends_with("10-daas.conflist")));
    let cni = &toml(&configuration)["plugins"]["io.containerd.cri.v1.runtime"]["cni"];
    assert_eq!(cni["conf_dir"].as_str(), Some("/etc/cni/net.d"));
    assert_eq!(cni["bin_dirs"][0].as_str(), Some("/opt/cni/bin"));
}

#[test]
fn no_file_holds_a_key() {
    for file in Configuration::of(&plan(), &machine()).files {
        assert!(!file.content.contains("PRIVATE KEY"), "{}", file.path.display());
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let said = |plan: Plan| plan.check().unwrap_err().to_string();
    let range = |text: &str| text.parse().unwrap();
    assert!(said(Plan { pod_cidr: range("10.44.1.0/24"), ..plan() }).contains("10.44.1.0/24"));
    assert!(said(Plan { pod_cidr: range("10.42.1.0/30"), ..plan() }).contains("too small"));
    assert!(said(Plan { service_cidr: range("10.42.128.0/17"), ..plan() }).contains("overlap"));
    assert!(said(Plan { address: [10, 42, 1, 5].into(), ..plan() }).contains("10.42.1.5"));
    assert!(said(Plan { address: [10, 43, 0, 1].into(), ..plan() }).contains("10.43.0.1"));
    assert!(said(Plan { kubelet_dir: "/run/k3s-daas/worker-1/kubelet".parse().unwrap(), ..plan() }).contains("apart"));
    assert!(said(plan()).contains("/p/kube"), "a missing program is named");
    let mut relative = plan();
    relative.programs.kube = "kube".into();
    assert!(said(relative).contains("absolute"));
}

#[test]
fn sockets_have_room() {
    let long = format!("/run/{}", "x".repeat(80));
    assert!(Layout::of(&Plan { run_dir: long.parse().unwrap(), ..plan() }).check().is_err());
    Layout::of(&plan()).check().unwrap();
    assert!(Layout::of(&plan()).containerd_socket().starts_with(Path::new("/run/k3s-daas/worker-1")));
}
