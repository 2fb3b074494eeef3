//! Assertions for tests of instrumented services, and a parser for expositions.
//!
//! The guide [Testing](crate::guides::testing) explains them by task.
//!
//! A test with a custom registry is independent of other tests, which may run in parallel:
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
//! // The sum of all series with these labels.
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
//! [`Exposition::parse`] parses the metrics of another process.

mod assert;
mod compare;
mod cursor;
mod exposition;
mod macros;

pub use assert::{assert_lint_clean, assert_nothing_in_flight, assert_value};
pub use compare::assert_exposition;
pub use exposition::Exposition;

use crate::metric::set_busy_rate as set_busy_rate_of_cells;

/// Sets the rate, in writes per second, above which a series is busy and gets shards; the default is
/// 50,000. With 0, four sampled writes suffice: at most 1,536 writes of one thread.
///
/// For the tests and benchmarks of this crate. It applies to all registries of the process.
#[doc(hidden)]
pub fn set_busy_rate(writes_per_second: u64) {
    set_busy_rate_of_cells(writes_per_second);
}
