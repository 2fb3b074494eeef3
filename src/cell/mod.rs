//! What is written: the atomics behind every metric, and nothing else.
//!
//! A cell knows neither names nor labels. Whoever records stores here, whoever
//! scrapes loads here, and neither waits for the other. A cell that is much used
//! gets [`lanes`]: one for each thread, which that thread alone writes, with plain
//! loads and stores. Orderings:
//!
//! | cell | writer | reader | why that suffices |
//! | --- | --- | --- | --- |
//! | [`CounterCell`] | `Relaxed` | `Relaxed` | a counter's parts are words by themselves; nothing is published through them |
//! | [`InFlightCell`] | `Release` before one leaves | `Acquire`, those that left first | who is seen to have left is seen to have entered |
//! | [`GaugeCell`], [`SeriesState`] | `Relaxed` | `Relaxed` | one word |
//! | [`ExpiringCell`] | `Relaxed` | `Relaxed` | two words, which need not be of one moment |
//! | [`RecentExtremeCell`] | `Relaxed` | `Relaxed` | a number and the time it is of are one word |
//! | [`HistogramCell`] | bucket, then totals and count `Release` | count, then totals `Acquire`, then buckets | told in `tally.rs` |
//! | [`sheets`] | `Relaxed`, a word at a time | `Relaxed` | a key and its count are one word |
//! | [`Catalog`] | one writer at a time, `Release` | `Acquire` | an entry is complete before its place can be seen |

mod atomic_f64;
mod atomic_totals;
mod bucket_layout;
mod catalog;
#[cfg(feature = "llm")]
pub(crate) mod clock;
mod counter;
mod dense_counts;
#[cfg(feature = "llm")]
mod expiring;
mod gauge;
mod hash;
mod histogram;
mod in_flight;
mod index;
mod list;
#[cfg(all(test, tachometer_loom))]
mod loom_models;
#[cfg(all(test, tachometer_loom))]
pub(crate) mod model;
#[cfg(feature = "llm")]
mod recent_extreme;
mod series_state;
mod sharded;
mod sparse_counts;
mod sync;
mod thread_number;

pub(crate) use bucket_layout::BucketLayout;
pub(crate) use catalog::Catalog;
pub(crate) use counter::CounterCell;
#[cfg(feature = "llm")]
pub(crate) use expiring::ExpiringCell;
pub(crate) use gauge::GaugeCell;
pub(crate) use hash::Hasher;
pub(crate) use histogram::HistogramCell;
pub(crate) use in_flight::InFlightCell;
#[cfg(feature = "llm")]
pub(crate) use recent_extreme::{Extreme, RecentExtremeCell};
pub(crate) use series_state::SeriesState;
pub(crate) use sync::{AtomicBool, AtomicUsize, Mutex, Ordering};
