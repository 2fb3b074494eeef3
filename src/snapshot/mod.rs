//! The values of metrics as plain data, without atomics, formats or handles.
//!
//! **This module is unstable: it may change in any release.** It is public so that metrics can
//! be read and converted in code.
//!
//! A registry is read one [`SeriesBlock`] at a time: up to [`SeriesBlock::MAX_SERIES`] series of
//! one family, with their numbers in flat vectors and their labels in one text. So a read copies
//! numbers and labels and nothing else, and a scrape of any size needs the memory of one block
//! and one chunk of text. The encoders depend on this module only.
//!
//! ```
//! use tachometer::Registry;
//! use tachometer::snapshot::Values;
//!
//! let registry = Registry::new();
//! registry.counter("jobs_total", "Jobs done.")?.inc_by(3);
//!
//! for block in registry.gather() {
//!     if let Values::Counter(counts) = &block.values {
//!         println!("{} is {}", block.desc.name(), counts[0].value());
//!     }
//! }
//! # Ok::<(), tachometer::Error>(())
//! ```

mod block;
mod block_labels;
mod bounds;
mod clock;
mod count;
mod desc;
mod escaping;
mod exemplar;
mod histogram;
mod labels;
mod native;
mod parse_labels;
mod quoted;
mod role;
mod semantic_names;
mod series_snapshot;
mod summary;

pub use block::{SeriesBlock, Values};
pub use block_labels::{BlockLabels, LabelsView};
pub use bounds::Bounds;
pub(crate) use clock::{now_millis, unix_millis};
pub use count::Count;
pub use desc::{Desc, Kind};
pub use escaping::Escaping;
pub(crate) use escaping::{is_classic_label, is_classic_metric};
pub use exemplar::Exemplar;
pub use histogram::{HistogramStats, HistogramView, Histograms, Totals};
pub use labels::Labels;
pub use native::{NativeBuckets, Resolution};
pub(crate) use quoted::push_quoted;
pub use role::Role;
pub(crate) use semantic_names::SemanticNames;
pub use series_snapshot::{SeriesSnapshot, SeriesValue};
pub use summary::{MetricSummary, RegistrySummary};
