//! The values of panels, for requests and calls with known outcomes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::real_prometheus::RunningBoard;
use super::targets;

/// The results of the panels of a board, by the value of the only label, or without label.
struct Panels<'a> {
    started: &'a RunningBoard,
    board: &'a Value,
}

impl Panels<'_> {
    async fn values_by(&self, row: &str, title: &str, by: &str) -> BTreeMap<String, f64> {
        // A figure and a chart may have the same title; the chart has labels.
        let targets = targets(self.board, row, title);
        let mut found = BTreeMap::new();
        for query in targets {
            for (labels, value) in self.started.query_all(&query).await {
                let names: Vec<_> = labels.keys().cloned().collect();
                let expected: &[_] = if by.is_empty() { &[] } else { &[by.to_owned()] };
                assert_eq!(names, expected, "{title}");
                let label = labels.get(by).cloned().unwrap_or_default();
                found.insert(label, value);
            }
        }
        found
    }

    async fn value(&self, row: &str, title: &str) -> f64 {
        self.values_by(row, title, "").await[""]
    }
}

fn near(found: f64, expected: f64, what: &str) {
    let is_near = (found - expected).abs() <= 1e-9 * expected.abs();
    assert!(is_near, "{what}: {found} and not {expected}");
}

/// Of thirteen requests that end, nine end well and two fail; of eight calls, two.
pub(super) async fn check(started: &RunningBoard, board: &Value) {
    let panels = Panels { started, board };
    near(panels.value("HTTP", "Errors").await, 2.0 / 13.0, "errors");
    near(
        panels.value("LLM", "Errors").await,
        2.0 / 8.0,
        "errors of calls",
    );

    let all = panels.value("HTTP", "Requests").await;
    let statuses = panels
        .values_by("HTTP", "Requests by status", "status")
        .await;
    for (status, of_thirteen) in [("200", 11.0), ("404", 1.0), ("502", 1.0)] {
        let share = statuses[status] / all;
        near(share, of_thirteen / 13.0, status);
    }
    let ends = panels.values_by("HTTP", "Unsuccessful requests by outcome", "outcome");
    let ends = ends.await;
    let names: Vec<_> = ends.keys().map(String::as_str).collect();
    assert_eq!(names, ["body_error", "client_error", "server_error"]);
    for (outcome, rate) in &ends {
        near(rate / all, 1.0 / 13.0, outcome);
    }

    let by_route = panels.values_by("HTTP", "Errors by route", "route").await;
    for (route, share) in &by_route {
        let fails = matches!(route.as_str(), "/fail" | "/broken");
        assert_eq!(*share, f64::from(u8::from(fails)), "{route}");
    }
    // A route without calls has no error ratio, and one without errors has a ratio of 0.
    assert!(!by_route.contains_key("/once"), "{by_route:?}");
    assert_eq!(by_route["/ok/{millis}"], 0.0);
    let routes = panels.values_by("HTTP", "Requests by route", "route").await;
    near(routes["/ok/{millis}"] / all, 5.0 / 13.0, "a route");
    assert_eq!(routes["/once"], 0.0);
    let spent = panels
        .values_by("HTTP", "Concurrent requests by route", "route")
        .await;
    assert_eq!(spent["/fail"], 0.0);
    // A call by hand takes 1.14 s, and one of the client's 0.35 s.
    let cost = spent["/ask/{model}"] / routes["/ask/{model}"];
    near(cost, 1.14 + 0.35, "the time of a request");

    let kept = started
        .query_all(&targets(board, "HTTP", "Service levels")[0])
        .await;
    let (labels, share) = kept.first_key_value().unwrap();
    let labels: Vec<_> = labels.values().map(String::as_str).collect();
    assert_eq!(labels, ["/ok/{millis}", "0.25"]);
    near(*share, 3.0 / 5.0, "the service level");

    let bytes = targets(board, "HTTP", "Body bytes");
    let [incoming, outgoing] = &bytes[..] else {
        panic!("{bytes:?}")
    };
    let incoming = started
        .query_all(incoming)
        .await
        .into_values()
        .next()
        .unwrap();
    near(incoming / all, 8.0 / 13.0, "bytes that are read");
    let outgoing = started
        .query_all(outgoing)
        .await
        .into_values()
        .next()
        .unwrap();
    near(outgoing / all, 12.0 / 13.0, "bytes that are sent");

    calls(&panels).await;
}

async fn calls(panels: &Panels<'_>) {
    let calls = panels.value("LLM", "LLM calls").await;
    let models = panels.values_by("LLM", "LLM calls by model", "model").await;
    assert_eq!(models.len(), 4);
    for (model, rate) in &models {
        near(rate / calls, 1.0 / 4.0, model);
    }
    let errors = panels
        .values_by("LLM", "Errors by type", "error_type")
        .await;
    for kind in ["server_error", "rate_limited"] {
        near(errors[kind] / calls, 1.0 / 8.0, kind);
    }
    // 21 tokens in and 19 out by hand, 30 and 5 by the client, of 0.2 and 0.4 dollars each.
    let an_hour = panels.value("LLM", "Cost per hour").await;
    let a_call = an_hour / 3_600.0 / models["priced"];
    near(
        2.0 * a_call,
        51.0 * 0.2 + 24.0 * 0.4,
        "the cost of two calls",
    );
    let by_model = panels
        .values_by("LLM", "Cost per hour by model", "model")
        .await;
    near(by_model["priced"], an_hour, "the cost of a model");
    let by_route = panels
        .values_by("LLM", "Cost per hour by route", "route")
        .await;
    near(by_route["/ask/{model}"], an_hour, "the cost of a route");
    let unpriced = panels
        .values_by("LLM", "LLM calls without a price", "model")
        .await;
    near(
        unpriced["unpriced"],
        models["unpriced"],
        "calls without a price",
    );
    assert_eq!(unpriced["priced"], 0.0);

    // All of them in one bucket, in which Prometheus takes them to be spread evenly.
    let first = panels
        .values_by(
            "LLM",
            "Time to first token by model, 95th percentile",
            "model",
        )
        .await;
    let models: BTreeSet<_> = models.keys().collect();
    assert_eq!(first.keys().collect::<BTreeSet<_>>(), models);
    for (model, seconds) in &first {
        near(*seconds, 0.1 + 0.15 * 0.95, model);
    }
    let first = panels
        .value("LLM", "Time to first token, 95th percentile")
        .await;
    near(first, 0.1 + 0.15 * 0.95, "the first token");
}
