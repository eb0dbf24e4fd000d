//! A control plane and one worker of the real programs, in namespaces of their own on one machine.
#![allow(dead_code)]

use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use daas_control_plane::components::{EncryptionKey, Layout, RawSettings, Settings, Webhooks};
use daas_control_plane::pki::{AuthorityName, Lifetimes};
use daas_control_plane::{Blueprint, ControlPlane};
use daas_node::{Node, Plan, PodNetwork, Programs, ProxyMode};
use daas_supervise::{Launcher, Timing};
use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use serde_json::{Value, json};
use tempfile::TempDir;
use x509_cert::der::Decode;

const MASTER: &str = "10.99.0.1";
pub(crate) const NAME: &str = "worker-1-0a1b2c3d";
pub(crate) const ADDRESS: [u8; 4] = [172, 30, 0, 11];
const INSIDE: &str = "DAAS_TEST_INSIDE";

/// Runs `scenario` as root in network, mount and process namespaces of its own: calls this test binary again inside them. Folders that a
/// worker writes to outside its own are empty ones there.
pub(crate) fn in_namespaces_of_its_own<F: Future<Output = ()>>(test: &str, scenario: impl FnOnce() -> F) {
    if std::env::var_os(INSIDE).is_none() {
        let _ =
            (piece("DAAS_KUBE"), piece("DAAS_CONTAINERD"), piece("DAAS_RUNC"), piece("DAAS_CNI"), piece("DAAS_IMAGES"));
        assert!(nix::unistd::geteuid().is_root(), "containers are made by root");
        std::fs::create_dir_all("/var/lib/kubelet").unwrap();
        let cgroup = format!("/daas-node-test-{}", std::process::id());
        let inside = "mount --make-rshared /
            for folder in /run /var/log /var/lib/kubelet; do mount -t tmpfs tmpfs $folder; done
            ip link set lo up
            \"$@\"; exit $?";
        let status = Command::new("unshare")
            .args([
                "--net",
                "--mount",
                "--pid",
                "--fork",
                "--mount-proc",
                "--kill-child",
                "--",
                "sh",
                "-c",
                inside,
                "sh",
            ])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(INSIDE, &cgroup)
            .status()
            .expect("unshare (util-linux)");
        let left = cgroups_called(&cgroup);
        // A failed test leaves none, either.
        for group in &left {
            remove_cgroup(group);
        }
        assert!(status.success(), "{test} failed inside its namespaces");
        assert!(left.is_empty(), "cgroups are left: {left:?}");
        return;
    }
    for address in [MASTER.to_owned(), std::net::Ipv4Addr::from(ADDRESS).to_string()] {
        let arguments = ["address", "add", &format!("{address}/32"), "dev", "lo"];
        assert!(Command::new("ip").args(arguments).status().expect("ip (iproute2)").success());
    }
    if std::env::var_os("DAAS_TEST_LOGS").is_some() {
        tracing_subscriber::fmt().with_env_filter("info").with_writer(std::io::stderr).init();
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(scenario());
}

/// The command lines of all processes in this namespace that have not ended.
fn processes() -> Vec<String> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let words = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ").trim().to_owned());
    words.filter(|line| !line.is_empty()).collect()
}

fn cgroups_called(name: &str) -> Vec<PathBuf> {
    let hierarchies = std::fs::read_dir("/sys/fs/cgroup").unwrap().flatten().map(|entry| entry.path());
    let all = hierarchies.chain([PathBuf::from("/sys/fs/cgroup")]);
    all.map(|hierarchy| hierarchy.join(name.trim_start_matches('/'))).filter(|path| path.exists()).collect()
}

fn remove_cgroup(group: &Path) {
    for entry in std::fs::read_dir(group).unwrap().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&entry.path());
        }
    }
    let _ = std::fs::remove_dir(group);
}

/// The folder of a piece of Kubernetes.
fn piece(variable: &str) -> PathBuf {
    let given = std::env::var_os(variable).filter(|given| !given.is_empty());
    let hint =
        "must name the folder that scripts/kubernetes-build --print prints for the piece; scripts/test-worker sets it";
    let given = PathBuf::from(given.unwrap_or_else(|| panic!("{variable} {hint}")));
    given.canonicalize().unwrap_or_else(|cause| panic!("{variable}={}: {cause}", given.display()))
}

fn kube() -> PathBuf {
    piece("DAAS_KUBE").join("kube")
}

/// `daas-launch`, which is built into the folder above the tests'.
fn launcher() -> Launcher {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join("daas-launch");
    assert!(program.exists(), "cargo build -p daas-supervise makes {}", program.display());
    Launcher::at(program)
}

/// A cluster with one Node that nobody runs yet.
pub(crate) struct Cluster {
    plane: ControlPlane,
    kubeconfig: PathBuf,
    pub(crate) folder: TempDir,
    pub(crate) plan: Plan,
}

impl Cluster {
    pub(crate) async fn with_a_node() -> Self {
        // Overlays need a real file system below.
        let folder = TempDir::new_in("/var/tmp").unwrap();
        let raw = RawSettings { advertise_address: Some(MASTER.into()), ..RawSettings::default() };
        let blueprint = Blueprint {
            kube: kube(),
            launcher: launcher(),
            settings: Settings::parse(&raw).unwrap(),
            layout: Layout::at(&folder.path().join("cp")).unwrap(),
            webhooks: Webhooks::None,
            encryption: EncryptionKey::generate().unwrap(),
            lifetimes: Lifetimes::default(),
            add_ons: None,
            cgroup: None,
            timing: Timing { ready: Duration::from_secs(1), ..Timing::default() },
        };
        let plane = ControlPlane::start(blueprint).await.unwrap();
        plane.ready().await.unwrap();
        let kubeconfig = admin(&plane, &folder);
        let plan = plan(&plane, &folder);
        let mut cluster = Self { plane, kubeconfig, folder, plan };
        cluster.make_node().await;
        cluster
    }

    /// As the master does: the Node, and the range that the controller manager gives it.
    async fn make_node(&mut self) {
        self.make_node_called(NAME);
        until(Duration::from_secs(30), "the Node has a range", async || !self.range_of(NAME).is_empty()).await;
        self.plan.pod_cidr = self.range_of(NAME).parse().unwrap();
    }

    pub(crate) fn make_node_called(&self, name: &str) {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
        self.apply(&node);
    }

    pub(crate) fn range_of(&self, name: &str) -> String {
        self.done(&["get", "node", name, "-o", "jsonpath={.spec.podCIDR}"])
    }

    pub(crate) fn apply(&self, object: &Value) {
        let path = self.folder.path().join("object.json");
        std::fs::write(&path, object.to_string()).unwrap();
        self.done(&["apply", "-f", path.to_str().unwrap()]);
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Output {
        let mut all: Vec<OsString> = vec!["kubectl".into(), "--kubeconfig".into(), self.kubeconfig.clone().into()];
        all.extend(arguments.iter().map(OsString::from));
        Command::new(kube()).args(all).output().unwrap()
    }

    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.kubectl(arguments);
        assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until the Node says that it is ready.
    pub(crate) async fn node_is_ready(&self, node: &Node) {
        let limit = Duration::from_mins(1);
        node.ready().await.unwrap_or_else(|error| panic!("{error}; {:?}", node.states().borrow()));
        let status = ["get", "node", NAME, "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}"];
        until(limit, "the Node is Ready", async || self.done(&status) == "True").await;
    }

    pub(crate) async fn pod_is(&self, name: &str, phase: &str) {
        let wanted = ["get", "pod", name, "-o", "jsonpath={.status.phase}"];
        let limit = Duration::from_mins(1);
        let begun = Instant::now();
        while self.done(&wanted) != phase {
            if begun.elapsed() > limit {
                let described = self.kubectl(&["describe", "pod", name]).stdout;
                let said = Command::new("sh")
                    .args(["-c", &format!("cat /var/log/pods/*_{name}_*/c/*.log")])
                    .output()
                    .unwrap()
                    .stdout;
                panic!(
                    "pod {name} is not {phase}: {}{}",
                    String::from_utf8_lossy(&described),
                    String::from_utf8_lossy(&said)
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A pod of the small test image.
    pub(crate) fn make_pod(&self, name: &str, script: &str) {
        self.make_pod_like(name, script, json!({}), json!({}));
    }

    /// A pod of the small test image with more in its specification and its container's.
    pub(crate) fn make_pod_like(&self, name: &str, script: &str, mut pod: Value, mut container: Value) {
        let image = "docker.io/library/busybox:1.36.1";
        for (key, value) in [("name", json!("c")), ("image", json!(image)), ("command", json!(["sh", "-c", script]))] {
            container[key] = value;
        }
        pod["restartPolicy"] = json!("Never");
        pod["terminationGracePeriodSeconds"] = json!(0);
        pod["containers"] = json!([container]);
        let metadata = json!({"name": name, "labels": {"app": name}});
        self.apply(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}));
    }

    /// The id of a pod's container, which a restart would change.
    pub(crate) fn container(&self, pod: &str) -> String {
        self.done(&["get", "pod", pod, "-o", "jsonpath={.status.containerStatuses[0].containerID}"])
    }

    /// How many processes in these namespaces have this command line.
    pub(crate) fn running(command: &str) -> usize {
        processes().iter().filter(|line| *line == command).count()
    }

    /// What is there of a worker.
    pub(crate) fn left(&self) -> Vec<String> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let points = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(ToOwned::to_owned);
        let own = self.folder.path().to_str().unwrap().to_owned();
        let below = move |point: &String| {
            point.starts_with(&own) || point.starts_with("/run/k3s-daas") || point.starts_with("/var/lib/kubelet/")
        };
        let mut left: Vec<String> = points.filter(below).collect();
        let programs = ["containerd", "kubelet", "kube-proxy", "pause", "sleep"];
        left.extend(processes().into_iter().filter(|line| {
            let program = line.split(' ').next().unwrap_or_default();
            programs
                .iter()
                .any(|name| Path::new(program).file_name().is_some_and(|file| file.to_string_lossy().starts_with(name)))
        }));
        let sockets = std::fs::read_dir("/run/containerd/s").into_iter().flatten().flatten();
        left.extend(sockets.map(|entry| entry.path().display().to_string()));
        for device in ["daas.1", "cni0"] {
            left.extend(Path::new("/sys/class/net").join(device).exists().then(|| device.to_owned()));
        }
        let tables = Command::new("nft").args(["list", "tables"]).output().expect("nft (nftables)");
        left.extend(String::from_utf8_lossy(&tables.stdout).lines().map(ToOwned::to_owned));
        left.extend(cgroups_called(self.plan.cgroup_root.as_str()).iter().map(|path| path.display().to_string()));
        left
    }

    pub(crate) async fn stop(self) {
        self.plane.stop().await;
    }
}

/// Another worker's end of the pod network, in a network namespace of its own: its VXLAN device, and an address for a pod.
pub(crate) struct OtherNode {
    /// An address of its range that answers.
    pub(crate) pod: String,
    gateway: String,
    /// The range and gateway of the worker that is tested.
    tested: (String, String),
}

impl OtherNode {
    pub(crate) fn start(plan: &Plan, range: &str) -> Self {
        let gateway = range.split('/').next().unwrap().to_owned();
        let pod = gateway.strip_suffix('0').unwrap().to_owned() + "5";
        ip(&["netns", "add", "other"]);
        ip(&["link", "add", "lan", "type", "veth", "peer", "name", "eth0", "netns", "other"]);
        ip(&["link", "set", "lan", "up"]);
        for address in ["172.30.0.12", "172.30.0.13"] {
            ip(&["route", "add", address, "dev", "lan", "src", "172.30.0.11"]);
            ip(&["-n", "other", "address", "add", &format!("{address}/32"), "dev", "eth0"]);
        }
        ip(&["-n", "other", "link", "set", "eth0", "up"]);
        ip(&["-n", "other", "link", "set", "lo", "up"]);
        ip(&["-n", "other", "route", "add", "172.30.0.11", "dev", "eth0"]);
        let tested = (plan.pod_cidr.to_string(), plan.pod_cidr.network().to_string());
        let other = Self { pod, gateway, tested };
        ip(&["-n", "other", "address", "add", &format!("{}/32", other.pod), "dev", "lo"]);
        other.speak_from("172.30.0.12");
        other
    }

    /// Sends encapsulated packets from this address. The hardware addresses are those that follow from 172.30.0.11 and .12.
    pub(crate) fn speak_from(&self, address: &str) {
        let (range, gateway) = (&self.tested.0, &self.tested.1);
        let (here, there) = ("02:da:ac:1e:00:0c", "02:da:ac:1e:00:0b");
        let _ = Command::new("ip").args(["-n", "other", "link", "del", "v"]).output();
        let vxlan = "type vxlan id 1 dstport 8472 nolearning local".split(' ');
        let add = ["-n", "other", "link", "add", "v", "address", here].into_iter().chain(vxlan).chain([address]);
        ip(&add.collect::<Vec<_>>());
        ip(&["-n", "other", "link", "set", "v", "mtu", "1450", "up"]);
        ip(&["-n", "other", "address", "replace", &format!("{}/32", self.gateway), "dev", "v"]);
        ip(&["-n", "other", "neigh", "replace", gateway, "lladdr", there, "dev", "v", "nud", "permanent"]);
        ip(&["-n", "other", "route", "replace", range, "via", gateway, "dev", "v", "onlink"]);
        let append = ["-n", "other", "fdb", "append", there, "dev", "v", "dst", "172.30.0.11"];
        assert!(Command::new("bridge").args(append).status().expect("bridge (iproute2)").success());
    }
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().expect("ip (iproute2)");
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn plan(plane: &ControlPlane, folder: &TempDir) -> Plan {
    let pem = |name: AuthorityName| plane.with_pki(|pki| pki.authority(name).pem());
    let write = |name: &str, (certificate, key): (rcgen::Certificate, rcgen::KeyPair)| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{}{}", certificate.pem(), key.serialize_pem())).unwrap();
        path
    };
    let node = format!("system:node:{NAME}");
    let address = std::net::IpAddr::from(ADDRESS);
    let serving = issue(plane, AuthorityName::KubeletServing, &node, "system:nodes", ServerAuth, Some(address));
    let kubelet = issue(plane, AuthorityName::Client, &node, "system:nodes", ClientAuth, None);
    let proxy = issue(plane, AuthorityName::Client, "system:kube-proxy", "seal:node", ClientAuth, None);
    Plan {
        name: NAME.parse().unwrap(),
        address: ADDRESS.into(),
        pod_cidr: "10.42.0.0/24".parse().unwrap(),
        cluster_cidr: "10.42.0.0/16".parse().unwrap(),
        service_cidr: "10.43.0.0/16".parse().unwrap(),
        cluster_dns: [10, 43, 0, 10].into(),
        cluster_domain: "cluster.local".parse().unwrap(),
        api: ([127, 0, 0, 1], 6443).into(),
        server_ca: pem(AuthorityName::Server),
        client_ca: pem(AuthorityName::Client),
        kubelet_client: write("kubelet-client.pem", kubelet),
        kubelet_serving: write("kubelet-serving.pem", serving),
        kube_proxy: write("kube-proxy.pem", proxy),
        programs: Programs::in_folders(
            piece("DAAS_KUBE"),
            piece("DAAS_CONTAINERD"),
            piece("DAAS_RUNC"),
            piece("DAAS_CNI"),
            launcher(),
        ),
        images: Some(piece("DAAS_IMAGES")),
        registries: None,
        state_dir: folder.path().join("worker").as_path().try_into().unwrap(),
        run_dir: "/run/k3s-daas/worker".parse().unwrap(),
        kubelet_dir: "/var/lib/kubelet".parse().unwrap(),
        cgroup_root: std::env::var(INSIDE).unwrap().parse().unwrap(),
        pod_network: PodNetwork::Vxlan,
        proxy_mode: ProxyMode::Nftables,
        resolv_conf: "/etc/resolv.conf".into(),
    }
}

/// An administrator. Only tests make such a certificate.
fn admin(plane: &ControlPlane, folder: &TempDir) -> PathBuf {
    let (certificate, key) = issue(plane, AuthorityName::Client, "test-admin", "system:masters", ClientAuth, None);
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let ca = write("ca.crt", &plane.with_pki(|pki| pki.authority(AuthorityName::Server).pem()));
    let pair = write("admin.pem", &format!("{}{}", certificate.pem(), key.serialize_pem()));
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": format!("https://{MASTER}:6443"), "certificate-authority": ca}}],
        "users": [{"name": "x", "user": {"client-certificate": pair, "client-key": pair}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    });
    write("admin.kubeconfig", &kubeconfig.to_string())
}

fn issue(
    plane: &ControlPlane,
    authority: AuthorityName,
    user: &str,
    group: &str,
    purpose: rcgen::ExtendedKeyUsagePurpose,
    address: Option<std::net::IpAddr>,
) -> (rcgen::Certificate, rcgen::KeyPair) {
    plane.with_pki(|pki| {
        let authority = pki.authority(authority);
        let signing = rcgen::KeyPair::from_pem(&authority.key().to_pem()).unwrap();
        let subject = x509_cert::Certificate::from_der(authority.der()).unwrap().tbs_certificate.subject.to_string();
        let mut signer = rcgen::CertificateParams::default();
        signer.distinguished_name = rcgen::DistinguishedName::new();
        signer.distinguished_name.push(rcgen::DnType::CommonName, subject.strip_prefix("CN=").unwrap());
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, group);
        params.distinguished_name.push(rcgen::DnType::CommonName, user);
        params.extended_key_usages = vec![purpose];
        params.subject_alt_names.extend(address.map(rcgen::SanType::IpAddress));
        (params.signed_by(&key, &rcgen::Issuer::new(signer, signing)).unwrap(), key)
    })
}

/// Waits for a condition, with a deadline.
pub(crate) async fn until(limit: Duration, what: &str, condition: impl AsyncFn() -> bool) -> Duration {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < limit, "not within {} s: {what}", limit.as_secs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    begun.elapsed()
}
