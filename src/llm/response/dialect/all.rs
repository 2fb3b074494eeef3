//! The list of dialects.

use crate::llm::response::dialect::{
    Dialect, anthropic, audio, bedrock, bedrock_invoke, cohere, gemini, images, ollama, openai,
    responses, vertex,
};

/// All dialects. The paths of no two overlap.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::response::answer::Answer;
    use crate::llm::response::json::{Branch, MAX_DEPTH};

    #[test]
    fn no_dialect_is_deeper_than_the_scanner_reads() {
        fn depth(branches: &'static [Branch<Answer>]) -> usize {
            let below = branches.iter().map(|branch| match branch.below {
                [] => 0,
                below => depth(below),
            });
            1 + below.max().unwrap_or(0)
        }
        for dialect in DIALECTS {
            assert!(depth(dialect.branches) <= MAX_DEPTH, "{:?}", dialect.paths);
        }
    }
}
