//! The answers of the models that Bedrock invokes, each in the way of whoever made it.
//!
//! Their names for things are so different that one table can have them all.

use crate::llm::answer::{Answer, Event, Field};
use crate::llm::dialect::{anthropic, bedrock, openai};
use crate::llm::scan::{Branch, at, each, within};
use crate::llm::times::{Phase, Scale};

pub(super) const ANSWER: &[Branch] =
    &[
        // What Bedrock adds to the last event of any of them.
        at("amazon-bedrock-invocationMetrics", Field::Done).and(&[
            at("inputTokenCount", Field::Input),
            at("outputTokenCount", Field::Output),
            at("cacheReadInputTokenCount", Field::CacheRead),
            at("cacheWriteInputTokenCount", Field::CacheWrite),
            at(
                "invocationLatency",
                Field::Took(Phase::Total, Scale::Millis),
            ),
        ]),
        // Anthropic's.
        at("type", Field::Kind),
        at("model", Field::Model),
        at("stop_reason", Field::Finish),
        within(
            "content",
            &[each(Field::Content).and(&[at("type", Field::Item)])],
        ),
        at("index", Field::ToolIndex),
        within(
            "content_block",
            &[
                at("type", Field::EventItem),
                at("text", Field::Content),
                at("thinking", Field::Thought),
            ],
        ),
        within(
            "delta",
            &[
                at("text", Field::Content),
                at("thinking", Field::Thought),
                at("partial_json", Field::Content),
                at("stop_reason", Field::Finish),
            ],
        ),
        // Anthropic's, which begins a stream, and Cohere's.
        within(
            "message",
            &[at("model", Field::Model), within("usage", anthropic::INPUT)],
        ),
        within("usage", USAGE),
        // Nova's, which are as Bedrock's own.
        within(
            "output",
            &[within(
                "message",
                &[within(
                    "content",
                    &[each(Field::Content).and(&[
                        at("text", Field::Content),
                        at("toolUse", Field::Tool).and(&[at("name", Field::ToolName)]),
                    ])],
                )],
            )],
        ),
        at("stopReason", Field::Finish),
        within("contentBlockStart", &[within("start", bedrock::START)]),
        within("contentBlockDelta", &[within("delta", bedrock::DELTA)]),
        within("messageStop", &[at("stopReason", Field::Finish)]),
        within("metadata", &[within("usage", bedrock::USAGE)]),
        // Llama's.
        at("generation", Field::Content),
        at("prompt_token_count", Field::Input),
        at("generation_token_count", Field::Output),
        // Titan's.
        at("inputTextTokenCount", Field::Input),
        at("outputText", Field::Content),
        at("totalOutputTextTokenCount", Field::Output),
        at("completionReason", Field::Finish),
        within(
            "results",
            &[each(Field::Content).and(&[
                at("tokenCount", Field::Output),
                at("completionReason", Field::Finish),
            ])],
        ),
        // Mistral's, and those of whoever speaks as OpenAI does.
        within(
            "outputs",
            &[each(Field::Choice)
                .and(&[at("text", Field::Content), at("stop_reason", Field::Finish)])],
        ),
        within(
            "choices",
            &[each(Field::Choice).and(&[
                at("index", Field::Index),
                at("finish_reason", Field::Finish),
                at("stop_reason", Field::Finish),
                at("text", Field::Content),
                within("delta", openai::MESSAGE),
                within("message", openai::MESSAGE),
            ])],
        ),
        // Cohere's.
        at("text", Field::Content),
        at("finish_reason", Field::Finish),
        at("error", Field::Error).and(openai::ERROR),
    ];

const USAGE: &[Branch] = &[
    at("input_tokens", Field::Input),
    at("output_tokens", Field::Output),
    at("cache_read_input_tokens", Field::CacheRead),
    at("cache_creation_input_tokens", Field::CacheWrite),
    at("inputTokens", Field::Input),
    at("outputTokens", Field::Output),
    at("cacheReadInputTokenCount", Field::CacheRead),
    at("cacheWriteInputTokenCount", Field::CacheWrite),
    at("prompt_tokens", Field::Input),
    at("completion_tokens", Field::Output),
];

/// Says what an event of any of them means. The last is the one that tells what it took.
pub(super) fn conclude_any(answer: &mut Answer, event: &Event) {
    anthropic::conclude(answer, event);
    if event.is_done {
        answer.has_ended = true;
    }
}
