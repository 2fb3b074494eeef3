//! Trailing slashes and static files.

use std::fs;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{IF_MODIFIED_SINCE, LAST_MODIFIED, RANGE};
use axum::http::{Method, StatusCode};
use tower::Layer;
use tower_http::normalize_path::NormalizePathLayer;
use tower_http::services::ServeDir;

use super::{Stack, around, metrics, outside, routes};

#[tokio::test]
async fn a_path_is_normalized_only_around_the_router_where_the_route_is_right_in_both_orders() {
    let normalize = NormalizePathLayer::trim_trailing_slash();
    let stack = around(routes, &normalize);
    assert_eq!(stack.get("/users/7/").await.status, StatusCode::OK);
    stack.assert_counted(&["GET /users/{id}: 1 ok 200; 0 bytes in, 6 out"]);

    let stack =
        Stack::with_service(|registry| normalize.layer(routes(registry).layer(metrics(registry))));
    assert_eq!(stack.get("/users/7/").await.status, StatusCode::OK);
    stack.assert_counted(&["GET /users/{id}: 1 ok 200; 0 bytes in, 6 out"]);

    // Without the layer inside of the router, there is no route.
    let stack = Stack::with_service(|registry| {
        metrics(registry)
            .boxed()
            .layer(normalize.layer(routes(registry)))
    });
    stack.get("/users/7/").await;
    stack.assert_counted(&["GET fallback: 1 ok 200; 0 bytes in, 6 out"]);

    // In `Router::layer`, the route is already chosen.
    for stack in outside(routes, &normalize) {
        assert_eq!(stack.get("/users/7/").await.status, StatusCode::NOT_FOUND);
        stack.assert_counted(&["GET unmatched: 1 client_error 404; 0 bytes in, 0 out"]);
    }
}

/// A folder with one file of ten bytes.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("a.txt"), "0123456789").unwrap();
        Self(path)
    }

    fn service(&self) -> ServeDir {
        ServeDir::new(&self.0)
    }
}

fn file(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path)
}

/// Makes a request of each kind below a path.
async fn request_files(stack: &Stack, nest: &str) {
    let name = format!("{nest}/a.txt");
    let whole = stack.get(&name).await;
    assert_eq!(whole.body, "0123456789");
    let modified = whole.headers[LAST_MODIFIED].clone();
    let missing = format!("{nest}/missing.txt");
    for (request, status, body) in [
        (
            file(Method::GET, &name).header(RANGE, "bytes=2-4"),
            206,
            "234",
        ),
        (file(Method::GET, &name).header(RANGE, "bytes=20-"), 416, ""),
        (
            file(Method::GET, &name).header(IF_MODIFIED_SINCE, modified),
            304,
            "",
        ),
        (file(Method::GET, &missing), 404, ""),
        (file(Method::HEAD, &name), 200, ""),
        (file(Method::POST, &name), 405, ""),
    ] {
        let answer = stack.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (status, body.as_bytes())
        );
    }
}

#[tokio::test]
async fn files_have_the_path_of_their_nest_as_route_and_the_bytes_that_are_sent() {
    let folder = Folder::new("stacks-nested-files");
    let outside = Stack::new(|registry| {
        let router = Router::new().nest_service("/static", folder.service());
        router.layer(metrics(registry))
    });
    let inside = Stack::new(|registry| {
        let files = metrics(registry).layer(folder.service());
        Router::new().nest_service("/static", files)
    });
    let both = Stack::new(|registry| {
        let files = metrics(registry).layer(folder.service());
        let router = Router::new().nest_service("/static", files);
        router.layer(metrics(registry))
    });
    let boxed = Stack::new(|registry| {
        let files = metrics(registry).boxed().layer(folder.service());
        Router::new().nest_service("/static", files)
    });
    for stack in [outside, inside, both, boxed] {
        request_files(&stack, "/static").await;
        stack.assert_counted(&[
            "GET /static: 1 client_error 404, 1 client_error 416, 1 ok 200, 1 ok 206, 1 ok 304; \
             0 bytes in, 13 out",
            "HEAD /static: 1 ok 200; 0 bytes in, 0 out",
            "POST /static: 1 client_error 405; 0 bytes in, 0 out",
        ]);
    }
}

#[tokio::test]
async fn files_of_a_fallback_service_are_fallback_or_unmatched_or_have_the_name_of_a_layer() {
    let folder = Folder::new("stacks-fallback-files");
    let outside = Stack::new(|registry| {
        let router = routes(registry).fallback_service(folder.service());
        router.layer(metrics(registry))
    });
    request_files(&outside, "").await;
    outside.assert_counted(&[
        "GET fallback: 1 client_error 416, 1 ok 200, 1 ok 206, 1 ok 304; 0 bytes in, 13 out",
        "GET unmatched: 1 client_error 404; 0 bytes in, 0 out",
        "HEAD fallback: 1 ok 200; 0 bytes in, 0 out",
        "POST unmatched: 1 client_error 405; 0 bytes in, 0 out",
    ]);

    let named = Stack::new(|registry| {
        let files = metrics(registry).fallback_route("files");
        let files = files.layer(folder.service());
        let router = routes(registry).fallback_service(files);
        router.layer(metrics(registry))
    });
    request_files(&named, "").await;
    named.assert_counted(&[
        "GET files: 1 client_error 404, 1 client_error 416, 1 ok 200, 1 ok 206, 1 ok 304; \
         0 bytes in, 13 out",
        "HEAD files: 1 ok 200; 0 bytes in, 0 out",
        "POST files: 1 client_error 405; 0 bytes in, 0 out",
    ]);
}
