//! What several tests need: reading a registry, calling over loopback, running
//! other programs.

pub(crate) mod client;
pub(crate) mod demo;
pub(crate) mod example;
pub(crate) mod gate;
pub(crate) mod http;
pub(crate) mod parse;
pub(crate) mod program;
pub(crate) mod prometheus;
#[cfg(feature = "dashboard")]
pub(crate) mod promql;
pub(crate) mod read;
pub(crate) mod scene;
pub(crate) mod script;
pub(crate) mod service;
#[path = "../../support/skipped.rs"]
pub(crate) mod skipped;
pub(crate) mod told;
pub(crate) mod wait;
pub(crate) mod warnings;
