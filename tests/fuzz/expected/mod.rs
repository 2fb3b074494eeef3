//! What the documentation says a response is, as a plain model.

mod accept;
mod query;

use std::net::IpAddr;

use axum::extract::ConnectInfo;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};

use self::accept::{coding, codings, negotiated, plain, preferences};
use self::query::{number, pairs};

pub(crate) const TOKEN: &str = "a token";

/// Of `user:password`.
pub(crate) const PASSWORD: &str = "dXNlcjpwYXNzd29yZA==";

pub(crate) const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// The settings of a router.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// The path at which it is nested, or nothing.
    pub(crate) mount: &'static str,
    pub(crate) bearer: bool,
    pub(crate) basic: bool,
    /// Whether only 127.0.0.0/8 and `::1` are answered.
    pub(crate) networks: bool,
    /// The maximum of concurrent scrapes.
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

/// Whether the deadline leaves time for a response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Time {
    Over,
    /// Depends on the speed of this machine.
    Short,
    #[default]
    Enough,
}

/// A scrape.
#[derive(Debug, Clone)]
pub(crate) struct Scrape {
    pub(crate) format: Format,
    /// The value of the label `format`.
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
    /// The summary, in one of these codings or in none.
    Summary(Vec<&'static str>),
    Scrape(Box<Scrape>),
}

impl Expected {
    /// Returns the expected response while scrapes of these clients are in flight; each known
    /// client has at most one.
    pub(crate) fn for_request(head: &Parts, rules: &Rules, under_way: &[Option<Client>]) -> Self {
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
        // One client never has both of two permits.
        let client = client(head);
        let has_one = client.is_some() && under_way.contains(&client);
        if under_way.len() >= rules.most || (has_one && rules.most <= 2) {
            return Self::Busy;
        }
        if path == "/summary" {
            let named = codings(&head.headers);
            return Self::Summary(named);
        }
        let mut scrape = match path {
            "/json" => plain(Format::Json),
            _ => negotiated(&preferences(&head.headers, &ACCEPT)),
        };
        scrape.coding = coding(&preferences(&head.headers, &ACCEPT_ENCODING));
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

/// The unit of the limit per address: an IPv4 address, or an IPv6 network of 64 bits.
pub(crate) type Client = Vec<u16>;

/// Returns the client of a request, if it is known.
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
