//! The paths by which requests are known.

/// The end of a path, and what a request to it asks for.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct PathPattern {
    pub(crate) suffix: &'static str,
    /// What else has to be in the path, before its end.
    pub(crate) infix: &'static str,
    operation: Operation,
    /// Whether nothing but a model has such a path. Of any other, the host has to be a
    /// provider's, or the request has to name a model.
    pub(crate) is_llm_only: bool,
    /// Whether others have such a path, too, whose requests are seen to name no model.
    pub(crate) is_model_required: bool,
    /// Whether the model is named before the end.
    pub(crate) has_model: bool,
    /// Whether it is that of a stored answer, whose id follows the end.
    pub(crate) is_stored: bool,
}

/// What is asked for, as the OpenTelemetry GenAI conventions call it.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Fixed(&'static str),
    /// What it is shows from the model's name.
    FromModelName,
    /// The same, but nothing if the model is none that is known.
    FromModel(fn(&str) -> Option<&'static str>),
}

impl PathPattern {
    pub(crate) const fn new(suffix: &'static str, operation: &'static str) -> Self {
        Self {
            suffix,
            infix: "",
            operation: Operation::Fixed(operation),
            is_llm_only: false,
            is_model_required: false,
            has_model: false,
            is_stored: false,
        }
    }

    /// The path of a stored answer, which ends in its id.
    pub(crate) const fn stored(end: &'static str, operation: &'static str) -> Self {
        Self {
            is_stored: true,
            ..Self::new(end, operation)
        }
    }

    /// Such a path is no one else's.
    pub(crate) const fn llm_only(self) -> Self {
        Self {
            is_llm_only: true,
            ..self
        }
    }

    /// Every request to it names its model.
    pub(crate) const fn requires_model(self) -> Self {
        Self {
            is_model_required: true,
            ..self
        }
    }

    /// The path names the model, after this.
    pub(crate) const fn model_after(self, within: &'static str) -> Self {
        Self {
            infix: within,
            has_model: true,
            ..self
        }
    }

    /// What it asks for depends on the model.
    pub(crate) const fn operation_from_model_name(self) -> Self {
        Self {
            operation: Operation::FromModelName,
            ..self
        }
    }

    /// What it asks for, it asks of a model that the function knows.
    pub(crate) const fn operation_from_model(
        self,
        operation: fn(&str) -> Option<&'static str>,
    ) -> Self {
        Self {
            operation: Operation::FromModel(operation),
            ..self
        }
    }

    pub(crate) fn operation(&self, model: Option<&str>) -> Option<&'static str> {
        match self.operation {
            Operation::Fixed(operation) => Some(operation),
            Operation::FromModelName => Some(operation_for_model(model?)),
            Operation::FromModel(operation) => operation(model?),
        }
    }
}

/// Returns what a model that may be of any kind is asked for, by its name.
pub(crate) fn operation_for_model(model: &str) -> &'static str {
    let is = |words: &[&str]| words.iter().any(|word| model.contains(word));
    if is(&["embed", "gecko"]) {
        "embeddings"
    } else if is(&["rerank"]) {
        "rerank"
    } else if is(&["image", "canvas", "stability.", "imagen"]) {
        "image_generation"
    } else {
        "chat"
    }
}
