//! The middleware around the routes.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_ENCODING,
    ORIGIN, RETRY_AFTER,
};
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;

use crate::support::Demo;

const FRONT_END: &str = "https://app.example.com";

#[tokio::test]
async fn connections_share_the_rate_limit_of_searches() {
    let demo = Arc::new(Demo::start());
    // Concurrent requests use different connections.
    let mut searches = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let demo = Arc::clone(&demo);
        searches.spawn(async move { demo.open("/search?q=99").await });
    }
    let (mut found, mut refused) = (0, 0);
    while let Some(response) = searches.join_next().await {
        let response = response.unwrap();
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(response.headers()[RETRY_AFTER], "1");
            refused += 1;
        } else {
            assert_eq!(response.status(), StatusCode::OK);
            found += 1;
        }
    }
    assert!(found >= 20 && refused > 0, "{found} {refused}");
    demo.shows(&[
        &format!(r#"http_requests_total{{method="GET",route="/search",status="200",plan="none",outcome="ok"}} {found}"#),
        &format!(r#"http_requests_total{{method="GET",route="/search",status="429",plan="none",outcome="client_error"}} {refused}"#),
    ])
    .await;
}

#[tokio::test]
async fn timeouts_and_panics_are_counted_with_the_status_that_the_client_gets() {
    let mut demo = Demo::start();
    let timed_out = demo.open("/slow?ms=600000").await;
    assert_eq!(timed_out.status(), StatusCode::GATEWAY_TIMEOUT);
    let panicked = demo.open("/panic").await;
    assert_eq!(panicked.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(demo.open("/fail").await.status(), 500);
    assert_eq!(demo.open("/slow?ms=0").await.status(), 200);
    demo.shows(&[
        r#"http_requests_total{method="GET",route="/slow",status="504",plan="none",outcome="server_error"} 1"#,
        r#"http_requests_total{method="GET",route="/panic",status="500",plan="none",outcome="server_error"} 1"#,
        r#"http_requests_total{method="GET",route="/fail",status="500",plan="none",outcome="server_error"} 1"#,
        r#"http_requests_total{method="GET",route="/slow",status="200",plan="none",outcome="ok"} 1"#,
    ])
    .await;
    demo.is_idle().await;
    demo.signal("TERM");
    let (_, errors) = demo.exited().await;
    assert!(errors.contains("this route always panics"), "{errors}");
}

#[tokio::test]
async fn pages_of_the_front_end_may_read_every_response() {
    let demo = Demo::start();
    let preflight = Request::options("/api/users/7/items")
        .header(ORIGIN, FRONT_END)
        .header(ACCESS_CONTROL_REQUEST_METHOD, "POST");
    let allowed = demo.send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(allowed.status(), StatusCode::OK);
    // Also the responses of the other middleware.
    for path in [
        "/api/users/7",
        "/account/profile",
        "/panic",
        "/slow?ms=600000",
    ] {
        let request = Request::get(path).header(ORIGIN, FRONT_END);
        let response = demo.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], FRONT_END);
    }
    demo.shows(&[
        r#"http_requests_total{method="OPTIONS",route="/api/users/{id}/items",status="200",plan="none",outcome="ok"} 1"#,
    ])
    .await;
}

#[tokio::test]
async fn the_bytes_of_a_compressed_response_are_those_that_the_client_gets() {
    let demo = Demo::start();
    let request = Request::get("/").header(ACCEPT_ENCODING, "gzip");
    let response = demo.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    demo.shows(&[&format!(
        r#"http_response_body_bytes_total{{method="GET",route="/"}} {}"#,
        bytes.len()
    )])
    .await;
}

#[tokio::test]
async fn each_response_has_a_request_id_which_is_in_the_log() {
    let mut demo = Demo::start_with(&["--quiet-traffic", "--log", "info"]);
    let first = demo.open("/api/users/7").await;
    let second = demo.open("/account/profile").await;
    let id = |response: &axum::http::Response<Body>| {
        let id = response.headers()["x-request-id"].to_str().unwrap();
        id.to_owned()
    };
    assert_ne!(id(&first), id(&second));
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::HEAD;
    request
        .headers_mut()
        .insert("x-request-id", "chosen-by-a-proxy".parse().unwrap());
    assert_eq!(id(&demo.send(request).await), "chosen-by-a-proxy");
    let ids = [id(&first), id(&second), "chosen-by-a-proxy".to_owned()];
    demo.signal("TERM");
    let (_, log) = demo.exited().await;
    for id in ids {
        assert!(log.contains(&id), "{log}");
    }
}
