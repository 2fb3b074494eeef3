//! Single intervals, and a simulation of exports.

mod simulation;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

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
fn a_lower_value_with_the_same_creation_time_is_a_reset_from_the_second_time_on() {
    let mut all = Baselines::default();
    export(&mut all, counter(50.0, 100), 200, true);
    assert_eq!(export(&mut all, counter(2.0, 100), 300, true), (0.0, 200));
    assert_eq!(export(&mut all, counter(5.0, 100), 400, true), (5.0, 300));
    assert_eq!(export(&mut all, counter(7.0, 100), 500, true), (2.0, 400));
    // Read in the middle of a reset, which then shows in the creation time.
    assert_eq!(export(&mut all, counter(1.0, 100), 600, true), (0.0, 500));
    assert_eq!(export(&mut all, counter(9.0, 590), 700, true), (9.0, 600));
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
fn a_series_that_is_missing_from_two_reads_is_not_counted_again() {
    let mut all = Baselines::default();
    export(&mut all, counter(5.0, 100), 200, true);
    all.finish_read();
    all.finish_read();
    assert_eq!(export(&mut all, counter(6.0, 100), 500, true), (1.0, 200));
    for _ in 0..3 {
        assert_eq!(all.len(), 1);
        all.finish_read();
    }
    assert_eq!((all.len(), all.families.len()), (0, 0));
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
