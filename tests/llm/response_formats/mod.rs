//! Handmade responses that no server in these tests returns, each read in chunks of every size.
//!
//! A row says where its format is documented: by the vendor, in code that reads it, or nowhere
//! (`unverified`). Values are invented.

mod anthropic_messages;
pub(crate) mod aws_event_stream;
mod background_responses;
mod bedrock;
mod bedrock_invoke;
mod billed_units;
mod cohere;
mod end_of_response;
mod errors;
mod event_framing;
mod gemini;
mod invalid_counts;
mod media;
mod ollama;
mod openai_chat;
mod openai_responses;
mod rare;
mod reported_costs;
mod rerank;
mod several_models;
mod tool_calls;
mod usage_corrections;
mod vertex;

use crate::support::{Call, Ends, Readings, SIZES};

/// One response, and the expected summary.
pub(crate) struct Row {
    /// What it shows, and where its format is documented.
    name: &'static str,
    path: &'static str,
    request: &'static str,
    status: u16,
    kind: &'static str,
    encoding: Option<&'static str>,
    /// Headers besides those.
    headers: &'static [(&'static str, &'static str)],
    body: Vec<u8>,
    /// As [`summary`] writes it.
    learnt: &'static str,
}

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const RESPONSES: &str = "/v1/responses";
pub(crate) const MESSAGES: &str = "/v1/messages";
pub(crate) const OLLAMA: &str = "/api/chat";
pub(crate) const GEMINI: &str = "/v1beta/models/g:streamGenerateContent";
pub(crate) const JSON: &str = "application/json";
pub(crate) const EVENTS: &str = "text/event-stream";
pub(crate) const LINES: &str = "application/x-ndjson";

/// A row of a streamed answer; `learnt` is as [`summary`] writes it.
pub(crate) fn stream(
    name: &'static str,
    path: &'static str,
    body: impl Into<Vec<u8>>,
    learnt: &'static str,
) -> Row {
    Row {
        name,
        path,
        request: r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
        status: 200,
        kind: EVENTS,
        encoding: None,
        headers: &[],
        body: body.into(),
        learnt,
    }
}

/// A row of an answer that is not streamed.
pub(crate) fn whole(
    name: &'static str,
    path: &'static str,
    body: impl Into<Vec<u8>>,
    learnt: &'static str,
) -> Row {
    Row {
        request: r#"{"model":"m","stream":false}"#,
        kind: JSON,
        ..stream(name, path, body, learnt)
    }
}

/// Builds events from their data.
pub(crate) fn events(data: &[&str]) -> String {
    data.iter()
        .flat_map(|data| {
            [
                "data: ", *data, "

",
            ]
        })
        .collect()
}

#[track_caller]
pub(crate) fn check(rows: impl IntoIterator<Item = Row>) {
    let mut faults = Vec::new();
    for row in rows {
        let mut headers = vec![("content-type", row.kind)];
        headers.extend(row.encoding.map(|encoding| ("content-encoding", encoding)));
        headers.extend(row.headers);
        let call = Call {
            path: row.path,
            request: row.request,
            status: row.status,
            headers,
            body: &row.body,
            ends: Ends::Whole,
        };
        for size in SIZES {
            let readings = summary(&call.readings(size));
            if readings != row.learnt {
                let Row { name, learnt, .. } = row;
                faults.push(format!(
                    "{name}, in pieces of {size}: {readings}, not {learnt}"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Returns a summary: the outcome with the type of its error, input and output tokens, their
/// details, finish reasons, tool calls (`x2`), a first token (`first`), why tokens are missing
/// (`-reason`), other billed units (`images=2`), the phases with a server time (`~queue`), and
/// the cost in nano-dollars (`$reported=5`).
fn summary(readings: &Readings) -> String {
    let mut parts = readings.label_values("llm_requests_total").join(" ");
    for error in readings.label_values("llm_requests_error") {
        parts.extend(["(", error, ")"]);
    }
    for direction in ["input", "output"] {
        let tokens = readings.count("llm_tokens_total", direction);
        parts.extend([
            " ".to_owned(),
            tokens.map_or(".".to_owned(), |tokens| tokens.to_string()),
        ]);
    }
    for kind in [
        "cache_read",
        "cache_write",
        "cache_write_1h",
        "reasoning",
        "audio_input",
        "audio_output",
        "image_input",
        "image_output",
    ] {
        if let Some(tokens) = readings.count("llm_token_details_total", kind) {
            parts.extend([" ", kind, "=", &tokens.to_string()]);
        }
    }
    for reason in readings.label_values("llm_finish_reasons_total") {
        parts.extend([" ", reason]);
    }
    if let Some(calls) = readings.count("llm_tool_calls_total", "") {
        parts.extend([" x", &calls.to_string()]);
    }
    if readings
        .count("llm_time_to_first_token_seconds", "")
        .is_some()
    {
        parts.push_str(" first");
    }
    for reason in readings.label_values("llm_usage_missing_total") {
        parts.extend([" -", reason]);
    }
    for unit in [
        "search_units",
        "audio_seconds",
        "images",
        "web_searches",
        "x_searches",
        "file_searches",
        "code_executions",
        "image_generations",
        "batch_calls",
        "fast_calls",
        "flex_calls",
        "priority_calls",
        "provisioned_calls",
        "other_tier_calls",
    ] {
        if let Some(units) = readings.amount("llm_billed_units_total", unit) {
            parts.extend([" ", unit, "=", &format!("{units:.0}")]);
        }
    }
    for phase in ["queue", "load", "prompt", "generate", "total"] {
        if readings.count("llm_server_time_seconds", phase).is_some() {
            parts.extend([" ~", phase]);
        }
    }
    for source in ["reported", "table"] {
        if let Some(dollars) = readings.amount("llm_cost_usd_total", source) {
            parts.extend([" $", source, "=", &format!("{:.0}", dollars * 1e9)]);
        }
    }
    parts
}
