//! The registry and the metric core: registration, labels, limits, reading.

mod collectors;
mod derived_handles;
mod errors;
mod family_model;
mod label_limits;
mod lint;
mod merged_registries;
mod percentiles;
mod registration;
mod removal;
mod test_assertions;
mod threads;
