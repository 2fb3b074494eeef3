//! Scrape jobs: the formats that each version of Prometheus can be configured to use.

use tachometer::snapshot::Escaping;

use crate::support::fixture::Classic;
use crate::support::read::to_f64;

/// A scrape job, and how Prometheus reads it.
#[derive(Clone, Copy)]
pub(super) struct Job {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    /// Further lines of its configuration.
    pub(super) settings: &'static str,
    pub(super) format: Format,
    /// Whether native histograms are kept as classic ones too.
    pub(super) classic: Classic,
    /// Whether it is a Prometheus 3 that scrapes.
    pub(super) third: bool,
}

/// The negotiated format.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Format {
    Text,
    OpenMetrics,
    Protobuf,
}

impl Job {
    pub(super) const fn new(name: &'static str, settings: &'static str, format: Format) -> Self {
        Self {
            name,
            path: "/metrics",
            settings,
            format,
            classic: Classic::Always,
            third: true,
        }
    }

    pub(super) fn has_native(&self) -> bool {
        self.format == Format::Protobuf
    }

    pub(super) fn has_units(&self) -> bool {
        match self.format {
            Format::Text => false,
            Format::OpenMetrics => true,
            Format::Protobuf => self.third,
        }
    }

    /// Returns whether created timestamps are stored if Prometheus has that feature.
    pub(super) fn has_created(&self) -> bool {
        self.path == "/created" || (self.format == Format::Protobuf && self.path != "/not_created")
    }

    /// Returns a time in milliseconds as Prometheus reads it. It multiplies the seconds of
    /// `OpenMetrics` and truncates, which may lose a millisecond.
    pub(super) fn time_read(&self, millis: u64) -> u64 {
        if self.format != Format::OpenMetrics {
            return millis;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let read = (to_f64(millis) / 1e3 * 1e3) as u64;
        read
    }

    /// Returns an exemplar's label value as Prometheus reads it: from `OpenMetrics`, without
    /// unescaping.
    pub(super) fn value_read(&self, value: &str) -> String {
        if self.format != Format::OpenMetrics {
            return value.to_owned();
        }
        let value = value.replace('\\', r"\\");
        value.replace('"', r#"\""#).replace('\n', r"\n")
    }
}

/// The jobs of a Prometheus 3, whose format can be configured.
pub(super) const THIRD: [Job; 5] = [
    Job::new(
        "text",
        "scrape_protocols: [PrometheusText0.0.4]",
        Format::Text,
    ),
    Job::new(
        "text_v1",
        "scrape_protocols: [PrometheusText1.0.0]",
        Format::Text,
    ),
    Job::new(
        "openmetrics",
        "scrape_protocols: [OpenMetricsText1.0.0]",
        Format::OpenMetrics,
    ),
    Job::new(
        "protobuf",
        "scrape_protocols: [PrometheusProto]\n  always_scrape_classic_histograms: true",
        Format::Protobuf,
    ),
    Job {
        classic: Classic::Else,
        ..Job::new("default", "", Format::Protobuf)
    },
];

/// Otherwise it drops the classic buckets of native histograms, even if it does not store these.
const CLASSIC_TOO: &str = "always_scrape_classic_histograms: true";

/// The jobs of a Prometheus 3 that stores created timestamps, and no native histograms.
pub(super) const CREATED: [Job; 5] = [
    Job::new(
        "text",
        "scrape_protocols: [PrometheusText0.0.4]",
        Format::Text,
    ),
    Job::new(
        "openmetrics",
        "scrape_protocols: [OpenMetricsText1.0.0]",
        Format::OpenMetrics,
    ),
    Job {
        path: "/created",
        ..Job::new(
            "created",
            "scrape_protocols: [OpenMetricsText1.0.0]",
            Format::OpenMetrics,
        )
    },
    Job::new("protobuf", CLASSIC_TOO, Format::Protobuf),
    Job {
        path: "/not_created",
        ..Job::new("not_created", CLASSIC_TOO, Format::Protobuf)
    },
];

/// The jobs of any Prometheus. Its format cannot be configured, but it gets text if its
/// `Accept` header is removed.
pub(super) const fn any(default: Format) -> [Job; 2] {
    let text = Job {
        path: "/text",
        third: false,
        ..Job::new("text", "", Format::Text)
    };
    let default = Job {
        third: false,
        classic: match default {
            Format::Protobuf => Classic::Else,
            Format::Text | Format::OpenMetrics => Classic::Always,
        },
        ..Job::new("default", "", default)
    };
    [text, default]
}

pub(super) const UTF8: [(&str, &str, Escaping); 5] = [
    ("utf8_default", "", Escaping::Underscores),
    (
        "utf8_text",
        "scrape_protocols: [PrometheusText0.0.4]",
        Escaping::Underscores,
    ),
    (
        "utf8_text_v1",
        "scrape_protocols: [PrometheusText1.0.0]",
        Escaping::Utf8,
    ),
    (
        "utf8_openmetrics",
        "scrape_protocols: [OpenMetricsText1.0.0]",
        Escaping::Utf8,
    ),
    (
        "utf8_escaped",
        "scrape_protocols: [OpenMetricsText1.0.0]\n  metric_name_escaping_scheme: underscores",
        Escaping::Underscores,
    ),
];
