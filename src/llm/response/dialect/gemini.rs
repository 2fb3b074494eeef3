//! Google's Gemini, by its own API and by Vertex AI's.

use crate::llm::facts::Unit;
use crate::llm::response::answer::{Answer, Event, Field};
use crate::llm::response::dialect::{Call, Dialect, PLAIN, Path};
use crate::llm::response::json::{Branch, at, each, within};

pub(crate) const DIALECT: Dialect = Dialect {
    paths: &[
        Path::new(":generateContent", "generate_content")
            .special()
            .model_after("/"),
        Path::new(":streamGenerateContent", "generate_content")
            .special()
            .model_after("/"),
        Path::new(":embedContent", "embeddings")
            .special()
            .model_after("/"),
        Path::new(":batchEmbedContents", "embeddings")
            .special()
            .model_after("/"),
    ],
    provider: "gcp.gen_ai",
    answer: ANSWER,
    conclude,
    settle,
    ..PLAIN
};

/// An answer, and each event: of a stream that is asked for without `alt=sse`, an element
/// of one array.
const ANSWER: &[Branch] = &[
    within("candidates", &[each(Field::Choice).and(CANDIDATE)]),
    within("promptFeedback", &[at("blockReason", Field::Status)]),
    within("usageMetadata", USAGE),
    at("modelVersion", Field::Model),
    at("error", Field::Error).and(ERROR),
];

const ERROR: &[Branch] = &[
    at("code", Field::ErrorCode),
    at("status", Field::ErrorType),
    // By which alone a wrong key is told from a wrong request.
    within(
        "details",
        &[each(Field::Content).and(&[at("reason", Field::ErrorCode)])],
    ),
];

const CANDIDATE: &[Branch] = &[
    at("index", Field::Index),
    at("finishReason", Field::Finish),
    within(
        "content",
        &[within("parts", &[each(Field::Content).and(PART)])],
    ),
    within(
        "groundingMetadata",
        &[within("webSearchQueries", &[each(Field::WebQuery)])],
    ),
];

const PART: &[Branch] = &[
    at("text", Field::Content),
    at("thought", Field::IsThought),
    // It comes whole, and has no number.
    at("functionCall", Field::Tool).and(&[at("name", Field::ToolName)]),
    within("executableCode", &[at("code", Field::Content)]),
    within("codeExecutionResult", &[at("output", Field::Content)]),
    within("inlineData", &[at("data", Field::Content)]),
];

/// It is told with every event, and the last counts.
const USAGE: &[Branch] = &[
    at("promptTokenCount", Field::Input),
    at("toolUsePromptTokenCount", Field::ToolInput),
    at("candidatesTokenCount", Field::Output),
    at("thoughtsTokenCount", Field::Reasoning),
    at("cachedContentTokenCount", Field::CacheRead),
    at("totalTokenCount", Field::Total),
    at("trafficType", Field::ServiceTier),
    within(
        "promptTokensDetails",
        &[each(Field::InputModality).and(MODALITY)],
    ),
    within(
        "candidatesTokensDetails",
        &[each(Field::OutputModality).and(MODALITY)],
    ),
];

const MODALITY: &[Branch] = &[
    at("modality", Field::Modality),
    at("tokenCount", Field::ListedTokens),
];

/// A prompt that is refused has no candidates.
fn conclude(answer: &mut Answer, event: &Event) {
    if event.status.is_some() {
        answer.finishes.add(0, "content_filter");
    }
}

/// The input does not include tool results, nor the output thoughts, unless the total shows
/// that it does.
fn settle(answer: &mut Answer, call: &Call<'_>) {
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
                None => !answer.content.has_come,
            };
            (is_whole && is_none).then_some(0)
        }
    };
    counts.set(Field::Output, output);
    if let (Some(_), Some(output), Some(1..)) = (prompt, output, total) {
        answer.is_inconsistent |= !is_total(output);
    }
    bill_searches(answer, call);
    answer.finishes.stop_for_tools();
}

/// Bills the web searches: each unlike query of a Gemini 3 model, and one for each prompt of
/// an older one.
fn bill_searches(answer: &mut Answer, call: &Call<'_>) {
    let queries = answer.web_queries();
    if queries == 0 {
        return;
    }
    let model = answer.model.as_deref().or(call.model).unwrap_or("");
    let is_old = ["gemini-1", "gemini-2"]
        .iter()
        .any(|old| model.contains(old));
    let searches = if is_old { 1 } else { queries };
    for _ in 0..searches {
        answer.use_unit(Unit::WebSearches);
    }
}
