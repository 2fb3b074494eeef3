//! The Grafana board: its content, and the results of its queries.

mod fixture;
mod lint;
mod panel_values;
mod real_prometheus;

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tachometer::bridge::{MetricsRecorder, PrometheusCollector};
use tachometer::dashboards::GrafanaBoard;
use tachometer::push::Otlp;
use tachometer::registry::{Collect, CollectSink};
use tachometer::snapshot::{Desc, Kind};
use tachometer::{Buckets, Label, LlmLayer, MetricsLayer, MetricsRouter, Registry, SystemMetrics};
use tower::ServiceExt;

use lint::faults;

/// Returns the panels with queries, each with the title of its row.
fn panels(board: &Value) -> Vec<(&str, &Value)> {
    let mut row = "";
    let mut panels = Vec::new();
    for panel in board["panels"].as_array().unwrap() {
        if panel["type"] == "row" {
            row = panel["title"].as_str().unwrap();
        } else {
            panels.push((row, panel));
        }
    }
    panels
}

fn expressions(panel: &Value) -> Vec<String> {
    let targets = panel["targets"].as_array().unwrap().iter();
    let query = |target: &Value| target["expr"].as_str().unwrap().to_owned();
    targets.map(query).collect()
}

/// Returns all queries, each once.
fn queries(board: &Value) -> BTreeSet<String> {
    let panels = panels(board).into_iter();
    panels.flat_map(|(_, panel)| expressions(panel)).collect()
}

/// Returns the queries of all panels in a row.
fn queries_of_row(board: &Value, row: &str) -> BTreeSet<String> {
    let panels = panels(board).into_iter();
    let in_row = panels.filter(|(in_row, _)| *in_row == row);
    in_row.flat_map(|(_, panel)| expressions(panel)).collect()
}

/// Returns the queries of one panel.
fn targets(board: &Value, row: &str, title: &str) -> Vec<String> {
    let panels = panels(board);
    let panel = panels
        .iter()
        .find(|(in_row, panel)| *in_row == row && panel["title"] == title);
    expressions(panel.unwrap_or_else(|| panic!("no panel {title}")).1)
}

fn rows(board: &Value) -> Vec<&str> {
    let panels = board["panels"].as_array().unwrap().iter();
    let rows = panels.filter(|panel| panel["type"] == "row");
    rows.map(|row| row["title"].as_str().unwrap()).collect()
}

fn board(registry: &Registry) -> Value {
    serde_json::from_str(&GrafanaBoard::new().to_json(registry)).unwrap()
}

fn http(registry: &Registry, choose: impl FnOnce(MetricsLayer) -> MetricsLayer) {
    let layer = choose(MetricsLayer::new().registry(registry));
    let _ = layer.try_register().unwrap();
}

fn calls(registry: &Registry, choose: impl FnOnce(LlmLayer) -> LlmLayer) {
    let layer = choose(LlmLayer::new().registry(registry));
    let _ = layer.try_register().unwrap();
}

fn system(registry: &Registry) {
    SystemMetrics::new().register(registry).unwrap();
}

/// Registers the metrics of an exporter, which sends nothing.
pub(crate) fn otlp(registry: &Registry) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let exporter = {
        let _context = runtime.enter();
        Otlp::new().registry(registry).start().unwrap()
    };
    drop(exporter);
    // Not dropped on the thread of another runtime.
    runtime.shutdown_background();
}

/// Kinds of registries, with the rows of their boards.
pub(crate) const KINDS: [(&str, &[&str]); 16] = [
    ("empty", &[]),
    ("of others", &["Other metrics"]),
    ("http", &["HTTP", "Other metrics"]),
    ("http by OpenTelemetry", &["HTTP", "Other metrics"]),
    ("http by axum-prometheus", &["HTTP", "Other metrics"]),
    ("http with everything", &["HTTP", "Other metrics"]),
    ("http with labels of targets", &["HTTP", "Other metrics"]),
    ("http with exponential buckets", &["HTTP", "Other metrics"]),
    ("llm", &["LLM", "Other metrics"]),
    ("llm by OpenTelemetry", &["LLM", "Other metrics"]),
    ("llm with everything", &["LLM", "Other metrics"]),
    ("otlp", &["OTLP"]),
    ("system", &["Process", "Other metrics"]),
    ("all", &["HTTP", "LLM", "OTLP", "Process", "Other metrics"]),
    (
        "all with constant labels",
        &["HTTP", "LLM", "OTLP", "Process", "Other metrics"],
    ),
    (
        "all in UTF-8",
        &["HTTP", "LLM", "OTLP", "Process", "Other metrics"],
    ),
];

/// Makes a registry of a kind.
pub(crate) fn registry(kind: &str) -> Registry {
    let registry = Registry::new();
    match kind {
        "empty" => {}
        "of others" => drop(registry.counter("http_request_totals", "").unwrap()),
        "http" => http(&registry, |layer| layer),
        "http by OpenTelemetry" => http(&registry, MetricsLayer::otel_names),
        "http by axum-prometheus" => http(&registry, MetricsLayer::axum_prometheus_names),
        "http with everything" => http(&registry, |layer| {
            let target = std::time::Duration::from_millis(250);
            let layer = layer
                .prefix("shop_")
                .version_label()
                .scheme_label()
                .grpc_status_label();
            layer
                .status_class()
                .time_to_head()
                .time_to_first_byte()
                .body_sizes()
                .service_level("/a", target)
                .label_from_handler(Label::open("tenant"))
                .label_from_handler(Label::closed("plan", ["a", "b"]))
        }),
        "http with labels of targets" => http(&registry, |layer| {
            layer
                .label_from_handler("job")
                .label_from_handler("instance")
                .label_from_handler("pod")
        }),
        "http with exponential buckets" => http(&registry, |layer| {
            layer.buckets(Buckets::new(&[0.1, 1.0]).unwrap().native())
        }),
        "llm" => drop(LlmLayer::new().registry(&registry).try_register().unwrap()),
        "llm by OpenTelemetry" => calls(&registry, LlmLayer::otel_names),
        "llm with everything" => calls(&registry, |layer| layer.prefix("shop_").route_metrics()),
        "otlp" => otlp(&registry),
        "system" => system(&registry),
        "all" => {
            http(&registry, |layer| layer);
            calls(&registry, LlmLayer::route_metrics);
            otlp(&registry);
            system(&registry);
        }
        "all with constant labels" => {
            let scoped = registry
                .clone()
                .with_labels([("zone", "a"), ("job", "b")])
                .unwrap();
            http(&scoped, |layer| layer);
            calls(&scoped, LlmLayer::route_metrics);
            otlp(&scoped);
            system(&scoped);
        }
        "all in UTF-8" => {
            let registry = registry.clone().with_utf8_names();
            http(&registry, |layer| {
                let target = std::time::Duration::from_secs(1);
                let hostile = "Läufer \"x\"\\\u{85}\u{1F600}\n{{ $labels.job }}";
                layer
                    .prefix("my.shop/ä.")
                    .service_level("/a", target)
                    .label_from_handler(hostile)
            });
            calls(&registry, |layer| layer.prefix("my.shop.").route_metrics());
            otlp(&registry);
            system(&registry);
        }
        _ => panic!("no such kind: {kind}"),
    }
    registry
}

#[test]
fn the_linter_finds_no_fault_in_the_board_of_any_registry() {
    for (kind, expected) in KINDS {
        let registry = registry(kind);
        let board = board(&registry);
        let faults = faults(&board, &registry);
        assert!(faults.is_empty(), "{kind}: {}", faults.join("\n"));
        assert_eq!(rows(&board), expected, "{kind}");
    }
}

/// Each edit of a good board is a fault, and is found.
#[test]
fn the_linter_reports_each_kind_of_fault() {
    let registry = registry("all");
    let good = board(&registry);
    let first = "/panels/1";
    let target = "/panels/1/targets/0";
    let place = |pointer: &str, value: Value| {
        let mut board = good.clone();
        *board
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer}")) = value;
        faults(&board, &registry)
    };
    let of = |suffix: &str| format!("{first}{suffix}");
    let query = |query: &str| (format!("{target}/expr"), json!(query));
    let chosen = "job=~\"$job\",instance=~\"$instance\"";
    for (pointer, value) in [
        ("/uid".into(), json!("x".repeat(41))),
        ("/uid".into(), json!("a b")),
        ("/schemaVersion".into(), json!(1)),
        ("/editable".into(), json!(true)),
        ("/title".into(), json!("")),
        ("/templating/list/0/query".into(), json!("loki")),
        ("/templating/list/1/allValue".into(), json!(".*")),
        ("/templating/list/1/multi".into(), json!(false)),
        ("/templating/list/1/refresh".into(), json!(1)),
        ("/templating/list/1/name".into(), json!("jobs")),
        (
            "/templating/list/2/query/query".into(),
            json!("label_values(up, instance)"),
        ),
        (of("/id"), json!(1)),
        (of("/title"), json!("")),
        (of("/description"), json!("")),
        (of("/datasource/uid"), json!("abc")),
        (of("/fieldConfig/defaults/unit"), json!("parsecs")),
        (of("/gridPos/w"), json!(25)),
        (of("/gridPos/x"), json!(1)),
        (of("/gridPos/y"), json!(0)),
        (of("/targets"), json!([])),
        (format!("{target}/refId"), json!("")),
        (format!("{target}/datasource/uid"), json!("abc")),
        (format!("{target}/legendFormat"), json!("{{nonsense}}")),
        query("sum(rate(http_requests_total[$__rate_interval]))"),
        query(&format!("sum(rate(http_requests_total{{{chosen}}}[5m]))")),
        query(&format!(
            "sum(rate(nothing_total{{{chosen}}}[$__rate_interval]))"
        )),
        query(&format!("sum(http_requests_total{{{chosen}}})")),
        query(&format!(
            "sum(rate(http_requests_in_flight{{{chosen}}}[$__rate_interval]))"
        )),
        query(&format!(
            "sum(rate(http_requests_total{{{chosen}}}[$__rate_interval])) or vector(0)"
        )),
        query(&format!(
            "sum(rate(http_requests_total{{{chosen},route=~\"$routes\"}}[$__rate_interval]))"
        )),
        query(&format!(
            "histogram_quantile(0.5, sum(rate(http_request_duration_seconds_bucket{{{chosen}}}[$__rate_interval])))"
        )),
    ] {
        let found = place(&pointer, value.clone());
        assert!(!found.is_empty(), "{pointer} = {value} is no fault");
    }
}

#[test]
fn a_board_is_the_same_each_time_and_another_title_is_another_board() {
    let registry = registry("all");
    let identity = |title: &str| {
        let board = GrafanaBoard::new().title(title).to_json(&registry);
        assert_eq!(board, GrafanaBoard::new().title(title).to_json(&registry));
        let board: Value = serde_json::from_str(&board).unwrap();
        assert_eq!(board["title"], title);
        board["uid"].as_str().unwrap().to_owned()
    };
    let titles = [
        "",
        "Shop",
        "shop",
        "Lädele \"x\"",
        "a title that is longer than forty letters are",
    ];
    let uids: BTreeSet<_> = titles.map(identity).into_iter().collect();
    assert_eq!(uids.len(), titles.len());
    assert!(uids.iter().all(|uid| (8..=40).contains(&uid.len())));
}

#[tokio::test]
async fn the_router_serves_the_board_of_its_registry() {
    let registry = registry("http");
    let router: Router = MetricsRouter::new()
        .registry(&registry)
        .without_system_metrics()
        .dashboard_title("Shop")
        .build();
    let request = Request::get("/grafana.json").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let expected = GrafanaBoard::new().title("Shop").to_json(&registry);
    assert_eq!(body, expected);
}

/// A collector without series.
struct Idle;

impl Collect for Idle {
    fn describe(&self) -> Vec<Desc> {
        vec![Desc::new("idle", "", Kind::Gauge)]
    }

    fn collect(&self, _: &mut CollectSink<'_>) {}
}

#[test]
fn each_metric_without_a_role_has_a_panel() {
    let registry = Registry::new();
    http(&registry, |layer| layer);
    let jobs = registry
        .counter_family("jobs", "Jobs done.", ["queue"])
        .unwrap();
    jobs.with(["mail"]).inc();
    registry.gauge("balance_ratio", "May be negative.").unwrap();
    registry.histogram("job_seconds", "Time of a job.").unwrap();
    let recorder = MetricsRecorder::new().registry(&registry);
    metrics::with_local_recorder(&recorder, || {
        metrics::counter!("mails", "kind" => "a").increment(1);
        metrics::counter!("mails", "result" => "b").increment(1);
    });
    let prometheus = prometheus::Registry::new();
    let calls = prometheus::IntCounter::new("library_calls_total", "Calls.").unwrap();
    prometheus.register(Box::new(calls)).unwrap();
    registry
        .collector(PrometheusCollector::new(prometheus))
        .unwrap();
    // A collector may describe metrics that it does not have.
    registry.collector(Idle).unwrap();

    let board = board(&registry);
    assert_eq!(faults(&board, &registry), [""; 0]);
    let row = "Other metrics";
    let targets = |title| targets(&board, row, title);
    let chosen = "job=~\"$job\",instance=~\"$instance\"";
    let rate = |name| format!("rate({name}{{{chosen}}}[$__rate_interval])");
    let jobs = format!("topk(20, sum by (queue) ({}))", rate("jobs_total"));
    assert_eq!(targets("jobs_total"), [jobs]);
    let mails = format!("topk(20, sum by (kind, result) ({}))", rate("mails_total"));
    assert_eq!(targets("mails_total"), [mails]);
    let calls = format!("topk(20, {})", rate("library_calls_total"));
    assert_eq!(targets("library_calls_total"), [calls]);
    let balance = format!("topk(20, balance_ratio{{{chosen}}})");
    assert_eq!(targets("balance_ratio"), [balance]);
    let median = format!(
        "histogram_quantile(0.5, sum by (le) ({})) or histogram_quantile(0.5, sum({}))",
        rate("job_seconds_bucket"),
        rate("job_seconds"),
    );
    assert_eq!(targets("job_seconds")[0], median);

    let panels = panels(&board);
    let titles = panels.iter().filter(|(in_row, _)| *in_row == row);
    let titles: Vec<_> = titles
        .map(|(_, panel)| panel["title"].as_str().unwrap())
        .collect();
    for absent in ["http_requests_total", "idle"] {
        assert!(!titles.contains(&absent), "{titles:?}");
    }
    let field = |title: &str, field: &str| {
        let panel = panels
            .iter()
            .find(|(_, panel)| panel["title"] == title)
            .unwrap();
        panel.1["fieldConfig"]["defaults"][field].clone()
    };
    assert_eq!(field("balance_ratio", "min"), Value::Null);
    assert_eq!(field("job_seconds", "min"), 0);
    assert_eq!(field("job_seconds", "unit"), "s");
    assert_eq!(field("balance_ratio", "unit"), "percentunit");
}

#[test]
fn the_row_of_other_metrics_has_at_most_100_panels() {
    let registry = Registry::new();
    for number in 0..120 {
        registry.gauge(&format!("x{number}"), "").unwrap();
    }
    assert_eq!(
        queries_of_row(&board(&registry), "Other metrics").len(),
        100
    );
}
