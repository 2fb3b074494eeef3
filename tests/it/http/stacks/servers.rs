//! axum-server, over loopback.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Version};
use axum::routing::get;
use axum_server::Handle;
use tachometer::{MetricsLayer, Registry};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tower::Layer;
use tower::util::MapRequestLayer;

use super::{counted, in_flight, routes};
use crate::support::loopback::Caller;
use crate::support::raw_client::RawClient;
use crate::support::service::get_path;
use crate::support::wait::until;

/// A server of axum-server.
struct Server {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    served: JoinHandle<std::io::Result<()>>,
}

/// Starts a server; a function would need the bounds of a trait that axum-server keeps private.
macro_rules! serve {
    ($make_service:expr) => {{
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let handle = Handle::new();
        let server = axum_server::from_tcp(listener)
            .unwrap()
            .handle(handle.clone());
        Server {
            address,
            handle,
            served: tokio::spawn(server.serve($make_service)),
        }
    }};
}

impl Server {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a request without a body and one with five bytes.
    async fn call(&self) {
        let caller = Caller::new(Version::HTTP_11);
        let answer = caller.get(&self.url("/users/7")).await.unwrap();
        assert_eq!(answer.body, "a user");
        drop(caller);
        let mut client = RawClient::connect(self.address).await;
        client.send("/upload", 5, 5).await;
        assert_eq!(client.finish().await, 5);
    }

    async fn stop(self) {
        self.handle.graceful_shutdown(None);
        self.served.await.unwrap().unwrap();
    }
}

fn metrics(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new().registry(registry)
}

#[tokio::test]
async fn axum_server_serves_a_measured_router_and_around_it_request_bodies_need_a_conversion() {
    const USER: &str = "GET /users/{id}: 1 ok 200; 0 bytes in, 6 out";
    const UPLOAD: &str = "POST /upload: 1 ok 200; 5 bytes in, 5 out";

    let registry = Registry::new();
    let app = routes(&registry).layer(metrics(&registry));
    let server = serve!(app.into_make_service());
    server.call().await;
    server.stop().await;
    assert_eq!(counted(&registry), [USER, UPLOAD]);

    // The layer gets the body of hyper.
    let registry = Registry::new();
    let app = routes(&registry).layer(metrics(&registry)).with_state(());
    let app = metrics(&registry).boxed().layer(app);
    let server = serve!(app.into_make_service());
    server.call().await;
    server.stop().await;
    let upload = "POST /upload: 1 ok 200; 0 bytes in, 5 out; http_request_body_unmeasured_total 1";
    assert_eq!(counted(&registry), [USER, upload]);

    let registry = Registry::new();
    let app = routes(&registry).layer(metrics(&registry)).with_state(());
    let app = metrics(&registry).boxed().layer(app);
    let app = MapRequestLayer::new(|request: Request<_>| request.map(Body::new)).layer(app);
    let server = serve!(axum::ServiceExt::into_make_service(app));
    server.call().await;
    server.stop().await;
    assert_eq!(counted(&registry), [USER, UPLOAD]);
}

/// A route that waits until it is released.
fn gate(registry: &Registry, released: &Arc<Notify>) -> Router {
    let released = Arc::clone(released);
    let gate = get(async move || {
        released.notified().await;
        "released"
    });
    Router::new().route("/gate", gate).layer(metrics(registry))
}

#[tokio::test]
async fn a_graceful_shutdown_of_axum_server_lets_requests_end_and_a_shutdown_cancels_them() {
    for is_graceful in [true, false] {
        let (registry, released) = (Registry::new(), Arc::new(Notify::new()));
        let server = serve!(gate(&registry, &released).into_make_service());
        let url = server.url("/gate");
        let call =
            tokio::spawn(
                async move { Caller::new(Version::HTTP_11).call(Method::GET, &url).await },
            );
        until(|| in_flight(&registry) == 1.0).await;
        if is_graceful {
            server.handle.graceful_shutdown(None);
            released.notify_one();
            assert_eq!(call.await.unwrap().unwrap().body, "released");
        } else {
            server.handle.shutdown();
            call.await.unwrap().unwrap_err();
        }
        server.served.await.unwrap().unwrap();
        until(|| in_flight(&registry) == 0.0).await;
        let ends = if is_graceful {
            "1 ok 200; 0 bytes in, 8 out"
        } else {
            "1 cancelled_before_head none; 0 bytes in, 0 out"
        };
        assert_eq!(counted(&registry), [format!("GET /gate: {ends}")]);
    }
}

#[tokio::test]
async fn a_deadline_of_a_graceful_shutdown_cancels_the_requests_that_are_left() {
    let (registry, released) = (Registry::new(), Arc::new(Notify::new()));
    let server = serve!(gate(&registry, &released).into_make_service());
    let url = server.url("/gate");
    let call =
        tokio::spawn(async move { Caller::new(Version::HTTP_2).call(Method::GET, &url).await });
    until(|| in_flight(&registry) == 1.0).await;
    server
        .handle
        .graceful_shutdown(Some(Duration::from_millis(1)));
    call.await.unwrap().unwrap_err();
    server.served.await.unwrap().unwrap();
    until(|| in_flight(&registry) == 0.0).await;
    let line = "GET /gate: 1 cancelled_before_head none; 0 bytes in, 0 out";
    assert_eq!(counted(&registry), [line]);
}

/// A layer that counts how often it is applied.
#[derive(Clone)]
struct Counting(Arc<AtomicU32>);

impl<S> Layer<S> for Counting {
    type Service = S;

    fn layer(&self, inner: S) -> S {
        self.0.fetch_add(1, Ordering::Relaxed);
        inner
    }
}

#[tokio::test]
async fn a_router_inside_of_a_service_applies_its_layers_for_each_request_unless_it_has_its_state()
{
    for (has_state, applied) in [(true, 1), (false, 4)] {
        let (registry, count) = (Registry::new(), Arc::new(AtomicU32::new(0)));
        let router = Router::new().route("/users/{id}", get(async || "a user"));
        let mut router = router
            .layer(metrics(&registry))
            .layer(Counting(count.clone()));
        // Those of the fallback.
        count.store(0, Ordering::Relaxed);
        if has_state {
            router = router.with_state(());
        }
        let app = metrics(&registry).boxed().layer(router);
        for _ in 0..4 {
            get_path(app.clone(), "/users/7").await;
        }
        assert_eq!(count.load(Ordering::Relaxed), applied);
        let line = "GET /users/{id}: 4 ok 200; 0 bytes in, 24 out";
        assert_eq!(counted(&registry), [line]);
    }
}
