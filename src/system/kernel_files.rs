//! Small text files of the kernel, which contain a number, or numbers by name.

use std::fs;
use std::path::Path;

pub(super) fn read_text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Reads a file that contains one number.
pub(super) fn read_number(path: &Path) -> Option<f64> {
    parse_number(read_text(path)?.trim())
}

/// Reads the number of `name` in a file with lines of `name number`.
pub(super) fn read_field(path: &Path, name: &str) -> Option<f64> {
    let text = read_text(path)?;
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let (_, number) = lines.find(|(key, _)| *key == name)?;
    parse_number(number.trim())
}

/// Parses a non-negative integer. The kernel writes anything else, such as `max` or `-1`, if
/// there is no value.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    text.parse::<u64>().ok().map(|number| number as f64)
}
