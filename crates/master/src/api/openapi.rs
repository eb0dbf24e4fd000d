//! The description of the routes that is served, in OpenAPI 3.1.

/// Written by hand; the test below holds it against the routes.
pub(super) const DOCUMENT: &str = include_str!("openapi.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use daas_join::master_api::{ErrorCode, Heartbeat, HeartbeatAnswer, Offered, RegisterWorker, RegisteredWorker};
    use serde_json::Value;

    use super::super::ROUTES;
    use super::*;

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    #[test]
    fn the_description_names_exactly_the_routes_that_are_served() {
        let document = document();
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            described.extend(item.as_object().unwrap().keys().map(|method| (path.clone(), method.to_uppercase())));
        }
        let served = ROUTES.iter().map(|(path, method, _)| ((*path).to_owned(), method.to_string())).collect();
        assert_eq!(described, served);
    }

    #[test]
    fn its_examples_are_read_by_the_types_and_its_references_lead_somewhere() {
        let document = document();
        let schema = |name: &str| document["components"]["schemas"][name]["example"].clone();
        serde_json::from_value::<RegisterWorker>(schema("RegisterWorker")).unwrap();
        serde_json::from_value::<RegisteredWorker>(schema("RegisteredWorker")).unwrap();
        serde_json::from_value::<Heartbeat>(schema("Heartbeat")).unwrap();
        serde_json::from_value::<HeartbeatAnswer>(schema("HeartbeatAnswer")).unwrap();
        serde_json::from_value::<Vec<Offered>>(schema("Submissions")).unwrap();
        daas_attestation::Answer::from_json(schema("Attestation").to_string().as_bytes()).unwrap();
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(!references.is_empty());
        for reference in references {
            let found = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
            assert!(found.is_some(), "{reference}");
        }
    }

    #[test]
    fn required_fields_of_requests_are_all_of_them_and_no_others_are_allowed() {
        let document = document();
        for name in ["RegisterWorker", "Heartbeat"] {
            let schema = &document["components"]["schemas"][name];
            let fields: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            let required = schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let example = schema["example"].as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!((&fields, &fields), (&required, &example), "{name}");
            assert_eq!(schema["additionalProperties"], false, "{name}");
        }
    }

    #[test]
    fn every_error_code_is_described() {
        let document = document();
        let codes = document["components"]["schemas"]["Error"]["properties"]["code"]["enum"].as_array().unwrap();
        for code in codes {
            let code: ErrorCode = serde_json::from_value(code.clone()).unwrap();
            assert!(code.status() >= 400);
        }
        // A code that is added must be described, too.
        assert_eq!(codes.len(), 15);
    }

    fn collect(value: &Value, references: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                references.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| collect(value, references));
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
            _ => {}
        }
    }
}
