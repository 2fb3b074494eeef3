//! The HTTP requests in a sample, by method and route.

use std::collections::HashMap;

use crate::dashboards::ERRORS;
use crate::dashboards::view::increase::counter_increase;
use crate::dashboards::view::labels::LabelValues;
use crate::dashboards::view::merged_histogram::MergedHistogram;

/// The requests of all endpoints, by method and route.
#[derive(Debug, Default)]
pub(super) struct HttpRequests(HashMap<Box<str>, HashMap<Box<str>, EndpointTotals>>);

/// The requests with one method to one route.
#[derive(Debug, Clone, Default)]
pub(super) struct EndpointTotals {
    /// Finished requests by the class of their status. Index 0 is requests without a status.
    pub(super) status_classes: [f64; 6],
    /// Finished requests that failed because of the service.
    pub(super) errors: f64,
    pub(super) in_flight: f64,
    pub(super) durations: MergedHistogram,
}

impl HttpRequests {
    /// Returns the endpoint that a series belongs to, or `None` if the series has no method or
    /// no route.
    pub(super) fn endpoint_mut(&mut self, labels: &LabelValues<'_>) -> Option<&mut EndpointTotals> {
        let [method, route] = [labels.get(0)?, labels.get(1)?];
        // Keys are allocated only for new endpoints, which are few.
        if !self.0.contains_key(method) {
            self.0.insert(method.into(), HashMap::new());
        }
        let routes = self.0.get_mut(method)?;
        if !routes.contains_key(route) {
            routes.insert(route.into(), EndpointTotals::default());
        }
        routes.get_mut(route)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns each method and route with its endpoint.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, &EndpointTotals)> {
        self.0.iter().flat_map(|(method, routes)| {
            let routes = routes.iter();
            routes.map(|(route, endpoint)| (&**method, &**route, endpoint))
        })
    }

    pub(super) fn get(&self, method: &str, route: &str) -> Option<&EndpointTotals> {
        self.0.get(method)?.get(route)
    }

    /// Returns the increase of all endpoints together since an earlier sample.
    pub(super) fn increase_since(&self, before: Option<&Self>) -> EndpointTotals {
        let mut increase = EndpointTotals::default();
        for (method, route, endpoint) in self.iter() {
            let earlier = before.and_then(|before| before.get(method, route));
            increase.merge(&endpoint.increase_since(earlier));
        }
        increase
    }
}

impl EndpointTotals {
    /// Adds finished requests.
    pub(super) fn add_finished(&mut self, labels: &LabelValues<'_>, number: f64) {
        let status = labels.get(2).unwrap_or_default();
        let class = match status.as_bytes().first() {
            Some(digit @ b'1'..=b'5') => usize::from(digit - b'0'),
            _ => 0,
        };
        self.status_classes[class] += number;
        let outcome = labels.last().unwrap_or_default();
        if ERRORS.split('|').any(|error| error == outcome) {
            self.errors += number;
        }
    }

    /// Returns the number of finished requests.
    pub(super) fn finished(&self) -> f64 {
        self.status_classes.iter().sum()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (class, other) in self.status_classes.iter_mut().zip(&other.status_classes) {
            *class += other;
        }
        self.errors += other.errors;
        self.in_flight += other.in_flight;
        self.durations.merge(&other.durations);
    }

    /// Returns the increase since an earlier sample. Requests in flight are the current number.
    pub(super) fn increase_since(&self, before: Option<&Self>) -> Self {
        let Some(before) = before else {
            return self.clone();
        };
        let mut status_classes = self.status_classes;
        for (now, before) in status_classes.iter_mut().zip(before.status_classes) {
            *now = counter_increase(*now, before);
        }
        Self {
            status_classes,
            errors: counter_increase(self.errors, before.errors),
            in_flight: self.in_flight,
            durations: self.durations.increase_since(&before.durations),
        }
    }
}
