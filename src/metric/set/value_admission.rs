//! Admission of label values before a series has them.

use crate::metric::instrument::Instrument;
use crate::metric::label_rule::OverflowReason;
use crate::metric::limits::Overflow;
use crate::metric::set::SeriesSet;

impl<M: Instrument> SeriesSet<M> {
    /// Returns true if a label has this value in some series, or if the value was declared.
    pub(crate) fn has_value(&self, label: &str, value: &str) -> bool {
        let mut rules = self.info.limits().rules().iter();
        rules.any(|rule| rule.name() == label && rule.has_value(value))
    }

    /// Admits a new value of a label from a share of the limit (`1 / divisor` of it). Returns
    /// false if the share or the limit is used up. It then takes no lock.
    pub(crate) fn admit_from_share(&self, label: &str, value: &str, divisor: usize) -> bool {
        let mut rules = self.info.limits().rules().iter();
        let Some(rule) = rules.find(|rule| rule.name() == label) else {
            return false;
        };
        if !self.info.limits().share_has_capacity(divisor) {
            return rule.has_value(value);
        }
        let _removed = self.removed();
        rule.has_value(value) || self.info.limits().admit_from_share(rule, value, divisor)
    }

    /// Counts that the caller replaced a value of a label by the overflow value.
    pub(crate) fn count_overflow(&self, label: &str, reason: OverflowReason) {
        if let Some(label) = self.info.label_index(label) {
            let overflow = Overflow { label, reason };
            self.info
                .limits()
                .record_overflow(self.info.desc().name(), overflow);
        }
    }
}
