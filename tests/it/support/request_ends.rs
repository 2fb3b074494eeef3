//! Counts the calls of `MetricsLayer::on_request_end`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tachometer::middleware::RequestEnd;
use tachometer::{MetricsLayer, Registry};

use crate::support::read::sum;

/// The number of calls, by status and outcome.
#[derive(Clone, Default)]
pub(crate) struct RequestEnds(Arc<Mutex<BTreeMap<(String, &'static str), u32>>>);

impl RequestEnds {
    /// Counts the ends of a layer's requests.
    pub(crate) fn observe(&self, layer: MetricsLayer) -> MetricsLayer {
        let ends = self.clone();
        layer.on_request_end(move |end| ends.add(end))
    }

    pub(crate) fn add(&self, end: &RequestEnd<'_>) {
        let status = end.status();
        let status = status.map_or_else(|| "none".to_owned(), |status| status.as_str().to_owned());
        let mut ends = self.0.lock().unwrap();
        *ends.entry((status, end.outcome().as_str())).or_default() += 1;
    }

    pub(crate) fn calls(&self) -> u32 {
        self.0.lock().unwrap().values().sum()
    }

    /// Checks that there was a call for each counted request.
    #[track_caller]
    pub(crate) fn assert_counted(&self, registry: &Registry) {
        let ends = self.0.lock().unwrap();
        for ((status, outcome), calls) in &*ends {
            let labels = [("status", status.as_str()), ("outcome", outcome)];
            let counted = sum(registry, "http_requests_total", &labels);
            assert_eq!(f64::from(*calls), counted, "{status} {outcome}");
        }
        let all: u32 = ends.values().sum();
        assert_eq!(f64::from(all), sum(registry, "http_requests_total", &[]));
    }
}
