//! The paths of requests.

/// The end of a path, and the operation of its requests.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(crate) struct PathPattern {
    pub(crate) suffix: &'static str,
    /// What the path must contain before its end.
    pub(crate) infix: &'static str,
    operation: Operation,
    /// Whether only LLM APIs have this path. For any other, the host must be that of a provider,
    /// or the request must name a model.
    pub(crate) is_llm_only: bool,
    /// Whether requests of other APIs to this path are known by their lack of a model.
    pub(crate) is_model_required: bool,
    /// Whether the model comes before the end.
    pub(crate) has_model: bool,
    /// Whether it is the path of a stored response, whose id follows the end.
    pub(crate) is_stored: bool,
}

/// The operation, named by the OpenTelemetry GenAI conventions.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Fixed(&'static str),
    /// The model's name decides.
    FromModelName,
    /// The function decides by the model. Without an operation, the path does not match.
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

    /// The path of a stored response, which ends with its id.
    pub(crate) const fn stored(end: &'static str, operation: &'static str) -> Self {
        Self {
            is_stored: true,
            ..Self::new(end, operation)
        }
    }

    /// Only LLM APIs have this path.
    pub(crate) const fn llm_only(self) -> Self {
        Self {
            is_llm_only: true,
            ..self
        }
    }

    /// Every request to this path names its model.
    pub(crate) const fn requires_model(self) -> Self {
        Self {
            is_model_required: true,
            ..self
        }
    }

    /// The path has the model, after `infix`.
    pub(crate) const fn model_after(self, infix: &'static str) -> Self {
        Self {
            infix,
            has_model: true,
            ..self
        }
    }

    /// The operation depends on the model's name.
    pub(crate) const fn operation_from_model_name(self) -> Self {
        Self {
            operation: Operation::FromModelName,
            ..self
        }
    }

    /// The operation depends on the model. If `operation` returns none, the path does not match.
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

/// Returns the operation of a model of any kind, by its name.
pub(crate) fn operation_for_model(model: &str) -> &'static str {
    let has_any = |words: &[&str]| words.iter().any(|word| model.contains(word));
    if has_any(&["embed", "gecko"]) {
        "embeddings"
    } else if has_any(&["rerank"]) {
        "rerank"
    } else if has_any(&["image", "canvas", "stability.", "imagen"]) {
        "image_generation"
    } else {
        "chat"
    }
}
