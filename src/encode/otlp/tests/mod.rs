//! Tests of the encoder with a decoder of the wire format. The official messages decode its
//! requests in `tests/it/otlp/`.

mod attributes;
mod blocks;
mod metric_names;
mod points;
mod requests;
pub(crate) mod wire_message;
