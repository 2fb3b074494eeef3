//! Creating and finding the metrics of a registry.

use std::sync::Arc;

use crate::error::{Conflict, Error};
use crate::metric::{
    Buckets, Counter, DynFamily, Family, FamilyInfo, Gauge, Histogram, Instrument, Label,
    MAX_LABELS, MetricCell, SeriesSet,
};
use crate::registry::Registry;
use crate::registry::metric_table::by_library;
use crate::snapshot::Desc;

/// Each of these methods creates a metric, or returns the existing one if the name belongs to a
/// metric of the same kind with the same labels. The first help text is kept.
///
/// # Errors
///
/// Each method refuses the name of a metric or a label that Prometheus does not accept
/// ([`Error::is_invalid_name`], [`Error::is_invalid_label`]), and a name that belongs to another
/// kind of metric, or that some format would print like the name of another metric
/// ([`Error::is_conflict`]): `x` and `x_total`, or `x_count` and a histogram `x`.
impl Registry {
    /// Returns the counter called `name`. Prometheus's formats append `_total` to the name if it
    /// does not end in it.
    ///
    /// # Errors
    ///
    /// If the name is not valid or belongs to another kind of metric.
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
    /// If a name is not valid, or belongs to another kind of metric or one with other labels.
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
    /// If a name is not valid, or belongs to another kind of metric or one with other labels.
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
    /// If the name is not valid or belongs to another kind of metric.
    pub fn gauge(&self, name: &str, help: &str) -> Result<Gauge, Error> {
        self.gauge_with(name, help, [])
    }

    /// Returns the gauge called `name` with these labels.
    ///
    /// # Errors
    ///
    /// If a name is not valid, or belongs to another kind of metric or one with other labels.
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
    /// If a name is not valid, or belongs to another kind of metric or one with other labels.
    pub fn gauge_family<'a, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label<'a>>; N],
    ) -> Result<Family<Gauge, N>, Error> {
        self.family(name, help, labels, None)
    }

    /// Returns the histogram called `name`. A new one gets the default buckets, for durations of
    /// 5 ms to 10 s; an existing one keeps its buckets.
    ///
    /// # Errors
    ///
    /// If the name is not valid or belongs to another kind of metric.
    pub fn histogram(&self, name: &str, help: &str) -> Result<Histogram, Error> {
        self.histogram_with(name, help, [])
    }

    /// Returns the histogram called `name` with these buckets. If they have no exponential buckets,
    /// those of the default resolution are added.
    ///
    /// # Errors
    ///
    /// If the name is not valid, or belongs to another kind of metric or to a histogram with
    /// other buckets.
    pub fn histogram_with_buckets(
        &self,
        name: &str,
        help: &str,
        buckets: Buckets,
    ) -> Result<Histogram, Error> {
        self.series(name, help, &[], Some(buckets.or_native()))
    }

    /// Returns the histogram called `name` with these labels. A new family gets the default
    /// buckets.
    ///
    /// # Errors
    ///
    /// If a name is not valid, or belongs to another kind of metric or one with other labels.
    pub fn histogram_with<'a>(
        &self,
        name: &str,
        help: &str,
        labels: impl AsRef<[(&'a str, &'a str)]>,
    ) -> Result<Histogram, Error> {
        self.series(name, help, labels.as_ref(), None)
    }

    /// Returns the family of histograms called `name`, with these labels. A new family gets the
    /// default buckets.
    ///
    /// # Errors
    ///
    /// If a name is not valid, or belongs to another kind of metric or one with other labels.
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
    /// If a name is not valid, or belongs to another kind of metric or one with other labels or
    /// buckets.
    pub fn histogram_family_with_buckets<'a, const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [impl Into<Label<'a>>; N],
        buckets: Buckets,
    ) -> Result<Family<Histogram, N>, Error> {
        self.family(name, help, labels, Some(buckets))
    }

    /// Registers an existing metric, made by `new()` of its type, as `name`.
    ///
    /// A metric can be registered in several registries.
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
    /// If the name is not valid, or is taken, even by a metric of the same kind; or if the metric
    /// is a series of a family and so has labels.
    pub fn register<M: Instrument>(&self, name: &str, help: &str, metric: &M) -> Result<(), Error> {
        let name = &self.scope.name(name);
        self.scope.names().check_metric(name)?;
        let series = metric.handle().series();
        if series.shared.has_labels {
            return Err(Error::conflict(
                Conflict::Other,
                format_args!(
                    "the metric to register as {name:?} is a series of a family and has labels"
                ),
                "register a metric without labels",
            ));
        }
        let mut table = self.table_mut();
        let existing = table.get(name);
        let existing = existing.filter(|entry| entry.group(self.scope.labels()).is_some());
        if let Some(entry) = existing {
            let by = entry.library().map(by_library).unwrap_or_default();
            return Err(Error::conflict(
                Conflict::Other,
                format_args!("the metric {name:?} is already registered{by}"),
                "choose another name, or get the existing metric from the registry",
            ));
        }
        let desc = Desc::new(name, table.help(name, help), M::KIND);
        let info = FamilyInfo::new(desc, self.scope.labels().clone(), &[]);
        table.insert(Arc::new(SeriesSet::for_metric(info, metric)))
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
        let mut values = set.info().values(labels);
        Ok(set.get_or_create(&values.clone(), &mut values))
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
        Ok(Family::new(set, &labels))
    }

    /// Returns the family called `name`, whose labels are chosen at run time. There may be up to
    /// [`MAX_LABELS`] of them.
    pub(crate) fn dyn_family<M: Instrument>(
        &self,
        name: &str,
        help: &str,
        labels: &[Label<'_>],
        settings: Option<M::Settings>,
    ) -> Result<DynFamily<M>, Error> {
        if labels.len() > MAX_LABELS {
            return Err(Error::invalid_label(format_args!(
                "the metric {name:?} has {} labels: use at most {MAX_LABELS}",
                labels.len()
            )));
        }
        let set = self.series_set(name, help, labels, settings)?;
        Ok(DynFamily::new(set, labels))
    }

    fn series_set<M: Instrument>(
        &self,
        name: &str,
        help: &str,
        labels: &[Label<'_>],
        settings: Option<M::Settings>,
    ) -> Result<Arc<SeriesSet<M>>, Error> {
        let name = &self.checked_name(name, labels)?;
        let constant = self.scope.labels();
        let existing = self.table().find(name, constant, labels, settings.as_ref());
        if let Some(set) = existing? {
            return Ok(set);
        }
        let mut table = self.table_mut();
        // Another thread may have added it between the two locks.
        if let Some(set) = table.find(name, constant, labels, settings.as_ref())? {
            return Ok(set);
        }
        let settings = settings.or_else(|| table.settings::<M>(name));
        let settings = settings.unwrap_or_else(|| M::Cell::default_settings(!labels.is_empty()));
        let desc = Desc::new(name, table.help(name, help), M::KIND)
            .with_role(self.scope.role())
            .with_semantic_names(self.scope.semantic_names());
        let info = FamilyInfo::new(desc, constant.clone(), labels);
        let set = Arc::new(SeriesSet::new(info, settings));
        table.insert(Arc::<SeriesSet<M>>::clone(&set))?;
        Ok(set)
    }

    /// Returns the name under which a metric is registered, if that name and those of the labels
    /// are valid.
    fn checked_name(&self, name: &str, labels: &[Label<'_>]) -> Result<String, Error> {
        let name = self.scope.name(name);
        let labels: Vec<_> = labels.iter().map(Label::name).collect();
        self.scope.names().check_metric(&name)?;
        self.scope.check_labels(&name, &labels)?;
        Ok(name)
    }
}
