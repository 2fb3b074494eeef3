//! Decodes the requests of OTLP, as far as tests need them.

use std::collections::BTreeMap;

/// A request.
#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    pub(super) resource: BTreeMap<String, String>,
    pub(super) points: Vec<Point>,
}

/// A point, with the name of its metric and the temporality of that.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) metric: String,
    pub(super) attributes: BTreeMap<String, String>,
    /// 0 for gauges, 1 for deltas, 2 for cumulative points.
    pub(super) temporality: u64,
    pub(super) start_nanos: u64,
    pub(super) time_nanos: u64,
    /// The value of a number, or the sum of a histogram.
    pub(super) value: f64,
    /// The count of a histogram.
    pub(super) count: u64,
    pub(super) is_exponential: bool,
    /// The values of its exemplars.
    pub(super) exemplars: Vec<f64>,
}

pub(super) fn decode(bytes: &[u8]) -> Message {
    let mut message = Message::default();
    for resource_metrics in messages(bytes, 1) {
        for resource in messages(resource_metrics, 1) {
            message.resource.extend(attributes(resource, 1));
        }
        for scope_metrics in messages(resource_metrics, 2) {
            for metric in messages(scope_metrics, 2) {
                decode_metric(metric, &mut message.points);
            }
        }
    }
    message
}

fn decode_metric(metric: &[u8], points: &mut Vec<Point>) {
    let name = messages(metric, 1).map(text).next().unwrap();
    // Gauge, Sum, Histogram and ExponentialHistogram, with the fields of their points that have
    // attributes and exemplars.
    for (kind, attributes_field, exemplars_field) in [(5, 7, 5), (7, 7, 5), (9, 9, 8), (10, 1, 11)]
    {
        for data in messages(metric, kind) {
            let temporality = number(data, 2);
            for point in messages(data, 1) {
                let is_histogram = kind > 7;
                points.push(Point {
                    metric: name.clone(),
                    attributes: attributes(point, attributes_field).collect(),
                    temporality,
                    start_nanos: number(point, 2),
                    time_nanos: number(point, 3),
                    value: match fields(point).find(|(field, _)| *field == 6) {
                        _ if is_histogram => f64::from_bits(number(point, 5)),
                        Some(_) => number(point, 6).cast_signed() as f64,
                        None => f64::from_bits(number(point, 4)),
                    },
                    count: if is_histogram { number(point, 4) } else { 0 },
                    is_exponential: kind == 10,
                    exemplars: messages(point, exemplars_field)
                        .map(|exemplar| f64::from_bits(number(exemplar, 3)))
                        .collect(),
                });
            }
        }
    }
}

fn attributes(message: &[u8], field: u64) -> impl Iterator<Item = (String, String)> {
    messages(message, field).map(|pair| {
        let value = messages(pair, 2).flat_map(|value| messages(value, 1));
        let key = messages(pair, 1).map(text).next().unwrap();
        (key, value.map(text).next().unwrap_or_default())
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Returns a number, or 0 if it is absent.
fn number(message: &[u8], field: u64) -> u64 {
    let mut numbers = fields(message).filter(|(other, _)| *other == field);
    match numbers.next() {
        Some((_, Value::Number(number))) => number,
        Some((_, Value::Bytes(_))) => panic!("the field {field} is no number"),
        None => 0,
    }
}

fn messages(message: &[u8], field: u64) -> impl Iterator<Item = &[u8]> {
    fields(message).filter_map(move |(other, value)| match value {
        Value::Bytes(bytes) if other == field => Some(bytes),
        _ => None,
    })
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn fields(mut message: &[u8]) -> impl Iterator<Item = (u64, Value<'_>)> {
    std::iter::from_fn(move || {
        if message.is_empty() {
            return None;
        }
        let tag = varint(&mut message);
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut message)),
            1 => Value::Number(u64::from_le_bytes(*take(&mut message))),
            5 => Value::Number(u32::from_le_bytes(*take(&mut message)).into()),
            2 => {
                let len = usize::try_from(varint(&mut message)).unwrap();
                let (bytes, remaining) = message.split_at(len);
                message = remaining;
                Value::Bytes(bytes)
            }
            wire_type => panic!("unknown wire type {wire_type}"),
        };
        Some((tag >> 3, value))
    })
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let [byte] = *take(message);
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    number
}

fn take<'a, const N: usize>(message: &mut &'a [u8]) -> &'a [u8; N] {
    let (taken, remaining) = message.split_first_chunk().unwrap();
    *message = remaining;
    taken
}
