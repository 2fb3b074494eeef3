//! Chat, completions, embeddings and moderations of OpenAI, and of those who speak as it does:
//! Azure, Groq, DeepSeek, Mistral, OpenRouter, xAI, Together, vLLM, llama.cpp.

use crate::llm::facts::{Phase, TimeUnit, Unit};
use crate::llm::response::answer::{Answer, Field};
use crate::llm::response::dialect::shared::{
    CACHE_CREATION, COPILOT, COSTS, ERROR, GATEWAY, SERVER_TOOLS, XAI_TOOLS,
};
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern, Vendor};
use crate::llm::response::json::{Branch, each, field, object};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new("/chat/completions", "chat").llm_only(),
        // Mistral's, of agents.
        PathPattern::new("/agents/completions", "chat"),
        PathPattern::new("/completions", "text_completion"),
        PathPattern::new("/embeddings", "embeddings"),
        PathPattern::new("/moderations", "moderation"),
        // Of Mistral and others at Google.
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

/// One of them reads pages, and tells no tokens.
fn operation_for_model(model: &str) -> Option<&'static str> {
    (!model.contains("ocr")).then_some("chat")
}

const ANSWER: &[Branch] = &[
    field("model", Field::Model),
    object("choices", &[each(Field::Choice).and(CHOICE)]),
    object("usage", USAGE),
    field("service_tier", Field::ServiceTier),
    object("copilot_usage", COPILOT),
    // Groq's, in a stream.
    object(
        "x_groq",
        &[object("usage", USAGE), field("error", Field::Error)],
    ),
    object("time_info", TIMES),
    object("timings", TIMINGS),
    // vLLM's, where it is asked to tell them.
    object(
        "metrics",
        &[
            field("queue_time_ms", Field::Took(Phase::Queue, TimeUnit::Millis)),
            field(
                "generation_time_ms",
                Field::Took(Phase::Generate, TimeUnit::Millis),
            ),
        ],
    ),
    field("error", Field::Error).and(ERROR),
    // Older vLLM's errors are not under a name of their own.
    field("object", Field::Object),
];

const CHOICE: &[Branch] = &[
    field("index", Field::Index),
    field("finish_reason", Field::Finish),
    // Of completions.
    field("text", Field::Content),
    object("delta", MESSAGE),
    object("message", MESSAGE),
    // Moonshot's, in a stream.
    object("usage", USAGE),
    // A gateway's, whose provider failed after it had begun.
    field("error", Field::Error).and(ERROR),
];

pub(crate) const MESSAGE: &[Branch] = &[
    // A text, or parts of one: Mistral's thoughts are such parts.
    field("content", Field::Content).and(&[each(Field::Content).and(&[
        field("text", Field::Content),
        object(
            "thinking",
            &[each(Field::Content).and(&[field("text", Field::Thought)])],
        ),
    ])]),
    field("refusal", Field::Content),
    // Thoughts: vLLM and DeepSeek, and OpenRouter and newer vLLM.
    field("reasoning_content", Field::Thought),
    field("reasoning", Field::Thought),
    object(
        "audio",
        &[
            field("data", Field::Content),
            field("transcript", Field::Content),
        ],
    ),
    object("tool_calls", &[each(Field::Tool).and(TOOL)]),
    // What came before tools: one call, whose name is in one part alone.
    field("function_call", Field::Tool).and(FUNCTION),
];

const TOOL: &[Branch] = &[
    field("index", Field::ToolIndex),
    field("id", Field::ToolId),
    field("type", Field::ToolKind),
    object("function", FUNCTION),
];

const FUNCTION: &[Branch] = &[
    field("name", Field::ToolName),
    field("arguments", Field::Content),
];

const USAGE: &[Branch] = &[
    field("prompt_tokens", Field::Input),
    field("completion_tokens", Field::Output),
    field("total_tokens", Field::Total),
    object(
        "prompt_tokens_details",
        &[
            field("cached_tokens", Field::CacheRead),
            field("cache_write_tokens", Field::CacheWrite),
            field("audio_tokens", Field::AudioInput),
            // LiteLLM's.
            field("web_search_requests", Field::Billed(Unit::WebSearches)),
        ],
    ),
    object(
        "completion_tokens_details",
        &[
            field("reasoning_tokens", Field::Reasoning),
            field("audio_tokens", Field::AudioOutput),
            field("image_tokens", Field::ImageOutput),
        ],
    ),
    // DeepSeek's, Mistral's and Moonshot's.
    field("prompt_cache_hit_tokens", Field::CacheRead),
    field("num_cached_tokens", Field::CacheRead),
    field("cached_tokens", Field::CacheRead),
    // Those of gateways to Anthropic, which include them in the input.
    field("cache_read_input_tokens", Field::CacheRead),
    field("cache_creation_input_tokens", Field::CacheWrite),
    object("cache_creation", CACHE_CREATION),
    // Perplexity's, and Mistral's.
    field("reasoning_tokens", Field::Reasoning),
    field("num_search_queries", Field::Billed(Unit::WebSearches)),
    field("prompt_audio_seconds", Field::Billed(Unit::AudioSeconds)),
    // Groq's times.
    field("queue_time", Field::Took(Phase::Queue, TimeUnit::Seconds)),
    field("prompt_time", Field::Took(Phase::Prompt, TimeUnit::Seconds)),
    field(
        "completion_time",
        Field::Took(Phase::Generate, TimeUnit::Seconds),
    ),
    field("total_time", Field::Took(Phase::Total, TimeUnit::Seconds)),
    // OpenRouter's, a number, and Perplexity's, which is one of several.
    field("cost", Field::Cost).and(COSTS),
    field("is_byok", Field::IsPaidElsewhere),
    object(
        "cost_details",
        &[field("upstream_inference_cost", Field::CostElsewhere)],
    ),
    field("cost_in_usd_ticks", Field::CostTicks),
    object("server_tool_use", SERVER_TOOLS),
    object("server_side_tool_usage_details", XAI_TOOLS),
    object("pydantic_ai_gateway", GATEWAY),
];

/// Cerebras's.
const TIMES: &[Branch] = &[
    field("queue_time", Field::Took(Phase::Queue, TimeUnit::Seconds)),
    field("prompt_time", Field::Took(Phase::Prompt, TimeUnit::Seconds)),
    field(
        "completion_time",
        Field::Took(Phase::Generate, TimeUnit::Seconds),
    ),
    field("total_time", Field::Took(Phase::Total, TimeUnit::Seconds)),
];

/// llama.cpp's.
const TIMINGS: &[Branch] = &[
    field("prompt_ms", Field::Took(Phase::Prompt, TimeUnit::Millis)),
    field(
        "predicted_ms",
        Field::Took(Phase::Generate, TimeUnit::Millis),
    ),
];

/// The input includes cached and audio tokens, and the output reasoning, but not with all
/// models and gateways. If the total exceeds input plus output, the difference is counted if
/// its kind is known.
pub(crate) fn normalize_usage(answer: &mut Answer, call: &CallContext<'_>) {
    let Some(beside) = tokens_beyond_input_and_output(answer) else {
        return;
    };
    let counts = &mut answer.counts;
    let is = |field: Field| counts.get(field) == Some(beside);
    let cached = [Field::CacheRead, Field::CacheWrite].map(|field| counts.get(field).unwrap_or(0));
    let is_cached = cached.iter().sum::<u64>() == beside;
    // Mistral reports the seconds of its audio.
    let has_audio = answer.units.get(Unit::AudioSeconds) > Some(0.0);
    let is_audio = has_audio || is(Field::AudioInput);
    let model = answer.model.as_deref().or(call.model);
    let is_gemini = model.is_some_and(|model| model.contains("gemini"));
    if beside == 0 {
        let reasoning = separate_reasoning(answer, call.vendor, is_gemini);
        add_output(answer, call, reasoning);
    } else if is_audio || is_cached {
        counts.add(Field::Input, beside);
    } else if is(Field::Reasoning) || is_gemini {
        // xAI's reasoning, and Gemini's, which gateways report in the total alone.
        add_output(answer, call, beside);
    } else {
        answer.is_inconsistent = true;
    }
}

/// Returns how many tokens the total has beside the input and the output, if all are known.
/// An output of 0 may be left out.
pub(crate) fn tokens_beyond_input_and_output(answer: &mut Answer) -> Option<u64> {
    let counts = &mut answer.counts;
    let input = counts.get(Field::Input)?;
    // A total of 0 is a placeholder.
    let total = counts.get(Field::Total).filter(|total| *total > 0)?;
    if counts.get(Field::Output).is_none() && total == input {
        counts.set(Field::Output, Some(0));
    }
    let both = input + counts.get(Field::Output)?;
    answer.is_inconsistent |= total < both;
    total.checked_sub(both)
}

/// Returns the reasoning tokens that neither the output nor the total includes.
fn separate_reasoning(answer: &Answer, vendor: Vendor, is_gemini: bool) -> u64 {
    let reasoning = answer.counts.get(Field::Reasoning).unwrap_or(0);
    let is_separate = match vendor {
        Vendor::Perplexity => Some(reasoning) > answer.counts.get(Field::Output),
        // The cost that it reports shows it.
        Vendor::Vercel => is_gemini,
        Vendor::Other => false,
    };
    if is_separate { reasoning } else { 0 }
}

/// Adds tokens to the output, unless that makes it longer than the request allows.
fn add_output(answer: &mut Answer, call: &CallContext<'_>, tokens: u64) {
    let output = answer.counts.get(Field::Output).unwrap_or(0) + tokens;
    if tokens > 0 && call.max_tokens.is_some_and(|most| output > most) {
        answer.is_inconsistent = true;
    } else {
        answer.counts.set(Field::Output, Some(output));
    }
}
