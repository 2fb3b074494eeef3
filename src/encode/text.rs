//! Prometheus's text format, version 0.0.4.
//!
//! The format: <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! "Text-based format".

use crate::encode::Encode;
use crate::encode::number::{bound_text, push_count, push_f64, push_u64};
use crate::snapshot::{Block, Bounds, Desc, HistogramView, Labels, Values};

/// Writes blocks in Prometheus's text format 0.0.4.
#[derive(Debug, Default)]
pub(crate) struct TextEncoder {
    /// The bounds of the family under way, as text, `+Inf` included.
    bounds: Vec<String>,
}

impl TextEncoder {
    fn histogram(
        &self,
        name: &str,
        labels: &Labels,
        histogram: &HistogramView<'_>,
        out: &mut String,
    ) {
        let mut count = 0;
        for ((_, up_to), bound) in histogram.cumulative().zip(&self.bounds) {
            count = up_to;
            push_series(out, name, "_bucket", labels, Some(bound));
            push_u64(out, up_to);
            out.push('\n');
        }
        push_series(out, name, "_sum", labels, None);
        push_f64(out, histogram.totals().sum);
        out.push('\n');
        push_series(out, name, "_count", labels, None);
        push_u64(out, count);
        out.push('\n');
    }
}

impl Encode for TextEncoder {
    fn start(&mut self, _out: &mut String) {}

    fn block(&mut self, block: &Block, out: &mut String) {
        if block.first {
            push_header(out, &block.desc);
        }
        let name = block.desc.exposed_name();
        match &block.values {
            Values::Counter(counts) => {
                for (labels, count) in block.labels.iter().zip(counts) {
                    push_series(out, name, "", labels, None);
                    push_count(out, *count);
                    out.push('\n');
                }
            }
            Values::Gauge(numbers) => {
                for (labels, number) in block.labels.iter().zip(numbers) {
                    push_series(out, name, "", labels, None);
                    push_f64(out, *number);
                    out.push('\n');
                }
            }
            Values::Histogram(histograms) => {
                if block.first {
                    self.bounds = bound_texts(&histograms.bounds);
                }
                for (labels, histogram) in block.labels.iter().zip(histograms.iter()) {
                    self.histogram(name, labels, &histogram, out);
                }
            }
        }
    }

    fn finish(&mut self, _out: &mut String) {}
}

fn bound_texts(bounds: &Bounds) -> Vec<String> {
    bounds
        .iter()
        .chain(&[f64::INFINITY])
        .map(|&bound| bound_text(bound))
        .collect()
}

fn push_header(out: &mut String, desc: &Desc) {
    let name = desc.exposed_name();
    out.push_str("# HELP ");
    out.push_str(name);
    out.push(' ');
    push_help(out, desc.help());
    out.push_str("\n# TYPE ");
    out.push_str(name);
    out.push(' ');
    out.push_str(desc.kind().as_str());
    out.push('\n');
}

/// Appends a help text; in it, unlike in label values, quotes stay as they are.
fn push_help(out: &mut String, help: &str) {
    for char in help.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            _ => out.push(char),
        }
    }
}

/// Appends what stands before a sample's value: `name_suffix{labels,le="bound"} `.
fn push_series(out: &mut String, name: &str, suffix: &str, labels: &Labels, bound: Option<&str>) {
    out.push_str(name);
    out.push_str(suffix);
    if !labels.is_empty() || bound.is_some() {
        out.push('{');
        out.push_str(labels.as_str());
        if let Some(bound) = bound {
            if !labels.is_empty() {
                out.push(',');
            }
            out.push_str("le=\"");
            out.push_str(bound);
            out.push('"');
        }
        out.push('}');
    }
    out.push(' ');
}
