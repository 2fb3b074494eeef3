//! Headers in which a client says what it would rather have: `Accept` and
//! `Accept-Encoding` (RFC 9110, sections 12.4.2 and 12.5).

use axum::http::HeaderMap;
use axum::http::header::HeaderName;

/// So many choices of one request are looked at; a client has a handful.
const MOST: usize = 64;

/// One thing that a client would take.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Preference {
    /// What it is, in lower case: `text/plain`, `gzip`.
    pub(super) name: String,
    /// What else is said of it, the names in lower case.
    params: Vec<(String, String)>,
    /// How much it is liked, from 0, not at all, to 1000.
    pub(super) weight: u16,
}

impl Preference {
    /// Returns what is said of it under a name in lower case.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        let param = self.params.iter().find(|(own, _)| own == name);
        param.map(|(_, value)| value.as_str())
    }
}

/// Returns a client's choices, the dearest first, and of those that are equally dear
/// the first one first. What cannot be read is left out.
pub(super) fn preferences(headers: &HeaderMap, name: &HeaderName) -> Vec<Preference> {
    let values = headers.get_all(name).into_iter();
    // A header that is not text says nothing.
    let values = values.filter_map(|value| value.to_str().ok());
    let choices = values.flat_map(|value| split(value, ',')).take(MOST);
    let mut choices: Vec<_> = choices.filter_map(choice).collect();
    choices.sort_by_key(|choice| std::cmp::Reverse(choice.weight));
    choices
}

fn choice(text: &str) -> Option<Preference> {
    let mut parts = split(text, ';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let mut choice = Preference {
        name: name.to_ascii_lowercase(),
        params: Vec::new(),
        weight: 1_000,
    };
    for part in parts {
        let Some((name, value)) = part.split_once('=') else {
            continue;
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if name == "q" {
            choice.weight = weight(value)?;
        } else {
            choice.params.push((name, unquote(value)));
        }
    }
    Some(choice)
}

/// Reads a weight: `0`, `1`, or a fraction of up to three digits.
fn weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1_000),
        _ => None,
    }
}

/// Splits a text where a character stands outside of quotes.
fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |char| {
        let splits = char == at && !quoted;
        if char == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && char == '\\' && !escaped;
        splits
    })
}

fn unquote(text: &str) -> String {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let Some(inner) = inner else {
        return text.to_owned();
    };
    let mut escaped = false;
    let plain = inner.chars().filter(|char| {
        escaped = *char == '\\' && !escaped;
        !escaped
    });
    plain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::ACCEPT;

    fn read(values: &[&str]) -> Vec<(String, u16)> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, value.parse().unwrap());
        }
        let choices = preferences(&headers, &ACCEPT).into_iter();
        choices.map(|choice| (choice.name, choice.weight)).collect()
    }

    #[test]
    fn the_dearest_comes_first_and_of_the_equally_dear_the_first() {
        let read = read(&[
            "a/a;q=0.2, b/b , C/C;version=1;q=0.75",
            "d/d;q=1.000,e/e;q=0",
        ]);
        let expected = [
            ("b/b", 1_000),
            ("d/d", 1_000),
            ("c/c", 750),
            ("a/a", 200),
            ("e/e", 0),
        ];
        assert_eq!(
            read,
            expected.map(|(name, weight)| (name.to_owned(), weight))
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_out_alone() {
        for bad in [
            "a/a;q=2",
            "a/a;q=-1",
            "a/a;q=0.1234",
            "a/a;q=",
            "a/a;q=1.5",
            ";q=1",
            "",
            ",,",
        ] {
            let text = format!("{bad},b/b");
            assert_eq!(read(&[&text]), [("b/b".to_owned(), 1_000)], "{bad}");
        }
    }

    #[test]
    fn quotes_hide_what_splits_and_are_taken_off() {
        let mut headers = HeaderMap::new();
        let text = r#"a/a; one="x;y,\"z" ;Two=2;three, b/b"#;
        headers.insert(ACCEPT, text.parse().unwrap());
        let choices = preferences(&headers, &ACCEPT);
        assert_eq!(choices.len(), 2);
        assert_eq!(choices[0].param("one"), Some("x;y,\"z"));
        assert_eq!(choices[0].param("two"), Some("2"));
        assert_eq!(choices[0].param("three"), None);
    }

    #[test]
    fn a_thousand_choices_cost_no_more_than_the_first_of_them() {
        let text = vec!["a/a;q=0.5"; 1_000].join(",");
        assert_eq!(read(&[&text]).len(), MOST);
    }
}
