//! Which models have series of their own, and which series begin at 0.

use crate::llm::cost::Unpriced;
use crate::llm::facts::{ErrorType, Outcome};
use crate::llm::metrics::call_cost::{REPORTED, TABLE};
use crate::llm::metrics::families::Families;
use crate::llm::metrics::families::record::and;
use crate::llm::metrics::model_name::is_allowed_label;
use crate::metric::{InFlight, OVERFLOW, OverflowReason};

/// Models that only answers name may use a fifth of the limit.
const ANSWERED_SHARE: usize = 5;

impl Families {
    /// Returns the in-flight gauge of these labels. If it is new, also creates the counters that
    /// alerts read, at 0, so that the first event is an increase. A model that is over the
    /// limit, or whose name may not be shown, becomes `_overflow`.
    pub(crate) fn open(&self, labels: &mut [&str; 3]) -> InFlight {
        if let Some(series) = self.in_flight.find(labels) {
            return series.clone();
        }
        let [provider, model, operation] = *labels;
        if !is_allowed_label(model) && !self.has_model(model) {
            self.in_flight
                .count_overflow(self.model, OverflowReason::Unpresentable);
            labels[1] = OVERFLOW;
        }
        let overflow = self.in_flight.find(&[provider, OVERFLOW, operation]);
        let has_overflow = overflow.is_some();
        let series = self.in_flight.get_or_create(labels).clone();
        if labels[1] != OVERFLOW || !has_overflow {
            self.begin_at_zero(*labels);
        }
        series
    }

    /// Returns true if the model has series of its own, whatever the provider and operation,
    /// or is configured.
    pub(crate) fn has_model(&self, model: &str) -> bool {
        self.in_flight.has_value(self.model, model)
    }

    /// Replaces a new model that only an answer names, if such models have used up their
    /// share of the limit.
    pub(crate) fn limit_answered(&self, labels: &mut [&str; 3]) {
        let model = labels[1];
        let share = ANSWERED_SHARE;
        if self.has_model(model) || !is_allowed_label(model) {
            return;
        }
        if !self.in_flight.admit_from_share(self.model, model, share) {
            self.in_flight
                .count_overflow(self.model, OverflowReason::ShareLimit);
            labels[1] = OVERFLOW;
        }
    }

    fn begin_at_zero(&self, labels: [&str; 3]) {
        for outcome in Outcome::all() {
            self.requests.with(and(labels, outcome));
        }
        let limited = ErrorType::RateLimited.as_str();
        self.errors.with(and(labels, limited));
        // Without prices, a cost of 0 would look as if the calls were free.
        if self.has_prices {
            for source in [REPORTED, TABLE] {
                self.cost.get_or_create(&mut and(labels, source));
            }
            for reason in Unpriced::all() {
                self.unpriced.with(and(labels, reason));
            }
        }
    }
}
