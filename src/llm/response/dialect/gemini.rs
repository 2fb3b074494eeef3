//! Google's Gemini, by its own API and by Vertex AI's.

use crate::llm::facts::Unit;
use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::{CallContext, Dialect, PathPattern};
use crate::llm::response::json::{Branch, each, field, object};

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

/// An answer, and each event: of a stream that is asked for without `alt=sse`, an element
/// of one array.
const ANSWER: &[Branch] = &[
    object("candidates", &[each(Field::Choice).and(CANDIDATE)]),
    object("promptFeedback", &[field("blockReason", Field::Status)]),
    object("usageMetadata", USAGE),
    field("modelVersion", Field::Model),
    field("error", Field::Error).and(ERROR),
];

const ERROR: &[Branch] = &[
    field("code", Field::ErrorCode),
    field("status", Field::ErrorType),
    // By which alone a wrong key is told from a wrong request.
    object(
        "details",
        &[each(Field::Content).and(&[field("reason", Field::ErrorCode)])],
    ),
];

const CANDIDATE: &[Branch] = &[
    field("index", Field::Index),
    field("finishReason", Field::Finish),
    object(
        "content",
        &[object("parts", &[each(Field::Content).and(PART)])],
    ),
    object(
        "groundingMetadata",
        &[object("webSearchQueries", &[each(Field::WebQuery)])],
    ),
];

const PART: &[Branch] = &[
    field("text", Field::Content),
    field("thought", Field::IsThought),
    // It comes whole, and has no number.
    field("functionCall", Field::Tool).and(&[field("name", Field::ToolName)]),
    object("executableCode", &[field("code", Field::Content)]),
    object("codeExecutionResult", &[field("output", Field::Content)]),
    object("inlineData", &[field("data", Field::Content)]),
];

/// It is told with every event, and the last counts.
const USAGE: &[Branch] = &[
    field("promptTokenCount", Field::Input),
    field("toolUsePromptTokenCount", Field::ToolInput),
    field("candidatesTokenCount", Field::Output),
    field("thoughtsTokenCount", Field::Reasoning),
    field("cachedContentTokenCount", Field::CacheRead),
    field("totalTokenCount", Field::Total),
    field("trafficType", Field::ServiceTier),
    object(
        "promptTokensDetails",
        &[each(Field::InputModality).and(MODALITY)],
    ),
    object(
        "candidatesTokensDetails",
        &[each(Field::OutputModality).and(MODALITY)],
    ),
];

const MODALITY: &[Branch] = &[
    field("modality", Field::Modality),
    field("tokenCount", Field::ListedTokens),
];

/// A prompt that is refused has no candidates.
fn on_event(answer: &mut Answer, event: &Event) {
    if event.status.is_some() {
        answer.finish_reasons.set(0, "content_filter");
    }
}

/// The input does not include tool results, nor the output thoughts, unless the total shows
/// that it does.
fn normalize_usage(answer: &mut Answer, call: &CallContext<'_>) {
    let counts = &mut answer.counts;
    let prompt = counts.get(Field::Input);
    let total = counts.get(Field::Total);
    if prompt.is_some() {
        counts.add(Field::Input, counts.get(Field::ToolInput).unwrap_or(0));
    }
    let input = counts.get(Field::Input);
    let is_total = |output: u64| {
        let with = |input: Option<u64>| Some(input? + output);
        total.is_some() && [input, prompt].map(with).contains(&total)
    };
    let output = match (counts.get(Field::Output), counts.get(Field::Reasoning)) {
        (Some(said), Some(_)) if is_total(said) => Some(said),
        (Some(said), thought) => Some(said + thought.unwrap_or(0)),
        (None, Some(thought)) => Some(thought),
        // A count that is 0 is left out.
        (None, None) => {
            let is_whole = answer.has_ended && !answer.is_invalid && input.is_some();
            let is_none = match total {
                Some(_) => is_total(0),
                None => !answer.content.is_present,
            };
            (is_whole && is_none).then_some(0)
        }
    };
    counts.set(Field::Output, output);
    if let (Some(_), Some(output), Some(1..)) = (prompt, output, total) {
        answer.is_inconsistent |= !is_total(output);
    }
    bill_searches(answer, call);
    answer.finish_reasons.replace_stop_by_tool_calls();
}

/// Bills the web searches: each unlike query of a Gemini 3 model, and one for each prompt of
/// an older one.
fn bill_searches(answer: &mut Answer, call: &CallContext<'_>) {
    let queries = answer.web_query_count();
    if queries == 0 {
        return;
    }
    let model = answer.model.as_deref().or(call.model).unwrap_or("");
    let is_old = ["gemini-1", "gemini-2"]
        .iter()
        .any(|old| model.contains(old));
    let searches = if is_old { 1 } else { queries };
    for _ in 0..searches {
        answer.add_unit(Unit::WebSearches);
    }
}
