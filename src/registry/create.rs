//! Asking a registry for metrics.

use std::sync::{Arc, PoisonError, RwLockWriteGuard};

use crate::error::Error;
use crate::metric::{
    Buckets, Counter, DynFamily, Family, Gauge, Histogram, Instrument, Label, MAX_LABELS,
    MetricCell, SeriesSet,
};
use crate::registry::Registry;
use crate::registry::metric_table::MetricTable;
use crate::snapshot::Desc;

/// Every method here returns what is there when the name is taken by the same
/// kind of metric with the same labels; its first help text is kept.
///
/// # Errors
///
/// All of them refuse a metric or label name that Prometheus does not read
/// ([`Error::is_invalid_name`], [`Error::is_invalid_label`]), and a name that is
/// taken by something else, or that some format would print like another's
/// ([`Error::is_conflict`]): `x` and `x_total`, or `x` and the `x_count` of a
/// histogram `x`.
impl Registry {
    /// Returns the counter called `name`; in Prometheus's formats the name ends
    /// in `_total`, which is appended where it is missing.
    ///
    /// # Errors
    ///
    /// When the name is not valid or is taken by something else.
    pub fn counter(&self, name: &str, help: &str) -> Result<Counter, Error> {
        self.counter_with(name, help, [])
    }

    /// Returns the counter called `name` with these labels.
    ///
    /// ```
    /// # use tachometer::Registry;
    /// let registry = Registry::new();
    /// let ok = registry.counter_with("jobs_total", "Jobs done.", [("result", "ok")])?;
    /// ok.inc();
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a name is not valid, or is taken by something else or with other
    /// labels.
    pub fn counter_with<'a>(
        &self,
        name: &str,
        help: &str,
        labels: impl AsRef<[(&'a str, &'a str)]>,
    ) -> Result<Counter, Error> {
        self.series(name, help, labels.as_ref(), None)
    }

    /// Returns the family of counters called `name`, with these labels.
    ///
    /// # Errors
    ///
    /// When a name is not valid, or is taken by something else or with other
    /// labels.
    pub fn counter_family<'a, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label<'a>>; N],
    ) -> Result<Family<Counter, N>, Error> {
        self.family(name, help, labels, None)
    }

    /// Returns the gauge called `name`.
    ///
    /// # Errors
    ///
    /// When the name is not valid or is taken by something else.
    pub fn gauge(&self, name: &str, help: &str) -> Result<Gauge, Error> {
        self.gauge_with(name, help, [])
    }

    /// Returns the gauge called `name` with these labels.
    ///
    /// # Errors
    ///
    /// When a name is not valid, or is taken by something else or with other
    /// labels.
    pub fn gauge_with<'a>(
        &self,
        name: &str,
        help: &str,
        labels: impl AsRef<[(&'a str, &'a str)]>,
    ) -> Result<Gauge, Error> {
        self.series(name, help, labels.as_ref(), None)
    }

    /// Returns the family of gauges called `name`, with these labels.
    ///
    /// # Errors
    ///
    /// When a name is not valid, or is taken by something else or with other
    /// labels.
    pub fn gauge_family<'a, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label<'a>>; N],
    ) -> Result<Family<Gauge, N>, Error> {
        self.family(name, help, labels, None)
    }

    /// Returns the histogram called `name`; a new one gets the default bounds,
    /// 5 ms to 10 s, one that is there keeps its own.
    ///
    /// # Errors
    ///
    /// When the name is not valid or is taken by something else.
    pub fn histogram(&self, name: &str, help: &str) -> Result<Histogram, Error> {
        self.histogram_with(name, help, [])
    }

    /// Returns the histogram called `name` with these buckets. Exponential buckets of the
    /// default resolution are added if there are none.
    ///
    /// # Errors
    ///
    /// When the name is not valid, or the name is taken by something else or with other
    /// buckets.
    pub fn histogram_with_buckets(
        &self,
        name: &str,
        help: &str,
        buckets: Buckets,
    ) -> Result<Histogram, Error> {
        self.series(name, help, &[], Some(buckets.or_native()))
    }

    /// Returns the histogram called `name` with these labels; a new family gets
    /// the default bounds.
    ///
    /// # Errors
    ///
    /// When a name is not valid, or is taken by something else or with other
    /// labels.
    pub fn histogram_with<'a>(
        &self,
        name: &str,
        help: &str,
        labels: impl AsRef<[(&'a str, &'a str)]>,
    ) -> Result<Histogram, Error> {
        self.series(name, help, labels.as_ref(), None)
    }

    /// Returns the family of histograms called `name`, with these labels; a new
    /// family gets the default bounds.
    ///
    /// # Errors
    ///
    /// When a name is not valid, or is taken by something else or with other
    /// labels.
    pub fn histogram_family<'a, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label<'a>>; N],
    ) -> Result<Family<Histogram, N>, Error> {
        self.family(name, help, labels, None)
    }

    /// Returns the family of histograms called `name`, with these labels and these buckets.
    ///
    /// # Errors
    ///
    /// When a name is not valid, or the name is taken by something else, with other labels or
    /// with other buckets.
    pub fn histogram_family_with_buckets<'a, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label<'a>>; N],
        buckets: Buckets,
    ) -> Result<Family<Histogram, N>, Error> {
        self.family(name, help, labels, Some(buckets))
    }

    /// Shows a metric that exists already, made by its own `new()`, as `name`.
    ///
    /// A metric may be shown in several registries.
    ///
    /// ```
    /// # use tachometer::{Counter, Registry};
    /// let registry = Registry::new();
    /// let hits = Counter::new();
    /// hits.inc();
    /// registry.register("hits_total", "Cache hits.", &hits)?;
    /// assert_eq!(registry.get("hits_total").unwrap().value(), 1.0);
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the name is not valid or is taken, even by a metric of the same
    /// kind; or when the metric is one of a family and so has labels of its own.
    pub fn register<M: Instrument>(&self, name: &str, help: &str, metric: &M) -> Result<(), Error> {
        let name = &self.scope.name(name);
        self.scope.names().check_metric(name)?;
        let series = metric.handle().series();
        if series.shared.has_labels {
            return Err(Error::conflict(format_args!(
                "the metric to show as {name:?} is a series of a family, with the labels \
                 {{{}}}: register one that was made by itself",
                series.labels.as_str()
            )));
        }
        let mut entries = self.table_mut();
        let there = entries.get(name);
        if there.is_some_and(|entry| entry.group(self.scope.labels()).is_some()) {
            return Err(Error::conflict(format_args!(
                "the metric {name:?} is there already: choose another name, \
                 or ask the registry for the one that is there"
            )));
        }
        let desc = Desc::new(name, entries.help(name, help), M::KIND);
        let set = SeriesSet::for_metric(desc, self.scope.labels().clone(), metric);
        entries.insert(Arc::new(set))
    }

    fn series<M: Instrument>(
        &self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        settings: Option<M::Settings>,
    ) -> Result<M, Error> {
        let names: Vec<_> = labels.iter().map(|(name, _)| Label::from(*name)).collect();
        let set = self.series_set::<M>(name, help, &names, settings)?;
        // The set's own order, which may be that of whoever asked first.
        let mut values: Vec<_> = set
            .label_names()
            .iter()
            .filter_map(|name| labels.iter().find(|(asked, _)| **name == **asked))
            .map(|(_, value)| *value)
            .collect();
        Ok(set.get_or_create_slow(&values.clone(), &mut values).clone())
    }

    fn family<'a, M: Instrument, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label<'a>>; N],
        settings: Option<M::Settings>,
    ) -> Result<Family<M, N>, Error> {
        let labels = labels.map(Into::into);
        let set = self.series_set(name, help, &labels, settings)?;
        Ok(Family::new(set, labels.map(|label| label.name)))
    }

    /// Returns the family called `name`, whose labels are chosen at run time; there
    /// are no more than [`MAX_LABELS`] of them.
    pub(crate) fn dyn_family<M: Instrument>(
        &self,
        name: &str,
        help: &str,
        labels: &[Label<'_>],
        settings: Option<M::Settings>,
    ) -> Result<DynFamily<M>, Error> {
        if labels.len() > MAX_LABELS {
            return Err(Error::invalid_label(format_args!(
                "the metric {name:?} has {} labels: leave out all but {MAX_LABELS}",
                labels.len()
            )));
        }
        let set = self.series_set(name, help, labels, settings)?;
        let names: Vec<_> = labels.iter().map(|label| label.name).collect();
        Ok(DynFamily::new(set, &names))
    }

    fn series_set<M: Instrument>(
        &self,
        name: &str,
        help: &str,
        labels: &[Label<'_>],
        settings: Option<M::Settings>,
    ) -> Result<Arc<SeriesSet<M>>, Error> {
        let name = &self.scope.name(name);
        let label_names: Vec<_> = labels.iter().map(|label| label.name).collect();
        self.scope.names().check_metric(name)?;
        self.scope.check_labels(name, &label_names)?;
        let constant = self.scope.labels();
        let there = self.table().find(name, constant, labels, settings.as_ref());
        if let Some(set) = there? {
            return Ok(set);
        }
        let mut entries = self.table_mut();
        // Another thread may have added it between the two locks.
        if let Some(set) = entries.find(name, constant, labels, settings.as_ref())? {
            return Ok(set);
        }
        let settings = settings.or_else(|| entries.settings::<M>(name));
        let settings = settings.unwrap_or_else(|| M::Cell::default_settings(!labels.is_empty()));
        let desc = Desc::new(name, entries.help(name, help), M::KIND).with_role(self.scope.role());
        let set = Arc::new(SeriesSet::new(desc, constant.clone(), labels, settings));
        entries.insert(Arc::<SeriesSet<M>>::clone(&set))?;
        Ok(set)
    }

    pub(super) fn table_mut(&self) -> RwLockWriteGuard<'_, MetricTable> {
        let entries = &self.inner.metrics;
        entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}
