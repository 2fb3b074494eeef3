//! Who may read the metrics, and what every answer says.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};
use http_body_util::BodyExt;
use tachometer::{Error, MetricsLayer, MetricsRouter, Registry};
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::support::loopback::{Answer, Caller};
use crate::support::read::sum;
use crate::support::warnings::warnings;

const TOKEN: &str = "a token";
const RIGHT: &str = "Bearer a token";
/// Of `user:password`.
const RIGHT_BASIC: &str = "Basic dXNlcjpwYXNzd29yZA==";
const BASIC: &str = r#"Basic realm="metrics", charset="UTF-8""#;

fn metrics() -> MetricsRouter {
    let registry = Registry::new();
    registry.counter("jobs", "Jobs.").unwrap().inc();
    MetricsRouter::new().registry(&registry)
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn showing(values: &[&[u8]]) -> Request<Body> {
    let mut request = get("/");
    for value in values {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(AUTHORIZATION, value);
    }
    request
}

fn from(peer: &str) -> Request<Body> {
    let mut request = get("/");
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

async fn answer(router: &Router, request: Request<Body>) -> Answer {
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8(body.into()).unwrap(),
    }
}

async fn status(router: &Router, request: Request<Body>) -> StatusCode {
    answer(router, request).await.status
}

#[track_caller]
fn check_signed(headers: &HeaderMap) {
    assert_eq!(headers[CACHE_CONTROL], "no-store");
    assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
}

#[track_caller]
fn check_refused(answer: &Answer, status: StatusCode, challenges: &[&str]) {
    assert_eq!((answer.status, answer.body.as_str()), (status, ""));
    assert!(!answer.headers.contains_key(CONTENT_TYPE));
    let told = answer.headers.get_all(WWW_AUTHENTICATE).iter();
    let told: Vec<_> = told.map(|value| value.to_str().unwrap()).collect();
    assert_eq!(told, challenges);
    check_signed(&answer.headers);
}

/// Runs a future on this thread, and returns what was warned of meanwhile.
fn warnings_of(run: impl Future<Output = ()>) -> Vec<String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    warnings(|| (), || runtime.block_on(run))
}

#[tokio::test]
async fn every_route_asks_for_any_of_the_credentials_and_for_none_if_there_are_none() {
    let routes = [
        (Method::GET, "/", StatusCode::OK),
        (Method::HEAD, "/", StatusCode::OK),
        (Method::GET, "/json", StatusCode::OK),
        (Method::GET, "/json?a=b", StatusCode::OK),
        (Method::GET, "/summary", StatusCode::OK),
        (Method::POST, "/", StatusCode::METHOD_NOT_ALLOWED),
        (Method::OPTIONS, "/json", StatusCode::METHOD_NOT_ALLOWED),
    ];
    let shown = [
        None,
        Some("Bearer another"),
        Some("Basic YTpi"),
        Some("Digest a token"),
        Some(RIGHT),
        Some(RIGHT_BASIC),
    ];
    let bearer = |metrics: MetricsRouter| metrics.bearer_token(TOKEN);
    let basic = |metrics: MetricsRouter| metrics.basic_auth("user", "password");
    let cases: [(MetricsRouter, &[&str], &[&str]); 4] = [
        (metrics(), &[], &[]),
        (bearer(metrics()), &["Bearer"], &[RIGHT]),
        (basic(metrics()), &[BASIC], &[RIGHT_BASIC]),
        (
            basic(bearer(metrics())).bearer_token("a second"),
            &["Bearer", BASIC],
            &[RIGHT, RIGHT_BASIC],
        ),
    ];
    for (settings, challenges, right) in cases {
        let registry = Registry::new();
        let layer = MetricsLayer::new().registry(&registry);
        let app = settings.clone().build::<()>().layer(layer);
        for (method, path, status) in &routes {
            for shown in shown {
                let mut request = get(path);
                *request.method_mut() = method.clone();
                if let Some(shown) = shown {
                    let shown = HeaderValue::from_static(shown);
                    request.headers_mut().insert(AUTHORIZATION, shown);
                }
                let answer = answer(&app, request).await;
                if challenges.is_empty() || shown.is_some_and(|shown| right.contains(&shown)) {
                    assert_eq!(answer.status, *status, "{method} {path} {shown:?}");
                    check_signed(&answer.headers);
                    let has_metrics = answer.body.contains("jobs");
                    let expected = *status == StatusCode::OK && method == Method::GET;
                    assert_eq!(has_metrics, expected);
                    if *status == StatusCode::METHOD_NOT_ALLOWED {
                        assert_eq!(answer.headers[ALLOW], "GET,HEAD");
                    }
                } else {
                    check_refused(&answer, StatusCode::UNAUTHORIZED, challenges);
                }
            }
        }
        // Nor is a refusal a request of the service's.
        assert_eq!(sum(&registry, "http_requests_total", &[]), 0.0);
    }
}

#[tokio::test]
async fn a_registry_that_is_given_last_takes_nothing_back() {
    let settings = metrics()
        .bearer_token(TOKEN)
        .allowed_networks(["::1"])
        .unwrap();
    let router = settings.registry(&Registry::new()).build();
    for (peer, expected) in [
        ("127.0.0.1:1", StatusCode::FORBIDDEN),
        ("[::1]:1", StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(status(&router, from(peer)).await, expected);
    }
}

#[tokio::test]
async fn nested_the_router_answers_its_own_paths_and_leaves_others_to_the_application() {
    let app: Router = Router::new()
        .nest("/metrics", metrics().bearer_token(TOKEN).build())
        .fallback(async || "the application");
    let refused = answer(&app, get("/metrics/json")).await;
    check_refused(&refused, StatusCode::UNAUTHORIZED, &["Bearer"]);
    for path in ["/", "/metrics/unknown"] {
        let answer = answer(&app, get(path)).await;
        assert_eq!(answer.body, "the application");
        assert!(!answer.headers.contains_key(CACHE_CONTROL));
    }
}

#[tokio::test]
async fn merged_the_router_leaves_an_application_s_404_as_it_is() {
    let registry = Registry::new();
    let app: Router = Router::new()
        .merge(metrics().bearer_token(TOKEN).build())
        .layer(MetricsLayer::new().registry(&registry));
    let refused = answer(&app, get("/json")).await;
    check_refused(&refused, StatusCode::UNAUTHORIZED, &["Bearer"]);
    let unknown = answer(&app, get("/unknown")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(!unknown.headers.contains_key(CACHE_CONTROL));
    let unmatched = [("route", "unmatched"), ("status", "404")];
    assert_eq!(sum(&registry, "http_requests_total", &unmatched), 1.0);
    assert_eq!(sum(&registry, "http_requests_total", &[]), 1.0);
}

#[tokio::test]
async fn schemes_have_no_case_and_spaces_around_do_not_matter() {
    let settings = metrics().bearer_token(TOKEN).basic_auth("user", "password");
    let router = settings
        .bearer_token(" of a file\r\n")
        .basic_auth("über", "a:ß")
        .build();
    for right in [
        RIGHT,
        "bearer a token",
        "BEARER  a token ",
        "\t bEaReR \ta token\t",
        RIGHT_BASIC,
        "basic   dXNlcjpwYXNzd29yZA== ",
        "Bearer of a file",
        // In UTF-8, as the challenge asks for.
        "Basic w7xiZXI6YTrDnw==",
    ] {
        let status = status(&router, showing(&[right.as_bytes()])).await;
        assert_eq!(status, StatusCode::OK, "{right:?}");
    }
    for wrong in [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Basic",
        "a token",
        "Bearera token",
        "Bearer: a token",
        "Bearer A token",
        "Bearer a  token",
        "Bearer a toke",
        "Bearer a token2",
        "Bearer \"a token\"",
        "Bearer a token, Bearer a token",
        "Basic a token",
        "Bearer dXNlcjpwYXNzd29yZA==",
        "Basic user:password",
        // The same password in ISO 8859-1.
        "Basic /GJlcjphOt8=",
    ] {
        let status = status(&router, showing(&[wrong.as_bytes()])).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong:?}");
    }
    // Nor two of them, though one be right, or both.
    for other in [&b"Bearer another"[..], RIGHT.as_bytes(), b""] {
        for values in [[RIGHT.as_bytes(), other], [other, RIGHT.as_bytes()]] {
            let status = status(&router, showing(&values)).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{values:?}");
        }
    }
}

#[tokio::test]
async fn hostile_values_are_refused() {
    let settings = metrics().bearer_token(TOKEN).basic_auth("user", "password");
    let router = settings.build();
    let mut random = fastrand::Rng::with_seed(7);
    let mut hostile: Vec<Vec<u8>> = vec![
        vec![b' '; 1 << 20],
        [b"Bearer ", &[b'a'; 1 << 20][..]].concat(),
        [b"Basic ", &[b'='; 1 << 20][..]].concat(),
        [RIGHT.as_bytes(), &[b'n'; 1 << 16]].concat(),
        b"Basic \xff\xfe\xfd".to_vec(),
        b"Bearer \xc3\x28".to_vec(),
        b"\xff".to_vec(),
    ];
    for _ in 0..20_000 {
        let start = random.choice([&b"Bearer "[..], b"Basic ", b"basic\t", b"", b" "]);
        let mut value = start.unwrap().to_vec();
        let right = random.choice([RIGHT, RIGHT_BASIC]).unwrap().as_bytes();
        match random.u8(0..4) {
            // What a header can carry, and Base64 cannot.
            0 => value.extend((0..random.usize(0..200)).map(|_| random.u8(0x20..0x7f))),
            1 => value.extend((0..random.usize(0..200)).map(|_| random.u8(0x80..=0xff))),
            // Nearly right.
            2 => {
                value = right.to_vec();
                // Behind the scheme, which has no case.
                let at = random.usize(7..value.len());
                value[at] ^= 1 << random.u8(0..8);
            }
            _ => value = right[..random.usize(0..right.len())].to_vec(),
        }
        for byte in &mut value {
            // What no header can carry.
            if *byte < 0x20 || *byte == 0x7f {
                *byte = b'~';
            }
        }
        hostile.push(value);
    }
    for value in hostile {
        let answer = answer(&router, showing(&[&value])).await;
        check_refused(&answer, StatusCode::UNAUTHORIZED, &["Bearer", BASIC]);
    }
}

#[test]
fn what_is_not_set_opens_no_door_and_is_warned_of_once() {
    let cases = [
        metrics().bearer_token(""),
        metrics().bearer_token(" \r\n"),
        metrics().basic_auth("", ""),
        metrics().basic_auth("prometheus", ""),
        metrics()
            .bearer_token("")
            .basic_auth("", "")
            .bearer_token(""),
    ];
    for settings in cases {
        let warned = warnings_of(async {
            let router = settings.build();
            let empty = ["", "Bearer", "Bearer ", "Bearer \"\"", "Basic", "Basic "];
            // `:`, and `prometheus:`.
            let encoded = ["Basic Og==", "Basic cHJvbWV0aGV1czo="];
            for shown in empty.into_iter().chain(encoded) {
                let status = status(&router, showing(&[shown.as_bytes()])).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{shown:?}");
            }
            assert_eq!(status(&router, get("/")).await, StatusCode::UNAUTHORIZED);
        });
        assert_eq!(warned.len(), 1, "{warned:?}");
        assert!(warned[0].contains("lets nobody in"), "{warned:?}");
    }

    // It closes no other one.
    let warned = warnings_of(async {
        let router = metrics()
            .bearer_token("")
            .bearer_token(TOKEN)
            .basic_auth("", "x")
            .build();
        for right in [RIGHT, "Basic Ong="] {
            let status = status(&router, showing(&[right.as_bytes()])).await;
            assert_eq!(status, StatusCode::OK, "{right}");
        }
    });
    assert_eq!(warned.len(), 1, "{warned:?}");
    let build = async { drop(metrics().bearer_token(TOKEN).build::<()>()) };
    assert_eq!(warnings_of(build), [""; 0]);
}

#[test]
fn settings_do_not_print_secrets() {
    let settings = metrics()
        .bearer_token("s3cret")
        .basic_auth("someone", "s3cret");
    for text in [format!("{settings:?}"), format!("{settings:#?}")] {
        assert!(text.contains("Bearer") && text.contains("Basic"), "{text}");
        for secret in ["s3cret", "someone", "c29tZW9uZTpzM2NyZXQ", "115"] {
            assert!(!text.contains(secret), "{secret} in: {text}");
        }
    }
}

#[tokio::test]
async fn only_peers_in_the_networks_are_answered() {
    let networks = [
        "127.0.0.1",
        "10.0.0.0/8",
        "fd00::/8",
        "::1",
        // As IPv6 writes 192.0.2.0/24 and 198.51.100.7.
        "::ffff:192.0.2.0/120",
        "::ffff:198.51.100.7",
        // The network, though an address in it is named.
        " 172.16.9.9/12 ",
    ];
    let settings = metrics().allowed_networks(networks).unwrap();
    let settings = settings
        .allowed_networks([String::from("203.0.113.5")])
        .unwrap();
    let router = settings.build();
    for inside in [
        "127.0.0.1:1",
        "[::ffff:127.0.0.1]:1",
        "10.0.0.0:1",
        "10.255.255.255:1",
        "[::ffff:10.1.2.3]:1",
        "[fd00::1]:1",
        "[fdff:ffff::%3]:1",
        "[::1]:1",
        "192.0.2.255:1",
        "[::ffff:192.0.2.1]:1",
        "198.51.100.7:1",
        "172.31.0.1:1",
        "203.0.113.5:1",
    ] {
        assert_eq!(
            status(&router, from(inside)).await,
            StatusCode::OK,
            "{inside}"
        );
    }
    for outside in [
        "127.0.0.2:1",
        "[::ffff:127.0.0.2]:1",
        "9.255.255.255:1",
        "11.0.0.0:1",
        "[::2]:1",
        "[fc00::1]:1",
        // Not mapped, but an IPv6 address whose last bits are alike.
        "[::10.0.0.1]:1",
        "192.0.3.0:1",
        "198.51.100.8:1",
        "172.32.0.1:1",
        "203.0.113.6:1",
    ] {
        let answer = answer(&router, from(outside)).await;
        check_refused(&answer, StatusCode::FORBIDDEN, &[]);
    }
}

#[tokio::test]
async fn no_header_and_no_credentials_make_up_for_the_network() {
    let settings = metrics()
        .bearer_token(TOKEN)
        .allowed_networks(["127.0.0.1"])
        .unwrap();
    let router = settings.build();
    for path in ["/", "/json", "/summary"] {
        let mut request = from("10.0.0.1:1");
        *request.uri_mut() = path.parse().unwrap();
        for (name, value) in [
            ("authorization", RIGHT),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-real-ip", "127.0.0.1"),
            ("forwarded", "for=127.0.0.1"),
        ] {
            let name = HeaderName::from_static(name);
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(name, value);
        }
        let refused = answer(&router, request).await;
        check_refused(&refused, StatusCode::FORBIDDEN, &[]);
    }
    // From the right network the credentials are asked for none the less.
    let refused = answer(&router, from("127.0.0.1:1")).await;
    check_refused(&refused, StatusCode::UNAUTHORIZED, &["Bearer"]);
    let mut request = from("127.0.0.1:1");
    let right = HeaderValue::from_static(RIGHT);
    request.headers_mut().insert(AUTHORIZATION, right);
    assert_eq!(status(&router, request).await, StatusCode::OK);
}

#[test]
fn peers_that_are_not_known_are_refused_with_one_warning() {
    let warned = warnings_of(async {
        let settings = metrics().allowed_networks(["0.0.0.0/0", "::/0"]).unwrap();
        let router = settings.build();
        for _ in 0..3 {
            let answer = answer(&router, get("/")).await;
            check_refused(&answer, StatusCode::FORBIDDEN, &[]);
        }
        // Who is known is not refused, nor warned of.
        assert_eq!(status(&router, from("1.2.3.4:1")).await, StatusCode::OK);
        assert_eq!(
            status(&router, from("[2001:db8::1]:1")).await,
            StatusCode::OK
        );
    });
    assert_eq!(warned.len(), 1, "{warned:?}");
    let remedy = "into_make_service_with_connect_info";
    assert!(warned[0].contains(remedy), "{warned:?}");
}

#[test]
fn an_empty_list_of_networks_has_nobody_and_a_bad_one_is_an_error() {
    let warned = warnings_of(async {
        let router = metrics().allowed_networks([""; 0]).unwrap().build();
        let status = status(&router, from("127.0.0.1:1")).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    });
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("lets nobody in"), "{warned:?}");

    for bad in [
        "",
        "localhost",
        "10.0.0/8",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "fd00::/129",
        "127.0.0.1:9090",
        "fe80::1%eth0",
        "10.0.0.0/8, 127.0.0.1",
    ] {
        let error = metrics().allowed_networks(["127.0.0.1", bad]).unwrap_err();
        assert!(Error::is_invalid_network(&error), "{error:?}");
        let text = error.to_string();
        for words in [&format!("{bad:?}"), "10.0.0.0/8"] {
            assert!(text.contains(words), "{words} in: {text}");
        }
    }
}

#[tokio::test]
async fn a_query_that_is_too_long_is_not_read() {
    let router = metrics().bearer_token(TOKEN).build();
    let asking = |length: usize, shown: &'static str| {
        let mut request = get(&format!("/json?{}", "q".repeat(length)));
        let shown = HeaderValue::from_static(shown);
        request.headers_mut().insert(AUTHORIZATION, shown);
        request
    };
    assert_eq!(status(&router, asking(8_192, RIGHT)).await, StatusCode::OK);
    let refused = answer(&router, asking(8_193, RIGHT)).await;
    check_refused(&refused, StatusCode::URI_TOO_LONG, &[]);
    let refused = answer(&router, asking(60_000, "Bearer another")).await;
    check_refused(&refused, StatusCode::UNAUTHORIZED, &["Bearer"]);
}

#[tokio::test]
async fn over_loopback_the_peer_is_known_to_those_that_ask_axum_for_it() {
    for (bind, networks, expected) in [
        ("127.0.0.1:0", ["127.0.0.1"], StatusCode::OK),
        ("127.0.0.1:0", ["10.0.0.0/8"], StatusCode::FORBIDDEN),
        // A socket of both kinds, which sees its peer as `::ffff:127.0.0.1`.
        ("[::]:0", ["127.0.0.0/8"], StatusCode::OK),
        ("[::]:0", ["::1"], StatusCode::FORBIDDEN),
    ] {
        let settings = metrics().allowed_networks(networks).unwrap();
        let app = Router::new().nest("/metrics", settings.build());
        // Not every machine has IPv6.
        let Ok(listener) = TcpListener::bind(bind).await else {
            continue;
        };
        let port = listener.local_addr().unwrap().port();
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(axum::serve(listener, app).into_future());
        let caller = Caller::new(Version::HTTP_11);
        let url = format!("http://127.0.0.1:{port}/metrics");
        let answer = caller.get(&url).await.unwrap();
        assert_eq!(answer.status, expected, "{bind} {networks:?}");
        check_signed(&answer.headers);
        server.abort();
    }
}
