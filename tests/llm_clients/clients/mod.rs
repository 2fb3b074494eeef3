//! The clients that the layer fits: they see what they would see without it.

mod hyper;
mod middleware;
mod openai;
mod plain;
mod seen;
