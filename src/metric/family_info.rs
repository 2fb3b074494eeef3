//! The description, labels and limits of a family.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher as _};
use std::sync::Arc;

use crate::cell::Hasher;
use crate::metric::label::Label;
use crate::metric::limits::Limits;
use crate::snapshot::{Desc, Labels, is_classic_label};

/// The description of a family, its labels and their limits.
///
/// It does not depend on the type of the series, so its code is compiled once for all types.
pub(crate) struct FamilyInfo {
    desc: Arc<Desc>,
    /// The registry's constant labels, which every series has.
    constant_labels: Labels,
    label_names: Box<[Box<str>]>,
    limits: Limits,
    hasher: Hasher,
}

impl FamilyInfo {
    /// The caller has checked the names.
    pub(crate) fn new(desc: Desc, constant_labels: Labels, labels: &[Label<'_>]) -> Self {
        let is_classic = constant_labels.has_classic_names()
            && labels.iter().all(|label| is_classic_label(label.name));
        Self {
            desc: Arc::new(desc.with_classic_labels(is_classic)),
            constant_labels,
            label_names: labels.iter().map(|label| label.name.into()).collect(),
            limits: Limits::new(labels),
            hasher: Hasher::default(),
        }
    }

    pub(crate) fn desc(&self) -> &Arc<Desc> {
        &self.desc
    }

    pub(crate) fn constant_labels(&self) -> &Labels {
        &self.constant_labels
    }

    pub(crate) fn label_names(&self) -> &[Box<str>] {
        &self.label_names
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the index of a label.
    pub(super) fn label_index(&self, name: &str) -> Option<usize> {
        self.label_names.iter().position(|label| **label == *name)
    }

    /// Returns the index of the label at `index` in the labels of a caller, who may name them in
    /// another order.
    pub(super) fn caller_index(&self, index: usize, labels: &[Label<'_>]) -> usize {
        let name = self.label_names.get(index).map(|name| &**name);
        let caller_index = labels.iter().position(|label| Some(label.name) == name);
        caller_index.unwrap_or(index)
    }

    /// Returns the values of these labels in the order of the family, which is that of the first
    /// request.
    pub(crate) fn values<'a>(&self, labels: &[(&str, &'a str)]) -> Vec<&'a str> {
        let names = self.label_names.iter();
        let labels = names.filter_map(|name| labels.iter().find(|(label, _)| **name == **label));
        labels.map(|(_, value)| *value).collect()
    }

    /// Returns the labels of the series with these values, one for each label name.
    pub(super) fn labels(&self, values: &[&str]) -> Labels {
        self.constant_labels.with_pairs(self.pairs(values))
    }

    /// Returns true if these are the labels of the series with these values.
    pub(super) fn are_labels(&self, labels: &Labels, values: &[&str]) -> bool {
        labels.has_exact_pairs(&self.constant_labels, self.pairs(values))
    }

    /// Returns the values of a series of the family, one for each label name.
    pub(super) fn values_of<'a>(&self, labels: &'a Labels) -> impl Iterator<Item = Cow<'a, str>> {
        let constant = self.constant_labels.pairs().count();
        labels.pairs().skip(constant).map(|(_, value)| value)
    }

    #[inline]
    pub(super) fn hash(&self, values: &[impl AsRef<str>]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for value in values {
            // The hasher includes the length, so that `["a", "b"]` and `["ab", ""]` differ.
            hasher.write(value.as_ref().as_bytes());
        }
        hasher.finish()
    }

    /// Returns the [hash](Self::hash) of values of at most [`Labels::SHORT_VALUE`] bytes each.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a call would double the time of a lookup"
    )]
    pub(super) fn hash_short<const N: usize>(&self, values: &[&str; N]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for value in values {
            let bytes = value.as_bytes();
            // The compiler then leaves out the code of the hasher for longer values.
            hasher.write(&bytes[..bytes.len().min(Labels::SHORT_VALUE)]);
        }
        hasher.finish()
    }

    /// Returns label names and values, without the constant labels.
    fn pairs<'a>(&'a self, values: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let names = self.label_names.iter().map(|name| &**name);
        names.zip(values.iter().copied())
    }
}
