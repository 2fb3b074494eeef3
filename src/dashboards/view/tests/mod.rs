//! Tests of views, at points in time that the tests choose.

mod llm;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::dashboards::view::View;
use crate::metric::{Buckets, Counter, Family, Histogram, Label};
use crate::registry::Registry;
use crate::snapshot::Role;

/// The metrics of a service, and a view of them.
struct Shop {
    registry: Registry,
    requests: Family<Counter, 4>,
    durations: Family<Histogram, 3>,
    view: View,
    started: Instant,
}

impl Shop {
    fn new() -> Self {
        Self::with_registry(&Registry::new())
    }

    fn with_registry(registry: &Registry) -> Self {
        let labels = ["method", "route", "status", "outcome"].map(Label::unlimited);
        let [method, route, status, _] = labels.clone();
        let times = registry.with_role(Role::HttpDuration);
        let durations = times.histogram_family_with_buckets(
            "http_request_duration_seconds",
            "",
            [method, route, status],
            Buckets::new(&[0.1, 1.0]).unwrap(),
        );
        let requests = registry.with_role(Role::HttpRequests);
        Self {
            requests: requests
                .counter_family("http_requests_total", "", labels)
                .unwrap(),
            durations: durations.unwrap(),
            view: View::new(registry, "Shop"),
            registry: registry.clone(),
            started: Instant::now(),
        }
    }

    fn request(&self, route: &str, status: &str, outcome: &str, seconds: f64) {
        self.requests.with(["GET", route, status, outcome]).inc();
        self.durations.with(["GET", route, status]).observe(seconds);
    }

    /// Returns the view at a time, in milliseconds since the start.
    fn view_at(&mut self, millis: u64) -> Value {
        let at = self.started + Duration::from_millis(millis);
        serde_json::from_str(&self.view.render_at(at)).unwrap()
    }
}

#[test]
fn the_first_view_has_totals_and_no_rates() {
    let mut shop = Shop::new();
    shop.request("/users/{id}", "200", "ok", 0.05);
    let view = shop.view_at(0);
    assert_eq!(view["title"], "Shop");
    assert_eq!(view["http"]["total"], 1);
    for unknown in ["rate", "errors", "time_share"] {
        assert!(view["http"][unknown].is_null(), "{unknown}");
    }
    assert!(view["window"].is_null());
    assert_eq!(view["http"]["p"], serde_json::json!([null, null, null]));
    assert_eq!(view["http"]["routes"][0]["route"], "/users/{id}");
    assert!(view["llm"].is_null() && view["process"].is_null());
    // A single point has nothing but the requests in flight.
    assert!(view["history"].get("2xx").is_none());
    assert_eq!(view["history"]["in_flight"], serde_json::json!([0]));
}

#[test]
fn without_request_metrics_there_is_no_http_section() {
    let mut view = View::new(&Registry::new(), "");
    let view: Value = serde_json::from_str(&view.render()).unwrap();
    assert!(view["http"].is_null());
}

#[test]
fn exports_over_otlp_are_shown_with_the_time_since_the_last_one() {
    let registry = Registry::new();
    let mut view = View::new(&registry, "");
    let mut otlp = || -> Value {
        let view: Value = serde_json::from_str(&view.render()).unwrap();
        view["otlp"].clone()
    };
    assert!(otlp().is_null());
    let exports = registry.with_role(Role::OtlpExports);
    let exports = exports.counter_family("exports_total", "", [Label::open("result")]);
    let exports = exports.unwrap();
    for (result, count) in [
        ("success", 3),
        ("partial", 2),
        ("rejected", 4),
        ("failed", 5),
    ] {
        exports.with([result]).inc_by(count);
    }
    let rejected = registry.with_role(Role::OtlpRejectedPoints);
    rejected.counter("rejected_total", "").unwrap().inc_by(7);
    let last_success = registry.with_role(Role::OtlpLastSuccess);
    let last_success = last_success.gauge("last_success", "").unwrap();
    let expected = |since: Value| {
        serde_json::json!({
            "accepted": 5, "failed": 9, "rejected_points": 7, "since_success": since
        })
    };
    assert_eq!(otlp(), expected(Value::Null));
    // A clock that was set back since.
    last_success.set(1e12);
    assert_eq!(otlp(), expected(0.into()));
    last_success.set(1.0);
    assert!(otlp()["since_success"].as_f64().unwrap() > 1e9);
}

#[test]
fn rates_cover_the_last_minute_at_most() {
    let mut shop = Shop::new();
    // A burst long ago must not count.
    for _ in 0..1_000 {
        shop.request("/", "500", "server_error", 5.0);
    }
    let mut window = 0.0;
    for second in 0..200 {
        let view = shop.view_at(second * 1_000);
        if second > 0 {
            window = view["window"].as_f64().unwrap();
            assert!(window <= 67.5, "{window}");
            let rate = view["http"]["rate"].as_f64().unwrap();
            assert!((rate - 3.0).abs() < 1e-5, "{rate}");
        }
        for (status, outcome, seconds) in [
            ("200", "ok", 0.05),
            ("200", "ok", 0.05),
            ("503", "server_error", 0.5),
        ] {
            shop.request("/", status, outcome, seconds);
        }
    }
    assert!(window >= 45.0, "{window}");
    let view = shop.view_at(200_000);
    assert_eq!(view["http"]["total"], 1_600);
    assert_eq!(view["http"]["errors"], 0.333_333);
    // In this window nothing was slower than a second.
    assert!(view["http"]["p"][2].as_f64().unwrap() <= 1.0);
    assert_eq!(view["http"]["time_share"], 1);
}

#[test]
fn with_rare_views_the_window_starts_at_the_previous_view() {
    let mut shop = Shop::new();
    shop.view_at(0);
    // The previous view is too old for current rates.
    assert!(shop.view_at(600_000)["window"].is_null());
    assert_eq!(shop.view_at(620_000)["window"], 20);
}

#[test]
fn history_has_one_point_per_view_except_for_views_close_together() {
    let mut shop = Shop::new();
    for millis in [0, 500, 1_000, 2_000, 2_100, 4_000] {
        shop.request("/", "200", "ok", 0.05);
        shop.view_at(millis);
    }
    let view = shop.view_at(6_000);
    assert_eq!(view["history"]["t"].as_array().unwrap().len(), 4);
    // What the skipped views counted is in the next point.
    assert_eq!(view["history"]["2xx"], serde_json::json!([null, 1.5, 1, 0]));
}

#[test]
fn history_has_a_maximum_length_and_no_rates_over_long_gaps() {
    let mut shop = Shop::new();
    for second in 0..1_000 {
        shop.request("/", "200", "ok", 0.05);
        shop.view_at(second * 2_000);
    }
    let columns = shop.view_at(2_000_000);
    for (name, column) in columns["history"].as_object().unwrap() {
        assert_eq!(column.as_array().unwrap().len(), 150, "{name}");
    }
    shop.request("/", "200", "ok", 0.05);
    let view = shop.view_at(2_070_000);
    let last = view["history"]["2xx"].as_array().unwrap().last().cloned();
    assert_eq!(last, Some(Value::Null));
    // With rare views it covers a quarter of an hour.
    let mut shop = Shop::new();
    for half_minute in 0..100 {
        shop.view_at(half_minute * 30_000);
    }
    assert_eq!(
        shop.view_at(3_000_000)["history"]["t"]
            .as_array()
            .unwrap()
            .len(),
        31
    );
}

#[test]
fn removed_series_cause_no_burst() {
    let mut shop = Shop::new();
    for _ in 0..10_000 {
        shop.request("/", "200", "ok", 0.05);
    }
    shop.request("/gone", "200", "ok", 0.05);
    shop.view_at(0);
    shop.requests.remove(["GET", "/gone", "200", "ok"]);
    shop.durations.remove(["GET", "/gone", "200"]);
    shop.request("/", "200", "ok", 0.05);
    let view = shop.view_at(2_000);
    assert_eq!(view["http"]["rate"], 0.5);
    assert_eq!(view["history"]["2xx"], serde_json::json!([null, 0.5]));
    // A series that comes back does not count as if it were new.
    shop.request("/gone", "200", "ok", 0.05);
    assert_eq!(shop.view_at(4_000)["http"]["rate"], 0.25);
}

#[test]
fn removing_one_of_several_series_causes_no_burst_of_the_others() {
    let mut shop = Shop::new();
    for number in 0..1_000 {
        let status = if number % 10 == 0 { "201" } else { "200" };
        shop.request("/", status, "ok", 0.05);
    }
    shop.view_at(0);
    shop.requests.remove(["GET", "/", "201", "ok"]);
    shop.request("/", "200", "ok", 0.05);
    let view = shop.view_at(2_000);
    assert_eq!(view["http"]["rate"], 0);
    assert_eq!(view["history"]["2xx"], serde_json::json!([null, 0]));
}

#[test]
fn constant_labels_do_not_shift_the_labels_of_the_layer() {
    let registry = Registry::new();
    let labelled = registry.with_labels([("region", "north"), ("zone", "a")]);
    let mut shop = Shop::with_registry(&labelled.unwrap());
    shop.request("/users", "404", "client_error", 0.05);
    let row = &shop.view_at(0)["http"]["routes"][0];
    assert_eq!([&row["method"], &row["route"]], ["GET", "/users"]);
}

#[test]
fn the_outcome_is_the_last_label_even_with_custom_labels() {
    let registry = Registry::new();
    let labels = ["method", "route", "status", "tenant", "outcome"];
    let requests = registry.with_role(Role::HttpRequests);
    let requests = requests.counter_family("http_requests_total", "", labels);
    let requests: Family<Counter, 5> = requests.unwrap();
    let mut view = View::new(&registry, "");
    view.render();
    for (tenant, outcome) in [("ok", "panic"), ("panic", "ok"), ("acme", "body_error")] {
        requests.with(["GET", "/", "200", tenant, outcome]).inc();
    }
    let view: Value = serde_json::from_str(&view.render()).unwrap();
    assert_eq!(view["http"]["errors"], 0.666_667);
}

#[test]
fn hostile_names_are_unchanged_and_the_size_of_a_view_is_bounded() {
    let mut shop = Shop::new();
    let hostile = "</script><img src=x onerror=alert(1)>\u{202e}\u{0}\"\\";
    shop.request(hostile, "200", "ok", 50.0);
    let long = "é".repeat(500_000);
    shop.request(&long, "200", "ok", 40.0);
    for number in 0..3_000 {
        shop.request(
            &format!("/{number}/{}", "long/".repeat(100)),
            "200",
            "ok",
            0.05,
        );
    }
    for number in 0..1_000 {
        let name = format!("custom_{number}_total");
        shop.registry
            .counter(&name, &"help ".repeat(1_000))
            .unwrap();
    }
    shop.view_at(0);
    let text = shop.view.render_at(shop.started + Duration::from_secs(2));
    assert!(text.len() < 600_000, "{}", text.len());
    let view: Value = serde_json::from_str(&text).unwrap();
    let routes = view["http"]["routes"].as_array().unwrap();
    assert_eq!(routes.len(), 100);
    assert_eq!(view["http"]["omitted"], 2_902);
    assert_eq!(view["http"]["total"], 3_002);
    assert_eq!(view["http"]["others"]["total"], 2_902);
    let metrics = &view["metrics"];
    assert_eq!(metrics["rows"].as_array().unwrap().len(), 400);
    assert!(metrics["omitted"].as_u64().unwrap() > 600);
    // In the first view, routes are ordered by their total time.
    let mut shop = Shop::new();
    shop.request(hostile, "200", "ok", 0.05);
    assert_eq!(shop.view_at(0)["http"]["routes"][0]["route"], hostile);
}

#[test]
fn a_metric_over_its_limit_is_named() {
    let registry = Registry::new();
    let family: Family<Counter, 1> = registry
        .counter_family("by_user_total", "", ["user"])
        .unwrap()
        .limit(2);
    let mut view = View::new(&registry, "");
    let mut view_json = || -> Value { serde_json::from_str(&view.render()).unwrap() };
    assert_eq!(view_json()["overflowed"], serde_json::json!([]));
    for user in ["a", "b", "c"] {
        family.with([user]).inc();
    }
    assert_eq!(
        view_json()["overflowed"],
        serde_json::json!(["by_user_total"])
    );
}
