//! Tokens that are told in parts.

/// What is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sum {
    Input,
    Output,
    CacheRead,
    CacheWrite,
}

/// More than any call takes; so that these can be added without care.
const MOST: u64 = 1 << 50;

/// The sums of parts, each as far as any was told.
#[derive(Debug, Default)]
pub(crate) struct Sums([Option<u64>; 4]);

impl Sums {
    /// Adds a part; more than any number of tokens is as many as there can be.
    pub(super) fn add(&mut self, sum: Sum, tokens: u64) {
        let known = &mut self.0[sum as usize];
        *known = Some(known.unwrap_or(0).saturating_add(tokens).min(MOST));
    }

    pub(crate) fn get(&self, sum: Sum) -> Option<u64> {
        self.0[sum as usize]
    }
}
