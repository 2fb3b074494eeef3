//! A simulation of exports with known sums, and single cases.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use fastrand::Rng;

use super::*;
use crate::snapshot::{
    BlockLabels, Bounds, Count, Histograms, Kind, Labels, NativeBuckets, Resolution, Totals, Values,
};

const START: u64 = 1_000_000;

fn pending(millis: u64) -> PendingBaselines {
    PendingBaselines::new(UNIX_EPOCH + Duration::from_millis(millis))
}

fn block(kind: Kind, values: Values, series: &[(u32, u64)]) -> SeriesBlock {
    let mut block = SeriesBlock::new(Arc::new(Desc::new("m", "", kind)), values);
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
    block(Kind::Counter, Values::Counter(vec![count]), &[(1, created)])
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
    let mut gauge = block(Kind::Gauge, Values::Gauge(vec![-1.5]), &[(1, 5)]);
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

/// A series with a counter and a histogram.
#[derive(Clone, Default)]
struct Series {
    created: u64,
    count: Count,
    histogram: Recorded,
    /// The number of further reads until the series may be missing again. The last of them does not
    /// miss it.
    missing: u32,
}

/// What was recorded in a histogram, or is known from deltas.
#[derive(Clone, Debug, Default, PartialEq)]
struct Recorded {
    classic: [u64; 3],
    sum: f64,
    zero: u64,
    /// Counts by index at schema 6, and below 0 for negative values.
    native: BTreeMap<(bool, i32), u64>,
}

impl Recorded {
    fn native(&self, schema: u8) -> NativeBuckets {
        let mut native = NativeBuckets {
            resolution: Resolution::from_schema(schema).unwrap(),
            zero_count: self.zero,
            ..NativeBuckets::default()
        };
        for ((is_negative, index), count) in &self.native {
            let index = ((index - 1) >> (6 - schema)) + 1;
            if *is_negative {
                native.add_negative(index, *count);
            } else {
                native.add_positive(index, *count);
            }
        }
        native
    }

    /// Adds a delta, at the lowest resolution.
    fn add(&mut self, histograms: &Histograms, series: usize) {
        let histogram = histograms.get(series).unwrap();
        for (sum, count) in self.classic.iter_mut().zip(histogram.counts()) {
            *sum += count;
        }
        self.sum += histogram.totals().sum;
        let native = histogram.native().unwrap();
        self.zero += native.zero_count;
        let schema = native.resolution.schema();
        for (is_negative, buckets) in [(true, &native.negative), (false, &native.positive)] {
            for (index, count) in buckets {
                let index = ((index - 1) >> schema) + 1;
                *self.native.entry((is_negative, index)).or_default() += count;
            }
        }
    }

    fn minus(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        for (count, other) in rest.classic.iter_mut().zip(other.classic) {
            *count -= other;
        }
        rest.sum -= other.sum;
        rest.zero -= other.zero;
        for (key, other) in &other.native {
            *rest.native.get_mut(key).unwrap() -= other;
        }
        rest.native.retain(|_, count| *count > 0);
        rest
    }

    fn at_lowest_resolution(&self) -> Self {
        let native = self.native(0);
        let buckets = |is_negative, buckets: Vec<(i32, u64)>| {
            buckets.into_iter().map(move |(i, n)| ((is_negative, i), n))
        };
        let negative = buckets(true, native.negative);
        Self {
            native: negative.chain(buckets(false, native.positive)).collect(),
            ..self.clone()
        }
    }
}

/// Sums of a series over its lifetimes.
#[derive(Default)]
struct Sums {
    count: f64,
    histogram: Recorded,
}

/// What is known of one series name.
#[derive(Default)]
struct Ledger {
    /// Everything that was recorded, but what was lost by a reset or a removal before an export.
    expected: Sums,
    received: Sums,
    /// The values at the last export that was accepted.
    accepted: Series,
}

impl Series {
    fn record(&mut self, random: &mut Rng, expected: &mut Sums) {
        // Multiples of a power of two, so that all sums are exact.
        let (whole, fraction) = (random.u64(0..5), f64::from(random.u8(0..8)) / 8.0);
        self.count.whole += whole;
        self.count.fraction += fraction;
        expected.count += whole as f64 + fraction;
        for _ in 0..random.u32(0..4) {
            let bucket = random.usize(0..3);
            let value = f64::from(random.i32(-64..64)) / 16.0;
            let key = (random.bool(), random.i32(-200..200));
            for recorded in [&mut self.histogram, &mut expected.histogram] {
                recorded.classic[bucket] += 1;
                recorded.sum += value;
                if key.1 == 0 {
                    recorded.zero += 1;
                } else {
                    *recorded.native.entry(key).or_default() += 1;
                }
            }
        }
    }
}

impl Ledger {
    /// Records that what was not exported is lost.
    fn lose(&mut self, series: &Series) {
        self.expected.count -= series.count.value() - self.accepted.count.value();
        let lost = series.histogram.minus(&self.accepted.histogram);
        self.expected.histogram = self.expected.histogram.minus(&lost);
        self.accepted = Series::default();
    }
}

/// Makes the blocks of a counter and of a histogram with random resolutions.
fn blocks(random: &mut Rng, series: &[(u32, Series)]) -> [SeriesBlock; 2] {
    let ids: Vec<_> = series.iter().map(|(id, s)| (*id, s.created)).collect();
    let counts = series.iter().map(|(_, series)| series.count).collect();
    let mut histograms = Histograms::new(Bounds::new(&[1.0, 2.0]).unwrap());
    for (_, Series { histogram, .. }) in series {
        histograms.counts.extend(histogram.classic);
        histograms.totals.push(Totals {
            sum: histogram.sum,
            ..Totals::default()
        });
        histograms.native.push(histogram.native(random.u8(0..=6)));
    }
    [
        block(Kind::Counter, Values::Counter(counts), &ids),
        block(Kind::Histogram, Values::Histogram(histograms), &ids),
    ]
}

#[test]
fn accepted_deltas_sum_to_what_was_recorded_whatever_fails() {
    for seed in 0..60 {
        simulate(&mut Rng::with_seed(seed));
    }
}

fn simulate(random: &mut Rng) {
    let mut baselines = Baselines::default();
    let mut live: BTreeMap<u32, Series> = BTreeMap::new();
    let mut ledgers: BTreeMap<u32, Ledger> = BTreeMap::new();
    let failures = random.f64() * 0.9;
    for export in 0..80 {
        let now = START + export * 1_000;
        let is_last = export == 79;
        for id in 0..12 {
            let ledger = ledgers.entry(id).or_default();
            let Some(series) = live.get_mut(&id) else {
                if random.u8(0..4) == 0 {
                    let created = now - random.u64(1..900);
                    let mut series = Series {
                        created,
                        ..Series::default()
                    };
                    series.record(random, &mut ledger.expected);
                    live.insert(id, series);
                }
                continue;
            };
            match random.u8(0..20) {
                0 => {
                    ledger.lose(series);
                    live.remove(&id);
                    continue;
                }
                1 => {
                    ledger.lose(series);
                    *series = Series {
                        created: now - 500,
                        ..Series::default()
                    };
                }
                2 if series.missing == 0 => series.missing = random.u32(2..=3),
                _ => {}
            }
            series.record(random, &mut ledger.expected);
        }
        if is_last {
            live.values_mut().for_each(|series| series.missing = 0);
        }
        let mut visible = Vec::new();
        for (id, series) in &mut live {
            if series.missing <= 1 {
                visible.push((*id, series.clone()));
            }
            series.missing = series.missing.saturating_sub(1);
        }
        // The read may be in the middle of a reset: zero values, and the old creation time.
        let halfway = random.usize(..50);
        if let Some((id, series)) = visible.get_mut(halfway).filter(|_| !is_last) {
            let ledger = ledgers.get_mut(id).unwrap();
            ledger.lose(series);
            let created = series.created;
            let zero = Series {
                created: now + 1,
                ..Series::default()
            };
            live.insert(*id, zero.clone());
            *series = Series { created, ..zero };
        }
        for part in visible.chunks(random.usize(1..8)) {
            let ok = is_last || random.f64() >= failures;
            let mut pending = pending(now);
            let [mut counters, mut histograms] = blocks(random, part);
            // Two families, since the baseline of a name has one kind.
            histograms.desc = Arc::new(Desc::new("h", "", Kind::Histogram));
            baselines.subtract(&mut counters, &mut pending);
            baselines.subtract(&mut histograms, &mut pending);
            if !ok {
                continue;
            }
            baselines.accept(pending);
            let (Values::Counter(counts), Values::Histogram(histograms)) =
                (&counters.values, &histograms.values)
            else {
                panic!("blocks change their kind");
            };
            for (position, (id, series)) in part.iter().enumerate() {
                let ledger = ledgers.get_mut(id).unwrap();
                ledger.received.count += counts[position].value();
                ledger.received.histogram.add(histograms, position);
                ledger.accepted = series.clone();
            }
        }
        baselines.finish_read();
        assert!(baselines.len() <= 2 * 12, "{}", baselines.len());
    }
    for (id, ledger) in &ledgers {
        let (expected, received) = (&ledger.expected, &ledger.received);
        assert_eq!(received.count, expected.count, "series {id}");
        let expected = expected.histogram.at_lowest_resolution();
        let mut received = received.histogram.clone();
        received.native.retain(|_, count| *count > 0);
        assert_eq!(received, expected, "series {id}");
    }
    for _ in 0..3 {
        for mut block in blocks(random, &live.clone().into_iter().collect::<Vec<_>>()) {
            baselines.subtract(&mut block, &mut pending(START));
        }
        baselines.finish_read();
    }
    assert!(baselines.len() <= live.len() * 2);
}
