//! What is written: the atomics behind every metric, and nothing else.
//!
//! A cell knows neither names nor labels. Whoever records stores here, whoever
//! scrapes loads here, and neither waits for the other. Orderings:
//!
//! | cell | writer | reader | why that suffices |
//! | --- | --- | --- | --- |
//! | [`CounterCell`] | `Relaxed` | `Relaxed` | each part is one word that only it writes; nothing is published through it |
//! | [`GaugeCell`] | `Relaxed` | `Relaxed` | one word |
//! | [`HistogramCell`] | bucket `Relaxed`, totals and count `Release` | count, then totals `Acquire`, then buckets | told in its file |
//! | [`List`], [`Index`] | one writer at a time, `Release` | `Acquire` | an entry is complete before its position can be seen |

mod counter;
mod float;
mod gauge;
mod histogram;
mod index;
mod lanes;
mod list;
mod sync;
mod thread;

pub(crate) use counter::CounterCell;
pub(crate) use gauge::GaugeCell;
pub(crate) use histogram::HistogramCell;
pub(crate) use index::Index;
pub(crate) use list::List;
