//! The Prometheus rules: their content, and when they alert.

mod error_outcomes;
mod first_events;
mod http;
mod job_filter;
mod llm_and_system;
mod promtool_test;
mod recorder;
mod scrape_gaps;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use promtool_test::{RuleTest, alerts, play};
use tachometer::dashboards::AlertRules;
use tachometer::{Error, LlmLayer, MetricsLayer, MetricsRouter, Registry, SystemMetrics};
use tower::ServiceExt;

use crate::dashboards::grafana::{KINDS, otlp, registry};
use crate::support::example::command;
use crate::support::program::{Folder, filter, promtool};
use crate::support::prometheus::third;

/// A promtool, and whether it reads names that are not classic.
struct Tool {
    promtool: PathBuf,
    utf8: bool,
}

/// Returns those that there are: the one on the path, and that of a Prometheus 3.
fn tools() -> Vec<Tool> {
    let usual = promtool().then(|| Tool {
        promtool: "promtool".into(),
        utf8: false,
    });
    let third = third().and_then(|prometheus| {
        let promtool = prometheus.with_file_name("promtool");
        // It is a package of its own, and may be missing.
        promtool.exists().then_some(Tool {
            promtool,
            utf8: true,
        })
    });
    usual.into_iter().chain(third).collect()
}

/// Returns the rules of a registry that has everything under its usual name, of which 995 of
/// 1,000 requests are to end well.
fn complete_rules() -> String {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry);
    let layer = layer.service_level("/pay", Duration::from_millis(250));
    let _ = layer.try_register().unwrap();
    let _ = LlmLayer::new().registry(&registry).try_register().unwrap();
    otlp(&registry);
    SystemMetrics::new().register(&registry).unwrap();
    let rules = AlertRules::new().availability(0.995).unwrap();
    rules.to_yaml(&registry)
}

#[test]
fn the_defaults_of_rules_are_as_documented() {
    let rules = AlertRules::new().to_yaml(&registry("all"));
    for condition in [
        ":ratio_rate1h > 0.0144 and",
        ":ratio_rate6h > 0.006 and",
        ":ratio_rate1d > 0.003 and",
        ":ratio_rate3d > 0.001 and",
        "job:http_requests_errors_per_request:ratio_rate5m > 0.05 and",
        "job:http_request_duration_seconds:p99_rate5m > 1 and",
        "job_model:llm_requests_errors_per_request:ratio_rate5m > 0.1 and",
        "job_model:llm_time_to_first_token_seconds:p95_rate5m > 5\"",
        "job:llm_cost_usd:increase1h > 10\"",
        "((llm_rate_limit_remaining / llm_rate_limit) unless (llm_rate_limit_reset_seconds < 1)) \
         < 0.1\"",
    ] {
        assert!(rules.contains(condition), "{condition}: {rules}");
    }
}

#[test]
fn promtool_reads_the_rules_of_every_registry_with_any_settings() {
    let settings = || -> Result<[AlertRules; 3], Error> {
        Ok([
            AlertRules::new(),
            AlertRules::new()
                .error_ratio(f64::MIN_POSITIVE)?
                .availability(0.9)?
                .latency(Duration::ZERO)
                .llm_error_ratio(0.999_999)?
                .time_to_first_token(Duration::from_nanos(1))
                .cost_per_hour(0.0)?
                .rate_limit_remaining(1e-9)?,
            AlertRules::new()
                .availability(1.0 - f64::EPSILON)?
                .latency(Duration::MAX)
                .time_to_first_token(Duration::MAX)
                .cost_per_hour(f64::MAX)?,
        ])
    };
    for Tool { promtool, utf8 } in tools() {
        for (kind, _) in KINDS {
            if kind.contains("UTF-8") && !utf8 {
                continue;
            }
            let registry = registry(kind);
            for settings in settings().unwrap() {
                let folder = Folder::new();
                let file = folder.0.join("rules.yml");
                let rules = settings.to_yaml(&registry);
                std::fs::write(&file, &rules).unwrap();
                let mut command = Command::new(&promtool);
                let said = filter(command.args(["check", "rules"]).arg(&file), "");
                let count =
                    rules.matches("- alert: ").count() + rules.matches("- record: ").count();
                assert!(
                    said.contains(&format!("{count} rules found")),
                    "{kind}: {said}"
                );
            }
        }
    }
}

#[test]
fn the_example_writes_a_board_and_rules_that_promtool_reads() {
    let folder = Folder::new();
    let said = filter(command("board").arg(&folder.0), "");
    let files: Vec<_> = said.lines().map(PathBuf::from).collect();
    let names = ["shop.json", "shop.rules.yml"].map(|name| folder.0.join(name));
    assert_eq!(files, names);
    let board = std::fs::read_to_string(&files[0]).unwrap();
    let board: serde_json::Value = serde_json::from_str(&board).unwrap();
    assert_eq!(board["title"], "Shop");
    for Tool { promtool, .. } in tools() {
        let mut command = Command::new(&promtool);
        let said = filter(command.args(["check", "rules"]).arg(&files[1]), "");
        assert!(said.contains("rules found"), "{said}");
    }
}

#[tokio::test]
async fn the_router_serves_its_rules() {
    let registry = registry("http");
    let rules = AlertRules::new().error_ratio(0.25).unwrap();
    let router: Router = MetricsRouter::new()
        .registry(&registry)
        .without_system_metrics()
        .alert_rules(rules.clone())
        .build();
    let request = Request::get("/rules.yml").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/yaml");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, rules.to_yaml(&registry));
}

/// Each alert is about metrics that the registry has.
#[test]
fn a_registry_gets_alerts_only_for_metrics_that_it_has() {
    let self_metrics = [
        "MetricCollectorHangs",
        "MetricCollectorPanicked",
        "MetricSeriesOverflow",
        "MetricSeriesRefused",
    ];
    let http = [
        "HttpErrorBudgetBurn",
        "HttpHighErrorRatio",
        "HttpHighLatency",
    ];
    let llm = [
        "LlmCallsWithoutPrice",
        "LlmHighCost",
        "LlmHighErrorRatio",
        "LlmRateLimitNearlyExhausted",
        "LlmRateLimited",
        "LlmSlowFirstToken",
    ];
    for (kind, expected) in [
        ("empty", [&self_metrics[..]].concat()),
        ("http", [&http[..], &self_metrics].concat()),
        ("http by OpenTelemetry", [&http[..], &self_metrics].concat()),
        (
            "http by axum-prometheus",
            [&http[..], &self_metrics].concat(),
        ),
        (
            "otlp",
            [
                &self_metrics[..],
                &["OtlpExportsFail", "OtlpPointsRejected"],
            ]
            .concat(),
        ),
        ("llm", [&llm[..], &self_metrics].concat()),
        ("llm by OpenTelemetry", [&llm[..], &self_metrics].concat()),
    ] {
        let rules = AlertRules::new().to_yaml(&registry(kind));
        let found: Vec<_> = alerts(&rules).into_iter().collect();
        assert_eq!(found, expected, "{kind}");
    }
}

/// Prometheus stores the job of the target as `job`, and an exposed label of that name as
/// `exported_job`.
#[test]
fn a_label_called_job_or_instance_does_not_merge_the_jobs() {
    let rules = AlertRules::new().to_yaml(&registry("http with labels of targets"));
    let custom = |outcome: &str, tenant: &str| {
        format!(
            "exported_job=\"{tenant}\",exported_instance=\"x\",route=\"/\",outcome=\"{outcome}\""
        )
    };
    let scene = RuleTest::new("one of two tenants fails", 30)
        .grows("http_requests_total", &custom("ok", "a"), 940.0)
        .grows("http_requests_total", &custom("panic", "b"), 60.0)
        .fires(
            "HttpHighErrorRatio",
            "page",
            &[],
            "The error ratio of HTTP requests is high.",
            "6% of the requests to it failed because of the service in the last 5 minutes.",
        )
        .fires(
            "HttpErrorBudgetBurn",
            "page",
            &[],
            "The error budget of HTTP requests burns too fast.",
            "6% of the requests to it failed over the long window.",
        );
    for Tool { promtool, .. } in tools() {
        play(&promtool, &rules, std::slice::from_ref(&scene));
    }
}

#[test]
fn names_in_utf8_stay_as_they_are_through_yaml_and_the_query() {
    let rules = AlertRules::new().to_yaml(&registry("all in UTF-8"));
    // As PromQL writes the label that the registry has: a quote, a backslash and the end of
    // a line are escaped there.
    let hostile = "\"Läufer \\\"x\\\"\\\\\u{85}\u{1F600}\\n{{ $labels.job }}\"";
    let of = |outcome: &str, value: &str| {
        format!("{hostile}=\"{value}\",route=\"/\",outcome=\"{outcome}\"")
    };
    let requests = "\"my.shop/ä.http_requests_total\"";
    let scene = RuleTest::new("one of two kinds fails", 30)
        .grows(requests, &of("ok", "a"), 940.0)
        .grows(requests, &of("panic", "b"), 60.0)
        .fires(
            "HttpHighErrorRatio",
            "page",
            &[],
            "The error ratio of HTTP requests is high.",
            "6% of the requests to it failed because of the service in the last 5 minutes.",
        )
        .fires(
            "HttpErrorBudgetBurn",
            "page",
            &[],
            "The error budget of HTTP requests burns too fast.",
            "6% of the requests to it failed over the long window.",
        );
    for tool in tools().iter().filter(|tool| tool.utf8) {
        play(&tool.promtool, &rules, std::slice::from_ref(&scene));
    }
}

#[test]
fn settings_and_metric_names_appear_in_the_alerts() {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry).otel_names();
    let layer = layer
        .prefix("shop_")
        .service_level("/pay", Duration::from_secs(2));
    let _ = layer.try_register().unwrap();
    let rules = AlertRules::new()
        .error_ratio(0.5)
        .and_then(|rules| rules.availability(0.95))
        .unwrap()
        .latency(Duration::from_millis(200))
        .to_yaml(&registry);
    let of = |outcome: &str| format!("http_route=\"/\",outcome=\"{outcome}\"");
    let requests = |name, failures: f64| {
        RuleTest::new(name, 30)
            .grows(
                "shop_http_server_requests_total",
                &of("ok"),
                1_000.0 - failures,
            )
            .grows("shop_http_server_requests_total", &of("panic"), failures)
    };
    let level = "http_route=\"/pay\",within=\"2\"";
    let seconds = "shop_http_server_request_duration_seconds";
    let buckets = [("0.1", 0.0), ("0.5", 1_000.0), ("+Inf", 1_000.0)];
    let scenes = [
        requests("half of them", 510.0)
            .fires(
                "HttpHighErrorRatio",
                "page",
                &[],
                "The error ratio of HTTP requests is high.",
                "51% of the requests to it failed because of the service in the last 5 minutes.",
            )
            .fires(
                "HttpErrorBudgetBurn",
                "page",
                &[],
                "The error budget of HTTP requests burns too fast.",
                "51% of the requests to it failed over the long window.",
            ),
        requests("less than the budget", 49.0),
        requests("slow ones", 0.0)
            .spread(seconds, "http_route=\"/\"", &buckets)
            .fires(
                "HttpHighLatency",
                "ticket",
                &[],
                "The 99th percentile of the HTTP request duration is high.",
                "1 % of the requests to it took longer than 496ms in the last 5 minutes.",
            ),
        RuleTest::new("a level", 30)
            .grows(
                "shop_http_server_service_level_requests_total",
                level,
                100.0,
            )
            .grows(
                "shop_http_server_service_level_good_requests_total",
                level,
                50.0,
            )
            .fires(
                "HttpServiceLevelBurn",
                "page",
                &[("http_route", "/pay"), ("within", "2")],
                "The error budget of a service level burns too fast.",
                "50% of the requests to /pay of it failed or took longer than 2 s over the long \
                 window.",
            ),
    ];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &rules, &scenes);
    }
}

#[test]
fn invalid_settings_are_errors_with_name_value_and_remedy() {
    type Set = fn(AlertRules, f64) -> Result<AlertRules, Error>;
    let shares: [(&str, &str, Set); 4] = [
        ("error ratio", "0.05", AlertRules::error_ratio),
        ("availability", "0.999", AlertRules::availability),
        ("LLM error ratio", "0.1", AlertRules::llm_error_ratio),
        (
            "remaining rate limit",
            "0.1",
            AlertRules::rate_limit_remaining,
        ),
    ];
    for (name, usual, set) in shares {
        for value in [
            0.0,
            -0.0,
            1.0,
            1.5,
            -0.1,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            let error = set(AlertRules::new(), value).unwrap_err();
            assert!(error.is_invalid_rule(), "{name} {value}");
            assert_eq!(
                error.to_string(),
                format!(
                    "the {name} {value} of the alert rules is not between 0 and 1: use a \
                     fraction, such as {usual}"
                )
            );
        }
    }
    for value in [-1.0, f64::NAN, f64::INFINITY] {
        let error = AlertRules::new().cost_per_hour(value).unwrap_err();
        assert!(error.is_invalid_rule(), "{value}");
        assert_eq!(
            error.to_string(),
            format!(
                "the cost per hour {value} of the alert rules is not an amount of dollars: \
                 use a number from 0, such as 10"
            )
        );
    }
}
