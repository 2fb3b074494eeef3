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
//! is `null`. One that was asked to be short, and left series out, says so by
//! `"truncated":true` at its end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::encode::Encode;
use crate::encode::buffer::{Buffer, ShortText};
use crate::encode::number::{bound_text, millis_to_seconds, put_count, put_f64, put_u64};
use crate::snapshot::{
    Bounds, Desc, HistogramView, Labels, SeriesBlock, Totals, Values, push_quoted,
};

/// Writes series as one JSON object.
#[derive(Debug)]
pub(crate) struct JsonEncoder {
    read_at: SystemTime,
    uptime: Duration,
    /// Whether no series has been written yet.
    is_empty: bool,
    /// A series' key, made again for each.
    key: String,
    /// Of the family under way, what stands between key and value.
    before_value: String,
    /// Between value and labels, the same in each entry.
    between_value_and_labels: String,
    /// Between labels and the end.
    after_labels: String,
    bounds: Option<Bounds>,
    /// `"0.5":` for each bucket of the family, `+Inf` included.
    bound_keys: Vec<ShortText>,
}

impl JsonEncoder {
    pub(crate) fn new(taken: SystemTime, uptime: Duration) -> Self {
        let read_at = clamp_to_rfc3339(taken);
        let since_1970 = read_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since_1970.as_millis()).unwrap_or(0);
        Self {
            read_at,
            uptime,
            is_empty: true,
            key: String::new(),
            before_value: String::new(),
            between_value_and_labels: format!(
                ",\"timestamp\":{},\"labels\":{{",
                millis_to_seconds(millis)
            ),
            after_labels: String::new(),
            bounds: None,
            bound_keys: Vec::new(),
        }
    }

    fn start_family(&mut self, desc: &Desc) {
        self.before_value = format!(":{{\"type\":\"{}\",\"value\":", desc.kind());
        let help = serde_json::Value::from(desc.help());
        self.after_labels = format!("}},\"help\":{help}}}");
    }

    fn put_series_key(&mut self, desc: &Desc, labels: &Labels, page: &mut Buffer) {
        if !self.is_empty {
            page.push(b',');
        }
        self.is_empty = false;
        let name = desc.name();
        self.key.clear();
        if name.contains('{') {
            // In the braces, as the text formats have it: it could be read as one with
            // labels.
            self.key.push('{');
            push_quoted(&mut self.key, name);
            let comma = if labels.is_empty() { "" } else { "," };
            for part in [comma, labels.as_str(), "}"] {
                self.key.push_str(part);
            }
        } else if labels.is_empty() {
            self.key.push_str(name);
        } else {
            for part in [name, "{", labels.as_str(), "}"] {
                self.key.push_str(part);
            }
        }
        put_string(page, &self.key);
    }

    fn put_histogram(&self, histogram: &HistogramView<'_>, page: &mut Buffer) {
        let count = histogram.count();
        let Totals { sum, min, max } = histogram.totals();
        let mean = if count == 0 { 0.0 } else { sum / count as f64 };
        page.put_str("{\"count\":");
        put_u64(page, count);
        for (name, number) in [
            (",\"sum\":", sum),
            (",\"min\":", min),
            (",\"max\":", max),
            (",\"mean\":", mean),
        ] {
            put_member(page, name, number);
        }
        for (name, percentile) in [
            (",\"p50\":", 50.0),
            (",\"p95\":", 95.0),
            (",\"p99\":", 99.0),
        ] {
            if let Ok(number) = histogram.percentile(percentile) {
                put_member(page, name, number);
            }
        }
        page.put_str(",\"buckets\":{");
        for ((_, up_to), bound) in histogram.cumulative().zip(&self.bound_keys) {
            page.put_short_text(bound);
            put_u64(page, up_to);
        }
        page.put_str("}}");
    }
}

impl Encode for JsonEncoder {
    fn start(&mut self, page: &mut Buffer) {
        page.put_str("{\"timestamp\":\"");
        page.put_str(&rfc3339(self.read_at));
        page.put_str("\",\"uptime_seconds\":");
        put_f64(page, self.uptime.as_secs_f64());
        page.put_str(",\"metrics\":{");
    }

    fn block(&mut self, block: &SeriesBlock, _page: &mut Buffer) {
        if block.is_first {
            self.start_family(&block.desc);
        }
        // Within a family, only series of other settings have other bounds.
        if let Values::Histogram(histograms) = &block.values
            && self.bounds.as_ref() != Some(&histograms.bounds)
        {
            self.bound_keys = bound_keys(&histograms.bounds);
            self.bounds = Some(histograms.bounds.clone());
        }
    }

    fn series(&mut self, block: &SeriesBlock, series: usize, page: &mut Buffer) {
        let Some(labels) = block.labels.get(series) else {
            return;
        };
        self.put_series_key(&block.desc, labels, page);
        page.put_str(&self.before_value);
        match &block.values {
            Values::Counter(counts) => put_count(page, counts[series]),
            Values::Gauge(numbers) => put_number(page, numbers[series]),
            Values::Histogram(histograms) => {
                if let Some(histogram) = histograms.get(series) {
                    self.put_histogram(&histogram, page);
                }
            }
        }
        page.put_str(&self.between_value_and_labels);
        for (position, (name, value)) in labels.pairs().enumerate() {
            if position > 0 {
                page.push(b',');
            }
            put_string(page, &name);
            page.push(b':');
            put_string(page, &value);
        }
        page.put_str(&self.after_labels);
    }

    fn finish(&mut self, cut: bool, page: &mut Buffer) {
        page.put_str(if cut {
            "},\"truncated\":true}\n"
        } else {
            "}}\n"
        });
    }
}

/// Returns a time as programs read it, to the millisecond.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(clamp_to_rfc3339(time)).to_string()
}

/// Returns the nearest time that RFC 3339 can write, whose calendar ends with the year
/// 9999: a clock may stand anywhere.
fn clamp_to_rfc3339(time: SystemTime) -> SystemTime {
    let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    time.clamp(UNIX_EPOCH, last)
}

/// Returns what stands before each bucket's count.
fn bound_keys(bounds: &Bounds) -> Vec<ShortText> {
    let bounds = bounds.iter().chain(&[f64::INFINITY]).enumerate();
    let key = |(position, &bound): (usize, &f64)| {
        let comma = if position == 0 { "" } else { "," };
        ShortText::new(&format!("{comma}\"{}\":", bound_text(bound)))
    };
    bounds.map(key).collect()
}

fn put_member(page: &mut Buffer, name: &str, number: f64) {
    page.put_str(name);
    put_number(page, number);
}

fn put_number(page: &mut Buffer, number: f64) {
    if number.is_finite() {
        put_f64(page, number);
    } else {
        page.put_str("null");
    }
}

fn put_string(page: &mut Buffer, text: &str) {
    // Neither a page nor a string can fail.
    let _ = serde_json::to_writer(page, text);
}
