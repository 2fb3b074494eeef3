//! Token counts as a provider reports them, and how a later report corrects an earlier one.

use std::ops::Range;

use crate::llm::facts::{Units, Usage};
use crate::llm::response::answer::Field;

/// The token counts of one usage object, or of all that were read so far.
///
/// The first count of a direction is its main one. The others are parts of it, or stand
/// beside it: that depends on the dialect, and is settled at the end of the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct TokenCounts {
    /// Those that are not known are 0.
    tokens: [u64; FIELDS.len()],
    /// A bit for each that is known.
    known: u32,
}

/// The fields that are counts, those of the input first and the total last.
const FIELDS: [Field; 16] = [
    Field::Input,
    Field::CacheRead,
    Field::CacheWrite,
    Field::CacheWrite1h,
    Field::AudioInput,
    Field::ImageInput,
    Field::ToolInput,
    Field::SeparateImageInput,
    Field::RawInput,
    Field::RawCacheRead,
    Field::Output,
    Field::Reasoning,
    Field::AudioOutput,
    Field::ImageOutput,
    Field::RawOutput,
    Field::Total,
];
const INPUT: Range<usize> = 0..10;
const OUTPUT: Range<usize> = 10..15;

impl TokenCounts {
    pub(crate) fn get(&self, field: Field) -> Option<u64> {
        self.at(position(field)?)
    }

    pub(crate) fn set(&mut self, field: Field, tokens: Option<u64>) {
        let Some(at) = position(field) else {
            return;
        };
        self.tokens[at] = tokens.unwrap_or(0);
        match tokens {
            Some(_) => self.known |= 1 << at,
            None => self.known &= !(1 << at),
        }
    }

    /// Adds to a count; a missing one counts as 0.
    pub(crate) fn add(&mut self, field: Field, tokens: u64) {
        let sum = self.get(field).unwrap_or(0).saturating_add(tokens);
        self.set(field, Some(sum));
    }

    /// Takes a count of the usage object that is being read. Some objects hold a count under
    /// two names, and one of them is always 0.
    pub(crate) fn read(&mut self, field: Field, tokens: u64) {
        let Some(at) = position(field) else {
            return;
        };
        if tokens > 0 {
            self.tokens[at] = tokens;
        }
        self.known |= 1 << at;
    }

    /// Adds the counts of another part of the same answer.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (tokens, other) in self.tokens.iter_mut().zip(other.tokens) {
            *tokens = tokens.saturating_add(other);
        }
        self.known |= other.known;
    }

    /// Takes the greater of each count.
    pub(crate) fn max_all(&mut self, other: &Self) {
        for (tokens, other) in self.tokens.iter_mut().zip(other.tokens) {
            *tokens = (*tokens).max(other);
        }
        self.known |= other.known;
    }

    /// Takes over what a later usage object reports.
    ///
    /// A complete object replaces the earlier one of its direction. An object that repeats
    /// only some counts updates those. An object full of zeros is a placeholder, and changes
    /// nothing that is known.
    pub(crate) fn update(&mut self, later: &Self, is_complete: bool) {
        let input = self.correct_direction(later, INPUT, is_complete);
        let output = self.correct_direction(later, OUTPUT, is_complete);
        match later.get(Field::Total) {
            Some(0) if self.get(Field::Total).is_some() => {}
            None if !is_complete || !(input || output) => {}
            total => self.set(Field::Total, total),
        }
    }

    /// Corrects the counts of one direction, and returns true if the later ones are a report
    /// and no placeholder.
    fn correct_direction(&mut self, later: &Self, fields: Range<usize>, is_complete: bool) -> bool {
        let bits = ((1 << fields.len()) - 1) << fields.start;
        if later.known & bits == 0 {
            return false;
        }
        let mut is_report = true;
        if later.tokens[fields.start] == 0 {
            let [reported, known] = [later, self].map(|counts| counts.sum(&fields));
            if reported == 0 && known > 0 {
                return false;
            }
            // A main count of 0 is real if the other counts make up for it, as when a cache
            // held all of the prompt.
            is_report = later.at(fields.start).is_none() || reported >= known;
        }
        if is_report && is_complete {
            self.tokens[fields.clone()].copy_from_slice(&later.tokens[fields]);
            self.known = self.known & !bits | later.known & bits;
            return true;
        }
        for at in fields {
            if later.at(at).is_some_and(|later| later > 0 || is_report) {
                self.tokens[at] = later.tokens[at];
                self.known |= 1 << at;
            }
        }
        is_report
    }

    /// Returns the counts with what is billed by unit.
    pub(crate) fn usage(&self, units: Units) -> Usage {
        Usage {
            input: self.get(Field::Input),
            output: self.get(Field::Output),
            cache_read: self.get(Field::CacheRead),
            cache_write: self.get(Field::CacheWrite),
            cache_write_1h: self.get(Field::CacheWrite1h),
            reasoning: self.get(Field::Reasoning),
            audio_input: self.get(Field::AudioInput),
            audio_output: self.get(Field::AudioOutput),
            image_input: self.get(Field::ImageInput),
            image_output: self.get(Field::ImageOutput),
            units,
        }
    }

    fn at(&self, position: usize) -> Option<u64> {
        (self.known & 1 << position != 0).then(|| self.tokens[position])
    }

    fn sum(&self, fields: &Range<usize>) -> u64 {
        self.tokens[fields.clone()].iter().sum()
    }
}

/// Returns the position of a field among [`FIELDS`].
fn position(field: Field) -> Option<usize> {
    Some(match field {
        Field::Input => 0,
        Field::CacheRead => 1,
        Field::CacheWrite => 2,
        Field::CacheWrite1h => 3,
        Field::AudioInput => 4,
        Field::ImageInput => 5,
        Field::ToolInput => 6,
        Field::SeparateImageInput => 7,
        Field::RawInput => 8,
        Field::RawCacheRead => 9,
        Field::Output => 10,
        Field::Reasoning => 11,
        Field::AudioOutput => 12,
        Field::ImageOutput => 13,
        Field::RawOutput => 14,
        Field::Total => 15,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counts: &[(Field, u64)]) -> TokenCounts {
        let mut all = TokenCounts::default();
        for (field, tokens) in counts {
            all.read(*field, *tokens);
        }
        all
    }

    #[track_caller]
    fn check(reports: &[&[(Field, u64)]], is_complete: bool, expected: &[(Field, u64)]) {
        let mut known = TokenCounts::default();
        for report in reports {
            known.update(&counts(report), is_complete);
        }
        assert_eq!(known, counts(expected), "{reports:?}");
    }

    const START: [(Field, u64); 2] = [(Field::Input, 1_200), (Field::CacheRead, 300)];

    #[test]
    fn each_field_has_its_position() {
        for (at, field) in FIELDS.into_iter().enumerate() {
            assert_eq!(position(field), Some(at), "{field:?}");
        }
    }

    #[test]
    fn placeholders_of_zero_change_nothing_that_is_known() {
        for is_complete in [true, false] {
            let zeros = [(Field::Input, 0), (Field::CacheRead, 0), (Field::Output, 0)];
            let known = [START[0], START[1], (Field::Output, 57)];
            check(&[&known, &zeros], is_complete, &known);
            let zero = [(Field::Input, 0), (Field::CacheRead, 300)];
            let zero_total = [(Field::Input, 0), (Field::Output, 0), (Field::Total, 0)];
            check(
                &[&known, &[(Field::Total, 9)], &zero_total],
                is_complete,
                &{ [known[0], known[1], known[2], (Field::Total, 9)] },
            );
            check(&[&known, &zero], is_complete, &known);
            // A part of 0 alone is one, too.
            check(&[&START, &[(Field::CacheRead, 0)]], is_complete, &START);
            // What is not 0 beside a count of 0 is news all the same.
            let part = [(Field::Input, 0), (Field::CacheRead, 301)];
            check(&[&START, &part], is_complete, &[START[0], part[1]]);
        }
        check(&[&[(Field::Input, 0)]], true, &[(Field::Input, 0)]);
    }

    #[test]
    fn a_correction_up_or_down_counts() {
        for (is_complete, input) in [(true, 9), (false, 9), (true, 5_000), (false, 5_000)] {
            let later = [(Field::Input, input), (Field::CacheRead, 0)];
            check(&[&START, &later], is_complete, &later);
        }
        // Nothing was cached at first, and then nearly all of it, or all.
        for later in [[100, 9_900], [0, 10_000]] {
            let first = [(Field::Input, 10_000), (Field::CacheRead, 0)];
            let later = [(Field::Input, later[0]), (Field::CacheRead, later[1])];
            check(&[&first, &later], false, &later);
        }
    }

    #[test]
    fn a_complete_object_replaces_and_a_partial_one_is_merged() {
        let later = [(Field::Input, 1_300)];
        check(&[&START, &later], true, &later);
        check(&[&START, &later], false, &[later[0], START[1]]);
        let cached = [(Field::CacheRead, 3_604)];
        check(&[&[(Field::Input, 3_602)], &cached], false, &{
            [(Field::Input, 3_602), (Field::CacheRead, 3_604)]
        });
        // Gemini leaves out counts of 0.
        let first = [
            (Field::Input, 9),
            (Field::Output, 21),
            (Field::Reasoning, 35),
        ];
        let last = [
            (Field::Input, 87),
            (Field::Reasoning, 78),
            (Field::Total, 165),
        ];
        check(&[&first, &last], true, &last);
        check(&[&first, &[(Field::Input, 9), (Field::Total, 9)]], true, &{
            [first[0], first[1], first[2], (Field::Total, 9)]
        });
        // What it leaves out is gone, even if the rest is less than before.
        let last = [(Field::Input, 87), (Field::Reasoning, 20)];
        check(&[&first, &last], true, &last);
    }

    #[test]
    fn a_total_stays_until_a_complete_object_leaves_it_out() {
        let [total, output] = [(Field::Total, 69), (Field::Output, 21)];
        let first = [(Field::Input, 48), output, total];
        let zeros = [(Field::Input, 0), (Field::Output, 0)];
        let more = [(Field::Output, 22)];
        check(&[&first, &zeros], true, &first);
        check(&[&first, &more], false, &[first[0], more[0], total]);
        check(&[&first, &more], true, &[first[0], more[0]]);
    }
}
