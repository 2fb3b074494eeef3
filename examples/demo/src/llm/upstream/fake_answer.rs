//! The answer of a fake model to one request, independent of the dialect.

use std::time::Duration;

use serde_json::Value;

const TEXT: &str = "A tachometer shows how fast a shaft turns, in revolutions per minute. \
    It counts what passes and divides by the time that took, so that a driver sees at a \
    glance whether the engine labours, idles, or is about to break. ";

/// The name of the model that has reasoning tokens.
const REASONING_MODEL: &str = "o4-mini";

/// The output tokens of a tool call.
const TOOL_TOKENS: u64 = 18;

#[derive(Debug)]
pub(super) struct FakeAnswer {
    pub(super) model: String,
    /// One token each.
    pub(super) words: Vec<&'static str>,
    pub(super) calls_tool: bool,
    /// True if `max_tokens` ended the answer.
    pub(super) is_truncated: bool,
    /// Includes the cached tokens.
    pub(super) input: u64,
    pub(super) cached: u64,
    pub(super) reasoning_tokens: u64,
    /// True if a stream must report its usage.
    pub(super) includes_usage: bool,
    /// The time until the response starts.
    pub(super) pause: Duration,
}

impl FakeAnswer {
    /// Creates a random answer to a request with a body of `bytes` bytes.
    pub(super) fn to_request(request: &Value, bytes: usize) -> Self {
        let model = request["model"].as_str().unwrap_or("unknown").to_owned();
        let calls_tool = request["tools"].is_array() && fastrand::bool();
        let max_tokens = request["max_tokens"].as_u64().unwrap_or(u64::MAX);
        let wanted_words = fastrand::usize(12..48);
        let allowed_words = usize::try_from(max_tokens)
            .unwrap_or(usize::MAX)
            .min(wanted_words);
        let words = TEXT.split_inclusive(' ').cycle();
        let reasoning_tokens = match model.as_str() {
            REASONING_MODEL => fastrand::u64(30..200),
            _ => 0,
        };
        // The tokens of earlier messages. Providers cache multiples of 128 tokens.
        let history = fastrand::u64(0..3_000);
        let cached = if fastrand::bool() {
            history / 128 * 128
        } else {
            0
        };
        Self {
            words: if calls_tool {
                Vec::new()
            } else {
                words.take(allowed_words).collect()
            },
            is_truncated: allowed_words < wanted_words,
            calls_tool,
            input: history + bytes as u64 / 4,
            cached,
            reasoning_tokens,
            includes_usage: request["stream_options"]["include_usage"] == true,
            pause: Duration::from_millis(fastrand::u64(30..200) + reasoning_tokens),
            model,
        }
    }

    /// Returns the output tokens, including reasoning and tool calls.
    pub(super) fn output(&self) -> u64 {
        let tool = u64::from(self.calls_tool) * TOOL_TOKENS;
        self.words.len() as u64 + self.reasoning_tokens + tool
    }

    pub(super) fn text(&self) -> String {
        self.words.concat()
    }

    /// Returns the finish reason, in the words of a dialect.
    pub(super) fn finish_reason<'a>(
        &self,
        stop: &'a str,
        length: &'a str,
        tool: &'a str,
    ) -> &'a str {
        match self {
            Self {
                calls_tool: true, ..
            } => tool,
            Self {
                is_truncated: true, ..
            } => length,
            _ => stop,
        }
    }
}

/// The tool that is called, and the pieces of its arguments.
pub(super) const TOOL: &str = "read_speed";
pub(super) const ARGUMENTS: [&str; 2] = ["{\"shaft\":", "\"main\"}"];
