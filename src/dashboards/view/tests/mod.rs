//! What views tell, at times that the tests choose.

mod llm;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::dashboards::view::View;
use crate::metric::{Buckets, Counter, Family, Histogram, Label};
use crate::registry::Registry;
use crate::snapshot::Role;

/// A service's metrics, and views of them.
struct Shop {
    registry: Registry,
    requests: Family<Counter, 4>,
    durations: Family<Histogram, 3>,
    view: View,
    begun: Instant,
}

impl Shop {
    fn new() -> Self {
        Self::within(&Registry::new())
    }

    fn within(registry: &Registry) -> Self {
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
            begun: Instant::now(),
        }
    }

    fn request(&self, route: &str, status: &str, outcome: &str, seconds: f64) {
        self.requests.with(["GET", route, status, outcome]).inc();
        self.durations.with(["GET", route, status]).observe(seconds);
    }

    /// Returns the view at a time, in milliseconds since the shop was opened.
    fn at(&mut self, millis: u64) -> Value {
        let at = self.begun + Duration::from_millis(millis);
        serde_json::from_str(&self.view.take_at(at)).unwrap()
    }
}

#[test]
fn a_first_look_tells_totals_and_no_rate() {
    let mut shop = Shop::new();
    shop.request("/users/{id}", "200", "ok", 0.05);
    let view = shop.at(0);
    assert_eq!(view["title"], "Shop");
    assert_eq!(view["http"]["total"], 1);
    for unknown in ["rate", "errors", "share"] {
        assert!(view["http"][unknown].is_null(), "{unknown}");
    }
    assert!(view["window"].is_null());
    assert_eq!(view["http"]["p"], serde_json::json!([null, null, null]));
    assert_eq!(view["http"]["routes"][0]["route"], "/users/{id}");
    assert!(view["llm"].is_null() && view["process"].is_null());
    // Of the one point nothing is known but what is under way.
    assert!(view["history"].get("2xx").is_none());
    assert_eq!(view["history"]["in_flight"], serde_json::json!([0]));
}

#[test]
fn without_requests_there_are_no_requests() {
    let mut view = View::new(&Registry::new(), "");
    let view: Value = serde_json::from_str(&view.take()).unwrap();
    assert!(view["http"].is_null());
}

#[test]
fn rates_are_those_of_the_last_minute_and_no_longer() {
    let mut shop = Shop::new();
    // A burst long ago, which is to be forgotten.
    for _ in 0..1_000 {
        shop.request("/", "500", "server_error", 5.0);
    }
    let mut window = 0.0;
    for second in 0..200 {
        let view = shop.at(second * 1_000);
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
    let view = shop.at(200_000);
    assert_eq!(view["http"]["total"], 1_600);
    assert_eq!(view["http"]["errors"], 0.333_333);
    // Nothing in this time was slower than a second, whatever came before.
    assert!(view["http"]["p"][2].as_f64().unwrap() <= 1.0);
    assert_eq!(view["http"]["share"], 1);
}

#[test]
fn a_window_of_a_slow_looker_ends_with_the_look_before() {
    let mut shop = Shop::new();
    shop.at(0);
    // Nobody looked for so long that nothing of it is about now.
    assert!(shop.at(600_000)["window"].is_null());
    assert_eq!(shop.at(620_000)["window"], 20);
}

#[test]
fn history_has_a_point_for_each_look_but_not_for_each_of_several_at_once() {
    let mut shop = Shop::new();
    for millis in [0, 500, 1_000, 2_000, 2_100, 4_000] {
        shop.request("/", "200", "ok", 0.05);
        shop.at(millis);
    }
    let view = shop.at(6_000);
    assert_eq!(view["history"]["t"].as_array().unwrap().len(), 4);
    // What the looks between told is in the point that follows.
    assert_eq!(view["history"]["2xx"], serde_json::json!([null, 1.5, 1, 0]));
}

#[test]
fn history_is_of_fixed_length_and_tells_nothing_of_a_time_without_looks() {
    let mut shop = Shop::new();
    for second in 0..1_000 {
        shop.request("/", "200", "ok", 0.05);
        shop.at(second * 2_000);
    }
    let columns = shop.at(2_000_000);
    for (name, column) in columns["history"].as_object().unwrap() {
        assert_eq!(column.as_array().unwrap().len(), 150, "{name}");
    }
    shop.request("/", "200", "ok", 0.05);
    let view = shop.at(2_070_000);
    let last = view["history"]["2xx"].as_array().unwrap().last().cloned();
    assert_eq!(last, Some(Value::Null));
    // Of one who looks seldom it is of a quarter of an hour.
    let mut shop = Shop::new();
    for half_minute in 0..100 {
        shop.at(half_minute * 30_000);
    }
    assert_eq!(
        shop.at(3_000_000)["history"]["t"].as_array().unwrap().len(),
        31
    );
}

#[test]
fn series_that_are_taken_away_make_no_burst() {
    let mut shop = Shop::new();
    for _ in 0..10_000 {
        shop.request("/", "200", "ok", 0.05);
    }
    shop.request("/gone", "200", "ok", 0.05);
    shop.at(0);
    shop.requests.remove(["GET", "/gone", "200", "ok"]);
    shop.durations.remove(["GET", "/gone", "200"]);
    shop.request("/", "200", "ok", 0.05);
    let view = shop.at(2_000);
    assert_eq!(view["http"]["rate"], 0.5);
    assert_eq!(view["history"]["2xx"], serde_json::json!([null, 0.5]));
    // Nor is the one that comes back told as if it were all new.
    shop.request("/gone", "200", "ok", 0.05);
    assert_eq!(shop.at(4_000)["http"]["rate"], 0.25);
}

#[test]
fn one_of_several_series_that_is_taken_away_makes_no_burst_of_the_others() {
    let mut shop = Shop::new();
    for number in 0..1_000 {
        let status = if number % 10 == 0 { "201" } else { "200" };
        shop.request("/", status, "ok", 0.05);
    }
    shop.at(0);
    shop.requests.remove(["GET", "/", "201", "ok"]);
    shop.request("/", "200", "ok", 0.05);
    let view = shop.at(2_000);
    assert_eq!(view["http"]["rate"], 0);
    assert_eq!(view["history"]["2xx"], serde_json::json!([null, 0]));
}

#[test]
fn labels_of_the_registry_and_of_ones_own_do_not_move_the_layers() {
    let registry = Registry::new();
    let labelled = registry.with_labels([("region", "north"), ("zone", "a")]);
    let mut shop = Shop::within(&labelled.unwrap());
    shop.request("/users", "404", "client_error", 0.05);
    let row = &shop.at(0)["http"]["routes"][0];
    assert_eq!([&row["method"], &row["route"]], ["GET", "/users"]);
}

#[test]
fn the_outcome_is_the_last_label_whatever_stands_before_it() {
    let registry = Registry::new();
    let labels = ["method", "route", "status", "tenant", "outcome"];
    let requests = registry.with_role(Role::HttpRequests);
    let requests = requests.counter_family("http_requests_total", "", labels);
    let requests: Family<Counter, 5> = requests.unwrap();
    let mut view = View::new(&registry, "");
    view.take();
    for (tenant, outcome) in [("ok", "panic"), ("panic", "ok"), ("acme", "body_error")] {
        requests.with(["GET", "/", "200", tenant, outcome]).inc();
    }
    let view: Value = serde_json::from_str(&view.take()).unwrap();
    assert_eq!(view["http"]["errors"], 0.666_667);
}

#[test]
fn hostile_names_are_told_as_they_are_and_however_many_make_a_view_of_fixed_size() {
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
        let name = format!("of_ones_own_{number}_total");
        shop.registry
            .counter(&name, &"help ".repeat(1_000))
            .unwrap();
    }
    shop.at(0);
    let text = shop.view.take_at(shop.begun + Duration::from_secs(2));
    assert!(text.len() < 600_000, "{}", text.len());
    let view: Value = serde_json::from_str(&text).unwrap();
    let routes = view["http"]["routes"].as_array().unwrap();
    assert_eq!(routes.len(), 100);
    assert_eq!(view["http"]["left_out"], 2_902);
    assert_eq!(view["http"]["total"], 3_002);
    assert_eq!(view["http"]["others"]["total"], 2_902);
    let metrics = &view["metrics"];
    assert_eq!(metrics["rows"].as_array().unwrap().len(), 400);
    assert!(metrics["left_out"].as_u64().unwrap() > 600);
    // In the first reading, where routes are by the time of all times, it comes first.
    let mut shop = Shop::new();
    shop.request(hostile, "200", "ok", 0.05);
    assert_eq!(shop.at(0)["http"]["routes"][0]["route"], hostile);
}

#[test]
fn a_metric_over_its_limit_is_named() {
    let registry = Registry::new();
    let family: Family<Counter, 1> = registry
        .counter_family("of_users_total", "", ["user"])
        .unwrap()
        .limit(2);
    let mut view = View::new(&registry, "");
    let mut over = || -> Value { serde_json::from_str(&view.take()).unwrap() };
    assert_eq!(over()["over"], serde_json::json!([]));
    for user in ["a", "b", "c"] {
        family.with([user]).inc();
    }
    assert_eq!(over()["over"], serde_json::json!(["of_users_total"]));
}
