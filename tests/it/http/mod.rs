//! The HTTP layer: outcomes, labels, routes, streams, and what it must not change.

mod bare_hyper;
mod body_frames;
mod cancellation;
mod chaos;
mod client_disconnects;
mod custom_labels;
mod grpc;
mod http2_resets;
mod layer;
mod layer_settings;
mod nested_layers;
mod one_outcome;
mod presets;
mod routes;
mod runtime_shutdown;
mod service_levels;
mod streams;
mod tower_contract;
mod transparency;
mod upgrades;
