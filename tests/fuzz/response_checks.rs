//! Checks that a response matches its headers.

use std::collections::BTreeSet;
use std::io::Read;

use axum::http::{HeaderMap, Method};
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::expected::{Expected, Format, Rules, Scrape};
use crate::families::{FAMILIES, Family, escape};

/// Checks that a response has exactly these headers, so none that echoes the request.
pub(crate) fn check_headers(
    headers: &HeaderMap,
    method: &Method,
    expected: &Expected,
    rules: &Rules,
) {
    let mut documented: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (name, value) in headers {
        let value = value.to_str().unwrap();
        assert!(documented.insert((name.as_str(), value)), "{name} twice");
    }
    documented.retain(|(name, value)| *name != "content-length" || value.parse::<u32>().is_err());
    let mut due = BTreeSet::new();
    if !matches!(expected, Expected::NotFound) {
        due.insert(("cache-control", "no-store"));
        due.insert(("x-content-type-options", "nosniff"));
        // axum sets it on every response, whatever else is wrong with the request.
        if ![Method::GET, Method::HEAD].contains(method) {
            due.insert(("allow", "GET,HEAD"));
        }
    }
    match expected {
        Expected::NotFound
        | Expected::Forbidden
        | Expected::QueryTooLong
        | Expected::MethodNotAllowed => {}
        Expected::Unauthorized => {
            if rules.bearer {
                due.insert(("www-authenticate", "Bearer"));
            }
            if rules.basic {
                let basic = r#"Basic realm="metrics", charset="UTF-8""#;
                due.insert(("www-authenticate", basic));
            }
        }
        Expected::Busy => {
            due.insert(("retry-after", "1"));
            due.insert(("content-type", "text/plain; charset=utf-8"));
        }
        Expected::Summary(codings) => {
            due.insert(("content-type", "application/json"));
            due.insert(("vary", "accept-encoding"));
            documented
                .retain(|(name, value)| *name != "content-encoding" || !codings.contains(value));
        }
        Expected::Scrape(scrape) => {
            due.insert(("content-type", &scrape.content_type));
            due.insert(("vary", "accept, accept-encoding"));
            due.extend(scrape.coding.map(|coding| ("content-encoding", coding)));
        }
    }
    assert_eq!(documented, due);
}

pub(crate) fn check_summary(headers: &HeaderMap, sent: &[u8]) {
    let length = headers["content-length"].to_str().unwrap();
    assert_eq!(length, sent.len().to_string());
    let coding = headers.get("content-encoding");
    let body = decompressed(sent, coding.map(|coding| coding.to_str().unwrap()));
    let json: Value = serde_json::from_slice(&body).unwrap();
    let names = json["snapshots"].as_object().unwrap();
    let of_registry = |name: &String| FAMILIES.iter().any(|family| family.name == name);
    assert!(names.keys().all(of_registry), "{json}");
    let short = FAMILIES.iter().filter(|family| family.name.len() < 12);
    assert!(short.clone().count() == 5 && short.clone().all(|one| names.contains_key(one.name)));
}

/// Checks that a scrape has exactly the requested families.
pub(crate) fn check_body(sent: &[u8], scrape: &Scrape) {
    let body = decompressed(sent, scrape.coding);
    let families: Vec<_> = FAMILIES
        .iter()
        .filter(|one| is_wanted(one, scrape))
        .collect();
    match scrape.format {
        Format::Text | Format::OpenMetrics => check_text(&body, &families, scrape),
        Format::Protobuf => check_protobuf(&body, &families, scrape),
        Format::Json => check_json(&body, &families, scrape),
    }
}

fn is_wanted(family: &Family, scrape: &Scrape) -> bool {
    let names = scrape.names.as_ref();
    names.is_none_or(|names| names.iter().any(|name| family.is_called(name)))
}

fn decompressed(sent: &[u8], coding: Option<&str>) -> Vec<u8> {
    match coding {
        Some("gzip") => {
            let (mut body, mut rest) = (Vec::new(), sent);
            GzDecoder::new(&mut rest).read_to_end(&mut body).unwrap();
            assert!(rest.is_empty(), "something follows the end");
            body
        }
        Some("zstd") => zstd::stream::decode_all(sent).unwrap(),
        _ => sent.to_vec(),
    }
}

fn check_text(body: &[u8], families: &[&Family], scrape: &Scrape) {
    let mut text = std::str::from_utf8(body).unwrap();
    if scrape.format == Format::OpenMetrics {
        text = text.strip_suffix("# EOF\n").expect("an end");
    }
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    let mut families = families.iter();
    let mut started: Option<(String, usize)> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let family = families.next().expect("no more than were asked for");
            let name = match scrape.format {
                Format::OpenMetrics => family.openmetrics(),
                _ => family.exposed(),
            };
            let name = escape(&name, scrape.scheme);
            let shown = rest.rsplit_once(' ').unwrap().0.trim_matches('"');
            assert_eq!(shown, name);
            assert!(started.is_none_or(|(_, series)| series > 0), "{text}");
            started = Some((name, 0));
        } else if !line.starts_with('#') {
            let (name, series) = started.as_mut().expect("a header");
            let short = line.trim_start_matches(['{', '"']);
            assert!(short.starts_with(name.as_str()), "{line}");
            let (_, value) = line.rsplit_once(' ').unwrap();
            value.parse::<f64>().unwrap();
            *series += 1;
        }
    }
    assert!(families.next().is_none(), "{text}");
}

fn check_json(body: &[u8], families: &[&Family], scrape: &Scrape) {
    let json: Value = serde_json::from_slice(body).unwrap();
    assert!(body.ends_with(b"}\n"));
    let all = families.iter().flat_map(|family| family.series);
    let limit = scrape.limit.unwrap_or(usize::MAX);
    let due: BTreeSet<_> = all.clone().take(limit).copied().collect();
    let metrics = json["metrics"].as_object().unwrap();
    let keys: BTreeSet<_> = metrics.keys().map(String::as_str).collect();
    assert_eq!(keys, due);
    let is_truncated = json.get("truncated").is_some();
    assert_eq!(is_truncated, all.count() > limit, "{json}");
}

fn check_protobuf(mut body: &[u8], families: &[&Family], scrape: &Scrape) {
    for family in families {
        let length = varint(&mut body);
        let (mut message, rest) = body.split_at(length);
        body = rest;
        let mut name = None;
        while !message.is_empty() {
            let key = varint(&mut message);
            let length = match key & 7 {
                0 => {
                    varint(&mut message);
                    0
                }
                1 => 8,
                2 => varint(&mut message),
                5 => 4,
                other => panic!("no wire type {other}"),
            };
            let (field, rest) = message.split_at(length);
            message = rest;
            if key >> 3 == 1 {
                name = Some(std::str::from_utf8(field).unwrap().to_owned());
            }
        }
        assert_eq!(name, Some(escape(&family.exposed(), scrape.scheme)));
    }
    assert!(body.is_empty(), "more than was asked for");
}

fn varint(bytes: &mut &[u8]) -> usize {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().expect("a whole number");
        *bytes = rest;
        number |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return number;
        }
    }
}
