//! Who calls the models, so that there is something to see at once.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::Llm;
use super::own::{ANTHROPIC, OLLAMA, OPENAI, Own};

/// How many call the demo's own models at the same time.
const CALLERS: u64 = 4;

/// How long it is from one call of a provider's model to the next.
const GENTLY: Duration = Duration::from_secs(5);

/// Starts calls that go on for as long as the demo runs.
pub(crate) fn start(llm: &Llm, demo: SocketAddr) {
    match llm {
        Llm::Own(own) => {
            for seed in 0..CALLERS {
                tokio::spawn(call_for_ever(own.clone(), seed));
            }
            tokio::spawn(ask_for_ever(demo, Duration::from_secs(1)));
        }
        Llm::Provider(_) => {
            tokio::spawn(ask_for_ever(demo, GENTLY));
        }
    }
}

/// Asks by the demo's own routes, as one of its users.
async fn ask_for_ever(demo: SocketAddr, every: Duration) {
    let client = Client::builder().no_proxy().tls_certs_only([]).build();
    let Ok(client) = client else { return };
    loop {
        sleep(every).await;
        for path in ["/ask?q=How+fast+does+it+turn", "/users/7/summary"] {
            if let Ok(answer) = client.get(format!("http://{demo}{path}")).send().await {
                let _ = answer.bytes().await;
            }
        }
    }
}

async fn call_for_ever(own: Own, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    loop {
        let (host, path, body) = choose(&mut random);
        let patience = match random.u32(0..100) {
            // Gone before the answer's head, or within its body.
            0..8 => Duration::from_millis(random.u64(20..600)),
            _ => Duration::from_secs(30),
        };
        let _ = timeout(patience, async {
            own.post(host, path, &body).await?.bytes().await
        })
        .await;
        sleep(Duration::from_millis(random.u64(50..400))).await;
    }
}

/// Returns what one call is: whom it asks, where, and what.
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
        // Its tokens are not told, since it does not ask for them.
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
