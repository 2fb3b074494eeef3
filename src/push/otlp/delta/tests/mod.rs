//! Single intervals, and a simulation of exports.

mod simulation;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use crate::push::otlp::delta::family::MAX_MISSING;
use crate::push::otlp::delta::{Baselines, PendingBaselines};
use crate::snapshot::{
    BlockLabels, Bounds, Count, Desc, Histograms, Kind, Labels, SeriesBlock, Totals, Values,
};

fn pending(millis: u64) -> PendingBaselines {
    PendingBaselines::new(UNIX_EPOCH + Duration::from_millis(millis))
}

fn block(name: &str, kind: Kind, values: Values, series: &[(u32, u64)]) -> SeriesBlock {
    let mut block = SeriesBlock::new(Arc::new(Desc::new(name, "", kind)), values);
    let labels: Vec<_> = series
        .iter()
        .map(|(id, _)| Labels::new([("id", &*id.to_string())]))
        .collect();
    block.labels = labels.iter().map(Labels::view).collect::<BlockLabels>();
    block.created_millis = series.iter().map(|(_, created)| *created).collect();
    block
}

fn counter(value: f64, created: u64) -> SeriesBlock {
    let count = Count {
        whole: 0,
        fraction: value,
    };
    block(
        "m",
        Kind::Counter,
        Values::Counter(vec![count]),
        &[(1, created)],
    )
}

/// Exports a block, and returns the value and the start of the only series.
fn export(baselines: &mut Baselines, mut block: SeriesBlock, time: u64, ok: bool) -> (f64, u64) {
    let mut pending = pending(time);
    baselines.subtract(&mut block, &mut pending);
    if ok {
        baselines.accept(pending);
    }
    baselines.finish_read();
    let Values::Counter(counts) = &block.values else {
        panic!("not a counter");
    };
    (counts[0].value(), block.created_millis[0])
}

#[test]
fn an_interval_begins_where_the_last_accepted_one_ended() {
    let mut all = Baselines::default();
    assert_eq!(export(&mut all, counter(3.0, 100), 200, true), (3.0, 100));
    assert_eq!(export(&mut all, counter(4.0, 100), 300, false), (1.0, 200));
    assert_eq!(export(&mut all, counter(6.5, 100), 400, true), (3.5, 200));
    assert_eq!(export(&mut all, counter(6.5, 100), 500, true), (0.0, 400));
    // Reset, and then created after the time of the read.
    assert_eq!(export(&mut all, counter(9.0, 550), 600, true), (9.0, 550));
    assert_eq!(export(&mut all, counter(1.0, 705), 700, true), (1.0, 705));
    assert_eq!(export(&mut all, counter(2.0, 705), 800, true), (1.0, 706));
}

#[test]
fn a_lower_value_with_the_same_creation_time_is_a_reset() {
    for is_first_ok in [true, false] {
        let mut all = Baselines::default();
        export(&mut all, counter(50.0, 100), 200, true);
        let start = if is_first_ok { 300 } else { 200 };
        let lower = export(&mut all, counter(2.0, 100), 300, is_first_ok);
        assert_eq!(lower, (0.0, 200));
        // More than before the reset.
        assert_eq!(
            export(&mut all, counter(80.0, 100), 400, true),
            (80.0, start)
        );
        assert_eq!(export(&mut all, counter(87.0, 100), 500, true), (7.0, 400));
        // Read in the middle of a reset, which then shows in the creation time.
        assert_eq!(export(&mut all, counter(1.0, 100), 600, true), (0.0, 500));
        assert_eq!(export(&mut all, counter(9.0, 590), 700, true), (9.0, 600));
    }
}

#[test]
fn a_count_may_change_between_integers_and_fractions() {
    let mut all = Baselines::default();
    let mut export = |value: Count, expected| {
        let mut block = counter(0.0, 100);
        block.values = Values::Counter(vec![value]);
        assert_eq!(export(&mut all, block, 200, true).0, expected);
    };
    let fraction = |fraction| Count { whole: 0, fraction };
    export(6.into(), 6.0);
    export(fraction(6.5), 0.5);
    export(7.into(), 0.5);
    export(9.into(), 2.0);
    export(fraction(9.0), 0.0);
    // The whole part wraps, which is a reset.
    export(u64::MAX.into(), 2_f64.powi(64));
    export(3.into(), 0.0);
    export(5.into(), 5.0);
}

#[test]
fn gauges_are_not_changed() {
    let mut gauge = block("m", Kind::Gauge, Values::Gauge(vec![-1.5]), &[(1, 5)]);
    let before = gauge.clone();
    let (mut baselines, mut pending) = (Baselines::default(), pending(10));
    baselines.subtract(&mut gauge, &mut pending);
    baselines.accept(pending);
    assert_eq!(gauge, before);
    assert_eq!(baselines.len(), 0);
}

#[test]
fn a_stored_series_that_is_missing_counts_from_0_when_it_comes_back() {
    let mut all = Baselines::default();
    export(&mut all, counter(5.0, 100), 200, true);
    all.finish_read();
    assert_eq!(all.len(), 0);
    assert_eq!(export(&mut all, counter(6.0, 450), 500, true), (6.0, 450));
}

#[test]
fn a_computed_series_is_not_counted_again_however_long_it_was_missing() {
    let mut all = Baselines::default();
    let computed = |value| {
        let mut block = counter(value, 100);
        block.is_computed = true;
        block
    };
    assert_eq!(export(&mut all, computed(5e6), 200, true), (5e6, 100));
    for _ in 0..1_000 {
        all.finish_read();
        assert_eq!(all.len(), 1);
    }
    assert_eq!(export(&mut all, computed(5e6 + 1.0), 500, true), (1.0, 200));
}

/// Exports computed series of one family, and returns the sum of what is sent.
fn export_computed(all: &mut Baselines, ids: Range<u32>, value: u64, created: u64) -> u64 {
    let series: Vec<_> = ids.map(|id| (id, created)).collect();
    let counts = vec![value.into(); series.len()];
    let mut block = block("m", Kind::Counter, Values::Counter(counts), &series);
    block.is_computed = true;
    let mut pending = pending(1_000);
    all.subtract(&mut block, &mut pending);
    all.accept(pending);
    all.finish_read();
    let Values::Counter(counts) = &block.values else {
        panic!("not a counter");
    };
    counts.iter().map(|count| count.whole).sum()
}

#[test]
fn the_number_of_missing_series_is_limited_and_none_of_them_is_counted_twice() {
    let max = u32::try_from(MAX_MISSING).unwrap();
    let mut all = Baselines::default();
    assert_eq!(export_computed(&mut all, 0..10, 7, 100), 70);
    assert_eq!(export_computed(&mut all, 10..20, 7, 100), 70);
    assert_eq!(
        export_computed(&mut all, 20..max, 7, 100),
        7 * u64::from(max - 20)
    );
    // Those that have been missing for longest are dropped: 5 of the first 10.
    export_computed(&mut all, max..max + 5, 7, 100);
    assert_eq!(all.len(), MAX_MISSING + 5);
    export_computed(&mut all, max + 5..max + 10, 7, 100);
    assert_eq!(all.len(), MAX_MISSING + 5);
    // Nothing is sent for the unknown part of these, and of new series of the same collector.
    assert_eq!(export_computed(&mut all, 0..20, 9, 100), 15 * 2);
    assert_eq!(export_computed(&mut all, 0..20, 10, 100), 20);
    assert_eq!(export_computed(&mut all, 99_999..100_000, 9, 100), 0);
    // A collector that was registered later is not affected, and neither are stored series.
    assert_eq!(export_computed(&mut all, 200_000..200_001, 9, 101), 9);
    let stored = Values::Counter(vec![4.into()]);
    let stored = block("m", Kind::Counter, stored, &[(300_000, 99)]);
    assert_eq!(export(&mut all, stored, 2_000, true), (4.0, 99));
}

#[test]
fn a_read_without_a_large_collector_drops_no_baseline() {
    let many = 2 * u32::try_from(MAX_MISSING).unwrap();
    let mut all = Baselines::default();
    export_computed(&mut all, 0..many, 1, 100);
    all.finish_read();
    export_computed(&mut all, 0..1, 1, 100);
    assert_eq!(
        export_computed(&mut all, 0..many, 3, 100),
        2 * u64::from(many)
    );
}

/// A sum may be read before the count of its last value.
#[test]
fn a_sum_without_a_count_belongs_to_the_next_interval() {
    let mut baselines = Baselines::default();
    for (count, sum, expected) in [(1, 2.0, 2.0), (1, 5.0, 0.0), (2, 5.5, 3.5)] {
        let mut all = Histograms::new(Bounds::new(&[1.0]).unwrap());
        all.counts = vec![0, count];
        all.totals = vec![Totals {
            sum,
            ..Totals::default()
        }];
        let mut block = block("h", Kind::Histogram, Values::Histogram(all), &[(1, 5)]);
        let mut pending = pending(10);
        baselines.subtract(&mut block, &mut pending);
        baselines.accept(pending);
        let Values::Histogram(all) = &block.values else {
            panic!("not a histogram");
        };
        assert_eq!(all.totals[0].sum, expected);
    }
}
