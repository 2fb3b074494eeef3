//! Compares the encoder with one that builds each message before the message around it.

use std::sync::Arc;

use fastrand::Rng;

use super::*;
use crate::snapshot::{
    BlockLabels, Bounds, Count, Histograms, Labels, NativeBuckets, Resolution, Totals,
};

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(u8::try_from(number % 128).unwrap() + 128);
        number /= 128;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

fn integer(field: u64, number: u64) -> Vec<u8> {
    match number {
        0 => Vec::new(),
        _ => [varint(field * 8), varint(number)].concat(),
    }
}

fn signed(field: u64, number: i128) -> Vec<u8> {
    let zigzag = if number < 0 {
        -2 * number - 1
    } else {
        2 * number
    };
    [varint(field * 8), varint(u64::try_from(zigzag).unwrap())].concat()
}

fn double(field: u64, number: f64) -> Vec<u8> {
    [varint(field * 8 + 1), number.to_le_bytes().to_vec()].concat()
}

fn bytes(field: u64, bytes: &[u8]) -> Vec<u8> {
    let len = varint(bytes.len() as u64);
    [varint(field * 8 + 2), len, bytes.to_vec()].concat()
}

fn label(name: &str, value: &str) -> Vec<u8> {
    let pair = [bytes(1, name.as_bytes()), bytes(2, value.as_bytes())];
    bytes(1, &pair.concat())
}

fn created(field: u64, millis: u64) -> Vec<u8> {
    let time = [
        integer(1, millis / 1_000),
        integer(2, millis % 1_000 * 1_000_000),
    ];
    bytes(field, &time.concat())
}

fn native_side(span: u64, delta: u64, buckets: &[(i32, u64)]) -> Vec<u8> {
    let (mut spans, mut deltas) = (Vec::new(), Vec::new());
    let (mut next, mut before) = (0, 0);
    let mut remaining = buckets;
    while let Some((first, _)) = remaining.first() {
        let is_neighbor = |(position, bucket): &(usize, &(i32, u64))| {
            bucket.0 == first + i32::try_from(*position).unwrap()
        };
        let len = remaining.iter().enumerate().take_while(is_neighbor).count();
        let fields = [signed(1, i128::from(first - next)), integer(2, len as u64)];
        spans.extend(bytes(span, &fields.concat()));
        next = first + i32::try_from(len).unwrap();
        remaining = &remaining[len..];
    }
    for (_, count) in buckets {
        // As an integer of 64 bits, the difference may wrap.
        let difference = count.wrapping_sub(before).cast_signed();
        deltas.extend(signed(delta, i128::from(difference)));
        before = *count;
    }
    [spans, deltas].concat()
}

fn histogram(bounds: &[f64], counts: &[u64], sum: f64, native: Option<&NativeBuckets>) -> Vec<u8> {
    let mut fields = [integer(1, counts.iter().sum()), double(2, sum)].concat();
    let mut cumulative = 0;
    for (bound, count) in bounds.iter().chain(&[f64::INFINITY]).zip(counts) {
        cumulative += count;
        let bucket = [integer(1, cumulative), double(2, *bound)];
        fields.extend(bytes(3, &bucket.concat()));
    }
    if let Some(native) = native {
        fields.extend(signed(5, native.resolution.schema().into()));
        fields.extend(double(6, 2.0_f64.powi(-128)));
        fields.extend(integer(7, native.zero_count));
        fields.extend(native_side(9, 10, &native.negative));
        fields.extend(native_side(12, 13, &native.positive));
    }
    fields
}

/// A number with any number of bits.
fn any_count(random: &mut Rng) -> u64 {
    match random.u8(..4) {
        0 => 0,
        1 => u64::MAX,
        _ => random.u64(..) >> random.u32(..64),
    }
}

fn any_buckets(random: &mut Rng) -> Vec<(i32, u64)> {
    let mut index = random.i32(-40_000..300_000);
    let buckets = (0..random.usize(..200)).map(|_| {
        index += if random.u8(..9) == 0 {
            random.i32(1..1_000)
        } else {
            1
        };
        (index, any_count(random).max(1))
    });
    buckets.collect()
}

fn any_labels(random: &mut Rng) -> Vec<(&'static str, String)> {
    let names = ["method", "http.route", "a"].into_iter();
    let names = names.filter(|_| random.u8(..9) > 0).collect::<Vec<_>>();
    let value = |random: &mut Rng| match random.u8(..4) {
        0 => "\\\"\n".repeat(random.usize(..3)),
        1 => "x".repeat(random.usize(100..140)),
        _ => "é".repeat(random.usize(..9)),
    };
    names
        .into_iter()
        .map(|name| (name, value(random)))
        .collect()
}

/// Encodes one block, and returns the messages of its series.
fn encode(block: &SeriesBlock) -> Vec<u8> {
    let mut buffer = Buffer::default();
    let mut encoder = ProtobufEncoder::new(Escaping::Utf8, true);
    encoder.block(block, &mut buffer);
    for series in 0..block.labels.len() {
        encoder.series(block, series, &mut buffer);
    }
    encoder.finish(false, &mut buffer);
    buffer.written().to_vec()
}

#[track_caller]
fn check(block: &SeriesBlock, header: &[u8], values: &[Vec<u8>], labels: &[Vec<u8>]) {
    let (mut expected, mut message) = (Vec::new(), header.to_vec());
    for (value, labels) in values.iter().zip(labels) {
        message.extend(bytes(4, &[&**labels, &**value].concat()));
        if message.len() - header.len() >= MAX_MESSAGE {
            expected.extend([varint(message.len() as u64), message].concat());
            message = header.to_vec();
        }
    }
    if message.len() > header.len() {
        expected.extend([varint(message.len() as u64), message].concat());
    }
    assert!(encode(block) == expected, "{block:?}");
}

#[test]
fn random_series_are_encoded_as_by_building_every_message_first() {
    let mut random = Rng::with_seed(25);
    for round in 0..300 {
        let pairs: Vec<_> = (0..20).map(|_| any_labels(&mut random)).collect();
        let texts = pairs.iter().map(|pairs| {
            let pairs = pairs.iter().map(|(name, value)| (*name, &**value));
            Labels::new(pairs)
        });
        let texts: Vec<_> = texts.collect();
        let encoded_labels = pairs.iter().map(|pairs| {
            let labels = pairs.iter().flat_map(|(name, value)| label(name, value));
            labels.collect::<Vec<u8>>()
        });
        let millis: Vec<_> = pairs.iter().map(|_| any_count(&mut random) >> 20).collect();
        let is_counter = round % 4 == 0;
        let (kind, kind_number) = if is_counter {
            (Kind::Counter, 0)
        } else {
            (Kind::Histogram, 4)
        };
        let desc = Arc::new(Desc::new("m_total", "Help.", kind));
        let (values, encoded_values) = if is_counter {
            let counts: Vec<_> = pairs.iter().map(|_| any_count(&mut random)).collect();
            let encoded = counts.iter().zip(&millis).map(|(count, millis)| {
                bytes(3, &[double(1, *count as f64), created(3, *millis)].concat())
            });
            let encoded = encoded.collect::<Vec<_>>();
            let counts = counts.into_iter().map(Count::from).collect();
            (Values::Counter(counts), encoded)
        } else {
            let bounds: Vec<_> = (0..random.usize(1..20)).map(|bound| bound as f64).collect();
            let mut all = Histograms::new(Bounds::new(&bounds).unwrap());
            let mut encoded = Vec::new();
            for millis in &millis {
                // Their sum has at most 64 bits.
                let counts = (0..=bounds.len()).map(|_| any_count(&mut random) / 32);
                let counts: Vec<_> = counts.collect();
                let sum = random.f64();
                let native = (round % 2 == 0).then(|| NativeBuckets {
                    resolution: Resolution::from_schema(random.u8(..=8)).unwrap(),
                    zero_count: any_count(&mut random),
                    negative: any_buckets(&mut random),
                    positive: any_buckets(&mut random),
                });
                let value = histogram(&bounds, &counts, sum, native.as_ref());
                encoded.push(bytes(7, &[value, created(15, *millis)].concat()));
                all.counts.extend(counts);
                all.totals.push(Totals {
                    sum,
                    ..Totals::default()
                });
                all.native.extend(native);
            }
            (Values::Histogram(all), encoded)
        };
        let mut block = SeriesBlock::new(desc, values);
        block.labels = texts.iter().map(Labels::view).collect::<BlockLabels>();
        block.created_millis = millis;
        let header = [
            bytes(1, b"m_total"),
            bytes(2, b"Help."),
            integer(3, kind_number),
        ];
        check(
            &block,
            &header.concat(),
            &encoded_values,
            &encoded_labels.collect::<Vec<_>>(),
        );
    }
}
