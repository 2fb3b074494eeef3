//! Requests made of those of real clients, broken at random places.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderName};
use axum::http::{HeaderValue, Method, Request, Uri};
use fastrand::Rng;

const TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// What Prometheus, compatible scrapers, browsers and command-line clients send.
const ACCEPTS: [&str; 9] = [
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
     application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;\
     version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;\
     version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
     application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;\
     escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "text/plain;version=1.0.0;escaping=values",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "application/json, text/plain;q=0.9, */*;q=0.5",
    "application/json",
    "text/plain;version=0.0.4;q=1,*/*;q=0.1",
    "*/*",
];
const MEDIA: [&str; 11] = [
    "text/plain",
    "TEXT/Plain",
    "text/*",
    "*/*",
    "application/*",
    "application/json",
    "application/openmetrics-text",
    "application/vnd.google.protobuf",
    "image/png",
    "*",
    "",
];
const PARAMS: [&str; 22] = [
    "version=0.0.4",
    "version=1.0.0",
    "version=0.0.1",
    "Version = \"1.0.0\"",
    "version=\"1.\\0.0\"",
    "version=2.0.0",
    "version=",
    "escaping=allow-utf-8",
    "escaping=underscores",
    "escaping=dots",
    "escaping=values",
    "escaping=\"dots\"",
    "escaping=Dots",
    "proto=io.prometheus.client.MetricFamily",
    "encoding=delimited",
    "encoding=text",
    "charset=utf-8",
    "a=\"x;y,\\\"z\"",
    "b=\"",
    "c=\"\\\\\"",
    "=",
    "none",
];
const WEIGHTS: [&str; 19] = [
    "q=0",
    "q=0.0",
    "q=0.000",
    "q=0.001",
    "q=0.1",
    "q=0.5",
    "Q=0.50",
    "q=0.75",
    "q=0.999",
    "q=1",
    "q = 1.0 ",
    "q=1.000",
    "q=1.001",
    "q=2",
    "q=-1",
    "q=",
    "q=\"0.5\"",
    "q=.5",
    "q=0.1234",
];
const ENCODINGS: [&str; 5] = [
    "gzip",
    "gzip, deflate, br, zstd",
    "zstd;q=1.0, gzip;q=0.8, *;q=0.1",
    "identity",
    "gzip;q=1.0, identity; q=0.5, *;q=0",
];
const CODINGS: [&str; 10] = [
    "gzip", "GZip", "x-gzip", "zstd", "identity", "*", "br", "deflate", "", "gz ip",
];
const SHOWN: [&str; 8] = [
    "Bearer a token",
    "bearer  a token",
    "Basic dXNlcjpwYXNzd29yZA==",
    "BASIC dXNlcjpwYXNzd29yZA==",
    "Basic user:password",
    "Bearer dXNlcjpwYXNzd29yZA==",
    "Digest username=\"user\"",
    "Bearer ",
];
const TIMES: [&str; 19] = [
    "10",
    "9.999",
    "0.001",
    "15.000",
    "0",
    "-0",
    "0.0000000001",
    "1e-300",
    "1e300",
    "-1",
    "nan",
    "inf",
    "-infinity",
    "18446744073709551616",
    "0x10",
    "",
    "5s",
    "+3600",
    "1e9",
];
const PATHS: [&str; 12] = [
    "/", "/json", "/summary", "", "/JSON", "/json/", "//", "/%6Ason", "/json%00", "/..", "/j",
    "/unknown",
];
const QUERIES: [&str; 22] = [
    "name[]=jobs",
    "name[]=jobs_total",
    "name%5B%5D=mails",
    "name[]=mails_total",
    "name[]=disk.free",
    "name[]=disk_free",
    "name[]=queue",
    "name[]=queue_total",
    "name[]=seconds_count",
    "name[]=tachometer_scrapes",
    "name[]=tachometer_series",
    "name[]=tachometer_series_overflow",
    "name[]=",
    "name=jobs",
    "limit=0",
    "limit=1",
    "limit=7",
    "limit=%2B3",
    "limit=18446744073709551616",
    "limit=many",
    "limit=-1",
    "%",
];
const METHODS: [&str; 9] = [
    "POST", "OPTIONS", "TRACE", "CONNECT", "DELETE", "get", "GETS", "M-SEARCH", "PRI",
];
const PEERS: [&str; 7] = [
    "127.0.0.1:1",
    "127.255.0.9:65535",
    "[::1]:1",
    "[::ffff:127.0.0.1]:1",
    "128.0.0.1:1",
    "[::ffff:10.0.0.1]:1",
    "[::127.0.0.1]:1",
];

/// Writes requests.
pub(crate) struct Writer {
    peers: [SocketAddr; PEERS.len()],
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self {
            peers: PEERS.map(|peer| peer.parse().unwrap()),
        }
    }

    /// Returns a request to a router that is nested at `fallback_route`.
    pub(crate) fn request(&self, random: &mut Rng, mount: &str) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method(random);
        *request.uri_mut() = uri(random, mount);
        let headers = request.headers_mut();
        let mut add = |name: &HeaderName, most: usize, make: &mut dyn FnMut() -> Vec<u8>| {
            for _ in 0..most {
                let value = HeaderValue::from_bytes(&carried(make()));
                headers.append(name, value.unwrap());
            }
        };
        let lines = |random: &mut Rng| *random.choice([0, 1, 1, 1, 1, 2, 3].as_slice()).unwrap();
        add(&ACCEPT, lines(random), &mut || {
            list(random, &ACCEPTS, &MEDIA)
        });
        // Compression takes longest by far.
        let encodings = usize::from(random.u8(..6) == 0) * lines(random);
        add(&ACCEPT_ENCODING, encodings, &mut || {
            list(random, &ENCODINGS, &CODINGS)
        });
        let shown = *random.choice([0, 1, 1, 1, 1, 1, 1, 2].as_slice()).unwrap();
        add(&AUTHORIZATION, shown, &mut || mutated(random, &SHOWN));
        let times = usize::from(random.u8(..3) == 0) * lines(random);
        add(&TIMEOUT, times, &mut || mutated(random, &TIMES));
        if random.u8(..8) > 0 {
            let peer = *random.choice(&self.peers).unwrap();
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        request
    }
}

fn method(random: &mut Rng) -> Method {
    match random.u8(..16) {
        0 => {
            let mut method = mutated(random, &METHODS);
            method.retain(u8::is_ascii_alphanumeric);
            Method::from_bytes(&method).unwrap_or(Method::PATCH)
        }
        1 | 2 => Method::HEAD,
        _ => Method::GET,
    }
}

fn uri(random: &mut Rng, mount: &str) -> Uri {
    let start = match random.u8(..40) {
        0 => "http://here",
        1 => "/",
        2 => "*",
        _ => "",
    };
    let mut text = [start, mount].concat().into_bytes();
    // Mostly routes, since other paths return 404 at once.
    match random.u8(..16) {
        0 => text.extend(mutated(random, &PATHS)),
        1..5 => text.extend(b"/json"),
        5 => text.extend(b"/summary"),
        _ if mount.is_empty() => text.push(b'/'),
        _ => {}
    }
    if random.bool() {
        text.push(b'?');
        let query = text.len();
        for _ in 0..=random.u8(..4) {
            text.extend(mostly_whole(random, &QUERIES));
            text.push(b'&');
        }
        if random.u8(..64) == 0 {
            // As long as allowed, or a little more or less.
            text.resize(query + 8 * 1024 - 2 + random.usize(..5), b'q');
        }
    }
    let unreserved = |byte: &u8| (b'!'..=b'~').contains(byte) && !b"\"<>\\^`{|}#".contains(byte);
    for byte in &mut text {
        if !unreserved(byte) {
            *byte = b'%';
        }
    }
    // An invalid address never reaches a router.
    Uri::try_from(text).unwrap_or_default()
}

/// Returns a list of elements, most of them valid.
fn list(random: &mut Rng, whole: &[&str], names: &[&str]) -> Vec<u8> {
    match random.u8(..4) {
        0 => mostly_whole(random, whole),
        1 => mutated(random, whole),
        _ => {
            let mut text = Vec::new();
            if random.u8(..32) == 0 {
                // Enough that the next element is within the limit, or beyond it.
                text = b"none,".repeat(random.usize(60..66));
            }
            for at in 0..=random.usize(..6) {
                if at > 0 {
                    text.extend(
                        *random
                            .choice([&b","[..], b", ", b" ,\t"].as_slice())
                            .unwrap(),
                    );
                }
                text.extend(random.choice(names).unwrap().bytes());
                for _ in 0..random.u8(..4) {
                    text.push(b';');
                    text.extend(random.choice(&PARAMS).unwrap().bytes());
                }
                if random.bool() {
                    text.push(b';');
                    text.extend(random.choice(&WEIGHTS).unwrap().bytes());
                }
            }
            if random.u8(..4) == 0 {
                mutate(random, &mut text, whole);
            }
            text
        }
    }
}

fn mostly_whole(random: &mut Rng, whole: &[&str]) -> Vec<u8> {
    if random.u8(..4) == 0 {
        return mutated(random, whole);
    }
    random.choice(whole).unwrap().as_bytes().to_vec()
}

/// Returns one of these, unchanged or broken, or random bytes.
fn mutated(random: &mut Rng, whole: &[&str]) -> Vec<u8> {
    match random.u8(..8) {
        0 => (0..random.usize(..40)).map(|_| random.u8(..)).collect(),
        1..5 => random.choice(whole).unwrap().as_bytes().to_vec(),
        _ => {
            let mut text = random.choice(whole).unwrap().as_bytes().to_vec();
            for _ in 0..=random.u8(..3) {
                mutate(random, &mut text, whole);
            }
            text
        }
    }
}

/// Breaks a text in one place.
fn mutate(random: &mut Rng, text: &mut Vec<u8>, whole: &[&str]) {
    let from = random.usize(..=text.len());
    let to = random.usize(from..=text.len()).min(from + 12);
    match random.u8(..8) {
        0 => drop(text.drain(from..to)),
        1 => text.truncate(from),
        2 => text.extend_from_within(from..to),
        3 => text.insert(from, random.u8(..)),
        4 => text.insert(from, *random.choice(b",;=\"\\ \t/*.q0+%&").unwrap()),
        5 => text[from..to].iter_mut().for_each(|byte| *byte ^= 1 << 5),
        6 => text[from..to]
            .iter_mut()
            .for_each(|byte| *byte ^= 1 << random.u8(..8)),
        _ => {
            let other = random.choice(whole).unwrap().as_bytes();
            text.truncate(from);
            text.extend(&other[random.usize(..=other.len())..]);
        }
    }
}

/// Replaces bytes that are invalid in a header.
fn carried(mut value: Vec<u8>) -> Vec<u8> {
    for byte in &mut value {
        if (*byte < b' ' && *byte != b'\t') || *byte == 0x7f {
            *byte = b'"';
        }
    }
    value
}
