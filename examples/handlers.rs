//! Metrics in axum without the router and the layer: handlers that export a registry as text
//! and as JSON, and one that is timed. `examples/hello.rs` does the same in two lines, with
//! content negotiation.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::{Router, routing::get};
use tachometer::export::Format;
use tachometer::{Registry, timed};

async fn metrics() -> impl IntoResponse {
    // Prometheus 3 needs the full content type. `text/plain` alone is not enough.
    let kind = Format::Text.content_type();
    (
        [(CONTENT_TYPE, kind)],
        Registry::global().export_prometheus(),
    )
}

async fn metrics_json() -> impl IntoResponse {
    let kind = Format::Json.content_type();
    ([(CONTENT_TYPE, kind)], Registry::global().export_json())
}

#[timed("api_data_endpoint")]
async fn data() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], r#"{"data":"..."}"#)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/metrics", get(metrics))
        .route("/metrics.json", get(metrics_json))
        .route("/api/data", get(data));
    let address = std::env::args().nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}
