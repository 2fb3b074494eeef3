//! The labels of the series in a block.

use std::borrow::Cow;
use std::fmt;

use crate::snapshot::Labels;
use crate::snapshot::parse_labels::LabelPairs;

/// The labels of the series in a block, as one text.
///
/// A scrape copies the text of the labels. To share it instead, it would have to change a
/// reference count that all threads see, twice for each series.
#[derive(Clone, Default, PartialEq)]
pub struct BlockLabels {
    /// The texts of all series, one after the other.
    text: String,
    /// The end of each series' text.
    ends: Vec<usize>,
}

impl BlockLabels {
    /// Makes an empty list with space for the labels of `series` series, whose texts have `bytes`
    /// bytes.
    pub(super) fn with_capacity(series: usize, bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            ends: Vec::with_capacity(series),
        }
    }

    /// Returns the number of series.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns true if there are no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the labels of one series, if there is such a series.
    #[inline]
    #[must_use]
    pub fn get(&self, series: usize) -> Option<LabelsView<'_>> {
        let end = *self.ends.get(series)?;
        let start = series.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(LabelsView(self.text.get(start..end)?))
    }

    /// Returns an iterator over the labels of all series.
    pub fn iter(&self) -> impl Iterator<Item = LabelsView<'_>> {
        (0..self.len()).filter_map(|series| self.get(series))
    }

    /// Appends the labels of a series.
    #[inline]
    pub(crate) fn push(&mut self, labels: LabelsView<'_>) {
        self.text.push_str(labels.0);
        self.ends.push(self.text.len());
    }

    /// Removes all series but those with these indexes, which are ascending.
    pub(super) fn retain(&mut self, kept: &[usize]) {
        *self = kept.iter().filter_map(|&series| self.get(series)).collect();
    }
}

impl<'a> FromIterator<LabelsView<'a>> for BlockLabels {
    fn from_iter<T: IntoIterator<Item = LabelsView<'a>>>(all: T) -> Self {
        let mut labels = Self::default();
        all.into_iter().for_each(|view| labels.push(view));
        labels
    }
}

impl fmt::Debug for BlockLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The borrowed labels of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LabelsView<'a>(&'a str);

impl<'a> LabelsView<'a> {
    /// Makes labels of a text that [`Labels`] rendered.
    pub(super) fn from_rendered(text: &'a str) -> Self {
        Self(text)
    }

    /// Returns the text as [`Labels::as_str`] does.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.0
    }

    /// Returns true if there are no labels.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the labels' names and their values, unescaped.
    pub fn pairs(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + Clone + use<'a> {
        LabelPairs::new(self.0)
    }

    /// Returns the labels as [`Labels::canonical`] does.
    pub(crate) fn canonical(&self) -> Labels {
        self.to_labels().canonical()
    }

    /// Returns the labels as an owned value.
    #[must_use]
    pub fn to_labels(&self) -> Labels {
        Labels::from_rendered(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_series_has_its_own_labels_and_may_have_none() {
        let all = [
            Labels::default(),
            Labels::new([("a", "1"), ("b", "\"\n")]),
            Labels::default(),
            Labels::new([("a", "2")]),
        ];
        let mut labels: BlockLabels = all.iter().map(Labels::view).collect();
        let texts = |labels: &BlockLabels| -> Vec<_> {
            labels.iter().map(|labels| labels.to_labels()).collect()
        };
        assert_eq!(texts(&labels), all);
        assert_eq!((labels.len(), labels.get(4)), (4, None));
        labels.retain(&[0, 3]);
        assert_eq!(texts(&labels), [all[0].clone(), all[3].clone()]);
        labels.retain(&[]);
        assert!(labels.is_empty());
    }
}
