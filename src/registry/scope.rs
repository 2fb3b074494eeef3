//! What a registry adds to the names and labels of its metrics.

use crate::error::Error;
use crate::metric::{Names, are_alike};
use crate::registry::Registry;
use crate::snapshot::{Labels, Role};

/// A prefix of names, labels that all series have, which names there may be, and what the
/// metrics are there for.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    prefix: String,
    labels: Labels,
    names: Names,
    role: Option<Role>,
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

    /// Checks the label names of the metric called `metric`, and that none is a
    /// constant one.
    pub(super) fn check_labels(&self, metric: &str, labels: &[&str]) -> Result<(), Error> {
        self.names.check_labels(metric, labels)?;
        for (name, _) in self.labels.pairs() {
            if labels.iter().any(|label| are_alike(label, &name)) {
                return Err(Error::invalid_label(format_args!(
                    "the label {name:?} of the metric {metric:?} is a constant label of its \
                     registry: choose another name"
                )));
            }
        }
        Ok(())
    }
}

impl Registry {
    /// Returns the labels that this handle gives to all series of its metrics.
    #[cfg(feature = "system")]
    pub(crate) fn constant_labels(&self) -> &Labels {
        self.scope.labels()
    }

    /// Returns a handle to the same registry through which every name begins with
    /// `prefix`, as it is written there: `shop_`.
    ///
    /// Prefixes add up. The names of the registry's metrics about itself, which
    /// begin with `tachometer_`, stay as they are.
    ///
    /// ```
    /// use tachometer::Registry;
    ///
    /// let registry = Registry::new();
    /// let shop = registry.clone().with_prefix("shop_")?.with_labels([("region", "eu")])?;
    /// shop.counter("orders_total", "Orders placed.")?.inc();
    /// assert!(registry.export_prometheus().contains("shop_orders_total{region=\"eu\"} 1"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a name cannot begin so ([`Error::is_invalid_name`]).
    pub fn with_prefix(self, prefix: &str) -> Result<Self, Error> {
        let prefix = self.scope.name(prefix);
        // What follows a prefix may be anything that may follow a letter.
        self.scope.names.check_metric(&format!("{prefix}x"))?;
        let scope = Scope {
            prefix,
            ..(*self.scope).clone()
        };
        Ok(self.with_scope(scope))
    }

    /// Returns a handle to the same registry without a prefix, for metrics that the
    /// crate has about itself.
    #[cfg(feature = "axum")]
    pub(crate) fn without_prefix(self) -> Self {
        let scope = Scope {
            prefix: String::new(),
            ..(*self.scope).clone()
        };
        self.with_scope(scope)
    }

    /// Returns a handle to the same registry through which every new metric is there for
    /// this.
    pub(crate) fn with_role(&self, role: Role) -> Self {
        let scope = Scope {
            role: Some(role),
            ..(*self.scope).clone()
        };
        self.clone().with_scope(scope)
    }

    /// Returns a handle to the same registry through which every new metric has
    /// these labels, the same for all its series, beside its own.
    ///
    /// They add up. Metrics that exist stay as they are. See
    /// [`with_prefix`](Self::with_prefix) for an example.
    ///
    /// Handles with different values of the same labels can have metrics of the same name: two
    /// layers, two runtimes or two tenants share a registry in this way. The name has one
    /// kind, one help text (the first) and one set of label names. Each handle's series have
    /// their own limit and, if they are histograms, their own buckets.
    ///
    /// Nothing limits how many values a constant label has (its cardinality): make handles at
    /// start-up, and none from what a client sends.
    ///
    /// ```
    /// use tachometer::Registry;
    ///
    /// let registry = Registry::new();
    /// for tenant in ["a", "b"] {
    ///     let tenant = registry.clone().with_labels([("tenant", tenant)])?;
    ///     tenant.counter("orders_total", "Orders placed.")?.inc();
    /// }
    /// let text = registry.export_prometheus();
    /// assert!(text.contains("orders_total{tenant=\"a\"} 1\norders_total{tenant=\"b\"} 1\n"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a label's name is not valid or there already, or is `metric`, which the
    /// registry's metrics about itself have ([`Error::is_invalid_label`]).
    pub fn with_labels<'a>(self, labels: impl AsRef<[(&'a str, &'a str)]>) -> Result<Self, Error> {
        let mut all = self.scope.labels.clone();
        for (name, value) in labels.as_ref() {
            self.scope.names.check_label("of the registry", name)?;
            if are_alike(name, "metric") {
                return Err(Error::invalid_label(format_args!(
                    "the label name {name:?} of the registry is not valid: metrics such as \
                     `tachometer_series` have it; choose another name"
                )));
            }
            if all.pairs().any(|(there, _)| are_alike(&there, name)) {
                return Err(Error::invalid_label(format_args!(
                    "the label {name:?} of the registry is there already: give each label once"
                )));
            }
            all = Labels::with_pairs(&all, [(*name, *value)]);
        }
        let scope = Scope {
            labels: all,
            ..(*self.scope).clone()
        };
        Ok(self.with_scope(scope))
    }

    /// Returns a handle to the same registry through which metrics and labels may have
    /// any name but an empty one, as `OpenTelemetry`'s do: `http.server.duration`.
    ///
    /// Prometheus 3 reads such names; whoever does not ask for them is given others in
    /// their place ([`Escaping`](crate::snapshot::Escaping)). Names that would then be
    /// the same, as `a.b` and `a_b`, are refused.
    ///
    /// ```
    /// use tachometer::Registry;
    /// use tachometer::export::Format;
    /// use tachometer::snapshot::Escaping;
    ///
    /// let registry = Registry::new().with_utf8_names();
    /// let calls = registry.counter_family("rpc.calls", "Calls.", ["rpc.system"])?;
    /// calls.with(["grpc"]).inc();
    /// assert!(registry.export_prometheus().contains("rpc_calls_total{rpc_system=\"grpc\"} 1"));
    ///
    /// let utf8 = registry.export(Format::TextV1).escaping(Escaping::Utf8).to_bytes();
    /// let utf8 = String::from_utf8(utf8).expect("text is UTF-8");
    /// assert!(utf8.contains("{\"rpc.calls_total\",\"rpc.system\"=\"grpc\"} 1"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[must_use]
    pub fn with_utf8_names(self) -> Self {
        let scope = Scope {
            names: Names::Utf8,
            ..(*self.scope).clone()
        };
        self.with_scope(scope)
    }
}
