//! The same answers in every format: Prometheus scrapes one registry as text, as
//! `OpenMetrics` and as protobuf, and is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::time::UNIX_EPOCH;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use axum::middleware::{Next, from_fn};
use serde_json::Value;
use tachometer::snapshot::{Desc, Escaping, Kind, NativeBuckets, Resolution};
use tachometer::{Buckets, MetricsRouter, Registry, export};

use crate::formats::parsers::awkward_values;
use crate::support::fixture::{
    Classic, KINDS, Labels, OBSERVED, Reader, SHARDS, Scene, Series, each, each_exemplar,
    each_histogram, expected,
};
use crate::support::loopback::Server;
use crate::support::prometheus::{Prometheus, escaped, histogram_quantile, labels, third, usual};
use crate::support::read::{numbers, sum, to_f64};

const EXEMPLARS: &str = "--enable-feature=exemplar-storage";
const NATIVE: &str = "--enable-feature=exemplar-storage,native-histograms";
const ALL: &str =
    "--enable-feature=exemplar-storage,native-histograms,created-timestamp-zero-ingestion";

/// Seldom enough for a test that is built without optimisation beside others.
const EVERY: &str = "scrape_interval: 10s\n  scrape_timeout: 10s";

/// A scrape of the registry, and what comes of it.
#[derive(Clone, Copy)]
struct Job {
    name: &'static str,
    path: &'static str,
    /// What its configuration says besides.
    settings: &'static str,
    format: Format,
    /// Whether native histograms are kept as classic ones too.
    classic: Classic,
    /// Whether it is a Prometheus 3 that scrapes.
    third: bool,
}

/// The format that is agreed upon.
#[derive(Clone, Copy, PartialEq)]
enum Format {
    Text,
    OpenMetrics,
    Protobuf,
}

impl Job {
    const fn new(name: &'static str, settings: &'static str, format: Format) -> Self {
        Self {
            name,
            path: "/metrics",
            settings,
            format,
            classic: Classic::Always,
            third: true,
        }
    }

    fn has_native(&self) -> bool {
        self.format == Format::Protobuf
    }

    fn has_units(&self) -> bool {
        match self.format {
            Format::Text => false,
            Format::OpenMetrics => true,
            Format::Protobuf => self.third,
        }
    }

    /// Returns whether it is known since when each series counts.
    fn has_created(&self) -> bool {
        self.third && (self.path == "/created" || self.format == Format::Protobuf)
    }

    /// Returns a time in milliseconds as Prometheus reads it: of `OpenMetrics`, which
    /// has seconds, it multiplies and cuts, and may so lose a millisecond.
    fn time_read(&self, millis: u64) -> u64 {
        if self.format != Format::OpenMetrics {
            return millis;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let read = (to_f64(millis) / 1e3 * 1e3) as u64;
        read
    }

    /// Returns an exemplar's label value as Prometheus reads it: of `OpenMetrics`, what
    /// stands between the quotes, as it stands there.
    fn value_read(&self, value: &str) -> String {
        if self.format != Format::OpenMetrics {
            return value.to_owned();
        }
        let value = value.replace('\\', r"\\");
        value.replace('"', r#"\""#).replace('\n', r"\n")
    }
}

/// The jobs of a Prometheus 3, which can be held to a format.
const THIRD: [Job; 6] = [
    Job::new(
        "text",
        "scrape_protocols: [PrometheusText0.0.4]",
        Format::Text,
    ),
    Job::new(
        "text_v1",
        "scrape_protocols: [PrometheusText1.0.0]",
        Format::Text,
    ),
    Job::new(
        "openmetrics",
        "scrape_protocols: [OpenMetricsText1.0.0]",
        Format::OpenMetrics,
    ),
    Job {
        path: "/created",
        ..Job::new(
            "created",
            "scrape_protocols: [OpenMetricsText1.0.0]",
            Format::OpenMetrics,
        )
    },
    Job::new(
        "protobuf",
        "scrape_protocols: [PrometheusProto]\n  always_scrape_classic_histograms: true",
        Format::Protobuf,
    ),
    Job {
        classic: Classic::Else,
        ..Job::new("default", "", Format::Protobuf)
    },
];

/// The jobs of any Prometheus: it cannot be held to text, but gets no other format
/// where it does not say that it would take one.
const fn any(default: Format) -> [Job; 2] {
    let text = Job {
        path: "/text",
        third: false,
        ..Job::new("text", "", Format::Text)
    };
    let default = Job {
        third: false,
        classic: match default {
            Format::Protobuf => Classic::Else,
            Format::Text | Format::OpenMetrics => Classic::Always,
        },
        ..Job::new("default", "", default)
    };
    [text, default]
}

const UTF8: [(&str, &str, Escaping); 5] = [
    ("utf8_default", "", Escaping::Underscores),
    (
        "utf8_text",
        "scrape_protocols: [PrometheusText0.0.4]",
        Escaping::Underscores,
    ),
    (
        "utf8_text_v1",
        "scrape_protocols: [PrometheusText1.0.0]",
        Escaping::Utf8,
    ),
    (
        "utf8_openmetrics",
        "scrape_protocols: [OpenMetricsText1.0.0]",
        Escaping::Utf8,
    ),
    (
        "utf8_escaped",
        "scrape_protocols: [OpenMetricsText1.0.0]\n  metric_name_escaping_scheme: underscores",
        Escaping::Underscores,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_3_answers_the_same_whatever_format_it_is_held_to() {
    let Some(program) = third() else {
        return;
    };
    let scene = Scene::new();
    let utf8 = Scene::utf8();
    let (server, prometheus) = start(&program, ALL, &scene, Some(&utf8), &THIRD).await;
    check(&prometheus, &scene, &THIRD).await;
    for (job, _, escaping) in UTF8 {
        let reader = Reader {
            classic: Classic::Always,
            negative_sums: true,
            escaping,
        };
        let expected = expected(&utf8, reader);
        assert_same(job, &read(&prometheus, job).await, &expected);
    }
    drop(prometheus);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_prometheus_answers_the_same_from_text_as_from_openmetrics() {
    check_any(EXEMPLARS, Format::OpenMetrics).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_prometheus_with_native_histograms_answers_the_same_from_protobuf() {
    check_any(NATIVE, Format::Protobuf).await;
}

/// Prometheus takes all of a message to be what its first histogram is, and fails the
/// scrape where another has no exponential buckets.
#[test]
fn histograms_with_exponential_buckets_share_no_message_with_those_without() {
    let registry = Registry::new();
    let classic = Buckets::new(&[1.0]).unwrap();
    let seconds = registry
        .histogram_family_with_buckets("h", "", ["kind"], classic.clone().native())
        .unwrap()
        .buckets_for("kind", "classic", classic);
    for kind in ["a", "b", "classic", "c", "d"] {
        seconds.with([kind]).observe(0.5);
    }
    let bytes = registry
        .export(export::Format::Protobuf)
        .filter_names(["h"])
        .to_bytes();
    let (mut rest, mut messages) = (&bytes[..], 0);
    while let [length, more @ ..] = rest {
        // Of seven bits, which is all that these need, two bytes at most.
        let (length, more) = match (*length, more) {
            (low @ 128.., [high, more @ ..]) => {
                (usize::from(low - 128) + 128 * usize::from(*high), more)
            }
            (length, more) => (usize::from(length), more),
        };
        assert!(more.starts_with(b"\x0a\x01h"), "{more:?}");
        rest = &more[length..];
        messages += 1;
    }
    assert_eq!(messages, 3);
}

async fn check_any(flags: &str, default: Format) {
    let Some(program) = usual() else {
        return;
    };
    let scene = Scene::new();
    let jobs = any(default);
    let (server, prometheus) = start(&program, flags, &scene, None, &jobs).await;
    check(&prometheus, &scene, &jobs).await;
    drop(prometheus);
    server.stop().await;
}

/// Serves the scene, and returns once all jobs have scraped it.
async fn start(
    program: &Path,
    flags: &str,
    scene: &Scene,
    utf8: Option<&Registry>,
    jobs: &[Job],
) -> (Server, Prometheus) {
    // The system's metrics change from scrape to scrape.
    let router = |registry: &Registry| {
        MetricsRouter::new()
            .registry(registry)
            .without_system_metrics()
            .max_concurrent_scrapes(20)
    };
    let careless = async |mut request: Request, next: Next| {
        request.headers_mut().remove(ACCEPT);
        next.run(request).await
    };
    let app = Router::new()
        .nest("/metrics", router(&scene.registry).build())
        .nest(
            "/created",
            router(&scene.registry).created_timestamps(true).build(),
        )
        .nest(
            "/text",
            router(&scene.registry).build().layer(from_fn(careless)),
        )
        .nest("/utf8", router(utf8.unwrap_or(&scene.registry)).build());
    // Built without optimisation, compression takes longer than all the rest.
    let plain = async |mut request: Request, next: Next| {
        request.headers_mut().remove(ACCEPT_ENCODING);
        next.run(request).await
    };
    let server = Server::start(app.layer(from_fn(plain))).await;
    let target = server.address;
    let utf8 = UTF8.iter().filter(|_| utf8.is_some());
    let utf8 = utf8.map(|&(name, settings, _)| (name, "/utf8", settings));
    let all: Vec<_> = jobs
        .iter()
        .map(|job| (job.name, job.path, job.settings))
        .chain(utf8)
        .collect();
    let mut told = String::new();
    for (name, path, settings) in &all {
        write!(
            told,
            "- job_name: {name}\n  metrics_path: {path}\n  {settings}\n  {EVERY}\n  \
             static_configs: [{{targets: ['{target}']}}]\n"
        )
        .unwrap();
    }
    let prometheus = Prometheus::start_with(program, &[flags], &told).await;
    prometheus.until("count(up == 1)", to_f64(all.len())).await;
    (server, prometheus)
}

async fn check(prometheus: &Prometheus, scene: &Scene, jobs: &[Job]) {
    for job in jobs {
        let reader = Reader {
            classic: job.classic,
            negative_sums: job.format != Format::OpenMetrics,
            escaping: Escaping::Underscores,
        };
        let expected = expected(&scene.registry, reader);
        assert_same(job.name, &read(prometheus, job.name).await, &expected);
        check_metadata(prometheus, &scene.registry, job).await;
        check_exemplars(prometheus, &scene.registry, job).await;
        check_created(prometheus, &scene.registry, job).await;
        if job.has_native() {
            check_native(prometheus, scene, job.name).await;
        }
    }
    for (query, which, expected) in table(scene) {
        let jobs = jobs.iter().filter(|job| match which {
            Which::All => true,
            Which::Classic => job.classic == Classic::Always,
            Which::Native => job.has_native(),
        });
        let answers = prometheus.query(&query).await;
        let answers: BTreeMap<_, _> = answers
            .iter()
            .filter_map(|(labels, value)| Some((labels["job"].as_str()?, *value)))
            .filter(|(job, _)| !job.starts_with("utf8_"))
            .collect();
        let named: BTreeSet<_> = jobs.map(|job| job.name).collect();
        assert_eq!(
            answers.keys().copied().collect::<BTreeSet<_>>(),
            named,
            "{query}"
        );
        for (job, answer) in answers {
            assert!(
                are_close(answer, expected),
                "{query}: {answer} of {job}, not {expected}"
            );
        }
    }
}

/// Which jobs answer a query.
#[derive(Clone, Copy)]
enum Which {
    All,
    Classic,
    Native,
}

/// Queries that answer one number for each job.
fn table(scene: &Scene) -> Vec<(String, Which, f64)> {
    let mut rows = Vec::new();
    for (which, queries) in [
        (Which::All, plain(&scene.registry)),
        (Which::All, large(&scene.registry)),
        (Which::All, quantiles(&scene.registry)),
        (Which::Classic, kept_classic(scene)),
        (Which::Native, native(scene)),
    ] {
        let queries = queries.into_iter();
        rows.extend(queries.map(|(query, expected)| (query, which, expected)));
    }
    rows
}

type Queries = Vec<(String, f64)>;

fn queries(queries: &[(&str, f64)]) -> Queries {
    let queries = queries.iter();
    queries
        .map(|(query, expected)| ((*query).to_owned(), *expected))
        .collect()
}

fn plain(registry: &Registry) -> Queries {
    let most = ["to 2^53", "past 2^53", "past 2^54", "most"];
    let most = most.map(|kind| sum(registry, "orders_total", &[("kind", kind)]));
    let quoted = awkward_values();
    let quoted = quoted.iter().filter(|value| value.contains('"')).count();
    queries(&[
        ("orders_total{kind='fraction'}", 0.1 + 0.1 + 0.1),
        ("orders_total{kind='past 2^54'}", 18_014_398_509_481_988.0),
        (
            "sum by (job) (orders_total{kind=~'.*2.*|most'})",
            most.iter().sum(),
        ),
        ("count by (job) (orders_total)", 8.0),
        ("sent_bytes_total / 1024", 4.0),
        ("native_seconds_count{kind='classic'}", to_f64(OBSERVED)),
        ("native_seconds_count{kind='older'}", to_f64(OBSERVED)),
        ("min by (job) (temperature_celsius > -Inf)", -273.15),
        ("temperature_celsius{kind='huge'} / 2", f64::MAX / 2.0),
        ("temperature_celsius{kind='tiny'} * 2", 1e-323),
        (
            "count by (job) (temperature_celsius != temperature_celsius)",
            2.0,
        ),
        (
            r#"count by (job) (awkward{value=~`[\s\S]*"[\s\S]*`})"#,
            to_f64(quoted),
        ),
    ])
}

fn large(registry: &Registry) -> Queries {
    let mut loads: Vec<f64> = Vec::new();
    each(registry, |block, position, labels| {
        if block.desc.name() == "shard_load" && labels["shard"] == "7" {
            loads.push(numbers(block)[position]);
        }
    });
    loads.sort_by(f64::total_cmp);
    let total: f64 = loads.iter().sum();
    // Between two values in the middle, where there are two.
    let last = loads.len() - 1;
    let middle = f64::midpoint(loads[last / 2], loads[last.div_ceil(2)]);
    let observed = sum(registry, "wide_seconds", &[]);
    queries(&[
        ("count by (job) (shard_load)", to_f64(SHARDS)),
        ("count by (job) (count by (job, shard) (shard_load))", 16.0),
        ("sum by (job) (shard_load{shard='7'})", total),
        (
            "avg by (job) (shard_load{shard='7'})",
            total / to_f64(loads.len()),
        ),
        ("quantile by (job) (0.5, shard_load{shard='7'})", middle),
        ("topk by (job) (1, shard_load{shard='7'})", loads[last]),
        (
            "count by (job) ({__name__=~'wide_seconds_.+'})",
            200.0 * 14.0,
        ),
        ("sum by (job) (wide_seconds_count)", observed),
    ])
}

fn quantiles(registry: &Registry) -> Queries {
    let wide = buckets(registry, "wide_seconds", None);
    let below = buckets(registry, "below_celsius", Some("below"));
    let mut queries = Queries::new();
    for quantile in [0.13, 0.47, 0.87, 0.98] {
        for (selected, buckets) in [
            ("sum by (job, le) (wide_seconds_bucket)", &wide),
            ("below_celsius_bucket{kind='below'}", &below),
        ] {
            let query = format!("histogram_quantile({quantile}, {selected})");
            queries.push((query, histogram_quantile(quantile, buckets)));
        }
    }
    queries
}

fn kept_classic(scene: &Scene) -> Queries {
    queries(&[
        (
            "sum by (job) (native_seconds_count{kind=~'coarse|usual|fine'})",
            to_f64(3 * OBSERVED),
        ),
        (
            "native_seconds_sum{kind='usual'}",
            scene.native.with(["usual"]).stats().sum,
        ),
    ])
}

fn native(scene: &Scene) -> Queries {
    let sum = |kind| scene.native.with([kind]).stats().sum;
    let all: usize = scene.observed.values().map(Vec::len).sum();
    // Two of them are classic.
    let all = to_f64(all - 2 * OBSERVED);
    let up_to_one = scene.observed["usual"]
        .iter()
        .filter(|value| **value <= 1.0);
    let up_to_one = to_f64(up_to_one.count());
    queries(&[
        (
            "histogram_count(native_seconds{kind='usual'})",
            to_f64(OBSERVED),
        ),
        ("histogram_count(native_seconds{kind='empty'})", 0.0),
        ("histogram_sum(native_seconds{kind='usual'})", sum("usual")),
        ("histogram_sum(native_seconds{kind='far'})", sum("far")),
        ("sum by (job) (histogram_count(native_seconds))", all),
        ("histogram_count(sum by (job) (native_seconds))", all),
        // A power of two is a bound of every schema, so there is nothing to estimate.
        (
            "histogram_fraction(0, 1, native_seconds{kind='usual'})",
            up_to_one / to_f64(OBSERVED),
        ),
    ])
}

/// Returns the cumulated buckets of all histograms of a name, or of one kind.
fn buckets(registry: &Registry, name: &str, kind: Option<&str>) -> Vec<(f64, f64)> {
    let mut all: Vec<(f64, f64)> = Vec::new();
    each_histogram(registry, name, |labels, histogram| {
        if kind.is_some_and(|kind| labels["kind"] != kind) {
            return;
        }
        all.resize(histogram.bounds().len() + 1, (0.0, 0.0));
        for (all, (bound, count)) in all.iter_mut().zip(histogram.cumulative()) {
            *all = (bound, all.1 + to_f64(count));
        }
    });
    all
}

/// Returns all series of a job that come from the registry.
async fn read(prometheus: &Prometheus, job: &str) -> Series {
    let query = format!("{{job='{job}',__name__!~'(tachometer|scrape)_.*|up'}}");
    let series = prometheus.query(&query).await;
    let mut read = Series::new();
    for (metric, value) in series {
        assert!(read.insert(own_labels(&metric), value).is_none());
    }
    read
}

/// Returns a series' labels without those that Prometheus adds, its bound in one way.
fn own_labels(metric: &Value) -> Labels {
    let mut own = labels(metric);
    own.remove("job");
    own.remove("instance");
    if let Some(le) = own.get_mut("le") {
        *le = le.parse::<f64>().unwrap().to_string();
    }
    own
}

/// Asserts that the same series are there with the very same numbers.
#[track_caller]
fn assert_same(job: &str, read: &Series, expected: &Series) {
    let differ = |other: &Series, labels, value: f64| {
        let there = other.get(labels).copied();
        there.is_none_or(|there| there != value && !(there.is_nan() && value.is_nan()))
    };
    let more = read
        .iter()
        .filter(|(labels, value)| differ(expected, labels, **value));
    let less = expected
        .iter()
        .filter(|(labels, value)| differ(read, labels, **value));
    let (more, less): (Vec<_>, Vec<_>) = (more.take(5).collect(), less.take(5).collect());
    assert!(
        more.is_empty() && less.is_empty(),
        "{job} has {} series, of them {more:?}, instead of {}, of them {less:?}",
        read.len(),
        expected.len()
    );
}

fn are_close(one: f64, other: f64) -> bool {
    one == other || (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}

/// Kind, help and unit of each family, by job.
async fn check_metadata(prometheus: &Prometheus, registry: &Registry, job: &Job) {
    let target = escaped(&format!("{{job=\"{}\"}}", job.name));
    let told = prometheus
        .ask(&format!("targets/metadata?match_target={target}"))
        .await;
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let told: BTreeSet<_> = told
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
    assert_eq!(told, expected, "{}", job.name);
}

/// An exemplar as the tests compare it: its series, its own labels, its value, and its
/// time in milliseconds.
type Told = (Labels, Labels, String, u64);

/// Exemplars come back with their labels, values and times.
async fn check_exemplars(prometheus: &Prometheus, registry: &Registry, job: &Job) {
    let mut told: BTreeSet<Told> = BTreeSet::new();
    let mut native = BTreeSet::new();
    let query = escaped(&format!("{{job=\"{}\"}}", job.name));
    let query = format!("query_exemplars?query={query}&start=0&end=99999999999");
    for series in prometheus.ask(&query).await.as_array().unwrap() {
        let of = own_labels(&series["seriesLabels"]);
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
                told.insert(one);
            }
        }
    }
    let mut expected: BTreeSet<Told> = BTreeSet::new();
    let mut expected_native = BTreeSet::new();
    each_exemplar(registry, |of, exemplar| {
        let pairs = exemplar.labels.pairs();
        let own: BTreeMap<_, _> = pairs
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
            expected_native.insert((own.clone(), exemplar.value.to_string(), millis));
        }
        // OpenMetrics text leaves out those with a quote.
        let mut pairs = exemplar.labels.pairs();
        let is_left_out =
            job.format == Format::OpenMetrics && pairs.any(|(_, value)| value.contains('"'));
        if job.format != Format::Text
            && !is_left_out
            && (!is_native || job.classic == Classic::Always)
        {
            expected.insert((of, own, exemplar.value.to_string(), millis));
        }
    });
    assert_eq!(told, expected, "{}", job.name);
    if job.third {
        assert_eq!(native, expected_native, "{}", job.name);
    } else {
        // Version 2 takes the first that it comes to.
        assert_eq!(native.len(), expected_native.len().min(1), "{}", job.name);
        assert!(native.is_subset(&expected_native), "{native:?}");
    }
}

/// Where it is known since when a series counts, it is 0 at that time.
async fn check_created(prometheus: &Prometheus, registry: &Registry, job: &Job) {
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
            own_labels(&series["metric"]),
            (millis, value.as_str() == Some("0")),
        );
    }
    assert!(!first.is_empty());
    each(registry, |block, position, mut labels| {
        let name = block.desc.exposed_name();
        labels.insert("__name__".into(), name.into());
        if let Some((millis, zero)) = first.get(&labels)
            && block.desc.kind() == Kind::Counter
        {
            let known = *zero && *millis == job.time_read(block.created_millis[position]);
            let nothing = labels.get("kind").is_some_and(|kind| kind == "none");
            assert!(
                known == job.has_created() || nothing,
                "{} {labels:?}",
                job.name
            );
        }
    });
}

/// A native histogram has the buckets of the registry's, and quantiles within their
/// error of the registry's own.
async fn check_native(prometheus: &Prometheus, scene: &Scene, job: &str) {
    let query = format!("native_seconds{{job='{job}'}}");
    let mut stored: BTreeMap<String, Value> = BTreeMap::new();
    for series in prometheus.results(&query).await {
        let kind = series["metric"]["kind"].as_str().unwrap().to_owned();
        stored.insert(kind, series["histogram"][1].clone());
    }
    each_histogram(&scene.registry, "native_seconds", |labels, histogram| {
        let kind = &labels["kind"];
        let Some(native) = histogram.native() else {
            assert!(!stored.contains_key(kind), "{kind}");
            return;
        };
        let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
        let read = &stored[kind];
        assert_eq!(number(&read["count"]), to_f64(histogram.count()), "{kind}");
        assert_eq!(number(&read["sum"]), histogram.totals().sum, "{kind}");
        let buckets = read["buckets"].as_array().cloned().unwrap_or_default();
        let read: Vec<_> = buckets
            .iter()
            .map(|one| [1, 2, 3].map(|at| number(&one[at])))
            .collect();
        let expected = native_buckets(native);
        assert_eq!(read.len(), expected.len(), "{kind}: {read:?} {expected:?}");
        for (read, expected) in read.iter().zip(&expected) {
            let close = read
                .iter()
                .zip(expected)
                .all(|(one, other)| are_close(*one, *other));
            assert!(close, "{kind}: {read:?} {expected:?}");
        }
    });

    for kind in KINDS {
        let mut error = 0.0;
        each_histogram(&scene.registry, "native_seconds", |labels, histogram| {
            if labels["kind"] == kind {
                error = histogram.native().unwrap().resolution.relative_error();
            }
        });
        for percent in [1.0, 10.0, 47.0, 50.0, 87.0, 99.0] {
            let query = format!(
                "histogram_quantile({}, native_seconds{{job='{job}',kind='{kind}'}})",
                percent / 100.0
            );
            let answer = prometheus.number(&query).await.unwrap();
            // Both look into the bucket of the nearest rank, for no rank here is a
            // whole number. The crate answers its middle, by ratio, from which both of
            // its ends are off by the error, and so is whatever Prometheus
            // interpolates between them: by line in version 2, by ratio in 3.
            let own = scene.native.with([kind]).percentile(percent).unwrap();
            let bound = error * own.abs() + NativeBuckets::ZERO_THRESHOLD;
            assert!(
                (answer - own).abs() <= bound * (1.0 + 1e-9),
                "{query}: {answer}, and here {own}"
            );
            // From the value itself, which may be at the other end, by twice that.
            let values = &scene.observed[kind];
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let rank = (to_f64(OBSERVED) * percent / 100.0).ceil() as usize;
            let exact = values[rank - 1];
            let ends = (1.0 + error) * (1.0 + error) * (1.0 + 1e-9);
            let bound = exact.abs() * (ends - 1.0) + NativeBuckets::ZERO_THRESHOLD;
            assert!(
                (answer - exact).abs() <= bound,
                "{query}: {answer}, in truth {exact}"
            );
        }
    }
    check_merged(prometheus, scene, job).await;
}

/// Histograms of several schemas together have the coarsest one's buckets.
async fn check_merged(prometheus: &Prometheus, scene: &Scene, job: &str) {
    let kinds = ["coarse", "usual", "fine"];
    let mut values: Vec<f64> = kinds
        .iter()
        .flat_map(|kind| scene.observed[kind].iter().copied())
        .collect();
    values.sort_by(f64::total_cmp);
    for quantile in [0.1, 0.47, 0.87, 0.99] {
        let query = format!(
            "histogram_quantile({quantile}, sum(native_seconds{{job='{job}',kind=~'{}'}}))",
            kinds.join("|")
        );
        let answer = prometheus.number(&query).await.unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rank = (to_f64(values.len()) * quantile).ceil() as usize;
        let exact = values[rank - 1];
        let coarsest = Resolution::from_schema(0).unwrap().relative_error();
        let width = (1.0 + coarsest).powi(2) * (1.0 + 1e-9);
        assert!(
            answer / exact <= width && exact / answer <= width,
            "{query}: {answer}, in truth {exact}"
        );
    }
}

/// Returns lower and upper bound and count of each exponential bucket, ascending.
fn native_buckets(native: &NativeBuckets) -> Vec<[f64; 3]> {
    let octave = f64::from(1_u16 << native.resolution.schema());
    // The last bound would be 2^1024, which no number is.
    let bound = |index: i32| (f64::from(index) / octave).exp2().min(f64::MAX);
    let negative = native.negative.iter().rev();
    let negative = negative.map(|&(at, count)| [-bound(at), -bound(at - 1), to_f64(count)]);
    let threshold = NativeBuckets::ZERO_THRESHOLD;
    let zero = [-threshold, threshold, to_f64(native.zero_count)];
    let positive = native.positive.iter();
    let positive = positive.map(|&(at, count)| [bound(at - 1), bound(at), to_f64(count)]);
    let all = negative.chain([zero]).chain(positive);
    all.filter(|[_, _, count]| *count > 0.0).collect()
}
