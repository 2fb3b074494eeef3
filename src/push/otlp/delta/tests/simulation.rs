//! A simulation of exports with known sums.

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::push::otlp::delta::Baselines;
use crate::push::otlp::delta::tests::{block, pending};
use crate::snapshot::{
    Bounds, Count, Histograms, Kind, NativeBuckets, Resolution, SeriesBlock, Totals, Values,
};

/// A series with a counter and a histogram.
#[derive(Clone, Default)]
struct Series {
    created: u64,
    count: Count,
    histogram: Recorded,
    /// The number of reads that it is missing from.
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
        let mut difference = self.clone();
        for (count, other) in difference.classic.iter_mut().zip(other.classic) {
            *count -= other;
        }
        difference.sum -= other.sum;
        difference.zero -= other.zero;
        for (key, other) in &other.native {
            *difference.native.get_mut(key).unwrap() -= other;
        }
        difference.native.retain(|_, count| *count > 0);
        difference
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
    fn new(created: u64) -> Self {
        Self {
            created,
            ..Self::default()
        }
    }

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

/// Returns true for the series of collectors. They keep their creation time.
fn is_computed(id: u32) -> bool {
    id < 4
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
    let mut blocks = [
        block("c", Kind::Counter, Values::Counter(counts), &ids),
        block("h", Kind::Histogram, Values::Histogram(histograms), &ids),
    ];
    for block in &mut blocks {
        block.is_computed = ids.first().is_some_and(|(id, _)| is_computed(*id));
    }
    blocks
}

/// Exports of twelve series. Some exports fail.
struct Simulation {
    baselines: Baselines,
    live: BTreeMap<u32, Series>,
    ledgers: BTreeMap<u32, Ledger>,
    /// The share of requests that fail.
    failures: f64,
    now: u64,
    is_last: bool,
}

#[test]
fn accepted_deltas_sum_to_what_was_recorded_whatever_fails() {
    for seed in 0..60 {
        let random = &mut Rng::with_seed(seed);
        let mut simulation = Simulation {
            baselines: Baselines::default(),
            live: BTreeMap::new(),
            ledgers: (0..12).map(|id| (id, Ledger::default())).collect(),
            failures: random.f64() * 0.9,
            now: 1_000_000,
            is_last: false,
        };
        for _ in 0..79 {
            simulation.export(random);
        }
        simulation.is_last = true;
        simulation.export(random);
        simulation.check_sums();
    }
}

impl Simulation {
    fn export(&mut self, random: &mut Rng) {
        self.now += 1_000;
        for id in 0..12 {
            self.change(id, random);
        }
        let visible = self.read(random);
        let computed = visible.partition_point(|(id, _)| is_computed(*id));
        let (computed, stored) = visible.split_at(computed);
        let chunk = random.usize(1..8);
        for part in computed.chunks(chunk).chain(stored.chunks(chunk)) {
            self.send(part, random);
        }
        self.baselines.finish_read();
        assert!(self.baselines.len() <= 2 * 12, "{}", self.baselines.len());
    }

    /// Creates, resets, removes, hides or increments a series.
    fn change(&mut self, id: u32, random: &mut Rng) {
        let ledger = self.ledgers.get_mut(&id).unwrap();
        let Some(series) = self.live.get_mut(&id) else {
            if random.u8(0..4) == 0 {
                let mut series = Series::new(self.now - random.u64(1..900));
                series.record(random, &mut ledger.expected);
                self.live.insert(id, series);
            }
            return;
        };
        match random.u8(0..20) {
            // The source of a collector is reset. The next read sees values of 0.
            0 if is_computed(id) && series.missing == 0 => {
                ledger.lose(series);
                *series = Series::new(series.created);
                return;
            }
            1 if is_computed(id) && series.missing == 0 => series.missing = random.u32(1..30),
            0 if !is_computed(id) => {
                ledger.lose(series);
                self.live.remove(&id);
                return;
            }
            1 if !is_computed(id) => {
                ledger.lose(series);
                *series = Series::new(self.now - 500);
            }
            _ => {}
        }
        series.record(random, &mut ledger.expected);
    }

    /// Returns the series that the next export reads.
    fn read(&mut self, random: &mut Rng) -> Vec<(u32, Series)> {
        let mut visible = Vec::new();
        for (id, series) in &mut self.live {
            if series.missing == 0 || self.is_last {
                visible.push((*id, series.clone()));
            }
            series.missing = series.missing.saturating_sub(1);
        }
        // One may be read in the middle of a reset: values of 0, and the old creation time.
        let in_reset = visible.get_mut(random.usize(..50));
        let in_reset = in_reset.filter(|(id, _)| !self.is_last && !is_computed(*id));
        if let Some((id, series)) = in_reset {
            self.ledgers.get_mut(id).unwrap().lose(series);
            self.live.insert(*id, Series::new(self.now + 1));
            *series = Series::new(series.created);
        }
        visible
    }

    /// Sends a request with some of the series.
    fn send(&mut self, part: &[(u32, Series)], random: &mut Rng) {
        let is_accepted = self.is_last || random.f64() >= self.failures;
        let mut pending = pending(self.now);
        let [mut counters, mut histograms] = blocks(random, part);
        self.baselines.subtract(&mut counters, &mut pending);
        self.baselines.subtract(&mut histograms, &mut pending);
        if !is_accepted {
            return;
        }
        self.baselines.accept(pending);
        let (Values::Counter(counts), Values::Histogram(histograms)) =
            (&counters.values, &histograms.values)
        else {
            panic!("blocks change their kind");
        };
        for (position, (id, series)) in part.iter().enumerate() {
            let ledger = self.ledgers.get_mut(id).unwrap();
            ledger.received.count += counts[position].value();
            ledger.received.histogram.add(histograms, position);
            ledger.accepted = series.clone();
        }
    }

    fn check_sums(&self) {
        for (id, ledger) in &self.ledgers {
            let (expected, received) = (&ledger.expected, &ledger.received);
            assert_eq!(received.count, expected.count, "series {id}");
            let expected = expected.histogram.at_lowest_resolution();
            let mut received = received.histogram.clone();
            received.native.retain(|_, count| *count > 0);
            assert_eq!(received, expected, "series {id}");
        }
    }
}
