//! Calls the fake models without a route, so that there is traffic to see.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::Llm;
use super::fake_models::{ANTHROPIC, FakeModels, OLLAMA, OPENAI};

/// The number of concurrent callers of the fake models.
const CALLERS: u64 = 4;

/// Adds the callers. A real provider has none, because it may charge for each call.
pub(crate) fn start(llm: &Llm, clients: &mut JoinSet<()>) {
    if let Llm::Fake(fake) = llm {
        for seed in 0..CALLERS {
            clients.spawn(call_in_loop(fake.clone(), seed));
        }
    }
}

async fn call_in_loop(fake: FakeModels, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    loop {
        let (host, path, body) = choose(&mut random);
        let client_timeout = match random.u32(0..100) {
            // Disconnects before the response head, or within the body.
            0..8 => Duration::from_millis(random.u64(20..600)),
            _ => Duration::from_secs(30),
        };
        let _ = timeout(client_timeout, async {
            fake.post(host, path, &body).await?.bytes().await
        })
        .await;
        sleep(Duration::from_millis(random.u64(50..400))).await;
    }
}

/// Returns the host, path and body of a random call.
fn choose(random: &mut fastrand::Rng) -> (&'static str, &'static str, Value) {
    const QUESTION: &str = "How fast does it turn?";

    let usage = json!({"include_usage": true});
    let tools = json!([{"type": "function", "function": {"name": "read_speed"}}]);
    let mini = "gpt-4o-mini";
    let (host, path, mut body) = match random.u32(0..100) {
        0..25 => {
            let body = json!({"model": mini, "stream": true, "stream_options": usage});
            (OPENAI, "/v1/chat/completions", body)
        }
        // Reports no tokens, since `include_usage` is not set.
        25..30 => {
            let body = json!({"model": mini, "stream": true});
            (OPENAI, "/v1/chat/completions", body)
        }
        30..38 => {
            let body = json!({"model": mini, "tools": tools});
            (OPENAI, "/v1/chat/completions", body)
        }
        38..50 => {
            let body = json!({"model": "o4-mini", "stream": true});
            (OPENAI, "/v1/responses", body)
        }
        50..60 => {
            let body = json!({"model": "text-embedding-3-small"});
            (OPENAI, "/v1/embeddings", body)
        }
        60..78 => {
            let model = "claude-sonnet-4-5";
            let body = json!({"model": model, "max_tokens": 64, "stream": true, "tools": tools});
            (ANTHROPIC, "/v1/messages", body)
        }
        78..86 => {
            let body = json!({"model": "claude-haiku-4-5", "max_tokens": 16});
            (ANTHROPIC, "/v1/messages", body)
        }
        86..96 => (OLLAMA, "/api/chat", json!({"model": "llama3.2"})),
        _ => {
            let body = json!({"model": "llama3.2", "stream": false});
            (OLLAMA, "/api/chat", body)
        }
    };
    match path {
        "/v1/responses" | "/v1/embeddings" => body["input"] = QUESTION.into(),
        _ => body["messages"] = json!([{"role": "user", "content": QUESTION}]),
    }
    (host, path, body)
}
