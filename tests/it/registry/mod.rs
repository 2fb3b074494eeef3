//! The registry and the metric core: registration, labels, limits, reading.
//!
//! - `collectors`: collectors and callbacks: metrics computed at each scrape.
//! - `derived_handles`: handles derived by `with_prefix` and `with_labels`.
//! - `errors`: errors at start-up, and invalid values that are ignored and counted later.
//! - `family_model`: families compared with a naive model, over random operations.
//! - `label_limits`: label values: closed and open labels, limits, and overflow.
//! - `lint`: the lint of a registry compared with promtool.
//! - `merged_registries`: several registries that are read as one.
//! - `misbehaving_collectors`: collectors that panic, conflict or change kinds.
//! - `percentiles`: percentiles compared with an exact sort.
//! - `registration`: registering, finding and resetting metrics.
//! - `remedies`: what each error tells its user to do.
//! - `removal`: removal of series, and handles to removed series.
//! - `test_assertions`: the assertions of `tachometer::testing`, and their messages.
//! - `threads`: many threads at once: no count is lost, and every scrape is consistent.

mod busy_series;
mod collectors;
mod derived_handles;
mod errors;
mod family_model;
mod label_limits;
mod lint;
mod merged_registries;
mod misbehaving_collectors;
mod percentiles;
mod registration;
mod remedies;
mod removal;
mod test_assertions;
mod threads;
