//! What the crate promises, tested through its public door.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod asked;
mod bare_hyper;
mod chaos;
mod choices;
mod client_values;
mod collectors;
mod complaints;
mod conservation;
mod contract;
mod debug;
mod demo;
mod doubles;
mod examples;
mod exemplars;
mod exposition;
mod figures;
mod frames;
#[cfg(feature = "dashboard")]
mod grafana;
mod grpc;
mod guard;
mod hang_ups;
mod layer;
mod levels;
mod limits;
mod lint;
#[cfg(feature = "serve")]
mod listener;
mod loopback;
mod merged;
mod names;
mod oracle;
mod own_labels;
mod page;
mod parsers;
mod percentiles;
mod places;
mod prometheus;
mod promql;
mod refusals;
mod registry;
mod removal;
mod resets;
mod roles;
mod roundtrip;
mod routes;
#[cfg(feature = "dashboard")]
mod rules;
mod scopes;
mod scrapes;
mod secrets;
mod seed;
#[cfg(feature = "serve")]
mod series;
mod serve;
mod shutdown;
mod streams;
mod strict;
mod support;
mod testing;
mod threads;
mod upgrades;
mod wire;
