//! The model runs behind one response, each with its own token counts (`usage.iterations`).

use crate::llm::cost::is_version_of;
use crate::llm::response::answer::{Answer, TokenCounts, TokenKind};
use crate::llm::response::json::Value;

/// A list of model runs.
#[derive(Debug, Default)]
pub(crate) struct Iterations {
    runs: Vec<Iteration>,
    current: Option<Iteration>,
    /// Whether the counts of different models had to be added up.
    is_mixed: bool,
}

/// One run, or the sum of runs of the same model and type.
#[derive(Debug, Default)]
struct Iteration {
    run_type: RunType,
    model: Option<Box<str>>,
    counts: TokenCounts,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum RunType {
    /// A run of the requested model, such as one that compacts the conversation.
    #[default]
    Requested,
    /// A run of a model that gives advice to the requested one.
    Advisor,
    /// A run of a model that takes over after the requested one declined.
    Fallback,
}

/// The token counts of a response, by model.
#[derive(Debug, Default)]
pub(crate) struct UsageByModel {
    /// The counts of the requested model.
    pub(crate) requested: TokenCounts,
    pub(crate) others: Vec<(Box<str>, TokenCounts)>,
    /// Whether another model took over.
    pub(crate) has_fallback: bool,
    /// The model of the first run, if that was a run of the requested model.
    pub(crate) first_model: Option<Box<str>>,
    /// Whether the counts of different models had to be added up.
    pub(crate) is_mixed: bool,
}

/// The maximum number of runs that are kept. Further ones are added to the last.
const MAX_RUNS: usize = 32;

impl Iterations {
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(crate) fn open(&mut self) {
        self.current = Some(Iteration::default());
    }

    pub(crate) fn set_type(&mut self, run_type: &str) {
        if let Some(current) = &mut self.current {
            current.run_type = match run_type {
                "advisor_message" => RunType::Advisor,
                "fallback_message" => RunType::Fallback,
                _ => RunType::Requested,
            };
        }
    }

    pub(crate) fn set_model(&mut self, model: &str) {
        if let Some(current) = &mut self.current {
            current.model = (!model.is_empty()).then(|| model.into());
        }
    }

    /// Returns the counts of the current run, if there is one.
    pub(crate) fn counts(&mut self) -> Option<&mut TokenCounts> {
        Some(&mut self.current.as_mut()?.counts)
    }

    pub(crate) fn close(&mut self) {
        let Some(run) = self.current.take() else {
            return;
        };
        let is_full = self.runs.len() >= MAX_RUNS;
        let has_output = run.has_output();
        let same = self.runs.iter().position(|other| {
            other.run_type == run.run_type
                && other.model == run.model
                && other.has_output() == has_output
        });
        self.is_mixed |= same.is_none() && is_full;
        let same = same.or_else(|| is_full.then(|| self.runs.len() - 1));
        match same {
            Some(at) => self.runs[at].counts.add_all(&run.counts),
            None => self.runs.push(run),
        }
    }

    /// Returns the counts by model, if there were any runs.
    fn usage_by_model(
        &self,
        requested: Option<&str>,
        answered: Option<&str>,
    ) -> Option<UsageByModel> {
        if self.runs.is_empty() {
            return None;
        }
        let mut split = UsageByModel {
            has_fallback: self
                .runs
                .iter()
                .any(|run| run.run_type == RunType::Fallback),
            first_model: self.first_model(),
            is_mixed: self.is_mixed,
            ..UsageByModel::default()
        };
        if split.has_fallback {
            // Known to be 0 if no run of the requested model is billed.
            split.requested.set(TokenKind::Input, Some(0));
            split.requested.set(TokenKind::Output, Some(0));
        }
        for run in &self.runs {
            // A model that declined without output is not billed.
            if split.has_fallback && run.run_type == RunType::Requested && !run.has_output() {
                continue;
            }
            let mut counts = run.counts;
            add_cached_to_input(&mut counts);
            match run.other_model(requested, answered) {
                None => split.requested.add_all(&counts),
                Some(model) => split.add(model, &counts),
            }
        }
        Some(split)
    }

    fn first_model(&self) -> Option<Box<str>> {
        let first = self.runs.first()?;
        let model = first.model.clone();
        model.filter(|_| first.run_type == RunType::Requested)
    }
}

impl Iteration {
    fn has_output(&self) -> bool {
        self.counts.get(TokenKind::Output).unwrap_or(0) > 0
    }

    /// Returns the model of the run, if it is not the requested one.
    fn other_model(&self, requested: Option<&str>, answered: Option<&str>) -> Option<&str> {
        let model = self.model.as_deref()?;
        let is_version = |name: Option<&str>| name.is_some_and(|name| is_version_of(model, name));
        // The requested name may be an alias of the one in the response. After a fallback, that
        // is the name of another model.
        let is_answered = self.run_type == RunType::Requested && is_version(answered);
        (!is_version(requested) && !is_answered).then_some(model)
    }
}

impl UsageByModel {
    fn add(&mut self, model: &str, counts: &TokenCounts) {
        match self.others.iter_mut().find(|(name, _)| **name == *model) {
            Some((_, known)) => known.add_all(counts),
            None => self.others.push((model.into(), *counts)),
        }
    }
}

impl Answer {
    /// The list of model runs.
    pub(crate) fn iterations(&mut self, value: Value<'_>) {
        match value {
            Value::Open => self.open_iterations = Some(Box::default()),
            Value::Close => {
                // A list is sent whole. An empty one is a placeholder.
                let list = self.open_iterations.take();
                self.iterations = list
                    .filter(|list| !list.is_empty())
                    .or(self.iterations.take());
            }
            _ => {}
        }
    }

    /// One model run.
    pub(crate) fn iteration(&mut self, value: Value<'_>) {
        match (&mut self.open_iterations, value) {
            (Some(iterations), Value::Open) => iterations.open(),
            (Some(iterations), Value::Close) => iterations.close(),
            _ => {}
        }
    }

    pub(crate) fn iteration_type(&mut self, value: Value<'_>) {
        if let (Some(iterations), Value::Text(run_type)) = (&mut self.open_iterations, value) {
            iterations.set_type(run_type);
        }
    }

    pub(crate) fn iteration_model(&mut self, value: Value<'_>) {
        if let (Some(iterations), Value::Text(model)) = (&mut self.open_iterations, value) {
            iterations.set_model(model);
        }
    }

    /// Returns the counts by model, if the response lists its runs.
    pub(crate) fn usage_by_model(&self, requested: Option<&str>) -> Option<UsageByModel> {
        let iterations = self.iterations.as_ref()?;
        iterations.usage_by_model(requested, self.facts.response_model.as_deref())
    }
}

/// Adds the tokens that were read from a cache or written to one to the input, which does not
/// include them at Anthropic and Bedrock.
pub(crate) fn add_cached_to_input(counts: &mut TokenCounts) {
    let cached =
        [TokenKind::CacheRead, TokenKind::CacheWrite].map(|kind| counts.get(kind).unwrap_or(0));
    if let Some(input) = counts.get(TokenKind::Input) {
        let all = input.saturating_add(cached[0]).saturating_add(cached[1]);
        counts.set(TokenKind::Input, Some(all));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_runs_is_limited() {
        let mut runs = Iterations::default();
        for number in 0..1_000 {
            runs.open();
            runs.set_type("advisor_message");
            runs.set_model(&format!("model-{number}"));
            runs.counts().unwrap().set_unless_zero(TokenKind::Input, 10);
            runs.close();
        }
        assert_eq!(runs.runs.len(), MAX_RUNS);
        let split = runs.usage_by_model(Some("model"), None).unwrap();
        assert_eq!(split.others.len(), MAX_RUNS);
        let inputs = split.others.iter().map(|(_, counts)| counts);
        let sum: u64 = inputs
            .filter_map(|counts| counts.get(TokenKind::Input))
            .sum();
        assert_eq!(sum, 10_000);
    }
}
