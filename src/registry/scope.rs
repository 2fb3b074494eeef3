//! What a handle of a registry adds to the metrics that it creates.

use crate::error::Error;
use crate::metric::{Names, is_same_when_escaped};
use crate::snapshot::{Labels, Role, SemanticNames};

/// A prefix of names, constant labels, the permitted names, and the role and semantic names of new
/// metrics.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    prefix: String,
    labels: Labels,
    names: Names,
    role: Option<Role>,
    semantic_names: Option<SemanticNames>,
}

impl Scope {
    /// Returns the name under which a metric called `name` is registered.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    pub(super) fn names(&self) -> Names {
        self.names
    }

    pub(super) fn role(&self) -> Option<Role> {
        self.role
    }

    /// Returns the names of new metrics in OTLP. A prefix also applies there, so metrics that have
    /// one keep their registered names.
    pub(super) fn semantic_names(&self) -> Option<SemanticNames> {
        self.semantic_names.filter(|_| self.prefix.is_empty())
    }

    pub(super) fn with_prefix(&self, prefix: &str) -> Result<Self, Error> {
        let prefix = self.name(prefix);
        self.names.check_prefix(&prefix)?;
        Ok(Self {
            prefix,
            ..self.clone()
        })
    }

    pub(super) fn without_prefix(&self) -> Self {
        Self {
            prefix: String::new(),
            ..self.clone()
        }
    }

    pub(super) fn with_labels(&self, labels: &[(&str, &str)]) -> Result<Self, Error> {
        let mut all = self.labels.clone();
        for (name, value) in labels {
            self.names.check_label("of the registry", name)?;
            let reserved = ["metric", "collector"];
            if reserved
                .iter()
                .any(|other| is_same_when_escaped(name, other))
            {
                return Err(Error::invalid_label(format_args!(
                    "the label name {name:?} of the registry is reserved for metrics such as \
                     `tachometer_series`: choose another name"
                )));
            }
            if all
                .pairs()
                .any(|(existing, _)| is_same_when_escaped(&existing, name))
            {
                return Err(Error::invalid_label(format_args!(
                    "the registry already has the label {name:?}: give each label once"
                )));
            }
            all = all.with_pairs([(*name, *value)]);
        }
        Ok(Self {
            labels: all,
            ..self.clone()
        })
    }

    pub(super) fn with_utf8_names(&self) -> Self {
        Self {
            names: Names::Utf8,
            ..self.clone()
        }
    }

    pub(super) fn with_role(&self, role: Role) -> Self {
        Self {
            role: Some(role),
            ..self.clone()
        }
    }

    pub(super) fn with_semantic_names(&self, names: SemanticNames) -> Self {
        Self {
            semantic_names: Some(names),
            ..self.clone()
        }
    }

    /// Checks the label names of a metric, and that none is the name of a constant label.
    pub(super) fn check_labels(&self, metric: &str, labels: &[&str]) -> Result<(), Error> {
        self.names.check_labels(metric, labels)?;
        for (name, _) in self.labels.pairs() {
            if labels
                .iter()
                .any(|label| is_same_when_escaped(label, &name))
            {
                return Err(Error::invalid_label(format_args!(
                    "the label {name:?} of the metric {metric:?} is a constant label of its \
                     registry: choose another name for one of them"
                )));
            }
        }
        Ok(())
    }
}
