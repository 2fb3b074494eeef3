//! The supported clients behave the same with and without the layer.

mod async_openai;
mod hyper;
mod observed_call;
mod reqwest;
mod reqwest_middleware;
