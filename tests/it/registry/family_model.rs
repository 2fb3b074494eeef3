//! Families compared with a naive model, over random operations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use fastrand::Rng;
use tachometer::snapshot::Values;
use tachometer::{Buckets, Counter, Family, Gauge, Histogram, Registry};

use crate::support::read::to_f64;

const SEEDS: u64 = 150;
const TURNS: usize = 400;
const OVERFLOW: &str = "_overflow";
const WORDS: [&str; 13] = [
    "",
    "a",
    "b",
    "c",
    "\"",
    "\\",
    "a\\",
    "a\",other=\"b",
    "\n",
    OVERFLOW,
    "route",
    "/users/{id}",
    "/users/{id}/orders/{order}",
];
static COPIED_WORDS: LazyLock<[&str; 13]> =
    LazyLock::new(|| WORDS.map(|word| &*String::from(word).leak()));

type Pair = [String; 2];

/// A model of the families in maps and sets.
struct Model {
    limit: usize,
    declared: [BTreeSet<String>; 2],
    seen: [BTreeSet<String>; 2],
    combinations: usize,
    series: BTreeMap<Pair, Series>,
}

#[derive(Default)]
struct Series {
    counter: f64,
    gauge: f64,
    observed: Vec<f64>,
    removed: bool,
    declared: bool,
    /// Whether it counts as a combination.
    counted: bool,
}

impl Model {
    /// Returns the series that these values are recorded in.
    fn series(&mut self, values: &Pair) -> &mut Series {
        let values = self.resolve(values);
        let series = self.series.get_mut(&values).expect("it was made");
        series.removed = false;
        series
    }

    /// Returns the label values these are recorded under, by the documented rules, and creates
    /// the series.
    fn resolve(&mut self, values: &Pair) -> Pair {
        let mut values = values.clone();
        if !self.series.contains_key(&values) {
            self.fold(&mut values);
        }
        if !self.series.contains_key(&values) {
            let mut open = false;
            for (label, value) in values.iter().enumerate() {
                if self.is_open(label, value) {
                    self.seen[label].insert(value.clone());
                    open = true;
                }
            }
            self.combinations += usize::from(open);
            let series = self.series.entry(values.clone()).or_default();
            series.counted = open;
        }
        values
    }

    /// Forgets a removed series of which no handle is held.
    fn release(&mut self, values: &Pair) {
        let series = &self.series[values];
        if series.declared {
            return;
        }
        self.combinations -= usize::from(series.counted);
        self.series.remove(values);
        for (label, value) in values.iter().enumerate() {
            if !self.series.keys().any(|other| other[label] == *value) {
                self.seen[label].remove(value);
            }
        }
    }

    fn fold(&self, values: &mut Pair) {
        let used: usize = self.seen.iter().map(BTreeSet::len).sum();
        let mut room = self.limit.saturating_sub(used);
        for (label, value) in values.iter_mut().enumerate() {
            if self.is_open(label, value) && !self.seen[label].contains(value) {
                if room == 0 {
                    *value = OVERFLOW.into();
                } else {
                    room -= 1;
                }
            }
        }
        let crowded = self.combinations >= self.limit * 10;
        for (label, value) in values.iter_mut().enumerate() {
            if crowded && self.is_open(label, value) {
                *value = OVERFLOW.into();
            }
        }
    }

    fn is_open(&self, label: usize, value: &str) -> bool {
        value != OVERFLOW && !self.declared[label].contains(value)
    }

    fn declare(&mut self, lists: &[Vec<String>; 2]) {
        for (label, values) in lists.iter().enumerate() {
            for value in values {
                self.seen[label].remove(value);
                self.declared[label].insert(value.clone());
            }
        }
        for one in &lists[0] {
            for other in &lists[1] {
                self.series(&[one.clone(), other.clone()]).declared = true;
            }
        }
    }
}

/// The families under test.
struct Families {
    registry: Registry,
    counters: Family<Counter, 2>,
    gauges: Family<Gauge, 2>,
    histograms: Family<Histogram, 2>,
}

impl Families {
    fn new(limit: usize, registry: Registry) -> Self {
        let names = ["one", "other"];
        Self {
            counters: registry
                .counter_family("c", "", names)
                .unwrap()
                .limit(limit),
            gauges: registry.gauge_family("g", "", names).unwrap().limit(limit),
            histograms: registry
                .histogram_family_with_buckets("h", "", names, Buckets::new(&[1.0, 4.0]).unwrap())
                .unwrap()
                .limit(limit),
            registry,
        }
    }

    /// Returns the series of one family in a scrape, by label values.
    fn shown(&self, name: &str) -> BTreeMap<Pair, Vec<f64>> {
        let mut shown = BTreeMap::new();
        for block in self
            .registry
            .gather()
            .filter(|block| block.desc.name() == name)
        {
            let numbers: Vec<Vec<f64>> = match &block.values {
                Values::Counter(counts) => counts.iter().map(|count| vec![count.value()]).collect(),
                Values::Gauge(numbers) => numbers.iter().map(|number| vec![*number]).collect(),
                Values::Histogram(histograms) => histograms
                    .iter()
                    .map(|one| {
                        let totals = one.totals();
                        let buckets = one.cumulative().map(|(_, count)| to_f64(count));
                        buckets
                            .chain([totals.sum, totals.min, totals.max])
                            .collect()
                    })
                    .collect(),
                other => panic!("a kind of metric unknown to the tests: {other:?}"),
            };
            for (labels, numbers) in block.labels.iter().zip(numbers) {
                let values: BTreeMap<_, _> = labels.pairs().collect();
                let pair = ["one", "other"].map(|name| values[name].to_string());
                let twice = shown.insert(pair, numbers);
                assert!(twice.is_none(), "{labels:?} is there twice");
            }
        }
        shown
    }
}

fn expected(model: &Model, numbers: impl Fn(&Series) -> Vec<f64>) -> BTreeMap<Pair, Vec<f64>> {
    let shown = model.series.iter().filter(|(_, series)| !series.removed);
    shown
        .map(|(pair, series)| (pair.clone(), numbers(series)))
        .collect()
}

fn histogram(series: &Series) -> Vec<f64> {
    let observed = &series.observed;
    let up_to = |bound: f64| to_f64(observed.iter().filter(|value| **value <= bound).count());
    let least = observed.iter().copied().reduce(f64::min).unwrap_or(0.0);
    let most = observed.iter().copied().reduce(f64::max).unwrap_or(0.0);
    let sum = observed.iter().sum();
    vec![
        up_to(1.0),
        up_to(4.0),
        up_to(f64::INFINITY),
        sum,
        least,
        most,
    ]
}

#[test]
fn families_agree_with_a_naive_model() {
    for seed in 0..SEEDS {
        RandomTest::new(seed).play();
    }
}

/// Applies the same random operations to the families and to their model.
struct RandomTest {
    seed: u64,
    random: Rng,
    families: Families,
    model: Model,
    /// Kept handles, and the values of their series.
    kept: Vec<(Pair, Counter, Gauge, Histogram)>,
}

impl RandomTest {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let limit = random.usize(0..8);
        let registry = match seed % 3 {
            0 => Registry::new(),
            1 => Registry::new().with_labels([("env", "prod")]).unwrap(),
            _ => Registry::new().with_labels([("env", "\\")]).unwrap(),
        };
        Self {
            seed,
            random,
            families: Families::new(limit, registry),
            model: Model {
                limit,
                declared: Default::default(),
                seen: Default::default(),
                combinations: 0,
                series: BTreeMap::new(),
            },
            kept: Vec::new(),
        }
    }

    fn play(&mut self) {
        for turn in 0..TURNS {
            match self.random.u32(0..100) {
                0..55 => self.record(),
                55..70 => self.record_by_a_kept_handle(),
                70..76 => self.touch(),
                76..90 => self.remove(),
                90..93 => self.reset(),
                93..95 => self.declare(),
                95..97 => self.drop_a_kept_handle(turn),
                _ => self.compare(turn),
            }
        }
    }

    fn word(&mut self) -> String {
        self.static_word().to_owned()
    }

    /// Returns one of the words, each of which is at two addresses.
    fn static_word(&mut self) -> &'static str {
        let words = if self.random.bool() {
            &WORDS
        } else {
            &*COPIED_WORDS
        };
        words[self.random.usize(..words.len())]
    }

    fn pair(&mut self) -> Pair {
        [self.word(), self.word()]
    }

    /// Returns a number that is exact in binary, so that sums are.
    fn amount(&mut self) -> f64 {
        f64::from(self.random.u32(0..32)) / 4.0
    }

    fn record(&mut self) {
        let words = [self.static_word(), self.static_word()];
        let (pair, amount) = (words.map(str::to_owned), self.amount());
        let values = pair.each_ref().map(|value| &**value);
        let families = &self.families;
        if self.random.bool() {
            families.counters.with_ref(values, |one| one.inc_by(amount));
        } else {
            families
                .counters
                .with_static(words, |one| one.inc_by(amount));
        }
        families.gauges.with(values).dec_by(amount);
        families.histograms.with(values).observe(amount);
        let series = self.model.series(&pair);
        series.counter += amount;
        series.gauge -= amount;
        series.observed.push(amount);
    }

    /// Access alone creates a series, or restores it.
    fn touch(&mut self) {
        let (pair, amount) = (self.pair(), self.amount());
        let values = pair.each_ref().map(|value| &**value);
        let counter = self.families.counters.with(values);
        let gauge = self.families.gauges.with(values);
        let histogram = self.families.histograms.with(values);
        gauge.set(amount);
        self.model.series(&pair).gauge = amount;
        let values = self.model.resolve(&pair);
        self.kept.push((values, counter, gauge, histogram));
    }

    /// Whatever happened to its series meanwhile, the handle still counts.
    fn record_by_a_kept_handle(&mut self) {
        let amount = self.amount() + 0.25;
        if self.kept.is_empty() {
            return;
        }
        let (pair, counter, gauge, histogram) = &self.kept[self.random.usize(..self.kept.len())];
        counter.inc_by(amount);
        gauge.dec_by(amount);
        histogram.observe(amount);
        let series = self.model.series.get_mut(pair).expect("it was made");
        series.counter += amount;
        series.gauge -= amount;
        series.observed.push(amount);
        series.removed = false;
    }

    fn remove(&mut self) {
        let pair = self.pair();
        let values = pair.each_ref().map(|value| &**value);
        let series = self.model.series.get_mut(&pair);
        let there = series.filter(|series| !series.removed);
        for removed in [
            self.families.counters.remove(values),
            self.families.gauges.remove(values),
            self.families.histograms.remove(values),
        ] {
            assert_eq!(removed, there.is_some(), "seed {}: {pair:?}", self.seed);
        }
        if let Some(series) = there {
            *series = Series {
                removed: true,
                declared: series.declared,
                counted: series.counted,
                ..Series::default()
            };
            if !self.is_kept(&pair) {
                self.model.release(&pair);
            }
        }
    }

    fn is_kept(&self, pair: &Pair) -> bool {
        self.kept.iter().any(|(kept, ..)| kept == pair)
    }

    /// The next read notices that no handle is left.
    fn drop_a_kept_handle(&mut self, turn: usize) {
        if self.kept.is_empty() {
            return;
        }
        let kept = self.random.usize(..self.kept.len());
        let (pair, ..) = self.kept.swap_remove(kept);
        self.compare(turn);
        if self.model.series[&pair].removed && !self.is_kept(&pair) {
            self.model.release(&pair);
        }
    }

    fn reset(&mut self) {
        self.families.registry.reset_all();
        for series in self.model.series.values_mut() {
            *series = Series {
                removed: series.removed,
                declared: series.declared,
                counted: series.counted,
                ..Series::default()
            };
        }
    }

    fn declare(&mut self) {
        let lists = [vec![self.word()], vec![self.word(), self.word()]];
        self.model.declare(&lists);
        let lists = lists.each_ref().map(|list| {
            let values = list.iter().map(|value| &**value);
            values.collect::<Vec<_>>()
        });
        let lists = lists.each_ref().map(|list| &**list);
        let families = &self.families;
        let _again = (
            families.counters.clone().declare(lists),
            families.gauges.clone().declare(lists),
            families.histograms.clone().declare(lists),
        );
    }

    fn compare(&self, turn: usize) {
        let context = format!("seed {}, turn {turn}", self.seed);
        let families = &self.families;
        let counters = expected(&self.model, |series| vec![series.counter]);
        assert_eq!(families.shown("c"), counters, "{context}");
        let gauges = expected(&self.model, |series| vec![series.gauge]);
        assert_eq!(families.shown("g"), gauges, "{context}");
        let histograms = expected(&self.model, histogram);
        assert_eq!(families.shown("h"), histograms, "{context}");
    }
}
