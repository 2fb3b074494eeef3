//! Small files that say a number, or several by name.

use std::fs;
use std::path::Path;

pub(super) fn read_text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Returns the number that is all there is in a file.
pub(super) fn read_number(path: &Path) -> Option<f64> {
    parse_number(read_text(path)?.trim())
}

/// Returns the number that is called `name` in a file of such lines: `name number`.
pub(super) fn read_field(path: &Path, name: &str) -> Option<f64> {
    let text = read_text(path)?;
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let (_, number) = lines.find(|(own, _)| *own == name)?;
    parse_number(number.trim())
}

/// Reads a whole number that is not negative, since all else says that there is none.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    text.parse::<u64>().ok().map(|number| number as f64)
}
