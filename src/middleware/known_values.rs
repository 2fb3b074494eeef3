//! Values of custom labels between the start and the end of a request.

use std::borrow::Cow;

use crate::metric::{InternMap, MAX_LABELS};

/// The values of custom labels that series of a layer have.
///
/// A closure may borrow its value from the request, which is gone when the request ends. A known
/// value is kept by its number until then, so that only a new one is copied.
///
/// Only values that the limit of the family admits are added, so it has as many as the family.
pub(super) struct KnownValues(InternMap<KnownValue>);

struct KnownValue {
    number: u32,
    text: Box<str>,
}

impl KnownValues {
    pub(super) fn new() -> Self {
        Self(InternMap::new())
    }

    /// Adds a value of a series.
    pub(super) fn add(&self, text: &str) {
        let hash = self.0.hash(text);
        let is_match = |value: &KnownValue| *value.text == *text;
        let create = |position| KnownValue {
            number: u32::try_from(position).unwrap_or(u32::MAX),
            text: text.into(),
        };
        self.0.find_or_add(hash, is_match, create);
    }

    fn number(&self, text: &str) -> Option<u32> {
        let hash = self.0.hash(text);
        let known = self.0.find(hash, |value| *value.text == *text)?;
        Some(known.number)
    }

    fn text(&self, number: u32) -> Option<&str> {
        let known = self.0.get(usize::try_from(number).ok()?)?;
        Some(&known.text)
    }
}

/// The values of one request, by the position of the label.
#[derive(Default)]
pub(super) struct RequestValues {
    known: [Option<Number>; MAX_LABELS],
    /// Values that no series has yet.
    new: Vec<(usize, Box<str>)>,
}

/// The number of a known value, plus one.
type Number = std::num::NonZeroU32;

impl RequestValues {
    /// Keeps the value of the label at a position.
    pub(super) fn set(&mut self, position: usize, value: Cow<'_, str>, known: &KnownValues) {
        let number = known
            .number(&value)
            .and_then(|number| number.checked_add(1));
        match (number.and_then(Number::new), self.known.get_mut(position)) {
            (Some(number), Some(slot)) => *slot = Some(number),
            _ => self.new.push((position, value.into())),
        }
    }

    pub(super) fn get<'a>(&'a self, position: usize, known: &'a KnownValues) -> Option<&'a str> {
        if let Some(number) = self.known.get(position).copied().flatten() {
            return known.text(number.get() - 1);
        }
        let mut new = self.new.iter();
        let (_, text) = new.find(|(of_label, _)| *of_label == position)?;
        Some(text)
    }

    /// Adds the new values that a series has now. `admitted` are its values, by the position of the
    /// label.
    pub(super) fn add_new(&self, admitted: &[&str], known: &KnownValues) {
        for (position, text) in &self.new {
            if admitted
                .get(*position)
                .is_some_and(|admitted| **admitted == **text)
            {
                known.add(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_copied_until_a_series_has_it() {
        let known = KnownValues::new();
        let mut values = RequestValues::default();
        values.set(1, "acme".into(), &known);
        values.set(3, "free".into(), &known);
        assert_eq!(values.new.len(), 2);
        values.add_new(&["GET", "acme", "", "_overflow"], &known);
        let mut next = RequestValues::default();
        next.set(1, "acme".into(), &known);
        next.set(3, "free".into(), &known);
        assert_eq!(next.new.len(), 1, "a value over the limit is not added");
        for values in [values, next] {
            assert_eq!(values.get(0, &known), None);
            assert_eq!(values.get(1, &known), Some("acme"));
            assert_eq!(values.get(3, &known), Some("free"));
        }
    }
}
