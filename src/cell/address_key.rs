//! The addresses of label values, as a key.

use std::hash::{BuildHasher, Hasher as _};

use foldhash::fast::FixedState;

/// Series with more labels have no key.
const MAX_LABELS: usize = 4;

/// The address and length of each label value, in one word per value.
///
/// Two values of type `&'static str` with the same address and length are the same text.
#[derive(Clone, Copy)]
pub(crate) struct AddressKey<const N: usize>([u64; N]);

/// An [`AddressKey`] of any number of labels.
#[derive(Clone, Copy)]
pub(crate) struct StoredKey([u64; MAX_LABELS]);

impl<const N: usize> AddressKey<N> {
    /// Returns the key of these values, or `None` if there are too many of them, or if one of
    /// them is longer than 64 KiB or has an address above 2^48.
    #[inline]
    pub(crate) fn new(values: &[&'static str; N]) -> Option<Self> {
        let mut excess = 0;
        let words = values.map(|value| {
            let (address, len) = (value.as_ptr().addr() as u64, value.len() as u64);
            excess |= address >> 48 | len >> 16;
            address << 16 | len
        });
        (N <= MAX_LABELS && excess == 0).then_some(Self(words))
    }

    /// Not seeded: the addresses are those of the program, and nobody else chooses them.
    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        let mut hasher = FixedState::default().build_hasher();
        for word in self.0 {
            hasher.write_u64(word);
        }
        hasher.finish()
    }

    #[inline]
    pub(crate) fn eq(&self, stored: &StoredKey) -> bool {
        let mut words = self.0.iter().zip(&stored.0);
        words.all(|(word, stored)| word == stored)
    }

    pub(crate) fn to_stored(self) -> StoredKey {
        let mut words = [0; MAX_LABELS];
        for (stored, word) in words.iter_mut().zip(self.0) {
            *stored = word;
        }
        StoredKey(words)
    }
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_same_only_for_the_same_addresses_and_lengths() {
        const TEXT: &str = "aaaa";
        let parts = || (0..3).flat_map(|start| (start..=3).map(move |end| &TEXT[start..end]));
        for (one, one_part) in parts().enumerate() {
            for (other, other_part) in parts().enumerate() {
                let [one_key, other_key] =
                    [one_part, other_part].map(|part| AddressKey::new(&["x", part]).unwrap());
                assert_eq!(one_key.eq(&other_key.to_stored()), one == other);
            }
        }
    }

    #[test]
    fn long_values_and_many_labels_have_no_key() {
        let long = &*"x".repeat(1 << 16).leak();
        assert!(AddressKey::new(&[long]).is_none());
        assert!(AddressKey::new(&[&long[1..]]).is_some());
        assert!(AddressKey::new(&["a"; MAX_LABELS]).is_some());
        assert!(AddressKey::new(&["a"; MAX_LABELS + 1]).is_none());
        assert!(AddressKey::new(&[]).is_some());
    }
}
