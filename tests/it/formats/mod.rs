//! The exposition formats: what goes in comes back, for every parser.

mod exemplars;
mod exposition;
mod official_parsers;
pub(crate) mod parsers;
mod prometheus;
mod prometheus_answers;
mod round_trip_numbers;
mod round_trip_texts;
