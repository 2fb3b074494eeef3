//! The routes, and their labels.

use std::io;

use axum::body::Body;
use axum::http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, IF_MODIFIED_SINCE, LAST_MODIFIED, LOCATION,
    WWW_AUTHENTICATE,
};
use axum::http::{Request, Response, StatusCode};
use futures_util::{StreamExt, stream};

use crate::support::{Demo, channel_body, text};

#[tokio::test]
async fn nested_routes_have_their_whole_template_as_label() {
    let demo = Demo::start();
    let created = demo
        .send(post_json("/api/users/7/items", r#"{"title": "a wrench"}"#))
        .await;
    assert_eq!(created.status(), StatusCode::CREATED);
    let item = created.headers()[LOCATION].to_str().unwrap().to_owned();
    assert_eq!(
        text(created).await,
        r#"{"id":1,"user":7,"title":"a wrench"}"#
    );
    assert_eq!(demo.get(&item).await, demo.get(&item).await);
    assert!(demo.get("/api/users/7/items").await.contains("a wrench"));
    let remove = Request::delete(&item).body(Body::empty()).unwrap();
    assert_eq!(demo.send(remove).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(demo.open(&item).await.status(), StatusCode::NOT_FOUND);
    assert!(demo.get("/api/users/7").await.contains("User 7"));
    let unknown_user = demo.open("/api/users/1000").await;
    assert_eq!(unknown_user.status(), StatusCode::NOT_FOUND);
    let no_item = demo.send(post_json("/api/users/7/items", "{}")).await;
    assert_eq!(no_item.status(), StatusCode::UNPROCESSABLE_ENTITY);
    demo.shows(&[
        r#"http_requests_total{method="POST",route="/api/users/{id}/items",status="201",plan="none",outcome="ok"} 1"#,
        r#"http_requests_total{method="GET",route="/api/users/{id}/items/{item}",status="200",plan="none",outcome="ok"} 2"#,
        r#"http_requests_total{method="DELETE",route="/api/users/{id}/items/{item}",status="204",plan="none",outcome="ok"} 1"#,
        r#"http_requests_total{method="GET",route="/api/users/{id}/items/{item}",status="404",plan="none",outcome="client_error"} 1"#,
        r#"http_requests_total{method="GET",route="/api/users/{id}",status="200",plan="none",outcome="ok"} 1"#,
        r#"http_requests_total{method="GET",route="/api/users/{id}",status="404",plan="none",outcome="client_error"} 1"#,
        r#"http_requests_total{method="POST",route="/api/users/{id}/items",status="422",plan="none",outcome="client_error"} 1"#,
        r#"http_service_level_requests_total{method="GET",route="/api/users/{id}",within="0.1"} 2"#,
        "demo_items_created_total 1",
    ])
    .await;
}

#[tokio::test]
async fn static_files_have_the_path_of_their_folder_as_route() {
    let demo = Demo::start();
    let file = demo.open("/static/style.css").await;
    assert_eq!(file.headers()[CONTENT_TYPE], "text/css");
    let modified = file.headers()[LAST_MODIFIED].clone();
    assert!(text(file).await.contains("max-width"));
    let request = Request::get("/static/style.css").header(IF_MODIFIED_SINCE, modified);
    let unchanged = demo.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    assert!(demo.get("/").await.contains("<title>Demo</title>"));
    assert_eq!(demo.open("/static/none.css").await.status(), 404);
    assert_eq!(demo.open("/none").await.status(), 404);
    demo.shows(&[
        r#"http_requests_total{method="GET",route="/static",status="200",plan="none",outcome="ok"} 1"#,
        r#"http_requests_total{method="GET",route="/static",status="304",plan="none",outcome="ok"} 1"#,
        r#"http_requests_total{method="GET",route="/static",status="404",plan="none",outcome="client_error"} 1"#,
        r#"http_requests_total{method="GET",route="/",status="200",plan="none",outcome="ok"} 1"#,
        r#"http_requests_total{method="GET",route="unmatched",status="404",plan="none",outcome="client_error"} 1"#,
    ])
    .await;
}

#[tokio::test]
async fn an_account_needs_a_token_and_its_plan_is_a_label() {
    let demo = Demo::start();
    let refused = demo.open("/account/profile").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refused.headers()[WWW_AUTHENTICATE], "Bearer");
    let with_token = async |token: &str| {
        let request = Request::get("/account/profile").header(AUTHORIZATION, token);
        demo.send(request.body(Body::empty()).unwrap()).await
    };
    let wrong = with_token("Bearer token-of-mallory").await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let ada = with_token("Bearer token-of-ada").await;
    assert_eq!(text(ada).await, r#"{"name":"Ada","plan":"paid"}"#);
    let bob = with_token("Bearer token-of-bob").await;
    assert_eq!(bob.status(), StatusCode::OK);
    // Not a route, so it needs no token.
    assert_eq!(demo.open("/account/none").await.status(), 404);
    demo.shows(&[
        r#"http_requests_total{method="GET",route="/account/profile",status="401",plan="none",outcome="client_error"} 2"#,
        r#"http_requests_total{method="GET",route="/account/profile",status="200",plan="paid",outcome="ok"} 1"#,
        r#"http_requests_total{method="GET",route="/account/profile",status="200",plan="free",outcome="ok"} 1"#,
    ])
    .await;
}

#[tokio::test]
async fn an_upload_that_is_too_long_is_refused() {
    let demo = Demo::start();
    let upload = async |body: Body| {
        let request = Request::post("/uploads").body(body).unwrap();
        demo.send(request).await
    };
    assert_eq!(text(upload("12345".into()).await).await, r#"{"bytes":5}"#);
    let is_refused = |response: &Response<Body>| response.status() == StatusCode::PAYLOAD_TOO_LARGE;
    // The rest of each body never comes. Otherwise the client could still be writing it when the
    // server closes the connection after its response.
    let open = |parts: Vec<Vec<u8>>| {
        let parts = stream::iter(parts).map(Ok::<_, io::Error>);
        Body::from_stream(parts.chain(stream::pending()))
    };
    for (path, length) in [
        ("/uploads", (1 << 20) + 1),
        ("/api/users/7/items", 20 << 10),
    ] {
        let request = Request::post(path).header(CONTENT_LENGTH, length);
        let request = request.body(open(Vec::new())).unwrap();
        assert!(is_refused(&demo.send(request).await), "{path}");
    }
    // The length is not declared.
    let too_long = open(vec![vec![b'.'; 1 << 20], vec![b'.']]);
    assert!(is_refused(&upload(too_long).await));
    demo.shows(&[
        r#"http_requests_total{method="POST",route="/uploads",status="200",plan="none",outcome="ok"} 1"#,
        r#"http_requests_total{method="POST",route="/uploads",status="413",plan="none",outcome="client_error"} 2"#,
        r#"http_requests_total{method="POST",route="/api/users/{id}/items",status="413",plan="none",outcome="client_error"} 1"#,
    ])
    .await;
}

#[tokio::test]
async fn an_upload_that_the_client_aborts_is_a_client_error() {
    let demo = Demo::start();
    let (parts, body) = channel_body();
    let upload = demo.try_send(Request::post("/uploads").body(body).unwrap());
    let in_flight = [r#"http_requests_in_flight{method="POST",route="/uploads"} 1"#];
    tokio::select! {
        _ = upload => panic!("a response to a part of an upload"),
        // Drops the upload.
        () = demo.shows(&in_flight) => {}
    }
    demo.shows(&[
        r#"http_requests_total{method="POST",route="/uploads",status="400",plan="none",outcome="client_error"} 1"#,
    ])
    .await;
    demo.is_idle().await;
    drop(parts);
}

#[tokio::test]
async fn health_checks_are_not_counted_and_the_service_has_no_metrics() {
    let demo = Demo::start();
    assert_eq!(demo.get("/health").await, "ok\n");
    // The metrics have a listener of their own.
    assert_eq!(demo.open("/metrics").await.status(), 404);
    demo.shows(&[
        r#"http_requests_total{method="GET",route="unmatched",status="404",plan="none",outcome="client_error"} 1"#,
    ])
    .await;
    assert!(!demo.scrape().await.contains("/health"));
}

fn post_json(path: &str, json: &'static str) -> Request<Body> {
    let request = Request::post(path).header(CONTENT_TYPE, "application/json");
    request.body(Body::from(json)).unwrap()
}
