//! Google's Gemini, by its own API and by Vertex AI's.

use crate::llm::answer::{Answer, Event, Field};
use crate::llm::dialect::{Dialect, PLAIN, Path};
use crate::llm::scan::{Branch, at, each, within};

pub(super) const DIALECT: Dialect = Dialect {
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
];

const PART: &[Branch] = &[
    at("text", Field::Content),
    at("thought", Field::IsThought),
    // It comes whole, and has no number.
    at("functionCall", Field::Tool).and(&[at("name", Field::ToolName)]),
    within("executableCode", &[at("code", Field::Content)]),
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
    at("tokenCount", Field::ModalityTokens),
];

/// A prompt that is refused has no candidates.
fn conclude(answer: &mut Answer, event: &Event) {
    if event.status.is_some() {
        answer.finishes.add(0, "content_filter");
    }
}

/// Input does not include what tools put into it, nor output thoughts, but where the total
/// shows that it does.
fn settle(answer: &mut Answer) {
    let (usage, beside) = (&mut answer.usage, &answer.beside);
    let prompt = usage.input;
    if let Some(input) = &mut usage.input {
        *input += beside.tool_input.unwrap_or(0);
    }
    let is_total = |output: u64| {
        let with = |input: Option<u64>| Some(input? + output);
        beside.total.is_some() && [usage.input, prompt].map(with).contains(&beside.total)
    };
    usage.output = match (usage.output, usage.reasoning) {
        (Some(said), Some(_)) if is_total(said) => Some(said),
        (Some(said), thought) => Some(said + thought.unwrap_or(0)),
        (None, Some(thought)) => Some(thought),
        // A count that is 0 is left out.
        (None, None) => {
            let is_whole = answer.has_ended && !answer.is_invalid && usage.input.is_some();
            let is_none = match beside.total {
                Some(_) => is_total(0),
                None => !answer.content.has_come,
            };
            (is_whole && is_none).then_some(0)
        }
    };
    answer.finishes.stop_for_tools();
}
