//! Texts come back unchanged from every format.

use std::collections::HashSet;
use std::iter::repeat_with;

use fastrand::Rng;
use tachometer::Registry;
use tachometer::export::Format;
use tachometer::registry::{Collect, CollectSink};
use tachometer::snapshot::{Desc, Escaping, Kind};

use crate::support::compare_exports::{SCHEMES, check_all, escaped, key, read, read_json};
use crate::support::parse::Pair;
use crate::support::read::series;

/// The characters that mean something in some format, and two that do not.
const AWKWARD: [char; 8] = ['"', '\\', '\n', '\r', 'a', '{', ',', 'é'];

/// All texts of up to this many awkward characters.
fn awkward(length: u32) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut from = 0;
    for _ in 0..length {
        let longest = texts[from..].to_vec();
        from = texts.len();
        let longer = longest
            .iter()
            .flat_map(|text| AWKWARD.map(|char| format!("{text}{char}")));
        texts.extend(longer);
    }
    texts
}

/// Gauges with texts that must come back, each with a different value.
struct Texts {
    registry: Registry,
    gauges: Vec<Gauge>,
}

#[derive(Debug, Clone, PartialEq)]
struct Gauge {
    name: String,
    help: String,
    labels: Vec<Pair>,
}

impl Texts {
    fn new() -> Self {
        Self {
            registry: Registry::new().with_utf8_names(),
            gauges: Vec::new(),
        }
    }

    /// Adds a gauge with at most one label; returns false if a name is refused.
    fn add(&mut self, name: &str, help: &str, labels: &[(&str, &str)]) -> bool {
        let gauge = self.registry.gauge_with(name, help, labels);
        let added = gauge.map(|gauge| gauge.set(self.gauges.len())).is_ok();
        if added {
            self.note(name, help, labels);
        }
        added
    }

    fn note(&mut self, name: &str, help: &str, labels: &[(&str, &str)]) {
        let to_owned_pair =
            |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.gauges.push(Gauge {
            name: name.to_owned(),
            help: help.to_owned(),
            labels: labels.iter().map(to_owned_pair).collect(),
        });
    }

    /// Checks that every format returns the texts unchanged.
    #[track_caller]
    fn check(&self) {
        for format in [Format::TextV1, Format::OpenMetrics, Format::Protobuf] {
            self.check_in(format, Escaping::Utf8);
        }
        self.check_json();
    }

    #[track_caller]
    fn check_in(&self, format: Format, escaping: Escaping) {
        let export = self.registry.export(format).escaping(escaping);
        let mut missing: HashSet<_> = (0..self.gauges.len()).collect();
        for family in read(format, &export.to_bytes()) {
            if family.name.starts_with("tachometer_") {
                continue;
            }
            for series in family.series {
                let number = series.number.unwrap().real().0;
                let number = format!("{number}").parse().unwrap();
                assert!(missing.remove(&number), "{number} twice in {format:?}");
                let held = self.gauges[number].escaped(escaping);
                let exported = Gauge {
                    name: family.name.clone(),
                    help: family.help.clone(),
                    labels: series.labels,
                };
                assert_eq!(exported, held, "{format:?} {escaping:?}");
            }
        }
        assert!(missing.is_empty(), "{format:?} lacks {missing:?}");
    }

    #[track_caller]
    fn check_json(&self) {
        let mut metrics = read_json(&self.registry.export(Format::Json).to_bytes());
        metrics.retain(|key, _| !key.starts_with("tachometer_"));
        assert_eq!(metrics.len(), self.gauges.len(), "keys that are the same");
        for (number, gauge) in self.gauges.iter().enumerate() {
            let key = key(&gauge.name, &gauge.labels);
            let exported = &metrics[&key];
            assert_eq!(exported["value"], number, "{key}");
            assert_eq!(exported["help"], gauge.help, "{key}");
            let labels = exported["labels"].as_object().unwrap();
            assert_eq!(labels.len(), gauge.labels.len(), "{key}");
            for (name, value) in &gauge.labels {
                assert_eq!(labels[name], *value, "{key}");
            }
        }
    }
}

impl Gauge {
    fn escaped(&self, scheme: Escaping) -> Self {
        let label = |(name, value): &Pair| (escaped(scheme, name, false), value.clone());
        Self {
            name: escaped(scheme, &self.name, true),
            help: self.help.clone(),
            labels: self.labels.iter().map(label).collect(),
        }
    }
}

#[test]
fn every_short_awkward_text_comes_back_as_a_label_value() {
    let mut texts = Texts::new();
    let family = texts.registry.gauge_family("g", "Texts.", ["a.b", "plain"]);
    let family = family.unwrap().limit(usize::MAX);
    for text in awkward(5) {
        family.with([&text, "x"]).set(texts.gauges.len());
        texts.note("g", "Texts.", &[("a.b", &text), ("plain", "x")]);
    }
    assert_eq!(texts.gauges.len(), (8_usize.pow(6) - 1) / 7);
    texts.check();
    // Puts a label between two awkward values.
    let mut texts = Texts::new();
    let family = texts.registry.gauge_family("g", "", ["x", "y"]).unwrap();
    for one in awkward(2) {
        for other in awkward(2) {
            family.with([&one, &other]).set(texts.gauges.len());
            texts.note("g", "", &[("x", &one), ("y", &other)]);
        }
    }
    texts.check();
}

#[test]
fn every_short_awkward_text_comes_back_as_a_help_text() {
    let mut texts = Texts::new();
    for (number, text) in awkward(4).iter().enumerate() {
        assert!(texts.add(&format!("g{number}"), text, &[]));
    }
    texts.check();
}

#[test]
fn every_short_awkward_text_comes_back_as_the_name_of_a_label() {
    let mut texts = Texts::new();
    for (number, text) in awkward(4).iter().enumerate() {
        // A leading letter avoids reserved names.
        let (name, label) = (format!("g{number}"), format!("x{text}"));
        assert!(texts.add(&name, "", &[(&label, text)]));
        texts.add(&format!("h{number}"), "", &[(text, "v"), ("second", text)]);
    }
    texts.check();
    for escaping in &SCHEMES[1..] {
        texts.check_in(Format::Text, *escaping);
    }
}

#[test]
fn every_short_awkward_text_comes_back_as_the_name_of_a_metric() {
    let mut texts = Texts::new();
    for (number, text) in awkward(4).iter().enumerate() {
        // The number keeps apart what would be the same with underscores.
        assert!(texts.add(&format!("{text}.{number}"), "", &[]));
        assert!(texts.add(&format!("x{number}.{text}"), "", &[("l", text)]));
    }
    texts.check();
    for escaping in &SCHEMES[1..] {
        texts.check_in(Format::Text, *escaping);
    }
}

/// A text of any characters, the awkward ones more often than the rest.
fn any_text(random: &mut Rng) -> String {
    let length = random.usize(..10);
    let char = || match random.u8(..8) {
        0..3 => AWKWARD[random.usize(..AWKWARD.len())],
        3 => random.char('\0'..'\u{80}'),
        4 => ['}', '=', '#', ' ', '\t', '.', '_', ':', 'n', 'U'][random.usize(..10)],
        5 => random.char('\u{80}'..'\u{800}'),
        _ => random.char(..),
    };
    repeat_with(char).take(length).collect()
}

/// Puts random texts into a registry, and returns how many.
fn fill(texts: &mut Texts, random: &mut Rng) -> usize {
    let mut count = 0;
    for number in 0..8 {
        let help = any_text(random);
        // Names that would be the same, or are reserved, are refused.
        let (name, labels, family) = loop {
            let name = format!("{}{number}", any_text(random));
            let labels = [any_text(random), any_text(random)];
            let labels = [&*labels[0], &*labels[1]];
            if let Ok(family) = texts.registry.gauge_family(&name, &help, labels) {
                break (name, labels.map(str::to_owned), family);
            }
        };
        count += 4;
        let mut seen = HashSet::new();
        for _ in 0..130 {
            let values = [any_text(random), any_text(random)];
            count += 2;
            if seen.insert(values.clone()) {
                let pairs = [(&*labels[0], &*values[0]), (&*labels[1], &*values[1])];
                family
                    .with([&values[0], &values[1]])
                    .set(texts.gauges.len());
                texts.note(&name, &help, &pairs);
            }
        }
    }
    count
}

/// Series whose labels differ in names, number and length from one to the next.
struct MixedLabels;

impl Collect for MixedLabels {
    fn describe(&self) -> Vec<Desc> {
        vec![Desc::new("mixed", "", Kind::Gauge)]
    }

    fn collect(&self, sink: &mut CollectSink<'_>) {
        let mut random = Rng::with_seed(7);
        for number in 0..1_000_u32 {
            let mut labels = vec![("n", format!("{number}"))];
            for name in ["a", "ab", "route", "http_request_method_of_a_long_name"] {
                let value = match random.u8(..6) {
                    0 => continue,
                    1 => any_text(&mut random),
                    2 => "x".repeat(random.usize(..300)),
                    3 => format!("{}\"", "x".repeat(random.usize(..20))),
                    // Around the length from which a label's length takes two bytes.
                    4 => "x".repeat(random.usize(80..130)),
                    _ => "é".repeat(random.usize(..9)),
                };
                labels.push((name, value));
            }
            let labels: Vec<_> = labels
                .iter()
                .map(|(name, value)| (*name, &**value))
                .collect();
            sink.gauge("mixed", labels, f64::from(number));
        }
    }
}

#[test]
fn labels_that_differ_from_series_to_series_come_back() {
    let registry = Registry::new();
    registry.collector(MixedLabels).unwrap();
    check_all(&registry);
    assert_eq!(series(&registry), 1_000);
}

/// `TACHOMETER_TEXTS` sets the number of texts.
#[test]
fn random_texts_come_back_from_every_format() {
    let wanted = std::env::var("TACHOMETER_TEXTS").map_or(30_000, |wanted| {
        wanted.parse().expect("TACHOMETER_TEXTS is a number")
    });
    let mut random = Rng::with_seed(11);
    let (mut count, mut batches) = (0, 0);
    while count < wanted {
        let mut texts = Texts::new();
        count += fill(&mut texts, &mut random);
        texts.check();
        texts.check_in(Format::Text, SCHEMES[1 + batches % 3]);
        batches += 1;
    }
}
