//! JSON for programs: an object of metrics, one entry a series.
//!
//! ```json
//! {"timestamp":"2025-12-15T14:43:37.016Z","uptime_seconds":123.45,"metrics":{
//!   "jobs_total":{"type":"counter","value":42,"timestamp":1765809817.016,
//!                 "labels":{},"help":"Jobs done."}}}
//! ```
//!
//! The key is the metric's registered name, with `{k="v"}` after it where the
//! series has labels. JSON knows no NaN and no infinities: a gauge that holds one
//! is `null`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::encode::Encode;
use crate::encode::number::{bound_text, push_count, push_f64, push_u64};
use crate::snapshot::{Block, HistogramView, Labels, Totals, Values};

/// Writes blocks as one JSON object.
#[derive(Debug)]
pub(crate) struct JsonEncoder {
    taken: SystemTime,
    uptime: Duration,
    /// Seconds since 1970, the same in each entry.
    timestamp: String,
    empty: bool,
}

impl JsonEncoder {
    pub(crate) fn new(taken: SystemTime, uptime: Duration) -> Self {
        // RFC 3339 ends with the year 9999, and a clock may stand anywhere.
        let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
        let taken = taken.clamp(UNIX_EPOCH, last);
        let since_1970 = taken.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut timestamp = String::new();
        push_f64(
            &mut timestamp,
            (since_1970.as_secs_f64() * 1e3).round() / 1e3,
        );
        Self {
            taken,
            uptime,
            timestamp,
            empty: true,
        }
    }

    fn entry(
        &mut self,
        block: &Block,
        labels: &Labels,
        out: &mut String,
        value: impl FnOnce(&mut String),
    ) {
        if !self.empty {
            out.push(',');
        }
        self.empty = false;
        let name = block.desc.name();
        if labels.is_empty() {
            push_string(out, name);
        } else {
            push_string(out, &format!("{name}{{{}}}", labels.as_str()));
        }
        out.push_str(":{\"type\":\"");
        out.push_str(block.desc.kind().as_str());
        out.push_str("\",\"value\":");
        value(out);
        out.push_str(",\"timestamp\":");
        out.push_str(&self.timestamp);
        out.push_str(",\"labels\":{");
        for (position, (name, value)) in labels.pairs().enumerate() {
            if position > 0 {
                out.push(',');
            }
            push_string(out, name);
            out.push(':');
            push_string(out, &value);
        }
        out.push_str("},\"help\":");
        push_string(out, block.desc.help());
        out.push('}');
    }
}

impl Encode for JsonEncoder {
    fn start(&mut self, out: &mut String) {
        out.push_str("{\"timestamp\":\"");
        out.push_str(&humantime::format_rfc3339_millis(self.taken).to_string());
        out.push_str("\",\"uptime_seconds\":");
        push_f64(out, self.uptime.as_secs_f64());
        out.push_str(",\"metrics\":{");
    }

    fn block(&mut self, block: &Block, out: &mut String) {
        match &block.values {
            Values::Counter(counts) => {
                for (labels, count) in block.labels.iter().zip(counts) {
                    self.entry(block, labels, out, |out| push_count(out, *count));
                }
            }
            Values::Gauge(numbers) => {
                for (labels, number) in block.labels.iter().zip(numbers) {
                    self.entry(block, labels, out, |out| push_number(out, *number));
                }
            }
            Values::Histogram(histograms) => {
                for (labels, histogram) in block.labels.iter().zip(histograms.iter()) {
                    self.entry(block, labels, out, |out| push_histogram(out, &histogram));
                }
            }
        }
    }

    fn finish(&mut self, out: &mut String) {
        out.push_str("}}\n");
    }
}

fn push_histogram(out: &mut String, histogram: &HistogramView<'_>) {
    let count = histogram.count();
    let Totals { sum, min, max } = histogram.totals();
    let mean = if count == 0 { 0.0 } else { sum / count as f64 };
    out.push_str("{\"count\":");
    push_u64(out, count);
    for (name, number) in [("sum", sum), ("min", min), ("max", max), ("mean", mean)] {
        push_member(out, name, number);
    }
    for (name, percentile) in [("p50", 50.0), ("p95", 95.0), ("p99", 99.0)] {
        if let Ok(number) = histogram.percentile(percentile) {
            push_member(out, name, number);
        }
    }
    out.push_str(",\"buckets\":{");
    for (position, (bound, up_to)) in histogram.cumulative().enumerate() {
        if position > 0 {
            out.push(',');
        }
        out.push('"');
        out.push_str(&bound_text(bound));
        out.push_str("\":");
        push_u64(out, up_to);
    }
    out.push_str("}}");
}

fn push_member(out: &mut String, name: &str, number: f64) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
    push_number(out, number);
}

fn push_number(out: &mut String, number: f64) {
    if number.is_finite() {
        push_f64(out, number);
    } else {
        out.push_str("null");
    }
}

fn push_string(out: &mut String, text: &str) {
    // Displaying a value of JSON cannot fail, and writes any text escaped.
    out.push_str(&serde_json::Value::from(text).to_string());
}
