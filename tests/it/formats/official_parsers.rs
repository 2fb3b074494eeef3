//! Expositions of every kind read by the official parsers, including the strict OpenMetrics
//! one.

use std::process::Command;

use fastrand::Rng;
use serde_json::{Value, json};
use tachometer::export::Format;
use tachometer::snapshot::Escaping;
use tachometer::{Buckets, Registry};

use crate::formats::parsers::{awkward_values, python_parser};
use crate::support::compare_exports::{SCHEMES, read};
use crate::support::parse::{Family, Pair, Real};
use crate::support::program::{filter, output, promtool};

/// Prints each sample that the parser reads, and its exemplar.
const PARSE: &str = r"
import json, sys
if sys.argv[1] == 'openmetrics':
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
else:
    from prometheus_client.parser import text_string_to_metric_families as parse
text = sys.stdin.buffer.read().decode()
def exemplar(one):
    return one and [one.labels, repr(one.value), one.timestamp is not None]
print(json.dumps([
    [family.name, family.documentation, family.type, family.unit,
     [[sample.name, sample.labels, repr(sample.value), exemplar(sample.exemplar)]
      for sample in family.samples]]
    for family in parse(text)]))
";

fn parse(which: &str, bytes: &[u8]) -> Value {
    let text = std::str::from_utf8(bytes).unwrap();
    let printed = filter(Command::new("python3").args(["-c", PARSE, which]), text);
    serde_json::from_str(&printed).unwrap()
}

fn number(text: &Value) -> Real {
    Real(text.as_str().unwrap().parse().unwrap())
}

fn pairs(labels: &[Pair]) -> Value {
    let labels = labels
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)));
    Value::Object(labels.collect())
}

/// One line: name, labels, value, exemplar.
type Line = (String, Value, Real, Option<(Value, Real)>);

/// Returns a family's lines, as the parser of the tests reads them.
fn lines(family: &Family, counter: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let name = |suffix: &str| format!("{}{suffix}", family.name);
    for series in &family.series {
        let labels = pairs(&series.labels);
        let exemplar = |bucket: usize| {
            let mut reading = series.exemplars.iter();
            let reading = reading
                .find(|(reading, _)| *reading == bucket)
                .map(|(_, reading)| reading)?;
            Some((pairs(&reading.labels), reading.value))
        };
        if let Some(number) = series.number {
            let suffix = if family.kind == "counter" {
                counter
            } else {
                ""
            };
            lines.push((name(suffix), labels.clone(), number.real(), exemplar(0)));
        }
        if let Some(histogram) = &series.histogram {
            for (position, (bound, count)) in histogram.buckets.iter().enumerate() {
                let mut labels = labels.clone();
                labels["le"] = json!(bound.0.to_string());
                let count = Real(count.to_string().parse().unwrap());
                lines.push((name("_bucket"), labels, count, exemplar(position)));
            }
            if let (Some(sum), Some(count)) = (histogram.sum, histogram.count) {
                lines.push((name("_sum"), labels.clone(), sum, None));
                let count = Real(count.to_string().parse().unwrap());
                lines.push((name("_count"), labels.clone(), count, None));
            }
        }
        if let Some(created) = series.created {
            let created = Real((created / 1_000_000).to_string().parse::<f64>().unwrap() / 1e3);
            lines.push((name("_created"), labels, created, None));
        }
    }
    lines
}

/// Returns the lines that the official parser has read of a family.
fn parsed_lines(family: &Value) -> Vec<Line> {
    let line = |sample: &Value| {
        let mut labels = sample[1].clone();
        if let Some(bound) = labels.get("le") {
            // As a number, since formats differ in its text.
            let bound: f64 = bound.as_str().unwrap().parse().unwrap();
            labels["le"] = json!(bound.to_string());
        }
        let exemplar = &sample[3];
        let reading = (!exemplar.is_null()).then(|| (exemplar[0].clone(), number(&exemplar[1])));
        let name = sample[0].as_str().unwrap().to_owned();
        (name, labels, number(&sample[2]), reading)
    };
    family[4].as_array().unwrap().iter().map(line).collect()
}

/// Checks that the official parsers and the parsers of the tests agree on a registry.
#[track_caller]
fn check(registry: &Registry, schemes: &[Escaping]) {
    for escaping in schemes {
        let export = |format| registry.export(format).escaping(*escaping);
        let open_metrics = export(Format::OpenMetrics);
        agree(Format::OpenMetrics, &open_metrics.clone().to_bytes());
        agree(
            Format::OpenMetrics,
            &open_metrics.created_timestamps(true).to_bytes(),
        );
        agree(Format::Text, &export(Format::Text).to_bytes());
    }
}

#[track_caller]
fn agree(format: Format, bytes: &[u8]) {
    let parsed = parse(format.as_str(), bytes);
    let parsed = parsed.as_array().unwrap();
    let reading = read(format, bytes);
    assert_eq!(parsed.len(), reading.len());
    let total = match format {
        Format::OpenMetrics => "_total",
        _ => "",
    };
    for (parsed, reading) in parsed.iter().zip(&reading) {
        // The parsers trim help texts; the other one has no units and strips the suffix of a
        // counter.
        let [name, help, kind, unit] = [0, 1, 2, 3].map(|field| parsed[field].as_str().unwrap());
        if format == Format::OpenMetrics {
            assert_eq!([name, unit], [&reading.name, &reading.unit]);
        }
        assert_eq!([help.trim(), kind], [reading.help.trim(), &reading.kind]);
        assert_eq!(parsed_lines(parsed), lines(reading, total));
    }
}

/// The output of promtool for a registry's text.
fn complaints(registry: &Registry) -> (Option<i32>, String) {
    let text = registry.export_prometheus();
    let output = output(Command::new("promtool").args(["check", "metrics"]), &text);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// Every kind of metric, with units, exemplars, and names that promtool likes.
fn ordinary() -> Registry {
    let registry = Registry::new();
    let jobs = registry
        .counter_family("jobs", "Jobs done.", ["result"])
        .unwrap();
    jobs.with(["ok"])
        .inc_with_exemplar(3, &[("trace_id", "4bf9"), ("span_id", "")]);
    jobs.with(["failed"]).inc_by(0.5);
    registry
        .counter("sent_bytes_total", "Bytes sent.")
        .unwrap()
        .inc_by(u64::MAX);
    registry
        .gauge("queue_ratio", "How full it is.")
        .unwrap()
        .set(f64::NAN);
    let family = Buckets::default().native();
    let family = registry
        .histogram_family_with_buckets("wait_seconds", "How long.", ["to"], family)
        .unwrap();
    for number in 0..100_u32 {
        let value = f64::from(number) / 7.0;
        family
            .with(["a"])
            .observe_with_exemplar(value, &[("trace_id", "\\\n")]);
        family.with(["b"]).observe(value);
    }
    family.with(["never"]);
    registry.histogram("idle_seconds", "Never.").unwrap();
    registry
}

/// Histograms whose sum OpenMetrics allows, and others.
fn signed() -> Registry {
    let registry = Registry::new();
    let names = ["below", "above", "both", "from_zero", "empty"];
    for (name, bounds) in names.into_iter().zip([
        &[-2.0, -1.0][..],
        &[1.0, 2.0],
        &[-1.0, 0.0, 1.0],
        &[0.0, 1e-5, 1e6],
        &[-1.0],
    ]) {
        let name = format!("{name}_celsius");
        let family = registry.histogram_family_with_buckets(
            &name,
            "Degrees.",
            ["n"],
            Buckets::new(bounds).unwrap(),
        );
        let family = family.unwrap();
        family.with(["nothing"]);
        for (n, values) in [
            ("low", [-3.0, -1.5]),
            ("high", [3.0, 0.0]),
            ("mixed", [-2.0, 9.0]),
        ] {
            for value in values.into_iter().filter(|_| name != "empty_celsius") {
                family.with([n]).observe_with_exemplar(value, &[("n", n)]);
            }
        }
    }
    registry
}

/// Values, helps and numbers that are hard to write.
fn awkward() -> Registry {
    let registry = Registry::new();
    let gauges = registry
        .gauge_family("g", "Values.", ["value", "other"])
        .unwrap();
    let mut random = Rng::with_seed(7);
    for (number, value) in awkward_values().iter().enumerate() {
        gauges
            .with([value, "o"])
            .set(f64::from_bits(random.u64(..)));
        registry.gauge(&format!("help_{number}"), value).unwrap();
        let labels = [("of", &**value)];
        let counter = registry.counter_with("c", value, [("v", &**value)]);
        counter.unwrap().inc_with_exemplar(random.f64(), &labels);
    }
    registry
}

/// Names that are not classic, of every kind.
fn named() -> Registry {
    let registry = Registry::new().with_utf8_names();
    for (number, name) in ["http.größe", "\"\\\n", "{", "a b,c=d", "9", "#", "_a"]
        .iter()
        .enumerate()
    {
        let name = |kind: &str| format!("{name}.{number}.{kind}");
        // No name that becomes a reserved one when dots are escaped, which the parser rejects.
        let label = [("a.\"\n", "1"), ("xé", "\\")];
        registry
            .counter_with(&name("c_bytes"), "C.", label)
            .unwrap()
            .inc();
        registry
            .gauge_with(&name("g_seconds"), "G.", label)
            .unwrap();
        registry
            .histogram_with(&name("h_seconds"), "H.", label)
            .unwrap()
            .observe(0.1);
    }
    registry
}

#[test]
fn the_official_parsers_read_every_registry_and_agree_with_the_parsers_of_the_tests() {
    if python_parser() {
        for registry in [Registry::new(), ordinary(), signed(), awkward()] {
            check(&registry, &[Escaping::default()]);
        }
        check(&named(), &SCHEMES);
    }
}

#[test]
fn promtool_reads_every_registry_and_reports_nothing_for_valid_names() {
    if !promtool() {
        return;
    }
    for registry in [ordinary(), signed()] {
        assert_eq!(complaints(&registry), (Some(0), String::new()));
    }
    for registry in [awkward(), named()] {
        // Exit code 3 reports names and missing help texts; 1 reports invalid input.
        let (code, said) = complaints(&registry);
        assert!(matches!(code, Some(0 | 3)), "{said}");
        let parsed = registry
            .export(Format::Text)
            .escaping(Escaping::Values)
            .to_bytes();
        let text = String::from_utf8(parsed).unwrap();
        let output = output(Command::new("promtool").args(["check", "metrics"]), &text);
        assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
    }
}
