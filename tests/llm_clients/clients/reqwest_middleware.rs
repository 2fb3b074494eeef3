//! reqwest-middleware's client, with a retry middleware.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use futures_util::FutureExt;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, Middleware, Next};

use crate::clients::observed_call::ObservedResponse;
use crate::support::read::sum;
use crate::support::responses::{CHAT, chat, failure, question};
use crate::support::upstream::{Answer, Upstream, nowhere};
use crate::support::{ERROR, SUCCESS, client, in_flight, layer, outcomes, tokens};

/// Retries while the provider is overloaded.
struct Again;

#[async_trait]
impl Middleware for Again {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        loop {
            let attempt = request.try_clone().unwrap();
            let response = next.clone().run(attempt, extensions).await?;
            if response.status() != 503 {
                return Ok(response);
            }
        }
    }
}

/// Fails, in one way or the other.
struct Fails(fn() -> reqwest_middleware::Error);

#[async_trait]
impl Middleware for Fails {
    async fn handle(
        &self,
        _: Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        Err((self.0)())
    }
}

/// An upstream that is overloaded twice.
async fn overloaded_twice() -> Upstream {
    let attempts = AtomicU32::new(0);
    Upstream::start(move |_| match attempts.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => failure(503, "server_error", "overloaded"),
        _ => Answer::json(200, chat("gpt-x", 3, 2).to_string()),
    })
    .await
}

async fn send_question(
    built: &reqwest_middleware::ClientWithMiddleware,
    url: &str,
) -> ObservedResponse {
    let request = built.post(url).body(question("gpt-x", false));
    ObservedResponse::read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn the_caller_sees_the_same_with_and_without_the_layer() {
    let upstream = Upstream::with(Answer::json(200, chat("gpt-x", 3, 2).to_string())).await;
    let (layer, registry) = layer();
    let plain = ClientBuilder::new(client()).build();
    let measured = ClientBuilder::new(client());
    let measured = measured.with(layer.middleware()).build();
    let url = upstream.url(CHAT);
    let seen = send_question(&measured, &url).await;
    assert_eq!(seen, send_question(&plain, &url).await);
    assert_eq!(outcomes(&registry), SUCCESS);
    assert_eq!(tokens(&registry), [3.0, 2.0]);
}

#[tokio::test]
async fn outside_of_a_retry_middleware_it_measures_calls() {
    let upstream = overloaded_twice().await;
    let (layer, registry) = layer();
    let built = ClientBuilder::new(client());
    let built = built.with(layer.middleware()).with(Again).build();
    send_question(&built, &upstream.url(CHAT)).await.text();
    assert_eq!(upstream.received().len(), 3);
    assert_eq!(outcomes(&registry), SUCCESS);
    assert_eq!(tokens(&registry), [3.0, 2.0]);
}

#[tokio::test]
async fn inside_of_a_retry_middleware_it_measures_attempts() {
    let upstream = overloaded_twice().await;
    let (layer, registry) = layer();
    let built = ClientBuilder::new(client());
    let built = built.with(Again).with(layer.middleware()).build();
    send_question(&built, &upstream.url(CHAT)).await.text();
    assert_eq!(outcomes(&registry), [0.0, 2.0, 1.0, 0.0]);
    let overloaded = [("error_type", "overloaded")];
    assert_eq!(sum(&registry, "llm_requests_error", &overloaded), 2.0);
    assert_eq!(tokens(&registry), [3.0, 2.0]);
}

/// A service of tower's, as the client itself is one.
#[tokio::test]
async fn the_layer_can_wrap_the_whole_client() {
    let upstream = overloaded_twice().await;
    let (layer, registry) = layer();
    let built = ClientBuilder::new(client()).with(Again).build();
    let request = built
        .post(upstream.url(CHAT))
        .body(question("gpt-x", false));
    let response = layer.layer(built).execute(request.build().unwrap()).await;
    ObservedResponse::read(response.unwrap()).await.text();
    assert_eq!(outcomes(&registry), SUCCESS);
}

#[tokio::test]
async fn errors_pass_unchanged_and_are_classified() {
    type Make = fn() -> reqwest_middleware::Error;
    let other: Make = || reqwest_middleware::Error::middleware(std::io::Error::other("its own"));
    let timeout: Make = || {
        let error = std::io::Error::from(std::io::ErrorKind::TimedOut);
        reqwest_middleware::Error::middleware(error)
    };
    for (make, expected) in [(other, "transport"), (timeout, "timeout")] {
        let (layer, registry) = layer();
        let built = ClientBuilder::new(client());
        let built = built.with(layer.middleware()).with(Fails(make)).build();
        let request = built.post("http://localhost/v1/chat/completions");
        let error = request.body(question("gpt-x", false)).send().await;
        assert_eq!(error.unwrap_err().to_string(), make().to_string());
        assert_eq!(outcomes(&registry), ERROR);
        let expected = [("error_type", expected)];
        assert_eq!(sum(&registry, "llm_requests_error", &expected), 1.0);
    }
    let (layer, registry) = layer();
    let built = ClientBuilder::new(client());
    let built = built.with(layer.middleware()).build();
    let request = built.post(format!("{}{CHAT}", nowhere().await));
    let error = request.body(question("gpt-x", false)).send().await;
    assert!(error.unwrap_err().is_connect());
    let connect = [("error_type", "connect")];
    assert_eq!(sum(&registry, "llm_requests_error", &connect), 1.0);
}

#[tokio::test]
async fn a_middleware_that_panics_is_an_error_and_not_cancelled() {
    let (layer, registry) = layer();
    let built = ClientBuilder::new(client());
    let built = built.with(layer.middleware());
    let built = built.with(Fails(|| panic!("on purpose"))).build();
    let request = built.post("http://localhost/v1/chat/completions");
    let sent = request.body(question("gpt-x", false)).send();
    assert!(AssertUnwindSafe(sent).catch_unwind().await.is_err());
    assert_eq!(outcomes(&registry), ERROR);
    let panicked = [("error_type", "panic")];
    assert_eq!(sum(&registry, "llm_requests_error", &panicked), 1.0);
    assert_eq!(in_flight(&registry), 0.0);
}
