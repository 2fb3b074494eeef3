//! Delimited protobuf: messages of the type `io.prometheus.client.MetricFamily`.
//!
//! The messages: <https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>.
//! How they are written: <https://protobuf.dev/programming-guides/encoding/>.

use std::collections::HashSet;

use crate::support::parse::{
    Exemplar, Family, Histogram, Native, Number, Pair, Read, Real, Series, check,
};

/// Reads an exposition: its families, whole, and how long each message is.
pub(crate) fn parse(mut bytes: &[u8]) -> Read<(Vec<Family>, Vec<usize>)> {
    let mut families: Vec<Family> = Vec::new();
    let (mut seen, mut lengths) = (HashSet::new(), Vec::new());
    while !bytes.is_empty() {
        let message = take_message(&mut bytes)?;
        lengths.push(message.len());
        let family = family(message)?;
        match families.last_mut() {
            // A family too long for one message is sent in several.
            Some(last) if last.name == family.name => {
                let same = (&last.help, &last.kind, &last.unit)
                    == (&family.help, &family.kind, &family.unit);
                check(same, || format!("{:?} changes", last.name))?;
                last.series.extend(family.series);
            }
            _ => {
                let new = seen.insert(family.name.clone());
                check(new, || format!("{:?} in pieces", family.name))?;
                families.push(family);
            }
        }
    }
    for family in &families {
        family.check()?;
    }
    Ok((families, lengths))
}

/// A field's number, and its value.
type Field<'a> = (u64, Value<'a>);

#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Varint(u64),
    Fixed([u8; 8]),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    fn varint(self) -> Read<u64> {
        match self {
            Self::Varint(number) => Ok(number),
            other => Err(format!("not a varint: {other:?}")),
        }
    }

    /// Returns a number whose lowest bit is its sign.
    fn sint(self) -> Read<i64> {
        let number = self.varint()?;
        let half = (number >> 1).cast_signed();
        Ok(if number & 1 == 0 { half } else { -half - 1 })
    }

    fn double(self) -> Read<Real> {
        match self {
            Self::Fixed(bytes) => Ok(Real(f64::from_le_bytes(bytes))),
            other => Err(format!("not a double: {other:?}")),
        }
    }

    fn bytes(self) -> Read<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => Err(format!("no bytes: {other:?}")),
        }
    }

    fn text(self) -> Read<String> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|error| error.to_string())
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Read<&'a [u8]> {
    let halves = bytes.split_at_checked(length);
    let (taken, rest) = halves.ok_or_else(|| format!("{length} bytes are not there"))?;
    *bytes = rest;
    Ok(taken)
}

fn take_varint(bytes: &mut &[u8]) -> Read<u64> {
    let mut number = 0_u64;
    for position in 0..10 {
        let byte = take(bytes, 1)?[0];
        let bits = u64::from(byte & 0x7f);
        check(position < 9 || bits <= 1, || "beyond 64 bits".to_owned())?;
        number |= bits << (7 * position);
        if byte < 0x80 {
            let shortest = byte != 0 || position == 0;
            check(shortest, || "a varint with zeroes at its end".to_owned())?;
            return Ok(number);
        }
    }
    Err("a varint of more than ten bytes".to_owned())
}

fn take_message<'a>(bytes: &mut &'a [u8]) -> Read<&'a [u8]> {
    let length = take_varint(bytes)?;
    let length = usize::try_from(length).map_err(|error| error.to_string())?;
    take(bytes, length)
}

/// Reads the fields of a message, in their order.
fn fields(mut bytes: &[u8]) -> Read<Vec<Field<'_>>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let key = take_varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Value::Varint(take_varint(&mut bytes)?),
            1 => {
                let bytes = take(&mut bytes, 8)?;
                Value::Fixed(bytes.try_into().map_err(|_| "eight bytes")?)
            }
            2 => Value::Bytes(take_message(&mut bytes)?),
            other => return Err(format!("a field of the type {other}")),
        };
        all.push((key >> 3, value));
    }
    Ok(all)
}

fn unknown<T>(message: &str, field: u64) -> Read<T> {
    Err(format!("{message} has no field {field}"))
}

fn family(bytes: &[u8]) -> Read<Family> {
    let mut family = Family::default();
    // A missing kind is the first one.
    let mut kind = 0;
    for (field, value) in fields(bytes)? {
        match field {
            1 => family.name = value.text()?,
            2 => family.help = value.text()?,
            3 => kind = value.varint()?,
            4 => family.series.push(metric(value.bytes()?)?),
            5 => family.unit = value.text()?,
            _ => return unknown("MetricFamily", field),
        }
    }
    check(!family.series.is_empty(), || {
        format!("{:?} is empty", family.name)
    })?;
    family.kind = String::from(match kind {
        0 => "counter",
        1 => "gauge",
        4 => "histogram",
        _ => return Err(format!("a metric of the type {kind}")),
    });
    for series in &family.series {
        let fits = match kind {
            4 => series.histogram.is_some() && series.number.is_none(),
            _ => series.histogram.is_none() && series.number.is_some(),
        };
        check(fits, || format!("no {}: {series:?}", family.kind))?;
    }
    Ok(family)
}

fn metric(bytes: &[u8]) -> Read<Series> {
    let mut series = Series::default();
    for (field, value) in fields(bytes)? {
        match field {
            1 => series.labels.push(label(value.bytes()?)?),
            2 => {
                for (field, value) in fields(value.bytes()?)? {
                    match field {
                        1 => series.number = Some(Number::Real(value.double()?)),
                        _ => return unknown("Gauge", field),
                    }
                }
            }
            3 => {
                for (field, value) in fields(value.bytes()?)? {
                    match field {
                        1 => series.number = Some(Number::Real(value.double()?)),
                        2 => series.exemplars.push((0, exemplar(value.bytes()?)?)),
                        3 => series.created = Some(time(value.bytes()?)?),
                        _ => return unknown("Counter", field),
                    }
                }
            }
            7 => histogram(value.bytes()?, &mut series)?,
            _ => return unknown("Metric", field),
        }
    }
    Ok(series)
}

fn label(bytes: &[u8]) -> Read<Pair> {
    let mut pair = Pair::default();
    for (field, value) in fields(bytes)? {
        match field {
            1 => pair.0 = value.text()?,
            2 => pair.1 = value.text()?,
            _ => return unknown("LabelPair", field),
        }
    }
    check(!pair.0.is_empty(), || "a label without a name".to_owned())?;
    Ok(pair)
}

fn histogram(bytes: &[u8], series: &mut Series) -> Read<()> {
    let mut histogram = Histogram {
        count: Some(0),
        sum: Some(Real(0.0)),
        ..Histogram::default()
    };
    let mut native = Native::default();
    let (mut has_native, mut negative, mut positive) = (false, Side::default(), Side::default());
    for (field, value) in fields(bytes)? {
        has_native |= (5..=13).contains(&field);
        match field {
            1 => histogram.count = Some(value.varint()?),
            2 => histogram.sum = Some(value.double()?),
            3 => {
                let position = histogram.buckets.len();
                let (bucket, exemplar) = bucket(value.bytes()?)?;
                histogram.buckets.push(bucket);
                series.exemplars.extend(exemplar.map(|one| (position, one)));
            }
            5 => native.schema = value.sint()?,
            6 => native.zero_threshold = value.double()?,
            7 => native.zero = value.varint()?,
            9 => negative.spans.push(span(value.bytes()?)?),
            10 => negative.deltas.push(value.sint()?),
            12 => positive.spans.push(span(value.bytes()?)?),
            13 => positive.deltas.push(value.sint()?),
            15 => series.created = Some(time(value.bytes()?)?),
            _ => return unknown("Histogram", field),
        }
    }
    if has_native {
        (native.negative, native.positive) = (negative.counts()?, positive.counts()?);
        let counts = native.negative.iter().chain(&native.positive);
        let count = native.zero + counts.map(|(_, count)| count).sum::<u64>();
        check(histogram.count == Some(count), || {
            format!("the native buckets hold {count}: {histogram:?}")
        })?;
        histogram.native = Some(native);
    }
    series.histogram = Some(histogram);
    Ok(())
}

fn bucket(bytes: &[u8]) -> Read<((Real, u64), Option<Exemplar>)> {
    let (mut bound, mut count, mut parsed_exemplar) = (Real(f64::NAN), 0, None);
    for (field, value) in fields(bytes)? {
        match field {
            1 => count = value.varint()?,
            2 => bound = value.double()?,
            3 => parsed_exemplar = Some(exemplar(value.bytes()?)?),
            _ => return unknown("Bucket", field),
        }
    }
    Ok(((bound, count), parsed_exemplar))
}

fn exemplar(bytes: &[u8]) -> Read<Exemplar> {
    let mut parsed_exemplar = Exemplar::default();
    for (field, value) in fields(bytes)? {
        match field {
            1 => parsed_exemplar.labels.push(label(value.bytes()?)?),
            2 => parsed_exemplar.value = value.double()?,
            3 => parsed_exemplar.time = Some(time(value.bytes()?)?),
            _ => return unknown("Exemplar", field),
        }
    }
    Ok(parsed_exemplar)
}

/// Reads a `Timestamp`, in nanoseconds after 1970.
fn time(bytes: &[u8]) -> Read<u64> {
    let (mut seconds, mut nanos) = (0, 0);
    for (field, value) in fields(bytes)? {
        match field {
            1 => seconds = value.varint()?,
            2 => nanos = value.varint()?,
            _ => return unknown("Timestamp", field),
        }
    }
    check(nanos < 1_000_000_000, || format!("{nanos} ns"))?;
    Ok(seconds * 1_000_000_000 + nanos)
}

/// The buckets of one sign, as they are written.
#[derive(Debug, Default)]
struct Side {
    spans: Vec<(i64, u64)>,
    deltas: Vec<i64>,
}

fn span(bytes: &[u8]) -> Read<(i64, u64)> {
    let mut span = (0, 0);
    for (field, value) in fields(bytes)? {
        match field {
            1 => span.0 = value.sint()?,
            2 => span.1 = value.varint()?,
            _ => return unknown("BucketSpan", field),
        }
    }
    Ok(span)
}

impl Side {
    /// Returns each bucket's index and how many values it holds.
    fn counts(&self) -> Read<Vec<(i64, u64)>> {
        let (mut indexes, mut next) = (Vec::new(), 0_i64);
        for (position, &(offset, length)) in self.spans.iter().enumerate() {
            // Of the first from 0, of the others from the end of the one before.
            let apart = position == 0 || offset > 0;
            check(apart, || format!("spans that overlap or touch: {self:?}"))?;
            next += offset;
            let length = i64::try_from(length).map_err(|error| error.to_string())?;
            check(length > 0, || format!("an empty span: {self:?}"))?;
            indexes.extend(next..next + length);
            next += length;
        }
        let fits = indexes.len() == self.deltas.len();
        check(fits, || format!("spans and deltas differ: {self:?}"))?;
        let counts = self.deltas.iter().scan(0_u64, |count, delta| {
            *count = count.wrapping_add_signed(*delta);
            Some(*count)
        });
        Ok(indexes.into_iter().zip(counts).collect())
    }
}
