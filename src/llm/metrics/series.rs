//! Creation of series, and the limit of models.

use crate::llm::cost::UnpricedReason;
use crate::llm::facts::{ErrorType, Outcome};
use crate::llm::metrics::call_cost::{REPORTED, TABLE};
use crate::llm::metrics::families::Families;
use crate::llm::metrics::model_name::is_allowed_label;
use crate::llm::metrics::record_call::with_label;
use crate::metric::{InFlight, OVERFLOW, OverflowReason};

/// Models that only responses name may use up to 1/5 of the limit.
const RESPONSE_SHARE: usize = 5;

impl Families {
    /// Returns the in-flight gauge of these labels. If it is new, also creates the counters
    /// that alerts use, at 0, so that the first event is an increase. A model is replaced by
    /// `_overflow` if the limit is reached or its name may not become a label.
    pub(crate) fn get_or_create(&self, labels: &mut [&str; 3]) -> InFlight {
        if let Some(series) = self.in_flight.find(labels) {
            return series;
        }
        let [provider, model, operation] = *labels;
        if !is_allowed_label(model) && !self.has_model(model) {
            self.in_flight
                .count_overflow(self.model_label, OverflowReason::Unpresentable);
            labels[1] = OVERFLOW;
        }
        let overflow = self.in_flight.find(&[provider, OVERFLOW, operation]);
        let has_overflow = overflow.is_some();
        let series = self.in_flight.get_or_create(labels);
        if labels[1] != OVERFLOW || !has_overflow {
            self.create_alert_counters(*labels);
        }
        series
    }

    /// Returns true if the model has its own series, with any provider and operation, or is
    /// configured.
    pub(crate) fn has_model(&self, model: &str) -> bool {
        self.in_flight.has_value(self.model_label, model)
    }

    /// Replaces a new model that only a response names, if such models have used up their
    /// share of the limit.
    pub(crate) fn limit_response_model(&self, labels: &mut [&str; 3]) {
        let model = labels[1];
        if self.has_model(model) || !is_allowed_label(model) {
            return;
        }
        let in_flight = &self.in_flight;
        if !in_flight.admit_from_share(self.model_label, model, RESPONSE_SHARE) {
            in_flight.count_overflow(self.model_label, OverflowReason::ShareLimit);
            labels[1] = OVERFLOW;
        }
    }

    /// Creates the counters that alerts use, at 0.
    fn create_alert_counters(&self, labels: [&str; 3]) {
        for outcome in Outcome::all() {
            self.requests.with(with_label(labels, outcome));
        }
        let rate_limited = ErrorType::RateLimited.as_str();
        self.errors.with(with_label(labels, rate_limited));
        // Without prices, a cost of 0 would look as if the calls were free.
        if self.has_prices {
            for source in [REPORTED, TABLE] {
                self.cost.get_or_create(&mut with_label(labels, source));
            }
            for reason in UnpricedReason::all() {
                self.unpriced.with(with_label(labels, reason));
            }
        }
    }
}
