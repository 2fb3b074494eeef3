//! Chat, completions and embeddings of OpenAI, and of those who speak as it does:
//! Azure, Groq, DeepSeek, Mistral, OpenRouter, xAI, Together, vLLM, llama.cpp.

use crate::llm::answer::{Answer, Event, Field};
use crate::llm::dialect::{Dialect, Path};
use crate::llm::scan::{Branch, at, each, within};

pub(super) const DIALECT: Dialect = Dialect {
    paths: &[
        Path {
            end: "/chat/completions",
            operation: "chat",
            is_special: true,
        },
        Path {
            end: "/completions",
            operation: "text_completion",
            is_special: false,
        },
        Path {
            end: "/embeddings",
            operation: "embeddings",
            is_special: false,
        },
    ],
    provider: "openai_compatible",
    answer: ANSWER,
    streams: false,
    asks_for_usage: true,
    conclude,
    settle,
};

const ANSWER: &[Branch] = &[
    at("model", Field::Model),
    within("choices", &[each(Field::Choice).and(CHOICE)]),
    within("usage", USAGE),
    // Groq's, in a stream.
    within("x_groq", &[within("usage", USAGE)]),
    at("error", Field::Error).and(ERROR),
    // Older vLLM's errors are not under a name of their own.
    at("object", Field::Object),
];

const CHOICE: &[Branch] = &[
    at("index", Field::Index),
    at("finish_reason", Field::Finish),
    // Of completions.
    at("text", Field::Content),
    within("delta", MESSAGE),
    within("message", MESSAGE),
    // A gateway's, whose provider failed after it had begun.
    at("error", Field::Error).and(ERROR),
];

const MESSAGE: &[Branch] = &[
    // A text, or parts of one: Mistral's thoughts are such parts.
    at("content", Field::Content).and(&[each(Field::Content).and(&[
        at("text", Field::Content),
        within(
            "thinking",
            &[each(Field::Content).and(&[at("text", Field::Thought)])],
        ),
    ])]),
    at("refusal", Field::Content),
    // Thoughts: vLLM and DeepSeek, and OpenRouter and newer vLLM.
    at("reasoning_content", Field::Thought),
    at("reasoning", Field::Thought),
    within(
        "audio",
        &[at("data", Field::Content), at("transcript", Field::Content)],
    ),
    within("tool_calls", &[each(Field::Tool).and(TOOL)]),
    // What came before tools: one call, whose name is in one part alone.
    at("function_call", Field::Tool).and(FUNCTION),
];

const TOOL: &[Branch] = &[at("index", Field::ToolIndex), within("function", FUNCTION)];

const FUNCTION: &[Branch] = &[at("name", Field::ToolName), at("arguments", Field::Content)];

const USAGE: &[Branch] = &[
    at("prompt_tokens", Field::Input),
    at("completion_tokens", Field::Output),
    at("total_tokens", Field::Total),
    within(
        "prompt_tokens_details",
        &[
            at("cached_tokens", Field::CacheRead),
            at("cache_write_tokens", Field::CacheWrite),
            at("audio_tokens", Field::AudioInput),
        ],
    ),
    within(
        "completion_tokens_details",
        &[
            at("reasoning_tokens", Field::Reasoning),
            at("audio_tokens", Field::AudioOutput),
        ],
    ),
    // DeepSeek's, Mistral's and Moonshot's.
    at("prompt_cache_hit_tokens", Field::CacheRead),
    at("num_cached_tokens", Field::CacheRead),
    at("cached_tokens", Field::CacheRead),
];

pub(super) const ERROR: &[Branch] = &[at("type", Field::ErrorType), at("code", Field::ErrorCode)];

/// A stream ends with `[DONE]`, which is no event.
fn conclude(_: &mut Answer, _: &Event) {}

/// Input includes what was cached. Output includes thoughts, but for some models of
/// xAI's, whose total shows it.
fn settle(answer: &mut Answer) {
    let usage = &mut answer.usage;
    if let (Some(input), Some(output), Some(reasoning)) =
        (usage.input, usage.output, usage.reasoning)
        && reasoning > 0
        && answer.total == Some(input + output + reasoning)
    {
        usage.output = Some(output + reasoning);
    }
}
