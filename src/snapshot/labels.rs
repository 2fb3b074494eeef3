//! A series' labels, as the text that every Prometheus format prints.

use std::array;
use std::hint::black_box;
use std::sync::Arc;

use crate::snapshot::quoted::{push_quoted, strip, strip_quoted};
use crate::snapshot::{LabelPairs, is_classic_label};

/// The labels of one series, rendered once: `method="GET",route="/users/{id}"`.
///
/// Values are escaped as Prometheus's text format asks (`\\`, `\"` and `\n`),
/// and nothing else is stored: [`pairs`](Self::pairs) reads the values back. A name
/// that not every Prometheus reads stands in quotes: `"http.route"="/"`. A clone
/// shares the text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels(Arc<str>);

impl Labels {
    /// Renders labels in the order given; the names are taken as they are,
    /// unchecked.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::default().with_pairs(pairs)
    }

    /// Renders more labels after these.
    pub(crate) fn with_pairs<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut text = self.0.to_string();
        Self::render(&mut text, pairs);
        Self(text.into())
    }

    /// Renders labels into a text, after those that it holds.
    pub(crate) fn render<'a>(
        text: &mut String,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) {
        for (name, value) in pairs {
            if !text.is_empty() {
                text.push(',');
            }
            if is_classic_label(name) {
                text.push_str(name);
            } else {
                push_quoted(text, name);
            }
            text.push('=');
            push_quoted(text, value);
        }
    }

    /// Takes a text that [`render`](Self::render) has made.
    pub(crate) fn from_rendered(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the rendered text, without braces; empty when there are none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Loads the text's ends, and waits for neither.
    #[inline]
    pub(crate) fn prefetch(&self) {
        let text = self.0.as_bytes();
        black_box((text.first(), text.last()));
    }

    /// Returns true when the series has no labels.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the labels' names and their values, unescaped.
    #[must_use]
    pub fn pairs(&self) -> LabelPairs<'_> {
        LabelPairs::new(&self.0)
    }

    /// Returns the labels sorted by name.
    pub(crate) fn sorted(&self) -> Self {
        self.sorted_and_filtered(|_| true)
    }

    /// Returns the labels sorted by name, without those whose value is empty: label sets that
    /// Prometheus takes for the same have the same text.
    pub(crate) fn canonical(&self) -> Self {
        self.sorted_and_filtered(|value| !value.is_empty())
    }

    fn sorted_and_filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut pairs: Vec<_> = self.pairs().collect();
        let is_sorted = pairs.is_sorted();
        let all = pairs.len();
        pairs.retain(|(_, value)| keep(value));
        if is_sorted && pairs.len() == all {
            return self.clone();
        }
        pairs.sort_unstable();
        Self::new(pairs.iter().map(|(name, value)| (&**name, &**value)))
    }

    /// Returns true when every Prometheus reads the labels' names.
    pub(crate) fn has_classic_names(&self) -> bool {
        self.pairs().all(|(name, _)| is_classic_label(&name))
    }

    /// Returns true when the text has a backslash, and so is not its values' own, or
    /// a name in quotes. It may be true of others too.
    pub(crate) fn is_escaped(&self) -> bool {
        self.0.starts_with('"') || self.0.contains(",\"") || self.0.contains('\\')
    }

    /// Returns true when these labels have just these values. `value_offsets` has, for each
    /// label, how many bytes of text there are between the value before it, or the
    /// beginning, and its own value; the text must not be
    /// [escaped](Self::is_escaped).
    #[inline]
    pub(crate) fn matches_unescaped<const N: usize>(
        &self,
        values: &[&str; N],
        value_offsets: &[usize; N],
    ) -> bool {
        let mut text = self.0.as_bytes();
        for (label, (value, &offset)) in values.iter().zip(value_offsets).enumerate() {
            let value = value.as_bytes();
            let Some(after) = text.get(offset..) else {
                return false;
            };
            if label + 1 == N {
                // Nothing follows but the last quote.
                return after
                    .split_last()
                    .is_some_and(|(_, text)| bytes_eq(text, value));
            }
            let Some((own, after)) = after.split_at_checked(value.len()) else {
                return false;
            };
            // Each value stands between two quotes of the text, none of which is
            // counted twice. Without backslashes there are just so many in it, so
            // that no value has one of its own.
            let next = value_offsets[label + 1];
            let quoted = after.first() == Some(&b'"') && after.get(next - 1) == Some(&b'"');
            if !quoted || !bytes_eq(own, value) {
                return false;
            }
            text = after;
        }
        text.is_empty()
    }

    /// Returns the value_offsets that [`matches_unescaped`](Self::matches_unescaped) takes
    /// for, where labels of these names follow on the text of `constant`.
    pub(crate) fn value_offsets<const N: usize>(constant: &Self, names: &[Box<str>]) -> [usize; N] {
        array::from_fn(|label| {
            let name = names.get(label).map_or(0, |name| name.len());
            let before = match label {
                0 if constant.is_empty() => 0,
                0 => constant.0.len() + ",".len(),
                _ => "\",".len(),
            };
            before + name + "=\"".len()
        })
    }

    /// Returns true when these labels are those of `first` and then `pairs`, in
    /// that order.
    pub(crate) fn has_exact_pairs<'a>(
        &self,
        first: &Self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> bool {
        let Some(mut rest) = strip(self.0.as_bytes(), &first.0) else {
            return false;
        };
        let text = rest.len();
        for (name, value) in pairs {
            let begins = rest.len() == text && first.is_empty();
            let separator = if begins { "" } else { "," };
            let after = strip(rest, separator)
                .and_then(|rest| {
                    if is_classic_label(name) {
                        strip(rest, name)
                    } else {
                        strip_quoted(rest, name)
                    }
                })
                .and_then(|rest| strip(rest, "="))
                .and_then(|rest| strip_quoted(rest, value));
            match after {
                Some(after) => rest = after,
                None => return false,
            }
        }
        rest.is_empty()
    }
}

/// Returns true when two texts are the same.
///
/// Label values are short, and calling `memcmp` for them takes longer than
/// comparing a word at a time right here.
#[inline]
fn bytes_eq(one: &[u8], other: &[u8]) -> bool {
    let len = one.len();
    if len != other.len() {
        return false;
    }
    match len {
        0 => true,
        // First, middle and last are all there are.
        1..4 => {
            one[0] == other[0] && one[len / 2] == other[len / 2] && one[len - 1] == other[len - 1]
        }
        // Two words, which overlap where the text is shorter.
        4..8 => ends_eq::<4>(one, other),
        8..=16 => ends_eq::<8>(one, other),
        _ => one == other,
    }
}

#[inline]
fn ends_eq<const N: usize>(one: &[u8], other: &[u8]) -> bool {
    one.first_chunk::<N>() == other.first_chunk() && one.last_chunk::<N>() == other.last_chunk()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All strings of up to `length` symbols over an alphabet that holds every
    /// character with a meaning of its own in the text.
    fn awkward_values(length: usize) -> Vec<String> {
        let mut values = vec![String::new()];
        let mut longest = values.clone();
        for _ in 0..length {
            longest = longest
                .iter()
                .flat_map(|head| {
                    ['\\', '"', '\n', 'n', ',', '=', 'é'].map(|last| format!("{head}{last}"))
                })
                .collect();
            values.extend_from_slice(&longest);
        }
        values
    }

    #[test]
    fn every_awkward_value_comes_back_from_the_text() {
        for value in awkward_values(5) {
            let labels = Labels::new([("a", value.as_str()), ("b", "x")]);
            let pairs: Vec<_> = labels.pairs().collect();
            let expected = [("a", value.as_str()), ("b", "x")];
            assert_eq!(
                pairs,
                expected.map(|(name, value)| (name.into(), value.into()))
            );
            // And as a name, unless that is empty.
            let labels = Labels::new([("b", "x"), (value.as_str(), "y")]);
            assert_eq!(
                labels.pairs().last().unwrap(),
                (value.as_str().into(), "y".into())
            );
            assert!(labels.has_exact_pairs(&Labels::default(), [("b", "x"), (&*value, "y")]));
        }
    }

    #[test]
    fn labels_are_recognised_by_their_values_and_by_no_others() {
        let none = Labels::new([]);
        let value_offsets = Labels::value_offsets(&none, &["a".into(), "b".into()]);
        let values = awkward_values(3);
        for one in &values {
            let labels = Labels::new([("a", one.as_str()), ("b", "x")]);
            for other in &values {
                let pairs = [("a", other.as_str()), ("b", "x")];
                assert_eq!(
                    labels.has_exact_pairs(&none, pairs),
                    one == other,
                    "{one:?} and {other:?}"
                );
                if !labels.is_escaped() {
                    let same = labels.matches_unescaped(&[other, "x"], &value_offsets);
                    assert_eq!(same, one == other, "{one:?} and {other:?}");
                }
            }
        }
    }

    #[test]
    fn a_label_more_or_less_is_another_label_set() {
        let none = Labels::new([]);
        let labels = Labels::new([("a", "1"), ("b", "2")]);
        assert!(!labels.has_exact_pairs(&none, [("a", "1")]));
        assert!(!labels.has_exact_pairs(&none, [("a", "1"), ("b", "2"), ("c", "3")]));
        assert!(!labels.has_exact_pairs(&none, [("a", "1"), ("b", "")]));
        assert!(none.has_exact_pairs(&none, []));
        let value_offsets = Labels::value_offsets(&none, &["a".into(), "b".into()]);
        assert!(!labels.matches_unescaped(&["1\",b=\"2", "2"], &value_offsets));
        assert!(labels.matches_unescaped(&["1", "2"], &value_offsets));
        let value_offsets = Labels::value_offsets(&none, &["a".into()]);
        assert!(!labels.matches_unescaped(&["1"], &value_offsets));
    }

    #[test]
    fn a_value_that_runs_into_the_next_label_is_another_value() {
        let labels = Labels::new([("a", "x"), ("b", "01234567")]);
        let value_offsets = Labels::value_offsets(&Labels::new([]), &["a".into(), "b".into()]);
        assert!(!labels.matches_unescaped(&["x\",b=", "4567"], &value_offsets));
        assert!(!labels.matches_unescaped(&["x\",b=\"01234567", ""], &value_offsets));
        assert!(labels.matches_unescaped(&["x", "01234567"], &value_offsets));
    }

    #[test]
    fn labels_that_follow_others_are_told_from_them() {
        let constant = Labels::new([("env", "prod\\")]);
        let labels = constant.with_pairs([("a", "1")]);
        assert_eq!(labels.as_str(), r#"env="prod\\",a="1""#);
        assert!(labels.has_exact_pairs(&constant, [("a", "1")]));
        assert!(!labels.has_exact_pairs(&constant, [("a", "2")]));
        assert!(!labels.has_exact_pairs(&Labels::new([]), [("a", "1")]));

        let constant = Labels::new([("env", "prod")]);
        let labels = constant.with_pairs([("a", "1"), ("b", "")]);
        let value_offsets = Labels::value_offsets(&constant, &["a".into(), "b".into()]);
        assert!(labels.matches_unescaped(&["1", ""], &value_offsets));
        assert!(!labels.matches_unescaped(&["2", ""], &value_offsets));
    }

    #[test]
    fn label_sets_that_prometheus_takes_for_the_same_have_one_canonical_text() {
        let same = [
            Labels::new([("a", "1"), ("b", "2")]),
            Labels::new([("b", "2"), ("a", "1")]),
            Labels::new([("b", "2"), ("c", ""), ("a", "1")]),
        ];
        for labels in same {
            assert_eq!(labels.canonical().as_str(), r#"a="1",b="2""#);
        }
        let escaped = Labels::new([("b", "\""), ("a", "x")]);
        assert_eq!(escaped.canonical().as_str(), r#"a="x",b="\"""#);
        let other = Labels::new([("a", "2"), ("b", "1")]);
        assert_ne!(other.canonical().as_str(), r#"a="1",b="2""#);
    }

    #[test]
    fn texts_of_every_length_are_compared_to_the_last_byte() {
        for len in 0..40 {
            let text: Vec<u8> = (0..len).collect();
            assert!(bytes_eq(&text, &text.clone()));
            for at in 0..text.len() {
                let mut other = text.clone();
                other[at] ^= 0x20;
                assert!(!bytes_eq(&text, &other), "{len} bytes, at {at}");
            }
        }
    }
}
