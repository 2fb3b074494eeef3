//! Exemplars: the latest one for each counter and each bucket.

use std::thread;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use tachometer::export::Format;
use tachometer::snapshot::SeriesBlock;
use tachometer::{Buckets, MetricsLayer, Registry};
use tower::ServiceExt;

use crate::support::compare_exports::read;
use crate::support::read::sum;

#[test]
fn each_counter_and_each_bucket_keeps_its_latest_exemplar() {
    let registry = Registry::new();
    let counters = registry.counter_family("c", "", ["x"]).unwrap();
    let histograms = registry
        .histogram_family_with_buckets("h", "", ["x"], Buckets::new(&[1.0, 2.0]).unwrap())
        .unwrap();
    for x in ["a", "b", "c"] {
        counters.with([x]);
        histograms.with([x]);
    }
    counters.with(["b"]).inc_with_exemplar(1, &[("trace", "1")]);
    counters
        .with(["b"])
        .inc_with_exemplar(2.5, &[("trace", "2\"")]);
    let seconds = histograms.with(["c"]);
    for (value, trace) in [(0.5, "3"), (2.0, "4"), (1.5, "5"), (9.0, "6")] {
        seconds.observe_with_exemplar(value, &[("trace", trace), ("span", "")]);
    }

    let blocks: Vec<_> = registry.gather().collect();
    let kept = |block: &SeriesBlock| -> Vec<_> {
        let exemplars = block.exemplars.iter();
        exemplars
            .map(|one| {
                (
                    one.series,
                    one.bucket,
                    one.value,
                    one.labels.as_str().to_owned(),
                )
            })
            .collect()
    };
    let text = |text: &str| text.to_owned();
    assert_eq!(kept(&blocks[0]), [(1, 0, 2.5, text(r#"trace="2\"""#))]);
    assert_eq!(
        kept(&blocks[1]),
        [
            (2, 0, 0.5, text(r#"trace="3",span="""#)),
            (2, 1, 1.5, text(r#"trace="5",span="""#)),
            (2, 2, 9.0, text(r#"trace="6",span="""#)),
        ]
    );
    assert!(
        blocks[1].exemplars[0]
            .timestamp
            .elapsed()
            .unwrap()
            .as_secs()
            < 60
    );

    registry.reset_all();
    assert!(registry.gather().all(|block| block.exemplars.is_empty()));
}

#[test]
fn an_exemplar_that_openmetrics_forbids_is_ignored_and_its_value_counted() {
    let registry = Registry::new();
    let counter = registry.counter("c", "").unwrap();
    let histogram = registry.histogram("h", "").unwrap();
    let long = "ä".repeat(128);
    for labels in [
        &[("trace", &*long)][..],
        &[("1", "")],
        &[("", "")],
        &[("a", "1"), ("a", "2")],
    ] {
        counter.inc_with_exemplar(1, labels);
        histogram.observe_with_exemplar(1.0, labels);
    }
    counter.inc_with_exemplar(-1, &[("trace", "1")]);
    histogram.observe_with_exemplar(f64::NAN, &[("trace", "1")]);
    assert_eq!((counter.get(), histogram.stats().count), (4.0, 4));
    assert!(registry.gather().all(|block| block.exemplars.is_empty()));
    let invalid = "tachometer_invalid_observations_total";
    assert_eq!(sum(&registry, invalid, &[("metric", "c")]), 5.0);
    assert_eq!(sum(&registry, invalid, &[("metric", "h")]), 5.0);
    // The maximum number of characters.
    counter.inc_with_exemplar(1, &[("trace", &long[..2 * 123])]);
    assert_eq!(registry.gather().next().unwrap().exemplars.len(), 1);
}

/// Python's `prometheus_client` 0.26 fails a scrape for an escaped quote in an exemplar, and
/// takes all others (see also `strict`, which asks it if it is there).
#[test]
fn openmetrics_text_leaves_out_an_exemplar_with_a_quote_and_protobuf_has_it() {
    let awkward = [
        "\\", "\\\\", "\n", "#", " # {", "{", "}", "=", ",", "\r", "\0", "ä",
    ];
    let quoted = ["\"", "\"\"", "a\"b", "\\\"", "\"}", "\" # {"];
    let all = awkward.map(|value| (value, true)).into_iter();
    for (value, expected) in all.chain(quoted.map(|value| (value, false))) {
        let registry = Registry::new();
        let labels = [("first", "1"), ("trace", value)];
        registry
            .counter("c", "")
            .unwrap()
            .inc_with_exemplar(1, &labels);
        let histogram = registry.histogram_family("h", "", ["x"]).unwrap();
        histogram.with(["\""]).observe_with_exemplar(1.0, &labels);
        let exemplars = |format| -> Vec<_> {
            let families = read(format, &registry.export(format).to_bytes());
            let series = families.into_iter().flat_map(|family| family.series);
            let exemplars = series.flat_map(|series| series.exemplars);
            exemplars.map(|(_, exemplar)| exemplar.labels).collect()
        };
        let exemplar = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let both = [exemplar.to_vec(), exemplar.to_vec()];
        assert_eq!(exemplars(Format::Protobuf), both, "{value:?}");
        let text = exemplars(Format::OpenMetrics);
        assert_eq!(text, both[..if expected { 2 } else { 0 }], "{value:?}");
    }
}

#[test]
fn exemplars_of_many_threads_lose_no_count_and_never_mix() {
    let registry = Registry::new();
    let counter = registry.counter("c", "").unwrap();
    thread::scope(|scope| {
        for thread in 1..=4_u32 {
            let counter = &counter;
            scope.spawn(move || {
                let trace = "x".repeat(thread as usize);
                for _ in 0..2_000 {
                    counter.inc_with_exemplar(thread, &[("trace", &trace)]);
                }
            });
        }
        for _ in 0..500 {
            for exemplar in registry.gather().flat_map(|block| block.exemplars) {
                let (_, trace) = exemplar.labels.pairs().next().unwrap();
                assert_eq!(crate::support::read::to_f64(trace.len()), exemplar.value);
            }
        }
    });
    assert_eq!(counter.get(), 20_000.0);
}

#[tokio::test]
async fn a_request_leaves_its_trace_in_the_bucket_of_its_duration() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry);
    let traced = layer.clone().exemplars();
    let by_hand = layer.exemplar_from(|head| match head.uri.path() {
        "/long" => Some("x".repeat(121).into()),
        _ => Some("by hand".into()),
    });
    let kept = || -> Vec<_> {
        let blocks = registry.gather();
        let exemplars = blocks.flat_map(|block| block.exemplars);
        exemplars
            .map(|one| one.labels.as_str().to_owned())
            .collect()
    };
    let call = async |layer: &MetricsLayer, path, header: String| {
        let app = Router::new().fallback(async || "done").layer(layer.clone());
        let request = Request::get(path).header("traceparent", header);
        app.oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
    };
    call(&traced, "/", format!("00-{TRACE}-00f067aa0ba902b7-00")).await;
    assert!(kept().is_empty(), "the trace is not sampled");
    call(&traced, "/", format!("00-{TRACE}-00f067aa0ba902b7-01")).await;
    assert_eq!(kept(), [format!("trace_id=\"{TRACE}\"")]);
    call(&by_hand, "/", String::new()).await;
    assert_eq!(kept(), ["trace_id=\"by hand\""]);
    // Too long with its name: a warning is logged, and the request is counted.
    call(&by_hand, "/long", String::new()).await;
    assert_eq!(kept(), ["trace_id=\"by hand\""]);
    assert_eq!(sum(&registry, "http_request_duration_seconds", &[]), 4.0);
    assert_eq!(
        sum(&registry, "tachometer_invalid_observations_total", &[]),
        1.0
    );
}
