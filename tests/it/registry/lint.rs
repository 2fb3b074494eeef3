//! The lint of a registry compared with promtool.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use http_body_util::BodyExt;
use tachometer::llm::{Outcome, Price, PriceTable, Usage};
use tachometer::registry::{Collect, CollectSink};
use tachometer::snapshot::{Desc, Kind};
use tachometer::{LlmLayer, MetricsLayer, MetricsRouter, Registry};
use tower::ServiceExt;

use crate::support::program::{output, promtool};

type Findings = BTreeSet<(String, &'static str)>;

/// Names that break one rule, several rules, or almost one.
const COUNTERS: [&str; 16] = [
    "done_total",
    "jobs",
    "jobs_count",
    "jobs_sum_total",
    "jobs_bucket",
    "job_counter",
    "counter_jobs",
    "waited_ms_total",
    "waited_minutes",
    "read_bits_total",
    "read_kb",
    "read_bytes",
    "jobs:rate",
    "jobsDone_total",
    "JOBS_DONE",
    "total",
];
const GAUGES: [&str; 38] = [
    "open",
    "open_total",
    "open_total_jobs",
    "open_count",
    "open_sum",
    "open_bucket",
    "open_bucket_size",
    "counts",
    "sum",
    "open_gauge",
    "open_Gauge_jobs",
    "gauge_open",
    "fuel_gauges",
    "open_untyped",
    "level:open",
    ":open",
    "openJobs",
    "Open_Jobs",
    "HTTPopen",
    "a9B",
    "job_wait_s",
    "job_wait_S",
    "s_of_job",
    "_s",
    "job__m__wait",
    "job_wait_secs",
    "job_wait_sec_longest",
    "heap_mb",
    "heap_mib",
    "heap_d_b_h",
    "minutes",
    "job_Minutes",
    "job_minute",
    "water_celsius",
    "water_fahrenheit",
    "thermometers",
    "track_kilometers_s",
    "rooms",
];
const HISTOGRAMS: [&str; 8] = [
    "run_seconds",
    "run_milliseconds",
    "run_ns",
    "run_count",
    "run_bucket",
    "run_total",
    "run_histogram",
    "runSeconds",
];

/// Names on which versions or runs of promtool differ.
const DISPUTED: [(&str, &str); 4] = [
    ("read_bytes_per_minutes", "base_unit"),
    ("wait_minutes_per_bytes", "base_unit"),
    ("open_histogram_jobs", "type_in_name"),
    ("open_summary", "type_in_name"),
];

/// Returns the findings of promtool for a registry's scrape.
fn promtool_findings(registry: &Registry) -> Findings {
    let mut command = Command::new("promtool");
    let command = command.args(["check", "metrics"]);
    let output = output(command, &registry.export_prometheus());
    let said = String::from_utf8(output.stderr).unwrap();
    // Exit code 3 means findings; invalid input has another one.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    said.lines().map(finding).collect()
}

/// Reads a line of promtool's.
fn finding(line: &str) -> (String, &'static str) {
    let expected = [
        ("no help text", "missing_help"),
        ("use base unit", "base_unit"),
        ("\"_total\" suffix", "total_suffix"),
        ("\"_bucket\" suffix", "reserved_name"),
        ("\"_count\" suffix", "reserved_name"),
        ("\"_sum\" suffix", "reserved_name"),
        ("should not include type", "type_in_name"),
        ("should not contain ':'", "colon"),
        ("'snake_case'", "camel_case"),
        ("abbreviated units", "abbreviated_unit"),
        ("not unique", "duplicate_series"),
    ];
    let (metric, text) = line.split_once(' ').unwrap();
    let rule = expected.iter().find(|(part, _)| text.contains(part));
    let Some((_, rule)) = rule else {
        panic!("promtool has a rule that is new: {line}");
    };
    (metric.to_owned(), *rule)
}

/// Returns the findings of the registry.
fn linted(registry: &Registry) -> Findings {
    let lints = registry.lint().into_iter();
    lints
        .map(|lint| (lint.metric().to_owned(), lint.rule()))
        .collect()
}

/// Families of a collector, with and without findings.
struct Pool;

impl Collect for Pool {
    fn describe(&self) -> Vec<Desc> {
        vec![
            Desc::new("pool_connections", "Connections.", Kind::Gauge),
            Desc::new("pool_wait_hours", "", Kind::Counter),
        ]
    }

    fn collect(&self, collected: &mut CollectSink<'_>) {
        collected.gauge("pool_connections", [("poolName", "a"), ("x", "b")], 1);
        collected.gauge("pool_connections", [("x", "b"), ("poolName", "a")], 1);
        collected.counter("pool_wait_hours", [], 1);
    }
}

#[test]
fn the_lint_of_a_registry_agrees_with_promtool() {
    if !promtool() {
        return;
    }
    let registry = Registry::new();
    for name in COUNTERS {
        registry.counter(name, "Help.").unwrap();
    }
    for name in GAUGES {
        registry.gauge(name, "Help.").unwrap();
    }
    for name in HISTOGRAMS {
        registry.histogram(name, "Help.").unwrap();
    }
    for (number, help) in ["", " ", "\t", "\n", " x "].into_iter().enumerate() {
        registry.gauge(&format!("help_{number}"), help).unwrap();
    }
    let jobs = registry.gauge_family("labelled", "Help.", ["userId", "a_b", "ID"]);
    let jobs = jobs.unwrap();
    jobs.with(["1", "", "2"]).set(1);
    jobs.with(["2", "", "2"]).set(1);
    let scoped = registry.clone().with_prefix("shop_").unwrap();
    let scoped = scoped.with_labels([("shopName", "a")]).unwrap();
    scoped.counter("sales_minutes", "").unwrap();
    registry.collector(Pool).unwrap();

    let linted = linted(&registry);
    assert_eq!(linted, promtool_findings(&registry));
    // Registries refuse what would break the last rule.
    for rule in [
        "missing_help",
        "base_unit",
        "total_suffix",
        "reserved_name",
        "type_in_name",
        "colon",
        "camel_case",
        "abbreviated_unit",
    ] {
        let broken = linted.iter().any(|(_, broken)| *broken == rule);
        assert!(broken, "{rule:?} is broken by no metric");
    }
}

#[test]
fn the_lint_knows_the_units_of_promtool() {
    if !promtool() {
        return;
    }
    // The first one keeps a unit as a separate word.
    let prefixes = "_ pico nano micro milli centi deci deca hecto kilo mega giga tera peta exa \
                    kibi mibi mebi gibi tebi pebi exbi femto";
    let units = "seconds minutes hours days weeks months years bytes bits nibbles meters metres \
                 inches feet yards miles grams pounds ounces joules calories celsius fahrenheit \
                 rankine kelvin kelvins volts amperes watts hertz ratio percent moles";
    let short = "s ms us ns ps sec secs min m h hr d w b kb mb gb tb pb eb kib k v a g";
    let registry = Registry::new();
    for prefix in prefixes.split_whitespace() {
        for unit in units.split_whitespace() {
            let name = format!("x_{prefix}{unit}");
            registry.gauge(&name, "Help.").unwrap();
        }
    }
    for word in short.split_whitespace() {
        registry.gauge(&format!("x_{word}"), "Help.").unwrap();
        registry.gauge(&format!("{word}_x"), "Help.").unwrap();
    }
    assert_eq!(linted(&registry), promtool_findings(&registry));
}

#[test]
fn the_lint_covers_rules_of_every_version_of_promtool() {
    let registry = Registry::new();
    for (name, _) in DISPUTED {
        registry.gauge(name, "Help.").unwrap();
    }
    let linted = linted(&registry);
    let disputed = DISPUTED.map(|(name, rule)| (name.to_owned(), rule));
    assert_eq!(linted, disputed.into());
    if promtool() {
        assert!(promtool_findings(&registry).is_subset(&linted));
    }
}

#[test]
fn families_without_series_are_linted_and_the_result_is_sorted() {
    let registry = Registry::new();
    let scoped = registry.clone().with_labels([("shopName", "a")]).unwrap();
    scoped.gauge_family("b", "Help.", ["kind"]).unwrap();
    registry.gauge_family("c_ms", "", ["userId"]).unwrap();
    registry.counter_family("a", "", ["kind"]).unwrap();
    let lints = registry.lint();
    let found: Vec<_> = lints.iter().map(|l| (l.metric(), l.rule())).collect();
    assert_eq!(
        found,
        [
            ("a_total", "missing_help"),
            ("b", "camel_case"),
            ("c_ms", "missing_help"),
            ("c_ms", "camel_case"),
            ("c_ms", "abbreviated_unit"),
        ]
    );
    assert_eq!(
        lints[4].to_string(),
        "the gauge \"c_ms\" has `ms` in its name, which looks like an abbreviated unit: \
         write seconds, or another word"
    );
}

#[tokio::test]
async fn metrics_of_the_layer_and_self_metrics_are_lint_clean() {
    let registry = Registry::new();
    let app = Router::new()
        .route("/", get(async || "home"))
        .layer(MetricsLayer::new().registry(&registry));
    let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
    response.into_body().collect().await.unwrap();
    // Makes the registry export all of its self-metrics.
    registry.gauge_fn("queue_depth", "Jobs.", || 7).unwrap();
    registry.counter("jobs", "Jobs.").unwrap().inc_by(-1);
    let tenants = registry.counter_family("tenants", "Tenants.", ["tenant"]);
    let tenants = tenants.unwrap().expire_after(Duration::MAX);
    tenants.with(["a"]).inc();
    let scrape = registry.export_prometheus();
    for name in [
        "http_requests_total",
        "tachometer_collector_panics_total",
        "tachometer_invalid_observations_total",
        "tachometer_series",
        "tachometer_series_expired_total",
        "tachometer_series_overflow_total",
    ] {
        assert!(scrape.contains(&format!("# TYPE {name} ")), "{name}");
    }
    assert_eq!(registry.lint(), []);
}

#[test]
fn all_metrics_of_the_crate_are_lint_clean() {
    let registry = Registry::new();
    let prices = PriceTable::new().model("m", Price::per_million(1.0, 1.0));
    let llm = LlmLayer::new().registry(&registry).prices(prices);
    let mut call = llm.route_metrics().start_call("p", "m", "chat");
    call.set_usage(Usage::new().input(1).output(1).cache_read(1));
    call.finish(Outcome::Success);
    registry.record_llm_request(Duration::from_secs(1), false, 0, "m");
    let layer = MetricsLayer::new().registry(&registry);
    let layer = layer
        .time_to_head()
        .time_to_first_byte()
        .body_sizes()
        .grpc_status_label();
    let _service = tower::Layer::layer(
        &layer,
        tower::service_fn(async |_: Request<Body>| Ok::<_, ()>(())),
    );
    let _router: Router = MetricsRouter::new().registry(&registry).build();
    registry.update_system_metrics();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    registry.register_tokio_metrics(runtime.handle()).unwrap();

    assert_eq!(registry.lint(), []);
    if promtool() {
        assert_eq!(promtool_findings(&registry), Findings::new());
    }
}
