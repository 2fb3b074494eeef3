//! Finding a series by its label values, and recording in it.

use std::ptr;

use crate::cell::{AddressKey, IndexedList};
use crate::metric::instrument::Instrument;
use crate::metric::set::SeriesSet;
use crate::snapshot::Labels;

impl<M: Instrument> SeriesSet<M> {
    /// Calls `record` with the series with these values, one for each label name, and creates the
    /// series if it does not exist. `value_offsets` are those of the set's labels.
    #[inline]
    pub(crate) fn with_series<const N: usize, T>(
        &self,
        values: [&str; N],
        value_offsets: &[usize; N],
        record: impl FnOnce(&M) -> T,
    ) -> T {
        let Some(list) = self.series.first() else {
            return self.with_series_of_replacement(values, value_offsets, record);
        };
        match self.lookup(list, &values, value_offsets) {
            Some(series) => record(series),
            None => self.with_series_slow(&values, &mut values.clone(), |series, _| record(series)),
        }
    }

    /// Does what [`with_series`](Self::with_series) does, once the first list was replaced.
    #[inline(never)]
    fn with_series_of_replacement<const N: usize, T>(
        &self,
        values: [&str; N],
        value_offsets: &[usize; N],
        record: impl FnOnce(&M) -> T,
    ) -> T {
        let recorded = self
            .series
            .with(|list| match self.lookup(list, &values, value_offsets) {
                Some(series) => Ok(record(series)),
                None => Err(record),
            });
        match recorded {
            Ok(result) => result,
            Err(record) => {
                self.with_series_slow(&values, &mut values.clone(), |series, _| record(series))
            }
        }
    }

    /// Does what [`with_series`](Self::with_series) does. Finds the series by the addresses of the
    /// values once it has been found by their text.
    #[inline]
    pub(crate) fn with_static_series<const N: usize, T>(
        &self,
        values: [&'static str; N],
        value_offsets: &[usize; N],
        record: impl FnOnce(&M) -> T,
    ) -> T {
        let key = AddressKey::new(&values);
        let list = self.series.first();
        let guess = key.and_then(|key| list?.guess_address(key));
        match guess.filter(|series| series.handle().series().state.is_live()) {
            Some(series) => record(series),
            None => self.with_static_series_slow(values, value_offsets, record),
        }
    }

    #[inline(never)]
    fn with_static_series_slow<const N: usize, T>(
        &self,
        values: [&'static str; N],
        value_offsets: &[usize; N],
        record: impl FnOnce(&M) -> T,
    ) -> T {
        let Some(key) = AddressKey::new(&values) else {
            return self.with_series(values, value_offsets, record);
        };
        let is_live = |series: &M| series.handle().series().state.is_live();
        let recorded = self
            .series
            .with(|list| match list.find_address(key, is_live) {
                Some(series) => Ok(record(series)),
                None => Err(record),
            });
        match recorded {
            Ok(result) => result,
            Err(record) => {
                self.insert_address(key, &values);
                self.with_series(values, value_offsets, record)
            }
        }
    }

    /// Lets later lookups find the series with these values by their addresses. Does nothing if
    /// there is no such series: a value over a limit is counted each time.
    fn insert_address<const N: usize>(&self, key: AddressKey<N>, values: &[&str; N]) {
        // Without the lock first, since a program that leaks strings comes here each time.
        let hash = self.info.hash(values);
        let is_possible = self
            .series
            .with(|list| list.has_address_capacity() && self.find_in(list, hash, values).is_some());
        if !is_possible {
            return;
        }
        let _removed = self.removed();
        self.series.with(|list| {
            let Some(series) = self.find_in(list, hash, values) else {
                return;
            };
            let is_same = |other: &M| ptr::eq(other.handle().series(), series.handle().series());
            let is_known = list.find_address(key, is_same).is_some();
            if !is_known && list.has_address_capacity() {
                list.insert_address(key, series.clone());
            }
        });
    }

    /// Returns the series with these values if it is visible and its labels are not escaped.
    ///
    /// Not inlined, so that the comparison of labels is inlined here.
    #[inline(never)]
    fn lookup<'l, const N: usize>(
        &self,
        list: &'l IndexedList<M>,
        values: &[&str; N],
        value_offsets: &[usize; N],
    ) -> Option<&'l M> {
        if values.iter().any(|value| value.len() > Labels::SHORT_VALUE) {
            return find(list, self.info.hash(values), values, value_offsets);
        }
        // This calls no function, so that it saves no registers.
        let hash = self.info.hash_short(values);
        let guess = list.guess(hash);
        match guess.filter(|series| is_match::<_, N, true>(*series, values, value_offsets)) {
            Some(series) => Some(series),
            None => find(list, hash, values, value_offsets),
        }
    }
}

/// Does what [`SeriesSet::lookup`] does, for values of any length.
#[inline(never)]
fn find<'l, M: Instrument, const N: usize>(
    list: &'l IndexedList<M>,
    hash: u64,
    values: &[&str; N],
    value_offsets: &[usize; N],
) -> Option<&'l M> {
    list.find(hash, |series| {
        is_match::<_, N, false>(series, values, value_offsets)
    })
}

/// Returns true if a series is visible, its labels are not escaped, and it has these values. If
/// `SHORT` is true, none of them is longer than [`Labels::SHORT_VALUE`].
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "a call would double the time of a lookup"
)]
fn is_match<M: Instrument, const N: usize, const SHORT: bool>(
    series: &M,
    values: &[&str; N],
    value_offsets: &[usize; N],
) -> bool {
    let series = series.handle().series();
    series.state.is_live_and_unescaped()
        && series
            .labels
            .matches_unescaped::<N, SHORT>(values, value_offsets)
}
