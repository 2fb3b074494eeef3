//! What a collector writes its series to.

use std::fmt::{self, Display};
use std::sync::Arc;

use crate::error::Error;
use crate::metric::{Amount, Histogram, to_count, to_f64};
use crate::registry::collect::{CollectedFamily, CollectedSeries, HistogramValues};
use crate::registry::registered_collector::RegisteredCollector;
use crate::snapshot::{Desc, Kind, Labels, Values};

/// Receives the series that a collector computes.
///
/// A series is left out, and counted in `tachometer_invalid_observations_total`, if its family
/// has another kind, if the name of a label is not valid, if the series exists already (labels
/// in another order are the same), if a counter's value is negative, infinite or NaN, or if the
/// buckets of a histogram contradict each other. A label with an empty value is left out, which
/// is the same to Prometheus.
///
/// A series of a family that the collector does not have is left out, and counted in
/// `tachometer_series_refused_total` with the [name](crate::registry::Collect::name) of the
/// collector.
pub struct CollectSink<'a> {
    collector: &'a Arc<RegisteredCollector>,
    /// By the index of the family in the collector; `None` for a family without series so far.
    families: Vec<Option<CollectedFamily>>,
    /// The index of the family of the last series. The next one is mostly of the same family.
    last_family: usize,
    /// The label names of the last series, which were valid.
    valid_label_names: Vec<String>,
}

impl<'a> CollectSink<'a> {
    pub(crate) fn new(collector: &'a Arc<RegisteredCollector>) -> Self {
        Self {
            collector,
            families: Vec::new(),
            last_family: 0,
            valid_label_names: Vec::new(),
        }
    }

    pub(crate) fn into_families(self) -> Vec<Option<CollectedFamily>> {
        self.families
    }

    /// Adds a family that is not among those that the collector
    /// [describes](crate::registry::Collect::describe). A registered family stays registered, so
    /// this does nothing at later reads, except that it fills in a help text that was empty.
    ///
    /// A scrape that selects metrics by name runs a collector that describes some families only if
    /// it selects one of these, or if the collector has added a family before.
    ///
    /// ```
    /// use tachometer::Registry;
    /// use tachometer::registry::{Collect, CollectSink};
    /// use tachometer::snapshot::{Desc, Kind};
    ///
    /// struct Plugins(Vec<String>);
    ///
    /// impl Collect for Plugins {
    ///     fn collect(&self, sink: &mut CollectSink<'_>) {
    ///         for plugin in &self.0 {
    ///             let name = format!("plugin_{plugin}_queue");
    ///             if sink.family(&Desc::new(&name, "Waiting calls.", Kind::Gauge)).is_ok() {
    ///                 sink.gauge(&name, [], 2);
    ///             }
    ///         }
    ///     }
    /// }
    ///
    /// let registry = Registry::new();
    /// registry.collector(Plugins(vec!["mail".to_owned()]))?;
    /// assert!(registry.export_prometheus().contains("plugin_mail_queue 2"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the name is not valid or taken, or if the collector has 10,000 families. The first error
    /// for a name is logged as a warning. The error may be ignored: series of the family are then
    /// left out and counted.
    pub fn family(&mut self, desc: &Desc) -> Result<(), Error> {
        self.collector.add_family(desc)
    }

    /// Adds a series to a family of counters: the total, not the increase since the last read.
    pub fn counter<'l>(
        &mut self,
        family: &str,
        labels: impl AsRef<[(&'l str, &'l str)]>,
        sum: impl Amount,
    ) -> CollectedSeries<'_> {
        let fits = |_: &Values| true;
        let empty = || Some(Values::Counter(Vec::new()));
        let push = |values: &mut Values| {
            match (values, to_count(sum)) {
                (Values::Counter(counts), Some(count)) => counts.push(count),
                _ => return false,
            }
            true
        };
        self.add(family, Kind::Counter, labels.as_ref(), fits, empty, push)
    }

    /// Adds a series to a family of gauges.
    pub fn gauge<'l>(
        &mut self,
        family: &str,
        labels: impl AsRef<[(&'l str, &'l str)]>,
        value: impl Amount,
    ) -> CollectedSeries<'_> {
        let fits = |_: &Values| true;
        let empty = || Some(Values::Gauge(Vec::new()));
        let push = |values: &mut Values| {
            if let Values::Gauge(numbers) = values {
                numbers.push(to_f64(value));
            }
            true
        };
        self.add(family, Kind::Gauge, labels.as_ref(), fits, empty, push)
    }

    /// Adds a series to a family of histograms.
    pub fn histogram<'l>(
        &mut self,
        family: &str,
        labels: impl AsRef<[(&'l str, &'l str)]>,
        histogram: &Histogram,
    ) -> CollectedSeries<'_> {
        let fits = |values: &Values| histogram.fits(values);
        let empty = || Some(histogram.empty_values());
        let push = |values: &mut Values| {
            histogram.read(values);
            true
        };
        self.add(family, Kind::Histogram, labels.as_ref(), fits, empty, push)
    }

    /// Adds a series to a family of histograms, as plain numbers.
    ///
    /// ```
    /// use tachometer::Registry;
    /// use tachometer::registry::{Collect, CollectSink, HistogramValues};
    /// use tachometer::snapshot::{Desc, Kind};
    ///
    /// struct Pool;
    ///
    /// impl Collect for Pool {
    ///     fn describe(&self) -> Vec<Desc> {
    ///         vec![Desc::new("pool_wait_seconds", "Time to get one.", Kind::Histogram)]
    ///     }
    ///
    ///     fn collect(&self, sink: &mut CollectSink<'_>) {
    ///         let seconds = HistogramValues::new(&[0.1, 1.0], &[7, 2, 1], 4.5);
    ///         sink.histogram_values("pool_wait_seconds", [], seconds);
    ///     }
    /// }
    ///
    /// let registry = Registry::new();
    /// registry.collector(Pool)?;
    /// let text = registry.export_prometheus();
    /// assert!(text.contains("pool_wait_seconds_bucket{le=\"1.0\"} 9"));
    /// assert!(text.contains("pool_wait_seconds_count 10"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    pub fn histogram_values<'l>(
        &mut self,
        family: &str,
        labels: impl AsRef<[(&'l str, &'l str)]>,
        histogram: HistogramValues<'_>,
    ) -> CollectedSeries<'_> {
        let fits = |values: &Values| histogram.fits(values);
        let empty = || histogram.empty().ok();
        let push = |values: &mut Values| histogram.push(values);
        self.add(family, Kind::Histogram, labels.as_ref(), fits, empty, push)
    }

    /// Returns the labels that all series of the collector have.
    #[cfg(feature = "prometheus")]
    pub(crate) fn constant_labels(&self) -> &'a Labels {
        self.collector.scope.labels()
    }

    /// Counts series that the collector leaves out, because they have no equivalent here.
    ///
    /// `tachometer_series_refused_total` counts them. The reason is logged as a warning, once for
    /// each name of a metric. It must not contain a label value.
    pub fn refuse(&mut self, name: &str, series: u64, reason: impl Display) {
        self.collector.refusals.refuse(name, series, &reason);
    }

    /// Adds a series. See [`CollectedFamily::add`].
    fn add(
        &mut self,
        name: &str,
        kind: Kind,
        labels: &[(&str, &str)],
        fits: impl Fn(&Values) -> bool,
        empty: impl FnOnce() -> Option<Values>,
        push: impl FnOnce(&mut Values) -> bool,
    ) -> CollectedSeries<'_> {
        let has_valid_labels = self.has_valid_names(labels);
        let collector = self.collector;
        let Some(family) = self.family_mut(name) else {
            let reason = "the collector neither describes the family nor adds it by \
                          `CollectSink::family`";
            collector.refusals.refuse(name, 1, &reason);
            return CollectedSeries::refused();
        };
        if family.family.desc().kind() != kind || !has_valid_labels {
            return family.refuse();
        }
        let labels = label_set(collector.scope.labels(), labels);
        family.add(labels, collector.created_millis, fits, empty, push)
    }

    /// Returns what was collected for a family so far, if the collector has the family.
    fn family_mut(&mut self, name: &str) -> Option<&mut CollectedFamily> {
        let last = self.families.get(self.last_family);
        let last = last.and_then(Option::as_ref);
        if last.is_none_or(|last| *last.family.name != *name) {
            let (index, family) = self.collector.family(name)?;
            if self.families.len() <= index {
                self.families.resize_with(index + 1, || None);
            }
            self.families[index].get_or_insert_with(|| CollectedFamily::new(family));
            self.last_family = index;
        }
        self.families.get_mut(self.last_family)?.as_mut()
    }

    /// Returns true if all label names are valid, and each is given once.
    fn has_valid_names(&mut self, labels: &[(&str, &str)]) -> bool {
        // The series of a family mostly have the same labels, and the checks take long.
        let names = labels.iter().map(|(name, _)| *name);
        if names.clone().eq(&self.valid_label_names) {
            return true;
        }
        let is_valid = self.collector.has_valid_names(labels);
        if is_valid {
            self.valid_label_names = names.map(str::to_owned).collect();
        }
        is_valid
    }
}

/// Returns the series' labels in one order, without those whose value is empty.
fn label_set(constant: &Labels, labels: &[(&str, &str)]) -> Labels {
    let labels = labels.iter().copied();
    let mut labels: Vec<_> = labels.filter(|(_, value)| !value.is_empty()).collect();
    labels.sort_unstable();
    constant.with_pairs(labels)
}

/// Does not print the labels, whose values may come from a client.
impl fmt::Debug for CollectSink<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectSink")
            .field("collector", &self.collector.name)
            .field("families", &self.families.len())
            .finish_non_exhaustive()
    }
}
