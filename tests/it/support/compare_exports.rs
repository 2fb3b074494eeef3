//! Compares the content of a registry with its exports.

use std::time::UNIX_EPOCH;

use serde_json::{Map, Value, json};
use tachometer::Registry;
use tachometer::export::Format;
use tachometer::snapshot::{
    Count, Escaping, Exemplar, HistogramView, Kind, NativeBuckets, SeriesBlock, Values,
};

use crate::support::parse::{self, Family, Histogram, Native, Number, Pair, Real, Series};

pub(crate) const SCHEMES: [Escaping; 4] = [
    Escaping::Utf8,
    Escaping::Underscores,
    Escaping::Dots,
    Escaping::Values,
];

/// Checks that every format, under every escaping scheme, exports what the registry holds.
#[track_caller]
pub(crate) fn check_all(registry: &Registry) {
    check_json(registry);
    check(registry, Format::TextV1, Escaping::Utf8, false);
    for escaping in SCHEMES {
        check(registry, Format::Text, escaping, false);
        check(registry, Format::OpenMetrics, escaping, false);
        check(registry, Format::OpenMetrics, escaping, true);
        check(registry, Format::Protobuf, escaping, false);
        check(registry, Format::Protobuf, escaping, true);
    }
}

#[track_caller]
fn check(registry: &Registry, format: Format, escaping: Escaping, created: bool) {
    let export = registry
        .export(format)
        .escaping(escaping)
        .created_timestamps(created);
    let exported = read(format, &export.to_bytes());
    let held = expected_families(registry, format, escaping, created);
    for (exported, held) in exported.iter().zip(&held) {
        for (exported, held) in exported.series.iter().zip(&held.series) {
            assert_eq!(exported, held, "{format:?} {escaping:?}");
        }
        assert_eq!(exported, held, "{format:?} {escaping:?}");
    }
    assert_eq!(exported.len(), held.len(), "{format:?} {escaping:?}");
    if escaping != Escaping::Utf8 {
        for family in &exported {
            let name = &family.name;
            assert!(parse::is_classic(name, true), "{escaping:?}: {name:?}");
            for (name, _) in family.series.iter().flat_map(|series| &series.labels) {
                assert!(parse::is_classic(name, false), "{escaping:?}: {name:?}");
            }
        }
    }
}

/// Reads an exposition, which must follow its specification.
#[track_caller]
pub(crate) fn read(format: Format, bytes: &[u8]) -> Vec<Family> {
    let read = match format {
        Format::Text | Format::TextV1 => {
            parse::text::parse(bytes, parse::text::Dialect::Prometheus)
        }
        Format::OpenMetrics => parse::text::parse(bytes, parse::text::Dialect::OpenMetrics),
        Format::Protobuf => parse::protobuf::parse(bytes).map(|(families, _)| families),
        other => panic!("no reader of {other:?}"),
    };
    read.unwrap_or_else(|fault| panic!("{format:?}: {fault}"))
}

/// Returns a name escaped by a scheme
/// (<https://prometheus.io/docs/instrumenting/escaping_schemes/>); like Prometheus's own
/// clients, it leaves classic names unchanged.
pub(crate) fn escaped(scheme: Escaping, name: &str, colons: bool) -> String {
    let classic = parse::is_classic(name, colons);
    if scheme == Escaping::Utf8 || classic {
        return name.to_owned();
    }
    let one = |(at, char): (usize, char)| {
        // What may follow a letter stays, if it is not the first.
        let after = if at == 0 { "" } else { "a" };
        let stays = parse::is_classic(&format!("{after}{char}"), colons);
        match (scheme, char) {
            (Escaping::Dots, '.') => "_dot_".to_owned(),
            (Escaping::Dots | Escaping::Values, '_') => "__".to_owned(),
            _ if stays => char.to_string(),
            (Escaping::Dots, _) => "__".to_owned(),
            (Escaping::Values, _) => format!("_{:x}_", u32::from(char)),
            _ => "_".to_owned(),
        }
    };
    let text: String = name.char_indices().map(one).collect();
    match scheme {
        Escaping::Values => format!("U__{text}"),
        _ => text,
    }
}

/// Returns the families that a format must export, from the registry's values.
fn expected_families(
    registry: &Registry,
    format: Format,
    escaping: Escaping,
    created: bool,
) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for block in registry.gather() {
        let desc = &block.desc;
        if block.is_first {
            let mut name = escaped(escaping, desc.exposed_name(), true);
            let open_metrics = format == Format::OpenMetrics;
            if open_metrics && desc.kind() == Kind::Counter {
                name = String::from(name.strip_suffix("_total").unwrap());
            }
            let unit = desc.unit().unwrap_or_default();
            // The family's name must end in its unit, which a scheme may forbid.
            let has_unit = match format {
                Format::OpenMetrics => name.ends_with(&format!("_{unit}")),
                Format::Protobuf => true,
                _ => false,
            };
            families.push(Family {
                name,
                help: desc.help().to_owned(),
                kind: desc.kind().as_str().to_owned(),
                unit: if has_unit { unit } else { "" }.to_owned(),
                series: Vec::new(),
            });
        }
        let family = families.last_mut().expect("a first block");
        for position in 0..block.labels.len() {
            let series = held_series(&block, position, format, escaping, created);
            family.series.push(series);
        }
    }
    families
}

fn held_series(
    block: &SeriesBlock,
    position: usize,
    format: Format,
    escaping: Escaping,
    created: bool,
) -> Series {
    let protobuf = format == Format::Protobuf;
    let pairs = block.labels.get(position).expect("a series").pairs();
    let pairs = pairs.map(|(name, value)| (escaped(escaping, &name, false), value.into_owned()));
    let mut series = Series {
        labels: pairs.collect(),
        ..Series::default()
    };
    let since = block.created_millis[position] * 1_000_000;
    let has_since = created && (protobuf || format == Format::OpenMetrics);
    series.created = has_since.then_some(since);
    match &block.values {
        Values::Counter(counts) => series.number = Some(count(counts[position], protobuf)),
        Values::Gauge(numbers) => {
            series.created = None;
            series.number = Some(number(numbers[position], protobuf));
        }
        Values::Histogram(histograms) => {
            let view = histograms.get(position).unwrap();
            let mut histogram = histogram(&view);
            if !protobuf {
                histogram.native = None;
                let negative = view.bounds()[0] < 0.0 || view.totals().sum < 0.0;
                if format == Format::OpenMetrics && negative {
                    (histogram.sum, histogram.count) = (None, None);
                }
            }
            series.histogram = Some(histogram);
        }
        other => panic!("a kind of metric unknown to the tests: {other:?}"),
    }
    if protobuf || format == Format::OpenMetrics {
        // The parser of Python's `prometheus_client` fails a scrape that quotes a quote there.
        let is_left_out = |snapshot_exemplar: &Exemplar| {
            let mut pairs = snapshot_exemplar.labels.pairs();
            !protobuf && pairs.any(|(_, value)| value.contains('"'))
        };
        let snapshot_exemplar = block
            .exemplars
            .iter()
            .filter(|snapshot_exemplar| snapshot_exemplar.series == position);
        let snapshot_exemplar =
            snapshot_exemplar.filter(|snapshot_exemplar| !is_left_out(snapshot_exemplar));
        series.exemplars = snapshot_exemplar
            .map(|snapshot_exemplar| {
                (
                    snapshot_exemplar.bucket,
                    exemplar(snapshot_exemplar, protobuf),
                )
            })
            .collect();
    }
    series
}

fn count(count: Count, protobuf: bool) -> Number {
    if count.fraction == 0.0 && !protobuf {
        return Number::Whole(count.whole);
    }
    number(count.value(), protobuf)
}

/// Returns a number as text or protobuf represents it.
fn number(value: f64, protobuf: bool) -> Number {
    // Whole numbers below this are written without a point.
    let digits = (0.0..1e15).contains(&value) && value.is_sign_positive();
    if digits && value.fract() == 0.0 && !protobuf {
        return Number::Whole(format!("{value}").parse().unwrap());
    }
    Number::Real(Real(value))
}

fn histogram(view: &HistogramView<'_>) -> Histogram {
    Histogram {
        buckets: view
            .cumulative()
            .map(|(bound, up_to)| (Real(bound), up_to))
            .collect(),
        sum: Some(Real(view.totals().sum)),
        count: Some(view.counts().iter().sum()),
        native: view.native().map(native),
    }
}

fn native(buckets: &NativeBuckets) -> Native {
    let wide = |buckets: &[(i32, u64)]| -> Vec<_> {
        buckets
            .iter()
            .map(|&(index, count)| (i64::from(index), count))
            .collect()
    };
    Native {
        schema: i64::from(buckets.resolution.schema()),
        zero_threshold: Real(NativeBuckets::ZERO_THRESHOLD),
        zero: buckets.zero_count,
        negative: wide(&buckets.negative),
        positive: wide(&buckets.positive),
    }
}

fn exemplar(snapshot_exemplar: &Exemplar, protobuf: bool) -> parse::Exemplar {
    let pairs = snapshot_exemplar.labels.pairs();
    let pairs = pairs.map(|(name, value)| (name.into_owned(), value.into_owned()));
    let since_1970 = snapshot_exemplar
        .timestamp
        .duration_since(UNIX_EPOCH)
        .unwrap();
    let nanos = u64::try_from(since_1970.as_nanos()).unwrap();
    parse::Exemplar {
        labels: pairs.collect(),
        value: Real(snapshot_exemplar.value),
        time: Some(if protobuf {
            nanos
        } else {
            nanos - nanos % 1_000_000
        }),
    }
}

/// Returns the key of a series in JSON.
pub(crate) fn key(name: &str, labels: &[Pair]) -> String {
    let quoted = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{}\"", text.replace('\n', "\\n"))
    };
    let pair = |(name, value): &Pair| {
        let value = quoted(value);
        if parse::is_classic(name, false) {
            return format!("{name}={value}");
        }
        format!("{}={value}", quoted(name))
    };
    match labels {
        // A name that looks like one with labels is written inside the braces.
        _ if name.contains('{') => {
            let pairs = labels.iter().map(pair);
            let parts: Vec<_> = [quoted(name)].into_iter().chain(pairs).collect();
            format!("{{{}}}", parts.join(","))
        }
        [] => name.to_owned(),
        _ => {
            let pairs: Vec<_> = labels.iter().map(pair).collect();
            format!("{name}{{{}}}", pairs.join(","))
        }
    }
}

/// Reads JSON's metrics, by their keys.
#[track_caller]
pub(crate) fn read_json(bytes: &[u8]) -> Map<String, Value> {
    let mut json: Value = serde_json::from_slice(bytes).unwrap();
    match json["metrics"].take() {
        Value::Object(metrics) => metrics,
        other => panic!("no object: {other}"),
    }
}

#[track_caller]
fn check_json(registry: &Registry) {
    let mut exported = read_json(&registry.export(Format::Json).to_bytes());
    for block in registry.gather() {
        for position in 0..block.labels.len() {
            let format = Format::Protobuf;
            let series = held_series(&block, position, format, Escaping::Utf8, false);
            let key = key(block.desc.name(), &series.labels);
            // If two series have one key, the second one is missing.
            let exported = exported
                .remove(&key)
                .unwrap_or_else(|| panic!("no {key:?}"));
            let labels: Map<_, _> = series
                .labels
                .iter()
                .map(|(k, v)| (k.clone(), json!(v)))
                .collect();
            assert_eq!(exported["labels"], Value::Object(labels), "{key}");
            assert_eq!(exported["help"], block.desc.help(), "{key}");
            assert_eq!(exported["type"], block.desc.kind().as_str(), "{key}");
            let value = &exported["value"];
            match &block.values {
                Values::Counter(counts) if counts[position].fraction == 0.0 => {
                    assert_eq!(value.as_u64(), Some(counts[position].whole), "{key}");
                }
                Values::Histogram(histograms) => {
                    let view = histograms.get(position).unwrap();
                    check_json_histogram(value, &view);
                }
                _ => check_json_number(value, series.number.unwrap().real()),
            }
        }
    }
    assert!(exported.is_empty(), "more than is there: {exported:?}");
}

#[track_caller]
fn check_json_number(exported: &Value, held: Real) {
    let finite = Some(held).filter(|held| held.0.is_finite());
    assert_eq!(exported.as_f64().map(Real), finite, "{exported}");
}

#[track_caller]
fn check_json_histogram(exported: &Value, view: &HistogramView<'_>) {
    let stats = view.stats();
    assert_eq!(exported["count"].as_u64(), Some(stats.count));
    check_json_number(&exported["sum"], Real(stats.sum));
    check_json_number(&exported["min"], Real(stats.min));
    check_json_number(&exported["max"], Real(stats.max));
    check_json_number(&exported["mean"], Real(stats.mean));
    let buckets = exported["buckets"].as_object().unwrap();
    let read = |(bound, count): (&String, &Value)| {
        (bound.parse::<f64>().unwrap(), count.as_u64().unwrap())
    };
    let mut buckets: Vec<_> = buckets.iter().map(read).collect();
    buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
    assert_eq!(buckets, stats.buckets);
    for (name, percent) in [("p50", 50.0), ("p95", 95.0), ("p99", 99.0)] {
        match view.percentile(percent) {
            Ok(number) => check_json_number(&exported[name], Real(number)),
            Err(_) => assert!(exported.get(name).is_none()),
        }
    }
}
