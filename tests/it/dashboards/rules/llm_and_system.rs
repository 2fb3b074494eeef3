//! When rules about LLM calls, the process and the registry alert.

use super::promtool_test::{RuleTest, alerts, play};
use super::{Tool, complete_rules, tools};

const MODEL: &str = "provider=\"openai\",model=\"m\",operation=\"chat\"";
/// The labels of an alert about a model.
pub(super) const OF_MODEL: [(&str, &str); 2] = [("provider", "openai"), ("model", "m")];
/// Those of one about an instance.
const OF_ONE: [(&str, &str); 2] = [("instance", "a:1"), ("pod", "a")];

/// Of 100 calls per minute this many end with this outcome and error.
fn ending(name: &'static str, times: f64, outcome: &str, error: &str) -> RuleTest {
    let requests = |outcome: &str| format!("{MODEL},outcome=\"{outcome}\"");
    RuleTest::new(name, 30)
        .grows("llm_requests_total", &requests("success"), 60.0)
        .other_grows("llm_requests_total", &requests("success"), 40.0 - times)
        .other_grows("llm_requests_total", &requests(outcome), times)
        .other_grows(
            "llm_requests_error_total",
            &format!("{MODEL},error_type=\"{error}\""),
            times,
        )
}

#[test]
fn alerts_on_failed_and_refused_calls_fire_from_their_share_on() {
    let failed = |scene: RuleTest, percent: &str| {
        let description = format!(
            "{percent} of the calls of m by it failed or were cut off in the last 5 minutes."
        );
        let summary = "The error ratio of a model's LLM calls is high.";
        scene.fires(
            "LlmHighErrorRatio",
            "page",
            &OF_MODEL,
            summary,
            &description,
        )
    };
    let limited = |scene: RuleTest, percent: &str| {
        let description =
            format!("{percent} of the calls of m by it were rate limited in the last 5 minutes.");
        let summary = "A provider rejects LLM calls because of its rate limit.";
        scene.fires("LlmRateLimited", "ticket", &OF_MODEL, summary, &description)
    };
    let few = |name, by: f64| {
        let labels = format!("{MODEL},outcome=\"error\"");
        RuleTest::new(name, 30).grows("llm_requests_total", &labels, by)
    };
    let scenes = [
        failed(ending("11 errors", 11.0, "error", "server_error"), "11%"),
        ending("9 errors", 9.0, "error", "server_error"),
        failed(
            ending("11 break off", 11.0, "truncated", "truncated"),
            "11%",
        ),
        ending("20 are cancelled", 20.0, "cancelled", "none"),
        limited(ending("6 are refused", 6.0, "error", "rate_limited"), "6%"),
        ending("4 are refused", 4.0, "error", "rate_limited"),
        few("one in two minutes", 0.5),
        failed(few("seven in ten minutes", 0.7), "100%"),
    ];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}

#[test]
fn the_alert_on_the_first_token_fires_above_its_time() {
    let begins = |name, quick: f64| {
        let buckets = [
            ("2.5", quick / 2.0),
            ("5", quick),
            ("10", 100.0),
            ("+Inf", 100.0),
        ];
        RuleTest::new(name, 20).spread("llm_time_to_first_token_seconds", MODEL, &buckets)
    };
    let slow = begins("ten of a hundred are slow", 90.0).fires(
        "LlmSlowFirstToken",
        "ticket",
        &OF_MODEL,
        "The time to first token of a model is high.",
        "5 % of the streamed responses of m to it took longer than 7.5s to the first token in the \
         last 5 minutes.",
    );
    let scenes = [slow, begins("four of a hundred are slow", 96.0)];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}

#[test]
fn alerts_on_cost_fire_for_spending_and_for_unpriced_calls() {
    let source = |source: &str| format!("{MODEL},source=\"{source}\"");
    let spends = |name, an_hour: f64| {
        let half = an_hour / 120.0;
        RuleTest::new(name, 90)
            .grows("llm_cost_usd_total", &source("table"), half)
            .other_grows("llm_cost_usd_total", &source("reported"), half)
    };
    let much = spends("10.5 dollars", 10.5).fires(
        "LlmHighCost",
        "ticket",
        &[],
        "The cost per hour of LLM calls is high.",
        "The LLM calls of it cost 10.5 US dollars in the last hour.",
    );
    let reason = format!("{MODEL},reason=\"model\"");
    let unpriced = |name, minutes| {
        RuleTest::new(name, minutes).grows("llm_unpriced_requests_total", &reason, 2.0)
    };
    let given_up = format!("{MODEL},reason=\"usage\"");
    let given_up = RuleTest::new("calls are given up for two hours", 125).grows(
        "llm_unpriced_requests_total",
        &given_up,
        2.0,
    );
    let of_reason = [OF_MODEL[0], OF_MODEL[1], ("reason", "model")];
    let scene = unpriced("no price for two hours", 125).fires(
        "LlmCallsWithoutPrice",
        "ticket",
        &of_reason,
        "There is no price for some LLM calls of a model.",
        "Calls of m by it without a price in the last hour: 120. Reason: model.",
    );
    let scenes = [
        much,
        spends("9.5 dollars", 9.5),
        scene,
        given_up,
        unpriced("no price for half an hour", 30),
        RuleTest::new("all have a price", 125).grows("llm_unpriced_requests_total", &reason, 0.0),
    ];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}

#[test]
fn the_alert_on_a_rate_limit_fires_if_any_replica_has_little_remaining() {
    let left = |name, left: f64| {
        let requests = format!("{MODEL},kind=\"requests\"");
        let tokens = format!("{MODEL},kind=\"tokens\"");
        RuleTest::new(name, 10)
            .stays("llm_rate_limit_remaining", &requests, left)
            .stays("llm_rate_limit", &requests, 60.0)
            .other_stays("llm_rate_limit_remaining", &requests, 55.0)
            .other_stays("llm_rate_limit", &requests, 60.0)
            .stays("llm_rate_limit_remaining", &tokens, 90_000.0)
            .stays("llm_rate_limit", &tokens, 100_000.0)
    };
    let little = left("5.7 of 60", 5.7).fires(
        "LlmRateLimitNearlyExhausted",
        "ticket",
        &[OF_MODEL[0], OF_MODEL[1], ("kind", "requests")],
        "A provider's rate limit is nearly exhausted.",
        "9.5% of the rate limit of requests for m remain to it.",
    );
    let scenes = [little, left("6.3 of 60", 6.3)];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}

#[test]
fn the_alert_on_a_rate_limit_ignores_one_that_is_full_again_within_a_second() {
    let requests = format!("{MODEL},kind=\"requests\"");
    let left = |name, left: f64| {
        RuleTest::new(name, 10)
            .stays("llm_rate_limit_remaining", &requests, left)
            .stays("llm_rate_limit", &requests, 60.0)
            .other_stays("llm_rate_limit_remaining", &requests, 55.0)
            .other_stays("llm_rate_limit", &requests, 60.0)
            .other_stays("llm_rate_limit_reset_seconds", &requests, 0.006)
    };
    let reset =
        |name, reset: f64| left(name, 3.0).stays("llm_rate_limit_reset_seconds", &requests, reset);
    let fires = |scene: RuleTest| {
        scene.fires(
            "LlmRateLimitNearlyExhausted",
            "ticket",
            &[OF_MODEL[0], OF_MODEL[1], ("kind", "requests")],
            "A provider's rate limit is nearly exhausted.",
            "5% of the rate limit of requests for m remain to it.",
        )
    };
    let tokens = format!("{MODEL},kind=\"tokens\"");
    let scenes = [
        reset("full again in half a second", 0.5),
        fires(reset("full again in a second", 1.0)),
        fires(reset("full again in 30 seconds", 30.0)),
        fires(left("the reset is not reported", 3.0)),
        // The reset of another limit says nothing of this one.
        fires(left("another reset", 3.0).stays("llm_rate_limit_reset_seconds", &tokens, 0.5)),
    ];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}

#[test]
fn alerts_on_file_descriptors_and_memory_fire_before_they_run_out() {
    let files = |name, open: f64| {
        RuleTest::new(name, 20)
            .stays("process_open_fds", "", open)
            .stays("process_max_fds", "", 100.0)
    };
    let memory = |name, used: f64| {
        RuleTest::new(name, 20)
            .stays("container_memory_bytes", "", used)
            .stays("container_memory_reclaimable_bytes", "", 30.0)
            .stays("container_memory_limit_bytes", "", 100.0)
    };
    let mut scenes = vec![
        files("81 of 100 files", 81.0).fires(
            "ProcessOpenFilesNearLimit",
            "page",
            &OF_ONE,
            "A process has almost as many open files as its limit allows.",
            "a:1 uses 81% of its limit of open file descriptors.",
        ),
        files("79 of 100 files", 79.0),
    ];
    let rules = complete_rules();
    // This machine may have no limit, and so no such rule.
    if alerts(&rules).contains("ContainerMemoryNearLimit") {
        scenes.extend([
            memory("91 of 100 bytes, and a cache", 121.0).fires(
                "ContainerMemoryNearLimit",
                "page",
                &OF_ONE,
                "A container uses almost as much memory as its limit allows.",
                "The container of a:1 uses 91% of its memory limit, without the file cache.",
            ),
            memory("89 of 100 bytes, and a cache", 119.0),
        ]);
    }
    for Tool { promtool, .. } in tools() {
        play(&promtool, &rules, &scenes);
    }
}

#[test]
fn alerts_on_exports_fire_if_most_fail_and_if_points_are_rejected() {
    let exports = |name, failed, rejected, success, partial| {
        let mut scene = RuleTest::new(name, 40);
        for (result, values) in [
            ("failed", failed),
            ("rejected", rejected),
            ("success", success),
            ("partial", partial),
        ] {
            let labels = format!("result=\"{result}\"");
            scene = scene.with_series("tachometer_otlp_exports_total", &labels, values);
        }
        scene
    };
    let fails = |scene: RuleTest| {
        scene.fires(
            "OtlpExportsFail",
            "ticket",
            &[],
            "Most exports over OTLP fail.",
            "More exports over OTLP of it failed than succeeded in the last 15 minutes. The log \
             of the service has the reason.",
        )
    };
    let points = |name, values| {
        RuleTest::new(name, 5).with_series("tachometer_otlp_rejected_points_total", "", values)
    };
    let scenes = [
        fails(exports("all fail", "0+1x40", "0x40", "0x40", "0x40")),
        fails(exports(
            "all are rejected",
            "0x40",
            "1+1x40",
            "0x40",
            "0x40",
        )),
        fails(exports(
            "two of three fail",
            "0+1x40",
            "0+1x40",
            "0+1x40",
            "0x40",
        )),
        exports("one of three fails", "0+1x40", "0x40", "0+2x40", "0x40"),
        exports(
            "some points are rejected",
            "0+1x40",
            "0x40",
            "0x40",
            "0+1x40",
        ),
        exports("they failed long ago", "9x40", "0x40", "5+1x40", "0x40"),
        points("points are rejected", "0x2 7x10").fires(
            "OtlpPointsRejected",
            "ticket",
            &[],
            "The receiver of OTLP rejected a part of the metrics.",
            "The receiver rejected points of it in the last 15 minutes. The log of the receiver \
             has the reason.",
        ),
    ];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}

#[test]
fn alerts_on_the_metrics_themselves_fire_at_once_and_end() {
    let metric = "metric=\"http_requests_total\"";
    let over = |name, minutes, values| {
        RuleTest::new(name, minutes).with_series("tachometer_series_overflow_total", metric, values)
    };
    let panics = |name, minutes, values| {
        RuleTest::new(name, minutes).with_series("tachometer_collector_panics_total", "", values)
    };
    let refused = |name, minutes, values| {
        let labels = "collector=\"prometheus\"";
        RuleTest::new(name, minutes).with_series("tachometer_series_refused_total", labels, values)
    };
    let skips = |name, minutes, values| {
        RuleTest::new(name, minutes).with_series("tachometer_collector_skips_total", "", values)
    };
    let scenes = [
        over("one value too many", 5, "0x2 1x10").fires(
            "MetricSeriesOverflow",
            "ticket",
            &[("metric", "http_requests_total")],
            "A label of a metric has more values than its limit.",
            "Label values of http_requests_total in it were replaced by `_overflow`: raise the \
             limit of the metric, or use fewer label values.",
        ),
        over("one value too many, long ago", 30, "0x2 1x30"),
        panics("a panic", 5, "0x2 1x10").fires(
            "MetricCollectorPanicked",
            "ticket",
            &[],
            "A collector panicked, and its metrics were omitted.",
            "A collector of it panicked in the last 15 minutes. The log of the service has the \
             location.",
        ),
        panics("a panic, long ago", 30, "0x2 1x30"),
        refused("a conflict", 5, "0x2 1x10").fires(
            "MetricSeriesRefused",
            "ticket",
            &[("collector", "prometheus")],
            "Series of a collector or of another library were left out.",
            "Series of prometheus in it were left out. The log of the service has the names of the \
             metrics and the reasons.",
        ),
        refused("a conflict, long ago", 30, "0x2 1x30"),
        skips("a collector hangs", 5, "0x2 1x10").fires(
            "MetricCollectorHangs",
            "ticket",
            &[],
            "A call of a collector has not returned, and its metrics are omitted.",
            "A call of a collector of it took longer than 10 seconds. The log of the service has \
             its name.",
        ),
        skips("a collector hung, long ago", 30, "0x2 1x30"),
    ];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}
