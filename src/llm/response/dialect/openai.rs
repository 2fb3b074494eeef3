//! Chat, completions, embeddings and moderations of OpenAI, and of those who speak as it does:
//! Azure, Groq, DeepSeek, Mistral, OpenRouter, xAI, Together, vLLM, llama.cpp.

use crate::llm::facts::{Phase, Scale, Unit};
use crate::llm::response::answer::{Answer, Field};
use crate::llm::response::dialect::anthropic::CACHE_CREATION;
use crate::llm::response::dialect::{Call, Dialect, PLAIN, Path, Vendor};
use crate::llm::response::json::{Branch, at, each, within};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        Path::new("/chat/completions", "chat").special(),
        // Mistral's, of agents.
        Path::new("/agents/completions", "chat"),
        Path::new("/completions", "text_completion"),
        Path::new("/embeddings", "embeddings"),
        Path::new("/moderations", "moderation"),
        // Of Mistral and others at Google.
        Path::new(":rawPredict", "chat")
            .special()
            .model_after("/publishers/mistralai/models/")
            .of_model(of_model),
        Path::new(":streamRawPredict", "chat")
            .special()
            .model_after("/publishers/mistralai/models/"),
        Path::new(":rawPredict", "chat")
            .special()
            .model_after("/publishers/ai21/models/"),
        Path::new(":streamRawPredict", "chat")
            .special()
            .model_after("/publishers/ai21/models/"),
    ],
    provider: "openai_compatible",
    answer: ANSWER,
    asks_for_usage: true,
    settle,
    ..PLAIN
};

/// One of them reads pages, and tells no tokens.
fn of_model(model: &str) -> Option<&'static str> {
    (!model.contains("ocr")).then_some("chat")
}

const ANSWER: &[Branch] = &[
    at("model", Field::Model),
    within("choices", &[each(Field::Choice).and(CHOICE)]),
    within("usage", USAGE),
    at("service_tier", Field::ServiceTier),
    within("copilot_usage", COPILOT),
    // Groq's, in a stream.
    within(
        "x_groq",
        &[within("usage", USAGE), at("error", Field::Error)],
    ),
    within("time_info", TIMES),
    within("timings", TIMINGS),
    // vLLM's, where it is asked to tell them.
    within(
        "metrics",
        &[
            at("queue_time_ms", Field::Took(Phase::Queue, Scale::Millis)),
            at(
                "generation_time_ms",
                Field::Took(Phase::Generate, Scale::Millis),
            ),
        ],
    ),
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
    // Moonshot's, in a stream.
    within("usage", USAGE),
    // A gateway's, whose provider failed after it had begun.
    at("error", Field::Error).and(ERROR),
];

pub(crate) const MESSAGE: &[Branch] = &[
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

const TOOL: &[Branch] = &[
    at("index", Field::ToolIndex),
    at("id", Field::ToolId),
    at("type", Field::ToolKind),
    within("function", FUNCTION),
];

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
            // LiteLLM's.
            at("web_search_requests", Field::Billed(Unit::WebSearches)),
        ],
    ),
    within(
        "completion_tokens_details",
        &[
            at("reasoning_tokens", Field::Reasoning),
            at("audio_tokens", Field::AudioOutput),
            at("image_tokens", Field::ImageOutput),
        ],
    ),
    // DeepSeek's, Mistral's and Moonshot's.
    at("prompt_cache_hit_tokens", Field::CacheRead),
    at("num_cached_tokens", Field::CacheRead),
    at("cached_tokens", Field::CacheRead),
    // Those of gateways to Anthropic, which include them in the input.
    at("cache_read_input_tokens", Field::CacheRead),
    at("cache_creation_input_tokens", Field::CacheWrite),
    within("cache_creation", CACHE_CREATION),
    // Perplexity's, and Mistral's.
    at("reasoning_tokens", Field::Reasoning),
    at("num_search_queries", Field::Billed(Unit::WebSearches)),
    at("prompt_audio_seconds", Field::Billed(Unit::AudioSeconds)),
    // Groq's times.
    at("queue_time", Field::Took(Phase::Queue, Scale::Seconds)),
    at("prompt_time", Field::Took(Phase::Prompt, Scale::Seconds)),
    at(
        "completion_time",
        Field::Took(Phase::Generate, Scale::Seconds),
    ),
    at("total_time", Field::Took(Phase::Total, Scale::Seconds)),
    // OpenRouter's, a number, and Perplexity's, which is one of several.
    at("cost", Field::Cost).and(COSTS),
    at("is_byok", Field::IsPaidElsewhere),
    within(
        "cost_details",
        &[at("upstream_inference_cost", Field::CostElsewhere)],
    ),
    at("cost_in_usd_ticks", Field::CostTicks),
    within("server_tool_use", SERVER_TOOLS),
    within("server_side_tool_usage_details", XAI_TOOLS),
    within("pydantic_ai_gateway", GATEWAY),
];

/// A cost in parts: Perplexity's, and Charm's.
pub(crate) const COSTS: &[Branch] = &[
    at("total_cost", Field::Cost),
    at("usd", Field::Cost),
    at("currency", Field::Currency),
];

/// Pydantic's gateway's.
pub(crate) const GATEWAY: &[Branch] = &[at("cost_estimate", Field::Cost)];

/// GitHub Copilot's, in billionths of an AI credit.
pub(crate) const COPILOT: &[Branch] = &[at("total_nano_aiu", Field::CostNanoCredits)];

/// Anthropic's, and OpenRouter's.
pub(crate) const SERVER_TOOLS: &[Branch] =
    &[at("web_search_requests", Field::Billed(Unit::WebSearches))];

pub(crate) const XAI_TOOLS: &[Branch] = &[
    at("web_search_calls", Field::Billed(Unit::WebSearches)),
    at("x_search_calls", Field::Billed(Unit::XSearches)),
    at("file_search_calls", Field::Billed(Unit::FileSearches)),
    at(
        "code_interpreter_calls",
        Field::Billed(Unit::CodeExecutions),
    ),
    at(
        "image_generation_calls",
        Field::Billed(Unit::ImageGenerations),
    ),
];

/// Cerebras's.
const TIMES: &[Branch] = &[
    at("queue_time", Field::Took(Phase::Queue, Scale::Seconds)),
    at("prompt_time", Field::Took(Phase::Prompt, Scale::Seconds)),
    at(
        "completion_time",
        Field::Took(Phase::Generate, Scale::Seconds),
    ),
    at("total_time", Field::Took(Phase::Total, Scale::Seconds)),
];

/// llama.cpp's.
const TIMINGS: &[Branch] = &[
    at("prompt_ms", Field::Took(Phase::Prompt, Scale::Millis)),
    at("predicted_ms", Field::Took(Phase::Generate, Scale::Millis)),
];

pub(crate) const ERROR: &[Branch] = &[at("type", Field::ErrorType), at("code", Field::ErrorCode)];

/// The input includes cached and audio tokens, and the output reasoning, but not with all
/// models and gateways. If the total exceeds input plus output, the difference is counted if
/// its kind is known.
pub(crate) fn settle(answer: &mut Answer, call: &Call<'_>) {
    let Some(beside) = beside_both(answer) else {
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
pub(crate) fn beside_both(answer: &mut Answer) -> Option<u64> {
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
fn add_output(answer: &mut Answer, call: &Call<'_>, tokens: u64) {
    let output = answer.counts.get(Field::Output).unwrap_or(0) + tokens;
    if tokens > 0 && call.max_tokens.is_some_and(|most| output > most) {
        answer.is_inconsistent = true;
    } else {
        answer.counts.set(Field::Output, Some(output));
    }
}
