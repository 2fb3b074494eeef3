//! Token counts as a provider reports them, and how a later report corrects an earlier one.

use std::ops::Range;

use crate::llm::facts::{Units, Usage};

/// The token counts of one usage object, or of all that were read so far.
///
/// `Input` and `Output` are the main counts of the two directions. Whether they include the
/// other counts depends on the dialect, which normalizes them at the end of the response.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct TokenCounts {
    /// 0 for unknown counts.
    tokens: [u64; KINDS],
    /// One bit per known count.
    known: u32,
}

/// A kind of count: the input and its parts, the output and its parts, and the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Input,
    CacheRead,
    CacheWrite,
    /// The cache writes that are kept for an hour, a part of `CacheWrite`.
    CacheWrite1h,
    AudioInput,
    ImageInput,
    /// Tokens of tool results, which the input does not include.
    ExtraToolInput,
    /// Tokens of images, which the input does not include.
    ExtraImageInput,
    /// Tokens as the model counts them, while `Input` has the billed ones.
    RawInput,
    RawCacheRead,
    Output,
    Reasoning,
    AudioOutput,
    ImageOutput,
    /// Tokens as the model counts them, while `Output` has the billed ones.
    RawOutput,
    Total,
}

const KINDS: usize = TokenKind::Total as usize + 1;
const INPUT: Range<usize> = TokenKind::Input as usize..TokenKind::Output as usize;
const OUTPUT: Range<usize> = TokenKind::Output as usize..TokenKind::Total as usize;

impl TokenCounts {
    pub(crate) fn get(&self, kind: TokenKind) -> Option<u64> {
        self.field_at(kind as usize)
    }

    pub(crate) fn set(&mut self, kind: TokenKind, tokens: Option<u64>) {
        let at = kind as usize;
        self.tokens[at] = tokens.unwrap_or(0);
        match tokens {
            Some(_) => self.known |= 1 << at,
            None => self.known &= !(1 << at),
        }
    }

    /// Adds to a count; a missing one counts as 0.
    pub(crate) fn add(&mut self, kind: TokenKind, tokens: u64) {
        let sum = self.get(kind).unwrap_or(0).saturating_add(tokens);
        self.set(kind, Some(sum));
    }

    /// Sets a count of the current usage object. A 0 only makes it known: some objects have a
    /// count under two names; one of the two is always 0.
    pub(crate) fn set_unless_zero(&mut self, kind: TokenKind, tokens: u64) {
        let at = kind as usize;
        if tokens > 0 {
            self.tokens[at] = tokens;
        }
        self.known |= 1 << at;
    }

    /// Adds all counts of another part of the response.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (tokens, other) in self.tokens.iter_mut().zip(other.tokens) {
            *tokens = tokens.saturating_add(other);
        }
        self.known |= other.known;
    }

    /// Raises each count to that of `other`, if that is greater.
    pub(crate) fn max_all(&mut self, other: &Self) {
        for (tokens, other) in self.tokens.iter_mut().zip(other.tokens) {
            *tokens = (*tokens).max(other);
        }
        self.known |= other.known;
    }

    /// Applies a later usage object.
    ///
    /// A complete object replaces the earlier counts of its direction. An object with only some
    /// counts updates those. An object of zeros is a placeholder, and changes no known count.
    pub(crate) fn update(&mut self, later: &Self, is_complete: bool) {
        let input = self.update_direction(later, INPUT, is_complete);
        let output = self.update_direction(later, OUTPUT, is_complete);
        match later.get(TokenKind::Total) {
            Some(0) if self.get(TokenKind::Total).is_some() => {}
            None if !is_complete || !(input || output) => {}
            total => self.set(TokenKind::Total, total),
        }
    }

    /// Updates the counts of one direction, and returns true unless the later ones are a
    /// placeholder.
    fn update_direction(&mut self, later: &Self, kinds: Range<usize>, is_complete: bool) -> bool {
        let bits = ((1 << kinds.len()) - 1) << kinds.start;
        if later.known & bits == 0 {
            return false;
        }
        let mut is_report = true;
        if later.tokens[kinds.start] == 0 {
            let [reported, known] = [later, self].map(|counts| counts.sum(&kinds));
            if reported == 0 && known > 0 {
                return false;
            }
            // A main count of 0 is real if the other counts make up for it: the whole prompt may
            // have come from a cache.
            is_report = later.field_at(kinds.start).is_none() || reported >= known;
        }
        if is_report && is_complete {
            self.tokens[kinds.clone()].copy_from_slice(&later.tokens[kinds]);
            self.known = self.known & !bits | later.known & bits;
            return true;
        }
        for at in kinds {
            if later
                .field_at(at)
                .is_some_and(|later| later > 0 || is_report)
            {
                self.tokens[at] = later.tokens[at];
                self.known |= 1 << at;
            }
        }
        is_report
    }

    /// Returns the usage, with the billed units.
    pub(crate) fn usage(&self, units: Units) -> Usage {
        Usage {
            input: self.get(TokenKind::Input),
            output: self.get(TokenKind::Output),
            cache_read: self.get(TokenKind::CacheRead),
            cache_write: self.get(TokenKind::CacheWrite),
            cache_write_1h: self.get(TokenKind::CacheWrite1h),
            reasoning: self.get(TokenKind::Reasoning),
            audio_input: self.get(TokenKind::AudioInput),
            audio_output: self.get(TokenKind::AudioOutput),
            image_input: self.get(TokenKind::ImageInput),
            image_output: self.get(TokenKind::ImageOutput),
            units,
        }
    }

    fn field_at(&self, position: usize) -> Option<u64> {
        (self.known & 1 << position != 0).then(|| self.tokens[position])
    }

    fn sum(&self, kinds: &Range<usize>) -> u64 {
        self.tokens[kinds.clone()].iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counts: &[(TokenKind, u64)]) -> TokenCounts {
        let mut all = TokenCounts::default();
        for (kind, tokens) in counts {
            all.set_unless_zero(*kind, *tokens);
        }
        all
    }

    #[track_caller]
    fn check(reports: &[&[(TokenKind, u64)]], is_complete: bool, expected: &[(TokenKind, u64)]) {
        let mut merged = TokenCounts::default();
        for report in reports {
            merged.update(&counts(report), is_complete);
        }
        assert_eq!(merged, counts(expected), "{reports:?}");
    }

    const START: [(TokenKind, u64); 2] = [(TokenKind::Input, 1_200), (TokenKind::CacheRead, 300)];

    #[test]
    fn placeholders_of_zero_change_no_known_count() {
        for is_complete in [true, false] {
            let zeros = [
                (TokenKind::Input, 0),
                (TokenKind::CacheRead, 0),
                (TokenKind::Output, 0),
            ];
            let reported = [START[0], START[1], (TokenKind::Output, 57)];
            check(&[&reported, &zeros], is_complete, &reported);
            let zero = [(TokenKind::Input, 0), (TokenKind::CacheRead, 300)];
            let zero_total = [
                (TokenKind::Input, 0),
                (TokenKind::Output, 0),
                (TokenKind::Total, 0),
            ];
            check(
                &[&reported, &[(TokenKind::Total, 9)], &zero_total],
                is_complete,
                &{ [reported[0], reported[1], reported[2], (TokenKind::Total, 9)] },
            );
            check(&[&reported, &zero], is_complete, &reported);
            // A single part of 0 is a placeholder, too.
            check(&[&START, &[(TokenKind::CacheRead, 0)]], is_complete, &START);
            // A part that is not 0 counts even next to an input of 0.
            let part = [(TokenKind::Input, 0), (TokenKind::CacheRead, 301)];
            check(&[&START, &part], is_complete, &[START[0], part[1]]);
        }
        check(&[&[(TokenKind::Input, 0)]], true, &[(TokenKind::Input, 0)]);
    }

    #[test]
    fn later_counts_may_be_higher_or_lower() {
        for (is_complete, input) in [(true, 9), (false, 9), (true, 5_000), (false, 5_000)] {
            let later = [(TokenKind::Input, input), (TokenKind::CacheRead, 0)];
            check(&[&START, &later], is_complete, &later);
        }
        // No cached tokens at first, then nearly all of the input, or all of it.
        for later in [[100, 9_900], [0, 10_000]] {
            let first = [(TokenKind::Input, 10_000), (TokenKind::CacheRead, 0)];
            let later = [
                (TokenKind::Input, later[0]),
                (TokenKind::CacheRead, later[1]),
            ];
            check(&[&first, &later], false, &later);
        }
    }

    #[test]
    fn a_complete_object_replaces_and_a_partial_one_is_merged() {
        let later = [(TokenKind::Input, 1_300)];
        check(&[&START, &later], true, &later);
        check(&[&START, &later], false, &[later[0], START[1]]);
        let cached = [(TokenKind::CacheRead, 3_604)];
        check(&[&[(TokenKind::Input, 3_602)], &cached], false, &{
            [(TokenKind::Input, 3_602), (TokenKind::CacheRead, 3_604)]
        });
        // Gemini omits counts of 0.
        let first = [
            (TokenKind::Input, 9),
            (TokenKind::Output, 21),
            (TokenKind::Reasoning, 35),
        ];
        let last = [
            (TokenKind::Input, 87),
            (TokenKind::Reasoning, 78),
            (TokenKind::Total, 165),
        ];
        check(&[&first, &last], true, &last);
        check(
            &[&first, &[(TokenKind::Input, 9), (TokenKind::Total, 9)]],
            true,
            &{ [first[0], first[1], first[2], (TokenKind::Total, 9)] },
        );
        // An omitted count is dropped, even if the other counts are lower than before.
        let last = [(TokenKind::Input, 87), (TokenKind::Reasoning, 20)];
        check(&[&first, &last], true, &last);
    }

    #[test]
    fn a_total_is_kept_until_a_complete_object_omits_it() {
        let [total, output] = [(TokenKind::Total, 69), (TokenKind::Output, 21)];
        let first = [(TokenKind::Input, 48), output, total];
        let zeros = [(TokenKind::Input, 0), (TokenKind::Output, 0)];
        let more = [(TokenKind::Output, 22)];
        check(&[&first, &zeros], true, &first);
        check(&[&first, &more], false, &[first[0], more[0], total]);
        check(&[&first, &more], true, &[first[0], more[0]]);
    }
}
