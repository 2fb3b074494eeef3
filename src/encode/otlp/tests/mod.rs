//! Tests of the encoder with a decoder of the wire format.

mod metric_names;
