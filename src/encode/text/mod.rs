//! Prometheus's text format and OpenMetrics.
//!
//! Prometheus's: <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! "Text-based format". OpenMetrics:
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>, "Text format".

mod format;
mod line_prefix;

pub(crate) use format::TextFormat;

use std::time::UNIX_EPOCH;

use crate::encode::Encode;
use crate::encode::buffer::{Buffer, PaddedText, ShortText};
use crate::encode::number::{bound_text, digits, millis_to_seconds, put_count, put_f64};
use crate::snapshot::{Bounds, Desc, Escaping, Exemplar, HistogramView, Kind, SeriesBlock, Values};
use line_prefix::{LinePrefix, header_name, label_text};

/// Writes series as text.
#[derive(Debug)]
pub(crate) struct TextEncoder {
    format: TextFormat,
    escaping: Escaping,
    /// Whether to write `_created` lines, which only OpenMetrics has.
    created: bool,
    family: FamilyText,
    /// The start of the bucket lines of the current series.
    bucket: PaddedText,
}

/// What the lines of the current family have in common.
#[derive(Debug, Default)]
struct FamilyText {
    /// The prefix of the value of a counter or gauge.
    value: LinePrefix,
    bucket: LinePrefix,
    sum: LinePrefix,
    count: LinePrefix,
    created: LinePrefix,
    bounds: Option<Bounds>,
    /// `le="0.5"} ` for each bucket, including `+Inf`.
    bound_texts: Vec<ShortText>,
}

impl TextEncoder {
    pub(crate) fn new(format: TextFormat, escaping: Escaping, created: bool) -> Self {
        Self {
            format,
            escaping,
            created: created && format == TextFormat::OpenMetrics,
            family: FamilyText::default(),
            bucket: PaddedText::default(),
        }
    }

    fn put_header(&self, desc: &Desc, buffer: &mut Buffer) {
        let exposed = self.escaping.metric_name(desc.exposed_name());
        let family = self.format.family_name(&exposed, desc.kind());
        let name = header_name(family);
        let mut put = |keyword: &str, text: &dyn Fn(&mut Buffer)| {
            for part in ["# ", keyword, " ", &name, " "] {
                buffer.put_str(part);
            }
            text(buffer);
            buffer.push(b'\n');
        };
        put("HELP", &|buffer| self.format.put_help(desc.help(), buffer));
        put("TYPE", &|buffer| buffer.put_str(desc.kind().as_str()));
        if let Some(unit) = self.format.unit(desc, family) {
            put("UNIT", &|buffer| buffer.put_str(unit));
        }
    }

    fn start_family(&mut self, desc: &Desc) {
        // Suffixes follow the escaped name: parsers find the family by removing them.
        let exposed = self.escaping.metric_name(desc.exposed_name());
        let family = self.format.family_name(&exposed, desc.kind());
        let prefix = |suffix: &str| LinePrefix::new(&format!("{family}{suffix}"));
        self.family = match desc.kind() {
            Kind::Counter => FamilyText {
                value: LinePrefix::new(&exposed),
                created: prefix("_created"),
                ..FamilyText::default()
            },
            Kind::Gauge => FamilyText {
                value: prefix(""),
                ..FamilyText::default()
            },
            Kind::Histogram => FamilyText {
                bucket: prefix("_bucket"),
                sum: prefix("_sum"),
                count: prefix("_count"),
                created: prefix("_created"),
                ..FamilyText::default()
            },
        };
    }

    fn put_histogram(
        &self,
        labels: &str,
        histogram: &HistogramView<'_>,
        exemplars: &[Exemplar],
        buffer: &mut Buffer,
    ) {
        let mut count = 0;
        let mut text = digits(0);
        let buckets = histogram.counts().iter().zip(&self.family.bound_texts);
        for (bucket, (bucket_count, bound)) in buckets.enumerate() {
            // Many buckets are empty; they have the same cumulative count as the one before.
            if *bucket_count != 0 {
                count += bucket_count;
                text = digits(count);
            }
            buffer.put_line(&self.bucket, bound, &text);
            if !exemplars.is_empty() {
                let exemplar = exemplars.iter().find(|exemplar| exemplar.bucket == bucket);
                self.put_exemplar(exemplar, buffer);
            }
        }
        let totals = histogram.totals();
        // OpenMetrics forbids the sum, and with it the count, if a bound or the sum is negative
        // ("Histogram").
        let bound = histogram.bounds().first();
        let is_negative = totals.sum < 0.0 || bound.is_some_and(|bound| *bound < 0.0);
        if self.format == TextFormat::OpenMetrics && is_negative {
            return;
        }
        self.family.sum.put(labels, buffer);
        put_f64(buffer, totals.sum);
        buffer.push(b'\n');
        self.family.count.put(labels, buffer);
        buffer.put_short_text(&text);
        buffer.push(b'\n');
    }

    /// Appends the exemplar of a line, if it has one.
    #[inline]
    fn put_exemplar(&self, exemplar: Option<&Exemplar>, buffer: &mut Buffer) {
        if let Some(exemplar) = exemplar.filter(|_| self.format == TextFormat::OpenMetrics)
            && !has_quoted_value(exemplar)
        {
            put_exemplar(exemplar, buffer);
        }
    }

    fn put_created(&self, labels: &str, created_millis: u64, buffer: &mut Buffer) {
        if self.created {
            self.family.created.put(labels, buffer);
            put_f64(buffer, millis_to_seconds(created_millis));
            buffer.push(b'\n');
        }
    }
}

impl Encode for TextEncoder {
    fn start(&mut self, _page: &mut Buffer) {}

    fn block(&mut self, block: &SeriesBlock, buffer: &mut Buffer) {
        if block.is_first {
            self.put_header(&block.desc, buffer);
            self.start_family(&block.desc);
        }
        // Series of one family can have different bounds (`Family::buckets_for`).
        if let Values::Histogram(histograms) = &block.values {
            self.family.start_bounds(&histograms.bounds);
        }
    }

    fn series(&mut self, block: &SeriesBlock, series: usize, buffer: &mut Buffer) {
        let Some(labels) = block.labels.get(series) else {
            return;
        };
        let labels = label_text(&block.desc, labels, self.escaping);
        let exemplars = block.exemplars_for(series);
        match &block.values {
            Values::Counter(counts) => {
                self.family.value.put(&labels, buffer);
                put_count(buffer, counts[series]);
                buffer.push(b'\n');
                self.put_exemplar(exemplars.first(), buffer);
            }
            Values::Gauge(numbers) => {
                self.family.value.put(&labels, buffer);
                put_f64(buffer, numbers[series]);
                buffer.push(b'\n');
                return;
            }
            Values::Histogram(histograms) => {
                self.family
                    .bucket
                    .set_bucket_line(&labels, &mut self.bucket);
                if let Some(histogram) = histograms.get(series) {
                    self.put_histogram(&labels, &histogram, exemplars, buffer);
                }
            }
        }
        if let Some(created) = block.created_millis.get(series) {
            self.put_created(&labels, *created, buffer);
        }
    }

    fn finish(&mut self, _truncated: bool, buffer: &mut Buffer) {
        if self.format == TextFormat::OpenMetrics {
            buffer.put_str("# EOF\n");
        }
    }
}

impl FamilyText {
    fn start_bounds(&mut self, bounds: &Bounds) {
        if self.bounds.as_ref() != Some(bounds) {
            let all = bounds.iter().chain(&[f64::INFINITY]);
            let text = |&bound| ShortText::new(&format!("le=\"{}\"}} ", bound_text(bound)));
            self.bound_texts = all.map(text).collect();
            self.bounds = Some(bounds.clone());
        }
    }
}

/// Returns true if a label value of the exemplar contains a quote. The parser of Python's
/// `prometheus_client` does not support escaped quotes there, and fails the whole scrape.
#[cold]
fn has_quoted_value(exemplar: &Exemplar) -> bool {
    let mut pairs = exemplar.labels.pairs();
    pairs.any(|(_, value)| value.contains('"'))
}

/// Appends ` # {labels} value timestamp` to the last line.
#[cold]
fn put_exemplar(exemplar: &Exemplar, buffer: &mut Buffer) {
    buffer.remove_newline();
    for part in [" # {", exemplar.labels.as_str(), "} "] {
        buffer.put_str(part);
    }
    put_f64(buffer, exemplar.value);
    // A time before 1970 cannot be written.
    if let Ok(since_1970) = exemplar.timestamp.duration_since(UNIX_EPOCH) {
        buffer.push(b' ');
        let millis = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        put_f64(buffer, millis_to_seconds(millis));
    }
    buffer.push(b'\n');
}
