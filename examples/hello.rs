//! The smallest program. Run it, then `curl localhost:3000/hello/world` and
//! `curl localhost:3000/metrics`.

use axum::extract::Path;
use axum::{Router, routing::get};
use tachometer::{MetricsLayer, metrics_router};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/hello/{name}", get(hello))
        .layer(MetricsLayer::new())
        .nest("/metrics", metrics_router());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await
}

async fn hello(Path(name): Path<String>) -> String {
    format!("Hello, {name}!\n")
}
