//! The text formats: Prometheus's and OpenMetrics.
//!
//! Prometheus's: <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! "Text-based format". OpenMetrics:
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>, "Text format".

mod dialect;
mod names;

pub(crate) use dialect::Dialect;

use std::time::UNIX_EPOCH;

use crate::encode::Encode;
use crate::encode::buffer::{Buffer, PaddedText, ShortText};
use crate::encode::number::{bound_text, digits, put_count, put_f64, seconds};
use crate::snapshot::{Bounds, Desc, Escaping, Exemplar, HistogramView, Kind, SeriesBlock, Values};
use names::{Opening, close, in_header, label_text};

/// Writes series as text.
#[derive(Debug)]
pub(crate) struct TextEncoder {
    dialect: Dialect,
    escaping: Escaping,
    /// Whether OpenMetrics's lines say since when they count.
    created: bool,
    family: Family,
    /// The labels of the series under way, up to its value.
    labels: PaddedText,
    /// What its buckets' lines begin with.
    bucket: PaddedText,
}

/// What all lines of the family under way have in common.
#[derive(Debug, Default)]
struct Family {
    /// Before a counter's, a gauge's value.
    value: Opening,
    bucket: Opening,
    sum: Opening,
    count: Opening,
    created: Opening,
    bounds: Option<Bounds>,
    /// `le="0.5"} ` for each bucket, `+Inf` included.
    bound_texts: Vec<ShortText>,
}

impl TextEncoder {
    pub(crate) fn new(dialect: Dialect, escaping: Escaping, created: bool) -> Self {
        Self {
            dialect,
            escaping,
            created: created && dialect == Dialect::OpenMetrics,
            family: Family::default(),
            labels: PaddedText::default(),
            bucket: PaddedText::default(),
        }
    }

    fn put_header(&self, desc: &Desc, page: &mut Buffer) {
        let exposed = self.escaping.metric(desc.exposed_name());
        let family = self.dialect.family(&exposed, desc.kind());
        let name = in_header(family);
        let mut put = |what: &str, text: &dyn Fn(&mut Buffer)| {
            for part in ["# ", what, " ", &name, " "] {
                page.put_str(part);
            }
            text(page);
            page.push(b'\n');
        };
        put("HELP", &|page| self.dialect.put_help(desc.help(), page));
        put("TYPE", &|page| page.put_str(desc.kind().as_str()));
        if let Some(unit) = self.dialect.unit(desc, family) {
            put("UNIT", &|page| page.put_str(unit));
        }
    }

    fn start_family(&mut self, desc: &Desc) {
        // Suffixes follow on the name as it is written: by them a reader knows its family.
        let exposed = self.escaping.metric(desc.exposed_name());
        let family = self.dialect.family(&exposed, desc.kind());
        let opening = |suffix: &str| Opening::new(&format!("{family}{suffix}"));
        self.family = match desc.kind() {
            Kind::Counter => Family {
                value: Opening::new(&exposed),
                created: opening("_created"),
                ..Family::default()
            },
            Kind::Gauge => Family {
                value: opening(""),
                ..Family::default()
            },
            Kind::Histogram => Family {
                bucket: opening("_bucket"),
                sum: opening("_sum"),
                count: opening("_count"),
                created: opening("_created"),
                ..Family::default()
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
        if self.dialect == Dialect::OpenMetrics && negative {
            return;
        }
        self.family.sum.put(&self.labels, page);
        put_f64(page, totals.sum);
        page.push(b'\n');
        self.family.count.put(&self.labels, page);
        page.put_short(&text);
        page.push(b'\n');
    }

    /// Appends what follows a line's value where it has an exemplar.
    #[inline]
    fn put_exemplar(&self, exemplar: Option<&Exemplar>, page: &mut Buffer) {
        if let Some(exemplar) = exemplar.filter(|_| self.dialect == Dialect::OpenMetrics)
            && !has_quote(exemplar)
        {
            put_exemplar(exemplar, page);
        }
    }

    fn put_created(&self, since: u64, page: &mut Buffer) {
        if self.created {
            self.family.created.put(&self.labels, page);
            put_f64(page, seconds(since));
            page.push(b'\n');
        }
    }
}

impl Encode for TextEncoder {
    fn start(&mut self, _page: &mut Buffer) {}

    fn block(&mut self, block: &SeriesBlock, page: &mut Buffer) {
        if block.first {
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
        close(&labels, &mut self.labels);
        let exemplars = block.exemplars_of(series);
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
                self.family.bucket.begin(&labels, &mut self.bucket);
                if let Some(histogram) = histograms.get(series) {
                    self.put_histogram(&histogram, exemplars, page);
                }
            }
        }
        if let Some(since) = block.since.get(series) {
            self.put_created(*since, page);
        }
    }

    fn finish(&mut self, _cut: bool, page: &mut Buffer) {
        if self.dialect == Dialect::OpenMetrics {
            page.put_str("# EOF\n");
        }
    }
}

impl Family {
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
fn has_quote(exemplar: &Exemplar) -> bool {
    let mut pairs = exemplar.labels.pairs();
    pairs.any(|(_, value)| value.contains('"'))
}

/// Lets the last line go on by ` # {labels} value timestamp`.
#[cold]
fn put_exemplar(exemplar: &Exemplar, page: &mut Buffer) {
    page.go_on();
    for part in [" # {", exemplar.labels.as_str(), "} "] {
        page.put_str(part);
    }
    put_f64(page, exemplar.value);
    // A clock that stands before 1970 has no time that could be written.
    if let Ok(since_1970) = exemplar.timestamp.duration_since(UNIX_EPOCH) {
        page.push(b' ');
        let millis = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        put_f64(page, seconds(millis));
    }
    page.push(b'\n');
}
