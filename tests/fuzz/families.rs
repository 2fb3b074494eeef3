//! A registry that is written quickly, and its expected families.

use tachometer::{Buckets, Registry};

/// The escaping schemes of names.
pub(crate) const SCHEMES: [&str; 4] = ["allow-utf-8", "underscores", "dots", "values"];

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// A family of the registry, with its series by their JSON keys.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) series: &'static [&'static str],
}

/// All of them, in the order in which they are served.
pub(crate) static FAMILIES: [Family; 11] = [
    family("disk.free", Kind::Gauge, &["disk.free"]),
    family("jobs", Kind::Counter, &["jobs"]),
    family(
        "mails_total",
        Kind::Counter,
        &["mails_total{to=\"a\"}", "mails_total{to=\"\\\"b\\\"\"}"],
    ),
    family("queue", Kind::Gauge, &["queue"]),
    family("seconds", Kind::Histogram, &["seconds"]),
    family(
        "tachometer_scrape_duration_seconds",
        Kind::Histogram,
        &["tachometer_scrape_duration_seconds"],
    ),
    family(
        "tachometer_scrapes_aborted_total",
        Kind::Counter,
        &["tachometer_scrapes_aborted_total"],
    ),
    family(
        "tachometer_scrapes_refused_total",
        Kind::Counter,
        &["tachometer_scrapes_refused_total"],
    ),
    family(
        "tachometer_scrapes_total",
        Kind::Counter,
        &[
            "tachometer_scrapes_total{format=\"text\"}",
            "tachometer_scrapes_total{format=\"text_v1\"}",
            "tachometer_scrapes_total{format=\"openmetrics\"}",
            "tachometer_scrapes_total{format=\"protobuf\"}",
            "tachometer_scrapes_total{format=\"json\"}",
            "tachometer_scrapes_total{format=\"summary\"}",
        ],
    ),
    family(
        "tachometer_series",
        Kind::Gauge,
        &[
            "tachometer_series{metric=\"mails_total\"}",
            "tachometer_series{metric=\"tachometer_scrapes_total\"}",
        ],
    ),
    family(
        "tachometer_series_overflow_total",
        Kind::Counter,
        &[
            "tachometer_series_overflow_total{metric=\"mails_total\"}",
            "tachometer_series_overflow_total{metric=\"tachometer_scrapes_total\"}",
        ],
    ),
];

const fn family(name: &'static str, kind: Kind, series: &'static [&'static str]) -> Family {
    Family { name, kind, series }
}

/// The families above, without self-metrics.
pub(crate) fn registry() -> Registry {
    let registry = Registry::new().with_utf8_names();
    registry.gauge("disk.free", "Bytes.").unwrap().set(1);
    registry.counter("jobs", "Jobs.").unwrap().inc();
    let mails = registry.counter_family("mails_total", "Mails.", ["to"]);
    let mails = mails.unwrap();
    mails.with(["a"]).inc();
    mails.with(["\"b\""]).inc();
    registry.gauge("queue", "").unwrap().set(-1.5);
    let seconds =
        registry.histogram_with_buckets("seconds", "Time.", Buckets::new(&[0.5, 2.0]).unwrap());
    seconds.unwrap().observe(1.0);
    registry
}

impl Family {
    /// Returns its name without the suffix `_total`.
    fn stem(&self) -> &str {
        match self.kind {
            Kind::Counter => self.name.trim_end_matches("_total"),
            Kind::Gauge | Kind::Histogram => self.name,
        }
    }

    /// Returns its name as it is exposed: a counter's ends in `_total`.
    pub(crate) fn exposed(&self) -> String {
        let suffix = if self.kind == Kind::Counter {
            "_total"
        } else {
            ""
        };
        format!("{}{suffix}", self.stem())
    }

    /// Returns its name in a header of `OpenMetrics`.
    pub(crate) fn openmetrics(&self) -> String {
        self.stem().to_owned()
    }

    /// Returns true if a client selects it by this name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let exposed = self.exposed();
        let names = [exposed.as_str(), self.stem()];
        names.contains(&name)
            || names
                .map(|name| escape(name, "underscores"))
                .contains(&name.to_owned())
    }
}

/// Escapes a name by a scheme: <https://prometheus.io/docs/instrumenting/escaping_schemes/>.
pub(crate) fn escape(name: &str, scheme: &str) -> String {
    let legal = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == ':';
    let digit_first = name.starts_with(|char: char| char.is_ascii_digit());
    let classic = name.chars().all(legal) && !digit_first;
    if classic {
        return name.to_owned();
    }
    match scheme {
        "underscores" => name.replace(|char| !legal(char), "_"),
        "dots" => name.replace('_', "__").replace('.', "_dot_"),
        "values" => format!("U__{}", name.replace('_', "__").replace('.', "_2e_")),
        _ => name.to_owned(),
    }
}
