//! The group of pushed metrics: its labels, and its URL.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Uri;

use crate::error::Error;
use crate::snapshot::is_classic_label;

/// The first label of each group.
const JOB: &str = "job";

/// The label of a bucket or a quantile. The Pushgateway would replace its values.
const RESERVED: [&str; 2] = ["le", "quantile"];

/// The labels that identify a group.
#[derive(Clone)]
pub(super) struct Group {
    job: String,
    labels: Vec<(String, String)>,
}

impl Group {
    pub(super) fn new(job: &str) -> Self {
        Self {
            job: job.to_owned(),
            labels: Vec::new(),
        }
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        let existing = self.labels.iter_mut().find(|(other, _)| other == name);
        match existing {
            Some((_, old)) => value.clone_into(old),
            None => self.labels.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Returns an error if the Pushgateway would refuse the group.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.job.is_empty() {
            return Err(Error::invalid_push(
                "the job of `Pushgateway::new` is empty: pass the name of the job",
            ));
        }
        for (name, _) in &self.labels {
            let fault = if name == JOB {
                "is that of the job: pass its value to `Pushgateway::new`"
            } else if RESERVED.contains(&name.as_str()) {
                "is reserved for histograms and summaries: use another name"
            } else if !is_classic_label(name) || name.starts_with("__") {
                "is not valid: use letters, digits and `_`, and begin with a letter"
            } else {
                continue;
            };
            return Err(Error::invalid_push(format_args!(
                "the name {name:?} of `Pushgateway::grouping` {fault}"
            )));
        }
        Ok(())
    }

    /// Returns true if the group has a label with this name.
    pub(super) fn contains(&self, name: &str) -> bool {
        name == JOB || self.labels.iter().any(|(label, _)| label == name)
    }

    /// Returns the URL of the group on a Pushgateway.
    pub(super) fn url(&self, pushgateway: Uri) -> Uri {
        let mut parts = pushgateway.into_parts();
        let base = parts.path_and_query.as_ref();
        let mut path = base
            .map_or("", |base| base.path())
            .trim_end_matches('/')
            .to_owned();
        path.push_str("/metrics");
        put_label(&mut path, JOB, &self.job);
        for (name, value) in &self.labels {
            put_label(&mut path, name, value);
        }
        if let Some(query) = base.and_then(|base| base.query()) {
            path.push('?');
            path.push_str(query);
        }
        // The path has only characters that are valid in one.
        parts.path_and_query = path.parse().ok();
        Uri::from_parts(parts).unwrap_or_default()
    }
}

/// Appends `/name/value` to a path, or `/name@base64/value` if the value cannot be a segment of
/// one.
fn put_label(path: &mut String, name: &str, value: &str) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    path.push('/');
    path.push_str(name);
    if value.is_empty() {
        // The Pushgateway needs one character.
        path.push_str("@base64/=");
    } else if value.bytes().all(is_plain) {
        path.push('/');
        path.push_str(value);
    } else {
        path.push_str("@base64/");
        path.push_str(&URL_SAFE_NO_PAD.encode(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_no_segment_of_a_path_are_encoded() {
        let mut group = Group::new("directory_cleaner");
        let url = |group: &Group, base: &str| group.url(base.parse().unwrap()).to_string();
        assert_eq!(
            url(&group, "http://h:9091"),
            "http://h:9091/metrics/job/directory_cleaner"
        );
        group.set("path", "/var/tmp");
        group.set("empty", "x");
        group.set("empty", "");
        group.set("plain", "a-B_1");
        group.set("dots", "..");
        assert_eq!(
            url(&group, "https://h/prefix/?token=1"),
            "https://h/prefix/metrics/job/directory_cleaner/path@base64/L3Zhci90bXA\
             /empty@base64/=/plain/a-B_1/dots@base64/Li4?token=1"
        );
        let group = Group::new("Προμηθεύς");
        assert_eq!(
            url(&group, "http://h/"),
            "http://h/metrics/job@base64/zqDPgc6_zrzOt864zrXPjc-C"
        );
    }

    #[test]
    fn names_that_the_pushgateway_refuses_are_errors() {
        assert!(Group::new("").check().is_err());
        for (name, fault) in [
            ("instance", None),
            ("_a1", None),
            ("job", Some("is that of the job")),
            ("le", Some("is reserved")),
            ("quantile", Some("is reserved")),
            ("", Some("is not valid")),
            ("__name__", Some("is not valid")),
            ("1a", Some("is not valid")),
            ("a/b", Some("is not valid")),
            ("a@base64", Some("is not valid")),
            ("ä", Some("is not valid")),
        ] {
            let mut group = Group::new("j");
            group.set(name, "secret");
            let error = group.check().err().map(|error| error.to_string());
            assert_eq!(error.is_some(), fault.is_some(), "{name}");
            let text = error.unwrap_or_default();
            assert!(text.contains(fault.unwrap_or_default()) && !text.contains("secret"));
        }
    }
}
