//! A kit for tests of services that are measured.
//!
//! A test that has a registry of its own shares its numbers with no other, however many run
//! beside it:
//!
//! ```
//! use axum::{Router, routing::get};
//! use axum::{body::Body, http::Request};
//! use tachometer::testing::{assert_exposition, assert_lint_clean, assert_nothing_in_flight};
//! use tachometer::{MetricsLayer, Registry, assert_counter, assert_histogram_count};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let registry = Registry::new();
//! let app: Router = Router::new()
//!     .route("/users/{id}", get(|| async { "a user" }))
//!     .layer(MetricsLayer::new().registry(&registry));
//!
//! let request = Request::get("/users/7").body(Body::empty()).unwrap();
//! let response = app.oneshot(request).await.unwrap();
//! axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
//!
//! // The sum of all series that have these labels.
//! assert_counter!(registry, "http_requests_total", {"route" => "/users/{id}"}, 1);
//! assert_histogram_count!(registry, "http_request_duration_seconds", {"status" => "200"}, 1);
//! assert_nothing_in_flight(&registry);
//! assert_lint_clean(&registry);
//! assert_exposition(
//!     &registry,
//!     r#"
//!     ## TYPE http_response_body_bytes_total counter
//!     http_response_body_bytes_total{method="GET",route="/users/{id}"} 6
//!     "#,
//! );
//! # }
//! ```
//!
//! What another process has served is read back by [`Exposition::parse`].

mod assert;
mod compare;
mod cursor;
mod exposition;
mod macros;

pub use assert::{assert_lint_clean, assert_nothing_in_flight, assert_value};
pub use compare::assert_exposition;
pub use exposition::{Exposition, ParseError, ParsedSample};
