//! reqwest's client.

use std::time::Duration;

use http::HeaderValue;
use reqwest::{Client, Method, Request};
use serde_json::json;
use tachometer::LlmLayer;
use tachometer::llm::LlmService;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::clients::observed_call::{ObservedError, ObservedResponse};
use crate::support::read::{series, sum};
use crate::support::responses::{CHAT, chat, chunks, failure, question};
use crate::support::upstream::{Answer, End, Frames, ReceivedRequest, Upstream, nowhere};
use crate::support::wait::until;
use crate::support::{
    CANCELLED, ERROR, NONE, SUCCESS, TRUNCATED, builder, client, in_flight, layer, outcomes, tokens,
};

/// Longer than any test takes.
const HOUR: Duration = Duration::from_secs(60 * 60);

fn post(client: &Client, url: &str, body: impl Into<reqwest::Body>) -> Request {
    client.post(url).body(body).build().unwrap()
}

/// Sends the same request with and without the layer, checks that both results are equal, and
/// returns one.
async fn with_and_without_layer(
    llm: &LlmService<Client>,
    request: impl Fn() -> Request,
) -> Result<ObservedResponse, ObservedError> {
    let expected = match llm.get_ref().execute(request()).await {
        Ok(response) => Ok(ObservedResponse::read(response).await),
        Err(error) => Err(ObservedError::new(&error)),
    };
    let seen = match llm.execute(request()).await {
        Ok(response) => Ok(ObservedResponse::read(response).await),
        Err(error) => Err(ObservedError::new(&error)),
    };
    assert_eq!(seen, expected);
    seen
}

fn answer(received: &ReceivedRequest) -> Answer {
    let whole = chat("gpt-x", 5, 4).to_string();
    let cut = Frames::Pieces(vec![whole[..40].to_owned(), whole[40..90].to_owned()]);
    match received.head.uri.query().unwrap_or_default() {
        "empty" => Answer::json(200, ""),
        "no_content" => Answer::new(204, "", Frames::Whole(String::new())),
        "pieces" => Answer::new(200, "application/json", Frames::Pieces(vec![whole])),
        "stream" => Answer::events(chunks("gpt-x", 5, 4)),
        "text" => Answer::new(200, "text/html", Frames::Whole("<p>hello</p>".to_owned())),
        "cut" => Answer::new(200, "application/json", cut).end(End::Breaks),
        "cut_stream" => Answer::events(&chunks("gpt-x", 5, 4)[..3]).end(End::Breaks),
        "short" => Answer::json(200, whole).header("connection", "close"),
        "redirect" => Answer::json(307, "").header("location", "/v1/chat/completions?moved"),
        "limited" => failure(429, "requests", "rate_limit_exceeded").header("retry-after", "7"),
        "failed" => failure(500, "server_error", "none"),
        "headers" => Answer::json(200, whole)
            .header("x-one", "1")
            .header("x-one", "2")
            .header("x-request-id", "req_1"),
        _ => Answer::json(200, whole),
    }
}

#[tokio::test]
async fn responses_are_the_same_with_and_without_the_layer() {
    let upstream = Upstream::start(answer).await;
    for (query, expected) in [
        ("whole", SUCCESS),
        ("headers", SUCCESS),
        ("pieces", SUCCESS),
        ("stream", SUCCESS),
        ("redirect", SUCCESS),
        ("short", SUCCESS),
        // No dialect answers with nothing.
        ("empty", TRUNCATED),
        ("no_content", TRUNCATED),
        ("text", ERROR),
        ("cut", TRUNCATED),
        ("cut_stream", TRUNCATED),
        ("limited", ERROR),
        ("failed", ERROR),
    ] {
        let (layer, registry) = layer();
        let llm = layer.layer(client());
        let url = upstream.url(&format!("{CHAT}?{query}"));
        let body = question("gpt-x", query.contains("stream"));
        let seen = with_and_without_layer(&llm, || post(llm.get_ref(), &url, body.clone())).await;
        assert!(seen.is_ok());
        assert_eq!(outcomes(&registry), expected, "{query}");
        assert_eq!(in_flight(&registry), 0.0, "{query}");
        let expected = if expected == SUCCESS {
            [5.0, 4.0]
        } else {
            [0.0; 2]
        };
        assert_eq!(tokens(&registry), expected, "{query}");
    }
}

#[tokio::test]
async fn a_response_read_as_text_or_as_json_is_the_same() {
    let upstream = Upstream::start(answer).await;
    let (layer, registry) = layer();
    let llm = layer.layer(client());
    let send = || {
        llm.execute(post(
            llm.get_ref(),
            &upstream.url(CHAT),
            question("gpt-x", false),
        ))
    };
    let expected = chat("gpt-x", 5, 4);
    assert_eq!(
        send().await.unwrap().text().await.unwrap(),
        expected.to_string()
    );
    let json: serde_json::Value = send().await.unwrap().json().await.unwrap();
    assert_eq!(json, expected);
    let bytes = send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes, expected.to_string());
    assert_eq!(outcomes(&registry), [0.0, 0.0, 3.0, 0.0]);
}

#[tokio::test]
async fn the_request_reaches_the_provider_unchanged() {
    let upstream = Upstream::start(answer).await;
    let (layer, _registry) = layer();
    let llm = layer.layer(client());
    let request = || {
        let request = llm.get_ref().post(upstream.url(CHAT)).bearer_auth("key");
        request.body(question("gpt-x", true)).build().unwrap()
    };
    with_and_without_layer(&llm, request).await.unwrap();
    let received = upstream.received();
    let [plain, measured] = &received[..] else {
        panic!("{received:?}");
    };
    assert_eq!(plain.body, measured.body);
    assert_eq!(plain.head.headers, measured.head.headers);
    assert_eq!(plain.head.uri, measured.head.uri);
}

#[tokio::test]
async fn a_failed_connection_has_the_same_error_with_and_without_the_layer() {
    // Nobody listens there, and nobody speaks TLS here.
    let upstream = Upstream::start(answer).await;
    let deaf = upstream.url.replace("http:", "https:");
    for url in [nowhere().await, deaf] {
        let (layer, registry) = layer();
        let llm = layer.layer(client());
        let url = format!("{url}{CHAT}");
        let failed =
            with_and_without_layer(&llm, || post(llm.get_ref(), &url, question("gpt-x", false)))
                .await;
        assert!(failed.unwrap_err().has_kind("connect"));
        assert_eq!(outcomes(&registry), ERROR);
        let connect = [("error_type", "connect"), ("model", "_unconfirmed")];
        assert_eq!(sum(&registry, "llm_requests_error", &connect), 1.0);
    }
}

/// The clock is paused once the server has the request, or the caller the first event, and
/// jumps to the timeout when everything else is idle.
#[tokio::test]
async fn a_timeout_before_or_during_the_response_is_counted_as_a_timeout() {
    let events = Answer::events(&chunks("gpt-x", 5, 4)[..2]).end(End::Hangs);
    for answer in [Answer::never(), events] {
        let has_head = matches!(answer.body, Frames::Pieces(_));
        let upstream = Upstream::with(answer).await;
        let (layer, registry) = layer();
        let llm = layer.layer(builder().timeout(HOUR).build().unwrap());
        let mut seen = Vec::new();
        for measured in [false, true] {
            let request = post(llm.get_ref(), &upstream.url(CHAT), question("gpt-x", true));
            let client = llm.get_ref().clone();
            let llm = llm.clone();
            let sent = tokio::spawn(async move {
                if measured {
                    llm.execute(request).await
                } else {
                    client.execute(request).await
                }
            });
            until(|| !upstream.received().is_empty()).await;
            let failed = if has_head {
                let response = sent.await.unwrap().unwrap();
                tokio::time::pause();
                ObservedResponse::read(response).await.failed()
            } else {
                tokio::time::pause();
                ObservedError::new(&sent.await.unwrap().unwrap_err())
            };
            tokio::time::resume();
            assert!(failed.has_kind("timeout"));
            assert_eq!(failed.has_kind("decode"), has_head);
            seen.push(failed);
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(outcomes(&registry), ERROR);
        let timeout = [("error_type", "timeout")];
        assert_eq!(sum(&registry, "llm_requests_error", &timeout), 1.0);
        assert_eq!(in_flight(&registry), 0.0);
    }
}

#[tokio::test]
async fn a_caller_that_disconnects_before_or_during_the_response_has_cancelled_the_call() {
    let events = Answer::events(&chunks("gpt-x", 5, 4)[..2]).end(End::Hangs);
    for answer in [Answer::never(), events] {
        let has_head = matches!(answer.body, Frames::Pieces(_));
        let upstream = Upstream::with(answer).await;
        let (layer, registry) = layer();
        let llm = layer.layer(client());
        let request = post(llm.get_ref(), &upstream.url(CHAT), question("gpt-x", true));
        let sent = {
            let llm = llm.clone();
            tokio::spawn(async move { llm.execute(request).await })
        };
        until(|| !upstream.received().is_empty()).await;
        if has_head {
            let mut response = sent.await.unwrap().unwrap();
            assert!(response.chunk().await.unwrap().is_some());
            assert_eq!(in_flight(&registry), 1.0);
        } else {
            assert_eq!(in_flight(&registry), 1.0);
            sent.abort();
            assert!(sent.await.unwrap_err().is_cancelled());
        }
        assert_eq!(outcomes(&registry), CANCELLED);
        assert_eq!(in_flight(&registry), 0.0);
    }
}

#[tokio::test]
async fn the_layer_combines_with_other_tower_layers() {
    let upstream = Upstream::start(answer).await;
    let (layer, registry) = layer();
    let plain = client();
    let mut service = ServiceBuilder::new()
        .buffer(4)
        .concurrency_limit(2)
        .layer(layer)
        .service(plain.clone());
    for _ in 0..3 {
        let request = post(&plain, &upstream.url(CHAT), question("gpt-x", false));
        let response = service.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(response.url().as_str(), upstream.url(CHAT));
        assert_eq!(
            ObservedResponse::read(response).await.text(),
            chat("gpt-x", 5, 4).to_string()
        );
    }
    assert_eq!(outcomes(&registry), [0.0, 0.0, 3.0, 0.0]);
    assert_eq!(tokens(&registry), [15.0, 12.0]);
}

#[tokio::test]
async fn other_requests_pass_unchanged_and_uncounted() {
    let upstream = Upstream::start(answer).await;
    let (layer, registry) = layer();
    let llm = layer.layer(client());
    for (method, path) in [
        (Method::GET, CHAT),
        (Method::DELETE, CHAT),
        (Method::POST, "/v1/files?stream"),
        (Method::POST, "/v1/messages/count_tokens?cut"),
        (Method::GET, "/v1/models"),
        // These paths are calls only if the request names a model.
        (Method::POST, "/api/chat?headers"),
        (Method::POST, "/survey/responses?cut_stream"),
    ] {
        let url = upstream.url(path);
        let request = || {
            let request = llm.get_ref().request(method.clone(), &url);
            request
                .body(json!({"stream": true}).to_string())
                .build()
                .unwrap()
        };
        let _seen = with_and_without_layer(&llm, request).await;
        assert_eq!(series(&registry), 0, "{method} {path}");
    }
    assert_eq!(outcomes(&registry), NONE);
}

#[tokio::test]
async fn the_model_is_taken_from_the_response_if_the_request_body_is_a_stream() {
    let upstream = Upstream::start(answer).await;
    let (layer, registry) = layer();
    let llm = layer.layer(client());
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(question("asked", false))]);
    let body = reqwest::Body::wrap_stream(pieces);
    let request = post(llm.get_ref(), &upstream.url(CHAT), body);
    ObservedResponse::read(llm.execute(request).await.unwrap())
        .await
        .text();
    assert_eq!(upstream.received()[0].body, question("asked", false));
    let model = [("model", "gpt-x"), ("outcome", "success")];
    assert_eq!(sum(&registry, "llm_requests_total", &model), 1.0);
    // In flight it had no name.
    assert_eq!(in_flight(&registry), 0.0);
}

#[tokio::test]
async fn a_compressed_response_is_not_read_and_counted_as_such() {
    let body = Frames::Whole("not gzip, as the layer need not know".to_owned());
    let answer = Answer::new(200, "application/json", body).header("content-encoding", "gzip");
    let upstream = Upstream::with(answer).await;
    let (layer, registry) = layer();
    let llm = layer.layer(client());
    let url = upstream.url(CHAT);
    let accepts = HeaderValue::from_static("gzip");
    let request = || {
        let mut request = post(llm.get_ref(), &url, question("gpt-x", false));
        request
            .headers_mut()
            .insert("accept-encoding", accepts.clone());
        request
    };
    with_and_without_layer(&llm, request).await.unwrap();
    assert_eq!(outcomes(&registry), SUCCESS);
    let encoded = [("reason", "encoded")];
    assert_eq!(sum(&registry, "llm_usage_missing_total", &encoded), 1.0);
    assert_eq!(tokens(&registry), [0.0; 2]);
}

#[test]
fn a_clone_of_the_service_and_the_layer_count_into_the_same_metrics() {
    let (layer, registry) = layer();
    let (one, other) = (layer.layer(client()), layer.clone().layer(client()));
    let other = other.clone();
    drop(LlmLayer::start_call(&layer, "x", "y", "chat"));
    assert_eq!(outcomes(&registry), CANCELLED);
    drop((one, other));
}
