//! The few regular expressions used in boards.

/// Returns true if the whole text matches alternatives, in parentheses or not, each of which is
/// `.*`, `.+`, or a text with escaped special characters.
pub(super) fn fits(regex: &str, text: &str) -> bool {
    let inner = regex
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let inner = inner.unwrap_or(regex);
    inner.split('|').any(|one| match one {
        ".*" => true,
        ".+" => !text.is_empty(),
        _ => plain(one) == text,
    })
}

fn plain(regex: &str) -> String {
    let mut plain = String::new();
    let mut chars = regex.chars();
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => chars.next().expect("an escaped character"),
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' => {
                panic!("a regular expression unknown to the tests: {regex}")
            }
            char => char,
        });
    }
    plain
}
