//! How many values the labels of a family may have.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::cell::CounterCell;
use crate::metric::known::{Known, Standing};
use crate::metric::label::{Allowed, Label};

/// The value that stands for all those past the limit.
const OVERFLOW: &str = "_overflow";
/// How many distinct values the open labels of a family may have together.
const VALUES: usize = 2_000;
/// How many combinations of them there may be, for each value that there may be.
const COMBINATIONS: usize = 10;

/// The limits of one family, and how much of them is used.
///
/// The numbers are `Relaxed`: they are written by one thread at a time, that
/// which adds a series, and whoever reads them before that asks again then.
#[derive(Debug)]
pub(crate) struct Limits {
    labels: Box<[Rule]>,
    most: AtomicUsize,
    /// The distinct values of open labels that nobody declared.
    values: AtomicUsize,
    /// The series that have such a value.
    combinations: AtomicUsize,
    /// How often a series was asked for and the overflow's was given.
    overflow: CounterCell,
}

#[derive(Debug)]
struct Rule {
    name: Box<str>,
    values: Values,
    /// Whether it was told that a value of this label became the overflow's.
    told: AtomicBool,
}

#[derive(Debug)]
enum Values {
    Open(Known),
    Closed(Known),
    Unlimited,
}

impl Limits {
    pub(crate) fn new(labels: &[Label<'_>]) -> Self {
        Self {
            labels: labels.iter().map(Rule::new).collect(),
            most: AtomicUsize::new(VALUES),
            values: AtomicUsize::new(0),
            combinations: AtomicUsize::new(0),
            overflow: CounterCell::default(),
        }
    }

    /// Returns true when every label is allowed the values that `asked`, which
    /// has the same names, would allow it.
    pub(crate) fn allow(&self, asked: &[Label<'_>]) -> bool {
        asked.iter().all(|label| {
            let rule = self.labels.iter().find(|rule| *rule.name == *label.name);
            rule.is_some_and(|rule| match (&rule.values, &label.allowed) {
                (_, None)
                | (Values::Open(_), Some(Allowed::Open))
                | (Values::Unlimited, Some(Allowed::Unlimited)) => true,
                (Values::Closed(known), Some(Allowed::Closed(values))) => values
                    .iter()
                    .all(|value| known.standing(value) == Standing::Declared),
                _ => false,
            })
        })
    }

    /// Returns true when values can become the overflow's.
    pub(crate) fn are_any(&self) -> bool {
        self.labels
            .iter()
            .any(|rule| !matches!(rule.values, Values::Unlimited))
    }

    pub(crate) fn set_most(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// Returns how often a series was asked for and the overflow's was given.
    pub(crate) fn overflowed(&self) -> u64 {
        self.overflow.load().whole
    }

    /// Replaces each value that has no room any more, and returns the first label
    /// whose value was replaced.
    pub(crate) fn fold(&self, values: &mut [&str]) -> Option<usize> {
        let most = self.most.load(Ordering::Relaxed);
        let mut room = most.saturating_sub(self.values.load(Ordering::Relaxed));
        let mut folded = None;
        let mut open = false;
        for (position, (rule, value)) in self.labels.iter().zip(&mut *values).enumerate() {
            let stays = match rule.standing(value) {
                None | Some(Standing::Declared) => true,
                Some(Standing::Seen) => {
                    open = true;
                    true
                }
                Some(Standing::Unknown) => {
                    let stays = rule.is_open() && room > 0;
                    room -= usize::from(stays);
                    open |= stays;
                    stays
                }
            };
            if !stays {
                *value = OVERFLOW;
                folded = folded.or(Some(position));
            }
        }
        let combinations = self.combinations.load(Ordering::Relaxed);
        if open && combinations >= most.saturating_mul(COMBINATIONS) {
            for (position, (rule, value)) in self.labels.iter().zip(values).enumerate() {
                if !matches!(rule.standing(value), None | Some(Standing::Declared)) {
                    *value = OVERFLOW;
                    folded = folded.or(Some(position));
                }
            }
        }
        folded
    }

    /// Notes the values of a new series, which were folded just before.
    ///
    /// The caller lets only one thread do this, or declare, at a time.
    pub(crate) fn admit(&self, values: &[&str]) {
        let mut open = false;
        for (rule, value) in self.labels.iter().zip(values) {
            if let Values::Open(known) = &rule.values
                && *value != OVERFLOW
            {
                let before = known.add(value, false);
                let new = usize::from(before == Standing::Unknown);
                self.values.fetch_add(new, Ordering::Relaxed);
                open |= before != Standing::Declared;
            }
        }
        self.combinations
            .fetch_add(usize::from(open), Ordering::Relaxed);
    }

    /// Lets a label have this value, whatever the limit.
    pub(crate) fn declare(&self, label: usize, value: &str) {
        match self.labels.get(label).map(|rule| &rule.values) {
            Some(Values::Open(known)) => {
                let seen = known.add(value, true) == Standing::Seen;
                self.values.fetch_sub(usize::from(seen), Ordering::Relaxed);
            }
            Some(Values::Closed(known)) => {
                known.add(value, true);
            }
            Some(Values::Unlimited) | None => {}
        }
    }

    /// Counts that a value of this label became the overflow's, and says so the
    /// first time.
    ///
    /// The caller holds no lock: whoever reads the warning may record metrics.
    pub(crate) fn note(&self, metric: &str, label: usize) {
        self.overflow.add(1);
        let Some(rule) = self.labels.get(label) else {
            return;
        };
        if !rule.told.load(Ordering::Relaxed) && !rule.told.swap(true, Ordering::Relaxed) {
            // Not the value: it may be anything that a client wrote.
            tracing::warn!(
                metric,
                label = &*rule.name,
                limit = self.most.load(Ordering::Relaxed),
                "a label has more values than its family may have, and further ones are counted \
                 as `{OVERFLOW}`: raise the limit with `Family::limit`, or name those that must \
                 stay with `Family::declare`"
            );
        }
    }
}

impl Rule {
    fn new(label: &Label<'_>) -> Self {
        let values = match &label.allowed {
            None | Some(Allowed::Open) => Values::Open(Known::new()),
            Some(Allowed::Unlimited) => Values::Unlimited,
            Some(Allowed::Closed(values)) => {
                let known = Known::new();
                for value in values {
                    known.add(value, true);
                }
                Values::Closed(known)
            }
        };
        Self {
            name: label.name.into(),
            values,
            told: AtomicBool::new(false),
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.values, Values::Open(_))
    }

    /// Returns what is known of a value, where that matters.
    fn standing(&self, value: &str) -> Option<Standing> {
        match &self.values {
            Values::Open(known) | Values::Closed(known) => {
                (value != OVERFLOW).then(|| known.standing(value))
            }
            Values::Unlimited => None,
        }
    }
}
