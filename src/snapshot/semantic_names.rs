//! The names that a family has in OTLP.

/// The name of a family in OTLP, and those of its labels, where they differ from the registered
/// ones. They are those of OpenTelemetry's semantic conventions, or in their style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SemanticNames {
    pub(crate) metric: &'static str,
    /// What the metric counts, such as `{request}`, if the registered name does not end in a unit.
    /// The conventions define a gauge that has one as an up-down counter: a sum that increases and
    /// decreases.
    pub(crate) unit: Option<&'static str>,
    /// Names of labels, each with the name of the attribute. The family may lack some of them.
    pub(crate) attributes: &'static [(&'static str, &'static str)],
}

#[cfg(test)]
impl SemanticNames {
    /// Returns true if a receiver that translates names for Prometheus makes this name of the
    /// name of a metric: it replaces dots, and appends a unit and `_total`.
    pub(crate) fn translates_to(metric: &str, prometheus: &str) -> bool {
        let stem = prometheus.strip_suffix("_total").unwrap_or(prometheus);
        let without_unit = stem
            .rsplit_once('_')
            .filter(|(_, unit)| ["seconds", "bytes"].contains(unit));
        let translated = metric.replace('.', "_");
        stem == translated || without_unit.is_some_and(|(stem, _)| stem == translated)
    }
}
