//! What a registry adds to the names and labels of its metrics.

use crate::error::Error;
use crate::metric::{check_label, check_name};
use crate::registry::Registry;
use crate::snapshot::Labels;

/// A prefix of names, and labels that all series have.
#[derive(Debug, Default)]
pub(super) struct Scope {
    prefix: String,
    labels: Labels,
}

impl Scope {
    /// Returns the name under which a metric called `name` is registered.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Checks that no label of the metric called `metric` is a constant one.
    pub(super) fn check_labels(&self, metric: &str, labels: &[&str]) -> Result<(), Error> {
        for (name, value) in self.labels.pairs() {
            if labels.contains(&name) {
                return Err(Error::invalid_label(format_args!(
                    "the label {name:?} of the metric {metric:?} is one that its registry gives \
                     all metrics, as {value:?}: choose another name"
                )));
            }
        }
        Ok(())
    }
}

impl Registry {
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
    /// let shop = registry.clone().prefix("shop_")?.labels([("region", "eu")])?;
    /// shop.counter("orders_total", "Orders placed.")?.inc();
    /// assert!(registry.export_prometheus().contains("shop_orders_total{region=\"eu\"} 1"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a name cannot begin so ([`Error::is_invalid_name`]).
    pub fn prefix(self, prefix: &str) -> Result<Self, Error> {
        let prefix = self.scope.name(prefix);
        // What follows a prefix may be anything that may follow a letter.
        check_name(&format!("{prefix}x"))?;
        let labels = self.scope.labels.clone();
        Ok(self.within(Scope { prefix, labels }))
    }

    /// Returns a handle to the same registry through which every new metric has
    /// these labels, the same for all its series, beside its own.
    ///
    /// They add up. Metrics that exist stay as they are. See
    /// [`prefix`](Self::prefix) for an example.
    ///
    /// # Errors
    ///
    /// When a label's name is not valid or there already, or is `metric`, which the
    /// registry's metrics about itself have ([`Error::is_invalid_label`]).
    pub fn labels<'a>(self, labels: impl AsRef<[(&'a str, &'a str)]>) -> Result<Self, Error> {
        let mut all = self.scope.labels.clone();
        for (name, value) in labels.as_ref() {
            check_label("of the registry", name)?;
            if *name == "metric" {
                return Err(Error::invalid_label(format_args!(
                    "the label name {name:?} of the registry is not valid: metrics such as \
                     `tachometer_series` have it; choose another name"
                )));
            }
            if all.pairs().any(|(there, _)| there == *name) {
                return Err(Error::invalid_label(format_args!(
                    "the label {name:?} of the registry is there already: give each label once"
                )));
            }
            all = Labels::following(&all, [(*name, *value)]);
        }
        let prefix = self.scope.prefix.clone();
        Ok(self.within(Scope {
            prefix,
            labels: all,
        }))
    }
}
