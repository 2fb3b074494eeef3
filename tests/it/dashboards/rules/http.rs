//! When rules about requests alert.

use tachometer::dashboards::AlertRules;

use super::promtool_test::{RuleTest, play};
use super::{Tool, complete_rules, registry, tools};

const REQUESTS: &str = "http_requests_total";
const OK: &str = "method=\"GET\",route=\"/\",status=\"200\",outcome=\"ok\"";
const BAD: &str = "method=\"GET\",route=\"/\",status=\"500\",outcome=\"server_error\"";
const BROKEN: &str = "method=\"GET\",route=\"/b\",status=\"200\",outcome=\"body_error\"";
const REFUSED: &str = "method=\"GET\",route=\"/\",status=\"404\",outcome=\"client_error\"";

/// Of 1,000 requests per minute this many fail, on two replicas and in two ways.
fn failing(name: &'static str, minutes: u32, failures: f64) -> RuleTest {
    RuleTest::new(name, minutes)
        .grows(REQUESTS, OK, 600.0)
        .other_grows(REQUESTS, REFUSED, 400.0 - failures)
        .other_grows(REQUESTS, BAD, failures - 1.0)
        .grows(REQUESTS, BROKEN, 1.0)
}

pub(super) fn share(scene: RuleTest, percent: &str) -> RuleTest {
    let description = format!(
        "{percent} of the requests to it failed because of the service in the last 5 minutes."
    );
    scene.fires(
        "HttpHighErrorRatio",
        "page",
        &[],
        "The error ratio of HTTP requests is high.",
        &description,
    )
}

pub(super) fn burn(scene: RuleTest, severity: &str, percent: &str) -> RuleTest {
    let summary = "The error budget of HTTP requests burns too fast.";
    let description = format!("{percent} of the requests to it failed over the long window.");
    scene.fires("HttpErrorBudgetBurn", severity, &[], summary, &description)
}

#[test]
fn alerts_on_errors_fire_from_their_share_on_and_not_below_it() {
    let scenes = [
        burn(share(failing("5.1 %", 30, 51.0), "5.1%"), "page", "5.1%"),
        burn(failing("4.9 %", 30, 49.0), "page", "4.9%"),
        burn(failing("5.1 %, for 9 minutes", 9, 51.0), "page", "5.1%"),
        burn(failing("2 % for hours", 180, 20.0), "ticket", "2%"),
        // Little enough for a day, and too much for three.
        burn(failing("1.2 % for hours", 180, 12.0), "ticket", "1.2%"),
        failing("0.49 % for hours", 180, 4.9),
    ];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}

#[test]
fn a_service_that_is_down_pages_however_much_may_fail() {
    let rules = AlertRules::new().availability(0.2).unwrap();
    let rules = rules.to_yaml(&registry("all"));
    let failing = |name, failures: f64| {
        let scene = RuleTest::new(name, 30).grows(REQUESTS, OK, 1_000.0 - failures);
        scene.grows(REQUESTS, BAD, failures)
    };
    let scenes = [
        burn(share(failing("down", 910.0), "91%"), "page", "91%"),
        share(failing("much fails", 610.0), "61%"),
    ];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &rules, &scenes);
    }
}

/// Five hours without errors, so that an hour of them is little of the longer windows.
#[test]
fn a_burn_rate_over_one_hour_pages_although_that_over_six_is_low() {
    let hour = |name, failures: f64| {
        let good = 1_000.0 - failures;
        let fails = format!("0x299 {failures}+{failures}x65");
        let goes = format!("0+1000x299 {}+{good}x65", 299_000.0 + good);
        RuleTest::new(name, 365)
            .with_series(REQUESTS, OK, &goes)
            .with_series(REQUESTS, BAD, &fails)
    };
    let scenes = [
        burn(share(hour("7.3 %", 73.0), "7.3%"), "page", "7.3%"),
        share(hour("7.1 %", 71.0), "7.1%"),
    ];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}

#[test]
fn few_requests_cause_no_alert_even_if_all_fail() {
    let few = |name, by: f64| RuleTest::new(name, 120).grows(REQUESTS, BAD, by);
    let often = few("1.1 a minute", 1.1);
    // And in two hours not enough for what looks at days.
    let often = burn(share(often, "100%"), "page", "100%");
    let scenes = [
        few("0.9 a minute", 0.9),
        often,
        RuleTest::new("none", 120)
            .grows(REQUESTS, OK, 0.0)
            .grows(REQUESTS, BAD, 0.0),
        RuleTest::new("none ever", 120),
    ];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}

/// The jobs of two zones have the same name, and one of them is much bigger.
#[test]
fn jobs_of_different_zones_alert_separately() {
    let elsewhere = "job=\"it\",zone=\"y\",instance=\"c:1\"";
    let scene =
        failing("one zone fails", 30, 60.0).with_series_of(elsewhere, REQUESTS, OK, "0+100000x30");
    let seconds = "http_request_duration_seconds_bucket";
    let (quick_requests, all_of) = ("method=\"GET\",le=\"1\"", "method=\"GET\",le=\"+Inf\"");
    let scene = scene
        .with_series_of(elsewhere, seconds, quick_requests, "0+100000x30")
        .with_series_of(elsewhere, seconds, all_of, "0+100000x30")
        .grows(seconds, quick_requests, 900.0)
        .grows(seconds, "method=\"GET\",le=\"2\"", 1_000.0)
        .grows(seconds, all_of, 1_000.0);
    let scene = burn(share(scene, "6%"), "page", "6%");
    let scenes = [slow(scene, "1.9s")];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}

fn slow(scene: RuleTest, time: &str) -> RuleTest {
    let description =
        format!("1 % of the requests to it took longer than {time} in the last 5 minutes.");
    scene.fires(
        "HttpHighLatency",
        "ticket",
        &[],
        "The 99th percentile of the HTTP request duration is high.",
        &description,
    )
}

#[test]
fn the_alert_on_latency_fires_above_it_where_there_is_traffic() {
    let quick_requests = |name, requests: f64, quick: f64| {
        let labels = "method=\"GET\",route=\"/\",status=\"200\"";
        let buckets = [
            ("0.5", quick / 2.0),
            ("1", quick),
            ("2.5", 1.0),
            ("+Inf", 1.0),
        ];
        let buckets = buckets.map(|(bound, share)| (bound, share * requests));
        RuleTest::new(name, 20)
            .grows(REQUESTS, OK, requests)
            .spread("http_request_duration_seconds", labels, &buckets)
    };
    let scenes = [
        slow(quick_requests("2 % are slow", 1_000.0, 0.98), "1.75s"),
        quick_requests("0.9 % are slow", 1_000.0, 0.991),
        quick_requests("all are slow, but few", 0.9, 0.0),
    ];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}

#[test]
fn the_alert_on_a_service_level_names_its_route_and_target() {
    let level = "method=\"POST\",route=\"/pay\",within=\"0.25\"";
    let all_of = "http_service_level_requests_total";
    let good = "http_service_level_good_requests_total";
    let missed = |scene: RuleTest, severity: &str, percent: &str| {
        let description = format!(
            "{percent} of the requests to /pay of it failed or took longer than 0.25 s over the \
             long window."
        );
        scene.fires(
            "HttpServiceLevelBurn",
            severity,
            &[("route", "/pay"), ("within", "0.25")],
            "The error budget of a service level burns too fast.",
            &description,
        )
    };
    let kept = |name, minutes: u32, kept: f64| {
        RuleTest::new(name, minutes)
            .grows(all_of, level, 600.0)
            .other_grows(all_of, level, 400.0)
            .grows(good, level, kept)
    };
    let none = RuleTest::new("none", 30).grows(all_of, level, 1_000.0);
    let few = RuleTest::new("few", 30).grows(all_of, level, 0.9);
    let scenes = [
        missed(kept("90 %", 30, 900.0), "page", "10%"),
        missed(kept("98 %", 90, 980.0), "ticket", "2%"),
        kept("99.6 %", 90, 996.0),
        missed(none, "page", "100%"),
        few,
    ];
    for Tool { promtool, .. } in tools() {
        play(&promtool, &complete_rules(), &scenes);
    }
}
