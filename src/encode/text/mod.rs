//! The text formats: Prometheus's and OpenMetrics.
//!
//! Prometheus's: <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! "Text-based format". OpenMetrics:
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>, "Text format".

mod format;
mod names;

pub(crate) use format::TextFormat;

use std::time::UNIX_EPOCH;

use crate::encode::Encode;
use crate::encode::buffer::{Buffer, PaddedText, ShortText};
use crate::encode::number::{bound_text, digits, millis_to_seconds, put_count, put_f64};
use crate::snapshot::{Bounds, Desc, Escaping, Exemplar, HistogramView, Kind, SeriesBlock, Values};
use names::{LinePrefix, header_name, label_text, set_closed_labels};

/// Writes series as text.
#[derive(Debug)]
pub(crate) struct TextEncoder {
    format: TextFormat,
    escaping: Escaping,
    /// Whether OpenMetrics's lines say since when they count.
    created: bool,
    family: FamilyText,
    /// The labels of the series under way, up to its value.
    labels: PaddedText,
    /// What its buckets' lines begin with.
    bucket: PaddedText,
}

/// What all lines of the family under way have in common.
#[derive(Debug, Default)]
struct FamilyText {
    /// Before a counter's, a gauge's value.
    value: LinePrefix,
    bucket: LinePrefix,
    sum: LinePrefix,
    count: LinePrefix,
    created: LinePrefix,
    bounds: Option<Bounds>,
    /// `le="0.5"} ` for each bucket, `+Inf` included.
    bound_texts: Vec<ShortText>,
}

impl TextEncoder {
    pub(crate) fn new(format: TextFormat, escaping: Escaping, created: bool) -> Self {
        Self {
            format,
            escaping,
            created: created && format == TextFormat::OpenMetrics,
            family: FamilyText::default(),
            labels: PaddedText::default(),
            bucket: PaddedText::default(),
        }
    }

    fn put_header(&self, desc: &Desc, page: &mut Buffer) {
        let exposed = self.escaping.metric_name(desc.exposed_name());
        let family = self.format.family_name(&exposed, desc.kind());
        let name = header_name(family);
        let mut put = |what: &str, text: &dyn Fn(&mut Buffer)| {
            for part in ["# ", what, " ", &name, " "] {
                page.put_str(part);
            }
            text(page);
            page.push(b'\n');
        };
        put("HELP", &|page| self.format.put_help(desc.help(), page));
        put("TYPE", &|page| page.put_str(desc.kind().as_str()));
        if let Some(unit) = self.format.unit(desc, family) {
            put("UNIT", &|page| page.put_str(unit));
        }
    }

    fn start_family(&mut self, desc: &Desc) {
        // Suffixes follow on the name as it is written: by them a reader knows its family.
        let exposed = self.escaping.metric_name(desc.exposed_name());
        let family = self.format.family_name(&exposed, desc.kind());
        let opening = |suffix: &str| LinePrefix::new(&format!("{family}{suffix}"));
        self.family = match desc.kind() {
            Kind::Counter => FamilyText {
                value: LinePrefix::new(&exposed),
                created: opening("_created"),
                ..FamilyText::default()
            },
            Kind::Gauge => FamilyText {
                value: opening(""),
                ..FamilyText::default()
            },
            Kind::Histogram => FamilyText {
                bucket: opening("_bucket"),
                sum: opening("_sum"),
                count: opening("_count"),
                created: opening("_created"),
                ..FamilyText::default()
            },
        };
    }

    fn put_histogram(
        &self,
        histogram: &HistogramView<'_>,
        exemplars: &[Exemplar],
        page: &mut Buffer,
    ) {
        let mut count = 0;
        let mut text = digits(0);
        let buckets = histogram.counts().iter().zip(&self.family.bound_texts);
        for (bucket, (own, bound)) in buckets.enumerate() {
            // Buckets without a value of their own are many.
            if *own != 0 {
                count += own;
                text = digits(count);
            }
            page.put_line(&self.bucket, bound, &text);
            if !exemplars.is_empty() {
                let own = exemplars.iter().find(|own| own.bucket == bucket);
                self.put_exemplar(own, page);
            }
        }
        let totals = histogram.totals();
        // OpenMetrics has no sum, and with it no count, of a histogram of negative
        // bounds, and no sum that is negative ("Histogram").
        let bound = histogram.bounds().first();
        let negative = totals.sum < 0.0 || bound.is_some_and(|bound| *bound < 0.0);
        if self.format == TextFormat::OpenMetrics && negative {
            return;
        }
        self.family.sum.put(&self.labels, page);
        put_f64(page, totals.sum);
        page.push(b'\n');
        self.family.count.put(&self.labels, page);
        page.put_short_text(&text);
        page.push(b'\n');
    }

    /// Appends what follows a line's value where it has an exemplar.
    #[inline]
    fn put_exemplar(&self, exemplar: Option<&Exemplar>, page: &mut Buffer) {
        if let Some(exemplar) = exemplar.filter(|_| self.format == TextFormat::OpenMetrics)
            && !has_quoted_value(exemplar)
        {
            put_exemplar(exemplar, page);
        }
    }

    fn put_created(&self, since: u64, page: &mut Buffer) {
        if self.created {
            self.family.created.put(&self.labels, page);
            put_f64(page, millis_to_seconds(since));
            page.push(b'\n');
        }
    }
}

impl Encode for TextEncoder {
    fn start(&mut self, _page: &mut Buffer) {}

    fn block(&mut self, block: &SeriesBlock, page: &mut Buffer) {
        if block.is_first {
            self.put_header(&block.desc, page);
            self.start_family(&block.desc);
        }
        // Within a family, only series of other settings have other bounds.
        if let Values::Histogram(histograms) = &block.values {
            self.family.start_bounds(&histograms.bounds);
        }
    }

    fn series(&mut self, block: &SeriesBlock, series: usize, page: &mut Buffer) {
        let Some(labels) = block.labels.get(series) else {
            return;
        };
        let labels = label_text(&block.desc, labels, self.escaping);
        set_closed_labels(&labels, &mut self.labels);
        let exemplars = block.exemplars_for(series);
        match &block.values {
            Values::Counter(counts) => {
                self.family.value.put(&self.labels, page);
                put_count(page, counts[series]);
                page.push(b'\n');
                self.put_exemplar(exemplars.first(), page);
            }
            Values::Gauge(numbers) => {
                self.family.value.put(&self.labels, page);
                put_f64(page, numbers[series]);
                page.push(b'\n');
                return;
            }
            Values::Histogram(histograms) => {
                self.family
                    .bucket
                    .set_bucket_line(&labels, &mut self.bucket);
                if let Some(histogram) = histograms.get(series) {
                    self.put_histogram(&histogram, exemplars, page);
                }
            }
        }
        if let Some(since) = block.created_millis.get(series) {
            self.put_created(*since, page);
        }
    }

    fn finish(&mut self, _cut: bool, page: &mut Buffer) {
        if self.format == TextFormat::OpenMetrics {
            page.put_str("# EOF\n");
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

/// Returns true if a value of the exemplar's labels has a quote: the parser of Python's
/// `prometheus_client` does not see that it is escaped, and fails the whole scrape.
#[cold]
fn has_quoted_value(exemplar: &Exemplar) -> bool {
    let mut pairs = exemplar.labels.pairs();
    pairs.any(|(_, value)| value.contains('"'))
}

/// Lets the last line go on by ` # {labels} value timestamp`.
#[cold]
fn put_exemplar(exemplar: &Exemplar, page: &mut Buffer) {
    page.remove_newline();
    for part in [" # {", exemplar.labels.as_str(), "} "] {
        page.put_str(part);
    }
    put_f64(page, exemplar.value);
    // A clock that stands before 1970 has no time that could be written.
    if let Ok(since_1970) = exemplar.timestamp.duration_since(UNIX_EPOCH) {
        page.push(b' ');
        let millis = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        put_f64(page, millis_to_seconds(millis));
    }
    page.push(b'\n');
}
