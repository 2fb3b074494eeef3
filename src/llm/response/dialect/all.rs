//! The list of dialects.

use crate::llm::response::dialect::{
    Dialect, anthropic, audio, bedrock, bedrock_invoke, cohere, gemini, images, ollama, openai,
    responses, vertex,
};

/// The dialects that are known. No path of one hides another's.
pub(crate) const DIALECTS: [&Dialect; 12] = [
    &openai::DIALECT,
    &responses::DIALECT,
    &images::DIALECT,
    &audio::DIALECT,
    &anthropic::DIALECT,
    &gemini::DIALECT,
    &vertex::PREDICT,
    &cohere::DIALECT,
    &cohere::RERANK,
    &bedrock::DIALECT,
    &bedrock_invoke::DIALECT,
    &ollama::DIALECT,
];
