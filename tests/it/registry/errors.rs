//! Errors at start-up, and invalid values that are ignored and counted later.

use tachometer::snapshot::SeriesValue;
use tachometer::{Buckets, Counter, Error, Gauge, Histogram, Registry};

use crate::support::read::sum;

#[track_caller]
fn refused(result: Result<impl Sized, Error>, is: fn(&Error) -> bool, words: &[&str]) {
    let Err(error) = result else {
        panic!("it was not refused");
    };
    assert!(is(&error), "{error:?}");
    for word in words {
        assert!(error.to_string().contains(word), "{word:?} in: {error}");
    }
}

#[test]
fn invalid_names_are_errors_with_name_reason_and_remedy() {
    let registry = Registry::new();
    let bad_name = registry.counter("2xx-responses", "");
    refused(
        bad_name,
        Error::is_invalid_name,
        &["2xx-responses", "starts with a digit", "use letters"],
    );
    let bad_name = registry.histogram("lätency", "");
    refused(bad_name, Error::is_invalid_name, &["'ä'"]);
    let bad_label = registry.counter_with("a", "", [("le", "1")]);
    refused(
        bad_label,
        Error::is_invalid_label,
        &["\"le\"", "another name"],
    );
    let bad_label = registry.gauge_family("a", "", ["user-id"]);
    refused(bad_label, Error::is_invalid_label, &["user-id", "'-'"]);
    let repeated = registry.gauge_family("a", "", ["x", "x"]);
    refused(repeated, Error::is_invalid_label, &["repeated"]);
    assert!(registry.metrics().is_empty());
}

#[test]
fn one_name_has_one_kind_one_set_of_labels_and_one_set_of_bounds() {
    let registry = Registry::new();
    registry.counter("jobs", "").unwrap();
    refused(
        registry.gauge("jobs", ""),
        Error::is_conflict,
        &["as a counter", "as a gauge"],
    );
    let labelled = registry.counter_with("jobs", "", [("kind", "a")]);
    refused(labelled, Error::is_conflict, &["[]", "[\"kind\"]"]);

    registry
        .counter_with("mails", "", [("kind", "a"), ("to", "b")])
        .unwrap();
    let too_few = registry.counter_with("mails", "", [("kind", "a")]);
    refused(
        too_few,
        Error::is_conflict,
        &["[\"kind\", \"to\"]", "[\"kind\"]"],
    );
    let too_many = registry.counter_family("mails", "", ["kind", "to", "by"]);
    refused(too_many, Error::is_conflict, &["by"]);

    registry
        .histogram_with_buckets("sizes", "", Buckets::new(&[1.0, 2.0]).unwrap())
        .unwrap();
    let other = registry.histogram_with_buckets("sizes", "", Buckets::new(&[1.0, 3.0]).unwrap());
    refused(other, Error::is_conflict, &["1.0, 2.0", "1.0, 3.0"]);
    // Without bounds, the existing metric is returned.
    assert!(registry.histogram("sizes", "").is_ok());
}

#[test]
fn names_that_are_equal_when_exported_conflict_in_either_order() {
    type Register = fn(&Registry, &str) -> Result<(), Error>;
    let counter: Register = |r, name| r.counter(name, "").map(drop);
    let gauge: Register = |r, name| r.gauge(name, "").map(drop);
    let histogram: Register = |r, name| r.histogram(name, "").map(drop);
    for ((one, one_name), (other, other_name)) in [
        ((counter, "x"), (counter, "x_total")),
        ((counter, "x"), (gauge, "x_total")),
        ((counter, "x_total"), (gauge, "x")),
        ((counter, "x"), (gauge, "x_created")),
        ((histogram, "x"), (gauge, "x_bucket")),
        ((histogram, "x"), (gauge, "x_sum")),
        ((histogram, "x"), (gauge, "x_count")),
        ((histogram, "x"), (gauge, "x_created")),
        ((histogram, "x"), (counter, "x_count")),
        ((histogram, "x"), (histogram, "x_sum")),
    ] {
        for ((first, first_name), (second, second_name)) in [
            ((one, one_name), (other, other_name)),
            ((other, other_name), (one, one_name)),
        ] {
            let registry = Registry::new();
            first(&registry, first_name).unwrap();
            refused(
                second(&registry, second_name),
                Error::is_conflict,
                &[first_name, second_name],
            );
            assert_eq!(registry.metrics().len(), 1);
        }
    }
    let registry = Registry::new();
    gauge(&registry, "x").unwrap();
    gauge(&registry, "x_count").unwrap();
    let self_metric = registry.counter("tachometer_invalid_observations", "");
    refused(
        self_metric,
        Error::is_conflict,
        &["tachometer_invalid_observations_total"],
    );
}

#[test]
fn invalid_buckets_are_errors_with_the_bound() {
    for (bounds, word) in [
        (&[][..], "at least one"),
        (&[1.0, 0.5], "0.5"),
        (&[1.0, 1.0], "duplicates"),
        (&[1.0, f64::INFINITY], "every histogram has a bucket"),
        (&[f64::NAN], "NaN"),
    ] {
        refused(Buckets::new(bounds), Error::is_invalid_buckets, &[word]);
    }
}

#[test]
fn a_metric_is_registered_once_by_hand_and_not_as_a_part_of_a_family() {
    let registry = Registry::new();
    let hits = Counter::new();
    registry.register("hits", "", &hits).unwrap();
    refused(
        registry.register("hits", "", &hits),
        Error::is_conflict,
        &["hits", "already registered"],
    );
    let part = registry.counter_with("parts", "", [("of", "it")]).unwrap();
    refused(
        registry.register("part", "", &part),
        Error::is_conflict,
        &["has labels"],
    );
    refused(
        registry.register("no good", "", &hits),
        Error::is_invalid_name,
        &["' '"],
    );
}

#[test]
#[should_panic(expected = "the metric \"refusals_once\" is already registered as a counter")]
fn the_free_functions_panic_with_the_words_of_the_error() {
    let _ = tachometer::counter("refusals_once", "");
    let _ = tachometer::gauge("refusals_once", "");
}

#[test]
fn invalid_values_change_nothing_and_are_counted_by_metric() {
    let registry = Registry::new();
    let invalid = |metric| {
        let labels = [("metric", metric)];
        sum(&registry, "tachometer_invalid_observations_total", &labels)
    };

    let counter = registry.counter("c", "").unwrap();
    counter.inc_by(2);
    for amount in [
        -1.0,
        -f64::MIN_POSITIVE,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ] {
        counter.inc_by(amount);
    }
    counter.inc_by(-3_i32);
    counter.inc_by(i64::MIN);
    counter.inc_by(-0.0);
    assert_eq!((counter.get(), invalid("c")), (2.0, 7.0));

    let gauge = registry.gauge("g", "").unwrap();
    gauge.set(5);
    for amount in [f64::NAN, f64::INFINITY] {
        gauge.inc_by(amount);
        gauge.dec_by(amount);
    }
    assert_eq!((gauge.get(), invalid("g")), (5.0, 4.0));
    gauge.set(f64::NAN);
    assert!(gauge.get().is_nan());
    assert_eq!(invalid("g"), 4.0);

    let histogram = registry.histogram("h", "").unwrap();
    histogram.observe(1.0);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        histogram.observe(value);
    }
    histogram.observe(-2.0);
    histogram.observe(f64::MIN_POSITIVE / 2.0);
    let stats = histogram.stats();
    assert_eq!(
        (stats.count, stats.sum, stats.min, stats.max),
        (3, -1.0, -2.0, 1.0)
    );
    assert_eq!(invalid("h"), 3.0);
    // Metrics that refused nothing are not listed.
    registry.counter("fine", "").unwrap().inc();
    assert!(!registry.export_prometheus().contains("metric=\"fine\""));
}

#[test]
fn a_counter_wraps_at_2_to_the_64_and_keeps_its_fraction() {
    let registry = Registry::new();
    let counter = registry.counter("c", "").unwrap();
    counter.inc_by(u64::MAX);
    assert!(
        registry
            .export_prometheus()
            .contains("c_total 18446744073709551615\n")
    );
    counter.inc_by(0.5);
    counter.inc_by(3);
    assert_eq!((counter.get_u64(), counter.get()), (2, 2.5));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| counter.inc_by(u64::MAX));
        }
    });
    // Four times one less than 2^64.
    assert_eq!(counter.get_u64(), 2_u64.wrapping_sub(4));
    assert_eq!(
        counter.snapshot().value,
        SeriesValue::Counter(counter.get())
    );
}

#[test]
fn the_largest_values_keep_a_sum_valid() {
    let histogram = Histogram::new();
    histogram.observe(f64::MAX);
    histogram.observe(f64::MAX);
    assert_eq!(histogram.stats().sum, f64::MAX);
    let gauge = Gauge::new();
    gauge.set(f64::MAX);
    gauge.inc_by(f64::MAX);
    assert_eq!(gauge.get(), f64::MAX);
}
