//! The `Accept` and `Accept-Encoding` headers: RFC 9110, sections 5.6 and 12.4.2, as plainly as possible.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_ENCODING, HeaderName};

use super::{Format, PROTOBUF, Scrape, Time};
use crate::families::SCHEMES;

/// One element of an `Accept` header.
pub(super) struct Preference {
    pub(super) name: String,
    pub(super) params: Vec<(String, String)>,
    /// In thousandths.
    pub(super) weight: u32,
}

impl Preference {
    fn param(&self, name: &str) -> Option<&str> {
        let (_, value) = self.params.iter().find(|(own, _)| own == name)?;
        Some(value)
    }

    /// Returns the format it names, and its version.
    fn format(&self) -> Option<(Format, &'static str)> {
        let version = self.param("version").unwrap_or("none");
        let is = |name: &str, value| self.param(name) == Some(value);
        match self.name.as_str() {
            "*/*" | "text/*" => Some((Format::Text, "0.0.4")),
            "text/plain" if version == "1.0.0" => Some((Format::Text, "1.0.0")),
            "text/plain" if ["none", "0.0.4"].contains(&version) => Some((Format::Text, "0.0.4")),
            "application/openmetrics-text" => match version {
                "1.0.0" => Some((Format::OpenMetrics, "1.0.0")),
                "none" | "0.0.1" => Some((Format::OpenMetrics, "0.0.1")),
                _ => None,
            },
            "application/vnd.google.protobuf" => {
                let message = is("proto", "io.prometheus.client.MetricFamily");
                (message && is("encoding", "delimited")).then_some((Format::Protobuf, ""))
            }
            "application/json" => Some((Format::Json, "")),
            _ => None,
        }
    }
}

/// Parses the first 64 elements; RFC 9110, sections 5.6 and 12.4.2.
pub(super) fn preferences(headers: &HeaderMap, name: &HeaderName) -> Vec<Preference> {
    let mut all = Vec::new();
    for value in headers.get_all(name) {
        let is_text = |byte: &u8| *byte == b'\t' || (b' '..=b'~').contains(byte);
        if value.as_bytes().iter().all(is_text) {
            all.extend(cut(&String::from_utf8_lossy(value.as_bytes()), ','));
        }
    }
    all.truncate(64);
    all.iter().filter_map(|text| preference(text)).collect()
}

fn preference(text: &str) -> Option<Preference> {
    let parts = cut(text, ';');
    let name = parts[0].trim().to_lowercase();
    let mut wish = Preference {
        name,
        params: Vec::new(),
        weight: 1_000,
    };
    for part in &parts[1..] {
        let Some(equals) = part.find('=') else {
            continue;
        };
        let name = part[..equals].trim().to_lowercase();
        let value = part[equals + 1..].trim();
        if name == "q" {
            wish.weight = weight(value)?;
        } else {
            wish.params.push((name, unquoted(value)));
        }
    }
    (!wish.name.is_empty()).then_some(wish)
}

/// Splits a text at a character outside of quotes.
fn cut(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    let mut quoted = false;
    while let Some(char) = chars.next() {
        if char == at && !quoted {
            parts.push(String::new());
            continue;
        }
        let part = parts.last_mut().unwrap();
        part.push(char);
        if char == '"' {
            quoted = !quoted;
        } else if char == '\\' && quoted {
            part.extend(chars.next());
        }
    }
    parts
}

fn unquoted(text: &str) -> String {
    if text.len() < 2 || !text.starts_with('"') || !text.ends_with('"') {
        return text.to_owned();
    }
    let mut plain = String::new();
    let mut chars = text[1..text.len() - 1].chars();
    while let Some(char) = chars.next() {
        plain.extend(if char == '\\' {
            chars.next()
        } else {
            Some(char)
        });
    }
    plain
}

/// Reads `0` to `1` with at most three decimals.
fn weight(text: &str) -> Option<u32> {
    let mut bytes = text.bytes();
    let whole = match bytes.next()? {
        b'0' => 0,
        b'1' => 1_000,
        _ => return None,
    };
    match bytes.next() {
        None => return Some(whole),
        Some(b'.') => {}
        Some(_) => return None,
    }
    let mut weight = whole;
    for worth in [100, 10, 1] {
        match bytes.next() {
            None => break,
            Some(digit @ b'0'..=b'9') => weight += u32::from(digit - b'0') * worth,
            Some(_) => return None,
        }
    }
    (bytes.next().is_none() && weight <= 1_000).then_some(weight)
}

/// Returns the format with the highest weight, the first one of equal weights.
pub(super) fn negotiated(wishes: &[Preference]) -> Scrape {
    let mut best: Option<(&Preference, Format, &str)> = None;
    for wish in wishes.iter().filter(|wish| wish.weight > 0) {
        let Some((format, version)) = wish.format() else {
            continue;
        };
        if best.is_none_or(|(other, ..)| wish.weight > other.weight) {
            best = Some((wish, format, version));
        }
    }
    let Some((wish, format, version)) = best else {
        return plain(Format::Text);
    };
    if format == Format::Json {
        // JSON only if its weight is higher than that of every other format.
        let rival = wishes.iter().any(|other| {
            let format = other.format();
            other.weight == wish.weight && format.is_some_and(|(format, _)| format != Format::Json)
        });
        return plain(if rival { Format::Text } else { Format::Json });
    }
    let mut scrape = plain(format);
    let scheme = SCHEMES
        .into_iter()
        .find(|scheme| wish.param("escaping") == Some(*scheme));
    scrape.scheme = scheme.unwrap_or("underscores");
    if format != Format::Protobuf {
        scrape.content_type = match format {
            Format::Text => format!("text/plain; version={version}; charset=utf-8"),
            _ => format!("application/openmetrics-text; version={version}; charset=utf-8"),
        };
    }
    if format == Format::Text && version == "1.0.0" {
        scrape.label = "text_v1";
    }
    if scheme.is_some() || scrape.label == "text_v1" {
        scrape.content_type += "; escaping=";
        scrape.content_type += scrape.scheme;
    }
    scrape
}

/// Returns a scrape with default options.
pub(super) fn plain(format: Format) -> Scrape {
    let (label, content_type) = match format {
        Format::Text => ("text", "text/plain; version=0.0.4; charset=utf-8"),
        Format::OpenMetrics => ("openmetrics", ""),
        Format::Protobuf => ("protobuf", PROTOBUF),
        Format::Json => ("json", "application/json"),
    };
    Scrape {
        format,
        label,
        content_type: content_type.to_owned(),
        scheme: "underscores",
        coding: None,
        names: None,
        limit: None,
        time: Time::Enough,
    }
}

/// Returns the supported codings that occur in `Accept-Encoding`.
///
/// tower-http selects the coding of a response that is not a scrape. Its rules for malformed
/// headers are not part of the documentation.
pub(super) fn codings(headers: &HeaderMap) -> Vec<&'static str> {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase());
    let text: String = values.collect();
    let mut codings = vec!["gzip", "zstd"];
    codings.retain(|coding| text.contains(coding));
    codings
}

pub(super) fn coding(wishes: &[Preference]) -> Option<&'static str> {
    let mut best = (0, None);
    for wish in wishes {
        let coding = match wish.name.as_str() {
            "gzip" | "x-gzip" => Some("gzip"),
            "zstd" => Some("zstd"),
            "identity" | "*" => None,
            _ => continue,
        };
        if wish.weight > best.0 {
            best = (wish.weight, coding);
        }
    }
    best.1
}
