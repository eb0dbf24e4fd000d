//! The real programs. `DAAS_KUBE=$(scripts/kubernetes-build --print kube)/kube cargo test -p daas-control-plane --features cluster-tests`
#![cfg(feature = "cluster-tests")]
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod cluster;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cluster::{Cluster, address, in_a_network_of_its_own, trusting, until};
use daas_control_plane::addons::{AddOn, Choice, Keeper, Wanted};
use daas_control_plane::components::{AuthenticatorWebhooks, RawSettings, Settings, Webhooks, ports};
use daas_control_plane::pki::{AuthorityName, Identity, LeafName};
use daas_control_plane::{ApiClient, ControlPlane};
use daas_supervise::Phase;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_mins(1);
const NODES: &str = "/api/v1/nodes";
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[test]
fn a_node_that_the_master_made_gets_the_pod_of_a_deployment() {
    in_a_network_of_its_own("a_node_that_the_master_made_gets_the_pod_of_a_deployment", || async {
        let Cluster { plane, admin, folder: _folder } = Cluster::bare().await;
        let master = plane.client();

        let (status, made) = master
            .create(NODES, &json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "w1"}}))
            .await
            .unwrap();
        assert_eq!(status, 201, "{made}");
        let ready = json!({
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": "w1"},
            "status": {
                "capacity": {"cpu": "2", "memory": "4Gi", "pods": "110"},
                "allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"},
                "conditions": [{"type": "Ready", "status": "True", "reason": "Test", "message": "", "lastHeartbeatTime": null, "lastTransitionTime": null}],
            },
        });
        let (status, answer) = master.apply("/api/v1/nodes/w1/status", "test", &ready).await.unwrap();
        assert_eq!(status, 200, "{answer}");

        // The controller manager gives the node its addresses, a service account its object, and a Deployment its pod; the scheduler
        // gives the pod its node.
        until(SOON, "the node has a PodCIDR", || async {
            let (_, node) = master.get("/api/v1/nodes/w1").await.unwrap();
            node["spec"]["podCIDR"].as_str().is_some_and(|cidr| cidr.starts_with("10.42."))
        })
        .await;
        admin.done(&["create", "deployment", "web", "--image=pause"]);
        admin.done(&[
            "patch",
            "deployment",
            "web",
            "--type=merge",
            "-p",
            r#"{"spec":{"template":{"spec":{"tolerations":[{"operator":"Exists"}]}}}}"#,
        ]);
        until(SOON, "a pod was scheduled", || async {
            let (_, pods) = admin.client.get("/api/v1/namespaces/default/pods").await.unwrap();
            pods["items"].as_array().is_some_and(|pods| pods.iter().any(|pod| pod["spec"]["nodeName"] == "w1"))
        })
        .await;

        let metrics = plane.metrics();
        for name in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
            assert!(
                metrics.contains(&format!("daas_component_phase{{component=\"{name}\",phase=\"ready\"}} 1")),
                "{metrics}"
            );
        }
        let begun = Instant::now();
        plane.stop().await;
        assert!(begun.elapsed() <= Duration::from_secs(10), "stopping took {:?}", begun.elapsed());
        eprintln!("stopped after {:.1} s", begun.elapsed().as_secs_f32());
    });
}

#[test]
fn the_masters_identity_is_narrow_and_cannot_be_borrowed() {
    in_a_network_of_its_own("the_masters_identity_is_narrow_and_cannot_be_borrowed", || async {
        let Cluster { plane, admin, folder: _folder } = Cluster::bare().await;
        let master = plane.client();
        for path in [
            "/api/v1/secrets",
            "/api/v1/namespaces/kube-system/configmaps",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            "/debug/pprof/",
        ] {
            assert_eq!(master.get(path).await.unwrap().0, 403, "{path}");
        }
        // An administrator may impersonate anybody else.
        admin.done(&["--as=somebody", "--as-group=system:masters", "get", "nodes"]);
        for user in ["daas:master", "daas:kube-apiserver"] {
            let answer = admin.refused(&["--as", user, "get", "nodes"]);
            assert!(answer.contains("cannot be borrowed"), "{answer}");
        }
        // Tokens of the controllers are for the controller manager, whoever asks.
        until(SOON, "service accounts exist", || async {
            let path = "/api/v1/namespaces/kube-system/serviceaccounts/deployment-controller";
            admin.client.get(path).await.unwrap().0 == 200
        })
        .await;
        let answer = admin.refused(&[
            "--as=system:kube-controller-manager",
            "create",
            "token",
            "deployment-controller",
            "-n",
            "kube-system",
        ]);
        assert!(answer.contains("for the controller manager only"), "{answer}");

        // Without a certificate nobody is anybody.
        let nobody = ApiClient::with_certificate(address(), Arc::new(trusting(&plane).with_no_client_auth()));
        for path in ["/readyz", "/version", "/api", "/api/v1/nodes"] {
            assert_eq!(nobody.get(path).await.unwrap().0, 401, "{path}");
        }
        plane.stop().await;
    });
}

#[test]
fn nothing_that_outlives_a_cut_off_identity_can_be_made() {
    in_a_network_of_its_own("nothing_that_outlives_a_cut_off_identity_can_be_made", || async {
        let Cluster { plane, admin, folder } = Cluster::bare().await;
        until(SOON, "the default service account exists", || async {
            admin.client.get("/api/v1/namespaces/default/serviceaccounts/default").await.unwrap().0 == 200
        })
        .await;

        // A token for a year lives a day.
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 31_536_000}});
        let (status, token) =
            admin.client.create("/api/v1/namespaces/default/serviceaccounts/default/token", &request).await.unwrap();
        assert_eq!(status, 201, "{token}");
        assert_eq!(token["spec"]["expirationSeconds"], 86_400, "{token}");

        // A Secret of the old kind stays empty, and a certificate request is never signed. A Deployment made after them is acted on,
        // so the controller manager has seen them too.
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
            "metadata": {"name": "old", "annotations": {"kubernetes.io/service-account.name": "default"}},
        });
        assert_eq!(admin.client.create("/api/v1/namespaces/default/secrets", &secret).await.unwrap().0, 201);
        let key = rcgen::KeyPair::generate().unwrap();
        let mut subject = rcgen::CertificateParams::default();
        subject.distinguished_name = rcgen::DistinguishedName::new();
        subject.distinguished_name.push(rcgen::DnType::CommonName, "eve");
        let pem = subject.serialize_request(&key).unwrap().pem().unwrap();
        let request = json!({
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "eve"},
            "spec": {"signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"], "request": base64(pem.as_bytes())},
        });
        let requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
        assert_eq!(admin.client.create(requests, &request).await.unwrap().0, 201);
        admin.done(&["certificate", "approve", "eve"]);
        admin.done(&["create", "deployment", "later", "--image=pause"]);
        until(SOON, "a later Deployment was acted on", || async {
            let (_, sets) = admin.client.get("/apis/apps/v1/namespaces/default/replicasets").await.unwrap();
            sets["items"].as_array().is_some_and(|sets| !sets.is_empty())
        })
        .await;
        let (_, secret) = admin.client.get("/api/v1/namespaces/default/secrets/old").await.unwrap();
        assert!(secret["data"].get("token").is_none(), "{secret}");
        let (_, signed) = admin.client.get(&format!("{requests}/eve")).await.unwrap();
        assert!(signed["status"].get("certificate").is_none(), "{signed}");

        // Secrets lie encrypted in the store: the text of one is in no file of etcd.
        let text = "correct horse battery staple";
        admin.done(&["create", "secret", "generic", "words", &format!("--from-literal=w={text}")]);
        admin.done(&["create", "configmap", "open-words", "--from-literal=w=nothing to hide here"]);
        assert!(!stored(folder.path(), text.as_bytes()), "a Secret lies in the clear");
        assert!(stored(folder.path(), b"nothing to hide here"), "the search itself finds nothing");
        plane.stop().await;
    });
}

#[test]
fn add_ons_are_applied_and_kept_and_what_is_switched_off_goes() {
    in_a_network_of_its_own("add_ons_are_applied_and_kept_and_what_is_switched_off_goes", || async {
        let Cluster { plane, admin, folder: _folder } =
            Cluster::start(Some(Choice::default()), Webhooks::None, |_| ()).await;
        let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
        until(SOON, "the last add-on is there", || async {
            let path =
                "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/networkpolicy-is-not-enforced";
            admin.client.get(path).await.unwrap().0 == 200
        })
        .await;
        for (kind, name) in [
            ("deployment", "coredns"),
            ("deployment", "metrics-server"),
            ("deployment", "local-path-provisioner"),
            ("service", "kube-dns"),
        ] {
            admin.done(&["get", kind, name, "-n", "kube-system"]);
        }
        admin.done(&["get", "storageclass", "local-path"]);
        admin.done(&["get", "apiservice", "v1beta1.metrics.k8s.io"]);

        // The tiers may what Kubernetes' roles say.
        let can = |group: &str, verb: &str, what: &str| {
            let output = admin.kubectl(&["auth", "can-i", verb, what, "--as=seal:0x1", &format!("--as-group={group}")]);
            String::from_utf8_lossy(&output.stdout).trim() == "yes"
        };
        // The role `view` is put together by a controller.
        until(SOON, "readers read", || async { can("seal:tier:reader", "list", "pods") }).await;
        assert!(!can("seal:tier:reader", "list", "secrets") && !can("seal:tier:reader", "create", "pods"));
        assert!(can("seal:tier:admin", "list", "secrets") && can("seal:tier:admin", "create", "clusterroles"));
        assert!(!can("seal:tier:worker", "list", "pods"));

        // Whoever makes a NetworkPolicy is warned, and may.
        let policy = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "default"}, "spec": {"podSelector": {}},
        });
        let file = cluster_file(&policy);
        until(SOON, "NetworkPolicy warns", || async {
            let output = admin.kubectl(&["apply", "-f", file.path().to_str().unwrap()]);
            assert!(output.status.success());
            admin.done(&["delete", "networkpolicy", "p"]);
            String::from_utf8_lossy(&output.stderr).contains("does not enforce NetworkPolicy")
        })
        .await;

        // What somebody deletes comes back; a binding of a tier that was removed does not.
        admin.done(&["delete", "service", "kube-dns", "-n", "kube-system"]);
        admin.done(&["delete", "clusterrolebinding", "seal:tier:admin"]);
        let choice = Choice { disabled: [AddOn::MetricsServer].into(), ..Choice::default() };
        keeper(&plane, choice).apply().await.unwrap();
        admin.done(&["get", "service", "kube-dns", "-n", "kube-system"]);
        assert_eq!(admin.client.get(&format!("{bindings}/seal:tier:admin")).await.unwrap().0, 404);
        assert_eq!(admin.client.get(&format!("{bindings}/seal:tier:reader")).await.unwrap().0, 200);
        // And what is switched off goes.
        assert_eq!(
            admin.client.get("/apis/apps/v1/namespaces/kube-system/deployments/metrics-server").await.unwrap().0,
            404
        );
        plane.stop().await;
    });
}

fn keeper(plane: &ControlPlane, choice: Choice) -> Keeper {
    let raw = RawSettings { advertise_address: Some(cluster::ADVERTISED.into()), ..RawSettings::default() };
    let kubelet_authority = plane.with_pki(|pki| pki.authority(AuthorityName::KubeletServing).pem());
    Keeper::new(plane.client(), Wanted { settings: Settings::parse(&raw).unwrap(), choice, kubelet_authority })
}

fn cluster_file(object: &Value) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    std::fs::write(file.path(), object.to_string()).unwrap();
    file
}

#[test]
fn the_authenticators_webhooks_are_asked_about_everyone_but_the_control_plane_itself() {
    in_a_network_of_its_own(
        "the_authenticators_webhooks_are_asked_about_everyone_but_the_control_plane_itself",
        || async {
            let asked = Asked::default();
            let webhooks = AuthenticatorWebhooks { port: 9641, admission_port: Some(9642) };
            let serve = {
                let asked = asked.clone();
                move |plane: &ControlPlane| {
                    let tls = plane.with_pki(|pki| {
                        Identity::of(pki, LeafName::AuthenticatorWebhooks)
                            .mutual_server(pki, AuthorityName::Loopback)
                            .unwrap()
                    });
                    tokio::spawn(asked.clone().serve(webhooks.address(), Arc::clone(&tls)));
                    tokio::spawn(asked.serve(webhooks.admission_address().unwrap(), tls));
                }
            };
            let Cluster { plane, admin, folder: _folder } =
                Cluster::start(None, Webhooks::Authenticator(webhooks), serve).await;

            // A bearer token is looked up, its holder is asked about, and denied when the registry says so, whatever RBAC says.
            let bearer = |token: &str| bearer(token, &["get", "namespaces"]);
            let (allowed, answer) = bearer("good");
            assert!(allowed, "{answer}");
            asked.slash();
            let took =
                until(Duration::from_secs(5), "the slashed user is refused", || async { !bearer("good").0 }).await;
            eprintln!("refused after {:.1} s", took.as_secs_f32());
            assert!(bearer("good").1.contains("slashed"), "{}", bearer("good").1);
            assert!(!bearer("unknown").0);

            // Controllers of every kind have something to do.
            let list = work_for_every_controller();
            until(SOON, "service accounts exist", || async {
                admin.client.get("/api/v1/namespaces/default/serviceaccounts/default").await.unwrap().0 == 200
            })
            .await;
            let file = cluster_file(&list);
            admin.done(&["apply", "-f", file.path().to_str().unwrap()]);
            admin.done(&["delete", "namespace", "gone"]); // waits
            for (what, path, least) in [
                ("pods", "/api/v1/namespaces/default/pods", 4),
                (
                    "an EndpointSlice",
                    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=x",
                    1,
                ),
            ] {
                until(SOON, what, || async {
                    let (_, found) = admin.client.get(path).await.unwrap();
                    found["items"].as_array().is_some_and(|items| items.len() >= least)
                })
                .await;
            }

            // The controllers work, and nobody asked about them; a service account that is none of theirs is asked about.
            let users = asked.users();
            assert!(users.contains("seal:0x1"), "{users:?}");
            for own in [
                "daas:master",
                "daas:kube-apiserver",
                "system:kube-controller-manager",
                "system:kube-scheduler",
                "system:apiserver",
            ] {
                assert!(!users.contains(own), "{own}");
            }
            let strangers: Vec<_> = users.iter().filter(|user| user.starts_with("system:")).collect();
            assert!(strangers.is_empty(), "the control plane's own users that are not in the list: {strangers:?}");

            // What a node says about itself is judged, by a webhook that the API does not show.
            let (status, _) = plane
                .client()
                .create(NODES, &json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "w9"}}))
                .await
                .unwrap();
            assert_eq!(status, 201);
            let node = cluster::client(&plane, "system:node:w9", "system:nodes");
            let claims = |cpu: &str| json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "w9"}, "status": {"capacity": {"cpu": cpu}}});
            let (status, answer) = node.apply("/api/v1/nodes/w9/status", "kubelet", &claims("2")).await.unwrap();
            assert_eq!(status, 200, "{answer}");
            let (status, answer) = node.apply("/api/v1/nodes/w9/status", "kubelet", &claims("1M")).await.unwrap();
            assert_eq!(status, 403, "{answer}");
            assert!(answer["message"].as_str().unwrap().contains("more than its stake allows"), "{answer}");
            let shown = admin.done(&["get", "validatingwebhookconfigurations", "-o", "name"]);
            assert_eq!(shown, "");

            // A watch is told of when it opens, with the address that it comes from.
            until(SOON, "watches were told", || async {
                asked.events().iter().any(|event| event["verb"] == "watch" && event["stage"] == "ResponseStarted")
            })
            .await;
            for event in asked.events() {
                assert!(event["sourceIPs"].as_array().is_some_and(|addresses| !addresses.is_empty()), "{event}");
                assert!(event.get("requestObject").is_none() && event.get("responseObject").is_none(), "{event}");
            }
            // When nobody answers for the registry, everybody but the control plane itself is refused (with 403 or 500).
            asked.down.store(true, Ordering::Relaxed);
            until(SOON, "a node is refused", || async { node.get("/api/v1/nodes/w9").await.unwrap().0 != 200 }).await;
            assert!(!bearer("good").0);
            assert_eq!(plane.client().get(NODES).await.unwrap().0, 200);
            plane.stop().await;
        },
    );
}

/// Something to do for controllers of every kind.
fn work_for_every_controller() -> Value {
    let template =
        json!({"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "pause"}]}});
    let selector = json!({"matchLabels": {"app": "x"}});
    let object = |version: &str, kind: &str, spec: Value| json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "default"}, "spec": spec});
    let mut once = template.clone();
    once["spec"]["restartPolicy"] = json!("Never");
    json!({"apiVersion": "v1", "kind": "List", "items": [
        object("apps/v1", "Deployment", json!({"selector": selector, "template": template})),
        object("apps/v1", "StatefulSet", json!({"selector": selector, "template": template, "serviceName": "x"})),
        object("apps/v1", "DaemonSet", json!({"selector": selector, "template": template})),
        object("batch/v1", "Job", json!({"template": once})),
        object("batch/v1", "CronJob", json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": once}}})),
        object("policy/v1", "PodDisruptionBudget", json!({"selector": selector, "minAvailable": 1})),
        object("v1", "Service", json!({"selector": {"app": "x"}, "ports": [{"port": 80}]})),
        object("v1", "ReplicationController", json!({"selector": {"app": "y"}, "template": {"metadata": {"labels": {"app": "y"}}, "spec": template["spec"]}})),
        object("v1", "ResourceQuota", json!({"hard": {"pods": "100"}})),
        object("v1", "PersistentVolumeClaim", json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}})),
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gone"}},
    ]})
}

/// An authenticator that knows one token, and notes what it is asked.
#[derive(Clone, Default)]
struct Asked {
    users: Arc<Mutex<BTreeSet<String>>>,
    events: Arc<Mutex<Vec<Value>>>,
    slashed: Arc<AtomicBool>,
    down: Arc<AtomicBool>,
}

impl Asked {
    fn slash(&self) {
        self.slashed.store(true, Ordering::Relaxed);
    }

    fn users(&self) -> BTreeSet<String> {
        self.users.lock().unwrap().clone()
    }

    fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap().clone()
    }

    async fn serve(self, address: std::net::SocketAddr, tls: Arc<rustls::ServerConfig>) {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(tls);
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if self.down.load(Ordering::Relaxed) {
                continue;
            }
            let (asked, acceptor) = (self.clone(), acceptor.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    let asked = asked.clone();
                    async move {
                        let path = request.uri().path().to_owned();
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        if asked.down.load(Ordering::Relaxed) {
                            return Err("down");
                        }
                        let answer = asked.answer(&path, &serde_json::from_slice(&body).unwrap());
                        Ok(http::Response::new(Full::new(Bytes::from(answer.to_string()))))
                    }
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(hyper_util::rt::TokioIo::new(stream), service)
                    .await;
            });
        }
    }

    fn answer(&self, path: &str, question: &Value) -> Value {
        let review =
            |status: Value| json!({"apiVersion": question["apiVersion"], "kind": question["kind"], "status": status});
        match path {
            AuthenticatorWebhooks::TOKEN_PATH if question["spec"]["token"] == "good" => review(
                json!({"authenticated": true, "user": {"username": "seal:0x1", "groups": ["seal:token:0x2", "system:monitoring"]}}),
            ),
            AuthenticatorWebhooks::TOKEN_PATH => review(json!({"authenticated": false})),
            AuthenticatorWebhooks::AUTHORIZATION_PATH => {
                let user = question["spec"]["user"].as_str().unwrap().to_owned();
                let slashed = self.slashed.load(Ordering::Relaxed) && user == "seal:0x1";
                let listing = user == "seal:0x1" && !slashed;
                self.users.lock().unwrap().insert(user);
                review(json!({"allowed": listing, "denied": slashed, "reason": if slashed { "slashed" } else { "" }}))
            }
            AuthenticatorWebhooks::ADMISSION_PATH => {
                let absurd = question["request"]["object"]["status"]["capacity"]["cpu"] == "1M";
                let status = json!({"code": 403, "message": "more than its stake allows"});
                let response = json!({"uid": question["request"]["uid"], "allowed": !absurd, "status": status});
                json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
            }
            AuthenticatorWebhooks::AUDIT_PATH => {
                self.events.lock().unwrap().extend(question["items"].as_array().unwrap().iter().cloned());
                json!({})
            }
            _ => panic!("asked at {path}"),
        }
    }
}

#[test]
fn settings_reach_the_programs() {
    in_a_network_of_its_own("settings_reach_the_programs", || async {
        let raw = RawSettings {
            tls_min_version: Some("1.2".into()),
            pod_security: Some("baseline".into()),
            cluster_cidr: Some("10.52.0.0/16".into()),
            service_cidr: Some("10.53.0.0/16".into()),
            events_per_second: Some(1),
            ..RawSettings::default()
        };
        let Cluster { plane, admin, folder: _folder } =
            Cluster::with_settings(raw, None, Webhooks::None, |_, _| ()).await;

        // TLS 1.2 with two suites to the API server, and still not to etcd.
        assert!(speaks(6443, &["-tls1_3"]).await);
        for suite in ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"] {
            assert!(speaks(6443, &["-tls1_2", "-cipher", suite]).await, "{suite}");
        }
        assert!(!speaks(6443, &["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"]).await);
        assert!(!speaks(ports::ETCD, &["-tls1_2"]).await);

        let (_, service) = admin.client.get("/api/v1/namespaces/default/services/kubernetes").await.unwrap();
        assert_eq!(service["spec"]["clusterIP"], "10.53.0.1", "{service}");

        // Pod Security's level, and its one exemption.
        let pod = |namespace: &str| {
            json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": namespace},
                "spec": {"hostNetwork": true, "serviceAccountName": "default", "automountServiceAccountToken": false, "containers": [{"name": "c", "image": "pause"}]},
            })
        };
        for namespace in ["default", "kube-system"] {
            until(SOON, "the default service account exists", || async {
                let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/default");
                admin.client.get(&path).await.unwrap().0 == 200
            })
            .await;
        }
        let (status, answer) = admin.client.create("/api/v1/namespaces/default/pods", &pod("default")).await.unwrap();
        assert_eq!(status, 403, "{answer}");
        assert!(answer["message"].as_str().unwrap().contains("PodSecurity \"baseline"), "{answer}");
        let (status, answer) =
            admin.client.create("/api/v1/namespaces/kube-system/pods", &pod("kube-system")).await.unwrap();
        assert_eq!(status, 201, "{answer}");

        // One user's Events are limited: ten seconds' worth at once, and then one a second.
        let mut taken = 0;
        let refused = loop {
            let event = json!({
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("e{taken}"), "namespace": "default"},
                "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"},
            });
            match admin.client.create("/api/v1/namespaces/default/events", &event).await.unwrap() {
                (status, _) if status == 201 && taken < 500 => taken += 1,
                other => break other,
            }
        };
        assert_eq!(refused.0, 429, "after {taken} events: {}", refused.1);
        eprintln!("refused after {taken} events");
        plane.stop().await;

        let Cluster { plane, admin: _admin, folder: _folder } = Cluster::bare().await;
        assert!(speaks(6443, &["-tls1_3"]).await && !speaks(6443, &["-tls1_2"]).await);
        plane.stop().await;
    });
}

/// Whether a handshake succeeds.
async fn speaks(port: u16, arguments: &[&str]) -> bool {
    let output = tokio::process::Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}")])
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .expect("openssl");
    String::from_utf8_lossy(&output.stdout).contains("-----BEGIN CERTIFICATE-----")
}

#[test]
fn a_webhook_named_by_url_reaches_no_neighbour_on_loopback() {
    in_a_network_of_its_own("a_webhook_named_by_url_reaches_no_neighbour_on_loopback", || async {
        let Cluster { plane, admin, folder: _folder } = Cluster::bare().await;
        let neighbour = tokio::net::TcpListener::bind("127.0.0.1:7777").await.unwrap();
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "prying"},
            "webhooks": [{
                "name": "prying.example.org", "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Fail", "timeoutSeconds": 5,
                "clientConfig": {"url": "https://127.0.0.1:7777/x"},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}],
            }],
        });
        let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
        assert_eq!(admin.client.create(path, &configuration).await.unwrap().0, 201);
        until(SOON, "the webhook is asked, in vain", || async {
            let (status, answer) =
                admin.client.create(CONFIG_MAPS, &config_map(&format!("c{}", std::process::id()))).await.unwrap();
            if status == 201 {
                admin.done(&["delete", "configmap", &format!("c{}", std::process::id())]);
                return false;
            }
            assert!(answer["message"].as_str().unwrap().contains("prying"), "{answer}");
            true
        })
        .await;
        let reached = tokio::time::timeout(Duration::from_millis(500), neighbour.accept()).await;
        assert!(reached.is_err(), "kube-apiserver connected to a neighbour");
        plane.stop().await;
    });
}

#[test]
fn whatever_is_killed_comes_back_and_no_acknowledged_object_is_lost() {
    in_a_network_of_its_own("whatever_is_killed_comes_back_and_no_acknowledged_object_is_lost", || async {
        let Cluster { plane, admin, folder: _folder } = Cluster::bare().await;
        let (done, client) = (Arc::new(AtomicBool::new(false)), admin.client.clone());
        let writer = tokio::spawn({
            let done = Arc::clone(&done);
            async move {
                let (mut acknowledged, mut number) = (Vec::new(), 0);
                while !done.load(Ordering::Relaxed) {
                    let name = format!("w{number}");
                    number += 1;
                    match client.create(CONFIG_MAPS, &config_map(&name)).await {
                        Ok((status, _)) if status == 201 => acknowledged.push(name),
                        _ => tokio::time::sleep(Duration::from_millis(50)).await,
                    }
                }
                acknowledged
            }
        });
        // Each program several times, in an order that mixes them; once two at a time.
        let order = [
            &["etcd"][..],
            &["kube-apiserver"],
            &["kube-scheduler"],
            &["etcd"],
            &["kube-controller-manager"],
            &["kube-apiserver", "etcd"],
            &["kube-apiserver"],
            &["kube-scheduler", "kube-controller-manager"],
        ];
        let mut worst = Duration::ZERO;
        for victims in order {
            let before = plane.states().borrow().clone();
            for victim in victims {
                let process = before[victim].process.expect("it runs");
                kill(Pid::from_raw(i32::try_from(process).unwrap()), Signal::SIGKILL).unwrap();
            }
            let mut states = plane.states();
            let begun = Instant::now();
            let back = |states: &daas_supervise::States| {
                victims.iter().all(|victim| states[victim].restarts > before[victim].restarts)
                    && states.values().all(|state| state.phase == Phase::Ready)
            };
            tokio::time::timeout(SOON, states.wait_for(back))
                .await
                .unwrap_or_else(|_| panic!("{victims:?} did not come back: {:?}", plane.states().borrow()))
                .unwrap();
            eprintln!("{victims:?} back after {:.1} s", begun.elapsed().as_secs_f32());
            worst = worst.max(begun.elapsed());
        }
        done.store(true, Ordering::Relaxed);
        let acknowledged = writer.await.unwrap();
        let (status, list) = admin.client.get(&format!("{CONFIG_MAPS}?limit=50000")).await.unwrap();
        assert_eq!(status, 200);
        let names: std::collections::HashSet<&str> =
            list["items"].as_array().unwrap().iter().filter_map(|item| item["metadata"]["name"].as_str()).collect();
        let missing: Vec<_> = acknowledged.iter().filter(|name| !names.contains(name.as_str())).collect();
        assert!(
            acknowledged.len() > 20 && missing.is_empty(),
            "of {} acknowledged objects {} are lost: {missing:?}",
            acknowledged.len(),
            missing.len()
        );
        eprintln!("{} acknowledged, none lost; worst recovery {:.1} s", acknowledged.len(), worst.as_secs_f32());
        plane.stop().await;
    });
}

#[test]
fn renewed_certificates_are_taken_up_while_everything_runs() {
    in_a_network_of_its_own("renewed_certificates_are_taken_up_while_everything_runs", || async {
        let Cluster { plane, admin, folder: _folder } = Cluster::bare().await;
        let servers = [6443, ports::ETCD, ports::CONTROLLER_MANAGER, ports::SCHEDULER];
        let mut before = Vec::new();
        for port in servers {
            before.push(shown(port).await.expect("a certificate"));
        }
        let restarts = || plane.states().borrow().values().map(|state| state.restarts).sum::<u64>();
        let restarted = restarts();
        plane.renew_all().unwrap();
        for (port, before) in servers.into_iter().zip(before) {
            let took = until(Duration::from_mins(2), &format!("port {port} shows its new certificate"), || {
                let before = before.clone();
                async move { shown(port).await.is_some_and(|now| now != before) }
            })
            .await;
            eprintln!("port {port} changed over after {:.1} s", took.as_secs_f32());
        }
        // The master's new certificate is believed, and the API server's new one by etcd: both are used for new connections.
        let (status, _) = plane.client().get(NODES).await.unwrap();
        assert_eq!(status, 200);
        let (status, _) = admin.client.create(CONFIG_MAPS, &config_map("after")).await.unwrap();
        assert_eq!(status, 201);
        assert_eq!(restarts(), restarted, "nothing had to be started anew");

        // A new key signs service-account tokens; those of the replaced one still count.
        let token = || admin.done(&["create", "token", "default"]).trim().to_owned();
        until(SOON, "the default service account exists", || async {
            admin.client.get("/api/v1/namespaces/default/serviceaccounts/default").await.unwrap().0 == 200
        })
        .await;
        let old = token();
        let mut watched = plane.states();
        plane.replace_service_account_key().unwrap();
        let anew = |states: &daas_supervise::States| {
            states["kube-apiserver"].restarts > 0 && states.values().all(|state| state.phase == Phase::Ready)
        };
        tokio::time::timeout(SOON, watched.wait_for(anew)).await.unwrap().unwrap();
        let fresh = token();
        let key_of = |token: &str| token.split('.').next().unwrap().to_owned(); // the header names the key
        assert_ne!(key_of(&old), key_of(&fresh));
        for token in [&old, &fresh] {
            assert!(bearer(token, &["auth", "whoami", "-o", "name"]).0);
        }
        plane.stop().await;
    });
}

/// kubectl with a bearer token: whether it was answered, and what it said otherwise.
fn bearer(token: &str, arguments: &[&str]) -> (bool, String) {
    let output = std::process::Command::new(cluster::kube())
        .args(["kubectl", "--server", &format!("https://{}:6443", cluster::ADVERTISED), "--insecure-skip-tls-verify"])
        .args(["--token", token])
        .args(arguments)
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": "v"}})
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Whether some bytes lie in a file of the store.
fn stored(folder: &std::path::Path, needle: &[u8]) -> bool {
    let mut visit = vec![folder.join("cp/etcd")];
    while let Some(path) = visit.pop() {
        if path.is_dir() {
            visit.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        } else if std::fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle) {
            return true;
        }
    }
    false
}

/// The certificate that a server on loopback shows, as OpenSSL sees it.
async fn shown(port: u16) -> Option<String> {
    let output = tokio::process::Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-showcerts"])
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .expect("openssl");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let begin = text.find("-----BEGIN CERTIFICATE-----")?;
    Some(text[begin..].split("-----END CERTIFICATE-----").next()?.to_owned())
}
