//! How many values the labels of a family may have together.

use crate::cell::{AtomicBool, AtomicUsize, CounterCell, Ordering};
use crate::metric::label::Label;
use crate::metric::label_rule::{Fate, LONGEST, LabelRule, OVERFLOW, OverflowReason};

/// How many distinct values the open labels of a family may have together.
const VALUES: usize = 2_000;
/// How many combinations of them there may be, for each value that there may be.
const COMBINATIONS: usize = if cfg!(tachometer_loom) { 1 } else { 10 };

/// The limits of one family, and how much of them is used.
///
/// What is used is written by one thread at a time, that which adds a series, and
/// with `Release`, after the series and its values were added; it is read with
/// `Acquire`. So whoever sees a limit reached sees, too, what it was reached with.
pub(crate) struct Limits {
    labels: Box<[LabelRule]>,
    /// Relaxed: it stands by itself.
    most: AtomicUsize,
    /// Whether someone has said how many.
    is_set: AtomicBool,
    /// The distinct values of open labels that nobody declared.
    values: AtomicUsize,
    /// The series that were made with such a value.
    combinations: AtomicUsize,
    /// How often a series was asked for and the overflow's was given.
    overflow: CounterCell,
    /// The values that were admitted out of a share of the limit. Relaxed: it stands by
    /// itself.
    #[cfg(feature = "llm")]
    shared: AtomicUsize,
}

/// That a value became the overflow's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folded {
    /// The position of the first label to which it happened.
    pub(crate) label: usize,
    pub(crate) cause: OverflowReason,
}

impl Limits {
    pub(crate) fn new(labels: &[Label<'_>]) -> Self {
        Self {
            labels: labels.iter().map(LabelRule::new).collect(),
            most: AtomicUsize::new(VALUES),
            is_set: AtomicBool::new(false),
            values: AtomicUsize::new(0),
            combinations: AtomicUsize::new(0),
            overflow: CounterCell::default(),
            #[cfg(feature = "llm")]
            shared: AtomicUsize::new(0),
        }
    }

    pub(crate) fn rules(&self) -> &[LabelRule] {
        &self.labels
    }

    /// Returns true when every label is allowed the values that `asked`, which
    /// has the same names, would allow it.
    pub(crate) fn allow(&self, asked: &[Label<'_>]) -> bool {
        asked.iter().all(|label| {
            let rule = self.labels.iter().find(|rule| rule.name() == label.name);
            rule.is_some_and(|rule| rule.allows(label))
        })
    }

    /// Returns true when values can become the overflow's.
    pub(crate) fn is_limited(&self) -> bool {
        !self.labels.iter().all(LabelRule::is_unlimited)
    }

    pub(crate) fn set_limit(&self, most: usize) {
        self.is_set.store(true, Ordering::Relaxed);
        self.most.store(most, Ordering::Relaxed);
    }

    /// Does so unless it was done before.
    #[cfg(feature = "llm")]
    pub(crate) fn set_limit_if_unset(&self, most: usize) {
        if !self.is_set.swap(true, Ordering::Relaxed) {
            self.most.store(most, Ordering::Relaxed);
        }
    }

    /// Returns true if a share of the limit, one part in `parts`, has room for a value.
    #[cfg(feature = "llm")]
    pub(crate) fn has_share(&self, parts: usize) -> bool {
        let share = (self.most.load(Ordering::Relaxed) / parts).max(1);
        self.shared.load(Ordering::Relaxed) < share
    }

    /// Admits a new value out of that share, if there is room.
    ///
    /// The caller lets only one thread do this, or declare, at a time.
    #[cfg(feature = "llm")]
    pub(crate) fn admit_in_share(&self, rule: &LabelRule, value: &str, parts: usize) -> bool {
        let most = self.most.load(Ordering::Relaxed);
        let has_room = self.values.load(Ordering::Acquire) < most && self.has_share(parts);
        let is_admitted = has_room && rule.admit(value) == Fate::New;
        if is_admitted {
            self.shared.fetch_add(1, Ordering::Relaxed);
            self.values.fetch_add(1, Ordering::Release);
        }
        is_admitted
    }

    /// Returns how often a series was asked for and the overflow's was given.
    pub(crate) fn overflow_count(&self) -> u64 {
        self.overflow.load().whole
    }

    /// Replaces each value that may not stay by the overflow's.
    pub(crate) fn apply(&self, values: &mut [&str]) -> Option<Folded> {
        let most = self.most.load(Ordering::Relaxed);
        let mut room = most.saturating_sub(self.values.load(Ordering::Acquire));
        let mut first = None;
        let mut open = false;
        for (label, (rule, value)) in self.labels.iter().zip(&mut *values).enumerate() {
            let cause = match rule.fate(value) {
                Fate::Free => continue,
                Fate::Refused(cause) => cause,
                Fate::New if room == 0 => OverflowReason::Values,
                fate => {
                    room -= usize::from(fate == Fate::New);
                    open = true;
                    continue;
                }
            };
            *value = OVERFLOW;
            first = first.or(Some(Folded { label, cause }));
        }
        let combinations = self.combinations.load(Ordering::Acquire);
        if open && combinations >= most.saturating_mul(COMBINATIONS) {
            let cause = OverflowReason::Combinations;
            for (label, (rule, value)) in self.labels.iter().zip(values).enumerate() {
                if rule.fate(value) != Fate::Free {
                    *value = OVERFLOW;
                    first = first.or(Some(Folded { label, cause }));
                }
            }
        }
        first
    }

    /// Notes the values of a series that was added; they were folded before.
    ///
    /// The caller lets only one thread do this, or declare, at a time.
    pub(crate) fn admit(&self, values: &[&str]) {
        let mut open = false;
        for (rule, value) in self.labels.iter().zip(values) {
            let fate = rule.admit(value);
            let new = usize::from(fate == Fate::New);
            self.values.fetch_add(new, Ordering::Release);
            open |= fate != Fate::Free;
        }
        self.combinations
            .fetch_add(usize::from(open), Ordering::Release);
    }

    /// Lets a label have this value, whatever the limit.
    pub(crate) fn declare(&self, label: usize, value: &str) {
        if let Some(rule) = self.labels.get(label) {
            let counted = rule.declare(value) == Fate::Counted;
            self.values
                .fetch_sub(usize::from(counted), Ordering::Release);
        }
    }

    /// Counts that a value became the overflow's, and says so the first time.
    ///
    /// The caller holds no lock: whoever reads the warning may record metrics.
    pub(crate) fn record_overflow(&self, metric: &str, folded: Folded) {
        self.overflow.add(1);
        let Some(rule) = self.labels.get(folded.label) else {
            return;
        };
        if rule.is_to_be_told() {
            // Not the value: it may be anything that a client wrote.
            tracing::warn!(
                metric,
                label = rule.name(),
                "a label's value is counted as `{OVERFLOW}`: {}",
                self.reason(folded.cause)
            );
        }
    }

    fn reason(&self, cause: OverflowReason) -> String {
        let most = self.most.load(Ordering::Relaxed);
        let remedy = "raise the limit with `Family::limit`, or name the values that must stay \
                      with `Family::declare`";
        match cause {
            OverflowReason::Closed => "the label is closed, and not to this value; name it with \
                              `Family::declare`, or let the label be open"
                .into(),
            OverflowReason::Long => format!(
                "it is longer than {LONGEST} bytes; shorten it, or name it with `Family::declare`"
            ),
            OverflowReason::Values => format!(
                "the open labels of this metric have {most} values together, which is their \
                 limit; {remedy}"
            ),
            #[cfg(feature = "llm")]
            OverflowReason::Form => {
                "it holds hidden characters, or looks like a key; configure it if it \
                            must stay"
                    .into()
            }
            #[cfg(feature = "llm")]
            OverflowReason::Share => {
                "only answers name it, and such values have used up their share of the \
                             limit; raise the limit, or configure the values that must stay"
                    .into()
            }
            OverflowReason::Combinations => format!(
                "the open labels of this metric have {} combinations of values, which is \
                 {COMBINATIONS} times their limit; {remedy}",
                most.saturating_mul(COMBINATIONS)
            ),
        }
    }
}
