//! The number of series of a route and of a model equals the documented one.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use http_body_util::BodyExt;
use tachometer::llm::{Outcome, Price, PriceTable, Usage};
use tachometer::{LlmLayer, MetricsLayer, Registry};
use tower::ServiceExt;

/// Returns the series of a prefix, as Prometheus counts them.
fn series(registry: &Registry, prefix: &str) -> usize {
    let text = registry.export_prometheus();
    text.lines().filter(|line| line.starts_with(prefix)).count()
}

#[tokio::test]
async fn an_endpoint_has_as_many_series_as_documented() {
    let registry = Registry::new();
    let fails = async || (StatusCode::BAD_GATEWAY, "no");
    let app = Router::new()
        .route("/a", get(async || "hi").post(fails))
        .layer(MetricsLayer::new().registry(&registry));
    let call = async |request: Request<Body>| {
        let response = app.clone().oneshot(request).await.unwrap();
        let under_way = series(&registry, "http_");
        response.into_body().collect().await.unwrap();
        under_way
    };
    let read = || Request::get("/a").body(Body::empty()).unwrap();
    assert_eq!(call(read()).await, 1);
    assert_eq!(series(&registry, "http_"), 1 + 16);
    call(read()).await;
    assert_eq!(series(&registry, "http_"), 1 + 16);
    let write = Request::post("/a").body(Body::empty()).unwrap();
    call(write).await;
    assert_eq!(series(&registry, "http_"), 2 * (1 + 16));
}

#[test]
fn a_model_has_as_many_series_as_documented() {
    for (prices, at_start) in [(None, 7), (Some(Price::per_million(1.0, 1.0)), 14)] {
        let registry = Registry::new();
        let layer = LlmLayer::new().registry(&registry).known_models(["m"]);
        let layer = match prices {
            Some(price) => layer.prices(PriceTable::new().model("m", price)),
            None => layer,
        };
        let mut call = layer.start_call("openai", "m", "chat");
        assert_eq!(series(&registry, "llm_"), at_start);
        call.first_token();
        call.set_usage(Usage::new().input(10).output(5).cache_read(3));
        call.finish(Outcome::Success);
        assert_eq!(series(&registry, "llm_"), at_start + 53);
    }
}
