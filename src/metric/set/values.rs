//! Values of labels that are admitted or refused before a series has them.

use std::sync::PoisonError;

use crate::metric::instrument::Instrument;
use crate::metric::label_rule::OverflowReason;
use crate::metric::limits::Folded;
use crate::metric::set::SeriesSet;

impl<M: Instrument> SeriesSet<M> {
    /// Returns true if a label has this value in some series, or it was declared.
    pub(crate) fn has_value(&self, label: &str, value: &str) -> bool {
        let rules = self.limits.rules().iter();
        let mut named = rules.filter(|rule| rule.name() == label);
        named.any(|rule| rule.knows(value))
    }

    /// Lets a label have a new value out of a share of the limit, one part in `parts`.
    /// Returns false if the share or the limit is used up. The lock is not taken once it is.
    pub(crate) fn admit_from_share(&self, label: &str, value: &str, parts: usize) -> bool {
        let mut rules = self.limits.rules().iter();
        let Some(rule) = rules.find(|rule| rule.name() == label) else {
            return false;
        };
        if !self.limits.has_share(parts) {
            return rule.knows(value);
        }
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        rule.knows(value) || self.limits.admit_in_share(rule, value, parts)
    }

    /// Counts that a value of a label was replaced by the overflow's.
    pub(crate) fn count_overflow(&self, label: &str, cause: OverflowReason) {
        let mut names = self.label_names.iter();
        if let Some(label) = names.position(|name| **name == *label) {
            self.limits
                .record_overflow(self.desc.name(), Folded { label, cause });
        }
    }
}
