//! What a reading holds of requests.

use std::collections::HashMap;

use crate::dashboards::ERRORS;
use crate::dashboards::view::merged_histogram::Spread;
use crate::dashboards::view::reading::{Labels, since};

/// The requests of all endpoints, by method and route.
#[derive(Debug, Default)]
pub(super) struct Requests(HashMap<Box<str>, HashMap<Box<str>, Endpoint>>);

/// The requests to a route by one method.
#[derive(Debug, Clone, Default)]
pub(super) struct Endpoint {
    /// Those that ended, by the class of their status; those without a status first.
    pub(super) classes: [f64; 6],
    /// Those of them that failed by the service's own fault.
    pub(super) errors: f64,
    pub(super) in_flight: f64,
    pub(super) times: Spread,
}

impl Requests {
    /// Returns where a series counts; none where it has no method or route.
    pub(super) fn of(&mut self, labels: &Labels<'_>) -> Option<&mut Endpoint> {
        let [method, route] = [labels.get(0)?, labels.get(1)?];
        // Keys are made for what is new, which few series are.
        if !self.0.contains_key(method) {
            self.0.insert(method.into(), HashMap::new());
        }
        let routes = self.0.get_mut(method)?;
        if !routes.contains_key(route) {
            routes.insert(route.into(), Endpoint::default());
        }
        routes.get_mut(route)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns each method, route and endpoint.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, &Endpoint)> {
        self.0.iter().flat_map(|(method, routes)| {
            let routes = routes.iter();
            routes.map(|(route, endpoint)| (&**method, &**route, endpoint))
        })
    }

    /// Returns the endpoint of another reading.
    pub(super) fn get(&self, method: &str, route: &str) -> Option<&Endpoint> {
        self.0.get(method)?.get(route)
    }

    /// Returns what all endpoints together have come by since another reading.
    pub(super) fn since(&self, before: Option<&Self>) -> Endpoint {
        let mut new = Endpoint::default();
        for (method, route, endpoint) in self.iter() {
            let earlier = before.and_then(|before| before.get(method, route));
            new.merge(&endpoint.since(earlier));
        }
        new
    }
}

impl Endpoint {
    /// Counts requests that ended.
    pub(super) fn end(&mut self, labels: &Labels<'_>, number: f64) {
        let status = labels.get(2).unwrap_or_default();
        let class = match status.as_bytes().first() {
            Some(digit @ b'1'..=b'5') => usize::from(digit - b'0'),
            _ => 0,
        };
        self.classes[class] += number;
        let outcome = labels.last().unwrap_or_default();
        if ERRORS.split('|').any(|error| error == outcome) {
            self.errors += number;
        }
    }

    pub(super) fn ended(&self) -> f64 {
        self.classes.iter().sum()
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (own, other) in self.classes.iter_mut().zip(&other.classes) {
            *own += other;
        }
        self.errors += other.errors;
        self.in_flight += other.in_flight;
        self.times.merge(&other.times);
    }

    /// Returns what has come since another reading; what is under way is as now.
    pub(super) fn since(&self, before: Option<&Self>) -> Self {
        let Some(before) = before else {
            return self.clone();
        };
        let mut classes = self.classes;
        for (now, before) in classes.iter_mut().zip(before.classes) {
            *now = since(*now, before);
        }
        Self {
            classes,
            errors: since(self.errors, before.errors),
            in_flight: self.in_flight,
            times: self.times.since(&before.times),
        }
    }
}
