use super::*;
use crate::components::RawSettings;

fn wanted() -> Wanted {
    let raw = RawSettings { advertise_address: Some("203.0.113.7".into()), ..RawSettings::default() };
    Wanted { settings: Settings::parse(&raw).unwrap(), choice: Choice::default(), kubelet_authority: "PEM".into() }
}

fn objects() -> Vec<Object> {
    AddOn::ALL
        .into_iter()
        .flat_map(|add_on| wanted().objects(add_on))
        .chain(tiers::objects())
        .chain([tiers::marker()])
        .collect()
}

#[test]
fn every_object_has_a_place_in_the_api_and_is_marked_as_ours() {
    for object in objects() {
        assert_ne!(object.resource(), "unknown", "{}", object.kind());
        assert!(!object.name().is_empty());
        assert_eq!(object.value()["metadata"]["labels"]["app.kubernetes.io/managed-by"], "k3s-daas");
    }
    let paths: BTreeSet<_> = objects().iter().map(Object::path).collect();
    assert_eq!(paths.len(), objects().len(), "no two objects are the same one");
    assert!(paths.contains("/apis/apps/v1/namespaces/kube-system/deployments/coredns"));
    assert!(paths.contains("/api/v1/namespaces/kube-system/services/kube-dns"));
}

#[test]
fn tiers_are_bound_to_kubernetes_own_roles_and_never_to_masters() {
    let bound: Vec<_> = tiers::objects()
        .iter()
        .map(|object| (object.name().to_owned(), object.bound_role().unwrap().1.to_owned()))
        .collect();
    assert_eq!(bound, [("seal:tier:reader".into(), "view".into()), ("seal:tier:admin".into(), "cluster-admin".into())]);
    for object in tiers::objects() {
        let subjects = object.value()["subjects"].as_array().unwrap();
        assert!(
            subjects.iter().all(
                |subject| subject["kind"] == "Group" && subject["name"].as_str().unwrap().starts_with("seal:tier:")
            )
        );
    }
}

#[test]
fn the_masters_rights_over_add_ons_are_by_name() {
    for rule in rules(&wanted()) {
        assert!(matches!(&rule.names, Names::Only(names) if names.len() == 1 && !names.contains("")), "{rule:?}");
        assert!(!rule.verbs.contains(&"*") && !rule.verbs.contains(&"list"), "{rule:?}");
    }
    let may_bind = |role: &str| {
        rules(&wanted()).iter().any(|rule| {
            rule.verbs.contains(&"bind") && matches!(&rule.names, Names::Only(names) if names.contains(role))
        })
    };
    assert!(may_bind("view") && may_bind("cluster-admin") && !may_bind("system:masters") && !may_bind("edit"));
}

#[test]
fn the_dns_service_has_the_address_that_pods_are_told() {
    let service = wanted().objects(AddOn::CoreDns).into_iter().find(|object| object.kind() == "Service").unwrap();
    assert_eq!(service.value()["spec"]["clusterIP"], "10.43.0.10");
}

#[test]
fn the_storage_provisioner_makes_its_helper_pods_and_no_others() {
    let choice = Choice { storage_folder: "/srv/it's \"here\"/".into(), ..Choice::default() };
    let objects = Wanted { choice, ..wanted() }.objects(AddOn::LocalPath);
    let of = |kind: &str| objects.iter().find(|object| object.kind() == kind).unwrap().value().clone();
    let (policy, binding) = (of("ValidatingAdmissionPolicy"), of("ValidatingAdmissionPolicyBinding"));
    assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
    assert_eq!(binding["spec"]["validationActions"], serde_json::json!(["Deny"]));
    insta::assert_snapshot!(serde_json::to_string_pretty(&policy["spec"]).unwrap());

    // The helper that the provisioner is told to make is one that the policy lets through.
    let helper: serde_json::Value =
        serde_json::from_str(of("ConfigMap")["data"]["helperPod.yaml"].as_str().unwrap()).unwrap();
    let spec = &helper["spec"];
    let rules = policy["spec"]["validations"].to_string();
    assert!(rules.contains(&format!("c.image == '{}'", spec["containers"][0]["image"].as_str().unwrap())));
    assert_eq!(spec["automountServiceAccountToken"], false);
    assert_eq!(spec["containers"][0]["securityContext"]["privileged"], false);
    let deployment = of("Deployment");
    let provisioner = &deployment["spec"]["template"]["spec"];
    let command = provisioner["containers"][0]["command"].as_array().unwrap();
    let account = command.iter().skip_while(|word| **word != "--service-account-name").nth(1).unwrap();
    assert!(rules.contains(&format!("object.spec.serviceAccountName == '{}'", account.as_str().unwrap())));
    assert!(policy["spec"]["matchConditions"][0]["expression"].as_str().unwrap().ends_with(&format!(
        "== 'system:serviceaccount:kube-system:{}'",
        provisioner["serviceAccountName"].as_str().unwrap()
    )));
}
