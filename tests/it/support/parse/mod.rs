//! Parsers of the exposition formats, written from their specifications alone, so that they
//! share no bug with the encoders. They reject what a specification forbids, even if every
//! known scraper accepts it.

mod cursor;
mod lines;
pub(crate) mod protobuf;
pub(crate) mod text;

use std::collections::HashSet;

use crate::support::read::to_f64;

/// The result of a parser, or the error in its input.
pub(crate) type Read<T> = Result<T, String>;

/// A label's name and value.
pub(crate) type Pair = (String, String);

/// A metric, as every format represents it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: String,
    pub(crate) unit: String,
    pub(crate) series: Vec<Series>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Series {
    pub(crate) labels: Vec<Pair>,
    /// Of a counter or a gauge.
    pub(crate) number: Option<Number>,
    pub(crate) histogram: Option<Histogram>,
    /// Its created timestamp, in nanoseconds after 1970.
    pub(crate) created: Option<u64>,
    /// Each with the position of its bucket, 0 of a counter.
    pub(crate) exemplars: Vec<(usize, Exemplar)>,
}

/// A number as it was written: a text of digits alone is exact beyond 2^53.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Whole(u64),
    Real(Real),
}

impl Number {
    pub(crate) fn real(self) -> Real {
        match self {
            Self::Whole(whole) => Real(to_f64(whole)),
            Self::Real(real) => real,
        }
    }
}

/// A floating-point number that equals none but itself: NaN is NaN, and 0 not -0.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Real(pub(crate) f64);

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits() || (self.0.is_nan() && other.0.is_nan())
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Histogram {
    /// Upper bounds and how many values are at most that.
    pub(crate) buckets: Vec<(Real, u64)>,
    pub(crate) sum: Option<Real>,
    pub(crate) count: Option<u64>,
    pub(crate) native: Option<Native>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Native {
    pub(crate) schema: i64,
    pub(crate) zero_threshold: Real,
    pub(crate) zero: u64,
    pub(crate) negative: Vec<(i64, u64)>,
    pub(crate) positive: Vec<(i64, u64)>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Exemplar {
    pub(crate) labels: Vec<Pair>,
    pub(crate) value: Real,
    /// In nanoseconds after 1970.
    pub(crate) time: Option<u64>,
}

/// Returns true for a name that every Prometheus reads.
pub(crate) fn is_classic(name: &str, colons: bool) -> bool {
    let begins = |char: char| char.is_ascii_alphabetic() || char == '_' || (colons && char == ':');
    name.starts_with(begins)
        && name
            .chars()
            .all(|char| begins(char) || char.is_ascii_digit())
}

/// Returns an error if a condition does not hold.
pub(crate) fn check(holds: bool, what: impl FnOnce() -> String) -> Read<()> {
    if holds { Ok(()) } else { Err(what()) }
}

impl Histogram {
    /// Returns true once the infinite bucket has been read.
    pub(crate) fn is_ended(&self) -> bool {
        let last = self.buckets.last();
        last.is_some_and(|(bound, _)| bound.0 == f64::INFINITY)
    }

    /// Checks the invariants of a histogram: bounds ascend, counts never fall, and the last
    /// bucket is infinite and holds all.
    pub(crate) fn check(&self) -> Read<()> {
        let rises = |pair: &[(Real, u64)]| pair[0].0.0 < pair[1].0.0 && pair[0].1 <= pair[1].1;
        let ordered = self.buckets.windows(2).all(rises);
        check(ordered, || format!("buckets out of order: {self:?}"))?;
        check(self.is_ended(), || format!("no +Inf: {self:?}"))?;
        let all = self.buckets.last().map(|(_, all)| *all);
        let agrees = self.count.is_none() || self.count == all;
        check(agrees, || format!("count is not +Inf: {self:?}"))?;
        check(self.count.is_some() == self.sum.is_some(), || {
            format!("count without sum: {self:?}")
        })
    }
}

impl Family {
    /// Checks the invariants of a family: it has a kind, and no series twice.
    pub(crate) fn check(&self) -> Read<()> {
        check(!self.kind.is_empty(), || format!("no kind: {}", self.name))?;
        let mut seen = HashSet::new();
        for series in &self.series {
            let mut labels: Vec<_> = series.labels.iter().collect();
            labels.sort_unstable();
            let twice = labels.windows(2).any(|pair| pair[0].0 == pair[1].0);
            check(!twice, || format!("a label twice: {labels:?}"))?;
            check(seen.insert(labels), || {
                format!("a series twice: {} {:?}", self.name, series.labels)
            })?;
            if let Some(histogram) = &series.histogram {
                histogram.check()?;
            }
        }
        Ok(())
    }
}

#[test]
fn the_parsers_refuse_invalid_input() {
    #[track_caller]
    fn refuse(dialect: text::Dialect, text: &str) {
        assert!(text::parse(text.as_bytes(), dialect).is_err(), "{text}");
    }
    let (prometheus, open_metrics) = (text::Dialect::Prometheus, text::Dialect::OpenMetrics);
    let counter = "# HELP c_total H.\n# TYPE c_total counter\n";
    for sample in [
        "c 1\n",
        "c_total -1\n",
        "c_total 1 2\n",
        "c_total  1\n",
        "c_total 1",
        "c_total inf\n",
        "c_total{} 1\n\n",
        "c_total{a=\"1\",} 1\n",
        "c_total{a=\"1\"b=\"2\"} 1\n",
        "c_total{a=\"\\r\"} 1\n",
        "c_total{é=\"\"} 1\n",
        "c_total{\"a\"=\"\"} 1\n",
        "c_total{a=\"\",a=\"\"} 1\n",
        "c_total{a=\"\"} 1\nc_total{a=\"\"} 2\n",
        "c_total 1 # {a=\"\"} 1\n",
        "\"c_total\" 1\n",
    ] {
        refuse(prometheus, &format!("{counter}{sample}"));
    }
    assert!(text::parse(format!("{counter}c_total 1\n").as_bytes(), prometheus).is_ok());
    let histogram = "# TYPE h_seconds histogram\n";
    let bucket = |bound, count| format!("h_seconds_bucket{{le=\"{bound}\"}} {count}\n");
    let end = "h_seconds_sum 1\nh_seconds_count 2\n# EOF\n";
    let one = |text: &str| format!("{histogram}{text}{end}");
    let whole = one(&(bucket("1.0", 1) + &bucket("+Inf", 2)));
    assert!(text::parse(whole.as_bytes(), open_metrics).is_ok());
    for broken in [
        one(&(bucket("1.0", 3) + &bucket("+Inf", 2))),
        one(&(bucket("+Inf", 2) + &bucket("1.0", 1))),
        one(&bucket("1.0", 2)),
        one(&bucket("+Inf", 1)),
        whole.replace("# EOF\n", ""),
        format!("{whole}# EOF\n"),
        format!("# UNIT h_seconds bytes\n{whole}"),
        format!("# HELP h_seconds \"\n{whole}"),
        whole.replace("h_seconds_sum 1\n", ""),
        whole.replace("_count 2", "_count 2 # {a=\"\"} 1"),
    ] {
        refuse(open_metrics, &broken);
    }
    for broken in [
        &[5, 1][..],
        // A family without a metric; one of an unknown kind; an unknown field.
        &[3, 10, 1, 97],
        &[9, 10, 1, 97, 24, 9, 34, 2, 18, 0],
        &[2, 72, 1],
        // A varint with a zero too many.
        &[0x80, 0],
    ] {
        assert!(protobuf::parse(broken).is_err(), "{broken:?}");
    }
}
