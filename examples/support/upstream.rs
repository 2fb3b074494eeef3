//! The provider that the examples call: the one in the environment variables, or a fake server,
//! so that they work without a network.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, io};

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;

#[derive(Debug)]
pub(crate) struct Upstream {
    /// Usually ends with `/v1`.
    pub(crate) base: String,
    pub(crate) key: String,
    pub(crate) model: String,
}

impl Upstream {
    /// Returns the provider in `OPENAI_BASE_URL`, `OPENAI_API_KEY` and `OPENAI_MODEL`, or starts a
    /// fake server, which rejects its first calls.
    pub(crate) async fn find(refusals: usize) -> io::Result<Self> {
        let model = env::var("OPENAI_MODEL").unwrap_or_else(|_| "gpt-4o-mini".into());
        if let (Ok(base), Ok(key)) = (env::var("OPENAI_BASE_URL"), env::var("OPENAI_API_KEY")) {
            let base = base.trim_end_matches('/').into();
            return Ok(Self { base, key, model });
        }
        Ok(Self {
            base: start(refusals).await?,
            key: "none".into(),
            model,
        })
    }
}

async fn start(refusals: usize) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}/v1", listener.local_addr()?);
    let calls = Arc::new(AtomicUsize::new(0));
    let answer = post(async move |body: String| {
        if calls.fetch_add(1, Ordering::Relaxed) < refusals {
            return refusal();
        }
        answer(&serde_json::from_str(&body).unwrap_or_default())
    });
    let app = Router::new().route("/v1/chat/completions", answer);
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(base)
}

fn refusal() -> Response {
    let error =
        json!({"type": "rate_limit_error", "code": "rate_limit_exceeded", "message": "Too fast."});
    let head = [(CONTENT_TYPE, "application/json"), (RETRY_AFTER, "0")];
    let body = json!({"error": error}).to_string();
    (StatusCode::TOO_MANY_REQUESTS, head, body).into_response()
}

fn answer(request: &Value) -> Response {
    const WORDS: [&str; 4] = ["It ", "turns ", "quite ", "fast."];

    let usage = json!({"prompt_tokens": 21, "completion_tokens": 4, "total_tokens": 25});
    let make = |kind: &str, choices: &Value, usage: &Value| {
        json!({
            "id": "1",
            "object": kind,
            "created": 0,
            "model": request["model"],
            "choices": choices,
            "usage": usage,
        })
    };
    if request["stream"] != true {
        let message = json!({"role": "assistant", "content": WORDS.concat()});
        let choices = json!([{"index": 0, "message": message, "finish_reason": "stop"}]);
        let body = make("chat.completion", &choices, &usage).to_string();
        return ([(CONTENT_TYPE, "application/json")], body).into_response();
    }
    let piece = |delta: Value, finish: Option<&str>| {
        let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
        make("chat.completion.chunk", &choices, &Value::Null)
    };
    let mut events: Vec<_> = WORDS
        .map(|word| piece(json!({"content": word}), None))
        .into();
    events.push(piece(json!({}), Some("stop")));
    if request["stream_options"]["include_usage"] == true {
        events.push(make("chat.completion.chunk", &json!([]), &usage));
    }
    let mut events: Vec<_> = events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    events.push("data: [DONE]\n\n".into());
    let body = stream::iter(events).then(async |event| {
        sleep(Duration::from_millis(20)).await;
        Ok::<_, Infallible>(event)
    });
    let head = [(CONTENT_TYPE, "text/event-stream")];
    (head, Body::from_stream(body)).into_response()
}
