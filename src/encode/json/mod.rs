//! JSON for programs: an object of metrics, one entry per series.
//!
//! ```json
//! {"timestamp":"2025-12-15T14:43:37.016Z","uptime_seconds":123.45,"metrics":{
//!   "jobs_total":{"type":"counter","value":42,"timestamp":1765809817.016,
//!                 "labels":{},"help":"Jobs done."}}}
//! ```
//!
//! The key is the metric's registered name, followed by `{k="v"}` if the series has labels. JSON
//! has no NaN and no infinity: a gauge with such a value is `null`. If a limit left out series,
//! the document ends with `"truncated":true`.

mod writer;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::encode::Encode;
use crate::encode::buffer::{Buffer, ShortText};
use crate::encode::number::{bound_text, millis_to_seconds};
use crate::snapshot::{
    Bounds, Desc, HistogramView, LabelsView, SeriesBlock, Totals, Values, push_quoted,
};
pub(crate) use writer::JsonWriter;

const PERCENTILE_KEYS: [(&str, f64); 3] = [
    (",\"p50\":", 50.0),
    (",\"p95\":", 95.0),
    (",\"p99\":", 99.0),
];

/// Writes series as one JSON object.
#[derive(Debug)]
pub(crate) struct JsonEncoder {
    read_at: SystemTime,
    uptime: Duration,
    /// Whether a series has been written.
    has_series: bool,
    /// The key of the current series.
    key: String,
    /// What the family's entries have before the value.
    before_value: String,
    /// What all entries have between value and labels.
    before_labels: String,
    /// What the family's entries have after the labels.
    after_labels: String,
    bounds: Option<Bounds>,
    /// `,"0.5":` for each of the bounds and for `+Inf`; the first has no comma.
    bound_keys: Vec<ShortText>,
}

impl JsonEncoder {
    pub(crate) fn new(read_at: SystemTime, uptime: Duration) -> Self {
        let read_at = clamp_to_rfc3339(read_at);
        let since_1970 = read_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since_1970.as_millis()).unwrap_or(0);
        Self {
            read_at,
            uptime,
            has_series: false,
            key: String::new(),
            before_value: String::new(),
            before_labels: format!(",\"timestamp\":{},\"labels\":", millis_to_seconds(millis)),
            after_labels: String::new(),
            bounds: None,
            bound_keys: Vec::new(),
        }
    }

    fn start_family(&mut self, desc: &Desc) {
        self.before_value = format!("{{\"type\":\"{}\",\"value\":", desc.kind());
        let mut after_labels = Buffer::default();
        let mut json = JsonWriter::new(&mut after_labels);
        json.encoded_key(",\"help\":").string(desc.help());
        json.raw_after("}");
        self.after_labels = after_labels.into_string();
    }

    fn set_key(&mut self, desc: &Desc, labels: LabelsView<'_>) {
        let name = desc.name();
        self.key.clear();
        if name.contains('{') {
            // The name is quoted inside the braces, as in the text formats: outside of them it
            // could be read as a name with labels.
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
    }

    fn put_histogram(&self, histogram: &HistogramView<'_>, json: &mut JsonWriter<'_>) {
        let count = histogram.count();
        let Totals { sum, min, max } = histogram.totals();
        let mean = if count == 0 { 0.0 } else { sum / count as f64 };
        json.object(|json| {
            json.encoded_key("\"count\":").integer(count);
            json.encoded_key(",\"sum\":").number(sum);
            json.encoded_key(",\"min\":").number(min);
            json.encoded_key(",\"max\":").number(max);
            json.encoded_key(",\"mean\":").number(mean);
            for (key, percentile) in PERCENTILE_KEYS {
                if let Ok(number) = histogram.percentile(percentile) {
                    json.encoded_key(key).number(number);
                }
            }
            json.encoded_key(",\"buckets\":").object(|json| {
                let counts = histogram.cumulative().map(|(_, count)| count);
                json.integers(self.bound_keys.iter().zip(counts));
            });
        });
    }
}

impl Encode for JsonEncoder {
    fn start(&mut self, buffer: &mut Buffer) {
        let mut json = JsonWriter::new(buffer);
        json.raw_before("{");
        json.key("timestamp").string(&rfc3339(self.read_at));
        json.key("uptime_seconds").number(self.uptime.as_secs_f64());
        json.key("metrics").raw_before("{");
    }

    fn block(&mut self, block: &SeriesBlock, _buffer: &mut Buffer) {
        if block.is_first {
            self.start_family(&block.desc);
        }
        // Series of one family can have different bounds (`Family::buckets_for`).
        if let Values::Histogram(histograms) = &block.values
            && self.bounds.as_ref() != Some(&histograms.bounds)
        {
            self.bound_keys = bound_keys(&histograms.bounds);
            self.bounds = Some(histograms.bounds.clone());
        }
    }

    fn series(&mut self, block: &SeriesBlock, series: usize, buffer: &mut Buffer) {
        let Some(labels) = block.labels.get(series) else {
            return;
        };
        self.set_key(&block.desc, labels);
        let mut json = JsonWriter::resume(buffer, self.has_series);
        self.has_series = true;
        json.escaped_key(&self.key).raw_before(&self.before_value);
        match &block.values {
            Values::Counter(counts) => json.count(counts[series]),
            Values::Gauge(numbers) => json.number(numbers[series]),
            Values::Histogram(histograms) => {
                if let Some(histogram) = histograms.get(series) {
                    self.put_histogram(&histogram, &mut json);
                }
            }
        }
        json.raw_before(&self.before_labels);
        json.object(|json| {
            for (name, value) in labels.pairs() {
                json.escaped_key(&name).string(&value);
            }
        });
        json.raw_after(&self.after_labels);
    }

    fn finish(&mut self, truncated: bool, buffer: &mut Buffer) {
        buffer.put_str(if truncated {
            "},\"truncated\":true}\n"
        } else {
            "}}\n"
        });
    }
}

/// Returns a time in RFC 3339 format, to the millisecond.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(clamp_to_rfc3339(time)).to_string()
}

/// Returns the nearest time between 1970 and the end of 9999, the last year that RFC 3339 can
/// express. The clock may be set to any time.
fn clamp_to_rfc3339(time: SystemTime) -> SystemTime {
    let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    time.clamp(UNIX_EPOCH, last)
}

fn bound_keys(bounds: &Bounds) -> Vec<ShortText> {
    let bounds = bounds.iter().chain(&[f64::INFINITY]).enumerate();
    let key = |(position, &bound): (usize, &f64)| {
        let comma = if position == 0 { "" } else { "," };
        ShortText::new(&format!("{comma}\"{}\":", bound_text(bound)))
    };
    bounds.map(key).collect()
}
