//! The runs of models that one answer took, each with its own counts (`usage.iterations`).

use crate::llm::cost::is_version_of;
use crate::llm::response::answer::{Answer, TokenCounts, TokenKind};
use crate::llm::response::json::Value;

/// The runs, as far as they were read.
#[derive(Debug, Default)]
pub(crate) struct Iterations {
    read: Vec<Iteration>,
    current: Option<Iteration>,
    /// Whether runs of several models had to be added up.
    is_mixed: bool,
}

/// One run, or the sum of runs with the same model and kind.
#[derive(Debug, Default)]
struct Iteration {
    kind: Kind,
    model: Option<Box<str>>,
    counts: TokenCounts,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Kind {
    /// A run of the requested model, such as one that compacts the conversation.
    #[default]
    Requested,
    /// A run of a model that the first one asked for advice.
    Advisor,
    /// A run of a model that took over, since the first one declined.
    Fallback,
}

/// The counts of an answer, by the model that produced them.
#[derive(Debug, Default)]
pub(crate) struct UsageByModel {
    /// Those of the model that was requested.
    pub(crate) requested: TokenCounts,
    pub(crate) others: Vec<(Box<str>, TokenCounts)>,
    /// Whether another model took over.
    pub(crate) has_fallback: bool,
    /// The model of the first run, if that was the requested one.
    pub(crate) first_model: Option<Box<str>>,
    /// Whether the counts of some models are mixed.
    pub(crate) is_mixed: bool,
}

/// The most runs that are kept. Further ones are added to the last.
const MOST_RUNS: usize = 32;

impl Iterations {
    pub(crate) fn is_empty(&self) -> bool {
        self.read.is_empty()
    }

    pub(crate) fn open(&mut self) {
        self.current = Some(Iteration::default());
    }

    pub(crate) fn set_type(&mut self, kind: &str) {
        if let Some(current) = &mut self.current {
            current.kind = match kind {
                "advisor_message" => Kind::Advisor,
                "fallback_message" => Kind::Fallback,
                _ => Kind::Requested,
            };
        }
    }

    pub(crate) fn set_model(&mut self, model: &str) {
        if let Some(current) = &mut self.current {
            current.model = (!model.is_empty()).then(|| model.into());
        }
    }

    /// Returns the counts of the run that is being read, if one is.
    pub(crate) fn counts(&mut self) -> Option<&mut TokenCounts> {
        Some(&mut self.current.as_mut()?.counts)
    }

    pub(crate) fn close(&mut self) {
        let Some(run) = self.current.take() else {
            return;
        };
        let is_full = self.read.len() >= MOST_RUNS;
        let has_output = run.has_output();
        let same = self.read.iter().position(|read| {
            read.kind == run.kind && read.model == run.model && read.has_output() == has_output
        });
        self.is_mixed |= same.is_none() && is_full;
        let same = same.or_else(|| is_full.then(|| self.read.len() - 1));
        match same {
            Some(at) => self.read[at].counts.add_all(&run.counts),
            None => self.read.push(run),
        }
    }

    /// Returns the counts by model, if there were any runs.
    fn usage_by_model(
        &self,
        requested: Option<&str>,
        answered: Option<&str>,
    ) -> Option<UsageByModel> {
        if self.read.is_empty() {
            return None;
        }
        let mut split = UsageByModel {
            has_fallback: self.read.iter().any(|run| run.kind == Kind::Fallback),
            first_model: self.first_model(),
            is_mixed: self.is_mixed,
            ..UsageByModel::default()
        };
        if split.has_fallback {
            // The requested model may have taken nothing, and then that is known.
            split.requested.set(TokenKind::Input, Some(0));
            split.requested.set(TokenKind::Output, Some(0));
        }
        for run in &self.read {
            // A model that declined without an output is not billed.
            if split.has_fallback && run.kind == Kind::Requested && !run.has_output() {
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
        let first = self.read.first()?;
        let model = first.model.clone();
        model.filter(|_| first.kind == Kind::Requested)
    }
}

impl Iteration {
    fn has_output(&self) -> bool {
        self.counts.get(TokenKind::Output).unwrap_or(0) > 0
    }

    /// Returns the model of the run, if it is not the requested one.
    fn other_model(&self, requested: Option<&str>, answered: Option<&str>) -> Option<&str> {
        let model = self.model.as_deref()?;
        let is = |name: Option<&str>| name.is_some_and(|name| is_version_of(model, name));
        // An alias may answer under another name, but not if someone else took over.
        let is_answered = self.kind == Kind::Requested && is(answered);
        (!is(requested) && !is_answered).then_some(model)
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
        iterations.usage_by_model(requested, self.model.as_deref())
    }
}

/// Adds to the input what was read from a cache or written to one, which Anthropic and
/// Bedrock report beside it.
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
    fn no_more_runs_are_kept_than_are_told_apart() {
        let mut runs = Iterations::default();
        for number in 0..1_000 {
            runs.open();
            runs.set_type("advisor_message");
            runs.set_model(&format!("model-{number}"));
            runs.counts().unwrap().set_unless_zero(TokenKind::Input, 10);
            runs.close();
        }
        assert_eq!(runs.read.len(), MOST_RUNS);
        let split = runs.usage_by_model(Some("model"), None).unwrap();
        assert_eq!(split.others.len(), MOST_RUNS);
        let inputs = split.others.iter().map(|(_, counts)| counts);
        let sum: u64 = inputs
            .filter_map(|counts| counts.get(TokenKind::Input))
            .sum();
        assert_eq!(sum, 10_000);
    }
}
