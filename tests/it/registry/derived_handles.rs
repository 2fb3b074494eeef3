//! Handles derived by `with_prefix` and `with_labels`.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use http_body_util::BodyExt;
use tachometer::llm::Outcome;
use tachometer::{Buckets, Counter, Error, LlmLayer, MetricsLayer, MetricsRouter, Registry};
use tower::ServiceExt;

use crate::support::read::sum;
use crate::support::service::get_path;

#[test]
fn prefix_and_constant_labels_appear_in_every_format_but_not_on_other_handles() {
    let registry = Registry::new();
    let shop = registry
        .clone()
        .with_prefix("shop_")
        .unwrap()
        .with_labels([("region", "eu"), ("note", "a\"b\\")])
        .unwrap();
    let orders = shop
        .counter_family("orders_total", "Orders.", ["kind"])
        .unwrap();
    orders.with(["book"]).inc();
    orders.with(["book"]).inc();
    orders.with(["with \"quotes\""]).inc();
    shop.gauge("stock", "").unwrap().set(3);
    registry.counter("plain", "").unwrap().inc();

    let text = registry.export_prometheus();
    for line in [
        r#"shop_orders_total{region="eu",note="a\"b\\",kind="book"} 2"#,
        r#"shop_orders_total{region="eu",note="a\"b\\",kind="with \"quotes\""} 1"#,
        r#"shop_stock{region="eu",note="a\"b\\"} 3"#,
        "plain_total 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    // Self-metrics have the labels of the handle that reads.
    assert!(text.contains(r#"tachometer_series{metric="shop_orders_total"} 2"#));
    assert!(
        shop.export_prometheus().contains(
            r#"tachometer_series{region="eu",note="a\"b\\",metric="shop_orders_total"} 2"#
        )
    );
    // A name is found as it was given to that handle.
    assert!(shop.get("stock").is_some() && registry.get("shop_stock").is_some());
    assert!(registry.get("stock").is_none());
}

#[test]
fn prefixes_and_labels_add_up() {
    let registry = Registry::new();
    let inner = registry
        .clone()
        .with_prefix("a_")
        .unwrap()
        .with_labels([("x", "1")])
        .unwrap()
        .with_prefix("b_")
        .unwrap()
        .with_labels([("y", "2")])
        .unwrap();
    inner.counter("c_total", "").unwrap().inc();
    assert!(
        registry
            .export_prometheus()
            .contains(r#"a_b_c_total{x="1",y="2"} 1"#)
    );
}

#[test]
fn a_standalone_metric_has_the_labels_of_each_registry_that_exports_it() {
    let hits = Counter::new();
    hits.inc();
    let (plain, europe) = (
        Registry::new(),
        Registry::new().with_labels([("region", "eu")]).unwrap(),
    );
    plain.register("hits_total", "", &hits).unwrap();
    europe.register("hits_total", "", &hits).unwrap();
    assert!(plain.export_prometheus().contains("\nhits_total 1\n"));
    assert!(
        europe
            .export_prometheus()
            .contains("\nhits_total{region=\"eu\"} 1\n")
    );
    europe.counter("hits_total", "").unwrap().inc();
    assert_eq!(hits.get(), 2.0);

    // As has one that came from a registry with constant labels.
    let asia = Registry::new().with_labels([("region", "asia")]).unwrap();
    let hits = europe.counter("hits_total", "").unwrap();
    asia.register("hits_total", "", &hits).unwrap();
    assert!(
        asia.export_prometheus()
            .contains("\nhits_total{region=\"asia\"} 2\n")
    );
}

#[test]
fn ambiguous_or_malformed_names_are_refused_with_the_remedy() {
    let registry = Registry::new();
    for prefix in ["9", "a-", "ä", "a b"] {
        let error = registry.clone().with_prefix(prefix).unwrap_err();
        assert!(error.is_invalid_name(), "{error}");
    }
    for name in ["", "le", "__x", "a:b"] {
        let error = registry.clone().with_labels([(name, "")]).unwrap_err();
        assert!(error.is_invalid_label(), "{error}");
    }
    // `tachometer_series` has it already, and no label may be there twice.
    let error = registry.clone().with_labels([("metric", "")]).unwrap_err();
    assert!(error.is_invalid_label() && error.to_string().contains("tachometer_series"));
    let twice = registry.clone().with_labels([("a", "1"), ("a", "2")]);
    assert!(twice.unwrap_err().is_invalid_label());

    let europe = registry.clone().with_labels([("region", "eu")]).unwrap();
    let error = europe.counter_family("c", "", ["region"]).unwrap_err();
    assert!(error.is_invalid_label(), "{error}");
    assert!(error.to_string().contains("region"), "{error}");

    europe.counter("c", "").unwrap();
    let error = registry.counter("c", "").unwrap_err();
    assert!(error.is_conflict(), "{error}");
}

/// Returns a handle of the registry for each of two tenants.
fn tenants(registry: &Registry) -> [Registry; 2] {
    ["a", "b"].map(|tenant| registry.clone().with_labels([("tenant", tenant)]).unwrap())
}

#[test]
fn handles_with_other_values_of_a_label_share_a_name_in_every_format() {
    let registry = Registry::new();
    let [a, b] = tenants(&registry);
    for (tenant, handle) in [(1, &a), (2, &b)] {
        let orders = handle
            .counter_family("orders_total", "Orders.", ["kind"])
            .unwrap();
        orders.with(["book"]).inc_by(tenant);
        handle.gauge("stock", "Stock.").unwrap().set(10 * tenant);
        let seconds = handle
            .histogram_with_buckets("job_seconds", "Jobs.", Buckets::new(&[1.0, 2.0]).unwrap())
            .unwrap();
        seconds.observe(f64::from(tenant));
        handle.gauge_fn("queue", "Queue.", move || tenant).unwrap();
        let hits = Counter::new();
        hits.inc_by(tenant);
        handle.register("hits_total", "Hits.", &hits).unwrap();
    }
    let expected = r#"# HELP hits_total Hits.
# TYPE hits_total counter
hits_total{tenant="a"} 1
hits_total{tenant="b"} 2
# HELP job_seconds Jobs.
# TYPE job_seconds histogram
job_seconds_bucket{tenant="a",le="1"} 1
job_seconds_bucket{tenant="a",le="2"} 1
job_seconds_bucket{tenant="a",le="+Inf"} 1
job_seconds_sum{tenant="a"} 1
job_seconds_count{tenant="a"} 1
job_seconds_bucket{tenant="b",le="1"} 0
job_seconds_bucket{tenant="b",le="2"} 1
job_seconds_bucket{tenant="b",le="+Inf"} 1
job_seconds_sum{tenant="b"} 2
job_seconds_count{tenant="b"} 1
# HELP orders_total Orders.
# TYPE orders_total counter
orders_total{tenant="a",kind="book"} 1
orders_total{tenant="b",kind="book"} 2
# HELP queue Queue.
# TYPE queue gauge
queue{tenant="a"} 1
queue{tenant="b"} 2
# HELP stock Stock.
# TYPE stock gauge
stock{tenant="a"} 10
stock{tenant="b"} 20
"#;
    let text = registry.export_prometheus();
    let text = text.split("# HELP tachometer_").next().unwrap();
    let text: String = text
        .replace("le=\"1.0\"", "le=\"1\"")
        .replace("le=\"2.0\"", "le=\"2\"");
    assert_eq!(text, expected);
    let json: serde_json::Value = serde_json::from_str(&registry.export_json()).unwrap();
    let value = |key: &str| json["metrics"][key]["value"].as_f64();
    assert_eq!(value(r#"orders_total{tenant="b",kind="book"}"#), Some(2.0));
    assert_eq!(value(r#"queue{tenant="a"}"#), Some(1.0));

    // Together they are one metric.
    let orders = registry.get("orders_total").unwrap();
    assert_eq!((orders.series(), orders.value()), (2, 3.0));
    assert_eq!(registry.metrics().len(), 5);
    assert_eq!(registry.summary().metrics["stock"].value, 30.0);
    let count = sum(
        &registry,
        "tachometer_series",
        &[("metric", "orders_total")],
    );
    assert_eq!(count, 2.0);
    assert_eq!(registry.lint(), []);
    registry.reset_all();
    assert_eq!(orders.value(), 0.0);
}

#[test]
fn a_handle_finds_its_own_series_whatever_the_order_of_its_labels() {
    let registry = Registry::new();
    let one = registry
        .clone()
        .with_labels([("a", "1"), ("b", "2")])
        .unwrap();
    let same = registry
        .clone()
        .with_labels([("b", "2"), ("a", "1")])
        .unwrap();
    let other = registry
        .clone()
        .with_labels([("a", "2"), ("b", "1")])
        .unwrap();
    for handle in [&one, &same, &other] {
        handle.counter("c_total", "").unwrap().inc();
    }
    let text = registry.export_prometheus();
    assert!(
        text.contains("c_total{a=\"1\",b=\"2\"} 2\nc_total{a=\"2\",b=\"1\"} 1\n"),
        "{text}"
    );
}

#[test]
fn a_later_handle_inherits_help_and_buckets_unless_it_sets_others() {
    let registry = Registry::new();
    let [a, b] = tenants(&registry);
    let c = registry.clone().with_labels([("tenant", "c")]).unwrap();
    a.histogram_with_buckets("seconds", "The first text.", Buckets::new(&[1.0]).unwrap())
        .unwrap();
    b.histogram("seconds", "Another text.").unwrap();
    c.histogram_with_buckets("seconds", "", Buckets::new(&[5.0]).unwrap())
        .unwrap();
    let text = registry.export_prometheus();
    assert_eq!(text.matches("# HELP seconds The first text.\n").count(), 1);
    assert_eq!(text.matches("# HELP seconds").count(), 1);
    let bounds = |tenant| {
        let of = format!("seconds_bucket{{tenant=\"{tenant}\",le=");
        text.lines()
            .filter_map(|line| line.strip_prefix(&of)?.split('"').nth(1))
            .collect::<Vec<_>>()
    };
    assert_eq!(bounds("a"), ["1.0", "+Inf"]);
    assert_eq!(bounds("b"), ["1.0", "+Inf"]);
    assert_eq!(bounds("c"), ["5.0", "+Inf"]);
}

#[test]
fn a_name_keeps_its_first_help_text() {
    let registry = Registry::new();
    let [a, b] = tenants(&registry);
    a.gauge_fn("queue", "The first text.", || 1).unwrap();
    b.gauge_fn("queue", "Another text.", || 2).unwrap();
    a.register("hits_total", "The first text.", &Counter::new())
        .unwrap();
    b.register("hits_total", "Another text.", &Counter::new())
        .unwrap();
    // So that the registry can be merged with others, too.
    let merged = Registry::merged([&registry, &Registry::new()]).unwrap();
    let text = merged.export_prometheus();
    assert_eq!(text.matches("The first text.").count(), 2, "{text}");
    assert!(!text.contains("Another text."), "{text}");
}

#[test]
fn many_handles_of_one_name_are_reported_and_found() {
    let registry = Registry::new();
    let handle = |tenant: u32| {
        let tenant = tenant.to_string();
        let labels = [("region", "eu"), ("tenant", &*tenant)];
        registry.clone().with_labels(labels).unwrap()
    };
    for round in 1..=2 {
        for tenant in 0..1_000 {
            let orders = handle(tenant).counter("orders_total", "Orders.").unwrap();
            orders.inc();
            assert_eq!(orders.get(), f64::from(round));
        }
    }
    let count = sum(
        &registry,
        "tachometer_series",
        &[("metric", "orders_total")],
    );
    assert_eq!(count, 1_000.0);
}

#[test]
fn other_label_names_or_another_kind_are_a_conflict_that_changes_nothing() {
    #[track_caller]
    fn check<T>(asked: Result<T, Error>, remedy: &str) {
        let error = asked.err().unwrap();
        assert!(error.is_conflict(), "{error}");
        assert!(error.to_string().contains(remedy), "{error}");
    }
    let registry = Registry::new();
    let [a, b] = tenants(&registry);
    a.counter_family("orders_total", "", ["kind"])
        .unwrap()
        .with(["book"])
        .inc();
    a.gauge_fn("queue", "", || 1).unwrap();
    let before = registry.export_prometheus();
    let region = registry.clone().with_labels([("region", "eu")]).unwrap();
    let names = "labels have the same names";
    check(region.counter_family("orders_total", "", ["kind"]), names);
    check(
        registry.counter_family("orders_total", "", ["tenant", "kind"]),
        names,
    );
    check(region.gauge_fn("queue", "", || 1), names);
    // Errors name no value of a label, constant or not.
    let error = region.gauge_fn("queue", "", || 1).unwrap_err().to_string();
    assert!(
        error.contains("tenant") && !error.contains("\"a\""),
        "{error}"
    );
    check(
        registry.register("orders_total", "", &Counter::new()),
        names,
    );
    check(
        b.counter_family("orders_total", "", ["size"]),
        "pass the same labels",
    );
    check(
        b.register("orders_total", "", &Counter::new()),
        "pass the same labels",
    );
    check(
        b.gauge_family("orders_total", "", ["kind"]),
        "request a counter",
    );
    check(b.counter_fn("queue", "", || 1), "request a gauge");
    // A handle has one collector.
    check(a.gauge_fn("queue", "", || 1), "choose another name");
    check(b.counter("orders", ""), "rename");
    assert_eq!(registry.export_prometheus(), before);
}

#[tokio::test]
async fn two_layers_and_two_llm_layers_share_a_registry() {
    let registry = Registry::new();
    for (tenant, calls) in tenants(&registry).iter().zip([1, 2]) {
        let app = Router::new().route("/users/{id}", get(async || "a user"));
        let app = app.layer(MetricsLayer::new().registry(tenant));
        for _ in 0..calls {
            get_path(app.clone(), "/users/7").await;
        }
        let llm = LlmLayer::new().registry(tenant).try_register().unwrap();
        for _ in 0..calls {
            llm.start_call("openai", "gpt-x", "chat")
                .finish(Outcome::Success);
        }
    }
    for (tenant, calls) in [("a", 1.0), ("b", 2.0)] {
        let labels = [("tenant", tenant)];
        assert_eq!(sum(&registry, "http_requests_total", &labels), calls);
        assert_eq!(sum(&registry, "llm_requests_total", &labels), calls);
    }
    // The page shows their sum.
    let page = MetricsRouter::new().registry(&registry).build::<()>();
    let request = Request::get("/view").body(Body::empty()).unwrap();
    let view = page.oneshot(request).await.unwrap().into_body();
    let view = view.collect().await.unwrap().to_bytes();
    let view: serde_json::Value = serde_json::from_slice(&view).unwrap();
    assert_eq!(view["http"]["total"], 3, "{view}");
    assert_eq!(view["llm"]["total"], 3, "{view}");
    let rows = view["metrics"]["rows"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row[0] == "http_requests_total")
        .unwrap();
    assert_eq!((&row[3], &row[4]), (&2.into(), &3.into()), "{row}");
}
