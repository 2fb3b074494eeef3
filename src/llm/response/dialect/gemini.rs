//! Google Gemini, through the Gemini API or Vertex AI.

use crate::llm::facts::Unit;
use crate::llm::response::answer::{Answer, Event, TokenKind};
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, elements, field, nested, text};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        PathPattern::new(":generateContent", "generate_content")
            .llm_only()
            .model_after("/"),
        PathPattern::new(":streamGenerateContent", "generate_content")
            .llm_only()
            .model_after("/"),
        PathPattern::new(":embedContent", "embeddings")
            .llm_only()
            .model_after("/"),
        PathPattern::new(":batchEmbedContents", "embeddings")
            .llm_only()
            .model_after("/"),
    ],
    provider: "gcp.gen_ai",
    branches: ANSWER,
    on_event,
    normalize_usage,
    ..Dialect::DEFAULT
};

/// A response, or an event. Without `alt=sse`, the events of a stream are the elements of an
/// array.
const ANSWER: &[Branch<Answer>] = &[
    nested("candidates", &[each(Answer::choice).and(CANDIDATE)]),
    nested("promptFeedback", &[field("blockReason", Answer::status)]),
    nested("usageMetadata", USAGE),
    field("modelVersion", Answer::model),
    field("error", Answer::error).and(ERROR),
];

const ERROR: &[Branch<Answer>] = &[
    field("code", Answer::error_code),
    field("status", Answer::error_code),
    // Only this distinguishes an invalid key from an invalid request.
    nested(
        "details",
        &[elements(&[field("reason", Answer::error_code)])],
    ),
];

const CANDIDATE: &[Branch<Answer>] = &[
    field("index", Answer::choice_index),
    field("finishReason", Answer::finish_reason),
    nested("content", &[nested("parts", &[elements(PART)])]),
    nested(
        "groundingMetadata",
        &[nested("webSearchQueries", &[each(Answer::web_query)])],
    ),
];

const PART: &[Branch<Answer>] = &[
    text("text", Answer::text),
    field("thought", Answer::is_reasoning),
    // A call is in one part, and has no index.
    field("functionCall", Answer::tool_call).and(&[field("name", Answer::tool_name)]),
    nested("executableCode", &[text("code", Answer::text)]),
    nested("codeExecutionResult", &[text("output", Answer::text)]),
    nested("inlineData", &[text("data", Answer::text)]),
];

/// In every event. The last one counts.
const USAGE: &[Branch<Answer>] = &[
    field("promptTokenCount", Answer::input),
    field("toolUsePromptTokenCount", Answer::extra_tool_input),
    field("candidatesTokenCount", Answer::output),
    field("thoughtsTokenCount", Answer::reasoning),
    field("cachedContentTokenCount", Answer::cache_read),
    field("totalTokenCount", Answer::total),
    field("trafficType", Answer::service_tier),
    nested(
        "promptTokensDetails",
        &[each(Answer::input_by_modality).and(MODALITY)],
    ),
    nested(
        "candidatesTokensDetails",
        &[each(Answer::output_by_modality).and(MODALITY)],
    ),
];

const MODALITY: &[Branch<Answer>] = &[
    field("modality", Answer::modality),
    field("tokenCount", Answer::listed_tokens),
];

/// The response to a blocked prompt has no candidates.
fn on_event(answer: &mut Answer, event: &Event) {
    if event.status.is_some() {
        answer.facts.finish_reasons.set(0, "content_filter");
    }
}

/// Adds tool results to the input and thoughts to the output, which do not include them, unless
/// the total shows that they do.
fn normalize_usage(answer: &mut Answer, call: &CallContext<'_>) {
    let counts = &mut answer.counts;
    let prompt = counts.get(TokenKind::Input);
    let total = counts.get(TokenKind::Total);
    if prompt.is_some() {
        counts.add(
            TokenKind::Input,
            counts.get(TokenKind::ExtraToolInput).unwrap_or(0),
        );
    }
    let input = counts.get(TokenKind::Input);
    let is_total = |output: u64| {
        let total_with = |input: Option<u64>| Some(input? + output);
        total.is_some() && [input, prompt].map(total_with).contains(&total)
    };
    let output = match (
        counts.get(TokenKind::Output),
        counts.get(TokenKind::Reasoning),
    ) {
        (Some(output), Some(_)) if is_total(output) => Some(output),
        (Some(output), thoughts) => Some(output + thoughts.unwrap_or(0)),
        (None, Some(thoughts)) => Some(thoughts),
        // Counts of 0 are omitted.
        (None, None) => {
            let is_complete = answer.has_ended && !answer.is_invalid && input.is_some();
            let is_zero = match total {
                Some(_) => is_total(0),
                None => !answer.content.is_present,
            };
            (is_complete && is_zero).then_some(0)
        }
    };
    counts.set(TokenKind::Output, output);
    if let (Some(_), Some(output), Some(1..)) = (prompt, output, total) {
        answer.facts.is_inconsistent |= !is_total(output);
    }
    bill_searches(answer, call);
    answer.facts.finish_reasons.replace_stop_by_tool_calls();
}

/// Adds the billed web searches: one per distinct query for Gemini 3, one per prompt for older
/// models.
fn bill_searches(answer: &mut Answer, call: &CallContext<'_>) {
    let queries = answer.web_query_count();
    if queries == 0 {
        return;
    }
    let model = answer
        .facts
        .response_model
        .as_deref()
        .or(call.model)
        .unwrap_or("");
    let is_old = ["gemini-1", "gemini-2"]
        .iter()
        .any(|old| model.contains(old));
    let searches = if is_old { 1 } else { queries };
    for _ in 0..searches {
        answer.add_unit(Unit::WebSearches);
    }
}
