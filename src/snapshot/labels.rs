//! The labels of a series, as the text that the Prometheus formats print.

use std::array;
use std::borrow::Cow;
use std::hint::black_box;
use std::sync::Arc;

use crate::snapshot::parse_labels::LabelPairs;
use crate::snapshot::quoted::{push_quoted, strip, strip_quoted};
use crate::snapshot::{LabelsView, is_classic_label};

/// The labels of one series, rendered as text: `method="GET",route="/users/{id}"`.
///
/// Values are escaped as in Prometheus's text format (`\\`, `\"` and `\n`). Only the text is
/// stored; [`pairs`](Self::pairs) parses it. A name with characters that older versions of
/// Prometheus do not accept is quoted: `"http.route"="/"`. A clone shares the text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels(Arc<str>);

impl Labels {
    /// Values of up to this many bytes are compared without calling a function.
    pub(crate) const SHORT_VALUE: usize = 16;

    /// Renders labels in the given order. The names are not checked.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::default().with_pairs(pairs)
    }

    /// Returns these labels followed by `pairs`.
    pub(crate) fn with_pairs<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut text = self.0.to_string();
        Self::render(&mut text, pairs);
        Self(text.into())
    }

    /// Appends labels to the text of others.
    pub(crate) fn render<'a>(
        text: &mut String,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) {
        for (name, value) in pairs {
            push_pair(text, name, value);
        }
    }

    /// Makes labels of a text that [`render`](Self::render) returned.
    pub(crate) fn from_rendered(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the rendered text, without braces; it is empty if there are no labels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Borrows the labels.
    #[inline]
    #[must_use]
    pub fn view(&self) -> LabelsView<'_> {
        LabelsView::from_rendered(&self.0)
    }

    /// Loads the ends of the text into the CPU cache, without waiting for them.
    #[inline]
    pub(crate) fn prefetch(&self) {
        let text = self.0.as_bytes();
        black_box((text.first(), text.last()));
    }

    /// Returns true if there are no labels.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the labels' names and their values, unescaped.
    pub fn pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> + Clone {
        LabelPairs::new(&self.0)
    }

    /// Returns the labels sorted by name.
    pub(crate) fn sorted(&self) -> Self {
        self.sorted_and_filtered(true)
    }

    /// Returns the labels sorted by name, without those whose value is empty. Label sets that are
    /// the same to Prometheus have the same text.
    pub(crate) fn canonical(&self) -> Self {
        self.sorted_and_filtered(false)
    }

    fn sorted_and_filtered(&self, keeps_empty: bool) -> Self {
        let mut is_changed = false;
        let mut pairs = Vec::new();
        for pair in self.pairs() {
            if !keeps_empty && pair.1.is_empty() {
                is_changed = true;
                continue;
            }
            // There are few labels, and they are usually sorted.
            let position = pairs.partition_point(|other| *other <= pair);
            is_changed |= position < pairs.len();
            pairs.insert(position, pair);
        }
        if !is_changed {
            return self.clone();
        }
        Self::new(pairs.iter().map(|(name, value)| (&**name, &**value)))
    }

    /// Returns true if all versions of Prometheus accept the names of the labels.
    pub(crate) fn has_classic_names(&self) -> bool {
        self.pairs().all(|(name, _)| is_classic_label(&name))
    }

    /// Returns true if a value is escaped or a name is quoted in the text. It may also return true
    /// if neither is the case.
    pub(crate) fn is_escaped(&self) -> bool {
        let text = self.0.as_bytes();
        let has_quoted_name =
            text.first() == Some(&b'"') || text.windows(2).any(|pair| pair == b",\"");
        has_quoted_name || text.contains(&b'\\')
    }

    /// Returns true if the labels have exactly these values. The text must not be
    /// [escaped](Self::is_escaped). [`value_offsets`](Self::value_offsets) returns the offsets.
    ///
    /// If `SHORT` is true, no value may be longer than [`SHORT_VALUE`](Self::SHORT_VALUE). No
    /// function is called then.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a call would double the time of a lookup"
    )]
    pub(crate) fn matches_unescaped<const N: usize, const SHORT: bool>(
        &self,
        values: &[&str; N],
        value_offsets: &[usize; N],
    ) -> bool {
        let mut text = self.0.as_bytes();
        for (label, (value, &offset)) in values.iter().zip(value_offsets).enumerate() {
            let Some((before, after)) = text.split_at_checked(offset) else {
                return false;
            };
            // Each value must be between two quotes of the text, and no quote is used twice.
            // Without escapes the text has exactly two quotes per label, so no value can contain
            // one. All texts begin alike, up to the first value.
            if label > 0 && !(before.first() == Some(&b'"') && before.last() == Some(&b'"')) {
                return false;
            }
            let value = value.as_bytes();
            let Some((text_value, after)) = after.split_at_checked(value.len()) else {
                return false;
            };
            if !bytes_eq::<SHORT>(text_value, value) {
                return false;
            }
            text = after;
        }
        // Only the last quote follows, or the text is empty.
        text.len() == usize::from(N > 0)
    }

    /// Returns, for each of these labels, the number of bytes between the end of the value before
    /// it, or the start of the text, and its value. The labels follow those of `constant`.
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

    /// Returns true if these labels are those of `first` followed by `pairs`, in that order.
    pub(crate) fn has_exact_pairs<'a>(
        &self,
        first: &Self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> bool {
        let Some(mut remaining) = strip(self.0.as_bytes(), &first.0) else {
            return false;
        };
        let mut separator = if first.is_empty() { "" } else { "," };
        for (name, value) in pairs {
            let after = strip(remaining, separator);
            match after.and_then(|text| strip_pair(text, name, value)) {
                Some(after) => remaining = after,
                None => return false,
            }
            separator = ",";
        }
        remaining.is_empty()
    }
}

/// Appends one label to the text of others.
fn push_pair(text: &mut String, name: &str, value: &str) {
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

/// Strips one label from the start of a text; `None` if the text does not begin with it.
fn strip_pair<'t>(text: &'t [u8], name: &str, value: &str) -> Option<&'t [u8]> {
    let after_name = if is_classic_label(name) {
        strip(text, name)
    } else {
        strip_quoted(text, name)
    };
    strip_quoted(strip(after_name?, "=")?, value)
}

/// Returns true if two byte strings are equal.
///
/// Label values are short: comparing a word at a time inline is faster than calling `memcmp`. If
/// `SHORT` is true, it is not called, and the strings must not be longer than
/// [`Labels::SHORT_VALUE`].
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "a call would double the time of a lookup"
)]
fn bytes_eq<const SHORT: bool>(one: &[u8], other: &[u8]) -> bool {
    let len = one.len();
    if len != other.len() {
        return false;
    }
    match len {
        0 => true,
        // The first, the middle and the last byte are all bytes.
        1..4 => {
            one[0] == other[0] && one[len / 2] == other[len / 2] && one[len - 1] == other[len - 1]
        }
        // Two words, which overlap if the text is shorter than both.
        4..8 => ends_eq::<4>(one, other),
        8..=16 => ends_eq::<8>(one, other),
        _ if SHORT => false,
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

    /// Returns all strings of up to `length` characters over an alphabet with every character that
    /// is special in the text.
    fn special_values(length: usize) -> Vec<String> {
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
    fn values_with_special_characters_are_parsed_back() {
        for value in special_values(5) {
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
    fn labels_match_their_values_only() {
        let none = Labels::new([]);
        let offsets = Labels::value_offsets(&none, &["a".into(), "b".into()]);
        let values = special_values(3);
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
                    let same = labels.matches_unescaped::<_, false>(&[other, "x"], &offsets);
                    assert_eq!(same, one == other, "{one:?} and {other:?}");
                }
            }
        }
    }

    #[test]
    fn label_sets_of_different_length_differ() {
        let none = Labels::new([]);
        let labels = Labels::new([("a", "1"), ("b", "2")]);
        assert!(!labels.has_exact_pairs(&none, [("a", "1")]));
        assert!(!labels.has_exact_pairs(&none, [("a", "1"), ("b", "2"), ("c", "3")]));
        assert!(!labels.has_exact_pairs(&none, [("a", "1"), ("b", "")]));
        assert!(none.has_exact_pairs(&none, []));
        let offsets = Labels::value_offsets(&none, &["a".into(), "b".into()]);
        assert!(!labels.matches_unescaped::<_, false>(&["1\",b=\"2", "2"], &offsets));
        assert!(labels.matches_unescaped::<_, false>(&["1", "2"], &offsets));
        let offsets = Labels::value_offsets(&none, &["a".into()]);
        assert!(!labels.matches_unescaped::<_, false>(&["1"], &offsets));
    }

    #[test]
    fn a_value_does_not_match_across_labels() {
        let labels = Labels::new([("a", "x"), ("b", "01234567")]);
        let offsets = Labels::value_offsets(&Labels::new([]), &["a".into(), "b".into()]);
        assert!(!labels.matches_unescaped::<_, false>(&["x\",b=", "4567"], &offsets));
        assert!(!labels.matches_unescaped::<_, false>(&["x\",b=\"01234567", ""], &offsets));
        assert!(labels.matches_unescaped::<_, false>(&["x", "01234567"], &offsets));
    }

    #[test]
    fn labels_after_constant_labels_are_matched() {
        let constant = Labels::new([("env", "prod\\")]);
        let labels = constant.with_pairs([("a", "1")]);
        assert_eq!(labels.as_str(), r#"env="prod\\",a="1""#);
        assert!(labels.has_exact_pairs(&constant, [("a", "1")]));
        assert!(!labels.has_exact_pairs(&constant, [("a", "2")]));
        assert!(!labels.has_exact_pairs(&Labels::new([]), [("a", "1")]));

        let constant = Labels::new([("env", "prod")]);
        let labels = constant.with_pairs([("a", "1"), ("b", "")]);
        let offsets = Labels::value_offsets(&constant, &["a".into(), "b".into()]);
        assert!(labels.matches_unescaped::<_, false>(&["1", ""], &offsets));
        assert!(!labels.matches_unescaped::<_, false>(&["2", ""], &offsets));
    }

    #[test]
    fn label_sets_that_are_the_same_to_prometheus_have_one_canonical_text() {
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
    fn byte_strings_of_every_length_are_compared_to_the_last_byte() {
        for len in 0..40 {
            let text: Vec<u8> = (0..len).collect();
            assert!(bytes_eq::<false>(&text, &text.clone()));
            assert_eq!(
                bytes_eq::<true>(&text, &text.clone()),
                text.len() <= Labels::SHORT_VALUE
            );
            for at in 0..text.len() {
                let mut other = text.clone();
                other[at] ^= 0x20;
                assert!(!bytes_eq::<false>(&text, &other), "{len} bytes, at {at}");
                assert!(!bytes_eq::<true>(&text, &other), "{len} bytes, at {at}");
            }
        }
    }
}
