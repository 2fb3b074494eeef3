//! Third-party servers: the counts of the layer equal theirs.

mod aimock;
mod llama;

use reqwest::Client;
use serde_json::Value;
use tachometer::Registry;
use tachometer::llm::LlmService;

use crate::support::read::sum;

/// Makes a call and reads its response to the end.
async fn post(llm: &LlmService<Client>, url: &str, body: &Value) -> (u16, String) {
    let request = llm.get_ref().post(url).json(body).build().unwrap();
    let mut response = llm.execute(request).await.unwrap();
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        text.extend_from_slice(&chunk);
    }
    // An event stream of AWS's is no text.
    let text = String::from_utf8_lossy(&text).into_owned();
    (response.status().as_u16(), text)
}

/// Returns the sum over a metric's series with one label, or over all of them.
fn count(registry: &Registry, metric: &str, label: &str, value: &str) -> f64 {
    sum(registry, metric, &[(label, value)])
}
