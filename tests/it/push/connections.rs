//! The built-in client, and receivers on loopback that misbehave.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tachometer::Registry;
use tachometer::push::{Otlp, OtlpExporter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// A server that calls a closure for each connection, with its number from 0.
async fn serve<F>(
    handle: impl Fn(usize, TcpStream) -> F + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let connections = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let number = connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(handle(number, stream));
        }
    });
    (address, count)
}

/// Reads a request with its body. Returns false at the end of the connection.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut request = Vec::new();
    loop {
        if let Some(head) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
            let (_, len) = text.split_once("content-length: ").unwrap();
            let len: usize = len.split("\r\n").next().unwrap().parse().unwrap();
            if request.len() >= head + 4 + len {
                return true;
            }
        }
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return false;
        }
    }
}

fn exporter(url: &str) -> OtlpExporter {
    let registry = Registry::new();
    registry.counter("jobs_total", "Jobs.").unwrap().inc();
    let otlp = Otlp::new().registry(&registry).endpoint(url);
    otlp.interval(Duration::MAX).start().unwrap()
}

#[tokio::test]
async fn a_connection_is_used_for_many_requests() {
    let answer = |_, mut stream: TcpStream| async move {
        while read_request(&mut stream).await {
            stream.write_all(OK).await.unwrap();
        }
    };
    let (address, connections) = serve(answer).await;
    let exporter = exporter(&format!("http://{address}"));
    for _ in 0..20 {
        assert_eq!(exporter.flush().await, Ok(()));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// The first connections are closed or reset before, in or after a request.
#[tokio::test]
async fn requests_of_broken_connections_are_sent_again() {
    let answer = |number, mut stream: TcpStream| async move {
        match number {
            0 => {}
            1 => stream.set_zero_linger().unwrap(),
            2 => {
                let _ = stream.read_u8().await;
            }
            _ => {
                while read_request(&mut stream).await {
                    stream.write_all(OK).await.unwrap();
                    // It is closed while it is idle. The next request needs another one.
                    if number == 3 {
                        return;
                    }
                }
            }
        }
    };
    let (address, connections) = serve(answer).await;
    let exporter = exporter(&format!("http://{address}"));
    assert_eq!(exporter.flush().await, Ok(()));
    assert_eq!(exporter.flush().await, Ok(()));
    assert_eq!(connections.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn a_response_of_any_length_is_accepted_and_not_read_to_its_end() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let answer = move |_, mut stream: TcpStream| {
        let sent = Arc::clone(&counter);
        async move {
            if read_request(&mut stream).await {
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n";
                stream.write_all(head).await.unwrap();
                while stream.write_all(&[8; 10_000]).await.is_ok() {
                    sent.fetch_add(10_000, Ordering::SeqCst);
                }
            }
        }
    };
    let (address, _) = serve(answer).await;
    let exporter = exporter(&format!("http://{address}"));
    for _ in 0..3 {
        assert_eq!(exporter.flush().await, Ok(()));
    }
    // Mostly the buffers of the sockets.
    let sent = sent.load(Ordering::SeqCst);
    assert!(sent < 100_000_000, "{sent}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (target, followed) = serve(|_, _| async {}).await;
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let answer = move |_, mut stream: TcpStream| async move {
            while read_request(&mut stream).await {
                let head = format!(
                    "HTTP/1.1 {status}\r\nlocation: http://{target}/\r\ncontent-length: 0\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).await.unwrap();
            }
        };
        let (address, connections) = serve(answer).await;
        let error = exporter(&format!("http://{address}"))
            .flush()
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("set the endpoint to the URL"),
            "{error}"
        );
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }
    assert_eq!(followed.load(Ordering::SeqCst), 0);
}

#[cfg(feature = "reqwest")]
#[tokio::test]
async fn a_client_of_reqwest_exports_and_a_redirect_that_it_follows_is_an_error() {
    let (target, _) = serve(|_, mut stream: TcpStream| async move {
        let _ = stream.read_u8().await;
        let _ = stream.write_all(OK).await;
    })
    .await;
    let answer = move |_, mut stream: TcpStream| async move {
        while read_request(&mut stream).await {
            let head = format!(
                "HTTP/1.1 303 See Other\r\nlocation: http://{target}/\r\ncontent-length: 0\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
        }
    };
    let (redirecting, _) = serve(answer).await;
    let (accepting, _) = serve(|_, mut stream: TcpStream| async move {
        while read_request(&mut stream).await {
            stream.write_all(OK).await.unwrap();
        }
    })
    .await;
    // The client needs a provider of TLS, even for `http`.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let registry = Registry::new();
    let otlp = Otlp::new()
        .registry(&registry)
        .reqwest_client(reqwest::Client::new());
    let otlp = otlp.interval(Duration::MAX);
    let exporter = otlp
        .clone()
        .endpoint(&format!("http://{accepting}"))
        .start()
        .unwrap();
    assert_eq!(exporter.flush().await, Ok(()));
    let exporter = otlp
        .endpoint(&format!("http://{redirecting}"))
        .start()
        .unwrap();
    let error = exporter.flush().await.unwrap_err();
    assert!(
        error.to_string().contains("redirects to another URL"),
        "{error}"
    );
}

#[tokio::test]
async fn an_endpoint_without_a_receiver_is_named_in_the_error() {
    // No program listens on this port any more.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    // A label of a host name has at most 63 characters.
    let invalid = format!("http://{}.test", "a".repeat(64));
    for (url, texts) in [
        (
            format!("http://{address}"),
            ["cannot connect", "connection refused"],
        ),
        (invalid, ["has no address", "host of the endpoint"]),
    ] {
        let exporter = exporter(&url);
        let error = exporter
            .shutdown(Duration::from_secs(10))
            .await
            .unwrap_err()
            .to_string();
        assert!(texts.iter().all(|text| error.contains(text)), "{error}");
        assert!(error.contains(&url), "{error}");
    }
}
