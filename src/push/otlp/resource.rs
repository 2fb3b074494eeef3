//! The attributes of the resource: who sends the metrics.

use std::env;
use std::path::Path;

use crate::push::otlp::random::random_uuid;

pub(super) const SERVICE_NAME: &str = "service.name";
const SERVICE_INSTANCE_ID: &str = "service.instance.id";

/// Attributes in the order in which they were set.
pub(super) type Attributes = Vec<(String, String)>;

/// Sets an attribute, or replaces its value.
pub(super) fn set_attribute(attributes: &mut Attributes, name: &str, value: &str) {
    match attributes.iter_mut().find(|(other, _)| other == name) {
        Some((_, existing)) => value.clone_into(existing),
        None => attributes.push((name.to_owned(), value.to_owned())),
    }
}

/// Adds the attributes that every resource has, unless they are set.
///
/// Each call returns another `service.instance.id`. Two processes with the same attributes would
/// write to the same series.
pub(super) fn complete_attributes(attributes: &Attributes) -> Attributes {
    let executable = env::current_exe().ok();
    let defaults = [
        (SERVICE_NAME, unknown_service(executable.as_deref())),
        (SERVICE_INSTANCE_ID, random_uuid()),
        ("telemetry.sdk.name", "tachometer".to_owned()),
        ("telemetry.sdk.language", "rust".to_owned()),
        (
            "telemetry.sdk.version",
            env!("CARGO_PKG_VERSION").to_owned(),
        ),
    ];
    let mut all = attributes.clone();
    for (name, value) in defaults {
        // An empty value is that of a variable that was not filled in.
        if !attributes
            .iter()
            .any(|(other, value)| other == name && !value.is_empty())
        {
            set_attribute(&mut all, name, &value);
        }
    }
    all
}

/// Returns the `service.name` of a service without a name.
fn unknown_service(executable: Option<&Path>) -> String {
    match executable.and_then(Path::file_name) {
        Some(name) => format!("unknown_service:{}", name.to_string_lossy()),
        None => "unknown_service".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{complete_attributes, set_attribute, unknown_service};

    fn value<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let mut found = attributes.iter().filter(|(other, _)| other == name);
        let value = found.next().map(|(_, value)| &**value);
        assert!(found.next().is_none(), "{name} occurs twice");
        value
    }

    #[test]
    fn a_resource_without_attributes_has_a_name_an_id_and_the_library() {
        let attributes = complete_attributes(&Vec::new());
        let name = value(&attributes, "service.name").expect("a name");
        assert!(name.starts_with("unknown_service:tachometer"), "{name}");
        assert_eq!(value(&attributes, "telemetry.sdk.name"), Some("tachometer"));
        assert_eq!(value(&attributes, "telemetry.sdk.language"), Some("rust"));
        let version = value(&attributes, "telemetry.sdk.version");
        assert_eq!(version, Some(env!("CARGO_PKG_VERSION")));
        let id = value(&attributes, "service.instance.id").map(str::len);
        assert_eq!(id, Some(36));
        assert_ne!(
            attributes,
            complete_attributes(&Vec::new()),
            "the id is the same"
        );
        assert_eq!(
            unknown_service(Some(Path::new("/opt/shop"))),
            "unknown_service:shop"
        );
        assert_eq!(unknown_service(None), "unknown_service");
    }

    #[test]
    fn attributes_that_are_set_replace_the_defaults() {
        let mut attributes = Vec::new();
        set_attribute(&mut attributes, "service.name", "old");
        set_attribute(&mut attributes, "service.name", "shop");
        set_attribute(&mut attributes, "service.instance.id", "pod-1");
        set_attribute(&mut attributes, "telemetry.sdk.version", "");
        let attributes = complete_attributes(&attributes);
        assert_eq!(value(&attributes, "service.name"), Some("shop"));
        assert_eq!(value(&attributes, "service.instance.id"), Some("pod-1"));
        let version = value(&attributes, "telemetry.sdk.version");
        assert_eq!(version, Some(env!("CARGO_PKG_VERSION")));
    }
}
