//! The atomics behind every metric.
//!
//! A cell knows neither names nor labels. Recording stores in cells, scrapes load from them,
//! and neither waits for the other: only a record that makes a series busy takes a lock. A cell that is written often takes a slot in [`shards`], where
//! the first threads write words of their own with plain loads and stores. Orderings:
//!
//! | cell | writer | reader | why it suffices |
//! | --- | --- | --- | --- |
//! | [`CounterCell`] | `Relaxed`, a reset `Release` | `Acquire` outside the slot, then `Relaxed` | the words of a counter are independent; a reset is never seen without what it took away |
//! | [`InFlightCell`] | `Release` before `finish` | `Acquire`, finished before started | a finish is never seen without its start |
//! | [`GaugeCell`] | flag `Relaxed`, number `Release` | `Relaxed`; an expiry `Acquire` | an expiry that sees a number sees its flag |
//! | [`SeriesState`] | `Relaxed` | `Relaxed` | one word |
//! | [`ExpiringCell`] | `Relaxed` | `Relaxed` | two words that need not match |
//! | [`RecentExtremeCell`] | `Relaxed` | `Relaxed` | a number and its time are one word |
//! | [`HistogramCell`] | bucket, then extremes, sum and count `Release` | extremes, count and sum `Acquire`, then buckets | see `count_and_sum.rs` |
//! | [`sparse_counts`] | `Acquire`, a word at a time; a reset `Release` | `Relaxed` | a key and its count are one word |
//! | [`IndexedList`] | one writer at a time, `Release` | `Acquire` | an entry is complete before its slot is visible; a tag is a hint |
//! | [`ReplaceableList`] | one writer at a time, swaps an `Arc` | a guard | the guard keeps the list that it was taken for |

mod address_key;
mod atomic_f64;
mod bucket_layout;
pub(crate) mod clock;
mod count_and_sum;
mod counter;
#[cfg(feature = "llm")]
mod expiring;
mod extremes;
mod gauge;
mod hash;
mod hash_index;
mod histogram;
mod in_flight;
mod indexed_list;
#[cfg(all(test, tachometer_loom))]
pub(crate) mod loom_models;
#[cfg(feature = "llm")]
mod recent_extreme;
mod replaceable_list;
mod reset_lock;
mod series_state;
mod shards;
mod sparse_counts;
mod sync;
mod write_rate;

pub(crate) use address_key::AddressKey;
pub(crate) use bucket_layout::BucketLayout;
pub(crate) use counter::CounterCell;
#[cfg(feature = "llm")]
pub(crate) use expiring::ExpiringCell;
pub(crate) use gauge::GaugeCell;
pub(crate) use hash::Hasher;
pub(crate) use histogram::HistogramCell;
pub(crate) use in_flight::InFlightCell;
pub(crate) use indexed_list::IndexedList;
#[cfg(feature = "llm")]
pub(crate) use recent_extreme::{Extreme, RecentExtremeCell};
pub(crate) use replaceable_list::{EarlierList, ReplaceableList};
pub(crate) use series_state::SeriesState;
pub(crate) use sync::{Arc, AtomicBool, AtomicUsize, Mutex, MutexGuard, OnceLock, Ordering};
pub(crate) use write_rate::set_busy_rate;
