//! What a model says to one request, whatever the dialect.

use std::time::Duration;

use serde_json::Value;

const TEXT: &str = "A tachometer shows how fast a shaft turns, in revolutions per minute. \
    It counts what passes and divides by the time that took, so that a driver sees at a \
    glance whether the engine labours, idles, or is about to break. ";

/// A model that thinks first is known by its name.
const THINKER: &str = "o4-mini";

/// What a call of a tool takes.
const TOOL_TOKENS: u64 = 18;

#[derive(Debug)]
pub(super) struct Said {
    pub(super) model: String,
    /// One token each.
    pub(super) words: Vec<&'static str>,
    pub(super) calls_tool: bool,
    /// Whether it had more to say than it might.
    pub(super) is_cut_short: bool,
    /// With what was cached.
    pub(super) input: u64,
    pub(super) cached: u64,
    pub(super) thoughts: u64,
    /// Whether a stream is to tell its usage.
    pub(super) tells_usage: bool,
    /// How long it takes to begin.
    pub(super) pause: Duration,
}

impl Said {
    /// Makes an answer to a request of so many bytes.
    pub(super) fn answering(asked: &Value, bytes: usize) -> Self {
        let model = asked["model"].as_str().unwrap_or("unknown").to_owned();
        let calls_tool = asked["tools"].is_array() && fastrand::bool();
        let most = asked["max_tokens"].as_u64().unwrap_or(u64::MAX);
        let wanted = fastrand::usize(12..48);
        let allowed = usize::try_from(most).unwrap_or(usize::MAX).min(wanted);
        let words = TEXT.split_inclusive(' ').cycle();
        let thoughts = match model.as_str() {
            THINKER => fastrand::u64(30..200),
            _ => 0,
        };
        // What was said before, of which providers keep multiples of 128 tokens.
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
                words.take(allowed).collect()
            },
            is_cut_short: allowed < wanted,
            calls_tool,
            input: history + bytes as u64 / 4,
            cached,
            thoughts,
            tells_usage: asked["stream_options"]["include_usage"] == true,
            pause: Duration::from_millis(fastrand::u64(30..200) + thoughts),
            model,
        }
    }

    /// Returns the tokens of all that it says and thinks.
    pub(super) fn output(&self) -> u64 {
        let tool = u64::from(self.calls_tool) * TOOL_TOKENS;
        self.words.len() as u64 + self.thoughts + tool
    }

    pub(super) fn text(&self) -> String {
        self.words.concat()
    }

    /// Returns whichever reason fits, of three names for them.
    pub(super) fn finish<'a>(&self, stop: &'a str, length: &'a str, tool: &'a str) -> &'a str {
        match self {
            Self {
                calls_tool: true, ..
            } => tool,
            Self {
                is_cut_short: true, ..
            } => length,
            _ => stop,
        }
    }
}

/// The tool that is called, and with what.
pub(super) const TOOL: &str = "read_speed";
pub(super) const ARGUMENTS: [&str; 2] = ["{\"shaft\":", "\"main\"}"];
