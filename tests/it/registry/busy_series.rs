//! Busy series, compared with a plain model: whatever threads record, in whichever order, the
//! numbers are those of one thread that counts in plain variables.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

use fastrand::Rng;
use tachometer::snapshot::Values;
use tachometer::testing::set_busy_rate;
use tachometer::{Buckets, Registry};

const THREADS: u64 = 64;
const TURNS: u64 = 3_000;
const SERIES: usize = 6;
const BOUNDS: [f64; 6] = [-2.0, 0.25, 1.0, 8.0, 512.0, 1e6];
const SCHEMA: i32 = 3;

/// What one thread, or all threads together, have recorded in a series.
#[derive(Debug, Default, Clone, PartialEq)]
struct Model {
    counter: f64,
    buckets: [u64; BOUNDS.len() + 1],
    sum: f64,
    extremes: Option<(f64, f64)>,
    zero: u64,
    positive: BTreeMap<i32, u64>,
    negative: BTreeMap<i32, u64>,
}

impl Model {
    fn observe(&mut self, value: f64) {
        self.buckets[BOUNDS.iter().filter(|bound| value > **bound).count()] += 1;
        self.sum += value;
        let (min, max) = self.extremes.unwrap_or((value, value));
        self.extremes = Some((min.min(value), max.max(value)));
        let side = match value {
            0.0 => {
                self.zero += 1;
                return;
            }
            _ if value > 0.0 => &mut self.positive,
            _ => &mut self.negative,
        };
        *side.entry(native_index(value.abs())).or_default() += 1;
    }

    fn add(&mut self, other: &Self) {
        self.counter += other.counter;
        self.sum += other.sum;
        self.zero += other.zero;
        for (bucket, count) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket += count;
        }
        if let Some((min, max)) = other.extremes {
            let (least, greatest) = self.extremes.unwrap_or((min, max));
            self.extremes = Some((least.min(min), greatest.max(max)));
        }
        for (side, others) in [
            (&mut self.positive, &other.positive),
            (&mut self.negative, &other.negative),
        ] {
            for (index, count) in others {
                *side.entry(*index).or_default() += count;
            }
        }
    }
}

/// Returns the index of the exponential bucket of a value, whose bounds are computed as powers.
/// The values of the test are no bounds but powers of two, which are exact.
fn native_index(value: f64) -> i32 {
    let buckets = f64::from(1 << SCHEMA);
    #[expect(clippy::cast_possible_truncation, reason = "small")]
    let index = (value.log2() * buckets).ceil() as i32;
    index
}

/// Returns a multiple of a quarter, so that all sums are exact: mostly of one magnitude, which
/// changes with the turn, sometimes of another one.
fn value(random: &mut Rng, turn: u64) -> f64 {
    let quarters = match random.u32(0..100) {
        0 => 0,
        1..=4 => random.i32(-4_000..0),
        5..=9 => random.i32(1..2_000_000_000),
        _ => random.i32(1..40) << (turn / 800 * 6),
    };
    f64::from(quarters) / 4.0
}

/// Returns what a scrape reads of each series.
fn read(registry: &Registry) -> Vec<Model> {
    let mut models = vec![Model::default(); SERIES];
    for block in registry.gather() {
        for (position, labels) in block.labels.iter().enumerate() {
            let series = labels.as_str().trim_matches(|c: char| !c.is_ascii_digit());
            let Ok(series) = series.parse::<usize>() else {
                continue;
            };
            let model = &mut models[series];
            match &block.values {
                Values::Counter(counts) => model.counter = counts[position].value(),
                Values::Histogram(histograms) => {
                    let view = histograms.get(position).unwrap();
                    model.buckets = view.counts().try_into().unwrap();
                    let totals = view.totals();
                    model.sum = totals.sum;
                    model.extremes = (view.count() > 0).then_some((totals.min, totals.max));
                    let native = view.native().unwrap();
                    model.zero = native.zero_count;
                    model.positive = native.positive.iter().copied().collect();
                    model.negative = native.negative.iter().copied().collect();
                }
                _ => {}
            }
        }
    }
    models
}

#[test]
fn busy_series_of_64_threads_have_the_numbers_of_a_plain_model() {
    set_busy_rate(0);
    let registry = Registry::new();
    let counters = registry.counter_family("c", "", ["n"]).unwrap();
    let buckets = Buckets::new(&BOUNDS).unwrap().native();
    let histograms = registry
        .histogram_family_with_buckets("h", "", ["n"], buckets)
        .unwrap();
    let end = Barrier::new(usize::try_from(THREADS).unwrap());
    let record = |thread: u64| {
        let mut random = Rng::with_seed(thread);
        let mut models = vec![Model::default(); SERIES];
        let names: Vec<_> = (0..SERIES).map(|series| series.to_string()).collect();
        for turn in 0..TURNS {
            let series = random.usize(..SERIES);
            let (name, model) = (names[series].as_str(), &mut models[series]);
            let value = value(&mut random, turn);
            model.observe(value);
            histograms.with_ref([name], |histogram| histogram.observe(value));
            let amount = f64::from(random.u32(0..8)) / 4.0;
            model.counter += amount;
            counters.with_ref([name], |counter| counter.inc_by(amount));
        }
        // All threads exist at the same time, so most of them share a shard.
        end.wait();
        models
    };
    let models = thread::scope(|scope| {
        let record = &record;
        let threads = (0..THREADS).map(|thread| scope.spawn(move || record(thread)));
        let threads: Vec<_> = threads.collect();
        // Readers change nothing, and never see a count decrease.
        let mut last = read(&registry);
        while !threads.iter().all(thread::ScopedJoinHandle::is_finished) {
            let now = read(&registry);
            for (now, last) in now.iter().zip(&last) {
                assert!(now.counter >= last.counter);
                let pairs = now.buckets.iter().zip(last.buckets);
                assert!(pairs.clone().all(|(now, last)| *now >= last));
                let native = now.positive.values().chain(now.negative.values());
                let native = native.sum::<u64>() + now.zero;
                assert_eq!(native, now.buckets.iter().sum::<u64>());
            }
            last = now;
        }
        let mut all = vec![Model::default(); SERIES];
        for thread in threads {
            for (all, model) in all.iter_mut().zip(thread.join().unwrap()) {
                all.add(&model);
            }
        }
        all
    });
    assert_eq!(read(&registry), models);
}
