//! Pushgateways that refuse, hang or disconnect, and what errors say.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, Response};
use futures_util::FutureExt;
use http_body_util::Full;
use tachometer::Registry;
use tachometer::push::Pushgateway;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::yield_now;
use tokio::time::{Instant, advance};
use tower::service_fn;

use super::{jobs, pushgateway};

/// Answers every request with this status and body.
fn answering(settings: Pushgateway, status: u16, body: &'static str) -> Pushgateway {
    settings.client(service_fn(move |_: Request<Full<Bytes>>| async move {
        let response = Response::builder().status(status);
        Ok::<_, Infallible>(response.body(Full::<Bytes>::from(body)).unwrap())
    }))
}

fn secret(registry: &Registry) -> Pushgateway {
    pushgateway("http://gateway:9091/?token=secret", registry)
        .grouping("zone", "secret")
        .basic_auth("secret", "secret")
        .header("x-secret", "secret")
}

#[tokio::test]
async fn an_error_has_the_status_and_a_remedy_and_nothing_of_the_body() {
    const DUPLICATE: &str = "pushed metrics are invalid or inconsistent with existing metrics: \
        collected metric \"jobs\" { label:{name:\"tenant\"  value:\"secret\"}} was collected \
        before with the same name and label values";
    const NO_NAME: &str = "collected metric \"secret value\" { } is not a COUNTER";
    let registry = jobs();
    for (status, body, remedy) in [
        (
            400,
            DUPLICATE,
            "the metric \"jobs\" has two series with the same labels",
        ),
        (400, NO_NAME, "a metric has another type"),
        (
            400,
            "text format parsing error in line 1: secret",
            "the log of the Pushgateway",
        ),
        (400, "", "the log of the Pushgateway"),
        (401, "secret", "check the credentials"),
        (403, "secret", "check the credentials"),
        (404, "secret", "is this the URL of a Pushgateway"),
        (405, "secret", "is this the URL of a Pushgateway"),
        (413, "secret", "raise the limit of the proxy"),
        (307, "secret", "use the URL that it redirects to"),
        (500, "secret", "the log of the Pushgateway"),
        (503, "secret", "the log of the Pushgateway"),
    ] {
        let client = answering(secret(&registry), status, body).build().unwrap();
        for error in [
            client.push().await,
            client.push_add().await,
            client.delete().await,
        ] {
            let error = error.unwrap_err();
            let text = error.to_string();
            assert!(error.is_failed_push(), "{text}");
            let start = format!("the push to http://gateway:9091 failed: {status}");
            assert!(text.starts_with(&start) && text.contains(remedy), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
    for status in [200, 202, 204] {
        let client = answering(secret(&registry), status, "").build().unwrap();
        client.push().await.unwrap();
        client.delete().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_response_ends_at_its_timeout() {
    let registry = jobs();
    let hang = |settings: Pushgateway| {
        let hang = |_: Request<Full<Bytes>>| pending::<Result<Response<Full<Bytes>>, Infallible>>();
        settings.client(service_fn(hang))
    };
    for (settings, seconds) in [
        (secret(&registry), 10),
        (secret(&registry).timeout(Duration::from_secs(3)), 3),
    ] {
        let client = hang(settings).build().unwrap();
        let begin = Instant::now();
        let text = client.delete().await.unwrap_err().to_string();
        assert_eq!(begin.elapsed().as_secs(), seconds);
        assert!(
            text.contains("there was no response within the time limit"),
            "{text}"
        );
        assert!(
            text.contains("http://gateway:9091") && !text.contains("secret"),
            "{text}"
        );
    }
    // Without a limit.
    let client = hang(secret(&registry).timeout(Duration::ZERO))
        .build()
        .unwrap();
    let delete = tokio::time::timeout(Duration::from_secs(100_000), client.delete());
    assert!(delete.await.is_err());
}

#[tokio::test]
async fn a_connection_that_breaks_or_cannot_be_made_is_an_error() {
    let registry = jobs();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = pushgateway(&url, &registry)
        .basic_auth("secret", "secret")
        .build()
        .unwrap();
    let reset = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 100]).await.unwrap();
        stream.set_zero_linger().unwrap();
    };
    let (pushed, ()) = tokio::join!(client.push(), reset);
    let text = pushed.unwrap_err().to_string();
    assert!(
        text.contains("check that the Pushgateway is running"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
    drop(listener);
    let text = client.push().await.unwrap_err().to_string();
    assert!(text.contains("cannot connect"), "{text}");
}

#[tokio::test]
async fn a_metric_with_a_label_of_the_group_is_not_sent() {
    for (label, grouping, is_refused) in [
        ("instance", "instance", true),
        ("job", "instance", true),
        ("Instance", "instance", false),
        ("zone", "instance", false),
    ] {
        let registry = jobs();
        let family = registry.gauge_family("rows", "", ["table", label]).unwrap();
        family.with(["a", "secret"]).set(1);
        let client = answering(
            pushgateway("http://h", &registry).grouping(grouping, "secret"),
            200,
            "",
        );
        let result = client.build().unwrap().push().await;
        assert_eq!(result.is_err(), is_refused, "{label}");
        if let Err(error) = result {
            let text = error.to_string();
            assert!(error.is_failed_push());
            assert!(
                text.contains(&format!("the metric \"rows\" has the label {label:?}")),
                "{text}"
            );
            assert!(!text.contains("secret"), "{text}");
        }
    }
    // Constant labels, and names that are escaped.
    let registry = Registry::new();
    let handle = registry.clone().with_labels([("zone", "a")]).unwrap();
    handle.gauge("g", "").unwrap();
    let client = answering(
        pushgateway("http://h", &registry).grouping("zone", "b"),
        200,
        "",
    );
    assert!(client.build().unwrap().push().await.is_err());
    let registry = Registry::new();
    let family = registry
        .clone()
        .with_utf8_names()
        .gauge_family("h", "", ["my.zone"])
        .unwrap();
    family.with(["a"]).set(1);
    let client = answering(
        pushgateway("http://h", &registry).grouping("my_zone", "b"),
        200,
        "",
    );
    let text = client
        .build()
        .unwrap()
        .push()
        .await
        .unwrap_err()
        .to_string();
    assert!(text.contains("the label \"my_zone\""), "{text}");
}

#[test]
fn without_a_runtime_a_push_is_an_error_and_no_panic() {
    let client = answering(pushgateway("http://h", &jobs()), 200, "")
        .build()
        .unwrap();
    for result in [client.push().now_or_never(), client.delete().now_or_never()] {
        let text = result.unwrap().unwrap_err().to_string();
        assert!(text.contains("needs a tokio runtime"), "{text}");
    }
}

#[test]
fn on_a_runtime_without_timers_a_push_is_an_error_and_no_panic() {
    let client = answering(pushgateway("http://h", &jobs()), 200, "")
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for result in [
        runtime.block_on(client.push()),
        runtime.block_on(client.delete()),
    ] {
        let text = result.unwrap_err().to_string();
        assert!(text.contains("call `enable_all`"), "{text}");
    }
}

#[test]
fn a_push_works_on_a_runtime_with_one_thread() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    let client = answering(pushgateway("http://h", &jobs()), 200, "")
        .build()
        .unwrap();
    runtime.block_on(client.push()).unwrap();
    // A push that is dropped while it is in progress.
    let _context = runtime.enter();
    let mut push = Box::pin(client.push());
    let poll = push.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll, Poll::Pending));
    drop(push);
}

#[test]
fn debug_output_has_no_secret() {
    let settings = secret(&jobs());
    let text = format!("{settings:?} {:?}", settings.clone().build().unwrap());
    assert_eq!(
        text,
        "Pushgateway { host: Some(\"gateway\"), .. } \
         PushgatewayClient { host: Some(\"gateway\"), .. }"
    );
}

#[tokio::test(start_paused = true)]
async fn a_push_ends_at_its_timeout_while_a_collector_hangs() {
    let registry = Registry::new();
    let (go, gone) = mpsc::channel::<()>();
    let gone = Mutex::new(gone);
    let hangs = move || {
        let _ = gone.lock().unwrap().recv();
        1.0
    };
    registry.gauge_fn("hangs", "Hangs.", hangs).unwrap();
    let client = answering(secret(&registry), 200, "").build().unwrap();
    let push = tokio::spawn(async move { client.push().await });
    let run_tasks = async || {
        for _ in 0..100 {
            yield_now().await;
        }
    };
    run_tasks().await;
    advance(Duration::from_secs(9)).await;
    run_tasks().await;
    assert!(!push.is_finished());
    advance(Duration::from_secs(1)).await;
    run_tasks().await;
    let is_finished = push.is_finished();
    drop(go);
    assert!(is_finished);
    let error = push.await.unwrap().unwrap_err();
    assert!(error.is_failed_push());
    assert_eq!(
        error.to_string(),
        "reading the metrics took longer than the timeout: find the collector of metrics that is \
         slow, or raise `Pushgateway::timeout`"
    );
}
