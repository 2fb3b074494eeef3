//! Parser of the text formats, line by line.

use std::collections::HashSet;

use crate::support::parse::cursor::Cursor;
use crate::support::parse::lines::{Sample, number, sample, time};
use crate::support::parse::{Family, Histogram, Number, Read, Real, Series, check};

/// One of the text formats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Dialect {
    Prometheus,
    OpenMetrics,
}

/// Reads an exposition, each family whole and in its order.
pub(crate) fn parse(bytes: &[u8], dialect: Dialect) -> Read<Vec<Family>> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut lines = text.to_owned();
    if dialect == Dialect::OpenMetrics {
        let end = lines.strip_suffix("# EOF\n").ok_or("no # EOF at the end")?;
        lines.truncate(end.len());
    }
    let mut reader = Reader {
        dialect,
        families: Vec::new(),
        seen: HashSet::new(),
    };
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let lines = lines.strip_suffix('\n').ok_or("the last line has no end")?;
    for line in lines.split('\n') {
        reader
            .line(line)
            .map_err(|fault| format!("{fault}, in {line:?}"))?;
    }
    for family in &reader.families {
        family.check()?;
    }
    reader.check_names()?;
    Ok(reader.families)
}

struct Reader {
    dialect: Dialect,
    families: Vec<Family>,
    seen: HashSet<String>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Read<()> {
        let Some(comment) = line.strip_prefix("# ") else {
            return self.sample(sample(line)?);
        };
        let mut cursor = Cursor::new(comment);
        let what = cursor.up_to(&[' ']);
        cursor.expect(" ")?;
        let name = cursor.name(&[' '], true)?;
        cursor.expect(" ")?;
        if self.families.last().is_none_or(|last| last.name != name) {
            let new = self.seen.insert(name.clone());
            check(new, || "a family in two pieces".to_owned())?;
            self.families.push(Family {
                name,
                ..Family::default()
            });
        }
        let open_metrics = self.dialect == Dialect::OpenMetrics;
        let family = self.families.last_mut().ok_or("no family")?;
        check(family.series.is_empty(), || "after samples".to_owned())?;
        match what {
            "HELP" => {
                check(family.help.is_empty(), || "HELP twice".to_owned())?;
                let escaped = if open_metrics { "\\\"n" } else { "\\n" };
                // In OpenMetrics, quotes are escaped in help texts too.
                let plain = open_metrics && has_plain_quote(cursor.rest);
                check(!plain, || "a quote".to_owned())?;
                family.help = cursor.help(escaped)?;
            }
            "TYPE" => {
                check(family.kind.is_empty(), || "TYPE twice".to_owned())?;
                let is_type = ["counter", "gauge", "histogram"].contains(&cursor.rest);
                check(is_type, || "no such type".to_owned())?;
                family.kind = String::from(cursor.rest);
            }
            "UNIT" if open_metrics => {
                check(family.unit.is_empty(), || "UNIT twice".to_owned())?;
                family.unit = String::from(cursor.rest);
                let suffix = format!("_{}", family.unit);
                let ends = family.name.ends_with(&suffix);
                check(ends, || "the name has another unit".to_owned())?;
            }
            _ => return Err("an unknown comment".to_owned()),
        }
        Ok(())
    }

    fn sample(&mut self, mut sample: Sample) -> Read<()> {
        let open_metrics = self.dialect == Dialect::OpenMetrics;
        let family = self.families.last_mut().ok_or("a sample of no family")?;
        let suffix = sample.name.strip_prefix(&family.name);
        let suffix = suffix.ok_or("a sample of another family")?;
        let part = match (&*family.kind, suffix) {
            ("gauge", "") => Part::Number,
            ("counter", "_total") if open_metrics => Part::Number,
            ("counter", "") if !open_metrics => Part::Number,
            ("histogram", "_bucket") => Part::Bucket,
            ("histogram", "_sum") => Part::Sum,
            ("histogram", "_count") => Part::Count,
            ("counter" | "histogram", "_created") if open_metrics => Part::Created,
            (kind, _) => return Err(format!("no part of a {kind} ends in {suffix:?}")),
        };
        let allowed = matches!(
            (&*family.kind, part),
            ("counter", Part::Number) | (_, Part::Bucket)
        );
        let allowed = sample.exemplar.is_none() || (open_metrics && allowed);
        check(allowed, || "an exemplar may not be here".to_owned())?;
        if family.kind != "gauge" && part != Part::Created && part != Part::Sum {
            let value = sample.number.real();
            check(value.0 >= 0.0, || "it counts down".to_owned())?;
        }
        let bound = if part == Part::Bucket {
            let (name, bound) = sample.labels.pop().ok_or("no le")?;
            check(name == "le", || "the last label is not le".to_owned())?;
            Some(number(&bound)?.real())
        } else {
            None
        };
        add(&mut family.series, sample, part, bound)
    }

    /// Checks that no family's lines could be another's.
    fn check_names(&self) -> Read<()> {
        let mut taken = HashSet::new();
        for family in &self.families {
            let suffixes: &[&str] = match (&*family.kind, self.dialect) {
                ("histogram", _) => &["", "_bucket", "_sum", "_count", "_created"],
                ("counter", Dialect::OpenMetrics) => &["", "_total", "_created"],
                _ => &[""],
            };
            for suffix in suffixes {
                let name = format!("{}{suffix}", family.name);
                check(!taken.contains(&name), || format!("{name:?} twice"))?;
                taken.insert(name);
            }
        }
        Ok(())
    }
}

/// The lines of a series, in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Number,
    Bucket,
    Sum,
    Count,
    Created,
}

/// Adds a line to the series under way, or begins one.
fn add(all: &mut Vec<Series>, sample: Sample, part: Part, bound: Option<Real>) -> Read<()> {
    let begins = match part {
        Part::Number => true,
        Part::Bucket => all.last().is_none_or(|last| {
            let histogram = last.histogram.as_ref();
            histogram.is_none_or(Histogram::is_ended) || last.labels != sample.labels
        }),
        Part::Sum | Part::Count | Part::Created => false,
    };
    if begins {
        all.push(Series {
            labels: sample.labels.clone(),
            ..Series::default()
        });
    }
    let series = all.last_mut().ok_or("its series has not begun")?;
    let same = series.labels == sample.labels;
    check(same, || "a line of another series".to_owned())?;
    let before = series.created.is_none();
    check(before, || "a line after _created".to_owned())?;
    let position = match part {
        Part::Number => {
            series.number = Some(sample.number);
            0
        }
        Part::Created => {
            series.created = Some(time(&sample.text)?);
            0
        }
        Part::Bucket | Part::Sum | Part::Count => {
            let histogram = series.histogram.get_or_insert_default();
            add_part(histogram, sample.number, part, bound)?;
            histogram.buckets.len() - 1
        }
    };
    if let Some(exemplar) = sample.exemplar {
        series.exemplars.push((position, exemplar));
    }
    Ok(())
}

fn add_part(
    histogram: &mut Histogram,
    number: Number,
    part: Part,
    bound: Option<Real>,
) -> Read<()> {
    let whole = || match number {
        Number::Whole(whole) => Ok(whole),
        Number::Real(_) => Err("a count that is not whole"),
    };
    match bound {
        Some(bound) => histogram.buckets.push((bound, whole()?)),
        None => {
            check(histogram.is_ended(), || "before the +Inf bucket".to_owned())?;
            match part {
                Part::Sum => {
                    check(histogram.sum.is_none(), || "two sums".to_owned())?;
                    histogram.sum = Some(number.real());
                }
                _ => {
                    check(histogram.count.is_none(), || "two counts".to_owned())?;
                    histogram.count = Some(whole()?);
                }
            }
        }
    }
    Ok(())
}

/// Returns true if a quote is not escaped.
fn has_plain_quote(text: &str) -> bool {
    let mut escaped = false;
    text.chars().any(|char| {
        let plain = char == '"' && !escaped;
        escaped = char == '\\' && !escaped;
        plain
    })
}
