//! The layer on hyper's server, without axum.

use std::convert::Infallible;

use axum::http::{Method, Request, Response, Version};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tachometer::{MetricsLayer, Registry};
use tokio::net::TcpListener;
use tower::{Layer, service_fn};

use crate::support::loopback::Caller;
use crate::support::read::sum;
use crate::support::wait::until;

#[tokio::test]
async fn a_service_of_hypers_is_measured_over_http_1_and_2() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let registry = Registry::new();
        let handle = async |request: Request<_>| {
            Ok::<_, Infallible>(Response::new(format!("{} it is", request.uri().path())))
        };
        let service = MetricsLayer::new()
            .registry(&registry)
            .fallback_route("all")
            .layer(service_fn(handle));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/path", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service);
            let builder = Builder::new(TokioExecutor::new());
            builder
                .serve_connection(TokioIo::new(stream), service)
                .await
        });
        let caller = Caller::new(version);
        for _ in 0..20 {
            let response = caller.open(Method::POST, &url).await.unwrap();
            let body = response.into_body().collect().await.unwrap();
            assert_eq!(body.to_bytes(), "/path it is");
        }
        drop(caller);
        until(|| server.is_finished()).await;
        let labels = [("route", "all"), ("method", "POST"), ("outcome", "ok")];
        assert_eq!(sum(&registry, "http_requests_total", &labels), 20.0);
        assert_eq!(sum(&registry, "http_requests_in_flight", &[]), 0.0);
    }
}
