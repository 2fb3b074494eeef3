//! Allowed networks: which peers are answered, and how a peer is known.

use std::net::SocketAddr;

use axum::Router;
use axum::http::header::{AUTHORIZATION, HeaderName};
use axum::http::{HeaderValue, StatusCode, Version};
use tachometer::Error;
use tokio::net::TcpListener;

use super::{
    RIGHT, TOKEN, answer, check_refused, check_signed, from, get, metrics, status, warnings_of,
};
use crate::support::loopback::Caller;

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
        // The network, although an address inside is given.
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
async fn no_header_or_credential_replaces_the_allowed_network() {
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
    // Credentials are still required from an allowed network.
    let refused = answer(&router, from("127.0.0.1:1")).await;
    check_refused(&refused, StatusCode::UNAUTHORIZED, &["Bearer"]);
    let mut request = from("127.0.0.1:1");
    let right = HeaderValue::from_static(RIGHT);
    request.headers_mut().insert(AUTHORIZATION, right);
    assert_eq!(status(&router, request).await, StatusCode::OK);
}

#[test]
fn unknown_peers_are_refused_with_one_warning() {
    let warned = warnings_of(async {
        let settings = metrics().allowed_networks(["0.0.0.0/0", "::/0"]).unwrap();
        let router = settings.build();
        for _ in 0..3 {
            let answer = answer(&router, get("/")).await;
            check_refused(&answer, StatusCode::FORBIDDEN, &[]);
        }
        // Known peers are answered without a warning.
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
fn an_empty_list_of_networks_admits_nobody_and_an_invalid_one_is_an_error() {
    let warned = warnings_of(async {
        let router = metrics().allowed_networks([""; 0]).unwrap().build();
        let status = status(&router, from("127.0.0.1:1")).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    });
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("denies all requests"), "{warned:?}");

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
async fn the_peer_is_known_with_connect_info_of_axum() {
    for (bind, networks, expected) in [
        ("127.0.0.1:0", ["127.0.0.1"], StatusCode::OK),
        ("127.0.0.1:0", ["10.0.0.0/8"], StatusCode::FORBIDDEN),
        // A dual-stack socket, whose peer is `::ffff:127.0.0.1`.
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
