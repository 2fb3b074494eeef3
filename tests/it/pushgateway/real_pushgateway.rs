//! Groups, values and refusals of a real Pushgateway, and a Prometheus that scrapes it.

use std::time::Duration;

use serde_json::Value;
use tachometer::export::Format;
use tachometer::{Buckets, Registry, SystemMetrics};
use tokio::time::{interval, timeout};

use super::{jobs, pushgateway};
use crate::support::parse::text::{Dialect, parse};
use crate::support::parse::{Family, Number, Real};
use crate::support::prometheus::{Prometheus, usual};
use crate::support::pushgateway::RunningPushgateway;

/// Returns the families of a scrape that a job has pushed, without the labels of its group.
fn pushed(scrape: &str, job: &str) -> Vec<Family> {
    // The Pushgateway's own metrics include summaries, which the parser does not know.
    let is_own = |line: &&str| {
        let name = line
            .trim_start_matches("# HELP ")
            .trim_start_matches("# TYPE ");
        ["go_", "process_", "promhttp_", "pushgateway_", "push_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    let lines = scrape.lines().filter(|line| !is_own(line));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let mut families = parse(text.as_bytes(), Dialect::Prometheus).unwrap();
    for family in &mut families {
        let group = ("job".to_owned(), job.to_owned());
        family
            .series
            .retain(|series| series.labels.contains(&group));
        for series in &mut family.series {
            series
                .labels
                .retain(|(name, _)| name != "job" && name != "instance");
        }
    }
    families.retain(|family| !family.series.is_empty());
    families
}

fn number(families: &[Family], name: &str) -> Option<Real> {
    let family = families.iter().find(|family| family.name == name)?;
    family.series[0].number.map(Number::real)
}

/// Waits until the Pushgateway has deleted the group of a job. It answers before that.
async fn until_gone(gateway: &RunningPushgateway, job: &str) {
    let deleted = async {
        let mut often = interval(Duration::from_millis(20));
        while !pushed(&gateway.scrape().await, job).is_empty() {
            often.tick().await;
        }
    };
    let in_time = timeout(Duration::from_secs(30), deleted).await.is_ok();
    assert!(in_time, "{job:?} is not deleted");
}

#[tokio::test]
async fn the_pushgateway_keeps_every_series_and_value() {
    let Some(gateway) = RunningPushgateway::start().await else {
        return;
    };
    let registry = jobs();
    // Much more than what our protobuf puts into one message.
    let rows = registry.gauge_family("rows", "Rows \\ \n.", ["table"]);
    let rows = rows.unwrap().limit(10_000);
    for number in 0..5_000 {
        rows.with([&format!("\"table\\\n{number}ü")])
            .set(f64::from(number) / 7.0);
    }
    let seconds = registry.histogram_family_with_buckets(
        "seconds",
        "Time.",
        ["step"],
        Buckets::default().native(),
    );
    for (step, value) in [("a", 0.2), ("b", 1e9), ("b", f64::INFINITY)] {
        seconds.as_ref().unwrap().with([step]).observe(value);
    }
    pushgateway(&gateway.url(), &registry)
        .build()
        .unwrap()
        .push()
        .await
        .unwrap();
    let kept = pushed(&gateway.scrape().await, "backup");
    let text = registry.export(Format::Text).to_bytes();
    let mut expected = parse(&text, Dialect::Prometheus).unwrap();
    expected.sort_by(|one, other| one.name.cmp(&other.name));
    for (kept, expected) in kept.iter().zip(&mut expected) {
        assert_eq!(
            (&kept.name, &kept.kind, &kept.help),
            (&expected.name, &expected.kind, &expected.help)
        );
        expected
            .series
            .sort_by(|one, other| one.labels.cmp(&other.labels));
        let mut series = kept.series.clone();
        series.sort_by(|one, other| one.labels.cmp(&other.labels));
        assert!(series == expected.series, "{}", kept.name);
    }
    assert_eq!(kept.len(), expected.len());
}

#[tokio::test]
async fn any_text_is_a_job_and_a_value_of_a_grouping_label() {
    let Some(gateway) = RunningPushgateway::start().await else {
        return;
    };
    let registry = jobs();
    for value in [
        "plain-1_A",
        "",
        "/",
        "/var/tmp",
        ".",
        "..",
        "a/../b",
        "with space",
        "%2F",
        "a+b&c=d?e#f",
        "\"quoted\\",
        "line\nbreak",
        "Προμηθεύς",
        "🚀",
        "@base64",
        "=",
    ] {
        let job = format!("job {value}");
        let client = tachometer::push::Pushgateway::new(&gateway.url(), &job)
            .registry(&registry)
            .grouping("instance", "overwritten")
            .grouping("instance", "i/1")
            .grouping("value", value)
            .build()
            .unwrap();
        client.push().await.unwrap();
        let scrape = gateway.scrape().await;
        let kept = pushed(&scrape, &job);
        let series = &kept
            .iter()
            .find(|family| family.name == "jobs_total")
            .unwrap()
            .series;
        assert_eq!(series.len(), 1);
        // The Pushgateway shows no empty label but `instance`.
        let labels: Vec<_> = series[0]
            .labels
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let expected = ("value".to_owned(), value.to_owned());
        let expected: Vec<_> = Some(&expected)
            .into_iter()
            .filter(|_| !value.is_empty())
            .collect();
        assert_eq!(labels, expected);
        assert!(scrape.contains("instance=\"i/1\""));
        client.delete().await.unwrap();
        until_gone(&gateway, &job).await;
    }
}

#[tokio::test]
async fn push_replaces_the_group_and_push_add_only_metrics_with_the_same_name() {
    let Some(gateway) = RunningPushgateway::start().await else {
        return;
    };
    let (first, second) = (jobs(), Registry::new());
    second.gauge("bytes", "").unwrap().set(5);
    let [first, second] =
        [&first, &second].map(|registry| pushgateway(&gateway.url(), registry).build().unwrap());
    let kept = async || {
        let kept = pushed(&gateway.scrape().await, "backup");
        ["jobs_total", "bytes"].map(|name| number(&kept, name).map(|value| value.0))
    };
    first.push().await.unwrap();
    assert_eq!(kept().await, [Some(3.0), None]);
    second.push_add().await.unwrap();
    assert_eq!(kept().await, [Some(3.0), Some(5.0)]);
    second.push().await.unwrap();
    assert_eq!(kept().await, [None, Some(5.0)]);
    second.delete().await.unwrap();
    until_gone(&gateway, "backup").await;
    // There is nothing to delete.
    second.delete().await.unwrap();
}

#[tokio::test]
async fn an_error_names_the_metric_that_the_pushgateway_refuses_and_no_label_value() {
    let Some(gateway) = RunningPushgateway::start().await else {
        return;
    };
    let registry = Registry::new();
    let family = registry.gauge_family("jobs_total", "", ["tenant"]).unwrap();
    family.with(["secret tenant"]).set(1);
    pushgateway(&gateway.url(), &registry)
        .build()
        .unwrap()
        .push()
        .await
        .unwrap();
    // The same name with another type, in another group.
    let counters = Registry::new();
    let family = counters
        .counter_family("jobs_total", "", ["tenant"])
        .unwrap();
    family.with(["secret tenant"]).inc();
    let client = pushgateway(&gateway.url(), &counters).grouping("zone", "secret zone");
    let error = client.build().unwrap().push().await.unwrap_err();
    let text = error.to_string();
    assert!(error.is_failed_push(), "{text}");
    assert!(
        text.contains("400") && text.contains("\"jobs_total\" has another type"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
    // The type of one of the Pushgateway's own metrics.
    let registry = Registry::new();
    registry.histogram("process_open_fds", "").unwrap();
    let client = pushgateway(&gateway.url(), &registry).build().unwrap();
    let text = client.push().await.unwrap_err().to_string();
    assert!(
        text.contains("\"process_open_fds\" has another type"),
        "{text}"
    );
}

#[tokio::test]
async fn system_metrics_do_not_conflict_with_those_of_the_pushgateway() {
    let Some(gateway) = RunningPushgateway::start().await else {
        return;
    };
    let registry = jobs();
    SystemMetrics::new().register(&registry).unwrap();
    let client = pushgateway(&gateway.url(), &registry).build().unwrap();
    client.push().await.unwrap();
}

#[tokio::test]
async fn a_series_expires_after_a_push_that_was_accepted() {
    let Some(gateway) = RunningPushgateway::start().await else {
        return;
    };
    let registry = Registry::new();
    let family = registry
        .counter_family("rows_total", "", ["table"])
        .unwrap();
    let family = family.expire_after(Duration::ZERO);
    family.with(["a"]).inc();
    let refused = pushgateway(&format!("{}/wrong", gateway.url()), &registry)
        .build()
        .unwrap();
    for _ in 0..3 {
        refused.push().await.unwrap_err();
    }
    let series = || registry.get("rows_total").unwrap().series();
    assert_eq!(series(), 1);
    let client = pushgateway(&gateway.url(), &registry).build().unwrap();
    client.push().await.unwrap();
    assert_eq!(series(), 1);
    client.push_add().await.unwrap();
    assert_eq!(series(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_scrapes_the_pushed_metrics_with_the_labels_of_their_group() {
    let Some(gateway) = RunningPushgateway::start().await else {
        return;
    };
    let Some(program) = usual() else {
        return;
    };
    let client = pushgateway(&gateway.url(), &jobs()).grouping("path", "/var/tmp");
    client.build().unwrap().push().await.unwrap();
    let jobs = format!(
        "- job_name: pushgateway\n  honor_labels: true\n  \
         static_configs: [{{targets: ['{}']}}]\n",
        gateway.address
    );
    let prometheus = Prometheus::start_with(&program, &[], &jobs).await;
    prometheus.until("sum(jobs_total)", 3.0).await;
    let series = prometheus.query("jobs_total").await;
    let expected: Value = serde_json::json!({
        "__name__": "jobs_total", "job": "backup", "path": "/var/tmp"
    });
    assert_eq!(series, [(expected, 3.0)]);
}
