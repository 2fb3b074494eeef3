//! The paths by which requests are known.

/// The end of a path, and what a request to it asks for.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Path {
    pub(crate) end: &'static str,
    /// What else has to be in the path, before its end.
    pub(crate) within: &'static str,
    operation: Operation,
    /// Whether nothing but a model has such a path. Of any other, the host has to be a
    /// provider's, or the request has to name a model.
    pub(crate) is_special: bool,
    /// Whether others have such a path, too, whose requests are seen to name no model.
    pub(crate) asks_model: bool,
    /// Whether the model is named before the end.
    pub(crate) names_model: bool,
    /// Whether it is that of a stored answer, whose id follows the end.
    pub(crate) is_stored: bool,
}

/// What is asked for, as the OpenTelemetry GenAI conventions call it.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Is(&'static str),
    /// What it is shows from the model's name.
    ByName,
    /// The same, but nothing if the model is none that is known.
    OfModel(fn(&str) -> Option<&'static str>),
}

impl Path {
    pub(crate) const fn new(end: &'static str, operation: &'static str) -> Self {
        Self {
            end,
            within: "",
            operation: Operation::Is(operation),
            is_special: false,
            asks_model: false,
            names_model: false,
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
    pub(crate) const fn special(self) -> Self {
        Self {
            is_special: true,
            ..self
        }
    }

    /// Every request to it names its model.
    pub(crate) const fn asks_model(self) -> Self {
        Self {
            asks_model: true,
            ..self
        }
    }

    /// The path names the model, after this.
    pub(crate) const fn model_after(self, within: &'static str) -> Self {
        Self {
            within,
            names_model: true,
            ..self
        }
    }

    /// What it asks for depends on the model.
    pub(crate) const fn by_name(self) -> Self {
        Self {
            operation: Operation::ByName,
            ..self
        }
    }

    /// What it asks for, it asks of a model that the function knows.
    pub(crate) const fn of_model(self, operation: fn(&str) -> Option<&'static str>) -> Self {
        Self {
            operation: Operation::OfModel(operation),
            ..self
        }
    }

    pub(crate) fn operation(&self, model: Option<&str>) -> Option<&'static str> {
        match self.operation {
            Operation::Is(operation) => Some(operation),
            Operation::ByName => Some(by_name(model?)),
            Operation::OfModel(operation) => operation(model?),
        }
    }
}

/// Returns what a model that may be of any kind is asked for, by its name.
pub(crate) fn by_name(model: &str) -> &'static str {
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
