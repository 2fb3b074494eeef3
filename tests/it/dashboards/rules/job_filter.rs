//! Rules that are restricted to one job, loaded together with those of other jobs.

use tachometer::dashboards::AlertRules;

use super::http::{burn, share};
use super::promtool_test::{RuleTest, TARGET, play_files};
use super::{Tool, registry, tools};

const REQUESTS: &str = "http_requests_total";
const OTHER: &str = "job=\"other\",zone=\"z\",instance=\"a:1\",pod=\"a\"";
const OTHER_ZONE: &str = "job=\"it\",zone=\"y\",instance=\"a:1\",pod=\"a\"";

/// Of 1,000 requests a minute to each of these targets, 50 fail.
fn failing(name: &'static str, targets: &[&str]) -> RuleTest {
    const MINUTES: u32 = 90;
    let series = [("200", "ok", 950), ("500", "server_error", 50)];
    let scene = RuleTest::new(name, MINUTES);
    targets.iter().fold(scene, |scene, target| {
        series.iter().fold(scene, |scene, (status, outcome, by)| {
            let labels = format!(r#"method="GET",route="/",status="{status}",outcome="{outcome}""#);
            scene.with_series_of(target, REQUESTS, &labels, &format!("0+{by}x{MINUTES}"))
        })
    })
}

fn strict() -> AlertRules {
    let rules = AlertRules::new().error_ratio(0.01).unwrap();
    rules.availability(0.99).unwrap()
}

#[test]
fn rules_of_several_jobs_alert_each_by_its_own_thresholds() {
    let registry = registry("all");
    let lenient = AlertRules::new().error_ratio(0.5).unwrap();
    let lenient = lenient.availability(0.9).unwrap().job("other");
    let lenient = lenient.to_yaml(&registry);
    for Tool { promtool, .. } in tools() {
        let strict = strict().job("it").to_yaml(&registry);
        let scene = failing("a strict job and a lenient one", &[TARGET, OTHER]);
        let scene = burn(share(scene, "5%"), "ticket", "5%");
        play_files(&promtool, &[&strict, &lenient], &[scene]);
    }
}

#[test]
fn targets_are_selected_by_any_label_that_they_have() {
    let registry = registry("all");
    let rules = |label, value| strict().target(label, value).unwrap().to_yaml(&registry);
    for Tool { promtool, .. } in tools() {
        let scene = failing("one of two zones", &[TARGET, OTHER_ZONE]);
        let scene = burn(share(scene, "5%"), "ticket", "5%");
        play_files(&promtool, &[&rules("zone", "z")], &[scene]);
        let scene = failing("no such pod", &[TARGET]);
        play_files(&promtool, &[&rules("pod", "b")], &[scene]);
        // Rules merge replicas, but not if they are about one of them.
        let one = failing("one of two pods", &[TARGET]);
        let description =
            "5% of the requests to it failed because of the service in the last 5 minutes.";
        let summary = "The error ratio of HTTP requests is high.";
        let pod = [("pod", "a")];
        let one = one.fires("HttpHighErrorRatio", "page", &pod, summary, description);
        let description = "5% of the requests to it failed over the long window.";
        let summary = "The error budget of HTTP requests burns too fast.";
        let one = one.fires("HttpErrorBudgetBurn", "ticket", &pod, summary, description);
        play_files(&promtool, &[&rules("pod", "a")], &[one]);
    }
}

#[test]
fn every_query_is_restricted_to_the_selected_targets() {
    let rules = AlertRules::new().job("it").target("größe", "s").unwrap();
    let rules = rules.to_yaml(&registry("all"));
    let queries = rules
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("expr: "));
    let is_name = |char: char| char.is_alphanumeric() || char == '_' || char == ':';
    let starts = ["http_", "llm_", "process_", "tachometer_", "job:", "job_"];
    let mut selectors = 0;
    for query in queries {
        let query = query.replace("tachometer_new", "");
        let mut rest = &*query;
        while let Some(start) = rest.find(is_name) {
            let name = &rest[start..];
            let end = name.find(|char| !is_name(char)).unwrap_or(name.len());
            rest = &name[end..];
            if starts.iter().any(|start| name.starts_with(start)) {
                selectors += 1;
                let is = r#"{job=\"it\",\"größe\"=\"s\""#;
                assert!(rest.starts_with(is), "{query}: {rest}");
            }
        }
    }
    assert!(selectors > 50, "{selectors}");
}

#[test]
fn a_target_label_needs_a_name_and_a_value() {
    for (label, value) in [("", "x"), ("x", "")] {
        let error = AlertRules::new().target(label, value).unwrap_err();
        assert!(error.is_invalid_rule());
        assert!(error.to_string().contains("target label"), "{error}");
    }
}
