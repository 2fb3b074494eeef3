//! Evaluates a query.

use std::collections::BTreeMap;

use crate::support::fixture::Labels;
use crate::support::prometheus::histogram_quantile;
use crate::support::promql::{Expr, Extrapolation, Samples, rate};
use crate::support::read::to_f64;

type Vector = Vec<(Labels, f64)>;

enum Value {
    Scalar(f64),
    Vector(Vector),
}

/// Returns the series of a query's result.
pub(super) fn vector(expr: &Expr, samples: &Samples, how: Extrapolation) -> Vector {
    match value(expr, samples, how) {
        Value::Vector(vector) => vector,
        Value::Scalar(_) => panic!("a number and no series: {expr:?}"),
    }
}

fn value(expr: &Expr, samples: &Samples, how: Extrapolation) -> Value {
    match expr {
        Expr::Number(number) => Value::Scalar(*number),
        Expr::Series(selector) => {
            assert!(selector.range.is_none(), "a range by itself: {expr:?}");
            let series = samples.select(selector).into_iter();
            let now = series.map(|(labels, samples)| (labels, samples.last().unwrap().1));
            Value::Vector(now.collect())
        }
        Expr::Call(name, _) if name == "time" => Value::Scalar(samples.at),
        Expr::Call(name, arguments) => Value::Vector(call(name, arguments, samples, how)),
        Expr::Aggregate {
            operator,
            by,
            labels,
            of,
        } => {
            let vector = vector(of, samples, how);
            Value::Vector(aggregate(operator, *by, labels, vector))
        }
        Expr::Binary(operator, one, other) => {
            let (one, other) = (value(one, samples, how), value(other, samples, how));
            binary(operator, one, other)
        }
    }
}

fn call(name: &str, arguments: &[Expr], samples: &Samples, how: Extrapolation) -> Vector {
    match (name, arguments) {
        ("rate" | "increase", [Expr::Series(selector)]) => {
            let window = rate::seconds(selector.range.as_ref().expect("a range"));
            let each = samples.select(selector).into_iter();
            let each = each.filter_map(|(labels, values)| {
                let grown = rate::increase(values, samples.at, window, how)?;
                let divisor = if name == "rate" { window } else { 1.0 };
                Some((unnamed(labels), grown / divisor))
            });
            each.collect()
        }
        ("histogram_quantile", [Expr::Number(quantile), buckets]) => {
            quantiles(*quantile, vector(buckets, samples, how))
        }
        ("topk", [Expr::Number(most), of]) => {
            let all = vector(of, samples, how);
            assert!(to_f64(all.len()) <= *most, "too many series for the tests");
            all
        }
        _ => panic!("a function unknown to the tests: {name} of {arguments:?}"),
    }
}

fn quantiles(quantile: f64, buckets: Vector) -> Vector {
    let mut histograms: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for (mut labels, count) in buckets {
        let bound = labels.remove("le").expect("a bucket's bound");
        let bound = bound.replace("+Inf", "inf").parse().unwrap();
        histograms
            .entry(unnamed(labels))
            .or_default()
            .push((bound, count));
    }
    let each = histograms.into_iter().map(|(labels, mut buckets)| {
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let all = buckets.last().unwrap().1;
        let value = if all > 0.0 {
            histogram_quantile(quantile, &buckets)
        } else {
            f64::NAN
        };
        (labels, value)
    });
    each.collect()
}

fn aggregate(operator: &str, by: bool, kept: &[String], vector: Vector) -> Vector {
    let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
    for (labels, value) in vector {
        let mut labels = unnamed(labels);
        labels.retain(|label, _| kept.contains(label) == by);
        groups.entry(labels).or_default().push(value);
    }
    let each = groups.into_iter().map(|(labels, values)| {
        let value = match operator {
            "sum" => values.iter().sum(),
            "min" => values.iter().copied().fold(f64::NAN, f64::min),
            "max" => values.iter().copied().fold(f64::NAN, f64::max),
            _ => panic!("an aggregation unknown to the tests: {operator}"),
        };
        (labels, value)
    });
    each.collect()
}

fn binary(operator: &str, one: Value, other: Value) -> Value {
    let (compare, arithmetic) = (compares(operator), operation(operator));
    match (one, other) {
        (Value::Scalar(one), Value::Scalar(other)) => Value::Scalar(arithmetic
            .expect("numbers alone are no condition")(
            one, other
        )),
        (Value::Vector(vector), Value::Scalar(number)) => {
            Value::Vector(map_values(vector, |value| {
                combine(compare, arithmetic, value, number)
            }))
        }
        (Value::Scalar(number), Value::Vector(vector)) => {
            let arithmetic = arithmetic.expect("a number is compared with series");
            Value::Vector(map_values(vector, |value| {
                Some((arithmetic(number, value), true))
            }))
        }
        (Value::Vector(one), Value::Vector(other)) => {
            Value::Vector(combine_vectors(operator, compare, arithmetic, one, other))
        }
    }
}

type Compare = fn(&f64, &f64) -> bool;
type Arithmetic = fn(f64, f64) -> f64;

/// Returns the value of an operation, and whether it drops the metric name.
fn combine(
    compare: Option<Compare>,
    arithmetic: Option<Arithmetic>,
    one: f64,
    other: f64,
) -> Option<(f64, bool)> {
    match (compare, arithmetic) {
        (Some(compare), _) => compare(&one, &other).then_some((one, false)),
        (None, Some(arithmetic)) => Some((arithmetic(one, other), true)),
        (None, None) => panic!("an operator unknown to the tests"),
    }
}

fn map_values(vector: Vector, value: impl Fn(f64) -> Option<(f64, bool)>) -> Vector {
    let each = vector.into_iter().filter_map(|(labels, number)| {
        let (number, bare) = value(number)?;
        Some((if bare { unnamed(labels) } else { labels }, number))
    });
    each.collect()
}

fn combine_vectors(
    operator: &str,
    compare: Option<Compare>,
    arithmetic: Option<Arithmetic>,
    one: Vector,
    other: Vector,
) -> Vector {
    let index = |vector: &Vector| -> BTreeMap<Labels, f64> {
        let by_labels: BTreeMap<_, _> = vector
            .iter()
            .map(|(labels, value)| (unnamed(labels.clone()), *value))
            .collect();
        assert_eq!(by_labels.len(), vector.len(), "series that are alike");
        by_labels
    };
    match operator {
        "or" => {
            let there = index(&one);
            let more = other.into_iter();
            let more = more.filter(|(labels, _)| !there.contains_key(&unnamed(labels.clone())));
            one.into_iter().chain(more).collect()
        }
        "and" => {
            let there = index(&other);
            let both = one.into_iter();
            both.filter(|(labels, _)| there.contains_key(&unnamed(labels.clone())))
                .collect()
        }
        _ => {
            let there = index(&other);
            index(&one);
            let pairs = one.into_iter().filter_map(|(labels, number)| {
                let other = there.get(&unnamed(labels.clone()))?;
                let (number, bare) = combine(compare, arithmetic, number, *other)?;
                Some((if bare { unnamed(labels) } else { labels }, number))
            });
            pairs.collect()
        }
    }
}

fn compares(operator: &str) -> Option<Compare> {
    Some(match operator {
        ">" => f64::gt,
        "<" => f64::lt,
        _ => return None,
    })
}

fn operation(operator: &str) -> Option<Arithmetic> {
    Some(match operator {
        "+" => |one, other| one + other,
        "-" => |one, other| one - other,
        "*" => |one, other| one * other,
        "/" => |one, other| one / other,
        _ => return None,
    })
}

fn unnamed(mut labels: Labels) -> Labels {
    labels.remove("__name__");
    labels
}
