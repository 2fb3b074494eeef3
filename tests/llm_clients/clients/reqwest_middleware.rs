//! reqwest-middleware's client, with a middleware that tries again.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use futures_util::FutureExt;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, Middleware, Next};

use crate::clients::observed_call::Seen;
use crate::support::read::sum;
use crate::support::responses::{CHAT, chat, failure, question};
use crate::support::upstream::{Answer, Upstream, nowhere};
use crate::support::{ERROR, SUCCESS, client, in_flight, layer, outcomes, tokens};

/// Tries again, as often as the provider is overloaded.
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
    let asked = AtomicU32::new(0);
    Upstream::start(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => failure(503, "server_error", "overloaded"),
        _ => Answer::json(200, chat("gpt-x", 3, 2).to_string()),
    })
    .await
}

async fn ask(built: &reqwest_middleware::ClientWithMiddleware, url: &str) -> Seen {
    let request = built.post(url).body(question("gpt-x", false));
    Seen::read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn it_sees_what_a_client_without_the_layer_sees() {
    let upstream = Upstream::with(Answer::json(200, chat("gpt-x", 3, 2).to_string())).await;
    let (layer, registry) = layer();
    let plain = ClientBuilder::new(client()).build();
    let measured = ClientBuilder::new(client());
    let measured = measured.with(layer.middleware()).build();
    let url = upstream.at(CHAT);
    let seen = ask(&measured, &url).await;
    assert_eq!(seen, ask(&plain, &url).await);
    assert_eq!(outcomes(&registry), SUCCESS);
    assert_eq!(tokens(&registry), [3.0, 2.0]);
}

#[tokio::test]
async fn before_a_middleware_that_tries_again_it_measures_calls() {
    let upstream = overloaded_twice().await;
    let (layer, registry) = layer();
    let built = ClientBuilder::new(client());
    let built = built.with(layer.middleware()).with(Again).build();
    ask(&built, &upstream.at(CHAT)).await.text();
    assert_eq!(upstream.asked().len(), 3);
    assert_eq!(outcomes(&registry), SUCCESS);
    assert_eq!(tokens(&registry), [3.0, 2.0]);
}

#[tokio::test]
async fn after_one_it_measures_attempts() {
    let upstream = overloaded_twice().await;
    let (layer, registry) = layer();
    let built = ClientBuilder::new(client());
    let built = built.with(Again).with(layer.middleware()).build();
    ask(&built, &upstream.at(CHAT)).await.text();
    assert_eq!(outcomes(&registry), [0.0, 2.0, 1.0, 0.0]);
    let overloaded = [("error_type", "overloaded")];
    assert_eq!(sum(&registry, "llm_requests_error", &overloaded), 2.0);
    assert_eq!(tokens(&registry), [3.0, 2.0]);
}

/// A service of tower's, as the client itself is one.
#[tokio::test]
async fn the_layer_wraps_that_client_whole_too() {
    let upstream = overloaded_twice().await;
    let (layer, registry) = layer();
    let built = ClientBuilder::new(client()).with(Again).build();
    let request = built.post(upstream.at(CHAT)).body(question("gpt-x", false));
    let response = layer.layer(built).execute(request.build().unwrap()).await;
    Seen::read(response.unwrap()).await.text();
    assert_eq!(outcomes(&registry), SUCCESS);
}

#[tokio::test]
async fn errors_pass_as_they_are_and_tell_their_type() {
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
