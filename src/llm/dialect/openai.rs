//! Chat, completions, embeddings and moderations of OpenAI, and of those who speak as it does:
//! Azure, Groq, DeepSeek, Mistral, OpenRouter, xAI, Together, vLLM, llama.cpp.

use crate::llm::answer::{Answer, Field};
use crate::llm::dialect::{Dialect, PLAIN, Path};
use crate::llm::scan::{Branch, at, each, within};
use crate::llm::times::{Phase, Scale};
use crate::llm::usage::Unit;

pub(super) const DIALECT: Dialect = Dialect {
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

pub(super) const MESSAGE: &[Branch] = &[
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
    // Those of gateways to Anthropic, which include them in the input.
    at("cache_read_input_tokens", Field::CacheRead),
    at("cache_creation_input_tokens", Field::CacheWrite),
    // Perplexity's, and Mistral's.
    at("reasoning_tokens", Field::Reasoning),
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
];

pub(super) const COSTS: &[Branch] = &[
    at("total_cost", Field::Cost),
    at("currency", Field::Currency),
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

pub(super) const ERROR: &[Branch] = &[at("type", Field::ErrorType), at("code", Field::ErrorCode)];

/// Input includes what was cached and heard, and output what was thought; but not with all
/// models and gateways. Where the total shows it, what is beside them is counted, if it is
/// known what it is.
pub(super) fn settle(answer: &mut Answer) {
    let (usage, total) = (&mut answer.usage, answer.beside.total);
    let (Some(input), Some(output), Some(total)) = (usage.input, usage.output, total) else {
        return;
    };
    let Some(beside) = total.checked_sub(input + output) else {
        return;
    };
    let cached = usage.cache_read.unwrap_or(0) + usage.cache_write.unwrap_or(0);
    let is = |part: Option<u64>| part == Some(beside);
    let is_gemini = |model: &str| model.contains("gemini");
    if beside == 0 {
        // Perplexity's thoughts, which are in none of the three: more than all of an output
        // is no part of it.
        let thought = usage.reasoning.filter(|reasoning| *reasoning > output);
        usage.output = Some(output + thought.unwrap_or(0));
    } else if usage.count(Unit::AudioSeconds).is_some() || is(usage.audio_input) || is(Some(cached))
    {
        // Mistral's sound, and what some gateways to Anthropic have cached.
        usage.input = Some(input + beside);
    } else if is(usage.reasoning) || answer.model.as_deref().is_some_and(is_gemini) {
        // xAI's thoughts, and Gemini's, which gateways to it tell in the total alone.
        usage.output = Some(output + beside);
    }
}
