//! The tokens of one call.

/// How many tokens a call took, as far as that is known.
///
/// Input includes what was read from a cache or written to one, output includes
/// reasoning: the details are parts of the two, never beside them. A part that is
/// greater than its whole is counted as if it were all of it.
///
/// ```
/// use tachometer::llm::Usage;
///
/// let usage = Usage::new().input(1_200).output(80).cache_read(1_024);
/// # assert_ne!(usage, Usage::new());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use = "it is to be given to a call"]
pub struct Usage {
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) cache_read: Option<u64>,
    pub(super) cache_write: Option<u64>,
    pub(super) reasoning: Option<u64>,
    pub(super) audio_input: Option<u64>,
    pub(super) audio_output: Option<u64>,
}

impl Usage {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tokens of the prompt, all of them.
    pub fn input(self, tokens: u64) -> Self {
        Self {
            input: Some(tokens),
            ..self
        }
    }

    /// Tokens of the answer, all of them.
    pub fn output(self, tokens: u64) -> Self {
        Self {
            output: Some(tokens),
            ..self
        }
    }

    /// Those of the input that came from a cache.
    pub fn cache_read(self, tokens: u64) -> Self {
        Self {
            cache_read: Some(tokens),
            ..self
        }
    }

    /// Those of the input that were written to a cache.
    pub fn cache_write(self, tokens: u64) -> Self {
        Self {
            cache_write: Some(tokens),
            ..self
        }
    }

    /// Those of the output that the model thought and did not say.
    pub fn reasoning(self, tokens: u64) -> Self {
        Self {
            reasoning: Some(tokens),
            ..self
        }
    }

    /// Those of the input that were sound.
    pub fn audio_input(self, tokens: u64) -> Self {
        Self {
            audio_input: Some(tokens),
            ..self
        }
    }

    /// Those of the output that were sound.
    pub fn audio_output(self, tokens: u64) -> Self {
        Self {
            audio_output: Some(tokens),
            ..self
        }
    }

    /// Returns the parts of input and output by their kind, none greater than its
    /// whole, and those that are 0 left out.
    pub(super) fn details(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let part = |kind, part: Option<u64>, whole: Option<u64>| {
            (kind, part.unwrap_or(0).min(whole.unwrap_or(u64::MAX)))
        };
        [
            part("cache_read", self.cache_read, self.input),
            part("cache_write", self.cache_write, self.input),
            part("reasoning", self.reasoning, self.output),
            part("audio_input", self.audio_input, self.input),
            part("audio_output", self.audio_output, self.output),
        ]
        .into_iter()
        .filter(|(_, tokens)| *tokens > 0)
    }
}
