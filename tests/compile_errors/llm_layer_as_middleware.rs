//! The layer itself in place of its middleware for reqwest-middleware.
//~ LlmLayer: reqwest_middleware::Middleware` is not satisfied

use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tachometer::LlmLayer;

#[cfg(mistake)]
pub fn client() -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new())
        .with(LlmLayer::new())
        .build()
}

#[cfg(not(mistake))]
pub fn client() -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new())
        .with(LlmLayer::new().middleware())
        .build()
}
