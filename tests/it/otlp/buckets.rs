//! Exponential buckets, compared with the mapping of OpenTelemetry's SDK.

use std::collections::BTreeMap;
use std::process::Command;

use fastrand::Rng;
use serde_json::{Value, json};
use tachometer::snapshot::Resolution;
use tachometer::{Buckets, Registry};

use crate::otlp::decoded::{export, opentelemetry_python, points};
use crate::support::program::filter;

/// Returns the values of one histogram: in a range of random width, and powers of two.
fn random_values(random: &mut Rng) -> Vec<f64> {
    let octaves = random.f64() * random.f64() * 1_000.0;
    let start = random.f64() * (1_020.0 - octaves) - 120.0;
    let values = (0..random.usize(1..80)).map(|_| {
        let exponent = start + random.f64() * octaves;
        match random.u8(0..4) {
            0 => exponent.floor().exp2(),
            _ => exponent.exp2(),
        }
    });
    values.filter(|value| value.is_finite()).collect()
}

#[test]
fn each_value_is_in_the_bucket_that_the_sdk_names() {
    if !opentelemetry_python() {
        return;
    }
    let mut random = Rng::with_seed(5);
    let registry = Registry::new();
    let mut recorded = BTreeMap::new();
    for number in 0..400 {
        let name = format!("h{number}");
        let resolution = Resolution::from_schema(random.u8(0..=8)).unwrap();
        let buckets = Buckets::default().resolution(resolution);
        let histogram = registry.histogram_with_buckets(&name, "", buckets).unwrap();
        let values = match number {
            // Scale 3: -9, -1 and 7.
            0 => vec![0.5, 1.0, 2.0],
            1 => vec![1e-38, 1e300],
            _ => random_values(&mut random),
        };
        let sign = if number % 2 == 0 { 1.0 } else { -1.0 };
        for value in &values {
            histogram.observe(sign * value);
        }
        recorded.insert(name, values);
    }
    let metrics = export(&registry, |otlp| otlp.exponential_histograms(true));
    let scale = |name: &String| points(&metrics[name])[0]["scale"].clone();
    let input: Vec<_> = recorded
        .iter()
        .map(|(name, values)| {
            let values = values.iter().map(ToString::to_string);
            json!([scale(name), values.collect::<Vec<_>>()])
        })
        .collect();
    let mapping = include_str!("mapping.py");
    let printed = filter(
        Command::new("python3").args(["-c", mapping]),
        &json!(input).to_string(),
    );
    let indexes: Vec<Vec<i64>> = serde_json::from_str(&printed).unwrap();
    let mut merged = 0;
    for ((name, values), indexes) in recorded.iter().zip(&indexes) {
        assert_eq!(values.len(), indexes.len());
        let point = &points(&metrics[name])[0];
        let mut expected: BTreeMap<i64, u64> = BTreeMap::new();
        for index in indexes {
            *expected.entry(*index).or_default() += 1;
        }
        let is_positive = name[1..].parse::<u32>().unwrap() % 2 == 0;
        let sign = if is_positive { "positive" } else { "negative" };
        assert_eq!(buckets(&point[sign]), expected, "{name}: {values:?}");
        assert_eq!(point["zero_count"], 0);
        merged += u32::from(point["scale"].as_i64() < Some(0));
    }
    assert!(merged > 20, "{merged}");
}

/// Returns the buckets that are not empty.
fn buckets(sent: &Value) -> BTreeMap<i64, u64> {
    let counts = sent[1].as_array().unwrap().iter();
    let counts = (sent[0].as_i64().unwrap()..).zip(counts.map(|count| count.as_u64().unwrap()));
    counts.filter(|(_, count)| *count > 0).collect()
}
