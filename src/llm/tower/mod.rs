//! What users wrap around a client: the layer, its service, its future and its body.

pub(crate) mod body;
pub(crate) mod builder;
pub(crate) mod future;
pub(crate) mod layer;
pub(crate) mod service;
