//! Chat, Completions, Embeddings and Moderations of OpenAI, and of compatible servers: Azure,
//! Groq, DeepSeek, Mistral, OpenRouter, xAI, Together, vLLM, llama.cpp.

use crate::llm::facts::Unit;
use crate::llm::response::answer::{Answer, TokenKind};
use crate::llm::response::dialect::shared::{
    CACHE_CREATION, COPILOT, COSTS, ERROR, GATEWAY, SERVER_TOOLS, XAI_TOOLS,
};
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern, Vendor};
use crate::llm::response::json::{Branch, each, each_text, elements, field, nested, text};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/chat/completions", "chat").llm_only(),
        // Mistral agents.
        PathPattern::new("/agents/completions", "chat"),
        PathPattern::new("/completions", "text_completion"),
        PathPattern::new("/embeddings", "embeddings"),
        PathPattern::new("/moderations", "moderation"),
        // Mistral and AI21 models at Google.
        PathPattern::new(":rawPredict", "chat")
            .llm_only()
            .model_after("/publishers/mistralai/models/")
            .operation_from_model(operation_for_model),
        PathPattern::new(":streamRawPredict", "chat")
            .llm_only()
            .model_after("/publishers/mistralai/models/"),
        PathPattern::new(":rawPredict", "chat")
            .llm_only()
            .model_after("/publishers/ai21/models/"),
        PathPattern::new(":streamRawPredict", "chat")
            .llm_only()
            .model_after("/publishers/ai21/models/"),
    ],
    provider: "openai_compatible",
    branches: ANSWER,
    is_usage_opt_in: true,
    normalize_usage,
    ..Dialect::DEFAULT
};

/// The OCR model is billed by pages, and reports no tokens.
fn operation_for_model(model: &str) -> Option<&'static str> {
    (!model.contains("ocr")).then_some("chat")
}

const ANSWER: &[Branch<Answer>] = &[
    field("model", Answer::model),
    nested("choices", &[each(Answer::choice).and(CHOICE)]),
    nested("usage", USAGE),
    field("service_tier", Answer::service_tier),
    nested("copilot_usage", COPILOT),
    // Streams of Groq.
    nested(
        "x_groq",
        &[nested("usage", USAGE), field("error", Answer::error)],
    ),
    nested("time_info", TIMES),
    nested("timings", TIMINGS),
    // vLLM, if the request asks for metrics.
    nested(
        "metrics",
        &[
            field("queue_time_ms", Answer::queue_millis),
            field("generation_time_ms", Answer::generate_millis),
        ],
    ),
    field("error", Answer::error).and(ERROR),
    // Errors of older vLLM, which have no `error` object.
    field("object", Answer::object_type),
];

const CHOICE: &[Branch<Answer>] = &[
    field("index", Answer::choice_index),
    field("finish_reason", Answer::finish_reason),
    // Completions.
    text("text", Answer::text),
    nested("delta", MESSAGE),
    nested("message", MESSAGE),
    // Streams of Moonshot.
    nested("usage", USAGE),
    // A gateway whose provider failed during the stream.
    field("error", Answer::error).and(ERROR),
];

pub(crate) const MESSAGE: &[Branch<Answer>] = &[
    // A text, or parts of one. The reasoning of Mistral is such a part.
    text("content", Answer::text).and(&[each_text(Answer::text).and(&[
        text("text", Answer::text),
        nested(
            "thinking",
            &[elements(&[text("text", Answer::reasoning_text)])],
        ),
    ])]),
    text("refusal", Answer::text),
    // Reasoning: DeepSeek and vLLM, and OpenRouter and newer vLLM.
    text("reasoning_content", Answer::reasoning_text),
    text("reasoning", Answer::reasoning_text),
    nested(
        "audio",
        &[text("data", Answer::text), text("transcript", Answer::text)],
    ),
    nested("tool_calls", &[each(Answer::tool_call).and(TOOL)]),
    // The predecessor of tool calls. Only its first part has the name.
    field("function_call", Answer::tool_call).and(FUNCTION),
];

const TOOL: &[Branch<Answer>] = &[
    field("index", Answer::tool_call_index),
    field("id", Answer::tool_call_id),
    field("type", Answer::tool_call_type),
    nested("function", FUNCTION),
];

const FUNCTION: &[Branch<Answer>] = &[
    field("name", Answer::tool_name),
    text("arguments", Answer::text),
];

const USAGE: &[Branch<Answer>] = &[
    field("prompt_tokens", Answer::input),
    field("completion_tokens", Answer::output),
    field("total_tokens", Answer::total),
    nested(
        "prompt_tokens_details",
        &[
            field("cached_tokens", Answer::cache_read),
            field("cache_write_tokens", Answer::cache_write),
            field("audio_tokens", Answer::audio_input),
            // LiteLLM.
            field("web_search_requests", Answer::web_searches),
        ],
    ),
    nested(
        "completion_tokens_details",
        &[
            field("reasoning_tokens", Answer::reasoning),
            field("audio_tokens", Answer::audio_output),
            field("image_tokens", Answer::image_output),
        ],
    ),
    // DeepSeek, Mistral and Moonshot.
    field("prompt_cache_hit_tokens", Answer::cache_read),
    field("num_cached_tokens", Answer::cache_read),
    field("cached_tokens", Answer::cache_read),
    // Gateways to Anthropic, whose input includes these.
    field("cache_read_input_tokens", Answer::cache_read),
    field("cache_creation_input_tokens", Answer::cache_write),
    nested("cache_creation", CACHE_CREATION),
    // Perplexity and Mistral.
    field("reasoning_tokens", Answer::reasoning),
    field("num_search_queries", Answer::web_searches),
    field("prompt_audio_seconds", Answer::audio_seconds),
    // Groq.
    field("queue_time", Answer::queue_seconds),
    field("prompt_time", Answer::prompt_seconds),
    field("completion_time", Answer::generate_seconds),
    field("total_time", Answer::total_seconds),
    // OpenRouter sends a number, Perplexity an object.
    field("cost", Answer::cost).and(COSTS),
    field("is_byok", Answer::is_byok),
    nested(
        "cost_details",
        &[field("upstream_inference_cost", Answer::upstream_cost)],
    ),
    field("cost_in_usd_ticks", Answer::cost_ticks),
    nested("server_tool_use", SERVER_TOOLS),
    nested("server_side_tool_usage_details", XAI_TOOLS),
    nested("pydantic_ai_gateway", GATEWAY),
];

/// Cerebras.
const TIMES: &[Branch<Answer>] = &[
    field("queue_time", Answer::queue_seconds),
    field("prompt_time", Answer::prompt_seconds),
    field("completion_time", Answer::generate_seconds),
    field("total_time", Answer::total_seconds),
];

/// llama.cpp.
const TIMINGS: &[Branch<Answer>] = &[
    field("prompt_ms", Answer::prompt_millis),
    field("predicted_ms", Answer::generate_millis),
];

/// Adds the tokens that only the total includes.
///
/// The input should include cached and audio tokens, and the output reasoning, but some models
/// and gateways differ. If the total exceeds input plus output, the difference is added if its
/// kind is known.
pub(crate) fn normalize_usage(answer: &mut Answer, call: &CallContext<'_>) {
    let Some(extra) = tokens_beyond_input_and_output(answer) else {
        return;
    };
    let counts = &mut answer.counts;
    let is_extra = |kind: TokenKind| counts.get(kind) == Some(extra);
    let cached =
        [TokenKind::CacheRead, TokenKind::CacheWrite].map(|kind| counts.get(kind).unwrap_or(0));
    let is_cached = cached.iter().sum::<u64>() == extra;
    // Mistral reports the seconds of its audio.
    let has_audio = answer.units.get(Unit::AudioSeconds) > Some(0.0);
    let is_audio = has_audio || is_extra(TokenKind::AudioInput);
    let model = answer.facts.response_model.as_deref().or(call.model);
    let is_gemini = model.is_some_and(|model| model.contains("gemini"));
    if extra == 0 {
        let reasoning = separate_reasoning(answer, call.vendor, is_gemini);
        add_output(answer, call, reasoning);
    } else if is_audio || is_cached {
        counts.add(TokenKind::Input, extra);
    } else if is_extra(TokenKind::Reasoning) || is_gemini {
        // xAI, and gateways to Gemini, include reasoning only in the total.
        add_output(answer, call, extra);
    } else {
        answer.facts.is_inconsistent = true;
    }
}

/// Returns the total minus input and output, if all are known. A missing output is 0 if the
/// total equals the input.
pub(crate) fn tokens_beyond_input_and_output(answer: &mut Answer) -> Option<u64> {
    let counts = &mut answer.counts;
    let input = counts.get(TokenKind::Input)?;
    // A total of 0 is a placeholder.
    let total = counts.get(TokenKind::Total).filter(|total| *total > 0)?;
    if counts.get(TokenKind::Output).is_none() && total == input {
        counts.set(TokenKind::Output, Some(0));
    }
    let sum = input + counts.get(TokenKind::Output)?;
    answer.facts.is_inconsistent |= total < sum;
    total.checked_sub(sum)
}

/// Returns the reasoning tokens that neither the output nor the total includes.
fn separate_reasoning(answer: &Answer, vendor: Vendor, is_gemini: bool) -> u64 {
    let reasoning = answer.counts.get(TokenKind::Reasoning).unwrap_or(0);
    let is_separate = match vendor {
        Vendor::Perplexity => Some(reasoning) > answer.counts.get(TokenKind::Output),
        // Its reported cost includes them.
        Vendor::Vercel => is_gemini,
        Vendor::Other => false,
    };
    if is_separate { reasoning } else { 0 }
}

/// Adds tokens to the output, unless it would exceed the limit of the request.
fn add_output(answer: &mut Answer, call: &CallContext<'_>, tokens: u64) {
    let output = answer.counts.get(TokenKind::Output).unwrap_or(0) + tokens;
    if tokens > 0 && call.max_tokens.is_some_and(|limit| output > limit) {
        answer.facts.is_inconsistent = true;
    } else {
        answer.counts.set(TokenKind::Output, Some(output));
    }
}
