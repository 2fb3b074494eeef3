//! What Prometheus stores besides values: metadata, exemplars and created timestamps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::UNIX_EPOCH;

use serde_json::Value;
use tachometer::Registry;
use tachometer::snapshot::{Desc, Kind};

use super::jobs::{Format, Job};
use super::series_labels;
use crate::support::fixture::{Classic, Labels, for_each_exemplar, for_each_series};
use crate::support::prometheus::{Prometheus, escaped, labels};

/// Kind, help and unit of each family, by job.
pub(super) async fn check_metadata(prometheus: &Prometheus, registry: &Registry, job: &Job) {
    let target = escaped(&format!("{{job=\"{}\"}}", job.name));
    let stored = prometheus
        .api(&format!("targets/metadata?match_target={target}"))
        .await;
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let stored: BTreeSet<_> = stored
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| !text(one, "metric").starts_with("tachometer_"))
        .map(|one| ["metric", "type", "help", "unit"].map(|field| text(one, field)))
        .collect();
    let described = |desc: &Desc| {
        let name = desc.exposed_name();
        let short = name
            .strip_suffix("_total")
            .filter(|_| job.format == Format::OpenMetrics);
        let unit = desc.unit().filter(|_| job.has_units());
        [
            short.unwrap_or(name),
            desc.kind().as_str(),
            desc.help(),
            unit.unwrap_or_default(),
        ]
        .map(str::to_owned)
    };
    let descs = registry.gather().map(|block| block.desc);
    let descs = descs.filter(|desc| !desc.name().starts_with("tachometer_"));
    let expected: BTreeSet<_> = descs.map(|desc| described(&desc)).collect();
    assert_eq!(stored, expected, "{}", job.name);
}

/// An exemplar in comparable form: labels of its series, its labels, its value, and its time in
/// milliseconds.
type ExemplarRow = (Labels, Labels, String, u64);

/// Exemplars come back with their labels, values and times.
pub(super) async fn check_exemplars(prometheus: &Prometheus, registry: &Registry, job: &Job) {
    let mut stored: BTreeSet<ExemplarRow> = BTreeSet::new();
    let mut native = BTreeSet::new();
    let query = escaped(&format!("{{job=\"{}\"}}", job.name));
    let query = format!("query_exemplars?query={query}&start=0&end=99999999999");
    for series in prometheus.api(&query).await.as_array().unwrap() {
        let of = series_labels(&series["seriesLabels"]);
        for one in series["exemplars"].as_array().unwrap() {
            let value: f64 = one["value"].as_str().unwrap().parse().unwrap();
            let seconds = one["timestamp"].as_f64().unwrap();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let millis = (seconds * 1_000.0).round() as u64;
            let one = (
                of.clone(),
                labels(&one["labels"]),
                value.to_string(),
                millis,
            );
            if of["__name__"] == "traced_native_seconds" {
                native.insert((one.1, one.2, one.3));
            } else {
                stored.insert(one);
            }
        }
    }
    let mut expected: BTreeSet<ExemplarRow> = BTreeSet::new();
    let mut expected_native = BTreeSet::new();
    for_each_exemplar(registry, |of, exemplar| {
        let pairs = exemplar.labels.pairs();
        let exemplar_labels: BTreeMap<_, _> = pairs
            .map(|(name, value)| (name.into(), job.value_read(&value)))
            .collect();
        let millis = exemplar
            .timestamp
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_millis();
        let millis = job.time_read(u64::try_from(millis).unwrap());
        let is_native = of["__name__"] == "traced_native_seconds_bucket";
        if is_native && job.has_native() {
            expected_native.insert((exemplar_labels.clone(), exemplar.value.to_string(), millis));
        }
        // OpenMetrics text leaves out those with a quote.
        let mut pairs = exemplar.labels.pairs();
        let is_left_out =
            job.format == Format::OpenMetrics && pairs.any(|(_, value)| value.contains('"'));
        if job.format != Format::Text
            && !is_left_out
            && (!is_native || job.classic == Classic::Always)
        {
            expected.insert((of, exemplar_labels, exemplar.value.to_string(), millis));
        }
    });
    assert_eq!(stored, expected, "{}", job.name);
    if job.third {
        assert_eq!(native, expected_native, "{}", job.name);
    } else {
        // Version 2 keeps the first one.
        assert_eq!(native.len(), expected_native.len().min(1), "{}", job.name);
        assert!(native.is_subset(&expected_native), "{native:?}");
    }
}

/// If a created timestamp is stored, the value at that time is 0.
pub(super) async fn check_created(prometheus: &Prometheus, registry: &Registry, job: &Job) {
    let query = format!(
        "{{job='{}',__name__=~'(orders|traced)_total'}}[1h]",
        job.name
    );
    let mut first: BTreeMap<_, _> = BTreeMap::new();
    for series in prometheus.results(&query).await {
        let (when, value) = (&series["values"][0][0], &series["values"][0][1]);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let millis = (when.as_f64().unwrap() * 1_000.0).round() as u64;
        first.insert(
            series_labels(&series["metric"]),
            (millis, value.as_str() == Some("0")),
        );
    }
    assert!(!first.is_empty());
    for_each_series(registry, |block, position, mut labels| {
        let name = block.desc.exposed_name();
        labels.insert("__name__".into(), name.into());
        if let Some((millis, zero)) = first.get(&labels)
            && block.desc.kind() == Kind::Counter
        {
            let has_created = *zero && *millis == job.time_read(block.created_millis[position]);
            let nothing = labels.get("kind").is_some_and(|kind| kind == "none");
            assert!(
                has_created == job.has_created() || nothing,
                "{} {labels:?}",
                job.name
            );
        }
    });
}
