//! How many values the labels of a family may have together.

use crate::cell::{AtomicBool, AtomicUsize, CounterCell, Ordering};
use crate::metric::label::Label;
use crate::metric::label_rule::{Admission, LabelRule, MAX_VALUE_BYTES, OVERFLOW, OverflowReason};

/// How many distinct values the open labels of a family may have together.
const DEFAULT_LIMIT: usize = 2_000;
/// How many combinations of values are allowed for each value that the limit allows.
const COMBINATIONS_PER_VALUE: usize = if cfg!(tachometer_loom) { 1 } else { 10 };

/// The limits of one family, and how much of them is used.
///
/// The counts are written by one thread at a time, the one that adds or retires a series, with
/// `Release`, and after a series and its values were added. They are read with `Acquire`. So a
/// thread that sees a limit reached also sees the series and values that reached it.
pub(crate) struct Limits {
    rules: Box<[LabelRule]>,
    /// Relaxed: no other value depends on it.
    limit: AtomicUsize,
    /// True if the limit was set, and is not the default.
    is_limit_set: AtomicBool,
    /// The distinct values of open labels that were not declared.
    values: AtomicUsize,
    /// The series with such a value.
    combinations: AtomicUsize,
    /// How often a caller got an overflow series instead of the one that it asked for.
    overflow: CounterCell,
    /// The values that were admitted from a share of the limit. Relaxed: no other value
    /// depends on it.
    share_values: AtomicUsize,
}

/// The first label of a series whose value was replaced by the overflow value, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Overflow {
    /// The label's index.
    pub(crate) label: usize,
    pub(crate) reason: OverflowReason,
}

impl Limits {
    pub(crate) fn new(labels: &[Label<'_>]) -> Self {
        Self {
            rules: labels.iter().map(LabelRule::new).collect(),
            limit: AtomicUsize::new(DEFAULT_LIMIT),
            is_limit_set: AtomicBool::new(false),
            values: AtomicUsize::new(0),
            combinations: AtomicUsize::new(0),
            overflow: CounterCell::default(),
            share_values: AtomicUsize::new(0),
        }
    }

    pub(crate) fn rules(&self) -> &[LabelRule] {
        &self.rules
    }

    /// Returns true if each rule allows the values that the label of its name in `labels`
    /// allows.
    pub(crate) fn allow(&self, labels: &[Label<'_>]) -> bool {
        labels.iter().all(|label| {
            let rule = self.rules.iter().find(|rule| rule.name() == label.name);
            rule.is_some_and(|rule| rule.allows(label))
        })
    }

    /// Returns true if the value of some label can overflow.
    pub(crate) fn is_limited(&self) -> bool {
        !self.rules.iter().all(LabelRule::is_unlimited)
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.is_limit_set.store(true, Ordering::Relaxed);
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Sets the limit unless it was set before.
    #[cfg(feature = "llm")]
    pub(crate) fn set_limit_if_unset(&self, limit: usize) {
        if !self.is_limit_set.swap(true, Ordering::Relaxed) {
            self.limit.store(limit, Ordering::Relaxed);
        }
    }

    /// Returns true if a share of the limit (`1 / divisor` of it) has capacity for a value.
    #[cfg(feature = "llm")]
    pub(crate) fn share_has_capacity(&self, divisor: usize) -> bool {
        let share = (self.limit.load(Ordering::Relaxed) / divisor).max(1);
        self.share_values.load(Ordering::Relaxed) < share
    }

    /// Admits a new value from that share. Returns false if the share or the limit is used
    /// up.
    ///
    /// Only one thread may call this, [`admit`](Self::admit) or [`declare`](Self::declare) at
    /// a time.
    #[cfg(feature = "llm")]
    pub(crate) fn admit_from_share(&self, rule: &LabelRule, value: &str, divisor: usize) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        let has_capacity =
            self.values.load(Ordering::Acquire) < limit && self.share_has_capacity(divisor);
        let is_admitted = has_capacity && rule.admit_from_share(value);
        if is_admitted {
            self.share_values.fetch_add(1, Ordering::Relaxed);
            self.values.fetch_add(1, Ordering::Release);
        }
        is_admitted
    }

    /// Returns how often a caller got an overflow series.
    pub(crate) fn overflow_count(&self) -> u64 {
        self.overflow.load().whole
    }

    /// Replaces each value that is over a limit by the overflow value.
    pub(crate) fn apply(&self, values: &mut [&str]) -> Option<Overflow> {
        let limit = self.limit.load(Ordering::Relaxed);
        let mut capacity = limit.saturating_sub(self.values.load(Ordering::Acquire));
        let mut first = None;
        let mut has_open_value = false;
        for (label, (rule, value)) in self.rules.iter().zip(&mut *values).enumerate() {
            let reason = match rule.check(value) {
                Admission::Exempt => continue,
                Admission::Overflow(reason) => reason,
                Admission::New if capacity == 0 => OverflowReason::ValueLimit,
                admission => {
                    capacity -= usize::from(admission == Admission::New);
                    has_open_value = true;
                    continue;
                }
            };
            *value = OVERFLOW;
            first = first.or(Some(Overflow { label, reason }));
        }
        let combinations = self.combinations.load(Ordering::Acquire);
        if has_open_value && combinations >= limit.saturating_mul(COMBINATIONS_PER_VALUE) {
            let reason = OverflowReason::CombinationLimit;
            for (label, (rule, value)) in self.rules.iter().zip(values).enumerate() {
                if rule.check(value) != Admission::Exempt {
                    *value = OVERFLOW;
                    first = first.or(Some(Overflow { label, reason }));
                }
            }
        }
        first
    }

    /// Counts the values of a series that was added. Returns true if one of them counts against
    /// the limit; [`release`](Self::release) needs that.
    ///
    /// Only one thread may call this or another method that changes the counts at a time.
    pub(crate) fn admit(&self, values: &[impl AsRef<str>]) -> bool {
        let mut has_open_value = false;
        for (rule, value) in self.rules.iter().zip(values) {
            let admission = rule.admit(value.as_ref());
            let new = usize::from(admission == Admission::New);
            self.values.fetch_add(new, Ordering::Release);
            has_open_value |= admission != Admission::Exempt;
        }
        self.combinations
            .fetch_add(usize::from(has_open_value), Ordering::Release);
        has_open_value
    }

    /// Takes back the values of a series that [`admit`](Self::admit) counted. A value stops
    /// counting against the limit with its last series.
    pub(crate) fn release(&self, values: &[impl AsRef<str>], had_open_value: bool) {
        for (rule, value) in self.rules.iter().zip(values) {
            if let Some(unused) = rule.release(value.as_ref()) {
                self.values.fetch_sub(1, Ordering::Release);
                self.share_values
                    .fetch_sub(usize::from(unused.is_from_share), Ordering::Relaxed);
            }
        }
        self.combinations
            .fetch_sub(usize::from(had_open_value), Ordering::Release);
    }

    /// Allows these values, a list for each label, whatever the limit.
    pub(crate) fn declare_all(&self, lists: &[&[&str]]) {
        for (label, values) in lists.iter().enumerate() {
            for value in *values {
                self.declare(label, value);
            }
        }
    }

    /// Allows a value of the label at index `label`, whatever the limit.
    pub(crate) fn declare(&self, label: usize, value: &str) {
        if let Some(rule) = self.rules.get(label) {
            let was_counted = rule.declare(value) == Admission::Counted;
            self.values
                .fetch_sub(usize::from(was_counted), Ordering::Release);
        }
    }

    /// Counts an overflow, and logs a warning the first time for each label.
    ///
    /// The caller must hold no lock: the subscriber that gets the warning may record metrics.
    pub(crate) fn record_overflow(&self, metric: &str, overflow: Overflow) {
        self.overflow.add(1);
        let Some(rule) = self.rules.get(overflow.label) else {
            return;
        };
        if rule.is_first_warning() {
            // Without the value: it may be anything that a client sent.
            tracing::warn!(
                metric,
                label = rule.name(),
                "a label's value is counted as `{OVERFLOW}`: {}",
                self.explain(overflow.reason)
            );
        }
    }

    fn explain(&self, reason: OverflowReason) -> String {
        let limit = self.limit.load(Ordering::Relaxed);
        let remedy = "raise the limit (`Family::limit`, `MetricsLayer::label_limit`, \
                      `MetricsRecorder::label_limit`), or declare the values that must stay \
                      (`Family::declare`)";
        match reason {
            OverflowReason::NotListed => "the label is closed, and the value is not in its list; \
                                          add it to `Label::closed`, or make the label open"
                .into(),
            OverflowReason::TooLong => format!(
                "it is longer than {MAX_VALUE_BYTES} bytes; shorten it, or declare it with \
                 `Family::declare`"
            ),
            OverflowReason::ValueLimit => format!(
                "the open labels of this metric have {limit} values together, which is their \
                 limit; {remedy}"
            ),
            #[cfg(feature = "llm")]
            OverflowReason::Unpresentable => "it has hidden characters, or looks like a key; \
                                              configure it if it must stay"
                .into(),
            #[cfg(feature = "llm")]
            OverflowReason::ShareLimit => "only responses name it, and such values have used up \
                                           their share of the limit; raise the limit, or \
                                           configure the values that must stay"
                .into(),
            OverflowReason::CombinationLimit => format!(
                "the open labels of this metric have {} combinations of values, which is \
                 {COMBINATIONS_PER_VALUE} times their limit; {remedy}",
                limit.saturating_mul(COMBINATIONS_PER_VALUE)
            ),
        }
    }
}
