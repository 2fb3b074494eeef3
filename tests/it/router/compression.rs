//! Compression: which coding each response has, and that its headers agree with it.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode, Version};
use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use serde_json::Value;
use tachometer::{MetricsLayer, MetricsRouter, Registry};
use tower_http::compression::CompressionLayer;

use super::scrape_options::{FORMATS, registry, send};
use crate::support::loopback::{Caller, Server};

const SCRAPES: [&str; 2] = ["", "/json"];
const FILES: [&str; 3] = ["/dashboard", "/dashboard.css", "/dashboard.js"];
const GENERATED: [&str; 4] = ["/summary", "/view", "/grafana.json", "/rules.yml"];

/// A value of `Accept-Encoding`, the coding of a scrape, and that of other responses.
///
/// The middleware prefers zstd if two codings have the same q-value, scrapes prefer the first.
const CODINGS: [(&str, Option<&str>, Option<&str>); 16] = [
    ("gzip", Some("gzip"), Some("gzip")),
    ("X-GZIP", Some("gzip"), Some("gzip")),
    ("zstd", Some("zstd"), Some("zstd")),
    ("gzip, deflate, br, zstd", Some("gzip"), Some("zstd")),
    ("gzip;q=1.0, zstd;q=0.5", Some("gzip"), Some("gzip")),
    ("gzip;q=0.4, zstd;q=0.5", Some("zstd"), Some("zstd")),
    ("br, deflate, gzip;q=0.1", Some("gzip"), Some("gzip")),
    ("gzip;q=0, zstd;q=0.001", Some("zstd"), Some("zstd")),
    // No scrape is compressed here, although the middleware would do so.
    ("identity, gzip", None, Some("gzip")),
    ("identity, gzip;q=0.5", None, None),
    ("identity", None, None),
    ("gzip;q=0", None, None),
    ("br", None, None),
    ("deflate", None, None),
    ("*", None, None),
    ("", None, None),
];

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn coding(&self) -> Option<&str> {
        let mut codings = self.headers.get_all(CONTENT_ENCODING).iter();
        let coding = codings.next().map(|coding| coding.to_str().unwrap());
        assert_eq!(codings.next(), None);
        coding
    }

    /// Returns the text, without what differs from one response to the next.
    fn text(&self) -> String {
        let text = decompressed(self.coding(), &self.body);
        let text = String::from_utf8_lossy(&text).into_owned();
        match serde_json::from_str::<Value>(&text) {
            Ok(json) if json.get("timestamp").is_some() => {
                let metrics = json.get("snapshots").or(json.get("metrics"));
                let metrics = metrics.unwrap().as_object().unwrap();
                metrics.keys().cloned().collect()
            }
            _ => text,
        }
    }

    /// Returns true if `Vary` contains this name, once.
    fn varies_by(&self, name: &HeaderName) -> bool {
        let values = self.headers.get_all(VARY).iter();
        let names = values.flat_map(|value| value.to_str().unwrap().split(','));
        let count = names.filter(|one| one.trim() == name).count();
        assert!(count < 2);
        count == 1
    }
}

fn decompressed(coding: Option<&str>, sent: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        Some("gzip") => {
            let mut rest = sent;
            GzDecoder::new(&mut rest).read_to_end(&mut plain).unwrap();
            assert!(rest.is_empty(), "something follows the end");
        }
        Some("zstd") => plain = zstd::stream::decode_all(sent).unwrap(),
        Some(other) => panic!("{other}"),
        None => plain.extend(sent),
    }
    plain
}

fn metrics(registry: &Registry) -> MetricsRouter {
    // All views are the same.
    let settings = MetricsRouter::new().registry(registry);
    let settings = settings.dashboard_interval(Duration::from_secs(3_600));
    settings.without_system_metrics()
}

/// A server with the router nested at a path.
async fn start(registry: &Registry) -> Server {
    Server::start(Router::new().nest("/metrics", metrics(registry).build())).await
}

async fn call(
    caller: &Caller,
    method: Method,
    url: &str,
    headers: &[(HeaderName, &str)],
) -> Answer {
    let answer = caller.send(method, url, headers).await.unwrap();
    let (head, body) = answer.into_parts();
    Answer {
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

async fn get(caller: &Caller, url: &str, coding: &str) -> Answer {
    call(caller, Method::GET, url, &[(ACCEPT_ENCODING, coding)]).await
}

/// Checks a path with all values of `Accept-Encoding`.
async fn check_path(caller: &Caller, url: &str, is_scrape: bool) {
    let plain = call(caller, Method::GET, url, &[]).await;
    assert_eq!(plain.status, StatusCode::OK, "{url}");
    assert_eq!(plain.coding(), None, "{url}");
    for (accepted, of_scrape, of_others) in CODINGS {
        let coding = if is_scrape { of_scrape } else { of_others };
        let answer = get(caller, url, accepted).await;
        assert_eq!(answer.coding(), coding, "{url} {accepted:?}");
        assert_eq!(answer.status, StatusCode::OK, "{url} {accepted:?}");
        assert_eq!(answer.text(), plain.text(), "{url} {accepted:?}");
        assert!(answer.varies_by(&ACCEPT_ENCODING), "{url} {accepted:?}");
        // Scrapes are not complete when their head is sent.
        let length = answer.headers.get(CONTENT_LENGTH);
        let length = length.map(|length| length.to_str().unwrap().parse().unwrap());
        let expected = (!is_scrape).then_some(answer.body.len());
        assert_eq!(length, expected, "{url} {accepted:?}");
        if coding.is_some() && !is_scrape {
            assert!(answer.body.len() < plain.body.len(), "{url} {accepted:?}");
        }
        for name in [CONTENT_TYPE, CACHE_CONTROL, ETAG, X_CONTENT_TYPE_OPTIONS] {
            let (value, expected) = (answer.headers.get(&name), plain.headers.get(&name));
            assert_eq!(value, expected, "{url} {accepted:?} {name}");
        }

        let headers = [(ACCEPT_ENCODING, accepted)];
        let head = call(caller, Method::HEAD, url, &headers).await;
        let without_date = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            headers.remove("date");
            // A summary has the uptime in it.
            if url.ends_with("/summary") {
                headers.remove(CONTENT_LENGTH);
            }
            // The framing of HTTP/1.1.
            headers.remove("transfer-encoding");
            headers
        };
        assert_eq!(without_date(&head), without_date(&answer), "{url}");
        assert!(head.body.is_empty(), "{url}");
    }
}

#[tokio::test]
async fn each_response_has_the_coding_that_the_client_prefers_and_headers_that_fit() {
    let registry = registry();
    let server = start(&registry).await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let caller = Caller::new(version);
        let base = format!("http://{}/metrics", server.address);
        for path in SCRAPES {
            check_path(&caller, &format!("{base}{path}?name[]=jobs"), true).await;
        }
        for path in FILES.iter().chain(&GENERATED) {
            check_path(&caller, &format!("{base}{path}"), false).await;
        }
    }
    server.stop().await;
}

#[cfg(feature = "serve")]
#[tokio::test]
async fn the_listener_compresses_the_same_responses_and_its_index_page() {
    let registry = registry();
    let serving = metrics(&registry).serve_on("127.0.0.1:0").await.unwrap();
    let caller = Caller::new(Version::HTTP_11);
    let base = format!("http://{}", serving.local_addr());
    for path in ["/metrics", "/metrics/", "/metrics/json", "/metrics/json/"] {
        check_path(&caller, &format!("{base}{path}?name[]=jobs"), true).await;
    }
    for path in FILES.iter().chain(&GENERATED) {
        check_path(&caller, &format!("{base}/metrics{path}"), false).await;
    }
    check_path(&caller, &format!("{base}/"), false).await;
    let healthy = get(&caller, &format!("{base}/healthz"), "gzip").await;
    assert_eq!((healthy.coding(), &*healthy.body), (None, &b"ok\n"[..]));
    drop(caller);
    serving.shutdown().await;
}

#[tokio::test]
async fn a_compressed_scrape_holds_the_same_text_in_every_format() {
    let registry = registry();
    let server = start(&registry).await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let caller = Caller::new(version);
        // Of many chunks, of one, and of none.
        for names in ["?name[]=mails&name[]=queue", "?name[]=jobs", "?name[]=none"] {
            let url = format!("http://{}/metrics{names}", server.address);
            for (format, accept) in FORMATS {
                let mut texts = BTreeSet::new();
                for coding in ["identity", "gzip", "x-gzip", "zstd"] {
                    let headers = [(ACCEPT, accept), (ACCEPT_ENCODING, coding)];
                    let answer = call(&caller, Method::GET, &url, &headers).await;
                    let expected = coding.trim_start_matches("x-");
                    assert_eq!(answer.coding().unwrap_or("identity"), expected);
                    texts.insert(answer.text());
                }
                assert_eq!(texts.len(), 1, "{format} over {version:?}");
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn all_codings_of_a_file_share_a_weak_etag_and_revalidate_each_other() {
    let registry = registry();
    let server = start(&registry).await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let caller = Caller::new(version);
        for path in FILES {
            let url = format!("http://{}/metrics{path}", server.address);
            let mut tags = BTreeSet::new();
            for coding in ["identity", "gzip", "zstd"] {
                let answer = get(&caller, &url, coding).await;
                tags.insert(answer.headers[ETAG].to_str().unwrap().to_owned());
            }
            // A strong one would promise that the bytes are the same.
            assert_eq!(tags.len(), 1);
            let tag = tags.pop_first().unwrap();
            assert!(tag.starts_with("W/\""), "{tag}");
            for coding in ["identity", "gzip", "zstd"] {
                for method in [Method::GET, Method::HEAD] {
                    let headers = [(ACCEPT_ENCODING, coding), (IF_NONE_MATCH, &*tag)];
                    let answer = call(&caller, method, &url, &headers).await;
                    assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{path} {coding}");
                    assert_eq!(answer.headers[ETAG], *tag);
                    assert!(answer.varies_by(&ACCEPT_ENCODING), "{path} {coding}");
                    // These would be those of a response with the file.
                    assert_eq!(answer.coding(), None, "{path} {coding}");
                    assert!(!answer.headers.contains_key(CONTENT_LENGTH));
                    assert!(answer.body.is_empty(), "{path} {coding}");
                }
                let headers = [(ACCEPT_ENCODING, coding), (IF_NONE_MATCH, "W/\"other\"")];
                let answer = call(&caller, Method::GET, &url, &headers).await;
                assert_eq!(answer.status, StatusCode::OK, "{path} {coding}");
                assert_eq!(answer.coding().unwrap_or("identity"), coding);
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn nothing_is_compressed_twice_by_a_compression_layer_of_the_application() {
    let registry = registry();
    let app = Router::new()
        .nest("/metrics", metrics(&registry).build())
        .layer(MetricsLayer::new().registry(&registry))
        .layer(CompressionLayer::new());
    let server = Server::start(app).await;
    let caller = Caller::new(Version::HTTP_11);
    for path in SCRAPES.iter().chain(&FILES).chain(&GENERATED) {
        let url = format!("http://{}/metrics{path}", server.address);
        let plain = get(&caller, &url, "identity").await;
        for coding in ["gzip", "zstd"] {
            let answer = get(&caller, &url, coding).await;
            assert_eq!(answer.coding(), Some(coding), "{path}");
            assert!(answer.varies_by(&ACCEPT_ENCODING), "{path}");
            // Scrapes count themselves.
            if !SCRAPES.contains(path) {
                assert_eq!(answer.text(), plain.text(), "{path}");
            }
            assert!(answer.body.len() < plain.body.len(), "{path}");
        }
        // The application has a coding more than the router.
        let deflated = get_raw(&caller, &url, "deflate").await;
        assert_eq!(deflated[CONTENT_ENCODING], "deflate", "{path}");
    }
    server.stop().await;
}

async fn get_raw(caller: &Caller, url: &str, coding: &str) -> HeaderMap {
    let headers = [(ACCEPT_ENCODING, coding)];
    let answer = caller.send(Method::GET, url, &headers).await.unwrap();
    let headers = answer.headers().clone();
    answer.into_body().collect().await.unwrap();
    headers
}

#[tokio::test]
async fn a_long_response_is_not_compressed_on_the_thread_of_the_request() {
    let registry = Registry::new();
    let router = metrics(&registry).build::<()>();
    for (metrics, coding) in [(100, Some("gzip")), (5_000, None)] {
        for number in 0..metrics {
            let name = format!("a_metric_with_a_rather_long_name_{number}_total");
            registry.counter(&name, "Help.").unwrap();
        }
        let headers = [(ACCEPT_ENCODING, "gzip")];
        let answer = send(&router, Method::GET, "/summary", &headers).await;
        let found = answer.headers().get(CONTENT_ENCODING);
        let found = found.map(|coding| coding.to_str().unwrap());
        assert_eq!(found, coding, "{metrics} metrics");
    }
}

#[tokio::test]
async fn refusals_and_redirects_are_not_compressed() {
    let registry = registry();
    let closed = metrics(&registry)
        .bearer_token("a token")
        .max_concurrent_scrapes(0)
        .build();
    let accepted = (ACCEPT_ENCODING, "gzip, zstd");
    let authorized = (AUTHORIZATION, "Bearer a token");
    for (method, path, headers, status) in [
        (Method::GET, "/summary", vec![], StatusCode::UNAUTHORIZED),
        (
            Method::GET,
            "/grafana.json",
            vec![authorized.clone()],
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            Method::POST,
            "/dashboard.js",
            vec![authorized.clone()],
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (
            Method::GET,
            "/dashboard/",
            vec![authorized.clone()],
            StatusCode::PERMANENT_REDIRECT,
        ),
    ] {
        let headers = [&headers[..], std::slice::from_ref(&accepted)].concat();
        let answer = send(&closed, method, path, &headers).await;
        assert_eq!(answer.status(), status, "{path}");
        assert!(!answer.headers().contains_key(CONTENT_ENCODING), "{path}");
        let is_redirect = status == StatusCode::PERMANENT_REDIRECT;
        assert_eq!(answer.headers().contains_key(LOCATION), is_redirect);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(body.is_empty() || body == "too many concurrent scrapes\n");
    }
}

#[tokio::test]
async fn a_compressed_response_is_complete_before_its_first_frame() {
    let registry = registry();
    let router = metrics(&registry).build::<()>();
    for path in FILES.iter().chain(&GENERATED) {
        for coding in ["gzip", "zstd"] {
            let request = [(ACCEPT_ENCODING, coding)];
            let answer = send(&router, Method::GET, path, &request).await;
            assert_eq!(answer.headers()[CONTENT_ENCODING], coding, "{path}");
            // The body holds these bytes and no compressor.
            let mut body = answer.into_body();
            let length = http_body::Body::size_hint(&body).exact();
            let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(length, Some(first.len() as u64), "{path}");
            assert!(body.frame().await.is_none(), "{path}");
        }
    }
}
