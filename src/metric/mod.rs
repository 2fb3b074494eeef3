//! Counters, gauges, histograms and families.
//!
//! The guide [Custom metrics](crate::guides::custom_metrics) explains them by task.
//!
//! A [`Counter`] only grows (requests, errors, bytes). A [`Gauge`] goes up and down
//! (connections, queue length). A [`Histogram`] has a distribution (durations, sizes). A
//! [`Family`] is any of them with labels. All are handles: a clone is the same metric, and a
//! handle works with or without a registry.
//!
//! Recording never fails, blocks or panics. An invalid value (a counter's negative increment,
//! a NaN) is ignored and counted; the registry exports the count as
//! `tachometer_invalid_observations_total`.
//!
//! ```
//! use tachometer::{Counter, Gauge, Histogram};
//!
//! let jobs = Counter::new();
//! jobs.inc();
//! jobs.inc_by(0.5);
//! jobs.inc_by(-1); // ignored and counted as invalid
//! assert_eq!(jobs.get(), 1.5);
//!
//! let queued = Gauge::new();
//! queued.set(10);
//! queued.dec_by(4);
//! assert_eq!(queued.get(), 6.0);
//!
//! let seconds = Histogram::new();
//! seconds.observe(0.2);
//! assert_eq!(seconds.stats().mean, 0.2);
//! ```

mod amount;
mod any_metric;
mod buckets;
mod busy_rate;
pub(crate) mod clock;
mod counter;
mod dynamic;
mod exemplars;
#[cfg(feature = "llm")]
mod expiring_gauge;
mod family;
mod family_info;
#[cfg(feature = "llm")]
mod fixed_point_counter;
mod gauge;
mod handle;
mod histogram;
mod in_flight;
mod instrument;
mod intern_map;
mod label;
mod label_rule;
mod limits;
#[cfg(all(test, tachometer_loom))]
mod loom_models;
#[cfg(feature = "metrics")]
mod mixed_set;
mod name;
#[cfg(feature = "llm")]
mod recent_extreme;
mod seen_values;
mod series;
mod set;
mod timer;

#[cfg(feature = "llm")]
pub(crate) use crate::cell::Extreme;
pub use amount::Amount;
pub(crate) use amount::{to_count, to_f64};
pub use any_metric::Metric;
#[cfg(feature = "metrics")]
pub(crate) use any_metric::downcast_set;
pub(crate) use any_metric::{AnySet, desc_of, set_of};
pub use buckets::Buckets;
pub(crate) use busy_rate::set_busy_rate;
pub use counter::Counter;
pub(crate) use dynamic::{DynFamily, MAX_LABELS};
pub(crate) use exemplars::are_valid_exemplar_labels;
#[cfg(feature = "llm")]
pub(crate) use expiring_gauge::ExpiringGauge;
pub use family::Family;
pub(crate) use family_info::FamilyInfo;
#[cfg(feature = "llm")]
pub(crate) use fixed_point_counter::FixedPointCounter;
pub use gauge::Gauge;
#[cfg(feature = "metrics")]
pub(crate) use handle::AsHandle;
pub(crate) use handle::MetricCell;
pub use histogram::Histogram;
pub(crate) use in_flight::InFlight;
pub use instrument::Instrument;
pub(crate) use intern_map::InternMap;
pub use label::Label;
#[cfg(feature = "llm")]
pub(crate) use label_rule::{OVERFLOW, OverflowReason};
pub(crate) use limits::Limits;
#[cfg(feature = "metrics")]
pub(crate) use mixed_set::{HandleCache, MixedOptions, MixedSet};
pub(crate) use name::{Names, exported_names, is_same_when_escaped};
#[cfg(feature = "llm")]
pub(crate) use recent_extreme::RecentExtreme;
#[cfg(all(test, feature = "llm"))]
pub(crate) use recent_extreme::advance;
#[cfg(feature = "metrics")]
pub(crate) use series::Series;
pub(crate) use set::{ReadId, SeriesCursor, SeriesSet};
pub use timer::Timer;
