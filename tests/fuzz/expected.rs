//! What the documentation says an answer is, told as plainly as it can be.

use std::net::IpAddr;

use axum::extract::ConnectInfo;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};

use crate::families::SCHEMES;

pub(crate) const TOKEN: &str = "a token";
/// Of `user:password`.
pub(crate) const PASSWORD: &str = "dXNlcjpwYXNzd29yZA==";
pub(crate) const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// How a router is set up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// The path at which it is nested, or nothing.
    pub(crate) mount: &'static str,
    pub(crate) bearer: bool,
    pub(crate) basic: bool,
    /// Whether only 127.0.0.0/8 and `::1` are answered.
    pub(crate) networks: bool,
    /// How many scrapes there may be at a time.
    pub(crate) most: usize,
    /// Whether the deadline is over before a scrape begins.
    pub(crate) deadline: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    OpenMetrics,
    Protobuf,
    Json,
}

/// Whether there is time enough to make an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Time {
    Over,
    /// It depends on how long this takes here.
    Short,
    #[default]
    Enough,
}

/// A scrape.
#[derive(Debug, Clone)]
pub(crate) struct Scrape {
    pub(crate) format: Format,
    /// As it is counted.
    pub(crate) label: &'static str,
    pub(crate) content_type: String,
    pub(crate) scheme: &'static str,
    pub(crate) coding: Option<&'static str>,
    pub(crate) names: Option<Vec<String>>,
    pub(crate) limit: Option<usize>,
    pub(crate) time: Time,
}

#[derive(Debug)]
pub(crate) enum Expected {
    NotFound,
    Forbidden,
    Unauthorized,
    QueryTooLong,
    MethodNotAllowed,
    Busy,
    Summary,
    Scrape(Box<Scrape>),
}

impl Expected {
    /// Returns the answer to a request while scrapes of these clients are under way, of each
    /// that is known at most one.
    pub(crate) fn of(head: &Parts, rules: &Rules, under_way: &[Option<Client>]) -> Self {
        let path = head.uri.path();
        let Some(path) = path.strip_prefix(rules.mount) else {
            return Self::NotFound;
        };
        let path = match path {
            "" if !rules.mount.is_empty() => "/",
            "/" if !rules.mount.is_empty() => return Self::NotFound,
            path => path,
        };
        let path = match path {
            "/json/" => "/json",
            "/summary/" => "/summary",
            path => path,
        };
        if !["/", "/json", "/summary"].contains(&path) {
            return Self::NotFound;
        }
        if rules.networks && !is_near(head) {
            return Self::Forbidden;
        }
        if (rules.bearer || rules.basic) && !is_known(&head.headers, rules) {
            return Self::Unauthorized;
        }
        let query = head.uri.query().unwrap_or("");
        if query.len() > 8 * 1024 {
            return Self::QueryTooLong;
        }
        if head.method != Method::GET && head.method != Method::HEAD {
            return Self::MethodNotAllowed;
        }
        // One client alone never has both of two places.
        let client = client(head);
        let has_one = client.is_some() && under_way.contains(&client);
        if under_way.len() >= rules.most || (has_one && rules.most <= 2) {
            return Self::Busy;
        }
        if path == "/summary" {
            return Self::Summary;
        }
        let mut scrape = match path {
            "/json" => plain(Format::Json),
            _ => negotiated(&wishes(&head.headers, &ACCEPT)),
        };
        scrape.coding = coding(&wishes(&head.headers, &ACCEPT_ENCODING));
        for (name, value) in pairs(query) {
            if name == "name[]" {
                scrape.names.get_or_insert_default().push(value);
            } else if name == "limit" && scrape.format == Format::Json {
                scrape.limit = number(&value).or(scrape.limit);
            }
        }
        scrape.time = match rules.deadline {
            Time::Enough => time(&head.headers),
            short => short,
        };
        Self::Scrape(Box::new(scrape))
    }
}

/// An address as it is limited: one of IPv4, or an IPv6 network of 64 bits.
pub(crate) type Client = Vec<u16>;

/// Returns whose request it is, if that is known.
pub(crate) fn client(head: &Parts) -> Option<Client> {
    let peer = head.extensions.get::<ConnectInfo<std::net::SocketAddr>>();
    peer.map(|ConnectInfo(peer)| match peer.ip().to_canonical() {
        IpAddr::V4(peer) => peer.octets().map(u16::from).to_vec(),
        IpAddr::V6(peer) => [&[6], &peer.segments()[..4]].concat(),
    })
}

fn is_near(head: &Parts) -> bool {
    let peer = head.extensions.get::<ConnectInfo<std::net::SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| match peer.ip() {
        IpAddr::V4(peer) => peer.octets()[0] == 127,
        IpAddr::V6(peer) => {
            let mapped = peer.segments()[..6] == [0, 0, 0, 0, 0, 0xffff];
            peer.is_loopback() || mapped && peer.octets()[12] == 127
        }
    })
}

/// Returns true for exactly one header, of a scheme in any case and its secret.
fn is_known(headers: &HeaderMap, rules: &Rules) -> bool {
    let values: Vec<_> = headers.get_all(AUTHORIZATION).iter().collect();
    let [value] = values[..] else {
        return false;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    let blank = [' ', '\t'];
    let text = text.trim_matches(blank);
    let Some((scheme, shown)) = text.split_once(blank) else {
        return false;
    };
    let shown = shown.trim_start_matches(blank);
    match scheme.to_lowercase().as_str() {
        "bearer" => rules.bearer && shown == TOKEN,
        "basic" => rules.basic && shown == PASSWORD,
        _ => false,
    }
}

/// One of the things that a client would take.
struct Wish {
    name: String,
    params: Vec<(String, String)>,
    /// In thousandths.
    weight: u32,
}

impl Wish {
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

/// Reads the first 64 of what a client would take; RFC 9110, sections 5.6 and 12.4.2.
fn wishes(headers: &HeaderMap, name: &HeaderName) -> Vec<Wish> {
    let mut all = Vec::new();
    for value in headers.get_all(name) {
        let is_text = |byte: &u8| *byte == b'\t' || (b' '..=b'~').contains(byte);
        if value.as_bytes().iter().all(is_text) {
            all.extend(cut(&String::from_utf8_lossy(value.as_bytes()), ','));
        }
    }
    all.truncate(64);
    all.iter().filter_map(|text| wish(text)).collect()
}

fn wish(text: &str) -> Option<Wish> {
    let parts = cut(text, ';');
    let name = parts[0].trim().to_lowercase();
    let mut wish = Wish {
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

/// Cuts a text at a character that does not stand in quotes.
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

/// Returns the format that is liked best, the first of those that are liked as much.
fn negotiated(wishes: &[Wish]) -> Scrape {
    let mut best: Option<(&Wish, Format, &str)> = None;
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
        // JSON only if it is liked better than anything else that there is.
        let rival = wishes.iter().any(|other| {
            let format = other.format();
            other.weight == wish.weight && format.is_some_and(|(format, _)| format != Format::Json)
        });
        return plain(if rival { Format::Text } else { Format::Json });
    }
    let mut scrape = plain(format);
    let asked = SCHEMES
        .into_iter()
        .find(|scheme| wish.param("escaping") == Some(*scheme));
    scrape.scheme = asked.unwrap_or("underscores");
    if format != Format::Protobuf {
        scrape.content_type = match format {
            Format::Text => format!("text/plain; version={version}; charset=utf-8"),
            _ => format!("application/openmetrics-text; version={version}; charset=utf-8"),
        };
    }
    if format == Format::Text && version == "1.0.0" {
        scrape.label = "text_v1";
    }
    if asked.is_some() || scrape.label == "text_v1" {
        scrape.content_type += "; escaping=";
        scrape.content_type += scrape.scheme;
    }
    scrape
}

/// Returns a scrape of which nothing in particular was asked.
fn plain(format: Format) -> Scrape {
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

fn coding(wishes: &[Wish]) -> Option<&'static str> {
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

/// Reads a query as forms write it.
fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let equals = part.find('=').unwrap_or(part.len());
        let value = part.get(equals + 1..).unwrap_or("");
        (decoded(&part[..equals]), decoded(value))
    };
    parts.map(pair).collect()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    let (mut plain, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push(u8::try_from(high * 16 + low).unwrap());
                at += 3;
                continue;
            }
            (b'+', ..) => plain.push(b' '),
            (byte, ..) => plain.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn number(text: &str) -> Option<usize> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let digits = digits.chars().map(|char| char.to_digit(10));
    let add = |sum: usize, digit: Option<u32>| {
        sum.checked_mul(10)?
            .checked_add(usize::try_from(digit?).ok()?)
    };
    let mut digits = digits.peekable();
    digits.peek()?;
    digits.try_fold(0, add)
}

/// Returns whether a scraper waits long enough, if it says so in seconds. Less than a second
/// counts as a second, and a negative time is none.
fn time(headers: &HeaderMap) -> Time {
    let value = headers.get("x-prometheus-scrape-timeout-seconds");
    let text = value.map(|value| String::from_utf8_lossy(value.as_bytes()));
    match text.and_then(|text| text.parse::<f64>().ok()) {
        Some(seconds) if (0.0..1_000.0).contains(&seconds) => Time::Short,
        _ => Time::Enough,
    }
}
