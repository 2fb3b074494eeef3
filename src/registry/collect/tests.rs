use std::panic;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::metric::clock;
use crate::registry::Registry;
use crate::snapshot::{Kind, NativeBuckets, SeriesBlock, Totals, Values, now_millis};

/// A collector that calls a closure.
struct Script<F>(F);

impl<F: Fn(&mut CollectSink<'_>) + Send + Sync + 'static> Collect for Script<F> {
    fn collect(&self, sink: &mut CollectSink<'_>) {
        (self.0)(sink);
    }

    fn name(&self) -> &'static str {
        "script"
    }
}

fn registry(script: impl Fn(&mut CollectSink<'_>) + Send + Sync + 'static) -> Registry {
    let registry = Registry::new();
    registry.collector(Script(script)).unwrap();
    registry
}

fn blocks(registry: &Registry, name: &str) -> Vec<SeriesBlock> {
    let blocks = registry.gather();
    blocks.filter(|block| block.desc.name() == name).collect()
}

/// Returns the value of a series in the text format.
#[track_caller]
fn value(registry: &Registry, series: &str) -> Option<String> {
    let text = registry.export_prometheus();
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let (_, value) = lines.find(|(name, _)| *name == series)?;
    Some(value.to_owned())
}

#[test]
fn a_family_that_appears_is_in_the_first_scrape_in_the_order_of_names() {
    let registry = registry(|sink| {
        for name in ["zz", "aa", "mm"] {
            sink.family(&Desc::new(name, "Late.", Kind::Gauge)).unwrap();
            sink.gauge(name, [("x", "1")], 1);
        }
    });
    registry.counter("kk_total", "").unwrap();
    for _ in 0..2 {
        let names: Vec<_> = registry
            .gather()
            .map(|b| b.desc.name().to_owned())
            .collect();
        assert_eq!(names[..4], ["aa", "kk_total", "mm", "zz"]);
    }
    assert!(registry.get("mm").is_some());
    assert!(registry.gauge("mm", "").unwrap_err().is_conflict());
}

#[test]
fn a_filtered_read_has_families_that_appear() {
    let registry = registry(|sink| {
        sink.family(&Desc::new("late", "", Kind::Gauge)).unwrap();
        sink.gauge("late", [], 1);
    });
    let names: Vec<_> = registry.reader().filter_names(["late"]).collect();
    assert_eq!(names.len(), 1);
}

#[test]
fn a_filtered_read_has_a_family_that_a_collector_has_added_to_those_described() {
    struct Both;

    impl Collect for Both {
        fn describe(&self) -> Vec<Desc> {
            vec![Desc::new("described", "", Kind::Gauge)]
        }

        fn collect(&self, sink: &mut CollectSink<'_>) {
            sink.gauge("described", [], 1);
            let _ = sink.family(&Desc::new("added", "", Kind::Gauge));
            sink.gauge("added", [], 2);
        }
    }

    let registry = Registry::new();
    registry.collector(Both).unwrap();
    assert_eq!(value(&registry, "described").as_deref(), Some("1"));
    let names: Vec<_> = registry.reader().filter_names(["added"]).collect();
    assert_eq!(names.len(), 1);
}

#[test]
fn a_block_has_at_most_64_series() {
    let registry = registry(|sink| {
        sink.family(&Desc::new("x", "", Kind::Gauge)).unwrap();
        for number in 0..200 {
            sink.gauge("x", [("number", &*number.to_string())], number);
        }
    });
    let sizes = blocks(&registry, "x")
        .into_iter()
        .map(|block| block.labels.len());
    assert_eq!(sizes.collect::<Vec<_>>(), [64, 64, 64, 8]);
}

#[test]
fn a_conflict_counts_under_the_collector_and_leaves_others_complete() {
    let registry = Registry::new();
    registry.counter("taken_total", "").unwrap().inc();
    registry
        .collector(Script(|sink: &mut CollectSink<'_>| {
            for name in ["taken_total", "taken", "not valid", "fine"] {
                let _ = sink.family(&Desc::new(name, "", Kind::Gauge));
                sink.gauge(name, [], 1);
            }
            sink.gauge("never_added", [], 1);
        }))
        .unwrap();
    let refused = "tachometer_series_refused_total{collector=\"script\"}";
    assert_eq!(value(&registry, refused).as_deref(), Some("4"));
    assert_eq!(value(&registry, refused).as_deref(), Some("8"));
    assert_eq!(value(&registry, "fine").as_deref(), Some("1"));
    assert_eq!(value(&registry, "taken_total").as_deref(), Some("1"));
    assert!(
        !registry
            .export_prometheus()
            .contains("invalid_observations")
    );
}

#[test]
fn the_count_of_refused_series_starts_at_0() {
    let registry = registry(|_| {});
    let refused = "tachometer_series_refused_total{collector=\"script\"}";
    assert_eq!(value(&registry, refused).as_deref(), Some("0"));
}

#[test]
fn a_family_keeps_its_kind() {
    let kind = Arc::new(Mutex::new(Kind::Gauge));
    let current = Arc::clone(&kind);
    let registry = registry(move |sink| {
        let kind = *current.lock().unwrap();
        let result = sink.family(&Desc::new("x", "", kind));
        assert_eq!(result.is_ok(), kind == Kind::Gauge);
        match kind {
            Kind::Gauge => sink.gauge("x", [], 1),
            _ => sink.counter("x", [], 1),
        };
    });
    assert_eq!(value(&registry, "x").as_deref(), Some("1"));
    *kind.lock().unwrap() = Kind::Counter;
    assert_eq!(value(&registry, "x"), None);
    let invalid = "tachometer_invalid_observations_total{metric=\"x\"}";
    assert_eq!(value(&registry, invalid).as_deref(), Some("2"));
    *kind.lock().unwrap() = Kind::Gauge;
    assert_eq!(value(&registry, "x").as_deref(), Some("1"));
}

#[test]
fn help_is_filled_in_once() {
    let help = Arc::new(Mutex::new(""));
    let current = Arc::clone(&help);
    let registry = registry(move |sink| {
        let help = *current.lock().unwrap();
        sink.family(&Desc::new("x", help, Kind::Gauge)).unwrap();
        sink.gauge("x", [], 1);
    });
    let has = |text: &str| registry.export_prometheus().contains(text);
    assert!(!has("Text."));
    *help.lock().unwrap() = "Text.";
    assert!(has("# HELP x Text.\n"));
    *help.lock().unwrap() = "Other.";
    assert!(has("# HELP x Text.\n"));
    assert_eq!(registry.get("x").unwrap().help(), "Text.");
}

#[test]
fn invented_families_are_limited() {
    let registry = registry(|sink| {
        for number in 0..10_010 {
            let name = format!("x{number}");
            let _ = sink.family(&Desc::new(&name, "", Kind::Gauge));
            sink.gauge(&name, [], 1);
        }
    });
    let refused = "tachometer_series_refused_total{collector=\"script\"}";
    assert_eq!(value(&registry, refused).as_deref(), Some("10"));
    assert_eq!(registry.metrics().len(), 10_000);
}

#[test]
fn series_have_their_creation_times_and_exemplars() {
    let time = UNIX_EPOCH + Duration::from_millis(1_234_567);
    let registry = registry(move |sink| {
        sink.family(&Desc::new("c_total", "", Kind::Counter))
            .unwrap();
        sink.family(&Desc::new("h", "", Kind::Histogram)).unwrap();
        sink.family(&Desc::new("g", "", Kind::Gauge)).unwrap();
        sink.counter("c_total", [("x", "1")], 1)
            .created(time)
            .exemplar([("id", "1")], 1.0, time)
            .exemplar([("id", "2")], 1.0, time);
        sink.counter("c_total", [("x", "2")], 1);
        let values = HistogramValues::new(&[1.0, 2.0], &[0, 1, 1], 4.5);
        sink.histogram_values("h", [], values)
            .exemplar([("id", "3")], 3.0, time)
            .exemplar([("id", "4")], 2.0, time)
            .exemplar([("le", "1")], 2.0, time)
            .exemplar([("id", "5")], f64::NAN, time);
        sink.gauge("g", [], 1).exemplar([("id", "6")], 1.0, time);
        // Left out, with all that is set.
        sink.counter("c_total", [], -1)
            .created(time)
            .exemplar([], 1.0, time);
    });
    let before = now_millis();
    let counters = &blocks(&registry, "c_total")[0];
    assert_eq!(counters.created_millis[0], 1_234_567);
    assert!(counters.created_millis[1] <= before && counters.created_millis[1] > 1_234_567);
    let ids = |block: &SeriesBlock, series| -> Vec<_> {
        let exemplars = block.exemplars_for(series).iter();
        exemplars
            .map(|e| (e.bucket, e.labels.as_str().to_owned()))
            .collect()
    };
    assert_eq!(ids(counters, 0), [(0, "id=\"2\"".to_owned())]);
    assert_eq!(ids(counters, 1), []);
    let histograms = &blocks(&registry, "h")[0];
    let expected = [(1, "id=\"4\"".to_owned()), (2, "id=\"3\"".to_owned())];
    assert_eq!(ids(histograms, 0), expected);
    let invalid = "tachometer_invalid_observations_total{metric=\"h\"}";
    assert_eq!(value(&registry, invalid).as_deref(), Some("6"));
}

#[test]
fn histograms_are_plain_numbers_with_any_buckets() {
    let native = NativeBuckets {
        zero_count: 1,
        positive: vec![(-3, 2), (5, 4)],
        ..NativeBuckets::default()
    };
    let all = native.clone();
    let registry = registry(move |sink| {
        sink.family(&Desc::new("h", "", Kind::Histogram)).unwrap();
        let mut add = |x: &str, values| {
            sink.histogram_values("h", [("x", x)], values);
        };
        add("1", HistogramValues::new(&[1.0], &[2, 1], f64::NAN));
        add("2", HistogramValues::new(&[1.0], &[0, 0], 0.0));
        add("3", HistogramValues::new(&[0.5, 1.0], &[1, 1, 1], 1e300));
        add("4", HistogramValues::from_native(&native, 9.0));
        add(
            "5",
            HistogramValues::new(&[1.0], &[3, 4], 9.0).native(&native),
        );
        add("6", HistogramValues::new(&[], &[7], 9.0).extremes(0.5, 2.0));
        // These contradict themselves.
        add("7", HistogramValues::new(&[1.0], &[1], 9.0));
        add("8", HistogramValues::new(&[1.0, 1.0], &[1, 1, 1], 9.0));
        add("9", HistogramValues::new(&[f64::INFINITY], &[1, 1], 9.0));
        add(
            "10",
            HistogramValues::new(&[1.0], &[3, 3], 9.0).native(&native),
        );
        add("11", HistogramValues::new(&[1.0], &[u64::MAX, 1], 9.0));
        let unsorted = NativeBuckets {
            positive: vec![(5, 1), (5, 1)],
            ..NativeBuckets::default()
        };
        add("12", HistogramValues::from_native(&unsorted, 9.0));
        let too_large = NativeBuckets {
            negative: vec![(i32::MAX, 1)],
            ..NativeBuckets::default()
        };
        add("13", HistogramValues::from_native(&too_large, 9.0));
    });
    let blocks = blocks(&registry, "h");
    let mut read = Vec::new();
    for block in &blocks {
        let Values::Histogram(histograms) = &block.values else {
            panic!("not a histogram");
        };
        for histogram in histograms.iter() {
            let native = histogram.native().cloned();
            read.push((
                histogram.bounds().to_vec(),
                histogram.counts().to_vec(),
                native,
            ));
        }
    }
    let expected = [
        (vec![1.0], vec![2, 1], None),
        (vec![1.0], vec![0, 0], None),
        (vec![0.5, 1.0], vec![1, 1, 1], None),
        (vec![], vec![7], Some(all.clone())),
        (vec![1.0], vec![3, 4], Some(all)),
        (vec![], vec![7], None),
    ];
    assert_eq!(read, expected);
    assert_eq!(
        value(&registry, "h_bucket{x=\"4\",le=\"+Inf\"}").as_deref(),
        Some("7")
    );
    assert_eq!(value(&registry, "h_sum{x=\"1\"}").as_deref(), Some("NaN"));
    let invalid = "tachometer_invalid_observations_total{metric=\"h\"}";
    assert_eq!(value(&registry, invalid).as_deref(), Some("28"));
}

#[test]
fn an_empty_histogram_has_totals_of_0() {
    let registry = registry(|sink| {
        sink.family(&Desc::new("h", "", Kind::Histogram)).unwrap();
        sink.histogram_values("h", [], HistogramValues::new(&[1.0], &[0, 0], 7.0));
    });
    let Values::Histogram(histograms) = &blocks(&registry, "h")[0].values else {
        panic!("not a histogram");
    };
    assert_eq!(histograms.totals, [Totals::default()]);
}

#[test]
fn unknown_extremes_are_not_invented() {
    let registry = registry(|sink| {
        sink.family(&Desc::new("h", "", Kind::Histogram)).unwrap();
        let values = HistogramValues::new(&[1.0, 2.0, 4.0], &[0, 4, 4, 0], 20.0);
        sink.histogram_values("h", [], values);
    });
    let Values::Histogram(histograms) = &blocks(&registry, "h")[0].values else {
        panic!("not a histogram");
    };
    let histogram = histograms.get(0).unwrap();
    assert!(histogram.stats().min.is_nan() && histogram.stats().max.is_nan());
    let percentiles = [0.0, 25.0, 50.0, 100.0].map(|p| histogram.percentile(p).unwrap());
    assert_eq!(percentiles, [1.0, 1.5, 2.0, 4.0]);
}

#[test]
fn a_collector_that_hangs_is_left_out_of_later_reads() {
    let (started, has_started) = mpsc::channel();
    let (release, is_released) = mpsc::channel::<()>();
    let is_released = Mutex::new(is_released);
    let is_first = AtomicBool::new(true);
    let registry = registry(move |sink| {
        if is_first.swap(false, Ordering::Relaxed) {
            started.send(()).unwrap();
            is_released.lock().unwrap().recv().unwrap();
        }
        sink.family(&Desc::new("x", "", Kind::Gauge)).unwrap();
        sink.gauge("x", [], 1);
    });
    registry.gauge("y", "").unwrap();
    let other = registry.clone();
    let first_read = thread::spawn(move || value(&other, "x"));
    has_started.recv().unwrap();
    let skips = || value(&registry, "tachometer_collector_skips_total");
    // The call may still return in time.
    assert_eq!(skips().as_deref(), Some("0"));
    clock::advance(Duration::from_millis(10_500));
    assert_eq!(value(&registry, "x"), None);
    assert_eq!(value(&registry, "y").as_deref(), Some("0"));
    assert_eq!(skips().as_deref(), Some("3"));
    release.send(()).unwrap();
    assert_eq!(first_read.join().unwrap().as_deref(), Some("1"));
    assert_eq!(value(&registry, "x").as_deref(), Some("1"));
    assert_eq!(skips().as_deref(), Some("3"));
}

#[test]
fn extremes_that_no_values_have_are_refused() {
    let registry = registry(|sink| {
        sink.family(&Desc::new("h", "", Kind::Histogram)).unwrap();
        let values = HistogramValues::new(&[1.0], &[1, 1], 3.0);
        for (x, min, max) in [
            ("1", 5.0, 1.0),
            ("2", f64::NEG_INFINITY, 1.0),
            ("3", 1.0, f64::INFINITY),
            ("4", f64::NAN, 2.0),
            ("5", 0.5, 0.5),
        ] {
            sink.histogram_values("h", [("x", x)], values.extremes(min, max));
        }
    });
    let counts: usize = blocks(&registry, "h")
        .iter()
        .map(|block| block.labels.len())
        .sum();
    assert_eq!(counts, 2);
}

#[test]
fn a_panic_while_the_payload_of_a_panic_is_dropped_ends_no_read() {
    struct PanicsAgain;

    impl Drop for PanicsAgain {
        fn drop(&mut self) {
            panic!("again");
        }
    }

    let registry = registry(|_| panic::panic_any(PanicsAgain));
    registry.gauge("y", "").unwrap();
    assert_eq!(value(&registry, "y").as_deref(), Some("0"));
    let panics = value(&registry, "tachometer_collector_panics_total");
    assert_eq!(panics.as_deref(), Some("2"));
}

#[test]
fn a_filtered_read_runs_no_collector_whose_families_it_does_not_select() {
    let registry = Registry::new();
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    let count = move || counted.fetch_add(1, Ordering::Relaxed);
    registry.gauge_fn("slow", "", count).unwrap();
    registry.gauge("other", "").unwrap();
    assert_eq!(registry.reader().filter_names(["other"]).count(), 1);
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    assert_eq!(registry.reader().filter_names(["slow"]).count(), 1);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn a_help_text_that_one_group_has_is_that_of_the_metric() {
    let registry = Registry::new();
    for (tenant, help) in [("a", ""), ("b", "Queue.")] {
        let tenant = registry.clone().with_labels([("tenant", tenant)]).unwrap();
        let script = move |sink: &mut CollectSink<'_>| {
            sink.family(&Desc::new("q", help, Kind::Gauge)).unwrap();
            for number in 0..100 {
                sink.gauge("q", [("number", &*number.to_string())], 1);
            }
        };
        tenant.collector(Script(script)).unwrap();
    }
    for _ in 0..2 {
        let blocks = blocks(&registry, "q");
        let helps = blocks.iter().map(|block| block.desc.help());
        assert_eq!(helps.collect::<Vec<_>>(), ["Queue."; 4]);
        // The blocks of a group share their description.
        assert!(Arc::ptr_eq(&blocks[0].desc, &blocks[1].desc));
    }
    assert!(registry.export_prometheus().contains("# HELP q Queue.\n"));
    assert_eq!(registry.get("q").unwrap().help(), "Queue.");
    let other = Registry::new();
    assert!(Registry::merged([&registry, &other]).is_ok());
}

#[test]
fn the_default_name_is_that_of_the_type() {
    struct Generic<T>(T);

    impl<T: Send + Sync + 'static> Collect for Generic<T> {
        fn collect(&self, _: &mut CollectSink<'_>) {}
    }

    assert_eq!(Generic::<u8>(0).name(), "Generic");
}
