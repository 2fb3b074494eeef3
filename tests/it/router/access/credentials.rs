//! Bearer tokens and passwords: which are accepted, and what a refusal says.

use axum::body::Body;
use axum::http::header::{ALLOW, AUTHORIZATION};
use axum::http::{HeaderValue, Method, Request, StatusCode};
use tachometer::{MetricsLayer, MetricsRouter, Registry};

use super::{
    BASIC, RIGHT, RIGHT_BASIC, TOKEN, answer, check_refused, check_signed, get, metrics, status,
    warnings_of,
};
use crate::support::read::sum;

fn showing(values: &[&[u8]]) -> Request<Body> {
    let mut request = get("/");
    for value in values {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(AUTHORIZATION, value);
    }
    request
}

#[tokio::test]
async fn every_route_requires_one_of_the_configured_credentials() {
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
        // A refusal is not counted as a request of the service.
        assert_eq!(sum(&registry, "http_requests_total", &[]), 0.0);
    }
}

#[tokio::test]
async fn schemes_are_case_insensitive_and_surrounding_spaces_are_ignored() {
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
        // In UTF-8, as the challenge requires.
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
    // Two headers are refused, even if both are valid.
    for other in [&b"Bearer another"[..], RIGHT.as_bytes(), b""] {
        for values in [[RIGHT.as_bytes(), other], [other, RIGHT.as_bytes()]] {
            let status = status(&router, showing(&values)).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{values:?}");
        }
    }
}

#[tokio::test]
async fn hostile_authorization_headers_are_refused() {
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
            // Valid in a header, but not in Base64.
            0 => value.extend((0..random.usize(0..200)).map(|_| random.u8(0x20..0x7f))),
            1 => value.extend((0..random.usize(0..200)).map(|_| random.u8(0x80..=0xff))),
            // Almost valid.
            2 => {
                value = right.to_vec();
                // Behind the scheme, which has no case.
                let at = random.usize(7..value.len());
                value[at] ^= 1 << random.u8(0..8);
            }
            _ => value = right[..random.usize(0..right.len())].to_vec(),
        }
        for byte in &mut value {
            // Invalid in a header.
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
fn empty_credentials_admit_nobody_and_cause_one_warning() {
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
        assert!(warned[0].contains("denies all requests"), "{warned:?}");
    }

    // Other credentials still work.
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
fn debug_output_of_settings_shows_no_secret() {
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
