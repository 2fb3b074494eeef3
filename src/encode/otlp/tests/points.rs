//! Points.

use std::time::Duration;

use crate::encode::otlp::tests::blocks::{
    CREATED, EXPONENTIAL_HISTOGRAM, GAUGE, HISTOGRAM, SUM, TIME, attributes, block, counter,
    encoder, gauge, histogram, metric, metrics, time,
};
use crate::encode::otlp::tests::wire_message::WireMessage;
use crate::encode::otlp::{
    ExemplarTimes, HistogramEncoding, OtlpEncoder, OtlpSettings, Temporality,
};
use crate::snapshot::{
    Count, Desc, Exemplar, Kind, Labels, NativeBuckets, Resolution, SemanticNames, SeriesBlock,
    Totals, Values,
};

/// Encodes the only series of a block.
fn point(block: &SeriesBlock, field: u64, temporality: Temporality) -> WireMessage {
    let histograms = match field {
        EXPONENTIAL_HISTOGRAM => HistogramEncoding::Exponential,
        _ => HistogramEncoding::Explicit,
    };
    metric(block, histograms, temporality)
        .message(field)
        .message(1)
}

const NANOS: u64 = 1_000_000;

#[test]
fn whole_counts_are_integers_as_long_as_they_fit() {
    let check = |count: Count, integer: Option<u64>, double: Option<f64>| {
        let mut block = counter(0);
        block.values = Values::Counter(vec![count]);
        let point = point(&block, SUM, Temporality::Cumulative);
        assert_eq!((point.fixed(6), point.double(4)), (integer, double));
    };
    check(0.into(), Some(0), None);
    check(i64::MAX.cast_unsigned().into(), Some(u64::MAX >> 1), None);
    check((1 << 63).into(), None, Some(2_f64.powi(63)));
    check(u64::MAX.into(), None, Some(2_f64.powi(64)));
    let count = Count {
        whole: 3,
        fraction: 0.5,
    };
    check(count, None, Some(3.5));
}

#[test]
fn gauges_are_any_number_and_have_no_start() {
    for value in [
        0.0,
        -1.5,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e-300,
    ] {
        let point = point(&gauge("g", value), GAUGE, Temporality::Delta);
        let sent = point.double(4).map(f64::to_bits);
        assert_eq!(sent, Some(value.to_bits()));
        assert_eq!((point.fixed(2), point.fixed(3)), (None, Some(TIME * NANOS)));
    }
}

#[test]
fn a_gauge_that_counts_things_by_the_conventions_is_a_cumulative_sum() {
    let names = SemanticNames {
        metric: "http.server.active_requests",
        unit: Some("{request}"),
        attributes: &[],
    };
    let desc = Desc::new("http_server_active_requests", "", Kind::Gauge);
    let desc = desc.with_semantic_names(Some(names));
    let block = block(desc, Values::Gauge(vec![2.0]), &[&[]]);
    let metric = metric(&block, HistogramEncoding::Explicit, Temporality::Delta);
    assert_eq!(metric.text(1), "http.server.active_requests");
    assert_eq!(metric.text(3), "{request}");
    let sum = metric.message(SUM);
    assert_eq!((sum.varint(2), sum.varint(3)), (Some(2), None));
    assert_eq!(sum.message(1).double(4), Some(2.0));
    assert_eq!(sum.message(1).fixed(2), Some(CREATED * NANOS));
}

#[test]
fn an_interval_ends_after_its_start() {
    let check = |created: &[u64], expected| {
        let mut block = counter(1);
        block.created_millis = created.into();
        let point = point(&block, SUM, Temporality::Cumulative);
        assert_eq!((point.fixed(2), point.fixed(3)), expected);
    };
    check(&[CREATED], (Some(CREATED * NANOS), Some(TIME * NANOS)));
    check(&[TIME], (Some(TIME * NANOS), Some((TIME + 1) * NANOS)));
    check(
        &[TIME + 9],
        (Some((TIME + 9) * NANOS), Some((TIME + 10) * NANOS)),
    );
    check(&[0], (None, Some(TIME * NANOS)));
    check(&[], (None, Some(TIME * NANOS)));
}

#[test]
fn explicit_histograms_have_counts_bounds_and_totals() {
    let totals = Totals {
        sum: 7.5,
        min: 0.5,
        max: 4.0,
    };
    let check = |counts, totals, temporality, [sum, min, max]: [Option<f64>; 3]| {
        let histogram = histogram(counts, totals, None);
        let point = point(&histogram, HISTOGRAM, temporality);
        assert_eq!(point.fixed(4), Some(counts.iter().sum()));
        assert_eq!(point.packed_fixed(6), counts);
        let bounds = point.packed_fixed(7).into_iter().map(f64::from_bits);
        assert_eq!(bounds.collect::<Vec<_>>(), [1.0, 2.0]);
        let sent = [point.double(5), point.double(11), point.double(12)];
        assert_eq!(sent, [sum, min, max]);
        assert_eq!(
            (point.fixed(2), point.fixed(3)),
            (Some(CREATED * NANOS), Some(TIME * NANOS))
        );
    };
    let all = [Some(7.5), Some(0.5), Some(4.0)];
    check([1, 0, 2], totals, Temporality::Cumulative, all);
    check(
        [1, 0, 2],
        totals,
        Temporality::Delta,
        [Some(7.5), None, None],
    );
    let none = [Some(0.0), None, None];
    check([0; 3], Totals::default(), Temporality::Cumulative, none);
    // The sum of negative values could decrease.
    let negative = Totals {
        min: -1.0,
        ..totals
    };
    let extremes = [None, Some(-1.0), Some(4.0)];
    check([1, 0, 2], negative, Temporality::Cumulative, extremes);
    check([1, 0, 2], negative, Temporality::Delta, [None; 3]);
    let unknown = Totals {
        min: f64::NAN,
        max: f64::NAN,
        ..totals
    };
    let sum = [Some(7.5), None, None];
    check([1, 0, 2], unknown, Temporality::Cumulative, sum);
}

#[test]
fn a_histogram_with_unknown_extremes_has_no_sum_if_a_bucket_has_negative_values() {
    let totals = Totals {
        sum: 7.5,
        min: f64::NAN,
        max: f64::NAN,
    };
    for (negative, sum) in [(&[][..], Some(7.5)), (&[(1, 1)], None)] {
        let buckets = native(0, negative, &[(1, 1)]);
        let histogram = histogram([1, 0, 2], totals, Some(buckets));
        let point = point(&histogram, HISTOGRAM, Temporality::Cumulative);
        assert_eq!(point.double(5), sum);
    }
}

fn native(schema: u8, negative: &[(i32, u64)], positive: &[(i32, u64)]) -> NativeBuckets {
    NativeBuckets {
        resolution: Resolution::from_schema(schema).unwrap(),
        zero_count: 3,
        negative: negative.into(),
        positive: positive.into(),
    }
}

/// The offset of buckets, and their counts.
type Buckets = Option<(i64, Vec<u64>)>;

/// Returns the scale, and the negative and the positive buckets.
fn exponential(native: NativeBuckets) -> (i64, [Buckets; 2]) {
    let total = native.count();
    let histogram = histogram([total, 0, 0], Totals::default(), Some(native));
    let point = point(&histogram, EXPONENTIAL_HISTOGRAM, Temporality::Cumulative);
    assert_eq!(point.fixed(4), Some(total));
    assert_eq!(
        (point.fixed(7), point.double(14)),
        (Some(3), Some(2_f64.powi(-128)))
    );
    let buckets = [9, 8].map(|field| {
        let buckets = point.messages(field).into_iter().next()?;
        let counts = buckets.packed_varints(2);
        assert!(counts.len() <= 160 && counts[0] > 0 && counts.last() > Some(&0));
        Some((buckets.sint(1), counts))
    });
    let buckets_sum: u64 = buckets
        .iter()
        .flatten()
        .flat_map(|(_, counts)| counts)
        .sum();
    assert_eq!(buckets_sum + 3, total);
    (point.sint(6), buckets)
}

#[test]
fn exponential_buckets_are_numbered_by_their_lower_bound_and_dense() {
    let (scale, [negative, positive]) = exponential(native(
        3,
        &[(-4, 1)],
        &[(-8, 1), (0, 2), (1, 300), (4, u64::from(u32::MAX))],
    ));
    assert_eq!((scale, negative), (3, Some((-5, vec![1]))));
    let mut counts = vec![1, 0, 0, 0, 0, 0, 0, 0];
    counts.extend([2, 300, 0, 0, u64::from(u32::MAX)]);
    assert_eq!(positive, Some((-9, counts)));
    assert_eq!(exponential(native(8, &[], &[])), (8, [None, None]));
}

#[test]
fn more_than_160_buckets_are_merged_to_the_same_lower_scale_on_both_sides() {
    // From -7 to 152 and from -7 to 153, numbered by the lower bound.
    assert_eq!(exponential(native(3, &[], &[(-6, 1), (153, 1)])).0, 3);
    let (scale, [negative, positive]) =
        exponential(native(3, &[(-6, 1), (2, 5), (3, 2)], &[(-6, 1), (154, 1)]));
    assert_eq!(scale, 2);
    let negative_buckets = Some((-4, vec![1, 0, 0, 0, 5, 2]));
    assert_eq!(negative, negative_buckets);
    // The same with the signs exchanged.
    let exchanged = native(3, &[(-6, 1), (154, 1)], &[(-6, 1), (2, 5), (3, 2)]);
    assert_eq!(
        exponential(exchanged),
        (2, [positive.clone(), negative_buckets])
    );
    let (offset, counts) = positive.unwrap();
    assert_eq!((offset, counts.len(), counts[80]), (-4, 81, 1));

    // All values that are not 0: 1,152 octaves at schema 0, and eight of them in a bucket.
    let all: Vec<_> = (-127..=1_024).map(|index| (index, 1)).collect();
    let (scale, [_, positive]) = exponential(native(0, &[], &all));
    assert_eq!((scale, positive), (-3, Some((-16, vec![8; 144]))));
}

#[test]
fn a_random_histogram_has_each_value_in_the_bucket_around_it() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..300 {
        let schema = random.u8(0..=8);
        let mut buckets = native(schema, &[], &[]);
        let mut values = Vec::new();
        let octaves = random.f64() * 600.0;
        for _ in 0..random.usize(1..60) {
            let exponent = (random.f64() - 0.2) * octaves;
            let index = (exponent * f64::from(1_u16 << schema)).ceil();
            #[expect(clippy::cast_possible_truncation, reason = "it is small")]
            buckets.add_positive(index as i32, 1);
            values.push(exponent);
        }
        let (scale, [_, positive]) = exponential(buckets);
        let (offset, mut counts) = positive.unwrap();
        for exponent in values {
            let bucket = (exponent * 2_f64.powi(i32::try_from(scale).unwrap())).ceil() - 1.0;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is a small index"
            )]
            let position = (bucket - offset as f64) as usize;
            counts[position] -= 1;
        }
        assert!(counts.iter().all(|count| *count == 0));
    }
}

#[test]
fn series_without_exponential_buckets_stay_explicit() {
    let block = histogram([1, 0, 0], Totals::default(), None);
    let metric = metric(
        &block,
        HistogramEncoding::Exponential,
        Temporality::Cumulative,
    );
    assert!(metric.has_field(HISTOGRAM) && !metric.has_field(EXPONENTIAL_HISTOGRAM));
}

fn exemplar(labels: &[(&str, &str)], millis: u64) -> Exemplar {
    Exemplar {
        series: 0,
        bucket: 0,
        labels: Labels::new(labels.iter().copied()),
        value: 2.5,
        timestamp: time(millis) + Duration::from_nanos(7),
    }
}

#[test]
fn exemplars_have_identifiers_attributes_and_their_time() {
    let trace_id = "0af7651916cd43dd8448eb211c80319c";
    let labels = [
        ("trace_id", trace_id),
        ("span_id", "b7ad6b7169203331"),
        ("user", "ü"),
    ];
    let invalid = [
        ("trace_id", "4bf9"),
        ("span_id", ""),
        ("trace_id2", trace_id),
    ];
    let check = |mut block: SeriesBlock, field, exemplar_field| {
        block.exemplars = vec![exemplar(&labels, TIME), exemplar(&invalid, TIME)];
        let point = point(&block, field, Temporality::Cumulative);
        let exemplars = point.messages(exemplar_field);
        assert_eq!(exemplars.len(), 2);
        assert_eq!(exemplars[0].fixed(2), Some(TIME * 1_000_000 + 7));
        assert_eq!(exemplars[0].double(3), Some(2.5));
        assert_eq!(exemplars[0].bytes(5)[..3], [0x0a, 0xf7, 0x65]);
        assert_eq!(
            exemplars[0].bytes(4),
            0xb7ad_6b71_6920_3331_u64.to_be_bytes()
        );
        assert_eq!(attributes(&exemplars[0], 7), [("user".into(), "ü".into())]);
        assert!(exemplars[1].bytes(4).is_empty() && exemplars[1].bytes(5).is_empty());
        let invalid = invalid.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(attributes(&exemplars[1], 7), invalid);
    };
    check(counter(1), SUM, 5);
    let native = native(3, &[], &[(1, 1)]);
    let block = histogram([4, 0, 0], Totals::default(), Some(native));
    check(block.clone(), HISTOGRAM, 8);
    check(block, EXPONENTIAL_HISTOGRAM, 11);
}

#[test]
fn exemplars_are_sent_from_the_start_of_the_last_export_to_that_of_this_one() {
    let mut block = counter(1);
    block.exemplars = (0..4).map(|later| exemplar(&[], TIME + later)).collect();
    let settings = OtlpSettings::default();
    for (since, before, expected) in [
        (None, 9, vec![0, 1, 2, 3]),
        (None, 2, vec![0, 1]),
        (Some(1), 3, vec![1, 2]),
        (Some(2), 9, vec![2, 3]),
        (Some(9), 9, vec![]),
    ] {
        let exemplars = ExemplarTimes {
            since: since.map(|since| time(TIME + since)),
            before: time(TIME + before),
        };
        let mut encoder = OtlpEncoder::new(&settings, exemplars);
        // A request whose values are read much later.
        encoder.start_request(time(TIME + 100));
        encoder.add(&block, Temporality::Cumulative);
        let metrics = metrics(&encoder.take_request().unwrap());
        let exemplars = metrics[0].message(SUM).message(1).messages(5);
        let sent = exemplars.iter().map(|exemplar| exemplar.fixed(2).unwrap());
        let sent: Vec<_> = sent.map(|nanos| nanos / NANOS - TIME).collect();
        assert_eq!(sent, expected);
    }
}

#[test]
fn the_points_of_a_request_have_its_time() {
    let mut encoder = encoder(HistogramEncoding::Explicit);
    for later in [7, 9] {
        encoder.start_request(time(TIME + later));
        encoder.add(&counter(1), Temporality::Cumulative);
        encoder.add(&gauge("g", 1.0), Temporality::Cumulative);
        let metrics = metrics(&encoder.take_request().unwrap());
        let points = [(&metrics[0], SUM), (&metrics[1], GAUGE)]
            .map(|(metric, field)| metric.message(field).message(1).fixed(3));
        assert_eq!(points, [Some((TIME + later) * NANOS); 2]);
    }
}
