//! The HTTP layer: outcomes, labels, routes, streams, and what it must not change.
//!
//! - `axum_prometheus`: the names and labels of axum-prometheus and of its preset.
//! - `bare_hyper`: the layer on hyper's server, without axum.
//! - `body_frames`: a wrapped body next to an unwrapped one: both return the same from every
//!   method.
//! - `body_sizes`: the sizes of request and response bodies.
//! - `cancellation`: cancellation over real connections. hyper stops polling a body after its
//!   declared length, which must not count as a cancellation.
//! - `chaos`: fifty thousand requests over loopback, many from misbehaving clients.
//! - `client_disconnects`: clients that disconnect, and when hyper notices.
//! - `custom_labels`: custom labels on requests and durations.
//! - `environment`: settings from environment variables.
//! - `documented_stacks`: stacks of middleware from the documentation of axum, tower-http and
//!   other metrics layers.
//! - `graceful_shutdown`: `axum::serve` that shuts down gracefully under load.
//! - `grpc`: gRPC calls, over real HTTP/2 and through tonic's own server.
//! - `http2_resets`: HTTP/2 clients that open streams and reset them at once, as in rapid-reset
//!   attacks.
//! - `http2_websockets`: WebSocket over HTTP/2.
//! - `layer`: labels and placement of the layer, and what it leaves unchanged.
//! - `layer_settings`: settings of the layer, and protection against wrong use.
//! - `methods`: additional HTTP methods in the label.
//! - `nested_layers`: requests that pass two layers.
//! - `nested_services`: the routes of requests for which axum has no template.
//! - `one_outcome`: every request ends in exactly one outcome.
//! - `positions`: the positions in which users put the layer.
//! - `presets`: metric names of the presets, and prefixes.
//! - `request_ends`: the closure that is called at the end of each request.
//! - `request_types`: the layer keeps the type of requests; which bodies are counted.
//! - `routes`: the route of a request, with and without axum.
//! - `runtime_shutdown`: a runtime that shuts down while requests are in flight.
//! - `service_levels`: service levels: the number of requests, and of those that met the
//!   target.
//! - `skip_unmatched`: requests without a known route that are not counted.
//! - `stacks`: the layer together with middleware and servers of other crates.
//! - `streams`: streams, and the times to the head and to the first byte, with a clock set by
//!   the tests.
//! - `tower_contract`: the contract of tower's `Service`, and closures of users that panic.
//! - `transparency`: the same service with and without the layer, as its clients see it.
//! - `upgrades`: upgraded connections, which the layer does not see any more.

mod axum_prometheus;
mod bare_hyper;
mod body_frames;
mod body_sizes;
mod cancellation;
mod chaos;
mod client_disconnects;
mod custom_labels;
mod documented_stacks;
mod environment;
mod graceful_shutdown;
mod grpc;
mod http2_resets;
mod http2_websockets;
mod layer;
mod layer_settings;
mod methods;
mod nested_layers;
mod nested_services;
mod one_outcome;
mod positions;
mod presets;
mod request_ends;
mod request_types;
mod routes;
mod runtime_shutdown;
mod service_levels;
mod skip_unmatched;
mod stacks;
mod streams;
mod tower_contract;
mod transparency;
mod upgrades;
