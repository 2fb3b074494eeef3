//! Collectors that fail: each scrape has all other series, and each failure is counted.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use tachometer::Registry;
use tachometer::export::Format;
use tachometer::registry::{Collect, CollectSink, HistogramValues};
use tachometer::snapshot::{Desc, Kind};

use crate::support::parse::text::{Dialect, parse};
use crate::support::read::to_f64;
use crate::support::warnings::warnings;

/// What a collector does at a scrape.
#[derive(Clone, Default)]
struct Script {
    series: Vec<Computed>,
    panics: bool,
}

#[derive(Clone)]
struct Computed {
    metric: String,
    kind: Kind,
    label: String,
    value: u64,
}

/// The collector with this number, and the scripts of all collectors.
struct Scripted(usize, Arc<Mutex<Vec<Script>>>);

impl Collect for Scripted {
    fn collect(&self, sink: &mut CollectSink<'_>) {
        let script = self.1.lock().unwrap()[self.0].clone();
        for Computed {
            metric,
            kind,
            label,
            value,
        } in &script.series
        {
            // An error is ignored, as by a careless library.
            let _ = sink.family(&Desc::new(metric, "", *kind));
            let labels = [("x", &**label)];
            match kind {
                Kind::Counter => sink.counter(metric, labels, *value),
                Kind::Gauge => sink.gauge(metric, labels, *value),
                _ => {
                    let counts = [0, *value];
                    let values = HistogramValues::new(&[1.0], &counts, 0.0);
                    sink.histogram_values(metric, labels, values)
                }
            };
        }
        assert!(!script.panics, "the library fails");
    }
}

/// The families and the counts that a registry should have.
#[derive(Default)]
struct Model {
    /// The collector that has each metric, and its kind.
    owners: HashMap<String, (usize, Kind)>,
    refused: u64,
    invalid: BTreeMap<String, u64>,
    panics: u64,
}

impl Model {
    /// Runs a script, and adds its series to those of a scrape.
    fn run(
        &mut self,
        collector: usize,
        script: &Script,
        scrape: &mut BTreeMap<(String, String), u64>,
    ) {
        let mut added = BTreeMap::new();
        let mut invalid = Vec::new();
        for series in &script.series {
            let name = &series.metric;
            let owner = self.owners.entry(name.clone());
            let (owner, kind) = *owner.or_insert((collector, series.kind));
            let key = (name.clone(), series.label.clone());
            if owner != collector {
                self.refused += 1;
            } else if kind != series.kind || added.contains_key(&key) {
                invalid.push(name.clone());
            } else {
                added.insert(key, series.value);
            }
        }
        if script.panics {
            self.panics += 1;
            return;
        }
        scrape.append(&mut added);
        for name in invalid {
            *self.invalid.entry(name).or_default() += 1;
        }
    }
}

/// Returns the number of each series of a scrape with the label `x`, and the sums of the metrics
/// about the registry.
fn scrape(registry: &Registry) -> (BTreeMap<(String, String), u64>, BTreeMap<String, f64>) {
    let text = registry.export(Format::OpenMetrics).to_bytes();
    let families = parse(&text, Dialect::OpenMetrics).unwrap();
    let mut series = BTreeMap::new();
    let mut sums = BTreeMap::new();
    for family in families {
        for one in family.series {
            let histogram = one.histogram.and_then(|histogram| histogram.count);
            let number = one.number.map(|number| number.real().0);
            let value = number.or(histogram.map(to_f64)).unwrap();
            let label = one.labels.iter().find(|(name, _)| name == "x");
            match label {
                Some((_, label)) => {
                    let value = format!("{value}").parse().unwrap();
                    series.insert((family.name.clone(), label.clone()), value);
                }
                None => *sums.entry(family.name.clone()).or_default() += value,
            }
        }
    }
    (series, sums)
}

#[test]
fn each_scrape_has_the_series_that_a_model_expects_whatever_collectors_do() {
    for seed in 0..30 {
        let mut random = fastrand::Rng::with_seed(seed);
        let collectors = 6;
        let scripts = Arc::new(Mutex::new(vec![Script::default(); collectors]));
        let registry = Registry::new();
        for collector in 0..collectors {
            let scripted = Scripted(collector, Arc::clone(&scripts));
            registry.collector(scripted).unwrap();
        }
        let mut model = Model::default();
        for _ in 0..20 {
            let mut any_script = || Script {
                series: (0..random.usize(0..12))
                    .map(|_| Computed {
                        metric: format!("m{}", random.u32(0..8)),
                        kind: *random
                            .choice([Kind::Counter, Kind::Gauge, Kind::Histogram].iter())
                            .unwrap(),
                        label: random.u32(0..4).to_string(),
                        value: random.u64(0..1_000),
                    })
                    .collect(),
                panics: random.u32(0..6) == 0,
            };
            let new: Vec<_> = (0..collectors).map(|_| any_script()).collect();
            scripts.lock().unwrap().clone_from(&new);
            let mut expected = BTreeMap::new();
            for (collector, script) in new.iter().enumerate() {
                model.run(collector, script, &mut expected);
            }
            let (series, sums) = scrape(&registry);
            assert_eq!(series, expected, "seed {seed}");
            let sum = |name: &str| sums.get(name).copied().unwrap_or(0.0);
            let invalid = model.invalid.values().sum::<u64>();
            let counted = [
                sum("tachometer_series_refused"),
                sum("tachometer_invalid_observations"),
                sum("tachometer_collector_panics"),
            ];
            let expected = [model.refused, invalid, model.panics].map(to_f64);
            assert_eq!(counted, expected, "seed {seed}");
        }
    }
}

#[test]
fn a_conflict_is_warned_of_once_for_each_metric() {
    let script = |names: &[&str]| Script {
        series: names
            .iter()
            .map(|name| Computed {
                metric: (*name).to_owned(),
                kind: Kind::Gauge,
                label: String::new(),
                value: 1,
            })
            .collect(),
        panics: false,
    };
    let registry = Registry::new();
    registry.counter("taken_total", "").unwrap();
    let scripts = vec![script(&["taken_total", "9", "fine"])];
    let scripted = Scripted(0, Arc::new(Mutex::new(scripts)));
    registry.collector(scripted).unwrap();
    let other = registry.clone();
    let messages = warnings(
        move || {
            // No lock is held while a warning is logged.
            other.counter("fine_too_total", "").unwrap().inc();
        },
        || {
            for _ in 0..3 {
                assert!(registry.export_prometheus().contains("fine 1"));
            }
        },
    );
    assert_eq!(messages.len(), 2, "{messages:?}");
    for (message, metric) in messages.iter().zip(["taken_total", "9"]) {
        let metric = format!("metric={metric:?}");
        assert!(message.contains(&metric), "{message}");
        assert!(message.contains("collector=\"Scripted\""), "{message}");
        assert!(message.contains("left out"), "{message}");
    }
    let reasons: HashSet<_> = messages.iter().collect();
    assert_eq!(reasons.len(), 2);
}
