//! Parsing of `Accept` and `Accept-Encoding` (RFC 9110, sections 12.4.2 and 12.5).
//!
//! The crate `headers-accept` reads only the first of several headers, rejects a header with one
//! malformed element, and parses media types only. Here such an element is skipped, so that no
//! scrape fails.

use axum::http::HeaderMap;
use axum::http::header::HeaderName;

/// The maximum number of elements that are parsed. Real clients send a few.
const MAX_ELEMENTS: usize = 64;

/// One element of the header: a media type or a content coding.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Preference {
    /// In lower case, such as `text/plain` or `gzip`.
    pub(crate) name: String,
    /// The parameters, with their names in lower case.
    params: Vec<(String, String)>,
    /// The q-value in thousandths: from 0, not acceptable, to 1000.
    pub(crate) weight: u16,
}

impl Preference {
    /// Returns the value of a parameter, by its name in lower case.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let param = self.params.iter().find(|(key, _)| key == name);
        param.map(|(_, value)| value.as_str())
    }
}

/// Returns the elements of the header, sorted by descending q-value; ties keep header order.
/// Malformed elements are skipped.
pub(crate) fn preferences(headers: &HeaderMap, name: &HeaderName) -> Vec<Preference> {
    let values = headers.get_all(name).into_iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let elements = values
        .flat_map(|value| split(value, ','))
        .take(MAX_ELEMENTS);
    let mut preferences: Vec<Preference> = Vec::new();
    for element in elements.filter_map(parse_element) {
        let position = preferences.partition_point(|other| other.weight >= element.weight);
        preferences.insert(position, element);
    }
    preferences
}

fn parse_element(text: &str) -> Option<Preference> {
    let mut parts = split(text, ';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let mut preference = Preference {
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
            preference.weight = parse_weight(value)?;
        } else {
            preference.params.push((name, unquote(value)));
        }
    }
    Some(preference)
}

/// Parses a q-value: `0`, `1`, or a fraction with up to three digits.
fn parse_weight(text: &str) -> Option<u16> {
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

/// Splits a text at a separator, except within quoted strings.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |char| {
        let is_separator = char == separator && !is_quoted;
        if char == '"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = is_quoted && char == '\\' && !is_escaped;
        is_separator
    })
}

/// Decodes a quoted string. Other texts are returned as they are.
fn unquote(text: &str) -> String {
    let quoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let Some(quoted) = quoted else {
        return text.to_owned();
    };
    let mut is_escaped = false;
    let chars = quoted.chars().filter(|char| {
        is_escaped = *char == '\\' && !is_escaped;
        !is_escaped
    });
    chars.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::ACCEPT;

    fn parse(values: &[&str]) -> Vec<(String, u16)> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, value.parse().unwrap());
        }
        let preferences = preferences(&headers, &ACCEPT).into_iter();
        preferences.map(|one| (one.name, one.weight)).collect()
    }

    #[test]
    fn elements_are_sorted_by_weight_and_ties_keep_their_order() {
        let parsed = parse(&[
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
            parsed,
            expected.map(|(name, weight)| (name.to_owned(), weight))
        );
    }

    #[test]
    fn malformed_elements_are_skipped() {
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
            assert_eq!(parse(&[&text]), [("b/b".to_owned(), 1_000)], "{bad}");
        }
    }

    #[test]
    fn separators_in_quoted_strings_do_not_split() {
        let mut headers = HeaderMap::new();
        let text = r#"a/a; one="x;y,\"z" ;Two=2;three, b/b"#;
        headers.insert(ACCEPT, text.parse().unwrap());
        let preferences = preferences(&headers, &ACCEPT);
        assert_eq!(preferences.len(), 2);
        assert_eq!(preferences[0].param("one"), Some("x;y,\"z"));
        assert_eq!(preferences[0].param("two"), Some("2"));
        assert_eq!(preferences[0].param("three"), None);
    }

    #[test]
    fn elements_beyond_the_maximum_are_ignored() {
        let text = vec!["a/a;q=0.5"; 1_000].join(",");
        assert_eq!(parse(&[&text]).len(), MAX_ELEMENTS);
    }
}
