//! Every query of the board, run on a real Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tachometer::Buckets;
use tachometer::dashboards::GrafanaBoard;

use super::fixture::Instance;
use super::{panel_values, queries, queries_of_row, targets};
use crate::support::fixture::Labels;
use crate::support::prometheus::{Prometheus, escaped, labels, third, usual};
use crate::support::promql::{Expr, Extrapolation, Samples, parse};
use crate::support::read::sum;

/// The values of the board's variables, by name.
type Variables = [(&'static str, String); 4];

fn all_values() -> Variables {
    ["job", "instance", "route", "model"].map(|name| (name, ".+".to_owned()))
}

/// Returns a query as Grafana sends it.
fn sent(query: &str, chosen: &Variables) -> String {
    let query = query.replace("$__rate_interval", "1m");
    chosen.iter().fold(query, |query, (name, value)| {
        query.replace(&format!("${name}"), value)
    })
}

/// Returns several selected values as Grafana writes them into a query.
fn several(values: &[&str]) -> String {
    let escape = |value: &&str| {
        let mut escaped = String::new();
        for char in value.chars() {
            if r"\^$*+?.()|[]{}".contains(char) {
                escaped.push_str(r"\\");
            }
            escaped.push(char);
        }
        escaped
    };
    let values: Vec<_> = values.iter().map(escape).collect();
    format!("({})", values.join("|"))
}

/// Starts two instances and a Prometheus that scrapes them, and returns once all their samples
/// are stored.
async fn start(program: &std::path::Path, flags: &[&str], buckets: Buckets) -> RunningBoard {
    let mut instances = Vec::new();
    for _ in 0..2 {
        instances.push(Instance::start(buckets.clone()).await);
    }
    let addresses = instances.iter().map(|one| one.server.address.to_string());
    let addresses: Vec<_> = addresses.collect();
    let jobs = format!(
        "- job_name: it\n  static_configs: [{{targets: ['{}']}}]\n",
        addresses.join("', '")
    );
    let mut ended = 0.0;
    for instance in &mut instances {
        // A request whose route gets no others, and what nothing is scraped in the midst of.
        instance.read("/once").await;
        ended += 1.0 + instance.traffic(1).await;
    }
    let prometheus = Prometheus::start_with(program, flags, &jobs).await;
    for round in [0, 3, 1] {
        for (times, instance) in (round..).zip(&mut instances) {
            ended += instance.traffic(times).await;
        }
        prometheus.until("sum(http_requests_total)", ended).await;
    }
    prometheus.until("count(system_cpu_percent)", 2.0).await;
    // What each has last told by now is asked for, once what it told until now is stored.
    let at = prometheus.number("max(timestamp(up))").await.unwrap();
    let stored = format!("min(timestamp(up) >= bool {at})");
    prometheus.until(&stored, 1.0).await;
    RunningBoard {
        instances,
        addresses,
        prometheus,
        at,
    }
}

/// The queries, and the time they are evaluated at.
pub(super) struct RunningBoard {
    instances: Vec<Instance>,
    addresses: Vec<String>,
    prometheus: Prometheus,
    at: f64,
}

impl RunningBoard {
    fn board(&self) -> Value {
        let board = GrafanaBoard::new().to_json(&self.instances[0].registry);
        serde_json::from_str(&board).unwrap()
    }

    /// Returns the result of a query at the evaluation time, by labels.
    async fn answer(&self, query: &str) -> BTreeMap<Labels, f64> {
        let path = format!("query?query={}&time={}", escaped(query), self.at);
        let data = self.prometheus.api(&path).await;
        let series = data["result"].as_array();
        let series = series.unwrap_or_else(|| panic!("no query: {query}"));
        let series = series.iter().map(|series| {
            let value = series["value"][1].as_str().unwrap();
            (labels(&series["metric"]), value.parse().unwrap())
        });
        series.collect()
    }

    /// Returns the result of a query of the board, with every variable set to all.
    pub(super) async fn query_all(&self, query: &str) -> BTreeMap<Labels, f64> {
        self.answer(&sent(query, &all_values())).await
    }

    async fn stop(self) {
        drop(self.prometheus);
        for mut instance in self.instances {
            instance.let_go();
            instance.server.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_the_board_returns_the_result_computed_from_the_samples() {
    let Some(program) = usual() else {
        return;
    };
    let started = start(&program, &[], Buckets::default()).await;
    let board = started.board();
    let one = &started.addresses[..1];
    let one: Vec<_> = one.iter().map(String::as_str).collect();
    let some: Variables = [
        ("job", several(&["it"])),
        ("instance", several(&one)),
        (
            "route",
            several(&["/ok/{millis}", "/fail", "/stream", "/echo"]),
        ),
        ("model", several(&["priced", "unpriced", "failing"])),
    ];
    let mut sent_queries: Vec<(String, Expr)> = Vec::new();
    // Some metrics without a role have no series.
    let mut may_be_empty = BTreeSet::new();
    let others = queries_of_row(&board, "Other metrics");
    for chosen in [all_values(), some] {
        for query in queries(&board) {
            let sent = sent(&query, &chosen);
            if others.contains(&query) {
                may_be_empty.insert(sent.clone());
            }
            sent_queries.push((sent.clone(), parse(&sent)));
        }
    }
    assert!(sent_queries.len() > 60, "{} queries", sent_queries.len());
    let parsed: Vec<_> = sent_queries.iter().map(|(_, expr)| expr.clone()).collect();
    let samples = Samples::read(&started.prometheus, started.at, &parsed).await;
    let mut by_way = BTreeMap::from([("zero first", Vec::new()), ("half first", Vec::new())]);
    for (query, expr) in &sent_queries {
        let answered = started.answer(query).await;
        let is_empty = answered.is_empty() && may_be_empty.contains(query);
        assert!(
            is_empty || !answered.is_empty(),
            "nothing is answered to {query}"
        );
        // Only an empty histogram has no percentile, and its result is NaN.
        let spread = query.starts_with("histogram_quantile(");
        let is_number = |value: &f64| value.is_finite() || spread && value.is_nan();
        assert!(answered.values().all(is_number), "{query}: {answered:?}");
        let has_number = answered.values().any(|value| value.is_finite());
        assert!(has_number || may_be_empty.contains(query), "{query}");
        for (name, way) in [
            ("zero first", Extrapolation::ZeroFirst),
            ("half first", Extrapolation::HalfFirst),
        ] {
            let expected: BTreeMap<_, _> = samples.answer(expr, way).into_iter().collect();
            if !are_equal(&answered, &expected) {
                let fault = format!("{query}: {answered:?} and not {expected:?}");
                by_way.get_mut(name).unwrap().push(fault);
            }
        }
    }
    // Each version of Prometheus always uses one of the two ways.
    let fewest = by_way.values().min_by_key(|faults| faults.len()).unwrap();
    assert!(fewest.is_empty(), "{}", fewest.join("\n"));
    panel_values::check(&started, &board).await;
    check_gauges(&started, &board).await;
    check_variables(&started, &board).await;
    started.stop().await;
}

fn are_equal(one: &BTreeMap<Labels, f64>, other: &BTreeMap<Labels, f64>) -> bool {
    one.keys().eq(other.keys())
        && one.iter().all(|(labels, value)| {
            let other = other[labels];
            let apart = (value - other).abs();
            apart <= 1e-9 * value.abs().max(other.abs()) || value.is_nan() && other.is_nan()
        })
}

/// Values that Prometheus does not compute equal those of the registries.
async fn check_gauges(started: &RunningBoard, board: &Value) {
    let both = |metric: &str, labels: &[(&str, &str)]| -> f64 {
        let instances = started.instances.iter();
        instances
            .map(|one| sum(&one.registry, metric, labels))
            .sum()
    };
    let ask = async |row: &str, title: &str| {
        let targets = targets(board, row, title);
        started.answer(&sent(&targets[0], &all_values())).await
    };
    let in_flight = ask("HTTP", "In flight").await;
    assert_eq!(
        in_flight.into_values().collect::<Vec<_>>(),
        [both("http_requests_in_flight", &[])]
    );
    let streams = ask("HTTP", "Streams in flight").await;
    let on_route = both("http_streams_in_flight", &[("route", "/stream")]);
    assert_eq!(on_route, 8.0);
    let route = Labels::from([("route".into(), "/stream".into())]);
    assert_eq!(streams[&route], on_route);
    let left = ask("LLM", "Rate limit remaining").await;
    for (kind, expected) in [("requests", 0.75), ("tokens", 0.01)] {
        for model in ["priced", "failing"] {
            let labels = [("kind", kind), ("model", model)];
            let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(left[&Labels::from(labels)], expected, "{kind}");
        }
    }
}

/// The variables list what there is.
async fn check_variables(started: &RunningBoard, board: &Value) {
    let instances = started.addresses.iter().map(String::as_str).collect();
    for (name, expected) in [
        ("job", BTreeSet::from(["it"])),
        ("instance", instances),
        (
            "route",
            BTreeSet::from([
                "/ask/{model}",
                "/broken",
                "/echo",
                "/fail",
                "/ok/{millis}",
                "/once",
                "unmatched",
            ]),
        ),
        (
            "model",
            BTreeSet::from(["failing", "limited", "priced", "unpriced"]),
        ),
    ] {
        let variables = board["templating"]["list"].as_array().unwrap();
        let variable = variables.iter().find(|one| one["name"] == name).unwrap();
        let query = variable["query"]["query"].as_str().unwrap();
        let inner = query.strip_prefix("label_values(").unwrap();
        let (series, label) = inner.strip_suffix(')').unwrap().rsplit_once(", ").unwrap();
        let series = escaped(&sent(series, &all_values()));
        let path = format!("label/{label}/values?match[]={series}");
        let values = started.prometheus.api(&path).await;
        let values = values.as_array().unwrap().iter();
        let values: BTreeSet<_> = values.map(|value| value.as_str().unwrap()).collect();
        assert_eq!(values, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_with_exponential_buckets_works_with_native_and_classic_histograms() {
    // Older ones than 2.40 have no such buckets, and take the classic ones of the text.
    for (program, flags) in [
        (usual(), &[][..]),
        (usual(), &["--enable-feature=native-histograms"]),
        (third(), &[]),
        (third(), &["--enable-feature=native-histograms"]),
    ] {
        let Some(program) = program else {
            continue;
        };
        let buckets = Buckets::new(&[0.01, 0.1, 0.25, 1.0]).unwrap().native();
        let started = start(&program, flags, buckets).await;
        let board = started.board();
        // Some metrics have no series.
        let others = queries_of_row(&board, "Other metrics");
        for query in queries(&board).difference(&others) {
            let answered = started.answer(&sent(query, &all_values())).await;
            assert!(!answered.is_empty(), "{program:?} {flags:?}: {query}");
        }
        let [median] = &targets(&board, "HTTP", "Duration")[..1] else {
            panic!("no median")
        };
        let answered = started.answer(&sent(median, &all_values())).await;
        let median = answered.into_values().next().unwrap();
        assert!(median.is_finite(), "{median}");
        let spent = &targets(&board, "HTTP", "Concurrent requests by route")[0];
        assert!(spent.contains("histogram_sum("), "{spent}");
        let by_route = started.answer(&sent(spent, &all_values())).await;
        assert!(by_route.len() >= 6, "{by_route:?}");
        started.stop().await;
    }
}
