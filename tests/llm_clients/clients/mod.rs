//! The clients that the layer fits: they see what they would see without it.

mod async_openai;
mod hyper;
mod observed_call;
mod reqwest;
mod reqwest_middleware;
